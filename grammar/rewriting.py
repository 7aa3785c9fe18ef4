"""Small rewritings of syntax trees: places found, places replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from . import syntax
from .budget import spend
from .errors import Span
from .syntax import Assignment, Attribute, Name, Node, children, map_children

TURNS = ("T", "mT")
Change = Callable[[Node], Node | None]


def rewritten(node: Node, change: Change) -> Node:
    """Return a tree in which each node for which `change` returns another is replaced, the outermost first.

    Example: `rewritten(parse("x + y"), lambda n: Name("z") if n == Name("y") else None)` reads `x + z`. A part that
    several share is rewritten once, and stays shared.
    """
    known: dict[int, Node] = {}
    opened: set[int] = set()
    stack = [node]
    # Parts before wholes, without recursion: a formula may be very deep.
    while stack:
        item = stack.pop()
        key = id(item)
        if key in opened:
            known.setdefault(key, map_children(item, lambda part: known[id(part)]))
        elif key not in known:
            new = change(item)
            if new is not None:
                known[key] = new
            else:
                opened.add(key)
                stack.append(item)
                stack += children(item)[::-1]
    spend(len(known))
    return known[id(node)]


def replaced(tree: Node, part: Node, name: Node) -> Node:
    """Return a tree with every occurrence of a part replaced: `replaced(parse("f(x) + f(x)"), f(x), p)` is `p + p`."""
    return rewritten(tree, lambda node: name if node == part else None)


def filled(tree: Node, values: Mapping[str, Node]) -> Node:
    """Return a rule or a definition with its names replaced: `x` by an operand, `dx` by its change."""
    return rewritten(tree, lambda item: values.get(item.name) if isinstance(item, Name) and not item.prefix else None)


def bound(parameters: tuple[str, ...], body: Node, span: Span) -> syntax.Lambda:
    """Return the function of some names of an expression: `bound(("h",), parse("W @ h").result, (0, 5))`."""

    def change(node: Node) -> Node | None:
        if isinstance(node, Name) and not node.prefix and node.name in parameters:
            return syntax.Local(node.name, span=node.span)
        return None

    return syntax.Lambda(parameters, rewritten(body, change), span=span)


def occurrences(program: syntax.Program, name: str) -> list[Name]:
    """Return the places where a name stands for an input: not where a statement has given it another value."""
    found: list[Name] = []
    for assignment in program.assignments:
        found += _names(assignment.value, name)
        if assignment.name == name:
            return found
    return found + _names(program.result, name)


def _names(node: Node, name: str) -> list[Name]:
    return [item for item in syntax.walk(node) if isinstance(item, Name) and item.name == name and not item.prefix]


def renamed_places(program: syntax.Program, places: list[Name], names: list[str]) -> syntax.Program:
    """Return a program in which the name at each place is another one."""
    new = {id(place): Name(name, span=place.span) for place, name in zip(places, names, strict=True)}
    return _exchanged(program, new)


def _exchanged(program: syntax.Program, new: Mapping[int, Node]) -> syntax.Program:
    """Return a program in which nodes are replaced, each known by its identity."""
    result = rewritten(program, lambda node: new.get(id(node)))
    assert isinstance(result, syntax.Program)
    return result


def toggled_transposes(program: syntax.Program, names: set[str]) -> Iterator[tuple[str, str, syntax.Program]]:
    """Yield a program with one transpose added or left out, for each place of some names.

    With it come the words before and after: `A`, `A.T`.
    """
    nodes = list(syntax.walk(program))
    inside = {id(node.operand): node for node in nodes if isinstance(node, Attribute) and node.name in TURNS}
    for node in nodes:
        if not (isinstance(node, Name) and node.name in names):
            continue
        turned = inside.get(id(node))
        if turned is None:
            yield node.name, f"{node.name}.T", _exchanged(program, {id(node): Attribute(node, "T", span=node.span)})
        else:
            yield f"{node.name}.T", node.name, _exchanged(program, {id(turned): node})


def turned_names(node: Node, name: str) -> Node:
    """Return a tree with every transpose of a name left out, and added where there was none: rows become columns."""

    def change(item: Node) -> Node | None:
        match item:
            case Attribute(Name(found), "T" | "mT") if found == name:
                return Name(name)
            case Name(found) if found == name:
                return Attribute(item, "T")
        return None

    return rewritten(node, change)


def joined(first: syntax.Program, second: syntax.Program, name: str) -> syntax.Program | None:
    """Return one program that computes both, the first under a name; None where their statements would clash."""
    assigned = {assignment.name for assignment in first.assignments}
    if assigned & {*syntax.free_names(second), *(assignment.name for assignment in second.assignments)}:
        return None
    kept = Assignment(name, first.result)
    return syntax.Program((*first.assignments, kept, *second.assignments), second.result)
