"""matgrad: derivatives of matrix expressions: the closed form, the numbers, and a check that both are right.

    >>> import matgrad
    >>> d = matgrad.jacobian("a*b", wrt="b")
    >>> d(a=[1, 2, 3], b=[4, 5, 6])

Every function takes an expression and returns a callable `Derivative`; `shapes`, `assume` and `batch` mean what they
mean on the command line. Errors are subclasses of `MatgradError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from .core.api import Derivative
    from .core.claims.verdict import Verdict
    from .core.problems.answer import Check
    from .grammar.errors import MatgradError as MatgradError

__version__ = "0.1.0"
__all__ = [
    "MatgradError", "check", "derivative", "grad", "hessian", "hvp", "jacobian", "jvp", "value", "vjp",
]  # fmt: skip

Names = str | Sequence[str] | None


def __getattr__(name: str) -> Any:
    # Whoever asks for the commands alone has no need of the errors.
    if name == "MatgradError":
        from .grammar.errors import MatgradError

        return MatgradError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _derivative(expression: str, kind: str, wrt: Names, options: dict[str, Any]) -> Derivative:
    # NumPy is imported with the first derivative, so that importing matgrad costs nothing.
    from .core.api import Derivative, names

    return Derivative(expression, kind, names(wrt), **options)


def value(expression: str, /, **options: Any) -> Derivative:
    """Return the expression itself as a callable: `value("A @ x")(A=..., x=...)`."""
    return _derivative(expression, "value", None, options)


def grad(expression: str, /, wrt: Names = None, **options: Any) -> Derivative:
    """Return the gradient of a scalar expression, of the shape of `wrt`: `grad("sum(x**2)", "x")`."""
    return _derivative(expression, "grad", wrt, options)


def jacobian(expression: str, /, wrt: Names = None, **options: Any) -> Derivative:
    """Return the generalized Jacobian, of shape `output.shape + wrt.shape`: `jacobian("a*b", wrt="b")`."""
    return _derivative(expression, "jacobian", wrt, options)


def hessian(expression: str, /, wrt: Names = None, **options: Any) -> Derivative:
    """Return the second derivative, mixed for two names: `hessian("x.T @ A @ x", wrt="x")`."""
    return _derivative(expression, "hessian", wrt, options)


def derivative(expression: str, /, wrt: Names = None, **options: Any) -> Derivative:
    """Return the derivative by each name in turn: `derivative("sum(x**3)", wrt=("x", "x", "x"))`."""
    return _derivative(expression, "derivative", wrt, options)


def jvp(expression: str, /, wrt: Names = None, **options: Any) -> Derivative:
    """Return the Jacobian-vector product; calls take the direction as `tangent`."""
    return _derivative(expression, "jvp", wrt, options)


def vjp(expression: str, /, wrt: Names = None, **options: Any) -> Derivative:
    """Return the vector-Jacobian product; calls take the direction as `cotangent`."""
    return _derivative(expression, "vjp", wrt, options)


def hvp(expression: str, /, wrt: Names = None, **options: Any) -> Derivative:
    """Return the Hessian-vector product; calls take the direction as `tangent`."""
    return _derivative(expression, "hvp", wrt, options)


@overload
def check(expression: str, /, wrt: Names = None, *, claim: None = None, **options: Any) -> Check: ...


@overload
def check(expression: str, /, wrt: Names = None, *, claim: str, **options: Any) -> Verdict: ...


def check(expression: str, /, wrt: Names = None, *, claim: str | None = None, **options: Any) -> Check | Verdict:
    """Return whether a claimed derivative is right: `check("x @ x", "x", claim="2*x").holds`.

    The result also has `error`, `matches` (what the claim is instead) and `difference`. Without a claim, return how
    far the Jacobian is from finite differences at random inputs.
    """
    if claim is None:
        return jacobian(expression, wrt, **options).check()
    from .core.api import claimed, names

    return claimed(expression, names(wrt), claim, **options)
