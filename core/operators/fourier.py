"""Cosine and Fourier transforms along an axis, as the linear maps that they are.

A Fourier transform is complex: its value is a pair of real arrays, of which an expression takes `real`,
`imag` or `abs`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ..elaboration.elaborate import call, elaborate_text
from ..elaboration.entries import ComplexPair
from ..elaboration.settings import is_whole, shown
from ..errors import ExpressionError, ShapeError
from ..graph.algebra import scale
from ..graph.nodes import Node
from ..graph.operator import NOWHERE, Operator
from ..graph.places import progression
from ..graph.ratios import ratio, reciprocal
from ..graph.sizes import quotient, sign
from ..shapes import normalize_axis
from .arranging import bordered_end
from .axes import selected, through

AHMED = "Ahmed, Natarajan & Rao 1974, Discrete cosine transform"

# Row k and column j of each, for n places.
_COSINES = {
    1: "k = arange(n);"
       " concatenate([ones((n, 1)), 2*cos(pi*outer(k, k[1:-1])/(n - 1)), ((-1)**k)[:, None]], 1)",
    2: "2*cos(pi*outer(arange(n), 2*arange(n) + 1)/(2*n))",
    3: "concatenate([ones((n, 1)), 2*cos(pi*outer(2*arange(n) + 1, arange(n)[1:])/(2*n))], 1)",
    4: "2*cos(pi*outer(2*arange(n) + 1, 2*arange(n) + 1)/(4*n))",
}
_ORTHONORMAL = {
    2: "concatenate([ones((1, n))/sqrt(n), sqrt(2/n)*cos(pi*outer(arange(n)[1:], 2*arange(n) + 1)/(2*n))])",
    3: "concatenate([ones((n, 1))/sqrt(n), sqrt(2/n)*cos(pi*outer(2*arange(n) + 1, arange(n)[1:])/(2*n))], 1)",
    4: "sqrt(2/n)*cos(pi*outer(2*arange(n) + 1, 2*arange(n) + 1)/(4*n))",
}
_INVERSE = {1: 1, 2: 3, 3: 2, 4: 4}


def _of_length(x: Node, n: Any, axis: int) -> tuple[Node, int]:
    """Return x cut, or with zeros added, to a length along an axis."""
    place = normalize_axis(axis, x.rank)
    size = x.shape[place]
    if n is None or n == size:
        if size == 0:
            raise ShapeError("a transform needs one entry at least along its axis")
        return x, place
    if not is_whole(n) or sign(n, meant=1) <= 0:
        raise ExpressionError(f"`n` is a whole number from 1 on, not {shown(n)}")
    if sign(n - size, meant=1) > 0:
        return bordered_end(x, place, n - size), place
    return selected(x, place, progression(0, 1, n)), place


def _cosine(x: Node, type: int, n: Any, axis: int, norm: Any, *, inverse: bool) -> Node:
    x, place = _of_length(x, n, axis)
    size = x.shape[place]
    if type not in _COSINES or norm not in (None, "backward", "ortho", "forward"):
        kinds = "`type` is 1, 2, 3 or 4, and `norm` is None, 'ortho' or 'forward'"
        raise ExpressionError(f"`dct`: {kinds}, not {shown(type)} and {shown(norm)}")
    if type == 1 and size == 1:
        raise ShapeError("`dct` of type 1 needs two entries at least along its axis")
    kind = _INVERSE[type] if inverse else type
    if norm == "ortho":
        if type == 1:
            raise ExpressionError("`dct` of type 1 has no `norm='ortho'` here", helps=["write the matrix out"])
        return through(x, place, elaborate_text(_ORTHONORMAL[kind], {"n": size}))
    result = through(x, place, elaborate_text(_COSINES[kind], {"n": size}))
    if (norm == "forward") == inverse:
        return result
    return scale(reciprocal(ratio(2 * (size - 1 if type == 1 else size))), result)


def _angles(rows: int, size: int, wave: str) -> Node:
    return elaborate_text(f"{wave}(2*pi*outer(arange(m), arange(n))/n)", {"m": rows, "n": size})


def _scaled(size: int, norm: Any, *, inverse: bool) -> Callable[[Node], Node]:
    if norm not in (None, "backward", "ortho", "forward"):
        raise ExpressionError(f"`norm` is None, 'ortho', 'forward' or 'backward', not {shown(norm)}")
    if norm == "ortho":
        return lambda x: elaborate_text("x / sqrt(n)", {"x": x, "n": size})
    divided = (norm == "forward") != inverse
    return lambda x: scale(reciprocal(ratio(size)), x) if divided else x


def _transform(x: Node, n: Any, axis: int, norm: Any, *, half: bool, inverse: bool) -> ComplexPair:
    """Return the transform of real numbers: all frequencies, or those up to the middle."""
    x, place = _of_length(x, n, axis)
    size = x.shape[place]
    rows = quotient(size, 2) + 1 if half else size
    scaled = _scaled(size, norm, inverse=inverse)
    real, imag = (scaled(through(x, place, _angles(rows, size, wave))) for wave in ("cos", "sin"))
    return ComplexPair(real, imag if inverse else scale(-1, imag), call)


def _frequencies(n: int, d: float, *, half: bool) -> Node:
    text = "arange(n//2 + 1) / (n*d)" if half else "concatenate([arange((n + 1)//2), arange(-(n//2), 0)]) / (n*d)"
    return elaborate_text(text, {"n": n, "d": d})


def transform(name: str, parameters: str, doc: str, build: Any, *samples: str, **fields: Any) -> Operator:
    """Return a transform along an axis."""
    return Operator(name, parameters, doc, family="transforms", build=build, samples=samples,
                    **({"errors": (f"{name}()", f"{name}(x, axis=3)")} | fields))


def _lines(name: str) -> tuple[str, ...]:
    first = (("np", "a", "axis"), ("scipy", "x", "axis"), ("torch", "input", "dim"))
    return tuple(f"{library}.fft.{name}({x}, n=None, {axis}=-1, norm=None) -> {name}({x}, n, {axis}, norm)"
                 for library, x, axis in first)


ENTRIES = (
    *(transform(name, "x; type=2, n=None, axis=-1, norm=None", doc, partial(_cosine, inverse=inverse),
                f"{name}(x)", f"{name}(X, 3, axis=0)", f"{name}(x, norm='ortho')", f"{name}(x, 1)",
                f"{name}(x, type=4)", f"{name}(x, n=6)", f"{name}(x, 3, norm='ortho')",
                f"{name}(x, norm='forward')", source=AHMED,
                libraries=(f"scipy.fft.{name}(x, type=2, n=None, axis=-1, norm=None) -> {name}(x, type, n, axis, norm)",
                           f"scipy.fftpack.{name}(x, type=2, n=None, axis=-1, norm: 'ortho' = 'ortho')"
                           f" -> {name}(x, type, n, axis, norm)"),
                spellings={"numpy": f"scipy.fft.{name}(#*)", "torch": None, "jax": None})
      for name, doc, inverse in (("dct", "Discrete cosine transform of types 1 to 4.", False),
                                 ("idct", "Inverse of the discrete cosine transform.", True))),
    *(transform(name, "x; n=None, axis=-1, norm=None", doc, partial(_transform, half=half, inverse=inverse),
                f"real({name}(x))", f"imag({name}(X, axis=0))", f"abs({name}(x))**2",
                f"real({name}(x, norm='ortho'))", f"real({name}(x, n=6))",
                errors=(f"{name}()", f"{name}(x)", f"exp({name}(x))", f"real({name}(x, axis=3))"), source=
                "Cooley & Tukey 1965, An algorithm for the machine calculation of complex Fourier series",
                libraries=_lines(name), spellings=NOWHERE, several=True)
      for name, doc, half, inverse in (
          ("fft", "Fourier transform: of its value the parts `real(fft(x))`, `imag(fft(x))` and `abs(fft(x))`.", False,
           False),
          ("rfft", "Fourier transform of real numbers, the frequencies up to the middle: its `real`, `imag`, `abs`.",
           True, False),
          ("ifft", "Inverse Fourier transform of real numbers: its `real`, `imag` and `abs`.", False, True))),
    *(transform(name, "; n, d=1.0", doc, partial(_frequencies, half=half), f"{name}(4) * x" if not half else
                f"{name}(6, 0.5) * x", errors=(f"{name}()",), libraries=tuple(
                    f"{library}.fft.{name}(n, d=1.0) -> {name}(n, d)" for library in ("np", "scipy", "torch")),
                spellings=NOWHERE)
      for name, doc, half in (("fftfreq", "The frequencies of `fft`.", False),
                              ("rfftfreq", "The frequencies of `rfft`.", True))),
    Operator("imag", "z", "The imaginary part of a Fourier transform; that of real numbers is 0.", family="transforms",
             definition="zeros_like(z)", samples=("imag(x)", "imag(X)"), errors=("imag()",), spellings={"torch": None}),
)
