"""Layers of neural networks that normalize or combine: `layer_norm`, `normalize`, `linear`, attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..elaboration.elaborate import call, elaborate_text
from ..elaboration.infix import matmul, plus, times
from ..errors import RankError, ShapeError
from ..graph.algebra import constant_value, is_mask, number
from ..graph.nodes import Node
from ..graph.operator import NOWHERE, Operator
from ..graph.sizes import quotient
from ..shapes import Shape, show
from .activations import in_torch
from .axes import reshaped, several

AFFINE = "weight=1, bias=0"


def layer(name: str, parameters: str, doc: str, **fields: Any) -> Operator:
    """Return a layer; libraries are spelled by the operators that it is made of."""
    return Operator(name, parameters, doc, **({"family": "layers", "spellings": NOWHERE} | fields))


def _first(name: str, setting: str, parameters: str, meaning: str) -> tuple[str, ...]:
    """Return how PyTorch calls a function with a setting behind the input, which may be so without a library too."""
    return (f"torch.{name}(input, {setting}, {parameters}) -> {meaning}",
            f"{name}(input, {setting}: axis, {parameters}) -> {meaning}")


def _standardized(x: Any, epsilon: float = 1e-5) -> Any:
    centered = x - np.mean(x, axis=-1, keepdims=True)
    return centered / np.sqrt(np.mean(centered**2, axis=-1, keepdims=True) + epsilon)


def _last_axes(x: Node, shape: Any, name: str) -> tuple[int, ...]:
    """Return the axes that are normalized: those of a shape, or the last one."""
    if shape is None:
        return (-1,)
    wanted: Shape = several(shape)
    for own, other in zip(x.shape[::-1], wanted[::-1], strict=False):
        if own != other:
            raise ShapeError(f"`{name}` normalizes {show(wanted)}, and the last axes are of {own}", sizes=(own, other))
    return tuple(range(-len(wanted), 0))


def _require_shape(parameter: Node, shape: Shape, name: str) -> None:
    """Raise ShapeError for weights that are neither one number nor of the shape that is normalized."""
    if parameter.rank and parameter.shape != shape:
        pairs = zip(parameter.shape[::-1], shape[::-1], strict=False)
        sizes = next((pair for pair in pairs if pair[0] != pair[1]), None)
        message = f"`{name}` normalizes {show(shape)}, and a weight or a bias is {show(parameter.shape)}"
        raise ShapeError(message, sizes=sizes)


def _layer_norm(x: Node, weight: Node, bias: Node, normalized_shape: Any, eps: float) -> Node:
    axes = _last_axes(x, normalized_shape, "layer_norm")
    for parameter in (weight, bias):
        _require_shape(parameter, x.shape[-len(axes) :], "layer_norm")
    return plus(times(call("standardize", x, axis=axes, epsilon=eps), weight), bias)


def _rms_norm(x: Node, weight: Node, normalized_shape: Any, eps: float | None) -> Node:
    axes = _last_axes(x, normalized_shape, "rms_norm")
    _require_shape(weight, x.shape[-len(axes) :], "rms_norm")
    text = "x / sqrt(mean(x**2, axis=axes, keepdims=True) + eps)"
    eps = float(np.finfo(np.float64).eps) if eps is None else eps
    return times(elaborate_text(text, {"x": x, "axes": axes, "eps": eps}), weight)


def _require_channels(x: Node, name: str, least: int = 2) -> None:
    """Raise RankError for what has no second axis, or nothing behind it where that is needed."""
    if x.rank < least:
        raise RankError(f"`{name}` needs channels along the second of {least} axes or more", needed=least)


def _by_channel(x: Node, parameter: Node) -> Node:
    """Return one number for each place along the second axis, as it stands beside x."""
    return reshaped(parameter, (-1, *(1,) * (x.rank - 2))) if parameter.rank else parameter


def _batch_norm(
    x: Node, running_mean: Node, running_var: Node, weight: Node, bias: Node, training: bool, eps: float
) -> Node:
    """Return x normalized over all but its second axis, by its own statistics or by given ones."""
    _require_channels(x, "batch_norm")
    axes = tuple(axis for axis in range(x.rank) if axis != 1)
    if training:
        normal = call("standardize", x, axis=axes, epsilon=eps)
    else:
        mean, var = (_by_channel(x, statistic) for statistic in (running_mean, running_var))
        normal = elaborate_text("(x - mean) / sqrt(var + eps)", {"x": x, "mean": mean, "var": var, "eps": eps})
    return plus(times(normal, _by_channel(x, weight)), _by_channel(x, bias))


def _group_norm(x: Node, weight: Node, bias: Node, num_groups: int, eps: float) -> Node:
    """Return x normalized over the channels of each group and all further axes."""
    _require_channels(x, "group_norm")
    samples, channels, *rest = x.shape
    groups = reshaped(x, (samples, num_groups, quotient(channels, num_groups, exact=True), *rest))
    normal = reshaped(call("standardize", groups, axis=tuple(range(2, groups.rank)), epsilon=eps), x.shape)
    return plus(times(normal, _by_channel(x, weight)), _by_channel(x, bias))


def _norm_from(eps: float) -> str:
    """Return the norm of a vector in words, or the least number that it is raised to."""
    return "vector_norm({}, {})" if eps == 0 else "maximum(vector_norm({}, {}), eps)"


def _cosine(x1: Node, x2: Node, axis: int, eps: float) -> Node:
    lengths = " / ".join(_norm_from(eps).format(name, "2, axis") for name in ("x1", "x2"))
    text = f"sum(x1*x2, axis=axis) / {lengths}"
    return elaborate_text(text, {"x1": x1, "x2": x2, "axis": axis, "eps": eps})


def _instance_norm(x: Node, weight: Node, bias: Node, eps: float) -> Node:
    _require_channels(x, "instance_norm", 3)
    normal = call("standardize", x, axis=tuple(range(2, x.rank)), epsilon=eps)
    return plus(times(normal, _by_channel(x, weight)), _by_channel(x, bias))


def _attention(query: Node, key: Node, value: Node, attn_mask: Node, is_causal: bool, scale: float | None) -> Node:
    """Return softmax(scale*query @ key.T + mask) @ value, over any leading axes."""
    scores = matmul(query, call("matrix_transpose", key))
    text = "scores / sqrt(d)" if scale is None else "scale*scores"
    scores = elaborate_text(text, {"scores": scores, "d": query.shape[-1], "scale": scale})
    if is_mask(attn_mask):
        scores = call("where", attn_mask, scores, number(float("-inf")))
    elif constant_value(attn_mask) != 0:
        scores = plus(scores, attn_mask)
    if is_causal:
        seen = elaborate_text("tril(ones(shape)) > 0", {"shape": scores.shape[-2:]})
        scores = call("where", seen, scores, number(float("-inf")))
    return matmul(call("softmax", scores, axis=-1), value)

_WEIGHTS = "its weights are inputs here: write "
_STEPS = "write its steps: `scan(tanh(W @ h + U @ x), h0, X)`"
_RANDOM = "it is random in training, and leaves `x` as it is otherwise"
# Layers that make weights of their own, with the expressions that they are.
_LAYERS = {
    "F.Linear": f"{_WEIGHTS}`x @ W.T + b`, or `linear(x, W, b)`",
    "F.LazyLinear": f"{_WEIGHTS}`x @ W.T + b`, or `linear(x, W, b)`",
    "F.Bilinear": f"{_WEIGHTS}`bilinear(x, y, W, b)`",
    "F.Dense": f"{_WEIGHTS}`x @ W + b`",
    "tf.keras.layers.Dense": f"{_WEIGHTS}`x @ W + b`",
    "F.Sequential": "write a layer around the other: `relu(x @ W.T + b) @ V.T + c`",
    "tf.keras.Sequential": "write a layer around the other: `relu(x @ W + b) @ V + c`",
    "F.Embedding": f"{_WEIGHTS}`W[i]`",
    **{f"F.Conv{way}{axes}d": f"{_WEIGHTS}`conv{word}{axes}d(x, W, b)`"
       for axes in (1, 2, 3) for way, word in (("", ""), ("Transpose", "_transpose"))},
    **{f"F.{name}{cell}": _STEPS for name in ("RNN", "LSTM", "GRU") for cell in ("", "Cell")},
    **{f"F.{name}": _RANDOM for name in ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "dropout")},
    "F.MultiheadAttention": f"{_WEIGHTS}`scaled_dot_product_attention(x @ Q.T, x @ K.T, x @ V.T) @ W.T` for one head",
}

ENTRIES = (
    # --- statistics
    layer("standardize", "x; axis=None, epsilon=1e-05", "x minus its mean, divided by the root of its variance plus"
          " epsilon.", signature="(n)->(n)", evaluate=_standardized, analytic=True,
          differential="s = sqrt(var(x) + epsilon); (dx - mean(dx) - y * mean(y * dx)) / s",
          source="Ioffe & Szegedy 2015, Batch Normalization, section 3",
          samples=("standardize(x)", "standardize(X)", "standardize(X, axis=0)", "standardize(X, 1, epsilon=0.1)",
                   "standardize(T, axis=(0, 2))"),
          errors=("standardize()", "standardize(x, axis=1)"),
          libraries=("jax.nn.standardize(x, axis=-1, mean: None = None, variance: None = None, epsilon=1e-05,"
                     " where: None = None) -> standardize(x, axis, epsilon)",
                     "jax.nn.standardize(x, axis=-1, mean=None, variance=None, epsilon=1e-05)"
                     " -> (x - mean) / sqrt(variance + epsilon)"),
          spellings={
              "numpy": "((#1 - np.mean(#1, axis=#2, keepdims=True))"
                       " / np.sqrt(np.var(#1, axis=#2, keepdims=True) + #3))",
              "torch": "((#1 - torch.mean(#1, dim=#2, keepdim=True))"
                       " / torch.sqrt(torch.var(#1, dim=#2, correction=0, keepdim=True) + #3))"}),
    layer("layer_norm", f"x, {AFFINE}; normalized_shape=None, eps=1e-05", "`standardize` along the last axes, times"
          " weights and plus a bias.", build=_layer_norm,
          source="Ba, Kiros & Hinton 2016, Layer Normalization",
          samples=("layer_norm(x)", "layer_norm(X)", "layer_norm(X, w, u)",
                   "layer_norm(T, normalized_shape=(3, 4), eps=0.1)"),
          errors=("layer_norm()", "layer_norm(a)", "layer_norm(X, v)", "layer_norm(X, normalized_shape=3)"),
          libraries=_first("layer_norm", "normalized_shape", "weight=None, bias=None, eps=1e-05",
                           "layer_norm(input, weight=weight, bias=bias, normalized_shape=normalized_shape, eps=eps)")
          + in_torch("LayerNorm", "input, normalized_shape, eps=1e-05, elementwise_affine=..., bias=...",
                     "layer_norm(input, normalized_shape=normalized_shape, eps=eps)")),
    layer("rms_norm", "x, weight=1; normalized_shape=None, eps=None", "x divided by the root of the mean of its"
          " squares along the last axes.", build=_rms_norm,
          source="Zhang & Sennrich 2019, Root Mean Square Layer Normalization",
          samples=("rms_norm(x)", "rms_norm(X, w, eps=0.1)", "rms_norm(T, normalized_shape=(3, 4))"),
          errors=("rms_norm()", "rms_norm(a)", "rms_norm(X, v)"),
          libraries=_first("rms_norm", "normalized_shape", "weight=None, eps=None",
                           "rms_norm(input, weight=weight, normalized_shape=normalized_shape, eps=eps)")
          + in_torch("RMSNorm", "input, normalized_shape, eps=None, elementwise_affine=...",
                     "rms_norm(input, normalized_shape=normalized_shape, eps=eps)")),
    layer("batch_norm", f"x, running_mean=0, running_var=1, {AFFINE}; training=False, eps=1e-05",
          "x normalized over all but its second axis: in training by its own mean and variance, else by given ones.",
          build=_batch_norm, source="Ioffe & Szegedy 2015, Batch Normalization, section 3",
          domain=("real", "real", "positive", "real", "real"),
          samples=("batch_norm(X, u, w)", "batch_norm(X, training=True)", "batch_norm(X, u, w, 2*u, x)",
                   "batch_norm(T, None, None, v, v/2, training=True, eps=0.1)"),
          errors=("batch_norm()", "batch_norm(X, v, v)"),
          libraries=(
              *(f"{path}batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False,"
                " momentum=..., eps=1e-05) -> batch_norm(input, running_mean, running_var, weight, bias, training, eps)"
                for path in ("F.", "")),
              "torch.batch_norm(input, weight, bias, running_mean, running_var, training, momentum=..., eps=1e-05,"
              " cudnn_enabled=...) -> batch_norm(input, running_mean, running_var, weight, bias, training, eps)",
              *in_torch("BatchNorm1d BatchNorm2d BatchNorm3d", "input, num_features=..., eps=1e-05, momentum=...,"
                        " affine=..., track_running_stats=...", "batch_norm(input, 0, 1, 1, 0, True, eps)"))),
    layer("group_norm", f"x, {AFFINE}; num_groups, eps=1e-05", "x normalized over the channels of each group, along the"
          " second axis, and over all further axes.", build=_group_norm, source="Wu & He 2018, Group Normalization",
          samples=("group_norm(X, num_groups=2)", "group_norm(X, u, w, 2)", "group_norm(T, v, v/2, num_groups=1)"),
          errors=("group_norm(X)", "group_norm(X, num_groups=3)", "group_norm(x, num_groups=2)"),
          libraries=_first("group_norm", "num_groups", "weight=None, bias=None, eps=1e-05",
                           "group_norm(input, weight=weight, bias=bias, num_groups=num_groups, eps=eps)")
          + in_torch("GroupNorm", "input, num_groups, num_channels=..., eps=1e-05, affine=...",
                     "group_norm(input, num_groups=num_groups, eps=eps)")),
    layer("instance_norm", f"x, {AFFINE}; eps=1e-05", "x normalized over all axes but the first two.",
          build=_instance_norm, source="Ulyanov, Vedaldi & Lempitsky 2016, Instance Normalization",
          samples=("instance_norm(T)", "instance_norm(T, v, v/2, eps=0.1)"),
          errors=("instance_norm()", "instance_norm(T, x)"),
          libraries=(
              "F.instance_norm(input, running_mean: None = None, running_var: None = None, weight=None, bias=None,"
              " use_input_stats: True = True, momentum=..., eps=1e-05) -> instance_norm(input, weight, bias, eps)",
              "torch.instance_norm(input, weight, bias, running_mean: None, running_var: None, use_input_stats: True,"
              " momentum=..., eps=1e-05, cudnn_enabled=...) -> instance_norm(input, weight, bias, eps)",
              *in_torch("InstanceNorm1d InstanceNorm2d InstanceNorm3d", "input, num_features=..., eps=1e-05,"
                        " momentum=..., affine=..., track_running_stats=...", "instance_norm(input, 1, 0, eps)"))),

    # --- norms, cosines and distances
    layer("normalize", "x; p=2, axis=-1, eps=0", "x divided by its norm along an axis, or by eps where that is larger.",
          build=lambda x, p, axis, eps: elaborate_text(
              f"x / {_norm_from(eps).format('x', 'p, axis, True')}", {"x": x, "p": p, "axis": axis, "eps": eps}),
          aliases=("l2_normalize",),
          samples=("normalize(x)", "normalize(X)", "normalize(X, 1, axis=0)", "normalize(X, eps=1.5)"),
          errors=("normalize()", "normalize(x, axis=1)"),
          libraries=("F.normalize(input, p=2.0, dim=1, eps=1e-12, out=None) -> normalize(input, p, dim, eps)",
                     *(f"{path}.l2_normalize(x, axis=None, epsilon=...) -> x / vector_norm(x, 2, axis, True)"
                       for path in ("tf.nn", "tf.math", "tf.linalg")))),
    layer("cosine_similarity", "x1, x2; axis=-1, eps=0",
          "Cosine of the angle between vectors along an axis; no norm is less than eps.", build=_cosine,
          samples=("cosine_similarity(x, u)", "cosine_similarity(X, W)", "cosine_similarity(X, W, axis=0, eps=1.5)",
                   "cosine_similarity(X, x)"),
          errors=("cosine_similarity(x)", "cosine_similarity(x, v)"),
          libraries=(*in_torch("cosine_similarity CosineSimilarity", "x1, x2, dim=1, eps=1e-08",
                               "cosine_similarity(x1, x2, dim, eps)"),
                     *(f"optax.{part}cosine_similarity(predictions, targets, epsilon=0.0)"
                       " -> cosine_similarity(predictions, targets, -1, epsilon)" for part in ("", "losses.")),
                     *(f"optax.{part}cosine_distance(predictions, targets, epsilon=0.0)"
                       " -> 1 - cosine_similarity(predictions, targets, -1, epsilon)" for part in ("", "losses.")))),
    layer("pairwise_distance", "x1, x2; p=2, eps=1e-06, keepdims=False", "Norm of x1 - x2 + eps along the last axis;"
          " PyTorch adds eps so that it is not 0.",
          definition="vector_norm(x1 - x2 + eps, p, -1, keepdims)",
          samples=("pairwise_distance(x, u)", "pairwise_distance(X, W, 1)", "pairwise_distance(X, x, 3, eps=0)"),
          errors=("pairwise_distance(x)", "pairwise_distance(x, v)"),
          libraries=in_torch("pairwise_distance PairwiseDistance", "x1, x2, p=2.0, eps=1e-06, keepdim=False",
                             "pairwise_distance(x1, x2, p, eps, keepdim)")),

    # --- products
    layer("linear", "x, weight, bias=0", "x times the transpose of a matrix of weights, plus a bias.",
          build=lambda x, weight, bias: plus(matmul(x, call("transpose", weight)), bias),
          samples=("linear(x, W)", "linear(X, W, v)", "linear(T, W)", "linear(x, u)"),
          errors=("linear(X)", "linear(v, W)"),
          libraries=("F.linear(input, weight, bias=None) -> linear(input, weight, bias)", "F.Identity(input) -> input",
                     "F.Flatten(input, start_dim=1, end_dim=-1) -> flatten_between(input, start_dim, end_dim)"),
          refused=_LAYERS),
    layer("bilinear", "x1, x2, weight, bias=0", "x1 @ weight[k] @ x2 for each k, plus a bias.",
          definition="einsum('...i,kij,...j->...k', x1, weight, x2) + bias",
          samples=("bilinear(v, x, T)", "bilinear(A, X, T, 2)"),
          errors=("bilinear(x, v, T)", "bilinear(x, v)"),
          libraries=("F.bilinear(input1, input2, weight, bias=None) -> bilinear(input1, input2, weight, bias)",)),
    layer("scaled_dot_product_attention", "query, key, value, attn_mask=0; is_causal=False, scale=None",
          "softmax(query @ key.T / sqrt(d)) @ value, d being the length of a query; a mask says which keys are seen, or"
          " is added.", build=_attention, aliases=("attention",),
          source="Vaswani et al. 2017, Attention Is All You Need",
          samples=("scaled_dot_product_attention(X, W, W)", "scaled_dot_product_attention(X, W, A, is_causal=True)",
                   "scaled_dot_product_attention(X, W, A, B, scale=0.5)",
                   "scaled_dot_product_attention(S, A, A, tril(ones((3, 3))) > 0)"),
          errors=("scaled_dot_product_attention(X, W)", "scaled_dot_product_attention(X, A, A)"),
          libraries=("F.scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p: 0.0 = 0.0,"
                     " is_causal=False, scale=None, enable_gqa: False = False)"
                     " -> scaled_dot_product_attention(query, key, value, attn_mask, is_causal, scale)",
                     "F.embedding(input, weight, padding_idx: None = None, max_norm: None = None, norm_type=...,"
                     " scale_grad_by_freq: False = False, sparse=...) -> weight[input]",
                     "torch.embedding(weight, indices) -> weight[indices]")),
)
