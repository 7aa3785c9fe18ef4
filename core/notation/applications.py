"""Operators that are applied, as the calls that a reader types: `solve(A, b)`, `max(X, axis=0)`, `eigh(S)[1]`."""

from __future__ import annotations

from ...grammar.parser import parse
from ...grammar.rewriting import filled
from ...grammar.syntax import Attribute, Index, Lambda, Local, Name, Number, String, TupleLiteral, walk
from ..elaboration.arguments import declaration
from ..graph.algebra import product, repeated_axes, without_axes
from ..graph.nodes import Apply, Function, Node, Product, Reshape, Structural
from ..graph.signatures import parse_axes
from .lengths import length_tree
from .structural import Writer
from .trees import Tree, call, number, spelled, transposed

SPOKEN = {"solve_vector": "solve", "solve_matrix": "solve", "euclidean_norm": "norm", "power_norm": "norm"}


def application(writer: Writer, node: Apply) -> Tree:
    """Return an operator that is applied to its operands as the call of it."""
    name = node.operator.name
    function = next((value for _, value in node.parameters if isinstance(value, Function)), None)
    if function is not None:
        return _with_function(writer, node, function)
    usual = declaration(node.operator.parameters).settings
    given = (pair for pair in node.parameters if pair[1] not in (None, False, usual.get(pair[0])))
    settings = {key: spelled(value) for key, value in given}
    if name == "nuclear_norm":
        return call("matrix_norm" if node.batch else "norm", writer.tree(node.children[0]), String("nuc"))
    if node.operator.written:
        return _written(writer, node)
    if node.operator.signature == "(n)->(n)" and "axis" in node.operator.parameters:
        return _along_axis(writer, node, settings)
    if node.operator.signature.startswith("(n)->") and "axis" in node.operator.parameters:
        return _reduction(writer, node, settings)
    if len(node.children) == 1 and node.operator.keeps_symmetry:
        inner = writer.tree(node.children[0])
        if isinstance(inner, Attribute) and not settings:
            return transposed(call(name, inner.operand))
    tree: Tree = call(SPOKEN.get(name, name), *map(writer.tree, _unrepeated(node)), **settings)
    if node.operator.signature.partition("->")[2].count("(") > 1:
        tree = Index(tree, (Number(str(node.output)),))
    return tree


def _written(writer: Writer, node: Apply) -> Tree:
    """Return what stands for a hidden operator, in terms of its operands and of the sizes in its signature."""
    axes = parse_axes(node.operator.signature.partition("->")[0])
    cores = [child.shape[node.batch :] for child in node.children]
    pairs = zip(sum(axes, ()), sum(cores, ()), strict=True)
    sizes = {name: length_tree(size) for name, size in pairs}
    operands = dict(zip(node.operator.operands, map(writer.tree, _unrepeated(node)), strict=True))
    return filled(parse(node.operator.written).result, {**sizes, **operands})


def _along_axis(writer: Writer, node: Apply, settings: dict[str, Tree]) -> Tree:
    """Return what keeps its shape along the last axis, for a transpose along the first of what is transposed."""
    operand, axes = reduced_operand(node)
    name = node.operator.name
    if operand.rank == node.rank == 2 and axes == (0,):
        return transposed(call(name, writer.tree(operand), axis=number(0), **settings))
    last = {"axis": number(node.rank - 1)} if node.rank > 1 else {}
    return call(name, writer.tree(node.children[0]), **last, **settings)


def _with_function(writer: Writer, node: Apply, function: Function) -> Tree:
    """Return a loop or a solution as `states(lambda h, x: tanh(W @ h + x), h0, X)`."""
    operands = [*map(writer.tree, node.children)]
    count = len(function.arguments) - sum(name.startswith("captured") for name in names_of(function))
    local, captured = names_of(function)[:count], names_of(function)[count:]
    given = operands[: len(operands) - len(captured)]
    meant = dict(zip(captured, operands[len(given) :], strict=True))
    taken = {item.name for tree in meant.values() for item in walk(tree) if isinstance(item, Name | Local)}
    own = [name.removeprefix("local ") for name in local]
    own = [name + "_" * next(k for k in range(len(taken) + 1) if name + "_" * k not in taken) for name in own]
    meant |= {name: Local(word) for name, word in zip(local, own, strict=True)}
    body = filled(writer.anew().tree(function.body), meant)
    return call(node.operator.name, Lambda(tuple(own), body), *given)


def _reduction(writer: Writer, node: Apply, settings: dict[str, Tree]) -> Tree:
    operand, axes = reduced_operand(node)
    name = SPOKEN.get(node.operator.name, node.operator.name)
    order = [settings.pop("ord")] if "ord" in settings else []
    if len(axes) != operand.rank:
        settings["axis"] = number(axes[0]) if len(axes) == 1 else TupleLiteral(tuple(map(number, axes)))
    # Over two axes a norm of an order is that of a matrix.
    if name == "norm" and len(axes) > (1 if order else 2) and (order or settings):
        name = "vector_norm"
    return call(name, writer.tree(operand), *order, **settings)


def names_of(function: Function) -> list[str]:
    """Return the names of the arguments of a function: `local h`, `captured 0`."""
    return [symbol.name for symbol in function.arguments]


def _unrepeated(node: Apply) -> list[Node]:
    """Return the operands without the batch axes along which they only repeat, where another operand has them all."""
    batch = set(range(node.batch))
    repeated = [batch <= repeated_axes(child) for child in node.children]
    if not batch or all(repeated) or not any(batch.isdisjoint(repeated_axes(child)) for child in node.children):
        return list(node.children)
    pairs = zip(node.children, repeated, strict=True)
    return [without_axes(child, tuple(range(node.batch, child.rank))) if same else child for child, same in pairs]


def reduced_operand(node: Apply) -> tuple[Node, tuple[int, ...]]:
    """Return what an operator along axes was applied to, before its axes were moved last and merged, and the axes."""
    (child,) = node.children
    last = child.rank - 1
    plain = (child, (last,))
    if not isinstance(child, Product) or child.coefficient != 1:
        return plain
    merging = [labels for operand, labels in child.factors if isinstance(operand, Reshape) and labels[0] == last]
    dense = [(operand, labels) for operand, labels in child.factors if not isinstance(operand, Reshape)]
    if len(dense) + len(merging) != len(child.children):
        return plain
    if len(dense) > 1 and len(merging) == 1:
        output = (*range(last), *merging[0][1:])
        if not {*output} <= {label for _, labels in dense for label in labels}:
            return plain
        dense = [(product(1, dense, output), output)]
    if len(dense) != 1:
        return plain
    operand, labels = dense[0]
    reduced = merging[0][1:] if merging else (last,)
    axes = tuple(axis for axis, label in enumerate(labels) if label in reduced)
    kept = [label for label in labels if label not in reduced]
    if len(set(labels)) != len(labels) or kept != list(range(last)) or isinstance(operand, Structural):
        return plain
    return operand, axes
