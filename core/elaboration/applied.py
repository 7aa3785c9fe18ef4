"""Operators with core axes as nodes: their leading axes are a batch, and settings name the axes that they go along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..graph.algebra import Factor, broadcast, fresh, product
from ..graph.nodes import Apply, Delta, Node, Reshape
from ..graph.operator import Operator
from ..graph.signatures import bind_signature
from ..shapes import normalize_axes

Value = Any
"""A graph node, or a Python value that is no tensor: int, str, bool, None, tuple, list, Ellipsis."""


def apply(operator: Operator, operands: Sequence[Node], settings: Mapping[str, Value]) -> Node | tuple[Node, ...]:
    """Return an applied operator: core axes by its signature, leading axes broadcast as batch."""
    batch, cores, outputs = bind_signature(operator.signature, [operand.shape for operand in operands], operator.name)
    inputs = operator.signature.split("->")[0].split("),(")
    spread = [
        broadcast(operand, (*batch, *operand.shape[operand.rank - _axes(core) :]))
        for operand, core in zip(operands, inputs, strict=True)
    ]
    parameters = tuple(sorted(settings.items()))
    results = tuple(
        Apply.of(operator, tuple(spread), (*batch, *core), parameters, len(batch), output)
        for output, core in enumerate(cores)
    )
    return results if outputs > 1 else results[0]


def _axes(core: str) -> int:
    return len([axis for axis in core.strip("()").split(",") if axis])


def over_axes(operator: Operator, x: Node, axis: Value, keepdims: bool = False, **settings: Value) -> Node:
    """Apply an operator on vectors along axes: they are moved last and merged, and put back where they survive."""
    axes = normalize_axes(axis, x.rank)
    kept = tuple(label for label in range(x.rank) if label not in axes)
    merged = axes[0] if len(axes) == 1 else fresh(1)[0]
    merging: list[Factor] = []
    if len(axes) != 1:
        merging = [(Reshape.of(tuple(x.shape[label] for label in axes)), (merged, *axes))]
    moved = product(1, [(x, tuple(range(x.rank))), *merging], (*kept, merged))
    result = apply(operator, [moved], settings)
    assert isinstance(result, Node)
    if result.rank == moved.rank:
        return product(1, [(result, (*kept, merged)), *merging], tuple(range(x.rank)))
    if not keepdims:
        return result
    ones = [(Delta.of(1, 1), (label,)) for label in axes]
    return product(1, [(result, kept), *ones], tuple(range(x.rank)))


def flat(values: Iterable[Value]) -> Iterator[Value]:
    """Yield what stands in lists and tuples."""
    for value in values:
        yield from flat(value) if isinstance(value, list | tuple) else (value,)
