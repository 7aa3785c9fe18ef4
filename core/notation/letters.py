"""Names of parts as authors choose them: capitals for matrices, small letters for vectors and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, count

from ...grammar.syntax import Attribute, Binary, Call, Index, Number
from ..arrays import Static
from ..elaboration.ranks import Ranks
from ..errors import MatgradError
from ..shapes import Shape
from .trees import Tree, length

# What a part is called after: the function that makes it, as people name such things.
USUAL = {
    "softmax": "p",
    "sigmoid": "s",
    "inv": "P",
    "pinv": "P",
    "exp": "e",
    "norm": "r",
    "sqrt": "r",
    "cholesky": "L",
    "tanh": "t",
    "states": "H",
}
# What a function returns several of, each by its usual letter.
TUPLES = {"eigh": ("w", "V"), "svd": ("U", "s", "Vh"), "qr": ("Q", "R")}
OTHERS = ("u", "v", "w", "z", "h", "g", "f", "q", "c", "d")
MATRICES = ("M", "N", "H", "G", "Q", "R", "W", "Z")
MATRIX_FUNCTIONS = ("inv", "outer", "diag", "pinv", "cofactor")
# A part that is longer than this is named by its looks alone.
LONGEST = 60


class Letters:
    """Chooses names for parts of formulas over inputs of these shapes; `taken` are names that mean something else."""

    def __init__(
        self, taken: Iterable[str], shapes: Mapping[str, Shape] | None = None, sizes: Mapping[str, Static] | None = None
    ) -> None:
        self.used = set(taken)
        self._shapes, self._sizes = shapes or {}, sizes or {}
        self._ranks: Ranks | None = None

    def name(self, part: Tree, inside: Iterable[str]) -> str:
        """Return a name for a part, and take it; `inside` are the names that are written in the part."""
        function = part.function if isinstance(part, Call) else ""
        matrix = self._is_matrix(part, [*inside])
        usual = (
            [USUAL[function].upper() if matrix else USUAL[function]]
            if function in USUAL
            else _usual(part, matrix=matrix)
        )
        pool = (*MATRICES, *OTHERS) if matrix else (*OTHERS, *MATRICES)
        numbered = (f"part{number}" for number in count(1))
        found = next(name for name in chain(usual, pool, numbered) if name not in self.used)
        self.used.add(found)
        return found

    def _is_matrix(self, part: Tree, inside: list[str]) -> bool:
        if isinstance(part, Attribute) or (isinstance(part, Call) and part.function in MATRIX_FUNCTIONS):
            return True
        if isinstance(part, Index) and isinstance(part.operand, Call) and part.operand.function == "eye":
            return not any(isinstance(item, Number) for item in part.items)
        if length(part) <= LONGEST and self._shapes:
            self._ranks = self._ranks or Ranks(self._shapes, self._sizes)
            try:
                self._ranks.add(part)
                return self._ranks.of(part) > 1
            except MatgradError:  # it has a name that is no input
                pass
        return isinstance(part, Binary) and bool(inside) and all(name[0].isupper() for name in inside)


def _usual(part: Tree, *, matrix: bool) -> list[str]:
    """Return the usual letter of one of several results, and of a matrix of differences."""
    match part:
        case Index(Call(function), (Number(place),)) if int(place) < len(TUPLES.get(function, ())):
            return [TUPLES[function][int(place)]]
        case Binary("-", Index(), _) if matrix:
            return ["D"]
        case Binary("/", Binary("-", _, Call("mean")), _):
            return ["Z" if matrix else "z"]
        case Binary("/", Binary("@"), Binary("@")):
            return ["r"]
    return ["D"] if isinstance(part, Binary) and _adds_rows(part) else []


def _adds_rows(part: Tree) -> bool:
    """Whether a part adds up rows of the identity: `eye(n)[1:] - eye(n)[:-1]`."""
    match part:
        case Binary("+" | "-", left, right):
            return _adds_rows(left) and _adds_rows(right)
        case Binary("*", _, Index(Call("eye"))) | Index(Call("eye")):
            return True
    return False
