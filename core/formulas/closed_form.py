"""Closed forms of derivatives: over lengths that have names, for any size, or for exactly the sizes at hand."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ...grammar.syntax import Name, Program, walk
from ...grammar.writer import write
from ..arrays import Array, Static, copied, same_static, statics
from ..differentiation.differentiate import derivative
from ..differentiation.opening import opened
from ..differentiation.projections import absorbed
from ..graph.nodes import Node, topological
from ..graph.sizes import Size, length, names_in, replace_lengths
from ..graph.transform import flatten
from ..notation.differences import with_differences
from ..notation.entries import literal
from ..notation.expand import expanded
from ..notation.formula import Notation
from ..notation.inverses import with_inverses
from ..notation.letters import Letters
from ..notation.naming import bare, named, uses
from ..notation.pairs import with_pairs
from ..notation.quotients import Way, ways_with_quotients
from ..notation.recognise import recognised
from ..notation.signs import with_sign_drawn
from ..notation.spread import with_spreads
from ..notation.symmetry import symmetrical
from ..notation.trees import Tree
from ..notation.trees import length as words
from ..notation.typed import Typed
from ..problems.calculation import Calculation
from ..problems.problem import DIRECTIONS, Problem, direction_name, tangent_name
from ..shapes import Shape
from .regular import Regular, has_regular

Kept: TypeAlias = "dict[int, Reading]"
"""Readings by the identity of their formulas, for whoever holds these."""


class ClosedForm(NamedTuple):
    """A derivative as a formula: `tree` is it in one piece, `program` and `text` with repeated parts named first.

    `sizes` gives the numbers that names of sizes stand for at the inputs asked about, `origins` where they come from;
    `problem` says what the formula takes for granted: assumptions and batch. What is `of_these_sizes` need not hold for
    others; what is `merged` need hold only where those lengths are equal that are equal here, what is
    `regular` where nothing is singular. The `condition` says where such a form holds: `X.shape[0] == X.shape[1]`.
    """

    tree: Tree
    program: Program
    text: str
    sizes: Mapping[str, int]
    problem: Problem
    origins: Mapping[str, str] = {}
    of_these_sizes: bool = False
    merged: bool = False
    regular: bool = False
    condition: str = ""

    def evaluate(self, values: Mapping[str, Array], kept: Kept | None = None) -> Array:
        """Return the formula's value, by parsing its text and elaborating it as if a user had typed it.

        `values` are those of the inputs, with the sample axis first for those in the batch.
        """
        calculation, numbers = self.read_again(values, kept)
        return calculation.derivative_program.run(numbers)[0]

    def read_again(self, values: Mapping[str, Array], kept: Kept | None = None) -> tuple[Calculation, dict[str, Array]]:
        """Return the text of the formula as a calculation of its own, and the values of its names.

        A reading that is `kept` serves for all values of the same shapes.
        """
        found = None if kept is None else kept.get(id(self))
        numbers = None if found is None else found.numbers(values)
        if found is None or numbers is None:
            found = self._reading(values)
            numbers = found.numbers(values)
            assert numbers is not None
            if kept is not None:
                kept[id(self)] = found
        return found.calculation, numbers

    def _reading(self, values: Mapping[str, Array]) -> Reading:
        asked = Problem.of(self.text, "value", printed=True)
        names = [name for name in asked.names if name not in self.sizes]
        shared = tuple(name for name in names if _counts_samples(self.problem, name))
        whole = self.problem.batch if self.problem.reduce else ()
        known = {name: words for name, words in self.problem.assumptions.items() if name in {*names} - {*whole}}
        asked = replace(asked, assumptions=known, batch=shared)
        keys = {name: direction_key(self.problem, name) for name in names}
        arrays = {name: values[key] for name, key in keys.items()}
        shapes = {name: array.shape[1:] if name in shared else array.shape for name, array in arrays.items()}
        samples = next((values[name].shape[0] for name in self.problem.per_sample), None)
        shapes |= dict.fromkeys(self.sizes, ())
        read = Noted({**statics(arrays), **self.sizes})
        calculation = Calculation(asked, shapes, samples=samples, statics=read)
        used = {name: copied(read[name]) for name in read.names & arrays.keys()}
        return Reading(calculation, keys, {name: array.shape for name, array in arrays.items()}, used, self.sizes)


class Noted(dict[str, Static]):
    """The values on which a program may depend, and the names of those that were asked for."""

    def __init__(self, values: Mapping[str, Static]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)

    def __getitem__(self, name: str) -> Static:
        self.names.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a name."""
        self.names.add(name)
        return super().get(name, default)


class Reading(NamedTuple):
    """The text of a formula as a calculation, and what it was made for: shapes, and the values on which it depends."""

    calculation: Calculation
    keys: Mapping[str, str]
    shapes: Mapping[str, Shape]
    statics: Mapping[str, Static]
    sizes: Mapping[str, int]

    def numbers(self, values: Mapping[str, Array]) -> dict[str, Array] | None:
        """Return the values of the names, None where they need another calculation."""
        arrays = {name: values[key] for name, key in self.keys.items()}
        if any(array.shape != self.shapes[name] for name, array in arrays.items()):
            return None
        if self.statics:
            found = statics({name: arrays[name] for name in self.statics})
            if not all(same_static(found.get(name), value) for name, value in self.statics.items()):
                return None
        return arrays | {name: np.array(float(size)) for name, size in self.sizes.items()}


def direction_key(problem: Problem, name: str) -> str:
    """Return the key of a value: the direction of a jvp, vjp or hvp is called `tangent` or `cotangent` in formulas."""
    if problem.kind in DIRECTIONS and name == direction_name(problem):
        return tangent_name(problem.wrt[0])
    return name


def _counts_samples(problem: Problem, name: str) -> bool:
    """Whether a name in a formula has the sample axis in front."""
    if direction_key(problem, name) == name:
        return name in problem.per_sample
    return bool(problem.per_sample) and (problem.kind == "vjp" or problem.wrt[0] in problem.per_sample)


def _one_by_one(problem: Problem, calculation: Calculation) -> list[Problem]:
    """Return the problem of each derivative: where each has a direction of its own, by its variable alone."""
    if problem.kind not in DIRECTIONS:
        return [problem] * max(1, len(calculation.results))
    return [replace(problem, wrt=wrt) for wrt, _ in calculation.results]


def generic_forms(problem: Problem, calculation: Calculation, *, regular: bool = False) -> list[ClosedForm]:
    """Return the closed form of each derivative for all sizes, or of the value where no derivative is asked for.

    Example: for the gradient of `x.T @ A @ x` it is `(A + A.T) @ x`. Lengths are named where the formula needs them.
    Those that are `regular` hold under a condition: `det(X)*inv(X).T` where `det(X) != 0`; empty where these are the
    same as the others.
    """
    general, lengths = calculation.general or (calculation, {})
    return _read(problem, general, lengths, regular)


def merged_forms(problem: Problem, calculation: Calculation, *, regular: bool = False) -> list[ClosedForm]:
    """Return closed forms for all sizes at which those lengths are equal that are equal here.

    They may say less: `sign(det(X))*cofactor(X)` for a matrix that need not be square, and is. Empty where no two
    lengths are equal, and `regular` as those for all sizes.
    """
    general, lengths = calculation.general or (calculation, {})
    if len({*lengths.values()}) == len(lengths):
        return []
    condition = _equalities(origins_of(general, lengths), lengths)
    found, lengths = merged(calculation)
    forms = _read(problem, found, lengths, regular)
    return [form._replace(merged=True, condition=_both(condition, form.condition)) for form in forms]


def _read(problem: Problem, calculation: Calculation, lengths: Mapping[str, int], regular: bool) -> list[ClosedForm]:
    """Return closed forms as readers know them; regular ones only where that is another form."""
    if not regular:
        return _written(problem, calculation, _readable(calculation), lengths)
    if not has_regular(node for _, node in calculation.results):
        return []
    form_of = Regular(set(topological([calculation.original])))
    roots = _readable(calculation, form_of)
    if not form_of.found:
        return []
    condition = _both(*form_of.conditions)
    forms = _written(problem, calculation, roots, lengths)
    return [form._replace(regular=True, condition=_both(form.condition, condition)) for form in forms]


def _both(*conditions: str) -> str:
    return " and ".join(filter(None, conditions))


def _equalities(origins: Mapping[str, str], lengths: Mapping[str, int]) -> str:
    """Return which lengths are equal here: `X.shape[0] == X.shape[1]`."""
    groups = [[origins[name] for name in origins if lengths[name] == size] for size in dict.fromkeys(lengths.values())]
    return " and ".join(" == ".join(group) for group in groups if group[1:])


def merged(calculation: Calculation) -> tuple[Calculation, Mapping[str, int]]:
    """Return a calculation for all sizes at which those lengths are equal that are equal here, and the lengths."""
    general, lengths = calculation.general or (calculation, {})
    first = {size: name for name, size in reversed(list(lengths.items()))}
    same = {name: length(first[size]) for name, size in lengths.items()}
    return _at(general, same), {name: size for size, name in first.items()}


def _at(calculation: Calculation, lengths: Mapping[str, int]) -> Calculation:
    """Return a calculation with other lengths in place of some that it names."""

    def at(size: int) -> int:
        return replace_lengths(size, lengths)

    shapes = {name: tuple(map(at, shape)) for name, shape in calculation.shapes.items()}
    statics = {name: at(size) if isinstance(size, Size) else size for name, size in calculation.statics.items()}
    samples = None if calculation.reduced is None else at(calculation.reduced)
    return Calculation(calculation.problem, shapes, samples=samples, statics=statics, fixed=calculation.fixed)


def _written(
    problem: Problem,
    calculation: Calculation,
    roots: list[Node],
    actual: Mapping[str, int],
    *,
    of_these_sizes: bool = False,
    by_entries: bool = False,
    plain: bool = False,
) -> list[ClosedForm]:
    roots, notation = _with_notation(problem, calculation, roots)
    ways = [Way(notation, roots), *([] if plain else ways_with_quotients(notation, roots, calculation.output))]
    shapes = {name: symbol.shape for name, symbol in calculation.symbols.items()}
    sizes = {name: length(name) for name in actual if name not in shapes}
    forms = []
    for place, asked in enumerate(_one_by_one(problem, calculation)):
        found = []
        for own, graphs, wanted, times, worth in ways:
            whole = literal(own, graphs[place]) if by_entries else None
            tree = bare(whole or _tree(own, calculation, graphs[place]), problem.names)
            program = named(tree, Letters([*problem.names, *actual], shapes, sizes), wanted)
            program = replace(program, result=with_sign_drawn(program.result))
            if wanted is None or uses(tree, wanted) >= times:
                found.append((words(program) - worth, tree, program))
        _, tree, program = min(found, key=lambda form: form[0])
        used = {node.name for node in walk(program) if isinstance(node, Name)} if actual else set()
        here = {name: size for name, size in actual.items() if name in used}
        forms.append(
            ClosedForm(
                tree,
                program,
                write(program),
                here,
                asked,
                origins_of(calculation, here),
                of_these_sizes,
                condition=_shapes(calculation) if of_these_sizes else _both(*calculation.fixed),
            )
        )
    return forms


def _tree(notation: Notation, calculation: Calculation, root: Node) -> Tree:
    return notation.map_tree(root) if _maps_vectors(calculation, root) else notation.tree(root)


def _maps_vectors(calculation: Calculation, root: Node) -> bool:
    """Whether a derivative is a Jacobian of a vector by a vector, or a Hessian by vectors."""
    twice = all(len(wrt) == 2 for wrt, _ in calculation.results)
    return root.rank == 2 and bool(calculation.results) and (len(calculation.shape) == 1 or twice)


def origins_of(calculation: Calculation, names: Container[str]) -> dict[str, str]:
    """Return where each length of a general calculation comes from, as `X.shape[0]`."""
    origins: dict[str, str] = {}
    for name, symbol in calculation.symbols.items():
        for axis, size in enumerate(symbol.shape):
            if str(size) in names and str(size) not in calculation.symbols:
                origins.setdefault(str(size), f"{name}.shape[{axis}]")
    return origins


def sized_forms(problem: Problem, calculation: Calculation) -> list[ClosedForm]:
    """Return closed forms for exactly these sizes."""
    return _written(problem, calculation, _readable(calculation), {}, of_these_sizes=True)


def literal_forms(problem: Problem, calculation: Calculation) -> list[ClosedForm]:
    """Return closed forms for as many numbers as there are here, those of few as literals of their entries."""
    general, lengths = calculation.general or (calculation, {})
    counted = names_in(size for _, node in general.results for size in node.shape)
    left = {name: size for name, size in lengths.items() if name not in counted}
    found = _at(general, {name: lengths[name] for name in counted}) if left else calculation
    return _written(problem, found, _readable(found), left, of_these_sizes=True, by_entries=True)


def exact_forms(problem: Problem, calculation: Calculation) -> list[ClosedForm]:
    """Return closed forms for exactly these sizes, with nothing rewritten for the reader."""
    return _written(problem, calculation, flatten(_roots(calculation)), {}, of_these_sizes=True, plain=True)


def _roots(calculation: Calculation) -> list[Node]:
    """Return the graphs of the derivatives as the numbers are computed, or of the value."""
    return [node for _, node in calculation.results] or [calculation.output]


def _shapes(calculation: Calculation) -> str:
    """Return the shapes of the inputs in words: `X.shape == (3, 4)`."""
    return " and ".join(filter(None, (_shape(name, symbol.shape) for name, symbol in calculation.symbols.items())))


def _shape(name: str, shape: Shape) -> str:
    """Return what the shape of an input must be: `X.shape == (3, 4)`, `X.shape[1] == 3` where another is free."""
    if any(isinstance(size, Size) for size in shape):
        counted = ((axis, size) for axis, size in enumerate(shape) if not isinstance(size, Size))
        return _both(*(f"{name}.shape[{axis}] == {size}" for axis, size in counted))
    return f"{name}.shape == {tuple(shape)}"


def _step_by_step(calculation: Calculation, regular: Regular | None) -> list[Node]:
    """Return the derivatives, of a value opened for reading, with patterns recognised between the orders."""
    if calculation.parts or not calculation.results:
        return _roots(calculation)
    value = opened(calculation.output)
    if calculation.problem.kind not in ("hessian", "derivative"):
        if value is calculation.output:
            return _roots(calculation)
        return [calculation.derived(value, wrt) for wrt, _ in calculation.results]
    roots = []
    for wrt, _ in calculation.results:
        start = value
        for name in wrt:
            plain = absorbed([derivative(start, calculation.symbols[name])])
            flat = flatten(plain)
            found = recognised(flat)
            if regular is not None:
                found = regular(found, last=False)
            # Where there is nothing to recognise in the first derivative, the second is that of the numbers.
            start = (plain if found == flat and start is calculation.output else found)[0]
        roots += found
    return roots


def _readable(calculation: Calculation, regular: Regular | None = None) -> list[Node]:
    roots = _step_by_step(calculation, regular)
    if regular is not None:
        roots = regular(roots, last=True)
        if not regular.found:
            return roots
    familiar = set(topological([calculation.original]))
    known = flatten(expanded(with_inverses(recognised(flatten(expanded(roots, familiar)))), familiar))
    found = with_spreads(known, familiar)
    twice = [len(wrt) > 1 and wrt[-1] == wrt[-2] for wrt, _ in calculation.results]
    if not any(twice):
        return found
    halves = [calculation.variables[wrt[-1]].rank for wrt, _ in calculation.results]
    whole = zip(found, halves, twice, strict=True)
    return [symmetrical(node, half) if same else node for node, half, same in whole]


def _with_notation(problem: Problem, calculation: Calculation, roots: list[Node]) -> tuple[list[Node], Notation]:
    """Return graphs with the sums of slices in them as matrices, and the notation that writes these."""
    spoken = {tangent_name(name): direction_name(problem) for name in problem.wrt}
    typed = Typed(problem.names, calculation.sums)
    # A sum that holds an identity is distributed where it was multiplied, and is known as it was written.
    familiar = {*topological([calculation.original]), *calculation.sums}
    typed.read(lambda nodes: with_spreads(flatten(recognised(flatten(nodes))), familiar))
    known = [calculation.original, opened(calculation.original)]
    roots, meanings = with_differences(roots, topological(known), typed)
    if calculation.results:
        roots, laplacians = with_pairs(roots)
        meanings |= laplacians
    return roots, Notation(spoken, familiar, typed, meanings)
