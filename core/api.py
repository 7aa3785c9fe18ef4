"""The Python face: derivatives as callables, compiled once per set of shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from math import prod
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, TypeVar, cast

from numpy.typing import ArrayLike

from ..grammar.advice import Setting, advise, in_python
from .arrays import Array, Static, statics
from .errors import ExpressionError, InputError, Label, MatgradError, UsageProblem, point_into, pointing_into
from .keywords import Assumptions, Inputs, Names, Options, Shapes, names, read_assumptions, read_limit, read_shapes
from .problems.answer import Check, Input
from .problems.assumptions import check_assumptions
from .problems.calculation import Calculation
from .problems.compiler import DEFAULT_SAMPLES, MOST_SHAPES, Compiler
from .problems.problem import DIRECTIONS, STRUCTURED_KINDS, Problem, direction_name, tangent_name
from .problems.real_arrays import real_array
from .session import DEFAULT_LIMIT, Wishes, answer, explained, prepare, sample_shapes, strict_derivatives
from .shapes import Shape, show
from .sparse import Sparse

if TYPE_CHECKING:
    from typing import Unpack

    from .claims.verdict import Verdict

KINDS = ("grad", "jacobian", "hessian")


class Recipe(NamedTuple):
    """What a derivative is made of: plain values, which compare, and pickle small."""

    expression: str
    kind: str
    wrt: tuple[str, ...]
    options: Options


def made(recipe: Recipe) -> Derivative:
    """Return the derivative of a recipe."""
    return Derivative(recipe.expression, recipe.kind, recipe.wrt, **recipe.options)


Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


def _pointing(
    method: Callable[Concatenate[Derivative, Parameters], Returned],
) -> Callable[Concatenate[Derivative, Parameters], Returned]:
    """Let the errors of a method point into the expression."""

    @wraps(method)
    def pointed(self: Derivative, /, *positional: Parameters.args, **named: Parameters.kwargs) -> Returned:
        with pointing_into(self.problem.text):
            return method(self, *positional, **named)

    return pointed


class Derivative:
    """A derivative (or a value) of an expression, called with the inputs by name.

    Example: `Derivative("a*b", "jacobian", "b")(a=[1, 2, 3], b=[4, 5, 6])` is a 3×3 float64 array.

    The first call with new shapes compiles a program; later calls run it. With a batch, calls take arrays with the
    sample axis first, and with `reduce` they return the derivative of the sum, or the mean, over the samples.
    With several names a call returns a tuple, one array per name; `hessian` and `derivative` return one.
    """

    def __init__(
        self,
        expression: str,
        kind: str,
        wrt: Names,
        /,
        *,
        shapes: Shapes | None = None,
        assume: Assumptions | None = None,
        batch: Names = (),
        reduce: str | None = None,
        strict: bool = False,
        max_memory: int | str = DEFAULT_LIMIT,
        independent_entries: bool = False,
    ) -> None:
        if not isinstance(expression, str):
            message = f"an expression is text, and this is of type `{type(expression).__name__}`"
            raise UsageProblem(message, helps=['put it in quotes: "x.T @ A @ x"'])
        with pointing_into(expression):
            known = read_assumptions(assume or {})
            problem = Problem.of(expression, kind, names(wrt), known, names(batch), reduce=reduce)
        self.problem = replace(problem, independent_entries=independent_entries)
        self.shapes = read_shapes(shapes or {})
        self.strict = strict
        self.max_memory = read_limit(max_memory)
        self._assumptions = self.problem.assumptions
        self._assured: dict[str, Array] = {}
        self._compiler = Compiler(self.problem)
        self._seen: dict[tuple[Shape, ...], Calculation] = {}

    @property
    def recipe(self) -> Recipe:
        """What the derivative is made of: derivatives are equal, and pickled, by it, before and after they are used."""
        problem = self.problem
        options = Options(
            shapes=self.shapes, assume={name: sorted(words) for name, words in problem.assumptions.items()},
            batch=problem.batch, reduce=problem.reduce, strict=self.strict, max_memory=self.max_memory,
            independent_entries=problem.independent_entries,
        )  # fmt: skip
        return Recipe(problem.text, problem.kind, problem.wrt, options)

    def __reduce__(self) -> tuple[Callable[[Recipe], Derivative], tuple[Recipe]]:
        return made, (self.recipe,)

    def __eq__(self, other: object) -> bool:
        return self.recipe == other.recipe if isinstance(other, Derivative) else NotImplemented

    def __hash__(self) -> int:
        recipe = self.recipe
        return hash((recipe.expression, recipe.kind, recipe.wrt))

    def __call__(self, /, **inputs: ArrayLike) -> Any:
        """Return the derivative at the inputs, as a float64 array of the documented shape.

        A jvp or hvp takes the direction as `tangent`, a vjp as `cotangent`, unless the expression has an input of
        that name; with several names it is one for all, or a tuple with one for each. Raises InputError for missing,
        surplus or ragged inputs, and for those that are not as assumed; with `strict`, EvaluationError where the
        result is not finite or a choice. Otherwise what is not finite passes through.
        """
        try:
            values, calculation = self._bound(inputs)
            run = strict_derivatives if self.strict else explained
            results = run(calculation, calculation.derivative_program.run, values)
        except MatgradError as error:  # a context manager would cost every call as much as the smallest program
            point_into(self.problem.text, error)
            raise
        return results[0] if len(results) == 1 else tuple(results)

    def arrays(self, inputs: Inputs, *, value: bool = False) -> list[Array]:
        """Return the derivatives at the inputs as a list, after the value where that is wanted too.

        Example: `Derivative("x @ x", "grad", "x").arrays({"x": [1, 2]}, value=True)` is `[5, [2, 4]]`. Raises errors as
        a call does.
        """
        with pointing_into(self.problem.text):
            values, calculation = self._bound(inputs)
            run = strict_derivatives if self.strict else explained
            program = calculation.program if value else calculation.derivative_program
            return list(run(calculation, program.run, values))

    def bytes_for(self, inputs: Inputs, shapes: Mapping[str, Shape]) -> int:
        """Return how much memory a call with inputs of such shapes takes at most, value included.

        Of `inputs` those are looked at on which a program may depend, which never differ between samples.
        """
        with pointing_into(self.problem.text):
            calculation = self._at(inputs, shapes)
        return 8 * (sum(prod(shapes[name]) for name in self.problem.names) + calculation.program.entries)

    def shapes_for(self, inputs: Inputs, shapes: Mapping[str, Shape]) -> list[Shape]:
        """Return the shape of each derivative for inputs of such shapes, of one sample where each has its own."""
        with pointing_into(self.problem.text):
            calculation = self._at(inputs, shapes)
        return [node.shape for _, node in calculation.results] or [calculation.shape]

    def _at(self, inputs: Inputs, shapes: Mapping[str, Shape]) -> Calculation:
        """Return the calculation for inputs of such shapes, of which only those are read that never differ."""
        own, samples = sample_shapes(self.problem, {name: shapes[name] for name in self.problem.names})
        near = [name for name in own if name not in self.problem.batch and not hasattr(inputs[name], "__dask_graph__")]
        fixed = {name: real_array(name, inputs[name]) for name in near}
        return self._compiler.find(own, statics(fixed), samples).calculation

    @_pointing
    def dask(self, /, **inputs: Any) -> Any:
        """Return the derivative as a lazy Dask array, for inputs of which some are Dask arrays.

        Example: `matgrad.grad("x @ w", "w", batch="x", reduce="sum").dask(x=dask_array, w=w).compute()`. With a batch,
        a task computes a chunk of samples; what reduces them is added in a tree of fixed form. Without one, a task
        computes some rows. With several names it is a tuple, one array per name.

        Raises InputError for chunks that cannot be used, UsageProblem where Dask is not installed, errors as a call.
        """
        from .dask_arrays import lazy_arrays

        direction = direction_name(self.problem) if self.problem.kind in DIRECTIONS else None
        self._check_names({name: value for name, value in inputs.items() if name != direction})
        found = lazy_arrays(self, inputs)
        return found[0] if len(found) == 1 else tuple(found)

    def varied(self, **options: Any) -> Derivative:
        """Return a derivative that differs in some options: `d.varied(reduce="sum")`."""
        return made(self.recipe._replace(options=cast("Options", {**self.recipe.options, **options})))

    @_pointing
    def structured(self, /, **inputs: ArrayLike) -> Any:
        """Return the derivative at the inputs in compressed form, without forming the dense array.

        Example: `Derivative("exp(x)", "jacobian", "x").structured(x=x) @ v` is `exp(x) * v`, and n numbers are
        stored. The result is a `Structured`; with several names in a `grad` or a `jacobian` a tuple, one per name.

        Raises UsageProblem for a value or a product with a direction, which have no structure, and errors as a call.
        """
        if self.problem.kind not in STRUCTURED_KINDS:
            helps = ["jacobian and hessian have: d.structured(...)"]
            raise UsageProblem(f"a {self.problem.kind} has no compressed form", helps=helps)
        values, calculation = self._matched(inputs)
        run = strict_derivatives if self.strict else explained
        results = run(calculation, lambda values: calculation.compressed(values, self.max_memory), values)
        return results[0] if len(results) == 1 else tuple(results)

    @_pointing
    def check(self, /, **inputs: ArrayLike) -> Check:
        """Return how far the derivative is from finite differences, at the inputs or at random ones."""
        return self.checked(inputs)

    def checked(self, inputs: Inputs, seed: int = 0) -> Check:
        """Return the check at inputs, those that are missing being random."""
        values = dict(inputs)
        directions: dict[str, Input | str] = {}
        if self.problem.kind in DIRECTIONS and direction_name(self.problem) in values:
            directions |= {name: Input(value, "argument") for name, value in self._directions(values).items()}
        wishes = self.wishes._replace(seed=seed, strict=self.strict, check=True, directions=directions)
        given = _given(self.problem, values)
        with pointing_into(self.problem.text):
            found = answer(self.problem, given, wishes)
        checks = [result.check for result in found.results if result.check is not None]
        return max(checks, key=lambda check: check.finite_differences or 0.0, default=Check())

    @property
    @_pointing
    def structure(self) -> str | None:
        """The structure of the Jacobian in words, such as `diagonal`, at the given or inferred shapes."""
        found = answer(self.problem, {}, self.wishes)
        return found.results[0].structure if found.results else None

    @property
    @_pointing
    def formula(self) -> str:
        """The closed form as valid input; several names give one line each.

        Example: `Derivative("x.T @ A @ x", "grad", ("x",)).formula` is `(A + A.T) @ x`. Names of sizes, as in
        `eye(n)`, stand for the lengths of axes.
        """
        # What only some uses need is loaded with the first of them, here and below.
        from .formulas.verified import closed_forms

        return "\n".join(form.text for form in closed_forms(self.problem, *self._sample()))

    @property
    @_pointing
    def sizes(self) -> dict[str, int]:
        """What the names of sizes in the formula stand for, at the given or inferred shapes.

        Example: `Derivative("mean(x)", "grad", ("x",), shapes={"x": (4,)}).sizes` is `{"n": 4}`.
        """
        from .formulas.verified import closed_forms

        forms = closed_forms(self.problem, *self._sample())
        return {name: size for form in forms for name, size in form.sizes.items()}

    @property
    @_pointing
    def latex(self) -> str:
        r"""The closed form in LaTeX, at the given or inferred shapes; several names give one line each.

        Example: `Derivative("logdet(X)", "grad", ("X",)).latex` is `X^{-\top}`.
        """
        from .export.latex import latex

        return "\n".join(latex(self.problem, *self._sample()))

    @_pointing
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

    def _sample(self) -> tuple[dict[str, Shape], dict[str, Static]]:
        """Return shapes for all inputs, given or inferred, and the values of those that are sizes."""
        prepared = prepare(self.problem, {}, self.wishes)
        if (fixed := prepared.calculation.fixed) and not self.wishes.declared:
            name = fixed[0].partition(".")[0]
            raise ExpressionError(
                f"the lengths of `{name}` are needed in numbers here",
                Label(self.problem.names[name], "no shape"),
                helps=[advise("give a shape: ", Setting("shapes", {name: prepared.shapes[name]}))],
            )
        return prepared.shapes, prepared.statics

    def __repr__(self) -> str:
        wrt = f", wrt={', '.join(self.problem.wrt)}" if self.problem.wrt else ""
        return f"<matgrad {self.problem.kind} of {self.problem.text!r}{wrt}>"

    @property
    def wishes(self) -> Wishes:
        """How questions about the derivative itself are answered."""
        batch = self.problem.batch
        declared = {name: (DEFAULT_SAMPLES, *own) if name in batch else own for name, own in self.shapes.items()}
        return Wishes(declared=declared, check=False, limit=self.max_memory)

    def _bound(self, inputs: Inputs) -> tuple[dict[str, Array], Calculation]:
        """Return the values and the calculation for them; for shapes seen before no shape is checked again."""
        names = self.problem.names
        if inputs.keys() == names.keys():
            values = {name: real_array(name, inputs[name], self.max_memory) for name in names}
            seen = self._seen.get(tuple([value.shape for value in values.values()]))
            if seen is not None:
                if self._assumptions:
                    self._assure(values)
                return values, seen
        values, calculation = self._matched(inputs)
        calculation.guard(self.max_memory, values, with_value=self.strict)
        if not calculation.statics and inputs.keys() == names.keys() and len(self._seen) < MOST_SHAPES:
            self._seen[tuple([values[name].shape for name in names])] = calculation
        return values, calculation

    def _assure(self, values: Mapping[str, Array]) -> None:
        """Check what is assumed of values; those of the last call, which are compared entry by entry, hold already."""
        for name, words in self._assumptions.items():
            value, known = values[name], self._assured.get(name)
            if isinstance(value, Sparse):
                check_assumptions({name: words}, values)
            elif known is None or known.shape != value.shape or not (known == value).all():
                check_assumptions({name: words}, values)
                self._assured[name] = value.copy()

    def _matched(self, inputs: Inputs) -> tuple[dict[str, Array], Calculation]:
        """Return the values and the calculation for their shapes, after all that can be checked."""
        given = dict(inputs)
        directions = self._directions(given) if self.problem.kind in DIRECTIONS else {}
        values = self._values(given)
        calculation = self._calculation(values)
        self._assure(values)
        for name, value in directions.items():
            fitted = calculation.direction(name, value)
            if fitted is None:
                needed = show(calculation.direction_shape(name))
                each = " for each sample" if calculation.counts_samples(name) else ""
                by = f" by `{name}`" if len(directions) > 1 else ""
                raise InputError(f"the direction{by} has shape {show(value.shape)}, and {needed} is needed{each}")
            values[tangent_name(name)] = fitted
        return values, calculation

    def _directions(self, given: dict[str, Any]) -> dict[str, Array]:
        """Take the directions out of what is given: one for all names, or a tuple with one for each."""
        key, names = direction_name(self.problem), self.problem.wrt
        if key not in given:
            raise InputError(f"missing `{key}`", helps=[f"pass {key}=... with the direction"])
        value = given.pop(key)
        several = value if len(names) > 1 and isinstance(value, tuple) else (value,) * len(names)
        if len(several) != len(names):
            message = f"{len(several)} {key}{'s' if several[1:] else ''} for {len(names)} names"
            raise InputError(message, helps=[f"give one {key} for all, or a tuple with one for each name"])
        return {name: real_array(key, one) for name, one in zip(names, several, strict=True)}

    def _values(self, given: Inputs) -> dict[str, Array]:
        self._check_names(given)
        return {name: real_array(name, given[name], self.max_memory) for name in self.problem.names}

    def _check_names(self, given: Inputs) -> None:
        """Raise InputError for names without a value, and for values without a name."""
        problem = self.problem
        missing = [name for name in problem.names if name not in given]
        if missing:
            names = ", ".join(f"`{name}`" for name in missing)
            message = f"missing input{'s' if len(missing) > 1 else ''} {names}"
            helps = [f"pass {missing[0]}=..."]
            raise InputError(message, notes=[f"inputs given: {', '.join(given) or 'none'}"], helps=helps)
        _refuse_surplus(problem, given)

    def _calculation(self, values: Mapping[str, Array]) -> Calculation:
        shapes, samples = sample_shapes(self.problem, {name: values[name].shape for name in self.problem.names})
        for name, shape in self.shapes.items():
            if name in shapes and shapes[name] != shape:
                one = " in each sample" if name in self.problem.batch else ""
                message = f"`{name}` has shape {show(shapes[name])}{one}, and {show(shape)} was declared"
                own = Setting("shapes", {name: shapes[name]})
                raise InputError(message, helps=[advise("shapes are those of one sample: ", own)] if one else [])
        numbers = statics({name: values[name] for name in shapes})
        return self._compiler.find(shapes, numbers, samples).calculation


def _refuse_surplus(problem: Problem, given: Inputs) -> None:
    surplus = [name for name in given if name not in problem.names]
    if surplus:
        notes = [f"names in the expression: {', '.join(problem.names) or 'none'}"]
        raise InputError(f"`{surplus[0]}` is not in the expression", notes=notes)


def _given(problem: Problem, given: Inputs) -> dict[str, Input]:
    """Return inputs as records, some of which may be missing."""
    _refuse_surplus(problem, given)
    return {name: Input(real_array(name, value), "argument") for name, value in given.items()}


def checked(
    expression: str,
    wrt: Names,
    claim: str | None,
    /,
    *,
    kind: str | None = None,
    inputs: Inputs | None = None,
    seed: int = 0,
    **options: Unpack[Options],
) -> Check | Verdict:
    """Return whether a claimed derivative is right, or without a claim how far matgrad's own is from differences.

    Example: `checked("x @ x", "x", "2*x").holds`. `kind` is `grad`, `jacobian` or `hessian`, by default a Jacobian, or
    for a claim by two names a Hessian. Inputs that are not given are random.
    """
    if kind not in (None, *KINDS):
        raise UsageProblem(f"`{kind}` is not a kind of derivative", helps=[f"one of {', '.join(KINDS)}"])
    count = len(names(wrt)) if claim is not None else 1
    kind = kind or ("jacobian" if count < 2 else "hessian" if count == 2 else "derivative")
    asked = Derivative(expression, kind, wrt, **options)
    if claim is None:
        return asked.checked(inputs or {}, seed)
    from .claims.verdict import check_claim

    with pointing_into(expression):
        given = _given(asked.problem, inputs or {})
        verdict = check_claim(
            asked.problem, claim, given, asked.wishes._replace(seed=seed, strict=asked.strict, check=True)
        )
    return replace(verdict, notes=tuple(in_python(verdict.notes)), helps=tuple(in_python(verdict.helps)))
