"""Activations of neural networks: formulas by the words of PyTorch and JAX, with rules where those have no kink.

At a kink the derivative is the subgradient of least norm, as that of `relu`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ..elaboration.elaborate import call
from ..elaboration.infix import times
from ..errors import ShapeError
from ..graph.nodes import Node
from ..graph.operator import NOWHERE, Operator
from ..graph.places import progression
from ..graph.sizes import quotient
from ..shapes import normalize_axis
from .axes import reshaped, selected
from .elementwise import LEAST_NORM

_TANH = "Hendrycks & Gimpel 2016, Gaussian Error Linear Units (GELUs)"


def in_torch(names: str, parameters: str, meaning: str, *, bare: bool = False) -> tuple[str, ...]:
    """Return how PyTorch calls a function: `in_torch("elu ELU", ...)` is of `F.elu(x)` and of `nn.ELU()(x)`.

    With `bare` it is read so without a library too, where its order of arguments is not that of the entry.
    """
    paths = [f"torch.{name}" if name[0].islower() else f"F.{name}" for name in names.split()]
    paths += [name for name in names.split() if bare and name[0].islower()]
    return tuple(f"{path}({parameters}) -> {meaning}" for path in paths)


def in_keras(names: str, own: str, parameters: str = "y_true, y_pred") -> tuple[str, ...]:
    """Return how Keras calls a loss: its functions give one value a sample, objects of its class the mean of them."""
    function, made, *others = names.split()
    axes = "" if own.startswith("-sum") else ", axis=-1"
    named = (f"tf.keras.{path}.{name}" for path in ("losses", "metrics") for name in (function, *others))
    each = own if not axes else f"mean({own}{axes})"
    return (*(f"{name}({parameters}) -> {each}" for name in named),
            f"tf.keras.losses.{made}({parameters}) -> mean({own})")


def activation(
    name: str, formula: str, doc: str, *, parameters: str = "x", torch: str = "", given: str = "", jax: str = "",
    **fields: Any,
) -> Operator:
    """Return an activation that a formula defines.

    `torch` are its names in torch.nn, the function's first, and `given` the parameters after the first there, which are
    the entry's own; `jax` is its name in jax.nn.
    """
    first = next(iter(torch.split()), "")
    words = ", ".join(["input", *filter(None, [given]), "inplace=..."])
    named = ", ".join(["input", *(word.partition("=")[0].strip() for word in given.split(",") if word)])
    spellings = {"numpy": None, "torch": f"torch.nn.functional.{first}(#*)" if first else None,
                 "jax": f"jax.nn.{jax}(#*)" if jax else None}
    defaults: dict[str, Any] = {
        "family": "activations", "samples": tuple(f"{name}({x})" for x in "xXa"), "errors": (f"{name}()",),
        "spellings": spellings, "libraries": in_torch(torch, words, f"{name}({named})"),
        "aliases": (jax,) if jax and jax != name else (),
    }
    if "evaluate" not in fields:
        defaults["definition"] = formula
    more = [key for key in ("libraries", "aliases") if key in fields]
    joined: dict[str, Any] = {key: (*defaults[key], *fields.pop(key)) for key in more}
    return Operator(name, parameters, doc, **(defaults | fields | joined))


def ruled(name: str, rule: str, doc: str, evaluate: Callable[..., Any], numpy: str, **fields: Any) -> Operator:
    """Return an activation with a rule of its own; `numpy` is its formula there."""
    entry = activation(name, "", doc, evaluate=evaluate, differential=rule, **fields)
    return replace(entry, spellings={**entry.spellings, "numpy": numpy})


def _gated(x: Node, axis: int) -> Node:
    """Return the first half along an axis times the sigmoid of the second."""
    place = normalize_axis(axis, x.rank)
    size = x.shape[place]
    if isinstance(size, int) and size % 2:
        raise ShapeError(f"`glu` halves an axis, and {size} is odd", sizes=None)
    half = quotient(size, 2, exact=True)
    first, second = (selected(x, place, progression(start, 1, half)) for start in (0, half))
    return times(first, call("sigmoid", second))


def _by_channel(x: Node, weight: Node) -> Node:
    """Return the leaky ReLU with one slope for all entries, or one for each place along the second axis."""
    if weight.rank == 1 and weight.shape[0] != 1 and x.rank > 1:
        weight = reshaped(weight, (-1, *(1,) * (x.rank - 2)))
    elif weight.rank:
        weight = reshaped(weight, ())
    return call("leaky_relu", x, weight)


ENTRIES = (
    # JAX takes the approximation unless it is told not to.
    Operator("gelu", "x; approximate='none'", "x times the normal distribution function of x, or its approximation by"
             " tanh.", family="activations",
             definition={"none": "x*ndtr(x)", "tanh": "x/2*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))"},
             source=_TANH, samples=("gelu(x)", "gelu(X, 'tanh')", "gelu(a, approximate='tanh')"),
             errors=("gelu()", "gelu(x, 'erf')"),
             spellings={"numpy": None, "torch": "torch.nn.functional.gelu(#1, approximate=#2)",
                        "jax": "jax.nn.gelu(#1, approximate=#2 == 'tanh')"},
             libraries=("jax.nn.gelu(x, approximate: True = True) -> gelu(x, approximate='tanh')",
                        "jax.nn.gelu(x, approximate: False) -> gelu(x)",
                        "F.GELU(input, approximate='none') -> gelu(input, approximate=approximate)",
                        "tf.nn.gelu(features, approximate: False = False) -> gelu(features)",
                        "tf.nn.gelu(features, approximate: True) -> gelu(features, approximate='tanh')")),

    # --- smooth ones
    activation("mish", "x*tanh(softplus(x))", "x times tanh(softplus(x)).", torch="mish Mish", jax="mish",
               source="Misra 2019, Mish: A Self Regularized Non-Monotonic Activation Function"),
    ruled("softsign", "dx / (1 + abs(x))**2", "x / (1 + |x|).", lambda x: x / (1 + np.abs(x)),
          "(#1 / (1 + np.abs(#1)))", torch="softsign Softsign", jax="soft_sign", bounds=(-1.0, 1.0)),
    activation("tanhshrink", "x - tanh(x)", "x minus its hyperbolic tangent.", torch="tanhshrink Tanhshrink"),
    activation("squareplus", "(x + sqrt(x**2 + b))/2", "Half of x plus the root of x**2 + b.", parameters="x, b=4",
               jax="squareplus", domain=("real", "positive"), samples=("squareplus(x)", "squareplus(X, 1)",
                                                                       "squareplus(a, 2)")),
    activation("softmin", "softmax(-x, axis=axis)", "The softmax of -x.", parameters="x; axis=None",
               samples=("softmin(x)", "softmin(X)", "softmin(X, axis=0)"), errors=("softmin()", "softmin(x, axis=1)"),
               libraries=(*in_torch("softmin Softmin", "input, dim, _stacklevel=..., dtype=None",
                                    "softmin(input, axis=dim)"),
                          *in_torch("softmin Softmin", "input", "softmax_of_usual_axis(-input)")),
               spellings=NOWHERE),
    activation("glu", "", "The first half of an axis times the sigmoid of the second half.", parameters="x; axis=-1",
               build=_gated, definition=None, samples=("glu(x)", "glu(X)", "glu(T, axis=0)"),
               errors=("glu(v)", "glu(a)"), jax="glu",
               libraries=in_torch("glu GLU", "input, dim=-1", "glu(input, axis=dim)"),
               spellings={"numpy": None, "torch": "torch.nn.functional.glu(#1, dim=#2)", "jax": "jax.nn.glu(#1, #2)"}),

    # --- of two pieces
    ruled("elu", "where(x > 0, 1, alpha * exp(x)) * dx + where(x > 0, 0, expm1(x)) * dalpha",
          "x where it is positive, else alpha*(exp(x) - 1).",
          lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
          "np.where(#1 > 0, #1, #2*np.expm1(np.minimum(#1, 0)))", parameters="x, alpha=1", torch="elu ELU",
          given="alpha=1.0", jax="elu",
          spellings={"torch": "torch.where(#1 > 0, #1, #2*torch.expm1(#1))", "jax": "jax.nn.elu(#*)"},
          kink="(x == 0) * (alpha != 1)", at_kink="the derivative from the left",
          samples=("elu(x)", "elu(X, 2)", "elu(a, w)"), errors=("elu()", "elu(x, v)"),
          source="Clevert, Unterthiner & Hochreiter 2015, Fast and Accurate Deep Network Learning by Exponential"
                 " Linear Units"),
    activation("celu", "alpha*elu(x/alpha)", "x where it is positive, else alpha*(exp(x/alpha) - 1).",
               parameters="x, alpha=1", torch="celu CELU", given="alpha=1.0", jax="celu",
               domain=("real", "positive"), samples=("celu(x)", "celu(X, 2)", "celu(a, 0.5)"),
               source="Barron 2017, Continuously Differentiable Exponential Linear Units"),
    activation("selu", "1.0507009873554804934193349852946*elu(x, 1.6732632423543772848170429916717)",
               "The exponential linear unit that keeps mean 0 and variance 1.", torch="selu SELU", jax="selu",
               source="Klambauer, Unterthiner, Mayr & Hochreiter 2017, Self-Normalizing Neural Networks"),
    ruled("leaky_relu", "where(x > 0, 1, negative_slope) * dx + where(x > 0, 0, x) * dnegative_slope",
          "x where it is positive, else x times a slope.",
          lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
          "np.where(#1 > 0, #1, #2*#1)", parameters="x, negative_slope=0.01", torch="leaky_relu LeakyReLU",
          given="negative_slope=0.01", jax="leaky_relu", kink="x == 0",
          spellings={"torch": "torch.where(#1 > 0, #1, #2*#1)", "jax": "jax.nn.leaky_relu(#*)"},
          at_kink="the slope from the left, which is the least for slopes of 0 to 1",
          samples=("leaky_relu(x)", "leaky_relu(X, 0.2)", "leaky_relu(a, w)"),
          errors=("leaky_relu()", "leaky_relu(x, v)"),
          libraries=("tf.nn.leaky_relu(features, alpha=0.2) -> leaky_relu(features, alpha)",
                     *in_torch("rrelu RReLU", "input, lower=0.125, upper=0.3333333333333333, training: False = False,"
                               " inplace=...", "leaky_relu(input, (lower + upper)/2)"))),
    activation("prelu", "", "As `leaky_relu`, with one slope or one for each place along the second axis.",
               parameters="x, weight", build=_by_channel, definition=None, torch="prelu", given="weight",
               samples=("prelu(x, 0.2)", "prelu(X, w)", "prelu(T, v)"), errors=("prelu(x)", "prelu(X, v)"),
               spellings=NOWHERE, libraries=()),

    # --- pieces of lines
    ruled("hardtanh", "(x > min_val) * (x < max_val) * dx + (x <= min_val) * dmin_val + (x >= max_val) * dmax_val",
          "x between two numbers.", lambda x, min_val=-1.0, max_val=1.0: np.minimum(np.maximum(x, min_val), max_val),
          "np.minimum(np.maximum(#1, #2), #3)", parameters="x, min_val=-1, max_val=1", torch="hardtanh Hardtanh",
          given="min_val=-1, max_val=1", jax="hard_tanh", kink="(x - min_val) * (x - max_val) == 0",
          at_kink=LEAST_NORM, samples=("hardtanh(x)", "hardtanh(X, -0.5, w)", "hardtanh(-9*x, -u**2, 2)"), exact=True,
          spellings={"torch": "torch.clamp(#1, #2, #3)"}),
    activation("relu6", "hardtanh(x, 0, 6)", "x between 0 and 6.", torch="relu6 ReLU6", jax="relu6"),
    activation("hardsigmoid", "hardtanh(x, -3, 3)/6 + 1/2", "A sigmoid of three lines, relu6(x + 3)/6.",
               torch="hardsigmoid Hardsigmoid", jax="hard_sigmoid"),
    activation("hardswish", "x*hardsigmoid(x)", "x times its `hardsigmoid`.", torch="hardswish Hardswish",
               jax="hard_swish", aliases=("hard_silu",)),
    activation("hardshrink", "where(abs(x) > lambd, x, 0)", "x where it is larger than lambd in size, else 0.",
               parameters="x, lambd=0.5", torch="hardshrink Hardshrink", given="lambd=0.5",
               samples=("hardshrink(x)", "hardshrink(X, 0.2)", "hardshrink(a, 1)")),
    activation("softshrink", "relu(x - lambd) - relu(-x - lambd)", "x moved towards 0 by lambd, and 0 between.",
               parameters="x, lambd=0.5", torch="softshrink Softshrink", given="lambd=0.5",
               aliases=("soft_threshold", "soft_thresholding"),
               samples=("softshrink(x)", "softshrink(X, 0.2)", "softshrink(a, 1)")),
    activation("threshold", "where(x > threshold, x, value)", "x where it is larger than a threshold, else a value.",
               parameters="x, threshold, value", torch="threshold Threshold", given="threshold, value",
               samples=("threshold(x, 0.1, 20)", "threshold(X, 0, -1)"), errors=("threshold(x)",)),
    ruled("sparse_plus", "sparse_sigmoid(x) * dx", "0 up to -1, x from 1 on, and a parabola between.",
          lambda x: np.where(x < 1, np.maximum(x + 1, 0) ** 2 / 4, x),
          "np.where(#1 < 1, np.maximum(#1 + 1, 0)**2/4, #1)", jax="sparse_plus"),
    activation("sparse_sigmoid", "hardtanh(x)/2 + 1/2", "The derivative of `sparse_plus`.", jax="sparse_sigmoid"),
)
