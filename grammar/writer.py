"""Syntax tree to text: one walker, driven by a table per spelling.

A spelling says how each kind of node is written in terms of its parts and how strongly the result binds; the walker
puts brackets exactly where a part binds less than its place demands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

from .budget import spend
from .syntax import (
    Assignment,
    Attribute,
    Binary,
    Call,
    Keyword,
    Lambda,
    Literal,
    Local,
    Name,
    Node,
    Number,
    Slice,
    String,
    TupleLiteral,
    Unary,
    children,
    walk,
)

# How strongly a text binds. `@` and `*` bind alike in the language; `*` is written without spaces and thus counts as
# stronger here, so that `(A @ B)*c` keeps its brackets.
LOOSE, COMPARISON, SUM, MATRIX_PRODUCT, PRODUCT, SIGN, POWER, NUMBER, POSTFIX = range(9)


# Putting so many characters together is as much work as looking at a part.
CHARACTERS = 64


class Form(NamedTuple):
    """How one kind of node is written.

    In the template `#1`, `#2` are the parts, `#*` those that have no number, separated by commas, and `#name` is the
    node's own word. `demands` are the strengths that the numbered parts must have to stand without brackets.

    Example: `Form("#1 + #2", SUM, (SUM, MATRIX_PRODUCT))`.
    """

    template: str
    strength: int = POSTFIX
    demands: tuple[int, ...] = ()


class Spelling(NamedTuple):
    """A way to write trees: forms by kind of node, where `Call inv` or `Binary +` goes before `Call` or `Binary`.

    `word` gives a node's own word (`#name`), `brackets` is the form of a bracketed part.
    """

    forms: Mapping[str, Form]
    word: Callable[[Node], str]
    brackets: str = "(#1)"


class _Written(NamedTuple):
    text: str
    strength: int


def _word(node: Node) -> str:
    """Return a node's own word in the language of matgrad."""
    match node:
        case Number(text):
            return text
        case String(value):
            return f'"{value}"' if "'" in value else f"'{value}'"
        case Literal(value):
            return "..." if value is ... else str(value)
        case Name(name, prefix):
            return f"{prefix}.{name}" if prefix else name
        case Lambda(parameters):
            return ", ".join(parameters)
        case Call(function=name) | Local(name=name) | Keyword(name=name) | Assignment(name=name) | Attribute(name=name):
            return name
        case _:
            return ""


TEXT = Spelling(
    {
        "Number": Form("#name", NUMBER),
        "String": Form("#name"),
        "Literal": Form("#name"),
        "Name": Form("#name"),
        "Local": Form("#name"),
        "Lambda": Form("lambda #name: #1", LOOSE, (LOOSE,)),
        "Unary -": Form("-#1", SIGN, (SIGN,)),
        "Unary +": Form("+#1", SIGN, (SIGN,)),
        "Binary +": Form("#1 + #2", SUM, (SUM, MATRIX_PRODUCT)),
        "Binary -": Form("#1 - #2", SUM, (SUM, MATRIX_PRODUCT)),
        "Binary @": Form("#1 @ #2", MATRIX_PRODUCT, (MATRIX_PRODUCT, SIGN)),
        "Binary *": Form("#1*#2", PRODUCT, (PRODUCT, SIGN)),
        "Binary /": Form("#1/#2", PRODUCT, (PRODUCT, SIGN)),
        "Binary //": Form("#1//#2", PRODUCT, (PRODUCT, SIGN)),
        "Binary %": Form("#1%#2", PRODUCT, (PRODUCT, SIGN)),
        "Binary spaced /": Form("#1 / #2", MATRIX_PRODUCT, (MATRIX_PRODUCT, SIGN)),
        "Binary **": Form("#1**#2", POWER, (NUMBER, SIGN)),
        **{
            f"Binary {sign}": Form(f"#1 {sign} #2", COMPARISON, (SUM, SUM))
            for sign in ("<", "<=", ">", ">=", "==", "!=")
        },
        "Attribute": Form("#1.#name", POSTFIX, (POSTFIX,)),
        "Index": Form("#1[#*]", POSTFIX, (POSTFIX,)),
        "Call": Form("#name(#*)"),
        "Keyword": Form("#name=#1", LOOSE, (LOOSE,)),
        "ListLiteral": Form("[#*]"),
        "TupleLiteral": Form("(#*)"),
        "TupleLiteral 1": Form("(#1,)", POSTFIX, (LOOSE,)),
        "Assignment": Form("#name = #1", LOOSE, (LOOSE,)),
    },
    word=_word,
)
"""matgrad's own language: `parse(write(tree)) == tree`."""


def write(node: Node, spelling: Spelling = TEXT) -> str:
    """Return the text of a tree, by default in matgrad's own language.

    Example: `write(parse("(A+A')@x"))` is `(A + A.T) @ x`. Methods are written as function calls, with neither
    prefix nor needless brackets.
    """
    written: dict[int, _Written] = {}
    # Parts before wholes, without recursion: a sum may have thousands of terms.
    for current in reversed(list(walk(node))):
        parts = [written[id(child)] for child in children(current)]
        form = _form(current, spelling)
        text = _fill(form, parts, current, spelling)
        written[id(current)] = _Written(text, _strength(form, current))
        spend(1 + len(text) // CHARACTERS)
    return written[id(node)].text


def _form(node: Node, spelling: Spelling) -> Form:
    """Return the most specific form that the spelling has for a node."""
    kind = type(node).__name__
    match node:
        case Slice(start, stop, step):
            return _slice_form(start, stop, step)
        case Binary("/", left, right) if _is_matrix_product(left) and not (
            _is_quadratic(left) and _is_quadratic(right)
        ):
            detail = "spaced /"
        case Binary(operator=detail) | Unary(operator=detail) | Call(function=detail) | Attribute(name=detail):
            pass
        case TupleLiteral(items):
            detail = str(len(items))
        case _:
            # A program: its statements, then its result.
            if kind == "Program":
                return Form("; ".join(f"#{number}" for number, _ in enumerate(children(node), 1)), LOOSE)
            detail = ""
    specific = spelling.forms.get(f"{kind} {detail}")
    return spelling.forms[kind] if specific is None else specific


def _is_matrix_product(node: Node) -> bool:
    """Whether a node reads as a matrix product, perhaps divided: `A @ x / 2` needs no brackets."""
    while isinstance(node, Binary) and node.operator == "/":
        node = node.left
    return isinstance(node, Binary) and node.operator == "@"


def _is_quadratic(node: Node) -> bool:
    """Whether a node reads as a quadratic form, `x @ A @ x`: two of these make `(x @ A @ x)/(x @ x)`."""
    first = node
    while isinstance(first, Binary) and first.operator == "@":
        first = first.left
    return isinstance(node, Binary) and node.operator == "@" and node.right == first


def _slice_form(*bounds: Node | None) -> Form:
    """`#1:#2:#3` without the absent bounds, and without the second colon where there is no step."""
    number = 0
    slots = []
    for bound in bounds:
        number += bound is not None
        slots.append("" if bound is None else f"#{number}")
    return Form(":".join(slots if slots[2] else slots[:2]), LOOSE)


def _strength(form: Form, node: Node) -> int:
    """How strongly a written node binds; a negative constant is a sign before a number."""
    return SIGN if isinstance(node, Number) and node.text.startswith("-") else form.strength


def _fill(form: Form, parts: Sequence[_Written], node: Node, spelling: Spelling) -> str:
    """Put a node's parts and word into the template."""

    def filled(slot: str) -> str:
        if slot == "name":
            return spelling.word(node)
        if slot == "*":
            return ", ".join(part.text for part in parts[numbered:])
        position = int(slot) - 1
        part = parts[position]
        demand = form.demands[position] if position < len(form.demands) else LOOSE
        return part.text if part.strength >= demand else spelling.brackets.replace("#1", part.text)

    texts, slots, numbered = _split(form.template)
    if len(parts) <= numbered:
        texts, slots, _ = _split(form.template.replace(", #*", ""))
    return "".join(chain(*zip(texts, [*map(filled, slots), ""], strict=True)))


@cache
def _split(template: str) -> tuple[list[str], list[str], int]:
    """Return the texts of a template, the slots between them, and how many parts have a slot of their own."""
    pieces = re.split(r"#(name|\*|\d+)", template)
    slots = pieces[1::2]
    return pieces[::2], slots, len({slot for slot in slots if slot.isdigit()})
