"""Every feature of the language, as trees and as places."""

from __future__ import annotations

from itertools import pairwise

import pytest

from matgrad.grammar.errors import SyntaxProblem
from matgrad.grammar.parser import parse
from matgrad.grammar.syntax import (
    Assignment,
    Attribute,
    Binary,
    Call,
    Index,
    Keyword,
    ListLiteral,
    Literal,
    Name,
    Node,
    Number,
    Slice,
    String,
    TupleLiteral,
    Unary,
    children,
    free_names,
    walk,
)

A, B, X, Y, a, b, c, x, y = (Name(name) for name in ["A", "B", "X", "Y", "a", "b", "c", "x", "y"])
ONE, TWO, THREE, FOUR = (Number(text) for text in "1234")


def tree(text: str) -> Node:
    return parse(text).result


def transposed(node: Node) -> Attribute:
    return Attribute(node, "T")


@pytest.mark.parametrize("text", ["0", "12", "2.5", ".5", "2.", "1e-3", "1E5", "2.5e+10", ".5e2", "2.e3"])
def test_numbers_keep_their_text(text: str) -> None:
    assert tree(text) == Number(text)


def test_underscores_in_numbers_are_dropped() -> None:
    assert tree("1_000") == Number("1000")


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "x_1",
        "x₁",
        "β",
        "Δt",
        "ŷ",
        "x\u0302",
        "_",
        "self",
        "wrt",
        "lambda",
        "if",
        "np",
        "F",
        "T",
        "Nonesuch",
        "变量",
        "e1",
    ],
)
def test_names(text: str) -> None:
    assert tree(text) == Name(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b - c", Binary("-", Binary("+", a, b), c)),
        ("a - b*c", Binary("-", a, Binary("*", b, c))),
        ("a @ b * c / x", Binary("/", Binary("*", Binary("@", a, b), c), x)),
        ("a / b @ c", Binary("@", Binary("/", a, b), c)),
        ("(a + b)*c", Binary("*", Binary("+", a, b), c)),
        ("-x**2", Unary("-", Binary("**", x, TWO))),
        ("(-x)**2", Binary("**", Unary("-", x), TWO)),
        ("2**-x", Binary("**", TWO, Unary("-", x))),
        ("a**b**c", Binary("**", a, Binary("**", b, c))),
        ("a^b^c", Binary("**", a, Binary("**", b, c))),
        ("-a*b", Binary("*", Unary("-", a), b)),
        ("a*-b", Binary("*", a, Unary("-", b))),
        ("+-a", Unary("+", Unary("-", a))),
        ("x.T**2", Binary("**", transposed(x), TWO)),
        ("x[0]**2", Binary("**", Index(x, (Number("0"),)), TWO)),
    ],
)
def test_precedence(text: str, expected: Node) -> None:
    assert tree(text) == expected


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "==", "!="])
def test_comparisons_bind_least(operator: str) -> None:
    assert tree(f"a + b {operator} c") == Binary(operator, Binary("+", a, b), c)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("a .* b", "a*b"),
        ("a./b", "a/b"),
        ("x.^2", "x**2"),
        ("2.*x", "2. * x"),
        ("2.^x", "2.**x"),
        ("a·b", "a*b"),
        ("a × b", "a*b"),
        ("a ⊙ b", "a*b"),
        ("a − b", "a - b"),
        ("−x", "-x"),
        ("a ≤ b", "a <= b"),
        ("a ≥ b", "a >= b"),
        ("a ≠ b", "a != b"),
        ("Aᵀ", "A.T"),
        ("AᵀB₁".replace("B", "@B"), "A.T @ B₁"),
        ("x²", "x**2"),
        ("-x³ + 1", "-(x**3) + 1"),
        ("x¹²", "x**12"),
        ("Aᵀ²", "A.T**2"),
        ("2**x²", "2**(x**2)"),
        ("A.'", "A.T"),
        ('norm(X, "fro")', "norm(X, 'fro')"),
        ("sin (x)", "sin(x)"),
        ("f(x, y,)", "f(x, y)"),
        ("x . T", "x.T"),
        ("x\u00a0+\u200by", "x + y"),
    ],
)
def test_other_ways_to_write_it(text: str, same: str) -> None:
    assert parse(text) == parse(same)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A'*B'", Binary("*", transposed(A), transposed(B))),
        ("(A')'", transposed(transposed(A))),
        ("A''", transposed(transposed(A))),
        ("A.T'", transposed(transposed(A))),
        ("x'@A'@y", Binary("@", Binary("@", transposed(x), transposed(A)), y)),
        ("norm(A','fro')", Call("norm", (transposed(A), String("fro")))),
        ("norm(X,'fro')", Call("norm", (X, String("fro")))),
        ("norm(X, ord='fro')", Call("norm", (X,), (Keyword("ord", String("fro")),))),
        ("f('a', B', 'c')'", transposed(Call("f", (String("a"), transposed(B), String("c"))))),
        ("x[0]'", transposed(Index(x, (Number("0"),)))),
        ("x₁'", transposed(Name("x₁"))),
        ("f('')", Call("f", (String(""),))),
        ('f("it\'s # (")', Call("f", (String("it's # ("),))),
        ("A.mT", Attribute(A, "mT")),
        ("-x'", Unary("-", transposed(x))),
        ("x'^2", Binary("**", transposed(x), TWO)),
    ],
)
def test_transposes_and_strings(text: str, expected: Node) -> None:
    assert tree(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f()", Call("f", ())),
        ("f(x, a < b)", Call("f", (x, Binary("<", a, b)))),
        (
            "sum(x, axis=0, keepdims=True)",
            Call("sum", (x,), (Keyword("axis", Number("0")), Keyword("keepdims", Literal(True)))),
        ),
        ("x.sum(axis=0)", Call("sum", (x,), (Keyword("axis", Number("0")),))),
        ("X.mm(Y)", Call("mm", (X, Y))),
        ("(x @ A).diagonal().sum()", Call("sum", (Call("diagonal", (Binary("@", x, A),)),))),
        ("x.reshape(2, 3)", Call("reshape", (x, TWO, THREE))),
        ("x.reshape((2, 3))", Call("reshape", (x, TupleLiteral((TWO, THREE))))),
        ("einsum('ij,jk->ik', A, B)", Call("einsum", (String("ij,jk->ik"), A, B))),
        ("x.shape[0]", Index(Attribute(x, "shape"), (Number("0"),))),
        ("x.size * x.ndim", Binary("*", Attribute(x, "size"), Attribute(x, "ndim"))),
        ("x.foo(y)", Call("foo", (x, y))),
    ],
)
def test_calls(text: str, expected: Node) -> None:
    assert tree(text) == expected


def test_a_method_is_remembered_as_one() -> None:
    call = tree("x.sum()")
    assert isinstance(call, Call)
    assert call.method
    assert not call.prefix


PREFIXES = ["np", "numpy", "jnp", "jax.numpy", "jax.nn", "jax.scipy.linalg", "torch", "torch.linalg", "torch.special"]
PREFIXES += ["torch.nn.functional", "tf", "tf.linalg", "tf.math", "scipy.linalg", "scipy.special", "np.linalg"]
PREFIXES += ["numpy.linalg", "jnp.linalg", "sp", "F", "math", "nn.functional", "linalg"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_library_prefixes(prefix: str) -> None:
    call = tree(f"{prefix}.f(A, {prefix}.pi)")
    assert isinstance(call, Call)
    assert (call.function, call.prefix, call.method) == ("f", prefix, False)
    assert call.arguments == (A, Name("pi", prefix=prefix))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("np.inf", Name("inf", prefix="np")),
        ("x[np.newaxis]", Index(x, (Literal(None),))),
        ("np.ones((2, 3)).sum()", Call("sum", (Call("ones", (TupleLiteral((TWO, THREE)),)),))),
        ("F.T @ F", Binary("@", transposed(Name("F")), Name("F"))),
        ("F.sum()", Call("sum", (Name("F"),))),
        ("F.relu(x)", Call("relu", (x,))),
        ("sp.sum(x) @ sp", Binary("@", Call("sum", (Name("sp"), x)), Name("sp"))),
        ("np.T", transposed(Name("np"))),
    ],
)
def test_a_library_name_may_also_be_an_input(text: str, expected: Node) -> None:
    assert tree(text) == expected


def test_an_assigned_library_name_is_no_prefix() -> None:
    assert tree("np = a*b; np.sum(0)") == Call("sum", (Name("np"), Number("0")))


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("x[0]", (Number("0"),)),
        ("x[-1]", (Unary("-", ONE),)),
        ("A[:, 1]", (Slice(), ONE)),
        ("A[1:3, ::2]", (Slice(ONE, THREE), Slice(step=TWO))),
        ("A[1:, :2, 1::, :2:3]", (Slice(ONE), Slice(stop=TWO), Slice(ONE), Slice(stop=TWO, step=THREE))),
        ("A[1:2:3]", (Slice(ONE, TWO, THREE),)),
        ("A[::-1]", (Slice(step=Unary("-", ONE)),)),
        ("A[None, ..., 0]", (Literal(None), Literal(...), Number("0"))),
        ("A[[0, 2]]", (ListLiteral((Number("0"), TWO)),)),
        ("A[[0 2]]", (ListLiteral((Number("0"), TWO)),)),
        ("A[a + 1:b]", (Slice(Binary("+", a, ONE), b),)),
        ("A[0,]", (Number("0"),)),
        ("A[(0, 1)]", (TupleLiteral((Number("0"), ONE)),)),
    ],
)
def test_indexing(text: str, items: tuple[Node, ...]) -> None:
    index = tree(text)
    assert isinstance(index, Index)
    assert index.items == items


def test_indexing_repeats() -> None:
    assert tree("A[0][1]") == Index(Index(A, (Number("0"),)), (ONE,))


MATRIX = ListLiteral((ListLiteral((ONE, TWO)), ListLiteral((THREE, FOUR))))


@pytest.mark.parametrize(
    "text",
    ["[1 2; 3 4]", "[1, 2; 3, 4]", "[1, 2; 3 4]", "[[1, 2], [3, 4]]", "[ 1  2 ;\n 3\t4 ; ]", "[[1, 2,],\n[3, 4],]"],
)
def test_matrices(text: str) -> None:
    assert tree(text) == MATRIX


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", ListLiteral(())),
        ("[1]", ListLiteral((ONE,))),
        ("[1 2 3]", ListLiteral((ONE, TWO, THREE))),
        ("[1; 2]", ListLiteral((ListLiteral((ONE,)), ListLiteral((TWO,))))),
        ("[1 -2; +3 4]", ListLiteral((ListLiteral((ONE, Unary("-", TWO))), ListLiteral((Unary("+", THREE), FOUR))))),
        ("[1 - 2]", ListLiteral((Binary("-", ONE, TWO),))),
        ("[1, 2 - 3]", ListLiteral((ONE, Binary("-", TWO, THREE)))),
        ("[1, 2,]", ListLiteral((ONE, TWO))),
        ("[1,-2]", ListLiteral((ONE, Unary("-", TWO)))),
        ("[−1.5e-3 .5]", ListLiteral((Unary("-", Number("1.5e-3")), Number(".5")))),
        ("[a, b + 1]", ListLiteral((a, Binary("+", b, ONE)))),
        ("[1, 2][0]", Index(ListLiteral((ONE, TWO)), (Number("0"),))),
        ("[1 2; 3 4]'", transposed(MATRIX)),
        ("()", TupleLiteral(())),
        ("(3,)", TupleLiteral((THREE,))),
        ("(2, 3)", TupleLiteral((TWO, THREE))),
        ("(2, 3,)", TupleLiteral((TWO, THREE))),
        ("((2))", TWO),
        ("None", Literal(None)),
        ("True", Literal(True)),
        ("False", Literal(False)),
        ("...", Literal(...)),
    ],
)
def test_literals(text: str, expected: Node) -> None:
    assert tree(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Z = X @ Y; norm(Z, 'fro')",
        "Z = X @ Y\nnorm(Z, 'fro')",
        "\n\n  Z = X @ Y  # a product\r\n\r\n  norm(Z,   # of it\n    'fro')  \n",
        ";Z = X @ Y;;\n; norm(Z, 'fro');",
        "Z = X \\\n @ Y; norm(Z, 'fro')",
        "\tZ = (X\n\n@\nY); norm(Z, 'fro')",
        "\ufeffZ = X @ Y; norm(Z, 'fro')",
    ],
)
def test_statements(text: str) -> None:
    program = parse(text)
    assert program.assignments == (Assignment("Z", Binary("@", X, Y)),)
    assert program.result == Call("norm", (Name("Z"), String("fro")))
    assert list(free_names(program)) == ["X", "Y"]


def test_a_newline_does_not_separate_the_numbers_of_a_row() -> None:
    with pytest.raises(SyntaxProblem, match="side by side"):
        parse("[1 2\n3 4]")


@pytest.mark.parametrize(
    "text",
    [
        "x.T @ A @ x",
        "(a + b)*c - -x",
        "Z = a*b # rest (\nnorm( (Z) ,'fro', axis = 0) [1:2, None] ' + np.pi",
        "((a))^2²",
        "[1 -2; 3 4] + [a, (b,), ()]",
        "\\\n x.sum(axis=(0,\n 1)) < torch.linalg.norm(Z, ord='fro')",
    ],
)
def test_spans_nest_and_hold_what_they_say(text: str) -> None:
    program = parse(text.replace(" '", "'"))
    text = text.replace(" '", "'")
    for node in walk(program):
        start, end = node.span
        assert 0 <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        inside = [child.span for child in children(node)]
        assert all(start <= first and last <= end for first, last in inside)
        if not isinstance(node, Call):
            assert all(one[1] <= other[0] for one, other in pairwise(inside))
        if isinstance(node, Name | Number):
            assert text[start:end].strip("()").split(".")[-1] in (
                getattr(node, "name", ""),
                getattr(node, "text", ""),
                "²",
            )


def test_spans_of_words_and_operators() -> None:
    text = "Zeta = a @ (b); np.linalg.inv(A).sum()"
    program = parse(text)
    (assignment,) = program.assignments
    assert text[slice(*assignment.name_span)] == "Zeta"
    assert text[slice(*assignment.span)] == "Zeta = a @ (b)"
    assert isinstance(assignment.value, Binary)
    assert text[slice(*assignment.value.operator_span)] == "@"
    assert text[slice(*assignment.value.right.span)] == "(b)"
    total = program.result
    assert isinstance(total, Call)
    assert text[slice(*total.function_span)] == "sum"
    assert text[slice(*total.span)] == "np.linalg.inv(A).sum()"
    inverse = total.arguments[0]
    assert isinstance(inverse, Call)
    assert text[slice(*inverse.function_span)] == "inv"
    assert text[slice(*inverse.span)] == "np.linalg.inv(A)"
    assert text[slice(*program.span)] == text


def test_long_chains_are_not_deep() -> None:
    names = 0
    for node in walk(parse(" + ".join(["x"] * 2000))):
        names += isinstance(node, Name)
    assert names == 2000


@pytest.mark.parametrize("levels", [150, 199])
def test_deep_brackets(levels: int) -> None:
    assert tree("(" * levels + "x" + ")" * levels) == x


@pytest.mark.parametrize(
    "text",
    ["(" * 201 + "x" + ")" * 201, "-" * 5000 + "x", "**".join("x" * 5000), "x" + "'" * 5000, "f(" * 5000, "[" * 5000],
)
def test_too_deep(text: str) -> None:
    with pytest.raises(SyntaxProblem):
        parse(text)
