"""A closed form as the matrix that a layout makes of a derivative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

from ...grammar.parser import parse
from ...grammar.rewriting import replaced
from ...grammar.syntax import Attribute, Name, Node, Program
from ...grammar.writer import write
from ..shapes import Shape


def laid_out(formula: str, groups: Sequence[Shape], layout: str, names: Sequence[str] = ()) -> str:
    """Return the formula of a derivative in a layout, as valid input.

    Example: `laid_out("A", [(3,), (4,)], "denominator") == "A.T"`. `groups` are the shapes of the output and of each
    variable. A matrix has a row for each entry of all but the last of them, or where it is `flat` of the output; a
    `denominator` is the transpose, and what is `flat` of a number is a vector. With the `names` of the variables the
    matrix is one for all sizes, and has `X.size` columns; without them it is one for these.
    """
    if layout == "generalized" or len(groups) < 2:
        return formula
    program = parse(formula)
    return write(replace(program, result=_matrix(program.result, groups, layout, names)))


def _matrix(tree: Node, groups: Sequence[Shape], layout: str, names: Sequence[str]) -> Node:
    shape = tuple(size for group in groups for size in group)
    first = groups[:1] if layout == "flat" else groups[:-1]
    rows = prod(prod(group) for group in first)
    columns = prod(shape) // rows
    if layout == "flat" and not (groups[0] and any(groups[1:])):
        return tree if len(shape) == 1 else _filled("ravel(F)", tree)
    if shape == (columns,):
        return _filled("F[:, None]" if layout == "denominator" else "F[None, :]", tree)
    across = list(zip(names, groups[1:], strict=False))[0 if layout == "flat" else -1 :]
    named = len(names) == len(groups) - 1 and all(not shape or name.isidentifier() for name, shape in across)
    sizes = "*".join(f"{name}.size" for name, shape in across if shape) or "1"
    target = f"-1, {sizes}" if named else f"{rows}, {columns}"
    matrix = tree if len(shape) == 2 and shape == (rows, columns) else _filled(f"reshape(F, ({target}))", tree)
    return Attribute(matrix, "T") if layout == "denominator" else matrix


def _filled(template: str, tree: Node) -> Node:
    found = replaced(parse(template), Name("F"), tree)
    assert isinstance(found, Program)
    return found.result
