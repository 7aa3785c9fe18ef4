"""Advice as it is typed: one form of it, a shell line on the terminal, Python where matgrad is called from Python."""

from __future__ import annotations

import pytest

import matgrad
from matgrad.cli.output.advice import shell
from matgrad.grammar.advice import Command, Given, Setting, Text, advise, in_python

ONES = Setting("cotangent", "ones")


@pytest.mark.parametrize(
    ("advice", "terminal", "python"),
    [
        ("name its parts", "name its parts", "name its parts"),
        (Setting("wrt", "x"), "--wrt x", 'wrt="x"'),
        (Setting("strict"), "--strict", "`strict`"),
        (Setting("inputs"), "-v or -i", "`inputs`"),
        (Setting("batch", ("x", "y")), "--batch x --batch y", 'batch=("x", "y")'),
        (Setting("batch", ("x",)), "--batch x", 'batch=("x",)'),
        (Setting("assume", {"A": "symmetric"}), "--assume A=symmetric", 'assume={"A": "symmetric"}'),
        (Setting("shapes", {"x": (2, 3)}), "--shape x=2x3", 'shapes={"x": (2, 3)}'),
        (Setting("shapes", {"mu": ()}), "--shape mu=scalar", 'shapes={"mu": ()}'),
        (Setting("max_memory", 2**34), "--max-memory 16GiB", "max_memory=2**34"),
        (Setting("max_memory", 75 * 2**30), "--max-memory 75GiB", "max_memory=75 * 2**30"),
        (Setting("format", "structured"), "--format structured", "d.structured(...)"),
        (Given("n", 3), "-v n=3", "n=3"),
        (Given("x", [1, 2]), "-v x='[1, 2]'", "x=[1, 2]"),
        (Command("functions"), "matgrad functions", "python -m matgrad functions"),
        (Command("derivative"), "matgrad derivative", "matgrad.derivative"),
        (Command("grad", "A", ("x", "y")), 'matgrad grad "A" --wrt x --wrt y', 'matgrad.grad("A", wrt=("x", "y"))'),
        (
            Command("vjp", "sin(x)", ("x",), (ONES,)),
            'matgrad vjp "sin(x)" --wrt x --cotangent ones',
            'matgrad.vjp("sin(x)", wrt="x")(..., cotangent=np.ones(...))',
        ),
        (Command("value", 'norm(X, "fro")'), 'matgrad value \'norm(X, "fro")\'', "matgrad.value('norm(X, \"fro\")')"),
        (advise("by ", Setting("seed", 1), "!"), "by --seed 1!", "by seed=1!"),
        (Setting("max_memory", 1024), "--max-memory 1KiB", "max_memory=2**10"),
    ],
)  # fmt: skip
def test_advice_is_typed_where_it_is_read(advice: Text, terminal: str, python: str) -> None:
    assert shell(advice) == terminal
    assert in_python([advice]) == [python]


@pytest.mark.parametrize(
    "advice", [Setting("random", "uniform"), Command("jacobian", "x", ("x",), (Setting("layout", "flat"),))]
)
def test_what_python_cannot_do_is_not_advised_there(advice: Text) -> None:
    assert in_python([advice]) == []
    assert shell(advice)


def test_errors_speak_python_in_python() -> None:
    with pytest.raises(matgrad.MatgradError) as caught:
        matgrad.grad("sin(x)", wrt="x")(x=[1, 2])
    lines = str(caught.value).splitlines()
    assert 'help: one number first:  matgrad.grad("sum(sin(x))", wrt="x")' in lines
    assert 'matgrad.vjp("sin(x)", wrt="x")(..., cotangent=np.ones(...))' in lines[-1]
    with pytest.raises(matgrad.MatgradError, match=r"max_memory=2\*\*12"):
        matgrad.jacobian("sin(x)", wrt="x", max_memory=100)(x=range(20))


def test_claims_speak_python_in_python() -> None:
    verdict = matgrad.check("x.T @ A @ x", wrt="x", claim="2 * A @ x")
    assert verdict.helps == ('assume={"A": "symmetric"}',)
    assert not any("layout" in text for text in matgrad.check("A @ x", wrt="x", claim="A.T").helps)
