"""Where a derivative is published: the record of an identity that says the same up to names.

Example: the gradient of `trace(W @ W @ C)` is of the form of an identity for `trace(X @ X @ B)`. The names of the
record are exchanged for those of the expression, in every way that fits their axes; the graph must then be the same
object, and the published result must have the same values at random inputs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import permutations
from typing import Any, TypeAlias

from ...grammar.errors import SyntaxProblem
from ...grammar.parser import parse
from ...grammar.rewriting import filled, rewritten
from ...grammar.syntax import Binary, Call, Index, Name, Node, Number
from ...grammar.writer import write
from ..arrays import SAME_NUMBERS, Array, Static, relative_error, silent, statics
from ..differentiation.stabilise import stabilized
from ..elaboration.elaborate import Elaborator
from ..errors import ExpressionError
from ..evaluation.program import OperationFailed, compile_program
from ..graph import nodes
from ..graph.transform import flatten
from ..problems.answer import Answer
from ..problems.calculation import Calculation
from ..problems.compiler import Compiler
from ..problems.problem import Problem
from ..problems.sampling import draw, needs
from ..shapes import Shape

Record: TypeAlias = "Mapping[str, Any]"

CITED = ("grad", "jacobian", "hessian", "derivative")
KINDS = {"grad": 1, "jacobian": 1, "hessian": 2, "mixed": 2}
# What is written down for the tests alone: a rule of calculus, or an example in somebody's style.
UNPUBLISHED = ("seed", "calculus rule", "chain rule", "unit norm", "style of")
MOST_NAMES = 7


@cache
def identities() -> Sequence[Record]:
    """Return the published identities: an expression, by what it is differentiated, the result and its source."""
    text = files(__package__).joinpath("identities.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@silent
def sources(calculation: Calculation) -> list[tuple[str, ...]]:
    """Return for each derivative of a calculation where it is published; most have no source.

    Example: that of the gradient of `x.T @ A @ x` by x is `("Matrix Cookbook (81)",)`.
    """
    if calculation.parts or calculation.samples is not None:
        return [() for _ in calculation.results]
    values = _values(calculation)
    return [tuple(dict.fromkeys(_sources(calculation, wrt, result, values))) for wrt, result in calculation.results]


def cited(problem: Problem, answer: Answer) -> Answer:
    """Return an answer whose results say where they are published."""
    values = {name: item.value for name, item in answer.inputs.items()}
    shapes = {name: value.shape[1:] if name in problem.batch else value.shape for name, value in values.items()}
    known = sources_of(problem, shapes, statics(values))
    results = [result._replace(sources=found) for result, found in zip(answer.results, known, strict=True)]
    return answer._replace(results=results)


def sources_of(problem: Problem, shapes: Mapping[str, Shape], known: Mapping[str, Static]) -> list[tuple[str, ...]]:
    """Return for each derivative of a problem where it is published, of one sample where there is a batch."""
    found = Compiler(problem.of_one_sample).find(shapes, known).calculation
    return sources(found) if problem.kind in CITED else [() for _ in problem.requests]


def _values(calculation: Calculation) -> dict[str, Array]:
    demands = needs([calculation.original], general=True)
    assumed = calculation.problem.assumptions
    return {
        name: draw(name, symbol.shape, "normal", 2, {*assumed.get(name, ()), *demands.get(name, ())})
        for name, symbol in calculation.symbols.items()
    }


def _sources(
    calculation: Calculation, wrt: tuple[str, ...], result: nodes.Node, values: Mapping[str, Array]
) -> Iterator[str]:
    asked = {_normal(graph) for graph in (calculation.original, _in_plain_words(calculation)) if graph is not None}
    for record in identities():
        if any(word in record["source"] for word in UNPUBLISHED) or "convention" in record:
            continue
        for named in _renamings(record, wrt, calculation):
            graph = _graph(record["expr"], named, calculation)
            if graph is None or _normal(graph) not in asked:
                continue
            published = _graph(record["closed_form"], named, calculation, _lengths(record, named, calculation))
            if published is not None and _have_one_value(published, result, values):
                yield short(record["source"])
                break


def _normal(graph: nodes.Node) -> nodes.Node:
    """Return a graph in the form that all ways to write it have: brackets and recognised functions do not count."""
    return flatten(stabilized([graph]))[0]


def _renamings(record: Record, wrt: tuple[str, ...], calculation: Calculation) -> Iterator[dict[str, Node]]:
    """Yield the ways to put the names of a calculation in the place of those of a record."""
    by = tuple(record["wrt"])
    by = by * 2 if record["kind"] == "hessian" and len(by) == 1 else by
    ranks = {name: len(variable["shape"]) for name, variable in record["vars"].items()}
    ours = {name: symbol.rank for name, symbol in calculation.symbols.items()}
    if KINDS.get(record["kind"]) != len(wrt) or len(by) != len(wrt) or sorted(ranks.values()) != sorted(ours.values()):
        return
    if len(ours) > MOST_NAMES:
        return
    fixed = dict(zip(by, wrt, strict=True))
    rest = [name for name in ranks if name not in fixed]
    free = [name for name in ours if name not in fixed.values()]
    if len(rest) != len(free) or any(ranks[theirs] != ours[own] for theirs, own in fixed.items()):
        return
    for order in permutations(free):
        if all(ranks[theirs] == ours[own] for theirs, own in zip(rest, order, strict=True)):
            yield {theirs: Name(own) for theirs, own in (fixed | dict(zip(rest, order, strict=True))).items()}


def _in_plain_words(calculation: Calculation) -> nodes.Node | None:
    """Return the expression with inverses for solutions, and determinants as books write them."""
    program = calculation.problem.program
    if program.assignments:
        return None
    tree = rewritten(program.result, _plain)
    return None if tree == program.result else _graph(write(tree), {}, calculation)


def _plain(node: Node) -> Node | None:
    match node:
        case Binary("@", left, Call("solve", (A, b), ())):  # what follows an inverse is no part of it: u' A^-1 b
            before = Binary("@", rewritten(left, _plain), Call("inv", (rewritten(A, _plain),)))
            return Binary("@", before, rewritten(b, _plain))
        case Call("solve", (A, b), ()):
            return Binary("@", Call("inv", (rewritten(A, _plain),)), rewritten(b, _plain))
        case Call("log", (Call("abs", (Call("det", (X,)),)),)) | Index(Call("slogdet", (X,)), (Number("1"),)):
            return Call("logdet", (rewritten(X, _plain),))
    return None


def _lengths(record: Record, named: Mapping[str, Node], calculation: Calculation) -> dict[str, str]:
    """Return which length stands here for each length of a record: the 4 of its `eye(4)`."""
    pairs = {
        (str(theirs), str(ours))
        for name, own in named.items()
        if isinstance(own, Name)
        for theirs, ours in zip(record["vars"][name]["shape"], calculation.symbols[own.name].shape, strict=True)
    }
    return dict(pairs) if len({theirs for theirs, _ in pairs}) == len(pairs) else {}


def _graph(
    text: str, named: Mapping[str, Node], calculation: Calculation, lengths: Mapping[str, str] | None = None
) -> nodes.Node | None:
    """Return an expression of a record over the inputs of a calculation, None where it does not fit them."""

    def resized(node: Node) -> Node | None:
        match node:
            case Call("eye" | "ones" | "zeros" as name, (size,)) if lengths:
                sized = rewritten(size, lambda item: _length(item, lengths or {}))
                return Call(name, (sized,))
        return None

    try:
        elaborator = Elaborator(dict(calculation.symbols), calculation.statics)
        tree = rewritten(filled(parse(text).result, named), resized)
        return elaborator.tensor(elaborator.visit(tree), (0, 0))
    except (ExpressionError, SyntaxProblem):
        return None


def _length(node: Node, lengths: Mapping[str, str]) -> Node | None:
    return Number(lengths[node.text]) if isinstance(node, Number) and node.text in lengths else None


def _have_one_value(published: nodes.Node, result: nodes.Node, values: Mapping[str, Array]) -> bool:
    try:
        found, wanted = compile_program(flatten([published, result])).run(values)
    except (OperationFailed, ValueError):
        return False
    return found.shape == wanted.shape and relative_error(found, wanted) <= SAME_NUMBERS


def short(source: str) -> str:
    """Return a source as it is cited: `Matrix Cookbook (81)` for the equation of that number."""
    match = re.fullmatch(r"Petersen & Pedersen, The Matrix Cookbook \([\d-]+\), eqs? (.+)", source)
    return f"Matrix Cookbook ({match[1]})" if match else source
