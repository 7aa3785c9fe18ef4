"""What a derivative means once it is there: its structure in words, its conventions, how the differential reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from ...grammar import syntax
from ...grammar.advice import Command, Setting, Text, advise
from ...grammar.parser import parse
from ...grammar.rewriting import filled
from ...grammar.syntax import Binary, Call, Name, Number
from ...grammar.writer import write
from ..arrays import Array
from ..differentiation.differentiate import derivative
from ..differentiation.stabilise import stabilized
from ..graph.algebra import is_zero
from ..graph.nodes import Apply, Map, Node, Symbol, topological
from ..graph.structure import structure_of
from ..notation.formula import Notation
from ..notation.naming import bare
from ..notation.trees import transposed
from ..shapes import Shape, show
from .reading import Reader

Evaluate: TypeAlias = "Callable[[list[Node]], list[Array] | None]"
SHORT = 20


def structure_in_words(
    text: str, output: Node, variable: Symbol, evaluated: Evaluate
) -> tuple[str | None, Sequence[Text]]:
    """Return the structure of a derivative, None where it has none, and what it means.

    Example: for `exp(x)` it is diagonal: each entry of the output depends on one entry of x.
    """
    name, jacobian = variable.name, derivative(output, variable)
    found = structure_of(jacobian, output.rank)
    if found == "zero":
        return found, [f"the derivative is zero: the expression does not change with `{name}`"]
    if output.shape:
        found = found or _seen_structure(jacobian, output.rank, evaluated)
        return found, [_meaning(found, text, name)]
    return None, _second_order(jacobian, variable)


def _seen_structure(jacobian: Node, output_rank: int, evaluated: Evaluate) -> str | None:
    """Return the structure that the numbers show where the graph has no word for it."""
    found = evaluated([jacobian])
    if found is None or not found[0].size or np.all(found[0] != 0):
        return "dense"
    for first in range(output_rank):
        for second in range(output_rank, jacobian.rank):
            sizes = {jacobian.shape[first], jacobian.shape[second]}
            moved = np.moveaxis(found[0], (first, second), (0, 1))
            if len(sizes) == 1 and max(sizes) > 1 and not moved[~np.eye(max(sizes), dtype=bool)].any():
                return "block diagonal"
    return None


def _second_order(gradient: Node, variable: Symbol) -> list[Text]:
    """Say what the Hessian tells of a scalar expression."""
    hessian, name = derivative(gradient, variable), variable.name
    if is_zero(hessian):
        kinked = any(isinstance(n, Map | Apply) and n.operator.kink for n in topological([gradient]))
        linear = f"the gradient does not depend on `{name}`: the expression is linear in it"
        between = f"the Hessian is zero: between its kinks the expression is linear in `{name}`"
        return [between if kinked or variable in topological([gradient]) else linear]
    found = structure_of(hessian, variable.rank)
    lines: list[Text] = []
    if variable not in topological([hessian]):
        lines.append(f"the Hessian does not depend on `{name}`: the expression is quadratic in it")
    if found in ("identity", "diagonal") and variable.rank:
        lines.append(f"the Hessian is diagonal: each entry of `{name}` has a term of its own (separable)")
    elif variable.rank:
        kind = f"{found.replace('kronecker', 'a Kronecker product')} and " if found else ""
        lines.append(f"the Hessian is {kind}symmetric: the order of two derivatives does not matter")
    return lines


def conventions(reader: Reader, output: Node, variable: Symbol) -> Iterator[str]:
    """Yield the conventions that the derivative rests on."""
    name = variable.name
    if "independent" in variable.assumptions:
        yield (
            f"`{name}` is symmetric, and each pair of its entries is one variable: G + G.T - diag(diag(G)), with "
            "off-diagonal entries doubled"
        )
    elif variable.symmetric:
        yield (
            f"`{name}` is symmetric: the derivative is that of f((X + X.T)/2), symmetric itself, with "
            "off-diagonal entries not counted twice"
        )
    elif variable.rank == 2 and not output.shape:
        yield f"the gradient has the shape of `{name}`: entry [i, j] is the derivative by {name}[i, j]"
    elif output.shape and variable.shape:
        yield f"the axes of the Jacobian: those of the output ({show(output.shape)}), then those of `{name}`"
    yield from _kinks(reader, output, variable)


def _kinks(reader: Reader, output: Node, variable: Symbol) -> Iterator[str]:
    """Yield where the derivative is a choice, in the words of the expression."""
    typed = {stabilized([graph])[0]: tree for graph, tree in reader.typed.items()} | reader.typed
    for node in topological([output]):
        operator = node.operator if isinstance(node, Map | Apply) else None
        if operator is not None and operator.kink and variable in topological([node]):
            written = typed.get(node) or bare(Notation().tree(node), ())
            operands = [typed.get(child) or bare(Notation().tree(child), ()) for child in node.children]
            if isinstance(written, Binary):  # a number beside an array is typed as a number
                operands = [written.left, written.right]
            values = dict(zip(operator.operands, operands, strict=False)) | {"y": written}
            condition = parse(operator.kink).result
            where = ""
            if len(operator.kink) <= SHORT:
                where = f" where {write(filled(condition, values))}"
            yield f"`{write(written)}` has a kink{where}: {operator.at_kink}"


def _meaning(structure: str | None, text: str, name: str) -> Text:
    match structure:
        case "identity":
            return f"identity: each entry of the output is the same entry of `{name}`, plus what does not change"
        case "diagonal":
            return advise(
                f"diagonal: each entry of the output depends on one entry of `{name}`, so the vector-Jacobian product "
                "with ones is the diagonal: ",
                Command("vjp", text, (name,), (Setting("cotangent", "ones"),)),
            )
        case "block diagonal":
            return (
                f"block diagonal: the axes that output and `{name}` share are not mixed, so each block can be computed "
                "by itself"
            )
        case "kronecker":
            return "a Kronecker product: flattened it is kron(P, Q) of two small matrices, and never has to be formed"
        case "dense":
            return f"dense: in general each entry of the output depends on every entry of `{name}`"
    return f"partly zero: not every entry of the output depends on every entry of `{name}`"


def collected(formula: syntax.Node, name: str, output: Shape, variable: Shape) -> syntax.Node:
    """Return the differential with the derivative drawn out: `(G).T @ dx`, `trace(G.T @ dX)`, `J @ dx`."""
    moved = Name(f"d{name}")
    match output, variable:
        case (_, ()):
            return Binary("*", formula, moved)
        case ((), (_,)):
            return Binary("@", transposed(formula), moved)
        case ((), (_, _)):
            return Call("trace", (Binary("@", transposed(formula), moved),))
        case ((), _):
            return Call("sum", (Binary("*", formula, moved),))
        case (_, (_,)):
            return Binary("@", formula, moved)
    return Call("tensordot", (formula, moved, Number(str(len(variable)))))
