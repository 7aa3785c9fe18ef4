"""Shapes for names that have none: the expression is elaborated with trial sizes, and its shape errors teach.

Example: `A @ x + b` with nothing known, every axis a prime of its own:

    A 1009×1013, x 1019, b 1021     the product says that 1013 and 1019 are one size
    A 1009×1013, x 1013, b 1021     the sum says that 1009 and 1021 are one size
    A 1009×1013, x 1013, b 1009     all fits, and two sizes are left: A is 3×4, x 4 and b 3

The elaborator alone knows what fits; inference listens to it. Names in lower case start as vectors, names in upper
case as matrices, and change when an operator needs another number of axes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, count, islice, zip_longest
from math import isqrt

from ...grammar import syntax
from ..errors import ExpressionError, RankError, ShapeError, Span
from ..graph.nodes import Apply, Node, Product, Select, Symbol, topological
from ..shapes import MATRIX_ASSUMPTIONS, Shape
from .elaborate import Elaborator, StaticNameError, Value

SMALLEST_SIZE = 3
SPLITTABLE_SIZE = 6
LONGEST_SLICE = 20
FIRST_TRIAL_SIZE = 1009
# Two sizes this close differ by what was cut off or put on.
NEAR = 100
SIZE_NAMES = ("n", "m", "k", "l", "p", "q", "r", "s")

Sizes = Mapping[int, int]
Assumptions = Mapping[str, Iterable[str]]


def infer_shapes(
    program: syntax.Program,
    known: Mapping[str, Shape],
    unknown: Mapping[str, Span],
    statics: Mapping[str, int],
    assumptions: Assumptions | None = None,
) -> tuple[dict[str, Shape], dict[str, int]]:
    """Return shapes for the unknown names, and values for those of them that stand for sizes.

    Example: for `x.T @ A @ x` with nothing known, x is (3) and A is 3×3; with A known as 5×5, x is (5). A name that is
    assumed symmetric, diagonal or triangular is square.

    Raises ExpressionError where no shapes make the expression work, as seen with small sizes. Where nothing is
    unknown, nothing is tried: the elaboration over the known shapes tells whether they fit.
    """
    if not unknown:
        return {}, {}
    guess = _Guess(program, dict(known), dict(statics), list(unknown), assumptions or {})
    guess.settle(guess.primes)
    guess.forget_derived()
    guess.settle(guess.small)
    guess.guess_derived()
    guess.settle(guess.small)
    guess.avoid_singular()
    failure = guess.attempt(guess.small())
    if isinstance(failure, ShapeError | StaticNameError):
        raise failure
    sizes = guess.small()
    return guess.shapes(sizes), {name: sizes[guess.root(axis)] for name, axis in guess.counts.items()}


def trial_shapes(
    program: syntax.Program,
    shapes: Mapping[str, Shape],
    names: Mapping[str, Span],
    statics: Mapping[str, int],
    assumptions: Assumptions | None = None,
) -> tuple[dict[str, Shape], dict[str, int], dict[int, str]]:
    """Return shapes of the same ranks whose independent sizes are distinct primes, and a name for each such size.

    Example: for `A @ x` with A 3×4 they are A 1009×1013 and x 1013, with 1009 called n and 1013 called m. An axis of
    length one stays, as it may be there to be broadcast. Names used as sizes get their trial values too.

    Raises ExpressionError where the expression fits particular sizes only.
    """
    plain = {name: value for name, value in statics.items() if shapes.get(name)}
    guess = _Guess(program, {}, plain, list(names), assumptions or {})
    for name in names:
        guess.set_rank(name, len(shapes[name]))
        for axis, size in zip(guess.axes[name], shapes[name], strict=True):
            if size == 1:
                guess.bound[guess.root(axis)] = 1
    failure = guess.settle(guess.primes)
    if failure is not None:
        raise failure
    sizes = guess.primes()
    spellings = chain(SIZE_NAMES, (f"n{number}" for number in count(1)))
    letters = (letter for letter in spellings if letter not in names)
    called = {guess.root(axis): name for name, axis in guess.counts.items()}
    labels = {sizes[root]: called.get(root) or next(letters) for root in guess.roots() if root not in guess.bound}
    for root in guess.derived:
        if not _is_multiple(sizes[root], labels):
            raise ShapeError("a size has no name: it is computed from others")
    counts = {name: sizes[guess.root(axis)] for name, axis in guess.counts.items()}
    trial = guess.shapes(sizes)
    _require_agreement(trial, shapes)
    return trial, counts, labels


def _require_agreement(trial: Mapping[str, Shape], shapes: Mapping[str, Shape]) -> None:
    """Raise ExpressionError where the trial gives axes one size that differ in fact: `kron(y, x) @ vec(G)`."""
    real: dict[int, int] = {}
    for name, sizes in trial.items():
        for size, actual in zip(sizes, shapes[name], strict=True):
            if real.setdefault(size, actual) != actual:
                raise ExpressionError(f"other shapes than that of `{name}` were tried")


def _is_multiple(size: int, named: Iterable[int]) -> bool:
    """Whether a size is a product of named sizes and perhaps a small number."""
    rest = size
    for factor in named:
        while rest % factor == 0:
            rest //= factor
    return rest != size and rest < FIRST_TRIAL_SIZE // 2


@cache
def _primes(number: int) -> tuple[int, ...]:
    """Return so many primes, from the first trial size on."""
    candidates = (n for n in count(FIRST_TRIAL_SIZE, 2) if all(n % d for d in range(3, isqrt(n) + 1, 2)))
    return tuple(islice(candidates, number))


class _Listener(Elaborator):
    """Elaborates past operands that clash, so that one walk teaches many equalities."""

    def __init__(
        self, environment: Mapping[str, Value], statics: Mapping[str, int], heard: Callable[[tuple[int, int]], bool]
    ) -> None:
        super().__init__(environment, statics)
        self.heard = heard

    def mismatch(self, node: syntax.Binary, left: Node, right: Node, error: ShapeError) -> Node:
        """Return a stand-in of the shape that the result will have, if the clash taught something."""
        plain = left.rank <= 2 and right.rank <= 2 and not isinstance(error, RankError)
        if not plain or error.sizes is None or not self.heard(error.sizes):
            return super().mismatch(node, left, right, error)
        if node.operator == "@":
            return Symbol.of("", (*left.shape[:-1], *right.shape[1:]))
        pairs = zip_longest(reversed(left.shape), reversed(right.shape), fillvalue=1)
        return Symbol.of("", tuple(max(pair) for pair in pairs)[::-1])


@dataclass(eq=False)
class _Guess:
    """What is believed of the unknown axes: which are equal, and which have a size.

    `bound` are sizes that the expression demands, `derived` the axes whose size was computed from trial sizes, and
    `chosen` sizes that were picked freely.
    """

    program: syntax.Program
    known: dict[str, Shape]
    statics: dict[str, int]
    names: list[str]
    assumptions: Assumptions
    axes: dict[str, list[int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    parent: dict[int, int] = field(default_factory=dict)
    bound: dict[int, int] = field(default_factory=dict)
    derived: set[int] = field(default_factory=set)
    chosen: dict[int, int] = field(default_factory=dict)
    relearning: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ranks_tried: set[tuple[str, int]] = set()
        literals = (node for node in syntax.walk(self.program) if isinstance(node, syntax.Number))
        self._written = {int(node.text) for node in literals if node.text.isdigit()}
        self._written |= {size for shape in self.known.values() for size in shape} | set(self.statics.values())
        for name in self.names:
            square = not {*MATRIX_ASSUMPTIONS}.isdisjoint(self.assumptions.get(name, ()))
            self.set_rank(name, 2 if square or name[0].isupper() else 1)
            if square:
                first, second = self.axes[name]
                self.parent[second] = first

    # The axes.

    def set_rank(self, name: str, rank: int) -> None:
        axes = self.axes.setdefault(name, [])
        while len(axes) < rank:
            axes.append(self._new_axis())
        del axes[rank:]

    def _new_axis(self) -> int:
        axis = len(self.parent)
        self.parent[axis] = axis
        return axis

    def root(self, axis: int) -> int:
        while self.parent[axis] != axis:
            self.parent[axis] = self.parent[self.parent[axis]]
            axis = self.parent[axis]
        return axis

    def roots(self) -> list[int]:
        """Return the classes of equal axes in order of appearance."""
        axes = [axis for name in self.names for axis in (*self.axes[name], *self._count(name))]
        return list(dict.fromkeys(self.root(axis) for axis in axes))

    def _count(self, name: str) -> list[int]:
        return [self.counts[name]] if name in self.counts else []

    # Sizes for them.

    def primes(self) -> dict[int, int]:
        roots = self.roots()
        return {**dict(zip(roots, _primes(len(roots)), strict=True)), **self.bound}

    def small(self) -> dict[int, int]:
        """Return small sizes; an axis that is to be learned again is still told apart by its prime."""
        sizes = {root: prime for root, prime in self.primes().items() if root in self.relearning}
        least = self._least_sizes()
        free = [root for root in self.roots() if root not in self.bound and root not in self.relearning]
        sizes |= {root: max(size, least.get(root, 0)) for root, size in zip(free, count(SMALLEST_SIZE), strict=False)}
        return {**sizes, **self.chosen, **self.bound}

    def _least_sizes(self) -> dict[int, int]:
        """Return how long each axis must be for the indices and slices that are written out."""
        least: dict[int, int] = {}
        for node in syntax.walk(self.program):
            if isinstance(node, syntax.Index) and isinstance(node.operand, syntax.Name):
                axes = self.axes.get(node.operand.name, [])
                for axis, item in zip(axes, node.items, strict=False):
                    if isinstance(item, syntax.Literal):
                        break
                    root = self.root(axis)
                    least[root] = max(_least_size(item), least.get(root, 0))
        return least

    def shapes(self, sizes: Sizes) -> dict[str, Shape]:
        return {name: tuple(sizes[self.root(axis)] for axis in axes) for name, axes in self.axes.items()}

    # Trying and learning.

    def settle(self, sizes: Callable[[], dict[int, int]]) -> ExpressionError | None:
        """Elaborate until nothing more is learned; return the error that is left."""
        error: ExpressionError | None = None
        for _ in range(50 + 4 * len(self.names)):
            now = sizes()
            self._learned = False
            error = self.attempt(now, listen=True)
            if error is not None and not self.learn(error, now) and not self._learned:
                return error
            if error is None and not self._learned:
                return None
        return error

    def attempt(self, sizes: Sizes, *, listen: bool = False) -> ExpressionError | None:
        shapes = {**self.known, **self.shapes(sizes)}
        statics = {**self.statics, **{name: sizes[self.root(axis)] for name, axis in self.counts.items()}}
        environment = {name: Symbol.of(name, shape) for name, shape in shapes.items()}
        owner = self._owner(sizes)
        elaborator = (
            _Listener(environment, statics, lambda clash: self._hear(clash, owner))
            if listen
            else Elaborator(environment, statics)
        )
        self.result: Value = None
        try:
            self.result = elaborator.run(self.program)
        except ExpressionError as error:
            return error
        return _cut_axis(self.result, {size for size in owner if size >= FIRST_TRIAL_SIZE})

    def _owner(self, sizes: Sizes) -> dict[int, int]:
        """Return the axis that a size stands for, where the size may still change."""
        free = {size: root for root, size in sizes.items() if root not in self.bound}
        return free | {size: root for root, size in sizes.items() if root in self.relearning}

    def _hear(self, clash: tuple[int, int], owner: Mapping[int, int]) -> bool:
        """Learn from a clash amid a walk; True if the two sizes are equal from now on."""
        roots = [self.root(owner[size]) if size in owner else None for size in clash]
        settled = [
            self.bound.get(root, size) if root is not None else size for root, size in zip(roots, clash, strict=True)
        ]
        if (roots[0] is not None and roots[0] == roots[1]) or settled[0] == settled[1]:
            return True
        heard = self._learn_sizes(clash, owner)
        self._learned |= heard
        return heard

    def learn(self, error: ExpressionError, sizes: Sizes) -> bool:
        """Change what is believed so that this error goes away; False where it teaches nothing."""
        if isinstance(error, StaticNameError) and error.name in self.axes and error.name not in self.counts:
            self.set_rank(error.name, 0)
            self.counts[error.name] = self._new_axis()
            return True
        if isinstance(error, RankError):
            return self._learn_rank(error)
        if isinstance(error, ShapeError) and error.sizes:
            return self._learn_sizes(error.sizes, self._owner(sizes))
        return False

    def _learn_rank(self, error: RankError) -> bool:
        place = error.operand or error.span
        if place is None:
            return False
        for node in syntax.walk(self.program):
            if isinstance(node, syntax.Name) and place[0] <= node.span[0] and node.span[1] <= place[1]:
                axes = self.axes.get(node.name)
                wish = (node.name, error.needed)
                if axes is not None and len(axes) != error.needed and wish not in self._ranks_tried:
                    self._ranks_tried.add(wish)
                    self.set_rank(*wish)
                    return True
        return False

    def _learn_sizes(self, clash: tuple[int, int], owner: Mapping[int, int]) -> bool:
        first, second = ((self.root(owner[size]), size) if size in owner else (None, size) for size in clash)
        for (root, _), (_, size) in ((first, second), (second, first)):
            if root in self.relearning:
                return self._relearn(root, size)
        roots = [root for root, _ in (first, second) if root is not None and root not in self.bound]
        if len(roots) == 2:
            self.parent[roots[1]] = roots[0]
            return roots[0] != roots[1]
        if not roots:
            return self._match_products(clash, owner) or self._match_difference(clash, owner)
        size = second[1] if roots[0] == first[0] else first[1]
        self.bound[roots[0]] = size
        if self._is_computed(size):
            self.derived.add(roots[0])
        return True

    def _is_computed(self, size: int) -> bool:
        return size >= FIRST_TRIAL_SIZE // 2 and size not in self._written

    def _relearn(self, root: int, size: int) -> bool:
        self.relearning[root] += 1
        if self.relearning[root] > 3:
            return False
        if self._is_computed(size) and root not in self.chosen:
            self.chosen[root] = SPLITTABLE_SIZE
        else:
            self.bound[root] = size
        return True

    def _match_products(self, clash: tuple[int, int], owner: Mapping[int, int]) -> bool:
        """Learn from a clash of numbers of entries, as of `reshape(A, (n, m))`: the factors are equal in order."""
        (left, left_rest), (right, right_rest) = (self._factors(size, owner) for size in clash)
        for root in [root for root in left if root in right]:
            if root in right:
                left.remove(root)
                right.remove(root)
        if not left:
            left, left_rest, right, right_rest = right, right_rest, left, left_rest
        if not left or left_rest != 1:
            return False
        if len(left) == len(right) and right_rest == 1:
            for first, second in zip(left, right, strict=True):
                self.parent[self.root(second)] = self.root(first)
            return True
        if len(left) != 2 or right or left[0] == left[1]:
            return False
        self.bound[left[0]] = max(d for d in range(1, isqrt(right_rest) + 1) if right_rest % d == 0)
        self.bound[left[1]] = right_rest // self.bound[left[0]]
        return True

    def _match_difference(self, clash: tuple[int, int], owner: Mapping[int, int]) -> bool:
        """Learn from a clash with a trial size that was shifted, as of `x[1:] - y` where y is known."""
        size, wanted = max(clash), min(clash)
        near = [trial for trial in owner if trial >= FIRST_TRIAL_SIZE and abs(size - trial) < NEAR]
        if len(near) != 1 or wanted + near[0] <= size:
            return False
        self.bound[self.root(owner[near[0]])] = wanted + near[0] - size
        return True

    def _factors(self, size: int, owner: Mapping[int, int]) -> tuple[list[int], int]:
        """Return the trial sizes that a number of entries is made of, as their axes, and what is left."""
        found: list[int] = []
        for factor, axis in owner.items():
            while factor >= FIRST_TRIAL_SIZE and size and size % factor == 0:
                size //= factor
                found.append(self.root(axis))
        return found, size

    # Sizes that were computed from trial sizes.

    def forget_derived(self) -> None:
        """Unbind sizes computed from trial sizes, to be learned again from the small ones."""
        for root in self.derived:
            self.bound.pop(root, None)
            self.relearning[root] = 0
        self.derived.clear()

    def guess_derived(self) -> None:
        """Choose a small size where the small sizes fitted without one."""
        for root in self.relearning:
            if root not in self.bound:
                self.chosen.setdefault(root, SPLITTABLE_SIZE)

    def avoid_singular(self) -> None:
        """Make X tall where `X.T @ X` is to be inverted: it has no inverse when X has fewer rows than columns."""
        sizes = self.small()
        if self.attempt(sizes) is not None or not isinstance(self.result, Node):
            return
        before = dict(self.chosen)
        owner = self._owner(sizes)
        for short, long in _singular_products(self.result):
            if short in owner and long in owner:
                self.chosen |= {owner[short]: long, owner[long]: short}
                break
        if self.chosen != before and self.attempt(self.small()) is not None:
            self.chosen = before


def _cut_axis(result: object, trial: set[int]) -> ShapeError | None:
    """Return the clash of two unknown sizes where one axis is cut to the other, as `trace` does off the square."""
    if not isinstance(result, Node):
        return None
    for node in topological([result]):
        if isinstance(node, Select) and node.size != len(node.rows) and {node.size, len(node.rows)} <= trial:
            return ShapeError("one axis is cut to the length of another", sizes=(node.size, len(node.rows)))
    return None


def _singular_products(result: Node) -> Iterator[tuple[int, int]]:
    """Yield the inner and outer size of each product of two matrices that is to be inverted and cannot be."""
    for node in topological([result]):
        inverts = isinstance(node, Apply) and (
            node.operator.name == "det" or not {"spd", "invertible"}.isdisjoint(node.operator.domain)
        )
        operand = node.children[0] if inverts else None
        if isinstance(operand, Product) and len(operand.children) == 2 and operand.rank == 2:
            inner = [size for label, size in operand.sizes.items() if label >= 2]
            if len(inner) == 1 and inner[0] < operand.shape[0]:
                yield inner[0], operand.shape[0]


def _least_size(item: syntax.Node) -> int:
    """Return how many entries an axis must have for an index or a slice to find what it names."""
    if isinstance(item, syntax.Slice):
        bounds = [part for part in (item.start, item.stop) if part is not None]
        sizes = [_least_size(part) - (part is item.stop and isinstance(part, syntax.Number)) for part in bounds]
        return min(max(sizes, default=0), LONGEST_SLICE)
    if isinstance(item, syntax.Number) and item.text.isdigit():
        return int(item.text) + 1
    if isinstance(item, syntax.Unary) and isinstance(item.operand, syntax.Number) and item.operand.text.isdigit():
        return int(item.operand.text)
    return 0
