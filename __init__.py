"""matgrad: derivatives of matrix expressions: the closed form, the numbers, and a check that both are right.

    >>> import matgrad
    >>> d = matgrad.jacobian("a*b", wrt="b")
    >>> d(a=[1, 2, 3], b=[4, 5, 6])

Every function takes an expression and returns a callable `Derivative`. `shapes` and `assume` say what is known of the
inputs, `batch` names those whose first axis counts samples, and `reduce`, "sum" or "mean", what is made of the samples.
`strict` makes a kink or a result that is not finite an error, `max_memory` is a number of bytes or a text such as
"500MB", and `independent_entries` counts each pair of entries of a symmetric variable once. Errors are subclasses of
`MatgradError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from .core.api import Derivative
    from .core.claims.verdict import Verdict
    from .core.keywords import Assumptions, Inputs, Names, Shapes
    from .core.problems.answer import Check
    from .grammar.errors import MatgradError as MatgradError

__version__ = "0.1.0"
__all__ = [
    "MatgradError", "check", "derivative", "grad", "hessian", "hvp", "jacobian", "jvp", "value", "vjp",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    # Whoever asks for the commands alone has no need of the errors.
    if name == "MatgradError":
        from .grammar.errors import MatgradError

        return MatgradError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _derivative(
    expression: str, kind: str, wrt: Names, shapes: Shapes | None, assume: Assumptions | None, batch: Names,
    reduce: str | None, strict: bool, max_memory: int | str, independent_entries: bool,
) -> Derivative:  # fmt: skip
    # NumPy is imported with the first derivative, so that importing matgrad costs nothing.
    from .core.api import Derivative

    return Derivative(
        expression, kind, wrt, shapes=shapes, assume=assume, batch=batch, reduce=reduce, strict=strict,
        max_memory=max_memory, independent_entries=independent_entries,
    )  # fmt: skip


def value(
    expression: str, /, *,
    shapes: Shapes | None = None, assume: Assumptions | None = None, batch: Names = (),
    reduce: str | None = None, strict: bool = False, max_memory: int | str = "1GiB", independent_entries: bool = False,
) -> Derivative:  # fmt: skip
    """Return the expression itself as a callable: `value("A @ x")(A=..., x=...)`."""
    return _derivative(
        expression, "value", None, shapes, assume, batch, reduce, strict, max_memory, independent_entries
    )


def grad(
    expression: str, /, wrt: Names = None, *,
    shapes: Shapes | None = None, assume: Assumptions | None = None, batch: Names = (),
    reduce: str | None = None, strict: bool = False, max_memory: int | str = "1GiB", independent_entries: bool = False,
) -> Derivative:  # fmt: skip
    """Return the gradient of a scalar expression, of the shape of `wrt`: `grad("sum(x**2)", "x")`."""
    return _derivative(expression, "grad", wrt, shapes, assume, batch, reduce, strict, max_memory, independent_entries)


def jacobian(
    expression: str, /, wrt: Names = None, *,
    shapes: Shapes | None = None, assume: Assumptions | None = None, batch: Names = (),
    reduce: str | None = None, strict: bool = False, max_memory: int | str = "1GiB", independent_entries: bool = False,
) -> Derivative:  # fmt: skip
    """Return the generalized Jacobian, of shape `output.shape + wrt.shape`: `jacobian("a*b", wrt="b")`."""
    return _derivative(
        expression, "jacobian", wrt, shapes, assume, batch, reduce, strict, max_memory, independent_entries
    )


def hessian(
    expression: str, /, wrt: Names = None, *,
    shapes: Shapes | None = None, assume: Assumptions | None = None, batch: Names = (),
    reduce: str | None = None, strict: bool = False, max_memory: int | str = "1GiB", independent_entries: bool = False,
) -> Derivative:  # fmt: skip
    """Return the second derivative, mixed for two names: `hessian("x.T @ A @ x", wrt="x")`."""
    return _derivative(
        expression, "hessian", wrt, shapes, assume, batch, reduce, strict, max_memory, independent_entries
    )


def derivative(
    expression: str, /, wrt: Names = None, *,
    shapes: Shapes | None = None, assume: Assumptions | None = None, batch: Names = (),
    reduce: str | None = None, strict: bool = False, max_memory: int | str = "1GiB", independent_entries: bool = False,
) -> Derivative:  # fmt: skip
    """Return the derivative by each name in turn: `derivative("sum(x**3)", wrt=("x", "x", "x"))`."""
    return _derivative(
        expression, "derivative", wrt, shapes, assume, batch, reduce, strict, max_memory, independent_entries
    )


def jvp(
    expression: str, /, wrt: Names = None, *,
    shapes: Shapes | None = None, assume: Assumptions | None = None, batch: Names = (),
    reduce: str | None = None, strict: bool = False, max_memory: int | str = "1GiB", independent_entries: bool = False,
) -> Derivative:  # fmt: skip
    """Return the Jacobian-vector product; calls take the direction as `tangent`."""
    return _derivative(expression, "jvp", wrt, shapes, assume, batch, reduce, strict, max_memory, independent_entries)


def vjp(
    expression: str, /, wrt: Names = None, *,
    shapes: Shapes | None = None, assume: Assumptions | None = None, batch: Names = (),
    reduce: str | None = None, strict: bool = False, max_memory: int | str = "1GiB", independent_entries: bool = False,
) -> Derivative:  # fmt: skip
    """Return the vector-Jacobian product; calls take the direction as `cotangent`."""
    return _derivative(expression, "vjp", wrt, shapes, assume, batch, reduce, strict, max_memory, independent_entries)


def hvp(
    expression: str, /, wrt: Names = None, *,
    shapes: Shapes | None = None, assume: Assumptions | None = None, batch: Names = (),
    reduce: str | None = None, strict: bool = False, max_memory: int | str = "1GiB", independent_entries: bool = False,
) -> Derivative:  # fmt: skip
    """Return the Hessian-vector product; calls take the direction as `tangent`."""
    return _derivative(expression, "hvp", wrt, shapes, assume, batch, reduce, strict, max_memory, independent_entries)


@overload
def check(
    expression: str, /, wrt: Names = None, *, claim: None = None,
    kind: str | None = None, inputs: Inputs | None = None, seed: int = 0,
    shapes: Shapes | None = None, assume: Assumptions | None = None, batch: Names = (),
    reduce: str | None = None, strict: bool = False, max_memory: int | str = "1GiB", independent_entries: bool = False,
) -> Check: ...  # fmt: skip


@overload
def check(
    expression: str, /, wrt: Names = None, *, claim: str,
    kind: str | None = None, inputs: Inputs | None = None, seed: int = 0,
    shapes: Shapes | None = None, assume: Assumptions | None = None, batch: Names = (),
    reduce: str | None = None, strict: bool = False, max_memory: int | str = "1GiB", independent_entries: bool = False,
) -> Verdict: ...  # fmt: skip


def check(
    expression: str, /, wrt: Names = None, *, claim: str | None = None,
    kind: str | None = None, inputs: Inputs | None = None, seed: int = 0,
    shapes: Shapes | None = None, assume: Assumptions | None = None, batch: Names = (),
    reduce: str | None = None, strict: bool = False, max_memory: int | str = "1GiB", independent_entries: bool = False,
) -> Check | Verdict:  # fmt: skip
    """Return whether a claimed derivative is right: `check("x @ x", "x", claim="2*x").holds`.

    The result also has `error`, `matches` (what the claim is instead) and `difference`. Without a claim, return how
    far matgrad's own derivative is from finite differences. Names without a value in `inputs` get random numbers.
    """
    from .core.api import checked

    return checked(
        expression, wrt, claim, kind=kind, inputs=inputs, seed=seed, shapes=shapes, assume=assume, batch=batch,
        reduce=reduce, strict=strict, max_memory=max_memory, independent_entries=independent_entries,
    )  # fmt: skip
