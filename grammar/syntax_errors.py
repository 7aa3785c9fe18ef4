"""Every message about text that is not an expression: one function per kind.

The functions only word the message; `diagnosis.py` and `builder.py` find out which one applies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec

from .advice import Command, Text, advise
from .errors import Label, Span, SyntaxProblem

if TYPE_CHECKING:
    from .syntax import Assignment

Parameters = ParamSpec("Parameters")

KINDS: dict[str, Callable[..., SyntaxProblem]] = {}
"""All kinds by name, so that the tests can demand an example of each."""


def _kind(function: Callable[Parameters, SyntaxProblem]) -> Callable[Parameters, SyntaxProblem]:
    KINDS[function.__name__] = function
    return function


@_kind
def empty_expression(end: int) -> SyntaxProblem:
    """Nothing but white space and comments."""
    return SyntaxProblem(
        "the expression is empty", Label((end, end), "expected an expression"), helps=['for example: "x.T @ A @ x"']
    )


@_kind
def nested_too_deeply(span: Span) -> SyntaxProblem:
    """More levels than any expression written by a person has."""
    return SyntaxProblem(
        "the expression is nested more than 200 levels deep",
        Label(span, "too deep here"),
        helps=["name a part of it: `Z = ...; Z + 1`"],
    )


@_kind
def unclosed_bracket(text: str, bracket: str, position: int, closing: str, end: int) -> SyntaxProblem:
    """Report a bracket that the text never closes."""
    line = text.count("\n", 0, position)
    column = position - text.rfind("\n", 0, position)
    place = f"at column {column}" if line == 0 else f"at line {line + 1}, column {column}"
    return SyntaxProblem(
        f"unclosed `{bracket}`",
        Label((end, end), f"expected `{closing}`"),
        Label((position, position + 1), "opened here", primary=False),
        helps=[f"the `{bracket}` {place} is never closed"],
    )


@_kind
def extra_bracket(bracket: str, position: int) -> SyntaxProblem:
    """Report a closing bracket that no opening one belongs to."""
    return SyntaxProblem(
        f"`{bracket}` without an opening bracket",
        Label((position, position + 1), "nothing is open here"),
        helps=["remove it, or open a bracket before it"],
    )


@_kind
def mismatched_brackets(opening: str, opened: int, closing: str, closed: int, expected: str) -> SyntaxProblem:
    """`(` closed by `]`, or the other way round."""
    return SyntaxProblem(
        f"`{opening}` is closed by `{closing}`",
        Label((closed, closed + 1), f"expected `{expected}`"),
        Label((opened, opened + 1), "opened here", primary=False),
    )


@_kind
def empty_brackets(span: Span) -> SyntaxProblem:
    """`x[]`."""
    return SyntaxProblem(
        "missing index between the brackets", Label(span, "expected an index"), helps=["for example: `x[0]`, `A[:, 1]`"]
    )


@_kind
def unclosed_string(position: int, quote: str, after_space: bool) -> SyntaxProblem:
    """Report a quote without its partner; behind a space it was perhaps meant as a transpose."""
    helps = [f"close it with another {quote}"]
    if after_space:
        helps = ["for a transpose put the quote directly behind the name, or write `.T`"]
    return SyntaxProblem(f"unclosed quote {quote}", Label((position, position + 1), "opened here"), helps=helps)


@_kind
def quoted_value(span: Span, left: str) -> SyntaxProblem:
    """Report a complete string directly behind a value."""
    help_ = "separate the arguments by a comma"
    if left.isidentifier():
        help_ = f"for a transpose put the quote directly behind the name: `{left}'`, or write `{left}.T`"
    return SyntaxProblem("a quoted word behind a value", Label(span, "expected an operator"), helps=[help_])


_DERIVATIVE = advise("the derivative is asked for by the command: ", Command("grad", "f(x)", ("x",)))
_STRAY_HELPS: dict[str, Text] = {
    "%": "a remainder has no derivative rule; comments begin with `#`",
    "/": "floor division is not differentiable; for a quotient write `a / b`",
    "\\": "for a linear system `A \\ b` write `solve(A, b)`",
    "{": "lists and matrices are written with square brackets: `[1, 2]`",
    "}": "lists and matrices are written with square brackets: `[1, 2]`",
    "!": "only `!=` is known: `a != b`",
    "&": "multiply two comparisons instead: `(a < b) * (b < c)`",
    "|": "for an absolute value write `abs(x)`, for a norm `norm(x)`",
    "~": "for the opposite of a comparison write the other comparison: `a >= b` for `a < b`",
    "$": "names are written without `$`",
    "`": "write the expression without backquotes",
    "′": "for a transpose write `x'` or `x.T`",
    "’": "for a transpose write `x'` or `x.T`; strings take plain quotes",
    "‘": "strings take plain quotes: 'fro'",
    "“": 'strings take plain quotes: "fro"',
    "”": 'strings take plain quotes: "fro"',
    "√": "for a square root write `sqrt(x)`",
    "∑": "for a sum write `sum(x)`",
    "∂": _DERIVATIVE,
    "∇": _DERIVATIVE,
}


@_kind
def stray_character(character: str, position: int) -> SyntaxProblem:
    """Report a character that the language does not use, or not there."""
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    listed = advise("remove it; `", Command("functions"), "` lists what can be written")
    help_ = _STRAY_HELPS.get(character, listed)
    width = 2 if character == "/" else 1
    return SyntaxProblem(
        f"unexpected character `{shown * width}`",
        Label((position, position + width), "not part of the language"),
        helps=[help_],
    )


@_kind
def missing_value_after(operator: str, place: Span, found: Span) -> SyntaxProblem:
    """`2*x +`, `a * / b`, `f(x, , y)`: something that wants a value to follow it."""
    return SyntaxProblem(
        f"missing value after `{operator}`",
        Label(found, "expected a value"),
        Label(place, "for this operator" if operator != "," else "after this comma", primary=False),
        helps=[f"add the value, or remove the `{operator}`"],
    )


@_kind
def missing_value_before(operator: str, found: Span) -> SyntaxProblem:
    """`* x`, `(/ 2)`: an operator with nothing in front of it."""
    return SyntaxProblem(
        f"missing value before `{operator}`",
        Label(found, "expected a value"),
        helps=[f"add the value, or remove the `{operator}`"],
    )


@_kind
def side_by_side(span: Span, product: str, matrices: str | None, in_list: bool) -> SyntaxProblem:
    """Two values with no operator between them."""
    helps = [f"write the product out: `{product}`"]
    if matrices:
        helps = [f"write the product out: `{product}` entry by entry, `{matrices}` for matrices"]
    if in_list:
        helps = ["separate the entries by commas; only plain numbers may be separated by spaces"]
    return SyntaxProblem("two values side by side", Label(span, "expected an operator"), helps=helps)


@_kind
def call_without_brackets(function: str, argument: str, span: Span) -> SyntaxProblem:
    """`sin x`."""
    return SyntaxProblem(
        f"`{function}` needs brackets around its argument",
        Label(span, "expected `(`"),
        helps=[f"write `{function}({argument})`"],
    )


@_kind
def malformed_number(span: Span) -> SyntaxProblem:
    """`1.5.2`."""
    return SyntaxProblem(
        "a number with two decimal points",
        Label(span, "the second one is here"),
        helps=["remove one of them; decimals are written `1.5`, entries are separated by commas"],
    )


@_kind
def unexpected_equals(position: int, left: str) -> SyntaxProblem:
    """`=` anywhere but behind the name at the start of a statement or of an argument."""
    helps = ["to compare write `==`", "to name a part write the name first: `Z = X @ Y; sum(Z)`"]
    if not left:
        helps = ["write a name in front: `Z = X @ Y; sum(Z)`"]
    return SyntaxProblem(
        "`=` in the middle of an expression" if left else "`=` with no name in front of it",
        Label((position, position + 1), "expected an operator" if left else "expected a value"),
        helps=helps,
    )


@_kind
def tuple_assignment(span: Span) -> SyntaxProblem:
    """`U, s, V = svd(A)`."""
    return SyntaxProblem(
        "several names cannot be assigned at once",
        Label(span, "only one name may stand before `=`"),
        helps=["take the results one by one: `Q = eigh(A)[1]; sum(Q)`"],
    )


@_kind
def assignment_last(text: str, statement: Assignment) -> SyntaxProblem:
    """Report a text that names a value and then does nothing with it."""
    value = text[slice(*statement.value.span)]
    return SyntaxProblem(
        f"nothing follows the assignment to `{statement.name}`",
        Label((statement.span[1], statement.span[1]), "expected `;` and an expression"),
        helps=[f"leave out the name: `{value}`", f"or use it: `{statement.name} = {value}; {statement.name}`"],
    )


@_kind
def unused_statement(text: str, span: Span) -> SyntaxProblem:
    """Report a statement before the last that is no assignment."""
    return SyntaxProblem(
        "only the last statement may be an expression",
        Label(span, "this value is not used"),
        helps=[f"give it a name: `Z = {text[slice(*span)]}`, or remove it"],
    )


@_kind
def separator_in_brackets(position: int, in_list: bool) -> SyntaxProblem:
    """Report a semicolon between brackets that are no matrix of plain numbers."""
    help_ = "separate arguments by commas"
    if in_list:
        help_ = "only plain numbers can be written in rows split by `;`; write lists: `[[a, b], [c, d]]`"
    return SyntaxProblem(
        "`;` between brackets", Label((position, position + 1), "a statement cannot end here"), helps=[help_]
    )


@_kind
def comma_outside_brackets(position: int, last: bool) -> SyntaxProblem:
    """Report `a, b` or `a,`."""
    help_ = "remove it" if last else "for a list write `[a, b]`; for two results run matgrad twice"
    return SyntaxProblem("a comma outside brackets", Label((position, position + 1), "unexpected comma"), helps=[help_])


@_kind
def misplaced_colon(position: int) -> SyntaxProblem:
    """Report a colon that is not between index brackets."""
    return SyntaxProblem(
        "`:` outside an index",
        Label((position, position + 1), "slices stand between index brackets"),
        helps=["for example: `A[:, 1]`, `x[1:3]`"],
    )


@_kind
def chained_comparison(span: Span) -> SyntaxProblem:
    """Report `a < b < c`."""
    return SyntaxProblem(
        "comparisons cannot be chained",
        Label(span, "a second comparison"),
        helps=["multiply two comparisons: `(a < b) * (b < c)`"],
    )


UNSUPPORTED_WORDS = {
    "if": "choose entry by entry: `where(x > 0, a, b)`",
    "else": "choose entry by entry: `where(x > 0, a, b)`",
    "for": "write sums over arrays: `sum(x)`, `einsum('ij,j->i', A, x)`",
    "while": "write sums over arrays: `sum(x)`, `einsum('ij,j->i', A, x)`",
    "in": "write sums over arrays: `sum(x)`, `einsum('ij,j->i', A, x)`",
    "lambda": "write only the expression behind the colon",
    "def": "write only the expression that is returned",
    "return": "write only the expression behind `return`",
    "and": "multiply two comparisons: `(a < b) * (b < c)`",
    "or": "take the larger of two comparisons: `maximum(a < b, b < c)`",
    "not": "write the other comparison: `a >= b` for `not a < b`",
    "is": "compare by `==`",
    "import": "leave it out; `np.`, `torch.` and `jnp.` are understood without it",
    "from": "leave it out; `np.`, `torch.` and `jnp.` are understood without it",
    "print": "write only the expression",
    "del": "write only the expression",
    "assert": "write only the expression",
}


@_kind
def unsupported_word(word: str, position: int) -> SyntaxProblem:
    """Report a keyword of Python in a place where it can only be meant as one."""
    return SyntaxProblem(
        f"`{word}` is not part of the language",
        Label((position, position + len(word)), "not supported"),
        helps=[UNSUPPORTED_WORDS[word]],
    )


@_kind
def missing_attribute(position: int) -> SyntaxProblem:
    """Report a dot with no name behind it."""
    return SyntaxProblem(
        "missing name after `.`",
        Label((position, position + 1), "expected `.T`, `.mT` or a method"),
        helps=["for example: `X.T`, `x.sum(axis=0)`"],
    )


@_kind
def unknown_attribute(name: str, span: Span, is_method: bool) -> SyntaxProblem:
    """`x.foo`, or a method without its brackets."""
    if is_method:
        return SyntaxProblem(
            f"`.{name}` is a method and needs brackets",
            Label(span, "expected `(` behind it"),
            helps=[f"write `.{name}()`"],
        )
    return SyntaxProblem(
        f"a value has no `.{name}`",
        Label(span, "unknown"),
        notes=[
            "there are `.T`, `.mT`, `.shape`, `.size`, `.ndim` and methods such as `.sum()`, `.mean(axis=0)`, `.mm(Y)`"
        ],
        helps=[advise("`", Command("functions"), "` lists all methods")],
    )


@_kind
def positional_after_keyword(argument: Span, keyword: Span) -> SyntaxProblem:
    """`norm(ord=2, X)`."""
    return SyntaxProblem(
        "an argument without a name behind one with a name",
        Label(argument, "has no name"),
        Label(keyword, "has a name", primary=False),
        helps=["put the arguments without names first: `norm(X, ord=2)`"],
    )


@_kind
def repeated_keyword(name: str, second: Span, first: Span) -> SyntaxProblem:
    """`sum(x, axis=0, axis=1)`."""
    return SyntaxProblem(
        f"argument `{name}` is given twice",
        Label(second, "again here"),
        Label(first, "given here", primary=False),
        helps=["remove one of them"],
    )


@_kind
def ragged_rows(first: Span, expected: int, row: Span, found: int) -> SyntaxProblem:
    """`[1 2; 3]`."""
    entries = "entry" if found == 1 else "entries"
    return SyntaxProblem(
        "the rows of the matrix differ in length",
        Label(row, f"{found} {entries}"),
        Label(first, f"{expected} in the first row", primary=False),
        helps=["give every row the same number of entries"],
    )


@_kind
def ambiguous_sign(sign: str, place: Span) -> SyntaxProblem:
    """`[1, 2 -3]`: two entries for Python, three for MATLAB."""
    return SyntaxProblem(
        f"`{sign}` between commas and spaces can be read in two ways",
        Label(place, "a sign or an operator"),
        helps=[f"for one entry write `2 {sign} 3`, for two write `2, {sign}3`"],
    )


@_kind
def unexpected_text(found: str, span: Span) -> SyntaxProblem:
    """Report whatever no other message fits."""
    return SyntaxProblem(
        f"unexpected `{found}`",
        Label(span, "cannot stand here"),
        helps=["remove it, or put an operator in front of it"],
    )
