"""Derivatives of three and four axes in the forms that people read: indices, a linear map, a Kronecker product.

The runnable form is einsum. From its pieces follow
- index notation, `dout[i,j]/dX[k,l] = A[i,k]*B[l,j]`;
- the Kronecker form of the matrix that maps vec(dX) to vec(dout), row-major (NumPy's ravel) or column-major (the
  textbooks' vec); a derivative that is no sum of Kronecker products has none.
The linear map `dX -> A @ dX @ B` is the formula of a pushforward and comes from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...grammar.rewriting import replaced
from ...grammar.syntax import Assignment, Binary, Call, Name, Program, String, Unary, children
from ...grammar.writer import write
from ..arrays import Static, silent
from ..graph.structure import INDEX_LETTERS
from ..notation.trees import Tree, call, negated, transposed
from ..problems.compiler import Compiler
from ..problems.problem import Problem
from ..shapes import Shape
from .verified import closed_forms


@dataclass(frozen=True)
class Forms:
    """The forms of one derivative; those that it does not have are None.

    `formula` is valid input; `sizes` gives the sizes that it names, and `origins` says where they come from. With a
    `condition` it need hold for those sizes alone.
    """

    formula: str
    sizes: Mapping[str, int]
    origins: Mapping[str, str]
    index: str | None = None
    linear_map: str | None = None
    kronecker: str | None = None
    convention: str = ""
    condition: str = ""


@silent
def forms(
    problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, Static] | None = None, *, column: bool = False
) -> list[Forms]:
    """Return the forms of each derivative of a problem, or of its value where none is asked for.

    Example: the Jacobian of `A @ X @ B` by X is `einsum('ik,lj->ijkl', A, B)`, in indices `A[i,k]*B[l,j]`, as a map
    `dX -> A @ dX @ B`, as a matrix `kron(A, B.T)`. With `column`, vec stacks columns: `kron(B.T, A)`.
    """
    if not problem.requests:
        return [
            Forms(form.text, form.sizes, form.origins, condition=form.condition)
            for form in closed_forms(problem, shapes, statics)
        ]
    found = []
    asked = replace(problem.of_formula, kind="value", independent_entries=False)
    calculation = Compiler(asked).find(shapes, statics or {}).calculation
    for request, form in zip(problem.requests, closed_forms(problem, shapes, statics), strict=True):
        program = form.program
        ranks = (len(calculation.shape), *(calculation.variables[name].rank for name in request))
        rank = sum(ranks)
        found.append(
            Forms(
                formula=form.text,
                sizes=form.sizes,
                origins=form.origins,
                index=_index_form(program, request, ranks) if rank > 2 else None,
                linear_map=_linear_map(problem, request, shapes, statics) if rank > 2 else None,
                kronecker=_kronecker_form(program, ranks, column),
                convention="vec stacks columns" if column else "vec is row-major, as ravel",
                condition=form.condition,
            )
        )
    return found


def _with_names(assignments: tuple[Assignment, ...], text: str) -> str:
    return "; ".join([*(write(item) for item in assignments), text])


def _linear_map(
    problem: Problem, request: tuple[str, ...], shapes: Mapping[str, Shape], statics: Mapping[str, Static] | None
) -> str | None:
    """Return a first derivative as the map from dX to the change of the output."""
    if len(request) != 1:
        return None
    direction = f"d{request[0]}"
    if direction in problem.names:
        return None
    (form,) = closed_forms(pushforward(problem, request), shapes, statics)
    program = replaced(form.program, Name("tangent"), Name(direction))
    assert isinstance(program, Program)
    return _with_names(program.assignments, f"{direction} -> {write(program.result)}")


def pushforward(problem: Problem, request: tuple[str, ...]) -> Problem:
    """Return the problem whose formula is the linear map that a first derivative stands for."""
    return replace(problem.of_formula, kind="jvp", wrt=request, independent_entries=False)


# --- index notation --------------------------------------------------------------------------------------------------


def _index_form(program: Program, request: tuple[str, ...], ranks: tuple[int, ...]) -> str:
    letters = iter(INDEX_LETTERS)
    blocks = ["".join(next(letters) for _ in range(rank)) for rank in ranks]
    power = str(len(request)) if len(request) > 1 else ""
    named = zip(("out", *request), blocks, strict=True)
    above, *below = (f"{name}[{','.join(block)}]" if block else name for name, block in named)
    body = _indexed(program.result, "".join(blocks))
    return _with_names(program.assignments, f"d{power}{above}/{' '.join(f'd{one}' for one in below)} = {body}")


def _indexed(tree: Tree, letters: str) -> str:
    """Return an expression of several axes with its indices written out."""
    match tree:
        case Binary("+" | "-" as sign, left, right):
            return f"{_indexed(left, letters)} {sign} {_indexed(right, letters)}"
        case Unary("-", operand):
            return f"-{_factor(operand, letters)}"
        case Binary("*", left, right) if _has_axes(right):
            return f"{_scalar(left)}*{_factor(right, letters)}"
        case Binary("/", left, right) if _has_axes(left):
            return f"{_factor(left, letters)}/{_scalar(right)}"
        case Call("einsum", (String(subscripts), *operands)):
            return _einsum_indices(subscripts, operands, letters)
    text = write(tree)
    plain = isinstance(tree, Name | Call)
    return f"{text if plain else f'({text})'}[{','.join(letters)}]"


def _factor(tree: Tree, letters: str) -> str:
    text = _indexed(tree, letters)
    return f"({text})" if isinstance(tree, Binary) and tree.operator in "+-" else text


def _scalar(tree: Tree) -> str:
    text = write(tree)
    return f"({text})" if isinstance(tree, Binary) and tree.operator != "**" else text


def _has_axes(tree: Tree) -> bool:
    """Whether a tree is, or multiplies or adds, an einsum: the part of a term that carries the axes."""
    match tree:
        case Call(function):
            return function == "einsum"
        case Binary() | Unary():
            return any(map(_has_axes, children(tree)))
    return False


def _einsum_indices(subscripts: str, operands: list[Tree], letters: str) -> str:
    inputs, _, output = subscripts.partition("->")
    names = dict(zip(output, letters, strict=True))
    spare = iter(letter for letter in INDEX_LETTERS if letter not in letters)
    factors = []
    for operand, labels in zip(operands, inputs.split(","), strict=True):
        names |= {label: next(spare) for label in dict.fromkeys(labels) if label not in names}
        text = write(operand)
        if isinstance(operand, Call) and operand.function == "eye":
            text = "delta"
        elif not isinstance(operand, Name | Call):
            text = f"({text})"
        factors.append(f"{text}[{','.join(names[label] for label in labels)}]")
    summed = [names[label] for label in names if label not in output]
    return (f"sum_{''.join(summed)} " if summed else "") + "*".join(factors)


# --- Kronecker form --------------------------------------------------------------------------------------------------


def _kronecker_form(program: Program, ranks: tuple[int, ...], column: bool) -> str | None:
    tree = kronecker_tree(program.result, ranks, column=column)
    return None if tree is None else _with_names(program.assignments, write(tree))


def kronecker_tree(tree: Tree, ranks: tuple[int, ...], *, column: bool) -> Tree | None:
    """Return a derivative of four axes as the matrix that maps vec(dX) to vec(dF), None where that is no such sum.

    Example: for `einsum('ik,lj->ijkl', A, B)` it is `kron(A, B.T)`. `ranks` are those of the output and the variables.
    """
    two_by_two = sum(ranks) == 4 and len(ranks) < 4 and (ranks[0] or ranks[1]) == 2
    return _kronecker(tree, column) if two_by_two else None


def _kronecker(tree: Tree, column: bool) -> Tree | None:
    match tree:
        case Binary("+" | "-" as sign, left, right):
            first, second = _kronecker(left, column), _kronecker(right, column)
            return None if first is None or second is None else Binary(sign, first, second)
        case Unary("-", operand) if inner := _kronecker(operand, column):
            return negated(inner)
        case Binary("*", left, right) if not _has_axes(left) and (inner := _kronecker(right, column)):
            return Binary("*", left, inner)
        case Binary("/", left, right) if not _has_axes(right) and (inner := _kronecker(left, column)):
            return Binary("/", inner, right)
        case Call("einsum", (String(subscripts), first, second)):
            return _kronecker_pair(subscripts, first, second, column)
    return None


def _kronecker_pair(subscripts: str, first: Tree, second: Tree, column: bool) -> Tree | None:
    """Return two matrices over four axes as one: kron(P, Q) for P[i,k]*Q[j,l], an outer product for P[i,j]*Q[k,l]."""
    inputs, _, output = subscripts.partition("->")
    if len(output) != 4 or len(set(output)) != 4:
        return None
    i, j, k, m = list(output)
    operands = dict(zip(inputs.split(","), (first, second), strict=False))
    if len(operands) != 2:
        return None

    def matrix(row: str, column_: str) -> Tree | None:
        if row + column_ in operands:
            return operands[row + column_]
        return transposed(operands[column_ + row]) if column_ + row in operands else None

    left, right = matrix(i, k), matrix(j, m)
    if left is not None and right is not None:
        return call("kron", right, left) if column else call("kron", left, right)
    left, right = matrix(i, j), matrix(k, m)
    if left is not None and right is not None:
        flat = "vec" if column else "ravel"
        return call("outer", call(flat, left), call(flat, right))
    return None
