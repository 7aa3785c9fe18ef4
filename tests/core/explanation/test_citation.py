"""Sources: a derivative that is published is found under other names, and nothing else is."""

from __future__ import annotations

import pytest

from matgrad.core.explanation.citation import identities, short, sources
from matgrad.core.problems.problem import Problem
from matgrad.core.session import Wishes, prepare


def found(text: str, kind: str, *wrt: str, **assume: str) -> tuple[str, ...]:
    assumptions = {name: frozenset({word}) for name, word in assume.items()}
    problem = Problem.of(text, kind, wrt, assumptions)
    (known,) = sources(prepare(problem, {}, Wishes()).calculation)
    return known


@pytest.mark.parametrize(
    ("text", "kind", "wrt", "equation"),
    [
        ("x.T @ A @ x", "grad", "x", 81), ("z @ (M @ z)", "grad", "z", 81), ("u @ M @ v", "grad", "M", 70),
        ("y.T @ inv(K) @ z", "grad", "K", 61), ("trace(W @ W @ C)", "grad", "W", 107), ("inv(K)", "jacobian", "K", 60),
        ("det(S)", "grad", "S", 49), ("logdet(S)", "grad", "S", 57), ("trace(P @ Q)", "grad", "P", 100),
        ("u @ solve(Z, v)", "grad", "Z", 61), ("log(abs(det(Z)))", "grad", "Z", 57), ("slogdet(Z)[1]", "grad", "Z", 57),
        ("(z - h)/norm(z - h)", "jacobian", "z", 130),
    ],
)  # fmt: skip
def test_names_do_not_matter(text: str, kind: str, wrt: str, equation: int) -> None:
    assert f"Matrix Cookbook ({equation})" in found(text, kind, wrt)


def test_the_kind_matters() -> None:
    assert all("Cookbook (81)" not in source for source in found("x @ A @ x", "hessian", "x"))


def test_assumptions_matter() -> None:
    """With X symmetric the gradient of the trace is another one than the published."""
    assert "Matrix Cookbook (100)" in found("trace(X @ A)", "grad", "X")
    assert found("trace(X @ A)", "grad", "X", X="symmetric") == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [("sin(x) @ x", "grad"), ("2*(x @ A @ x)", "grad"), ("x @ A @ x + 1", "grad"), ("sin(a*x)", "jacobian")],
)
def test_what_is_not_published_has_no_source(text: str, kind: str) -> None:
    assert found(text, kind, "x") == ()


def test_equations_of_the_cookbook_are_cited_by_number() -> None:
    cookbook = [record["source"] for record in identities() if record["group"] == "cookbook"]
    assert short(cookbook[0]) == "Matrix Cookbook (13)"
    assert short("Minka, section 2") == "Minka, section 2"
