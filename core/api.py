"""The Python face: derivatives as callables, compiled once per set of shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..grammar.advice import in_python
from .arrays import Array, scalars
from .errors import InputError, UsageProblem
from .problems.answer import Check, Input
from .problems.calculation import Calculation
from .problems.compiler import MOST_SHAPES, Compiler
from .problems.problem import DIRECTIONS, STRUCTURED_KINDS, Problem, direction_name, tangent_name
from .session import DEFAULT_LIMIT, DEFAULT_SAMPLES, Wishes, answer, explained, prepare
from .shapes import ASSUMPTIONS, Shape, show

if TYPE_CHECKING:
    from .claims.verdict import Verdict

Assumptions = Mapping[str, str | Sequence[str]]


class Derivative:
    """A derivative (or a value) of an expression, called with the inputs by name.

    Example: `Derivative("a*b", "jacobian", ("b",))(a=[1, 2, 3], b=[4, 5, 6])` is a 3×3 float64 array.

    The first call with new shapes compiles a program; later calls run it. With a batch, calls take arrays with the
    sample axis first. With several names in a `grad` or a `jacobian` a call returns a tuple, one array per name.
    """

    def __init__(
        self,
        expression: str,
        kind: str,
        wrt: Sequence[str],
        /,
        *,
        shapes: Mapping[str, Shape] | None = None,
        assume: Assumptions | None = None,
        batch: Sequence[str] = (),
        strict: bool = False,
        max_memory: int = DEFAULT_LIMIT,
        independent_entries: bool = False,
    ) -> None:
        problem = Problem.of(expression, kind, tuple(wrt), _assumptions(assume or {}), tuple(batch))
        self.problem = replace(problem, independent_entries=independent_entries)
        self.shapes = {name: tuple(shape) for name, shape in (shapes or {}).items()}
        self.strict = strict
        self.max_memory = max_memory
        self._compiler = Compiler(self.problem)
        self._seen: dict[tuple[Shape, ...], Calculation] = {}

    def __call__(self, /, **inputs: ArrayLike) -> Any:
        """Return the derivative at the inputs, as a float64 array of the documented shape.

        A jvp or hvp takes the direction as `tangent`, a vjp as `cotangent`, unless the expression has an input of
        that name. Raises InputError for missing, surplus or ragged inputs. What is not finite passes through.
        """
        values, calculation = self._bound(inputs)
        results = explained(calculation, calculation.derivative_program.run, values)
        return results[0] if len(results) == 1 else tuple(results)

    def structured(self, /, **inputs: ArrayLike) -> Any:
        """Return the derivative at the inputs in compressed form, without forming the dense array.

        Example: `Derivative("exp(x)", "jacobian", ("x",)).structured(x=x) @ v` is `exp(x) * v`, and n numbers are
        stored. The result is a `Structured`; with several names in a `grad` or a `jacobian` a tuple, one per name.

        Raises UsageProblem for a value or a product with a direction, which have no structure, and errors as a call.
        """
        if self.problem.kind not in STRUCTURED_KINDS:
            helps = ["jacobian and hessian have: d.structured(...)"]
            raise UsageProblem(f"a {self.problem.kind} has no compressed form", helps=helps)
        values = self._values(inputs)
        calculation = self._calculation(values)
        results = explained(calculation, lambda values: calculation.compressed(values, self.max_memory), values)
        return results[0] if len(results) == 1 else tuple(results)

    def check(self, /, **inputs: ArrayLike) -> Check:
        """Return how far the derivative is from finite differences, at the inputs or at random ones."""
        given = {name: Input(_array(name, value), "argument") for name, value in inputs.items()}
        found = answer(self.problem, given, Wishes(declared=self._declared(), limit=self.max_memory))
        checks = [result.check for result in found.results if result.check is not None]
        return max(checks, key=lambda check: check.finite_differences or 0.0, default=Check())

    @property
    def structure(self) -> str | None:
        """The structure of the Jacobian in words, such as `diagonal`, at the given or inferred shapes."""
        found = answer(self.problem, {}, Wishes(declared=self._declared(), check=False, limit=self.max_memory))
        return found.results[0].structure if found.results else None

    @property
    def formula(self) -> str:
        """The closed form as valid input; several names give one line each.

        Example: `Derivative("x.T @ A @ x", "grad", ("x",)).formula` is `(A + A.T) @ x`. Names of sizes, as in
        `eye(n)`, stand for the lengths of axes.
        """
        # What only some uses need is loaded with the first of them, here and below.
        from .formulas.verified import closed_forms

        return "\n".join(form.text for form in closed_forms(self.problem, *self._sample()))

    @property
    def latex(self) -> str:
        r"""The closed form in LaTeX, at the given or inferred shapes; several names give one line each.

        Example: `Derivative("logdet(X)", "grad", ("X",)).latex` is `X^{-\top}`.
        """
        from .export.latex import latex

        return "\n".join(latex(self.problem, *self._sample()))

    def code(self, to: str = "numpy") -> str:
        """Return a function that computes the value and the derivative with `numpy`, `torch` or `jax`, as source.

        Example: `print(Derivative("x.T @ A @ x", "grad", ("x",)).code("numpy"))`. Raises UsageProblem for another
        library.
        """
        from .export.functions import code

        return code(self.problem, *self._sample(), to)

    def _repr_latex_(self) -> str:
        """Return what a notebook shows."""
        from .export.latex import statement

        return statement(self.problem, *self._sample())

    def _sample(self) -> tuple[dict[str, Shape], dict[str, int]]:
        """Return shapes for all inputs, given or inferred, and the values of those that are sizes."""
        prepared = prepare(self.problem, {}, Wishes(declared=self._declared(), limit=self.max_memory))
        return prepared.shapes, prepared.whole_numbers

    def __repr__(self) -> str:
        wrt = f", wrt={', '.join(self.problem.wrt)}" if self.problem.wrt else ""
        return f"<matgrad {self.problem.kind} of {self.problem.text!r}{wrt}>"

    def _declared(self) -> dict[str, Shape]:
        batch = self.problem.batch
        return {name: (DEFAULT_SAMPLES, *own) if name in batch else own for name, own in self.shapes.items()}

    def _bound(self, inputs: Mapping[str, ArrayLike]) -> tuple[dict[str, Array], Calculation]:
        """Return the values and the calculation for them; for shapes seen before nothing is checked again."""
        names = self.problem.names
        if inputs.keys() == names.keys():
            values = {name: _array(name, inputs[name]) for name in names}
            seen = self._seen.get(tuple([value.shape for value in values.values()]))
            if seen is not None:
                return values, seen
        values = self._values(inputs)
        calculation = self._calculation(values)
        calculation.guard(self.max_memory, with_value=False)
        if not calculation.statics and inputs.keys() == names.keys() and len(self._seen) < MOST_SHAPES:
            self._seen[tuple([values[name].shape for name in names])] = calculation
        return values, calculation

    def _values(self, inputs: Mapping[str, ArrayLike]) -> dict[str, Array]:
        problem = self.problem
        given = dict(inputs)
        values: dict[str, Array] = {}
        if problem.kind in DIRECTIONS:
            key = direction_name(problem)
            if key not in given:
                raise InputError(f"missing `{key}`", helps=[f"pass {key}=... with the direction"])
            values[tangent_name(problem.wrt[0])] = _array(key, given.pop(key))
        missing = [name for name in problem.names if name not in given]
        if missing:
            names = ", ".join(f"`{name}`" for name in missing)
            message = f"missing input{'s' if len(missing) > 1 else ''} {names}"
            helps = [f"pass {missing[0]}=..."]
            raise InputError(message, notes=[f"inputs given: {', '.join(given) or 'none'}"], helps=helps)
        surplus = [name for name in given if name not in problem.names]
        if surplus:
            notes = [f"names in it: {', '.join(problem.names)}"]
            raise InputError(f"`{surplus[0]}` is not in the expression", notes=notes)
        return values | {name: _array(name, given[name]) for name in problem.names}

    def _calculation(self, values: Mapping[str, Array]) -> Calculation:
        shapes, samples = self._sample_shapes(values)
        numbers = scalars({name: values[name] for name in shapes})
        calculation = self._compiler.find(shapes, numbers, samples).calculation
        for name, shape in self.shapes.items():
            if name in shapes and shapes[name] != shape:
                raise InputError(f"`{name}` has shape {show(shapes[name])}, and {show(shape)} was declared")
        for name in self.problem.wrt:
            direction, needed = values.get(tangent_name(name)), calculation.direction_shape(name)
            if direction is not None and direction.shape[-max(1, len(needed)) :] != needed:
                raise InputError(f"the direction has shape {show(direction.shape)}, and {show(needed)} is needed")
        return calculation

    def _sample_shapes(self, values: Mapping[str, Array]) -> tuple[dict[str, Shape], int | None]:
        """Return the shapes of one sample, and the number of samples where there is a batch."""
        samples = None
        shapes: dict[str, Shape] = {}
        for name in self.problem.names:
            shape = values[name].shape
            if name in self.problem.batch:
                if not shape or samples not in (None, shape[0]):
                    raise InputError(f"`{name}` has shape {show(shape)}; its first axis must count the samples")
                samples, shape = shape[0], shape[1:]
            shapes[name] = shape
        return shapes, samples


def _array(name: str, value: ArrayLike) -> Array:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        message = f"input `{name}` is not a rectangular array of real numbers"
        raise InputError(message, helps=["pass numbers, nested lists of equal length, or a NumPy array"]) from None


def _assumptions(assume: Assumptions) -> dict[str, frozenset[str]]:
    known = {name: frozenset([words] if isinstance(words, str) else words) for name, words in assume.items()}
    for name, words in known.items():
        for word in words.difference(ASSUMPTIONS):
            message = f"`{word}` is not something that can be assumed of `{name}`"
            raise UsageProblem(message, helps=[", ".join(ASSUMPTIONS)])
    return known


def names(wrt: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the variables named by a `wrt` argument: `"x"`, `"x,A"` or `("x", "A")`."""
    if wrt is None:
        return ()
    return tuple(name.strip() for name in wrt.split(",")) if isinstance(wrt, str) else tuple(wrt)


def claimed(
    expression: str,
    wrt: Sequence[str],
    claim: str,
    /,
    *,
    kind: str | None = None,
    inputs: Mapping[str, ArrayLike] | None = None,
    shapes: Mapping[str, Shape] | None = None,
    assume: Assumptions | None = None,
    seed: int = 0,
    max_memory: int = DEFAULT_LIMIT,
) -> Verdict:
    """Return whether a claimed derivative is right: `claimed("x @ x", ("x",), "2*x").holds`.

    `kind` is `grad`, `jacobian` or `hessian`, by default a Hessian for two names and a Jacobian for one. The claim is
    compared at random inputs, and at `inputs` where there are any.
    """
    from .claims.verdict import check_claim

    kind = kind or ("jacobian" if len(wrt) < 2 else "hessian" if len(wrt) == 2 else "derivative")
    problem = Problem.of(expression, kind, tuple(wrt), _assumptions(assume or {}))
    given = {name: Input(_array(name, value), "argument") for name, value in (inputs or {}).items()}
    declared = {name: tuple(shape) for name, shape in (shapes or {}).items()}
    verdict = check_claim(problem, claim, given, Wishes(declared=declared, seed=seed, limit=max_memory))
    return replace(verdict, notes=tuple(in_python(verdict.notes)), helps=tuple(in_python(verdict.helps)))
