"""The spellings of trees: brackets in every pair of operators, names, and templates of functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from matgrad.core.elaboration.ranks import Ranks
from matgrad.core.export.dialects import Dialect
from matgrad.core.export.latex import latex_of
from matgrad.core.export.templates import spelling
from matgrad.grammar.parser import parse
from matgrad.grammar.spellings import LATEX, NUMPY, latex_name, with_functions
from matgrad.grammar.syntax import Attribute, Binary, Call, Index, Name, Node, Number, Unary
from matgrad.grammar.writer import write

SHAPES = {"A": (3, 3), "B": (3, 3), "C": (3, 3)}
VALUES = {name: np.random.default_rng(place).uniform(0.5, 1.5, (3, 3)) for place, name in enumerate(SHAPES)}
LIBRARIES = ("numpy", "torch", "jax")
PREFIXES = {"numpy": "np", "torch": "torch", "jax": "jnp"}
SIGNS = ("+", "-", "*", "/", "@", "**", "<", "==")

# Every way to build a matrix out of one or two.
Builder = Callable[[Node, Node], Node]
BUILDERS: dict[str, Builder] = {
    **{sign: lambda left, right, sign=sign: Binary(sign, left, right) for sign in SIGNS},  # type: ignore[misc]
    "minus": lambda left, right: Unary("-", left),
    "transpose": lambda left, right: Attribute(left, "T"),
    "inv": lambda left, right: Call("inv", (left,)),
    "exp": lambda left, right: Call("exp", (left,)),
    "scaled": lambda left, right: Binary("*", Number("2"), left),
    "halved": lambda left, right: Binary("/", left, Number("2")),
    "square": lambda left, right: Binary("**", left, Number("2")),
    "solve": lambda left, right: Call("solve", (left, right)),
    "norm": lambda left, right: Binary("*", Call("norm", (left,)), right),
    "diag": lambda left, right: Call("diag", (Call("diagonal", (left,)),)),
    "reversed": lambda left, right: Index(left, parse("A[::-1]").result.items),  # type: ignore[attr-defined]
}
X, Y, Z = Name("A"), Name("B"), Name("C")


def pairs(outer: str) -> Iterator[Node]:
    """Yield a builder around each other one, on the left and on the right."""
    for part in BUILDERS.values():
        yield BUILDERS[outer](part(X, Y), Z)
        yield BUILDERS[outer](Z, part(X, Y))


every_outer = pytest.mark.parametrize("outer", BUILDERS)


def reference(node: Node) -> Any:
    """Return the value of a tree, by walking it."""
    match node:
        case Number(text):
            return float(text)
        case Name(name):
            return VALUES[name]
        case Unary(_, operand):
            return -reference(operand)
        case Attribute(operand, _):
            return reference(operand).T
        case Index(operand, _):
            return reference(operand)[::-1]
        case Call(name, arguments):
            return CALLS[name](*map(reference, arguments))
        case Binary(sign, left, right):
            return OPERATIONS[sign](reference(left), reference(right))
    raise AssertionError(node)


OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "@": np.matmul,
    "**": np.power,
    "<": lambda a, b: np.less(a, b) * 1.0,
    "==": lambda a, b: np.equal(a, b) * 1.0,
}
CALLS: dict[str, Callable[..., Any]] = {
    "inv": np.linalg.inv,
    "exp": np.exp,
    "solve": np.linalg.solve,
    "norm": np.linalg.norm,
    "diag": np.diag,
    "diagonal": np.diagonal,
}


def ranks_of(tree: Node) -> Ranks:
    """Return the ranks of a tree over the matrices A, B and C."""
    ranks = Ranks(SHAPES, {})
    ranks.add(tree)
    return ranks


def tolerant(run: Callable[[], Any]) -> Any:
    """Return a result; singular matrices and fractional powers of negative numbers give None."""
    with np.errstate(all="ignore"):
        try:
            return run()
        except np.linalg.LinAlgError:
            return None


@every_outer
def test_numpy_has_the_right_brackets(outer: str) -> None:
    for tree in pairs(outer):
        text = write(Dialect("numpy", ranks_of(tree), frozenset()).rewritten(tree), spelling("numpy"))
        compare(lambda text=text: eval(text, {"np": np, **VALUES}), tree, text)  # type: ignore[misc]


@every_outer
@pytest.mark.parametrize("library", ["torch", "jax"])
def test_other_libraries_have_the_brackets_of_numpy(library: str, outer: str) -> None:
    """PyTorch and JAX differ from NumPy in words alone; the words are run with the whole functions."""
    for tree in pairs(outer):
        plain = Dialect("numpy", ranks_of(tree), frozenset()).rewritten(tree)
        text = write(plain, spelling(library))
        text = text.replace(f"{PREFIXES[library]}.", "np.").replace(".to(**like)", ".astype(float)")
        assert text == write(plain, spelling("numpy"))


@every_outer
def test_text_has_the_right_brackets(outer: str) -> None:
    for tree in pairs(outer):
        assert parse(write(tree)).result == tree


@every_outer
def test_latex_has_the_right_brackets(outer: str) -> None:
    for tree in pairs(outer):
        text = latex_of(tree, ranks_of(tree))
        well_formed(text)
        if "[::-1]" in write(tree):
            assert "[::-1]" in text  # an index is written as in text
        else:
            compare(lambda text=text: Reader(text).value(), tree, text)  # type: ignore[misc]


def compare(run: Callable[[], Any], tree: Node, text: str) -> None:
    """Fail where a text has another value than its tree."""
    wanted, found = tolerant(lambda: reference(tree)), tolerant(run)
    assert (wanted is None) == (found is None), text
    if wanted is not None:
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-9, err_msg=text)


def well_formed(text: str) -> None:
    """Fail where LaTeX would: brackets that do not match, two superscripts or subscripts on one base."""
    depth = 0
    for token in re.findall(r"\\left|\\right|\\.|[{}]", text):
        depth += {"{": 1, "\\left": 1, "}": -1, "\\right": -1}.get(token, 0)
        assert depth >= 0, text
    assert depth == 0, text
    flat = text
    while (shorter := re.sub(r"\{[^{}]*\}", "G", flat)) != flat:
        flat = shorter
    assert not re.search(r"\^(G|\w)\s*(_(G|\w)\s*)?\^|_(G|\w)\s*(\^(G|\w)\s*)?_", flat), text


class Reader:
    """Evaluates the LaTeX of these pairs as mathematics is read: superscripts bind most, then products, then sums."""

    TOKENS = re.compile(
        r"\s*(\\left\\Vert|\\right\\Vert_\{\w\}|\\left|\\right|\\operatorname\{\w+\}|\\[a-z]+|\\[,]|[\d.]+|\S)"
    )

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = [token for token in self.TOKENS.findall(text) if token != r"\,"] + [""]

    def value(self) -> Any:
        result = self.sum()
        assert self.tokens == [""], (self.text, self.tokens)
        return result

    def take(self, *tokens: str) -> bool:
        if self.tokens[: len(tokens)] == list(tokens):
            del self.tokens[: len(tokens)]
            return True
        return False

    def expect(self, *tokens: str) -> None:
        assert self.take(*tokens), (self.text, tokens, self.tokens)

    def sum(self) -> Any:
        result = -self.hadamard() if self.take("-") else self.hadamard()
        while self.tokens[0] in ("+", "-"):
            minus = self.tokens.pop(0) == "-"
            term = self.hadamard()
            result = result - term if minus else result + term
        return result

    def hadamard(self) -> Any:
        result = self.product()
        while self.tokens[0] in (r"\odot", r"\oslash"):
            divided = self.tokens.pop(0) == r"\oslash"
            factor = self.product()
            result = result / factor if divided else result * factor
        return result

    def product(self) -> Any:
        result = self.power()
        while self.tokens[0] not in ("", "+", "-", r"\odot", r"\oslash", r"\right", "}", "<", "=", "]", ")") and not (
            self.tokens[0].startswith(r"\right")
        ):
            self.take(r"\cdot")
            factor = self.power()
            result = result @ factor if np.ndim(result) and np.ndim(factor) else result * factor
        return result

    def power(self) -> Any:
        base = self.atom()
        if self.take("^", "{"):
            if self.take("-", "1"):
                base = np.linalg.inv(base)
            elif self.take("-", r"\top"):
                base = np.linalg.inv(base).T
            elif self.take(r"\top"):
                base = base.T
            else:
                self.take(r"\circ")
                base = base ** self.sum()
            self.expect("}")
        return base

    def atom(self) -> Any:
        token = self.tokens.pop(0)
        if token == r"\left":
            return self.bracketed(r"\right")
        if token in "([":
            self.tokens.insert(0, token)
            return self.bracketed()
        if token == r"\left\Vert":
            inner = self.sum()
            self.expect(r"\right\Vert_{F}")
            return np.linalg.norm(inner)
        if token == r"\frac":
            return self.braced() / self.braced()
        if token == r"\exp":
            return np.exp(self.atom())
        if token == r"\operatorname{diag}":
            return np.diag(self.atom())
        return VALUES[token] if token in VALUES else float(token)

    def bracketed(self, *right: str) -> Any:
        """Read brackets; those that are tall end with a word before them."""
        if self.take("("):
            inner = self.sum()
            self.expect(*right, ")")
            return inner
        self.expect("[")
        left = self.sum()
        less = self.take("<")
        if not less:
            self.expect("=")
        other = self.sum()
        self.expect(*right, "]")
        return (np.less if less else np.equal)(left, other) * 1.0

    def braced(self) -> Any:
        self.expect("{")
        inner = self.sum()
        self.expect("}")
        return inner


# --- names and templates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("x", "x"),
        ("alpha", r"\alpha"),
        ("β", r"\beta"),
        ("λ_1", r"\lambda_{1}"),
        ("Σ", r"\Sigma"),
        ("x_1", "x_{1}"),
        ("x₁", "x_{1}"),
        ("w2", "w_{2}"),
        ("x_new", r"x_{\mathrm{new}}"),
        ("x_i_2", "x_{i,2}"),
        ("weights", r"\mathrm{weights}"),
        ("omicron", r"\mathrm{omicron}"),
    ],
)
def test_names_in_latex(name: str, wanted: str) -> None:
    assert latex_name(name) == wanted
    well_formed(latex_name(name) + r"^{\top}")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("inv(A).T", r"A^{-\top}"),
        ("A.T @ B", r"A^{\top} B"),
        ("(A @ B).T", r"(A B)^{\top}"),
        ("(A**2).T", r"(A^{\circ 2})^{\top}"),
        ("A*B", r"A \odot B"),
        ("-A @ B + C", r"-A B + C"),
        ("A - -B", r"A - (-B)"),
        ("-A*B / 2", r"-\frac{A \odot B}{2}"),
        ("2*A @ B", "2 A B"),
        ("A @ B / 2", r"\frac{A B}{2}"),
        ("norm(A)**2", r"\left\Vert A \right\Vert_{F}^{2}"),
        ("trace(A @ B)", r"\operatorname{tr}(A B)"),
        ("logdet(A)", r"\log\det(A)"),
        ("eye(3)", "I_{3}"),
        ("ones((2, 3))", r"\mathbf{1}_{2} \mathbf{1}_{3}^{\top}"),
        ("A[0] @ B @ C[0]", r"A[0]^{\top} B C[0]"),
        ("A[0] @ B", r"B^{\top} A[0]"),
        ("outer(A[0], B[1])", r"A[0] B[1]^{\top}"),
        ("2*outer(A[0], B[1])", r"2 A[0] B[1]^{\top}"),
        ("solve(A.T, B)", r"A^{-\top} B"),
        ("einsum('ik,kj->ij', A, B)", r"\left[\sum_{k} A_{ik} B_{kj}\right]_{ij}"),
        ("einsum('ik,lj->ijkl', eye(3), B)", r"[\delta_{ik} B_{lj}]_{ijkl}"),
        ("sqrt(trace(A))", r"\sqrt{\operatorname{tr}(A)}"),
        ("A > 0", r"[A > 0]"),
        ("2*3", r"2 \cdot 3"),
        ("2.5e-6*A", r"2.5 \cdot 10^{-6} \, A"),
        ("1e-6**2", r"(10^{-6})^{2}"),
        ("kron(A @ B, C)", r"(A B) \otimes C"),
        ("kron(A, B) @ kron(B, C)", r"(A \otimes B) (B \otimes C)"),
        ("norm(A, 'nuc')", r"\left\Vert A \right\Vert_{*}"),
    ],
)
def test_latex(text: str, wanted: str) -> None:
    tree = parse(text).result
    assert latex_of(tree, ranks_of(tree)) == wanted


@pytest.mark.parametrize(
    ("text", "numpy", "torch", "jax"),
    [
        ("sum(A, axis=0)", "np.sum(A, axis=0)", "torch.sum(A, dim=0)", "jnp.sum(A, axis=0)"),
        ("logdet(A)", "np.linalg.slogdet(A)[1]", "torch.logdet(A)", "jnp.linalg.slogdet(A)[1]"),
        ("A[0].T", "A[0]", "A[0]", "A[0]"),
        ("A[:, ::-1]", "A[:, ::-1]", "torch.flip(A, (1,))", "A[:, ::-1]"),
        ("A[2::-2]", "A[2::-2]", "torch.flip(A, (0,))[-3::2]", "A[2::-2]"),
        ("A[[0, 2]]", "A[[0, 2]]", "A[[0, 2]]", "A[jnp.array([0, 2])]"),
        ("A @ (A > 0)", "A @ (A > 0).astype(float)", "A @ (A > 0).to(**like)", "A @ (A > 0).astype(float)"),
        ("A*(A > 0)", "A*(A > 0)", "A*(A > 0)", "A*(A > 0)"),
        ("maximum(A, 0)", "np.maximum(A, 0)", "torch.maximum(A, torch.tensor(0, **like))", "jnp.maximum(A, 0)"),
        ("exp(2)*A", "np.exp(2)*A", "torch.exp(torch.tensor(2, **like))*A", "jnp.exp(2)*A"),
        ("pi*A", "np.pi*A", "torch.pi*A", "jnp.pi*A"),
        ("vec(A @ B)", "np.ravel((A @ B).T)", "torch.ravel((A @ B).T)", "jnp.ravel((A @ B).T)"),
        (
            "softmax(A)",
            "softmax(A)",
            "torch.reshape(torch.softmax(torch.ravel(A), dim=0), A.shape)",
            "jnp.reshape(jax.nn.softmax(jnp.ravel(A), axis=0), A.shape)",
        ),
        ("relu(A)", "np.maximum(A, 0)", "torch.relu(A)", "jax.nn.relu(A)"),
    ],
)
def test_words_of_the_libraries(text: str, numpy: str, torch: str, jax: str) -> None:
    tree = parse(text).result
    found = [write(Dialect(to, ranks_of(tree), frozenset()).rewritten(tree), spelling(to)) for to in LIBRARIES]
    assert found == [numpy, torch, jax]


def test_a_slot_that_is_not_enclosed_gets_brackets() -> None:
    spelled = with_functions(NUMPY, {"turned": "#1.T", "twice": "f(#1, #2)", "raised": "#1^{2}"})
    total = Binary("+", X, Y)
    assert write(Call("turned", (total,)), spelled) == "(A + B).T"
    assert write(Call("twice", (total, total)), spelled) == "f(A + B, A + B)"
    assert write(Call("raised", (Call("raised", (X,)),)), spelled) == "(A^{2})^{2}"


def test_what_has_no_template_is_spelled_by_its_name() -> None:
    assert write(Call("something", (X,)), NUMPY) == "np.something(A)"
    assert write(Call("some_thing", (X,)), LATEX) == r"\operatorname{some\_thing}\left(A\right)"
