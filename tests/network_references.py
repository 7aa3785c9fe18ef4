"""Independent ways to the values of activations, losses and normalizations: their definitions, entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def entrywise(function: Callable[..., float]) -> Callable[..., Any]:
    """Return a function of numbers as one of arrays."""
    return np.vectorize(function, otypes=[float])


def sigmoid(x: Any) -> Any:
    """Return the logistic function as half of a hyperbolic tangent."""
    return (1 + np.tanh(np.asarray(x) / 2)) / 2


def _softmax(x: Any, axis: Any = None) -> Any:
    return np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)


def _glu(x: Any, axis: int = -1) -> Any:
    first, second = np.split(x, 2, axis=axis)
    return first * sigmoid(second)


def _prelu(x: Any, weight: Any) -> Any:
    slopes = np.reshape(weight, (-1, *(1,) * (np.ndim(x) - 2))) if np.size(weight) > 1 else weight
    return np.maximum(x, 0) + slopes * np.minimum(x, 0)


def _log_softmax(x: Any) -> Any:
    return np.log(_softmax(x))


def _of_class(one: Callable[..., Any]) -> Callable[..., Any]:
    """Return a loss of samples from that of one: of its scores, and of its label or probabilities.

    The weight of a sample is that of its label, 0 for the ignored one, and 1 for probabilities.
    """

    def loss(
        scores: Any, target: Any, weight: Any = None, reduction: str = "mean", ignore_index: Any = None, **given: Any
    ) -> Any:
        target = np.asarray(target)
        labels = target.ndim < np.ndim(scores)
        axis = min(np.ndim(scores), 2) - 1
        rows = np.moveaxis(scores, axis, -1)
        weight = np.ones(rows.shape[-1]) if weight is None else weight
        places = [*np.ndindex(rows.shape[:-1])]
        targets = [target[place] if labels else np.moveaxis(target, axis, -1)[place] for place in places]
        kept = [not labels or label != ignore_index for label in targets]
        losses = [keep and one(rows[place], own, weight, **given)
                  for place, own, keep in zip(places, targets, kept, strict=True)]
        if reduction == "none":
            return np.reshape(losses, rows.shape[:-1])
        parts = [weight[own] * keep if labels else 1.0 for own, keep in zip(targets, kept, strict=True)]
        return np.sum(losses) / (1 if reduction == "sum" else np.sum(parts))

    return loss


def _nll(scores: Any, target: Any, weight: Any, label_smoothing: float = 0) -> Any:
    """Return the loss of one sample, from logs of probabilities."""
    classes = len(scores)
    wanted = target if np.ndim(target) else np.eye(classes)[int(target)]
    wanted = (1 - label_smoothing) * wanted + label_smoothing / classes
    return -sum(weight[k] * wanted[k] * scores[k] for k in range(classes))


def _cross_entropy(scores: Any, target: Any, weight: Any, label_smoothing: float = 0) -> Any:
    return _nll(_log_softmax(scores), target, weight, label_smoothing)


def _multi_margin(x: Any, y: Any, weight: Any = None, reduction: str = "mean", p: int = 1, margin: float = 1) -> Any:
    x, y = (x, y) if np.ndim(x) > 1 else (x[None], [y])
    losses = []
    for row, label in zip(x, y, strict=True):
        terms = [max(0.0, margin - row[label] + other) ** p for k, other in enumerate(row) if k != label]
        losses.append((1 if weight is None else weight[label]) * sum(terms) / len(row))
    return np.mean(losses)


def reduced(one: Callable[..., Any]) -> Callable[..., Any]:
    """Return a loss of arrays from that of entries or samples."""

    def loss(*operands: Any, reduction: str = "mean", **settings: Any) -> Any:
        return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](one(*operands, **settings))

    return loss


def _huber(delta: Any, r: Any) -> Any:
    return np.where(np.abs(r) <= delta, np.square(r) / 2, delta * np.abs(r) - np.square(delta) / 2)


def _binary(p: Any, t: Any, weight: Any = 1) -> Any:
    return -weight * np.log(p**t * (1 - p) ** (1 - t))


def _binary_with_logits(x: Any, t: Any, weight: Any = 1, pos_weight: Any = 1) -> Any:
    return -weight * (pos_weight * t * np.log(sigmoid(x)) + (1 - t) * np.log(sigmoid(-x)))


def _kl_div(x: Any, t: Any, reduction: str = "mean") -> Any:
    parts = t * (np.log(t) - x)
    if reduction == "batchmean":
        return np.sum(parts) / len(x)
    return {"mean": np.mean, "sum": np.sum, "none": np.asarray}[reduction](parts)


def _gaussian(x: Any, t: Any, var: Any, *, full: bool = False) -> Any:
    return -np.log(np.exp(-((x - t) ** 2) / (2 * var)) / np.sqrt(var * (2 * np.pi if full else 1)))


def _cosine(x: Any, y: Any, axis: int = -1, eps: float = 0) -> Any:
    lengths = [np.maximum(np.sqrt(np.sum(a * a, axis=axis)), eps) for a in (x, y)]
    return np.sum(x * y, axis=axis) / lengths[0] / lengths[1]


def _cosine_embedding(x: Any, y: Any, t: Any, *, margin: float = 0) -> Any:
    cosines = _cosine(x, y)
    return (t > 0) * (1 - cosines) + (t < 0) * np.maximum(0, cosines - margin)


def _distance(x: Any, y: Any, p: float = 2, eps: float = 1e-6) -> Any:
    return np.sum(np.abs(x - y + eps) ** p, axis=-1) ** (1 / p)


def _triplet(anchor: Any, like: Any, unlike: Any, *, margin: float = 1, p: float = 2) -> Any:
    return np.maximum(0, margin + _distance(anchor, like, p) - _distance(anchor, unlike, p))


def _swapped_triplet(a: Any, p: Any, n: Any) -> Any:
    return np.maximum(0, 1 + _distance(a, p) - np.minimum(_distance(a, n), _distance(p, n)))


def standardize(x: Any, axis: Any = None, epsilon: float = 1e-5) -> Any:
    """Return x minus its mean by its standard deviation, from the first two moments."""
    mean, square = (np.mean(x**k, axis=axis, keepdims=True) for k in (1, 2))
    return (x - mean) / (square - mean**2 + epsilon) ** 0.5


def _layer_norm(x: Any, weight: Any = 1, bias: Any = 0, normalized_shape: Any = (0,), eps: float = 1e-5) -> Any:
    return standardize(x, tuple(range(-len(normalized_shape), 0)), eps) * weight + bias


def _rms_norm(x: Any, weight: Any = 1, normalized_shape: Any = (0,), eps: float = 0) -> Any:
    axes = tuple(range(-len(normalized_shape), 0))
    return x * weight * (np.mean(x * x, axis=axes, keepdims=True) + eps) ** -0.5


def _batch_norm(
    x: Any, mean: Any = None, var: Any = None, weight: Any = 1, bias: Any = 0, training: bool = False, eps: float = 1e-5
) -> Any:
    rows = np.moveaxis(x, 1, -1)
    axes = tuple(range(x.ndim - 1))
    normal = standardize(rows, axes, eps) if training else (rows - mean) / np.sqrt(var + eps)
    return np.moveaxis(normal * weight + bias, -1, 1)


def _group_norm(x: Any, weight: Any = 1, bias: Any = 0, num_groups: int = 1, eps: float = 1e-5) -> Any:
    found = np.empty_like(x)
    size = x.shape[1] // num_groups
    for sample in range(len(x)):
        for start in range(0, x.shape[1], size):
            found[sample, start : start + size] = standardize(x[sample, start : start + size], None, eps)
    return np.moveaxis(np.moveaxis(found, 1, -1) * weight + bias, -1, 1)


def _instance_norm(x: Any, weight: Any = 1, bias: Any = 0, eps: float = 1e-5) -> Any:
    return _group_norm(x, weight, bias, x.shape[1], eps)


def _normalize(x: Any, p: float = 2, axis: int = -1, eps: float = 0) -> Any:
    return x / np.maximum(np.sum(np.abs(x) ** p, axis=axis, keepdims=True) ** (1 / p), eps)


def _attention(q: Any, k: Any, v: Any, mask: Any = None, is_causal: bool = False, scale: float | None = None) -> Any:
    scores = q @ np.swapaxes(k, -1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if np.asarray(mask).dtype == bool else scores + mask
    if is_causal:
        scores = np.where(np.arange(scores.shape[-2])[:, None] >= np.arange(scores.shape[-1]), scores, -np.inf)
    return _softmax(scores, -1) @ v


NETWORK: Mapping[str, Any] = {
    # --- activations
    "mish": lambda x: x * (1 - 2 / ((1 + np.exp(x)) ** 2 + 1)),
    "softsign": entrywise(lambda x: x / (1 - x) if x < 0 else x / (1 + x)),
    "tanhshrink": lambda x: x - (2 * sigmoid(2 * x) - 1), "squareplus": lambda x, b=4: x / 2 + np.hypot(x, b**0.5) / 2,
    "softmin": lambda x, axis=None: _softmax(-x, axis), "glu": _glu,
    "elu": entrywise(lambda x, alpha=1: x if x > 0 else alpha * (np.exp(x) - 1)),
    "celu": entrywise(lambda x, alpha=1: x if x > 0 else alpha * (np.exp(x / alpha) - 1)),
    "selu": entrywise(lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (np.exp(x) - 1))),
    "leaky_relu": entrywise(lambda x, slope=0.01: x if x > 0 else slope * x), "prelu": _prelu,
    "relu6": lambda x: np.clip(x, 0, 6), "hardtanh": lambda x, low=-1, high=1: np.clip(x, low, high),
    "hardsigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1), "hardswish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hardshrink": lambda x, lambd=0.5: x * (np.abs(x) > lambd),
    "softshrink": lambda x, lambd=0.5: np.sign(x) * np.maximum(np.abs(x) - lambd, 0),
    "threshold": entrywise(lambda x, threshold, value: x if x > threshold else value),
    "sparse_plus": entrywise(lambda x: 0 if x < -1 else x if x > 1 else (x + 1) ** 2 / 4),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),

    # --- losses of classes
    "one_hot": lambda labels, count, axis=-1: np.moveaxis(np.eye(count)[np.array(labels)], -1, axis),
    "one_hot_among": lambda label, classes: np.eye(len(classes))[int(label)],
    "cross_entropy": _of_class(_cross_entropy), "nll_loss": _of_class(_nll), "multi_margin_loss": _multi_margin,

    # --- losses
    "mse_loss": reduced(lambda x, t: (x - t) ** 2), "l1_loss": reduced(lambda x, t: np.sqrt((x - t) ** 2)),
    "huber": _huber, "huber_loss": reduced(lambda x, t, *, delta=1: _huber(delta, x - t)),
    "smooth_l1_loss": reduced(lambda x, t, *, beta=1: _huber(beta, x - t) / beta),
    "logcosh": lambda x: np.log(np.cosh(x)),
    "log_cosh": reduced(lambda x, t: np.log(np.cosh(x - t))), "binary_cross_entropy": reduced(_binary),
    "binary_cross_entropy_with_logits": reduced(_binary_with_logits),
    "multilabel_soft_margin_loss": reduced(lambda x, t: np.mean(_binary_with_logits(x, t), axis=-1)),
    "kl_div_loss": _kl_div, "gaussian_nll_loss": reduced(_gaussian),
    "poisson_nll_loss": reduced(lambda x, t: np.exp(x) - t * x),
    "mean_poisson_nll_loss": reduced(lambda x, t: x - t * np.log(x)),
    "hinge_loss": reduced(lambda x, t: np.maximum(0, 1 - x * t)),
    "hinge_embedding_loss": reduced(lambda x, t, *, margin=1: np.where(t == 1, x, np.maximum(0, margin - x))),
    "soft_margin_loss": reduced(lambda x, t: np.log(1 + np.exp(-t * x))),
    "margin_ranking_loss": reduced(lambda x, y, t, *, margin=0: np.maximum(0, t * (y - x) + margin)),
    "cosine_embedding_loss": reduced(_cosine_embedding), "triplet_margin_loss": reduced(_triplet),
    "swapped_triplet_margin_loss": reduced(_swapped_triplet),

    # --- layers
    "bernoulli_cross_entropy": lambda p, t: -np.log(p**t * (1 - p) ** (1 - t)),
    "bernoulli_variance": lambda p: p - p**2,
    "standardize": standardize, "layer_norm": _layer_norm, "rms_norm": _rms_norm, "batch_norm": _batch_norm,
    "group_norm": _group_norm, "instance_norm": _instance_norm, "normalize": _normalize, "cosine_similarity": _cosine,
    "pairwise_distance": _distance, "linear": lambda x, weight, bias=0: np.inner(x, weight) + bias,
    "bilinear": lambda x, y, weight, bias=0: np.einsum("...i,kij,...j->...k", x, weight, y) + bias,
    "scaled_dot_product_attention": _attention,
}
"""By the name of the entry, called like it on one sample."""
