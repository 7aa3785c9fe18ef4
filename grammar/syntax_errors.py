"""Every message about text that is not an expression: one function per kind.

The functions only word the message; `diagnosis.py` and `builder.py` find out which one applies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .advice import Command, Setting, Text, advise
from .errors import Label, Span, SyntaxProblem, line_and_column

if TYPE_CHECKING:
    from .syntax import Assignment, TupleLiteral


def _problem(message: str, place: Span | int, label: str, *helps: Text, earlier: Label | None = None) -> SyntaxProblem:
    """Return a message about a place, or about one character; `earlier` is what stands before it and belongs to it."""
    labels = [Label(_span(place), label), *([] if earlier is None else [earlier])]
    return SyntaxProblem(message, *labels, helps=helps)


def _earlier(place: Span | int, label: str) -> Label:
    return Label(_span(place), label, primary=False)


def _span(place: Span | int) -> Span:
    return (place, place + 1) if isinstance(place, int) else place


def empty_expression(end: int) -> SyntaxProblem:
    """Nothing but white space and comments."""
    return _problem("the expression is empty", (end, end), "expected an expression", 'for example: "x.T @ A @ x"')


def nested_too_deeply(span: Span) -> SyntaxProblem:
    """More levels than any expression written by a person has."""
    message = "the expression is nested more than 200 levels deep"
    return _problem(message, span, "too deep here", "name a part of it: `Z = ...; Z + 1`")


def unclosed_bracket(text: str, bracket: str, position: int, closing: str, end: int) -> SyntaxProblem:
    """Report a bracket that the text never closes."""
    line, column = line_and_column(text, position)
    place = f"at column {column}" if line == 1 else f"at line {line}, column {column}"
    help_ = f"the `{bracket}` {place} is never closed"
    opened = _earlier(position, "opened here")
    return _problem(f"unclosed `{bracket}`", (end, end), f"expected `{closing}`", help_, earlier=opened)


def extra_bracket(bracket: str, position: int) -> SyntaxProblem:
    """Report a closing bracket that no opening one belongs to."""
    message = f"`{bracket}` without an opening bracket"
    return _problem(message, position, "nothing is open here", "remove it, or open a bracket before it")


def mismatched_brackets(opening: str, opened: int, closing: str, closed: int, expected: str) -> SyntaxProblem:
    """`(` closed by `]`, or the other way round."""
    message = f"`{opening}` is closed by `{closing}`"
    return _problem(message, closed, f"expected `{expected}`", earlier=_earlier(opened, "opened here"))


def empty_brackets(span: Span) -> SyntaxProblem:
    """`x[]`."""
    return _problem("missing index between the brackets", span, "expected an index", "for example: `x[0]`, `A[:, 1]`")


def unclosed_string(position: int, quote: str, after_space: bool) -> SyntaxProblem:
    """Report a quote without its partner; behind a space it was perhaps meant as a transpose."""
    transpose = "for a transpose put the quote directly behind the name, or write `.T`"
    help_ = transpose if after_space else f"close it with another {quote}"
    return _problem(f"unclosed quote {quote}", position, "opened here", help_)


def quoted_value(span: Span, left: str) -> SyntaxProblem:
    """Report a complete string directly behind a value."""
    transpose = f"for a transpose put the quote directly behind the name: `{left}'`, or write `{left}.T`"
    help_ = transpose if left.isidentifier() else "separate the arguments by a comma"
    return _problem("a quoted word behind a value", span, "expected an operator", help_)


_DERIVATIVE = advise("the derivative is asked for by the command: ", Command("grad", "f(x)", ("x",)))
_STRAY_HELPS: dict[str, Text] = {
    "{": "lists and matrices are written with square brackets: `[1, 2]`",
    "}": "lists and matrices are written with square brackets: `[1, 2]`",
    "!": "only `!=` is known: `a != b`",
    "&": "masks are joined by one `&`: `(x > 0) & (x < 1)`",
    "$": "names are written without `$`",
    "`": "write the expression without backquotes",
    "′": "for a transpose write `x'` or `x.T`",
    "’": "for a transpose write `x'` or `x.T`; strings take plain quotes",
    "‘": "strings take plain quotes: 'fro'",
    "“": 'strings take plain quotes: "fro"',
    "”": 'strings take plain quotes: "fro"',
    "∑": "for a sum write `sum(x)`",
    "∏": "for a product of all entries write `prod(x)`",
    "∂": _DERIVATIVE,
    "∇": _DERIVATIVE,
    "⁻": "for the inverse of a matrix write `inv(A)`, for a power `x**-1`",
    "⊗": "for the Kronecker product write `kron(A, B)`, for the outer product `outer(x, y)`",
    "∘": "for a product entry by entry write `A*B`",
    "⟨": "for an inner product write `x @ y`",
    "∞": "write `inf`",
    "\\": "LaTeX is not understood here; for a linear system write `solve(A, b)`",
}


def stray_character(character: str, position: int) -> SyntaxProblem:
    """Report a character that the language does not use, or not there."""
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    listed = advise("remove it; `", Command("functions"), "` lists what can be written")
    help_ = _STRAY_HELPS.get(character, listed)
    return _problem(f"unexpected character `{shown}`", (position, position + 1), "not part of the language", help_)


def wrt_in_expression(span: Span, expression: str, name: str) -> SyntaxProblem:
    """Report `x**2 wrt x`."""
    help_ = advise("the name is said apart: ", Setting("wrt", name))
    whole = advise("for example: ", Command("grad", expression, (name,)))
    return _problem("the name to differentiate by is not part of the expression", span, "said here", help_, whole)


def derivative_sign(span: Span, expression: str, name: str, second: bool) -> SyntaxProblem:
    """`d/dx x**2`, `∇f`."""
    help_ = advise("write: ", Command("hessian" if second else "grad", expression, (name,)))
    inside = f"or, within an expression, `{'hessian' if second else 'grad'}({expression}, {name})`"
    return _problem("a derivative is asked for in another way", span, "not part of the language", help_, inside)


def unclosed_bar(span: Span, bar: str) -> SyntaxProblem:
    """`|x`."""
    help_ = f"close it with another `{bar}`; for an absolute value write `abs(x)`, for a norm `norm(x)`"
    return _problem(f"`{bar}` without its partner", span, "stands alone", help_)


def bars_run_together(span: Span) -> SyntaxProblem:
    """`||x| - 1|`, where two bars in a row are those of a norm."""
    help_ = "put a space between two bars: `| |x| - 1|`, or write `abs(abs(x) - 1)`"
    return _problem("`||` opens a norm, and `|` closes it", span, "expected `||`", help_)


def inverse_function(span: Span, function: str) -> SyntaxProblem:
    """`sin^-1(x)`: the inverse function, or the reciprocal."""
    helps = f"for the inverse function write `arc{function}(x)`", f"for the reciprocal write `1/{function}(x)`"
    return _problem(f"`{function}^-1` can be read in two ways", span, "inverse or reciprocal?", *helps)


def braces_in_power(span: Span, base: str, power: str) -> SyntaxProblem:
    """`A^{-1}`, `A^{T}`, `x^{2}`."""
    helps = [f"write `{base}**{power}`" if power.isalnum() else f"write `{base}**({power})`"]
    if power in ("T", "\\top", "⊤", "'"):
        helps = [f"for the transpose write `{base}.T`"]
    elif power == "-1":
        helps = [f"for the inverse of a matrix write `inv({base})`", f"for the reciprocal write `1/{base}`"]
    return _problem("braces are not part of the language", span, "LaTeX", *helps)


def round_index(span: Span, index: str) -> SyntaxProblem:
    """Report `A(:, 1)`."""
    return _problem("an index in round brackets", span, "MATLAB", f"write `{index}`: indices count from 0")


def index_from_one(span: Span) -> SyntaxProblem:
    """Report `x(0)` in MATLAB's syntax."""
    return _problem("indices of MATLAB count from 1", span, "there is no entry 0", "`x(1)` is the first entry")


def missing_value_after(operator: str, place: Span, found: Span) -> SyntaxProblem:
    """`2*x +`, `a * / b`, `f(x, , y)`: something that wants a value to follow it."""
    before = _earlier(place, "for this operator" if operator != "," else "after this comma")
    help_ = f"add the value, or remove the `{operator}`"
    return _problem(f"missing value after `{operator}`", found, "expected a value", help_, earlier=before)


def missing_value_before(operator: str, found: Span) -> SyntaxProblem:
    """`* x`, `(/ 2)`: an operator with nothing in front of it."""
    help_ = f"add the value, or remove the `{operator}`"
    return _problem(f"missing value before `{operator}`", found, "expected a value", help_)


def side_by_side(span: Span, product: str, matrices: str | None, in_list: bool) -> SyntaxProblem:
    """Two values with no operator between them."""
    help_ = f"write the product out: `{product}`" + (f" entry by entry, `{matrices}` for matrices" if matrices else "")
    if in_list:
        help_ = "separate the entries by commas; only plain numbers may be separated by spaces"
    return _problem("two values side by side", span, "expected an operator", help_)


def call_without_brackets(function: str, argument: str, span: Span) -> SyntaxProblem:
    """`sin x`."""
    message = f"`{function}` needs brackets around its argument"
    return _problem(message, span, "expected `(`", f"write `{function}({argument})`")


def malformed_number(position: int) -> SyntaxProblem:
    """`1.5.2`."""
    help_ = "remove one of them; decimals are written `1.5`, entries are separated by commas"
    return _problem("a number with two decimal points", position, "the second one is here", help_)


def unexpected_equals(position: int, left: str) -> SyntaxProblem:
    """`=` anywhere but behind the name at the start of a statement or of an argument."""
    if not left:
        help_ = "write a name in front: `Z = X @ Y; sum(Z)`"
        return _problem("`=` with no name in front of it", position, "expected a value", help_)
    helps = "to compare write `==`", "to name a part write the name first: `Z = X @ Y; sum(Z)`"
    return _problem("`=` in the middle of an expression", position, "expected an operator", *helps)


def unequal_assignment(span: Span, names: int, values: TupleLiteral) -> SyntaxProblem:
    """Report `a, b = 1, 2, 3`."""
    found = len(values.items)
    message = f"{names} names for {found} value{'s' if found != 1 else ''}"
    given = _earlier(values.span, "the values")
    return _problem(message, span, "the names", "give each name one value: `a, b = 1, 2; a*b`", earlier=given)


def root_of_power(text: str, root: Span, whole: Span) -> SyntaxProblem:
    """`√x²`: the root of the square, or the square of the root."""
    rooted, raised = text[slice(*root)], text[root[1] : whole[1]]
    helps = f"for the root of the power write `√({rooted[1:]}{raised})`", f"for its power write `({rooted}){raised}`"
    return _problem("a root with a power can be read in two ways", whole, "root or power first?", *helps)


def transpose_run_together(text: str, base: Span, word: str, span: Span) -> SyntaxProblem:
    """`x^TAx`: the T and the names behind it without a sign between them."""
    left = text[slice(*base)]
    product = " @ ".join([f"{left}.T", *word[1:]])
    helps = f"for a transpose write `{product}`", f"for a power by the name `{word}` write `{left}**{word}`"
    return _problem(f"`^{word}` can be read in two ways", span, "a transpose, or a name?", *helps)


def assignment_last(text: str, statement: Assignment) -> SyntaxProblem:
    """Report a text that names a value and then does nothing with it."""
    name, value, end = statement.name, text[slice(*statement.value.span)], statement.span[1]
    helps = f"leave out the name: `{value}`", f"or use it: `{name} = {value}; {name}`"
    message = f"nothing follows the assignment to `{name}`"
    return _problem(message, (end, end), "expected `;` and an expression", *helps)


def unused_statement(text: str, span: Span) -> SyntaxProblem:
    """Report a statement before the last that is no assignment."""
    help_ = f"give it a name: `Z = {text[slice(*span)]}`, or remove it"
    return _problem("only the last statement may be an expression", span, "this value is not used", help_)


def separator_in_brackets(position: int, in_list: bool) -> SyntaxProblem:
    """Report a semicolon between brackets that are no matrix of plain numbers."""
    help_ = "separate arguments by commas"
    if in_list:
        help_ = "only plain numbers can be written in rows split by `;`; write lists: `[[a, b], [c, d]]`"
    return _problem("`;` between brackets", position, "a statement cannot end here", help_)


def comma_outside_brackets(position: int, last: bool) -> SyntaxProblem:
    """Report `a, b` or `a,`."""
    help_ = "remove it" if last else "for a list write `[a, b]`; for two results run matgrad twice"
    return _problem("a comma outside brackets", position, "unexpected comma", help_)


def misplaced_colon(position: int) -> SyntaxProblem:
    """Report a colon that is not between index brackets."""
    help_ = "for example: `A[:, 1]`, `x[1:3]`"
    return _problem("`:` outside an index", position, "slices stand between index brackets", help_)


def chained_comparison(span: Span) -> SyntaxProblem:
    """Report `a < b < c`."""
    help_ = "multiply two comparisons: `(a < b) * (b < c)`"
    return _problem("comparisons cannot be chained", span, "a second comparison", help_)


def function_as_value(name: str, span: Span) -> SyntaxProblem:
    """Report the name of a function where a value is wanted: `map(f, x)`."""
    help_ = f"write what it returns: `{name}(x)`"
    return _problem(f"`{name}` is a function, and a value is needed here", span, "stands without arguments", help_)


def recursion(name: str, span: Span) -> SyntaxProblem:
    """Report a function that calls itself."""
    help_ = "write its value without recursion, such as a sum or a product over an array"
    return _problem(f"`{name}` calls itself", span, "this call would go on and on", help_)


def too_many_calls(span: Span) -> SyntaxProblem:
    """More calls within calls than any code has that a person wrote."""
    return _problem("functions call each other too often", span, "too deep here", "write the expression itself")


def several_returned(name: str, span: Span) -> SyntaxProblem:
    """Report a function whose result is the answer and that returns several values."""
    function = f"`{name}`" if name else "the function"
    help_ = "return the one to differentiate, or take it: `a, b = f(x); a`"
    return _problem(f"{function} returns several values, and one is needed", span, "these are several", help_)


def surplus_argument(function: str, names: list[str], span: Span) -> SyntaxProblem:
    """Report an argument that a function of the text does not take."""
    taken = f"it takes {', '.join(f'`{name}`' for name in names)}" if names else "it takes none"
    return _problem(f"`{function}` does not take this argument", span, "one too many, or of another name", taken)


def missing_argument(function: str, name: str, span: Span) -> SyntaxProblem:
    """Report a call of a function of the text that leaves out a parameter without default."""
    return _problem(f"`{function}` is called without `{name}`", span, "too few arguments", f"add a value for `{name}`")


UNSUPPORTED_WORDS = {
    "if": "choose entry by entry: `where(x > 0, a, b)`",
    "else": "choose entry by entry: `where(x > 0, a, b)`",
    "for": "write sums over arrays: `einsum('ij,j->i', A, x)`; a loop is `fori(5, sin(A @ x), x0)`",
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
    "with": "leave the block out: within `torch.no_grad()` nothing is differentiated",
    "class": "write only the expression, or a function: `def f(x): return x @ x`",
    "global": "write only the expression",
    "nonlocal": "write only the expression",
    "try": "write only the expression",
    "raise": "write only the expression",
    "yield": "write only the expression",
    "del": "write only the expression",
    "assert": "write only the expression",
}


def unsupported_word(word: str, position: int) -> SyntaxProblem:
    """Report a keyword of Python in a place where it can only be meant as one."""
    place = (position, position + len(word))
    return _problem(f"`{word}` is not part of the language", place, "not supported", UNSUPPORTED_WORDS[word])


def missing_attribute(position: int) -> SyntaxProblem:
    """Report a dot with no name behind it."""
    label = "expected `.T`, `.mT` or a method"
    return _problem("missing name after `.`", position, label, "for example: `X.T`, `x.sum(axis=0)`")


def unknown_attribute(name: str, span: Span, is_method: bool) -> SyntaxProblem:
    """`x.foo`, or a method without its brackets."""
    if is_method:
        message = f"`.{name}` is a method and needs brackets"
        return _problem(message, span, "expected `(` behind it", f"write `.{name}()`")
    note = "there are `.T`, `.mT`, `.shape`, `.size`, `.ndim` and methods such as `.sum()`, `.mean(axis=0)`, `.mm(Y)`"
    help_ = advise("`", Command("functions"), "` lists all methods")
    return SyntaxProblem(f"a value has no `.{name}`", Label(span, "unknown"), notes=[note], helps=[help_])


def positional_after_keyword(argument: Span, keyword: Span) -> SyntaxProblem:
    """`norm(ord=2, X)`."""
    message = "an argument without a name behind one with a name"
    help_ = "put the arguments without names first: `norm(X, ord=2)`"
    return _problem(message, argument, "has no name", help_, earlier=_earlier(keyword, "has a name"))


def repeated_keyword(name: str, second: Span, first: Span) -> SyntaxProblem:
    """`sum(x, axis=0, axis=1)`."""
    message = f"argument `{name}` is given twice"
    return _problem(message, second, "again here", "remove one of them", earlier=_earlier(first, "given here"))


def ragged_rows(first: Span, expected: int, row: Span, found: int) -> SyntaxProblem:
    """`[1 2; 3]`."""
    label = f"{found} {'entry' if found == 1 else 'entries'}"
    help_ = "give every row the same number of entries"
    above = _earlier(first, f"{expected} in the first row")
    return _problem("the rows of the matrix differ in length", row, label, help_, earlier=above)


def ambiguous_sign(sign: str, position: int) -> SyntaxProblem:
    """`[1, 2 -3]`: two entries for Python, three for MATLAB."""
    message = f"`{sign}` between commas and spaces can be read in two ways"
    help_ = f"for one entry write `2 {sign} 3`, for two write `2, {sign}3`"
    return _problem(message, position, "a sign or an operator", help_)


def unexpected_text(found: str, span: Span) -> SyntaxProblem:
    """Report whatever no other message fits."""
    return _problem(f"unexpected `{found}`", span, "cannot stand here", "remove it, or put an operator in front of it")
