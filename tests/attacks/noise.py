"""Numbers that overflow, vanish or are undefined, in every command: they are told in words, not by NumPy."""

from __future__ import annotations

from random import Random

from attacks.in_process import ended

PROMISE = "no warning of NumPy or SciPy reaches standard error"
INPUTS = 100

EXPRESSIONS = (
    "x/0", "0/0*x", "norm(x)**2", "linspace(0, inf, 3)", "log(x)", "exp(x)", "x**-1", "sqrt(-abs(x))", "logsumexp(x)",
    "softmax(x)", "std(x)", "prod(x)", "arcsin(2*x)", "x/norm(x)", "inf*x", "x - inf*x", "cumprod(x)", "det(A)",
    "inv(A)", "logdet(A)", "norm(A, 'nuc')", "expm(A)", "A/0", "1/(x - x)", "tan(x)", "x @ A @ x/0", "1e308*10*x",
    "x**0.5", "sum(x)/sum(0*x)", "xlogy(x, x)", "where(x > 0, log(x), 0)", "x // 0", "x % 0", "0**-1 + x",
    "2.0**5000*x", "cosh(1000*x)", "norm(x, 3)", "norm(x, 0.5)", "x**x", "arccosh(x)", "matrix_power(A, 200)",
    "log1p(-1)*x", "logaddexp(inf*x, x)", "hypot(x, x)/0", "arctan2(x, 0*x)", "sum(x)*inf - inf", "mean(x)/0",
)  # fmt: skip
VALUES = (
    (), ("-v", "x=[0, 0]", "-v", "A=[0 0; 0 0]"), ("-v", "x=[1e200, -1e300]", "-v", "A=[1e200 1; 1 1e300]"),
    ("-v", "x=[1e-200, 5e-324]", "-v", "A=[1e-300 0; 0 1e-320]"), ("-v", "x=[1, 1e-308]", "-v", "A=[1 2; 2 4]"),
)  # fmt: skip
COMMANDS = ("value", "grad", "jacobian", "hessian", "vjp", "jvp", "hvp", "explain", "formula", "check", "claim")


def attack(seed: int) -> str | None:
    random = Random(seed)
    command, expression, values = random.choice(COMMANDS), random.choice(EXPRESSIONS), random.choice(VALUES)
    if command in ("grad", "hessian", "hvp", "claim"):
        expression = f"sum({expression})"
    arguments = ["check" if command == "claim" else command, expression]
    if command != "value":
        arguments += ["--wrt", "A" if "A" in expression and random.random() < 0.5 else "x"]
    if command == "claim":
        arguments += ["--claim", random.choice(("x", "2*x", "x/0"))]
    if command == "formula":
        arguments += ["--to", random.choice(("text", "latex", "numpy"))]
    found = ended([*arguments, *values])
    return f"{found}" if "Warning:" in found.errors else None
