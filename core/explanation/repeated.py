"""Names for the parts that a derivation says several times: `r = A @ x - b`, once the residual."""

from __future__ import annotations

from collections.abc import Mapping

from ...grammar.rewriting import replaced, rewritten
from ...grammar.syntax import Binary, Call, Name, Node, Number, children
from ..graph import catalogue
from ..notation.letters import USUAL
from ..notation.trees import length as size_in_words
from .reading import Reader, innermost_first

MOST_NAMES = 4
SHORTEST = 4
# What has a meaning of its own beside an expression: the d of a differential, and the function itself.
SPOKEN_FOR = ("d", "f", "g", "F", "G")
# What is read as one sign is not said in another one.
SIGNS = ("inv", "det", "norm", "trace", "mean", "sum", "abs", "diag", "ones", "eye", "zeros")
LETTERS: Mapping[int, str] = {0: "q h c k", 1: "u v w z", 2: "M N H Q R"}


def repeated_parts(reader: Reader, differentials: Node, expanded: Node) -> dict[str, Node]:
    """Return names for parts of an expression that stand in its differential, and in more places of the derivation.

    Example: for `norm(A @ x - b)**2` it is `{"r": A @ x - b}`. The longest parts come first.
    """
    parts = (node for _, tree in reader.statements for node in innermost_first(tree) if _nameable(node))
    typed = dict.fromkeys(parts)
    told, whole = differentials, expanded
    found: dict[str, Node] = {}
    for part in sorted(typed, key=size_in_words, reverse=True):
        if part == reader.statements[-1][1] and getattr(part, "function", "") not in USUAL:
            continue  # the whole has a name already
        outside = _count(rewritten(whole, _hidden), part)
        if outside and outside + _count(told, part) > 2 and len(found) < MOST_NAMES:
            name = _name(reader, part, found)
            told, whole = replaced(told, part, Name(name)), replaced(whole, part, Name(name))
            found = {other: replaced(value, part, Name(name)) for other, value in found.items()} | {name: part}
    return dict(reversed(found.items()))


def _nameable(node: Node) -> bool:
    match node:
        case Binary("+" | "-", Number(), _):
            return False
        case Binary("+" | "-" | "*" | "/" | "@"):
            return size_in_words(node) > SHORTEST
        case Call(function):
            operator = catalogue.find(function)
            return operator is not None and operator.name not in SIGNS and size_in_words(node) >= SHORTEST
    return False


def _hidden(node: Node) -> Node | None:
    return Name("d") if isinstance(node, Call) and node.function == "d" else None


def _count(tree: Node, part: Node) -> int:
    """Return how often a part is written in a tree."""
    if tree == part:
        return 1
    return sum(_count(inner, part) for inner in children(tree))


def _name(reader: Reader, part: Node, found: Mapping[str, Node]) -> str:
    """Return a letter: the usual one of a function, r for a difference, a capital for a matrix."""
    graph = reader.tensor(part)
    rank = 1 if graph is None else min(graph.rank, 2)
    function = part.function if isinstance(part, Call) else ""
    first = [USUAL[function].upper() if rank > 1 else USUAL[function]] if function in USUAL else []
    first += ["r"] if rank < 2 and isinstance(part, Binary) and part.operator == "-" else []
    letters = [*first, *LETTERS[rank].split(), *(f"part{number}" for number in range(MOST_NAMES))]
    taken = {*reader.problem.names, *reader.environment, *found, *SPOKEN_FOR}
    return next(letter for letter in letters if letter not in taken)
