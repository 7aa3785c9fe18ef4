r"""Derivatives of many axes in LaTeX, entry by entry: `[A_{ik} B_{lj}]_{ijkl}`."""

from __future__ import annotations

from collections.abc import Callable

from ...grammar.spellings import INDEX
from ...grammar.syntax import Attribute, Binary, Call, Index, Literal, Name, Node, Number, Slice, String, Unary, walk
from ..elaboration.ranks import Ranks
from ..graph.structure import INDEX_LETTERS
from .columns import chained


class Entries:
    """Writes trees with their indices; `rewritten` puts what has none into the words of LaTeX."""

    def __init__(self, ranks: Ranks, rewritten: Callable[[Node], Node]) -> None:
        self.ranks = ranks
        self.rewritten = rewritten

    def whole(self, tree: Node) -> Node:
        """Return an array as the entries that it has: `[x_{i} y_{j}]_{ij}`."""
        letters = INDEX_LETTERS[: self.ranks.of(tree)]
        if isinstance(tree, Call) and isinstance(tree.arguments[0], String):
            letters = tree.arguments[0].value.partition("->")[2]
        body = self.of(tree, letters)
        return Call("entries", (body, Name(letters, INDEX))) if letters else body

    def of(self, tree: Node, letters: str) -> Node:
        """Return the entry of a tree at indices; the first of them are those along which it is repeated."""
        rank = self.ranks.of(tree)
        if not rank:
            return self._scalar(tree)
        letters = letters[len(letters) - rank :]
        match tree:
            case Binary("*", left, right):
                return chained([self.of(left, letters), self.of(right, letters)])
            case Binary("+" | "-" | "/" | "**" as sign, left, right):
                return Binary(sign, self.of(left, letters), self.of(right, letters))
            case Unary("-", operand):
                return Unary("-", self.of(operand, letters))
            case Attribute(operand, "T" | "mT") if rank == 2:
                return self.of(operand, letters[::-1])
            case Index(operand, items) if all(_is_whole(item) for item in items):
                kept = [letter for letter, item in zip(letters, items, strict=False) if isinstance(item, Slice)]
                return self.of(operand, "".join(kept) + letters[len(items) :])
            case Call("einsum", (String(subscripts), *operands)) if is_index_sum(tree):
                return self._sum(subscripts, operands, letters)
            case Call("eye", (_,)):
                return _subscript(Name("delta"), letters)
            case Call("ones"):
                return Number("1")
        base = self.rewritten(tree)
        plain = isinstance(base, Name) and "_" not in base.name and not any(map(str.isdigit, base.name))
        return _subscript(base if plain else Call("brackets", (base,)), letters)

    def _scalar(self, tree: Node) -> Node:
        match tree:
            case Call("einsum", (String(subscripts), *operands)) if is_index_sum(tree):
                return self._sum(subscripts, operands, "")
        return self.rewritten(tree)

    def _sum(self, subscripts: str, operands: list[Node], letters: str) -> Node:
        inputs, _, output = subscripts.partition("->")
        names: dict[str, str] = dict(zip(output, letters, strict=True))
        own = [letter for letter in dict.fromkeys(inputs) if letter.isalpha() and letter not in output]
        spare = iter(letter for letter in [*own, *INDEX_LETTERS] if letter not in letters)
        names |= {letter: next(spare) for letter in own}
        factors = [
            self.of(operand, "".join(names[letter] for letter in labels))
            for labels, operand in zip(inputs.split(","), operands, strict=True)
            if not (isinstance(operand, Call) and operand.function == "ones" and set(labels) <= set(output))
        ]
        body = chained(factors or [Number("1")])
        below = ",".join(names[letter] for letter in own)
        return Call("sum over", (body, Name(below, INDEX))) if below else body


def _is_whole(item: Node) -> bool:
    """Whether an item of an index keeps all of an axis, or makes one of length 1."""
    return item in (Slice(), Literal(None))


def _subscript(base: Node, letters: str) -> Node:
    return Call("subscript", (base, Name(letters, INDEX)))


def is_index_sum(tree: Node) -> bool:
    """Whether a tree is an einsum with all its letters."""
    match tree:
        case Call("einsum", (String(subscripts), *_)):
            return "." not in subscripts and "->" in subscripts
    return False


def has_index_sum(tree: Node) -> bool:
    """Whether an einsum is somewhere in a tree."""
    return any(is_index_sum(node) for node in walk(tree))
