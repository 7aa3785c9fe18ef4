r"""Derivatives of three and four axes in LaTeX: by indices, as a linear map, and as a Kronecker product.

Of `A @ X @ B` by X the first two are `\frac{\partial F_{ij}}{\partial X_{kl}} = A_{ik} B_{lj}` and
`\mathrm{d}F = A \, \mathrm{d}X \, B`; the Kronecker product is `B^{\top} \otimes A` where vec stacks columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from ...grammar.rewriting import rewritten
from ...grammar.spellings import latex_name
from ...grammar.syntax import Call, Node, Program
from ..arrays import Static, silent
from ..formulas.orders import kronecker_tree, pushforward
from ..graph.structure import INDEX_LETTERS
from ..problems.problem import Problem, direction_name
from ..shapes import Shape
from .latex import typed_in, where, with_parts
from .lines import equation
from .setting import Setting


@dataclass(frozen=True)
class Orders:
    """The forms of one derivative as equations in LaTeX; those that it does not have are None.

    `meaning` says what the left sides call the output: `F = A X B`.
    """

    meaning: str
    index: str
    linear_map: str | None
    kronecker: str | None


@silent
def orders(
    problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, Static] | None = None, *, column: bool = False
) -> list[Orders | None]:
    """Return the forms of each derivative of a problem that has more than two axes, None for the others.

    With `column`, vec stacks columns; otherwise it goes row by row.
    """
    setting = Setting.of(problem, shapes, statics or {}, everywhere=False)
    output = setting.ranks.of(setting.value[0].program.result)
    known = {name: len(shape) for name, shape in setting.inputs.items()}
    found: list[Orders | None] = []
    for request, form in zip(problem.requests, setting.forms, strict=True):
        ranks = (output, *(known.get(name, 0) for name in request))
        if sum(ranks) < 3 or problem.batch or not known.keys() >= {*request}:
            found.append(None)
            continue
        letter = _free(known, output)
        typed, named = typed_in(problem, setting, statics or {})
        found.append(
            Orders(
                f"{letter} = {typed}{where(named)}",
                _by_indices(setting, form.program, request, ranks, letter),
                _map(problem, request, shapes, statics or {}, letter) if len(request) == 1 else None,
                _kronecker(setting, form.program, request, ranks, letter, column),
            )
        )
    return found


def _free(names: Mapping[str, int], rank: int) -> str:
    """Return a letter for the output that no input has: a capital for a matrix."""
    letters = "FGHYZ" if rank > 1 else "fghyz"
    return next((letter for letter in letters if letter not in names), letters[0] + "_{0}")


def _vec(node: Node) -> Node | None:
    return Call("vec", node.arguments) if isinstance(node, Call) and node.function == "ravel" else None


def _by_indices(
    setting: Setting, program: Program, request: tuple[str, ...], ranks: tuple[int, ...], letter: str
) -> str:
    ends = [*accumulate(ranks)]
    blocks = [INDEX_LETTERS[end - rank : end] for end, rank in zip(ends, ranks, strict=True)]
    above, *below = (
        _with_index(name, block) for name, block in zip([letter, *map(latex_name, request)], blocks, strict=True)
    )
    power = f"^{{{len(request)}}}" if len(request) > 1 else ""
    under = r" \, ".join(rf"\partial {name}" for name in below)
    body, parts = with_parts(program, setting.ranks, letters="".join(blocks))
    return equation(rf"\frac{{\partial{power} {above}}}{{{under}}}", body, parts)


def _with_index(name: str, letters: str) -> str:
    if not letters:
        return name
    return f"({name})_{{{letters}}}" if "_" in name else f"{name}_{{{letters}}}"


def _map(
    problem: Problem, request: tuple[str, ...], shapes: Mapping[str, Shape], statics: Mapping[str, Static], letter: str
) -> str:
    pushed = pushforward(problem, request)
    setting = Setting.of(pushed, shapes, statics, everywhere=False)
    words = {direction_name(pushed): rf"\mathrm{{d}}{latex_name(request[0])}"}
    body, parts = with_parts(setting.forms[0].program, setting.ranks, words)
    return equation(rf"\mathrm{{d}}{letter}", body, parts)


def _kronecker(
    setting: Setting, program: Program, request: tuple[str, ...], ranks: tuple[int, ...], letter: str, column: bool
) -> str | None:
    tree = kronecker_tree(program.result, ranks, column=column)
    if tree is None:
        return None
    tree = rewritten(tree, _vec)
    written, parts = with_parts(Program(program.assignments, tree, span=program.span), setting.ranks)
    below = rf"\partial \operatorname{{vec}}({latex_name(request[-1])})^{{\top}}"
    above = rf"\operatorname{{vec}}({letter})"
    if len(request) > 1:
        above = rf"\frac{{\partial {letter}}}{{\partial \operatorname{{vec}}({latex_name(request[0])})}}"
        return equation(rf"\frac{{\partial}}{{{below}}} {above}", written, parts)
    return equation(rf"\frac{{\partial {above}}}{{{below}}}", written, parts)
