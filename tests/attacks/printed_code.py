"""Random derivatives as printed NumPy functions: they run alone, and give the numbers of the derivative."""

from __future__ import annotations

from random import Random

import numpy as np
from attacks.strange_shapes import samples
from expressions import SHAPES, grown, names_in

import matgrad

PROMISE = "printed code runs and equals the numbers"
INPUTS = 40

KINDS = ("value", "grad", "jacobian", "hessian", "jvp", "vjp", "hvp")
FUNCTION = {"grad": "gradient"}
# What the table's samples are about, where the random expressions have no such name.
MORE = {"a": (), "b": (), "u": (3,), "W": (3, 2), "S": (2, 3, 3), "C": (3, 1, 2)}
TOLERANCE = 1e-7


def attack(seed: int) -> str | None:
    random = Random(seed)
    text, values = question(random)
    kind = random.choice(KINDS)
    try:
        derivative = asked(kind, text, random, values)
        wanted = derivative(**values)
        code = derivative.code("numpy")
    except matgrad.MatgradError:
        return None
    try:
        found = run(code, FUNCTION.get(kind, kind), values)
    except Exception as error:
        # SciPy refuses what matgrad takes the symmetric part of.
        if "should be symmetric" in str(error):
            return None
        error.add_note(f"{derivative!r}\n{code}")
        raise
    # Of several derivatives that of the first name is looked at.
    wanted, found = (item[0] if isinstance(item, tuple) else item for item in (wanted, found))
    given = {name: value for name, value in values.items() if name in derivative.problem.names}
    defined = np.isfinite(real_or_nan(np.asarray(matgrad.value(text)(**given))))
    if np.shape(found) == np.shape(wanted) and (not defined.any() or close(found, wanted, partly=not defined.all())):
        return None
    return f"{derivative!r}\n{code}\nat {values}\ngives {found}\nand not {wanted}"


def question(random: Random) -> tuple[str, dict[str, np.ndarray]]:
    """Return an expression and values: grown, or a function of the table alone."""
    if random.randrange(2):
        text, _ = grown(random.randrange(2**32), depth=3)
        shapes = {name: SHAPES[name] for name in names_in(text)}
    else:
        text = random.choice(samples())
        names = matgrad.value(text).problem.names
        shapes = {name: {**SHAPES, **MORE}.get(name, (3,)) for name in names}
    generator = np.random.default_rng(random.randrange(2**32))
    # Away from kinks, where a formula may choose otherwise, and within the domain of most functions.
    values = {name: np.asarray(generator.uniform(0.2, 0.9, shape)) for name, shape in shapes.items()}
    return text, values


def asked(kind: str, text: str, random: Random, values: dict[str, np.ndarray]) -> matgrad.Derivative:
    """Return a derivative by one or two of the names; what gives its direction joins the values."""
    shapes = {name: value.shape for name, value in values.items()}
    if kind == "value":
        return matgrad.value(text, shapes=shapes)
    name = random.choice(sorted(values)) if values else "x"
    derivative: matgrad.Derivative = getattr(matgrad, kind)(text, name, shapes=shapes)
    if kind in ("jvp", "hvp"):
        values["tangent"] = np.asarray(np.random.default_rng(0).standard_normal(values[name].shape))
    if kind == "vjp":
        given = {key: value for key, value in values.items() if key != "cotangent"}
        shape = np.shape(matgrad.value(text)(**given))
        values["cotangent"] = np.asarray(np.random.default_rng(0).standard_normal(shape))
    return derivative


def run(code: str, function: str, values: dict[str, np.ndarray]) -> object:
    """Run a printed function; return what follows the value, or the value where that is all."""
    space: dict[str, object] = {}
    exec(compile(code, "<printed>", "exec"), space)
    made = space[function]
    assert callable(made)
    with np.errstate(all="ignore"):
        result = made(**values)
    return result[1] if isinstance(result, tuple) else result


def close(found: object, wanted: object, *, partly: bool) -> bool:
    """Whether numbers agree, what is not finite too.

    Where the value is only `partly` defined, what does not depend on an input has the derivative 0, even beside
    entries that are nan. Printed code multiplies whole arrays, and 0 times nan is nan: it may have nan for such a 0.
    """
    one, other = (real_or_nan(np.asarray(item)) for item in (found, wanted))
    if partly:
        one = np.where(np.isnan(one) & (other == 0), 0.0, one)
    size = float(np.max(np.abs(other), initial=1e-3, where=np.isfinite(other)))
    return bool(np.allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE * min(size, 1.0), equal_nan=True))


def real_or_nan(array: np.ndarray) -> np.ndarray:
    """Return an array that is not real as matgrad has it, as nan."""
    return np.full(array.shape, np.nan) if np.iscomplexobj(array) and array.imag.any() else array.real.astype(float)
