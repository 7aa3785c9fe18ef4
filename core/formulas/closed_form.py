"""Closed forms of derivatives: over lengths that have names, for any size, or for exactly the sizes at hand."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...grammar.syntax import Name, Program, walk
from ...grammar.writer import write
from ..arrays import Array, statics
from ..differentiation.differentiate import derivative
from ..differentiation.projections import absorbed
from ..graph.nodes import Node, topological
from ..graph.sizes import Size, length, replace_lengths
from ..graph.transform import at_lengths, flatten
from ..notation.expand import expanded
from ..notation.formula import Notation
from ..notation.naming import bare, named
from ..notation.recognise import recognised
from ..notation.trees import Tree
from ..problems.calculation import Calculation
from ..problems.problem import DIRECTIONS, Problem, direction_name, tangent_name


class ClosedForm(NamedTuple):
    """A derivative as a formula: `tree` is it in one piece, `program` with repeated parts named first.

    `sizes` gives the numbers that names of sizes stand for at the inputs asked about, `origins` where they come from;
    `problem` says what the formula takes for granted: assumptions and batch. What is `of_these_sizes` need not hold for
    others; what is `merged` need hold only where those lengths are equal that are equal here. The `condition` says for
    which sizes such a form holds: `X.shape[0] == X.shape[1]`.
    """

    tree: Tree
    program: Program
    sizes: Mapping[str, int]
    problem: Problem
    origins: Mapping[str, str] = {}
    of_these_sizes: bool = False
    merged: bool = False
    condition: str = ""

    @property
    def text(self) -> str:
        """The formula as valid input."""
        return write(self.program)

    def evaluate(self, values: Mapping[str, Array]) -> Array:
        """Return the formula's value, by parsing its text and elaborating it as if a user had typed it.

        `values` are those of the inputs, with the sample axis first for those in the batch.
        """
        calculation, numbers = self.read_again(values)
        return calculation.derivative_program.run(numbers)[0]

    def read_again(self, values: Mapping[str, Array]) -> tuple[Calculation, dict[str, Array]]:
        """Return the text of the formula as a calculation of its own, and the values of its names."""
        asked = Problem.of(self.text, "value", printed=True)
        names = [name for name in asked.names if name not in self.sizes]
        shared = tuple(name for name in names if _counts_samples(self.problem, name))
        known = {name: words for name, words in self.problem.assumptions.items() if name in names}
        asked = replace(asked, assumptions=known, batch=shared)
        arrays = {name: values[direction_key(self.problem, name)] for name in names}
        shapes = {name: array.shape[1:] if name in shared else array.shape for name, array in arrays.items()}
        samples = next((values[name].shape[0] for name in self.problem.batch), None)
        shapes |= dict.fromkeys(self.sizes, ())
        calculation = Calculation(asked, shapes, samples=samples, statics={**statics(arrays), **self.sizes})
        numbers = {name: np.array(float(size)) for name, size in self.sizes.items()}
        return calculation, {**arrays, **numbers}


def direction_key(problem: Problem, name: str) -> str:
    """Return the key of a value: the direction of a jvp, vjp or hvp is called `tangent` or `cotangent` in formulas."""
    if problem.kind in DIRECTIONS and name == direction_name(problem):
        return tangent_name(problem.wrt[0])
    return name


def _counts_samples(problem: Problem, name: str) -> bool:
    """Whether a name in a formula has the sample axis in front."""
    if direction_key(problem, name) == name:
        return name in problem.batch
    return bool(problem.batch) and (problem.kind == "vjp" or problem.wrt[0] in problem.batch)


def _one_by_one(problem: Problem, calculation: Calculation) -> list[Problem]:
    """Return the problem of each derivative: where each has a direction of its own, by its variable alone."""
    if problem.kind not in DIRECTIONS:
        return [problem] * max(1, len(calculation.results))
    return [replace(problem, wrt=wrt) for wrt, _ in calculation.results]


def generic_forms(problem: Problem, calculation: Calculation) -> list[ClosedForm]:
    """Return the closed form of each derivative for all sizes, or of the value where no derivative is asked for.

    Example: for the gradient of `x.T @ A @ x` it is `(A + A.T) @ x`. Lengths are named where the formula needs them.
    """
    return _over_lengths(problem, *(calculation.general or (calculation, {})))


def merged_forms(problem: Problem, calculation: Calculation) -> list[ClosedForm]:
    """Return closed forms for all sizes at which those lengths are equal that are equal here.

    They may say less: `sign(det(X))*cofactor(X)` for a matrix that need not be square, and is. Empty where no two
    lengths are equal.
    """
    general, lengths = calculation.general or (calculation, {})
    if len({*lengths.values()}) == len(lengths):
        return []
    condition = _equalities(origins_of(general, lengths), lengths)
    found, lengths = merged(calculation)
    return [form._replace(merged=True, condition=condition) for form in _over_lengths(problem, found, lengths)]


def _equalities(origins: Mapping[str, str], lengths: Mapping[str, int]) -> str:
    """Return which lengths are equal here: `X.shape[0] == X.shape[1]`."""
    groups = [[origins[name] for name in origins if lengths[name] == size] for size in dict.fromkeys(lengths.values())]
    return " and ".join(" == ".join(group) for group in groups if group[1:])


def merged(calculation: Calculation) -> tuple[Calculation, Mapping[str, int]]:
    """Return a calculation for all sizes at which those lengths are equal that are equal here, and the lengths."""
    general, lengths = calculation.general or (calculation, {})
    first = {size: name for name, size in reversed(list(lengths.items()))}
    same = {name: length(first[size]) for name, size in lengths.items()}
    shapes = {name: at_lengths(symbol, same).shape for name, symbol in general.symbols.items()}
    counts = {name: replace_lengths(size, same) for name, size in general.statics.items() if isinstance(size, Size)}
    found = Calculation(general.problem, shapes, statics={**general.statics, **counts})
    return found, {name: size for size, name in first.items()}


def _over_lengths(problem: Problem, calculation: Calculation, actual: Mapping[str, int]) -> list[ClosedForm]:
    notation = _notation(problem, calculation)
    forms = []
    for root, asked in zip(_readable(calculation), _one_by_one(problem, calculation), strict=True):
        tree = bare(notation.tree(root), problem.names)
        program = named(tree, [*problem.names, *actual])
        used = {node.name for node in walk(program) if isinstance(node, Name)}
        here = {name: size for name, size in actual.items() if name in used}
        forms.append(ClosedForm(tree, program, here, asked, origins_of(calculation, here)))
    return forms


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
    return _of_sizes(problem, calculation, _readable(calculation))


def exact_forms(problem: Problem, calculation: Calculation) -> list[ClosedForm]:
    """Return closed forms for exactly these sizes, with nothing rewritten for the reader."""
    return _of_sizes(problem, calculation, flatten(_roots(calculation)))


def _roots(calculation: Calculation) -> list[Node]:
    return [node for _, node in calculation.results] or [calculation.output]


def _of_sizes(problem: Problem, calculation: Calculation, roots: list[Node]) -> list[ClosedForm]:
    notation = _notation(problem, calculation)
    trees = [bare(notation.tree(root), problem.names) for root in roots]
    return [
        ClosedForm(tree, named(tree, problem.names), {}, asked, of_these_sizes=True, condition=_shapes(calculation))
        for tree, asked in zip(trees, _one_by_one(problem, calculation), strict=True)
    ]


def _shapes(calculation: Calculation) -> str:
    """Return the shapes of the inputs in words: `X.shape == (3, 4)`."""
    return " and ".join(f"{name}.shape == {tuple(symbol.shape)}" for name, symbol in calculation.symbols.items())


def _step_by_step(calculation: Calculation) -> list[Node]:
    """Return the derivatives, with patterns recognised between one order and the next."""
    if calculation.problem.kind not in ("hessian", "derivative") or calculation.parts:
        return _roots(calculation)
    roots = []
    for wrt, _ in calculation.results:
        start = calculation.output
        for name in wrt:
            plain = absorbed([derivative(start, calculation.symbols[name])])
            flat = flatten(plain)
            found = recognised(flat)
            # Where there is nothing to recognise in the first derivative, the second is that of the numbers.
            start = (plain if found == flat and start is calculation.output else found)[0]
        roots += found
    return roots


def _readable(calculation: Calculation) -> list[Node]:
    roots = _step_by_step(calculation)
    familiar = set(topological([calculation.original]))
    return flatten(expanded(recognised(flatten(expanded(roots, familiar))), familiar))


def _notation(problem: Problem, calculation: Calculation) -> Notation:
    spoken = {tangent_name(name): direction_name(problem) for name in problem.wrt}
    return Notation(spoken, set(topological([calculation.original])))
