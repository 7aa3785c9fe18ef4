"""Shapes for names that have none: the expression is elaborated with trial sizes, and its shape errors teach.

Every unknown axis starts as a size of its own, a distinct prime, so that a clash of two sizes names the two axes that
must be equal. The elaborator is the only place that knows what fits; inference merely listens to it. Names in lower
case start as vectors, names in upper case as matrices, and change when an operator needs another number of axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from ..grammar import syntax
from .elaborate import Elaborator, StaticNameError
from .errors import ExpressionError, RankError, ShapeError, Span
from .graph import Node, Select, Symbol, topological
from .shapes import Shape

MAXIMAL_ROUNDS = 300
SMALLEST_SIZE = 3
FIRST_PRIME = 1009
SIZE_NAMES = ("n", "m", "k", "l", "p", "q", "r", "s", *(f"n{number}" for number in range(1, 100)))


def infer_shapes(
    program: syntax.Program, known: Mapping[str, Shape], unknown: Mapping[str, Span], statics: Mapping[str, int]
) -> tuple[dict[str, Shape], dict[str, int]]:
    """Return shapes for the unknown names, and values for those of them that stand for sizes.

    Example: for `x.T @ A @ x` with nothing known, x is (3) and A is 3×3; with A known as 5×5, x is (5).

    Raises ExpressionError where no shapes make the expression work, as seen with small sizes.
    """
    guess = _Guess(dict(known), dict(statics), list(unknown))
    for sizes in (guess.primes, guess.small):
        for _ in range(MAXIMAL_ROUNDS):
            error = guess.attempt(program, sizes())
            if error is None:
                break
            if not guess.learn(error, sizes()):
                break
        guess.forget_derived()
    shapes = guess.shapes(guess.small())
    failure = guess.attempt(program, guess.small())
    if isinstance(failure, ShapeError | StaticNameError):
        raise failure
    return shapes, {name: guess.small()[guess.root(axis)] for name, axis in guess.counts.items()}


def trial_shapes(
    program: syntax.Program, shapes: Mapping[str, Shape], names: Mapping[str, Span], statics: Mapping[str, int]
) -> tuple[dict[str, Shape], dict[str, int], dict[int, str]]:
    """Return shapes of the same ranks whose independent sizes are distinct primes, and a name for each such size.

    Example: for `A @ x` with A 3×4 they are A 1009×1013 and x 1013, with 1009 called n and 1013 called m. An axis of
    length one stays, as it may be there to be broadcast. Names used as sizes get their trial values too.

    Raises ExpressionError where the expression fits particular sizes only.
    """
    guess = _Guess({}, {name: value for name, value in statics.items() if shapes.get(name)}, list(names))
    for name in names:
        guess.set_rank(name, len(shapes[name]))
        for axis, size in zip(guess.axes[name], shapes[name], strict=True):
            if size == 1:
                guess.bound[axis] = 1
    for _ in range(MAXIMAL_ROUNDS):
        error = guess.attempt(program, guess.primes())
        if error is None:
            break
        if not guess.learn(error, guess.primes()):
            raise error
    sizes = guess.primes()
    letters = iter(letter for letter in SIZE_NAMES if letter not in names)
    called = {guess.root(axis): name for name, axis in guess.counts.items()}
    labels = {
        sizes[root]: called.get(root) or next(letters)
        for root in guess.roots()
        if root not in guess.bound
    }
    counts = {name: sizes[guess.root(axis)] for name, axis in guess.counts.items()}
    return guess.shapes(sizes), counts, labels


def _cut_axis(result: object, trial: set[int]) -> ShapeError | None:
    """Return the clash of two unknown sizes where one axis is cut to the other, as `trace` does off the square."""
    if not isinstance(result, Node):
        return None
    for node in topological([result]):
        if isinstance(node, Select) and node.size != len(node.rows) and {node.size, len(node.rows)} <= trial:
            return ShapeError("one axis is cut to the length of another", sizes=(node.size, len(node.rows)))
    return None


def _primes() -> Iterator[int]:
    return (n for n in count(FIRST_PRIME, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))


@dataclass
class _Guess:
    """What is believed of the unknown axes: which are equal, and which have a size."""

    known: dict[str, Shape]
    statics: dict[str, int]
    names: list[str]
    axes: dict[str, list[int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    parent: dict[int, int] = field(default_factory=dict)
    bound: dict[int, int] = field(default_factory=dict)
    derived: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name in self.names:
            self.set_rank(name, 2 if name[0].isupper() else 1)

    def set_rank(self, name: str, rank: int) -> None:
        axes = self.axes.setdefault(name, [])
        while len(axes) < rank:
            axes.append(len(self.parent))
            self.parent[axes[-1]] = axes[-1]
        del axes[rank:]

    def root(self, axis: int) -> int:
        while self.parent[axis] != axis:
            axis = self.parent[axis]
        return axis

    def roots(self) -> list[int]:
        """Return the classes of equal axes in order of appearance."""
        axes = [axis for name in self.names for axis in (*self.axes[name], *self._count(name))]
        return list(dict.fromkeys(self.root(axis) for axis in axes))

    def _count(self, name: str) -> list[int]:
        return [self.counts[name]] if name in self.counts else []

    def primes(self) -> dict[int, int]:
        return {**dict(zip(self.roots(), _primes(), strict=False)), **self.bound}

    def small(self) -> dict[int, int]:
        free = [root for root in self.roots() if root not in self.bound]
        return {**dict(zip(free, count(SMALLEST_SIZE), strict=False)), **self.bound}

    def shapes(self, sizes: Mapping[int, int]) -> dict[str, Shape]:
        return {name: tuple(sizes[self.root(axis)] for axis in axes) for name, axes in self.axes.items()}

    def attempt(self, program: syntax.Program, sizes: Mapping[int, int]) -> ExpressionError | None:
        shapes = {**self.known, **self.shapes(sizes)}
        statics = {**self.statics, **{name: sizes[self.root(axis)] for name, axis in self.counts.items()}}
        environment = {name: Symbol.of(name, shape) for name, shape in shapes.items()}
        self._program = program
        try:
            result = Elaborator(environment, statics).run(program)
        except ExpressionError as error:
            return error
        return _cut_axis(result, set(sizes.values()) - set(self.bound.values()))

    def learn(self, error: ExpressionError, sizes: Mapping[int, int]) -> bool:
        """Change what is believed so that this error goes away; False where it teaches nothing."""
        if isinstance(error, StaticNameError) and error.name in self.axes and error.name not in self.counts:
            self.set_rank(error.name, 0)
            self.counts[error.name] = len(self.parent)
            self.parent[self.counts[error.name]] = self.counts[error.name]
            return True
        if isinstance(error, RankError):
            return self._learn_rank(error)
        if isinstance(error, ShapeError) and error.sizes:
            return self._learn_sizes(error.sizes, sizes)
        return False

    def _learn_rank(self, error: RankError) -> bool:
        place = error.operand or error.span
        if place is None:
            return False
        for node in syntax.walk(self._program):
            if isinstance(node, syntax.Name) and place[0] <= node.span[0] and node.span[1] <= place[1]:
                axes = self.axes.get(node.name)
                if axes is not None and len(axes) != error.needed:
                    self.set_rank(node.name, error.needed)
                    return True
        return False

    def _learn_sizes(self, clash: tuple[int, int], sizes: Mapping[int, int]) -> bool:
        owner = {size: root for root, size in sizes.items() if root not in self.bound}
        first, second = clash
        if first not in owner:
            first, second = second, first
        if first not in owner or first == second:
            return False
        if second in owner:
            self.parent[owner[second]] = owner[first]
        else:
            self.bound[owner[first]] = second
            if any(size > FIRST_PRIME and second % size == 0 for size in owner):
                self.derived.add(owner[first])
        return True

    def forget_derived(self) -> None:
        """Unbind sizes computed from trial sizes, to be learned again from the small ones."""
        for root in self.derived:
            self.bound.pop(root, None)
        self.derived.clear()
