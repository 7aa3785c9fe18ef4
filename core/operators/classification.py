"""Losses of classes: labels are whole numbers, and stand for rows of zeros with a one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..elaboration.elaborate import call, elaborate_text
from ..elaboration.infix import divide, plus, times
from ..errors import ChoiceError, EvaluationError, RankError, ShapeError
from ..graph.algebra import constant_value, number, scale
from ..graph.nodes import Delta, Node
from ..graph.operator import NOWHERE, Operator
from ..shapes import normalize_axis, require_rank
from .activations import in_keras, in_torch
from .axes import moved

WHOLE = "labels are whole numbers, and nothing is differentiated by them"
REDUCTIONS = ("none", "mean", "sum")


def one_hot_of(labels: Any, classes: Any) -> Any:
    """Return a row for each label: one at its place among the classes, else zero."""
    count = classes.shape[-1]
    wrong = ~np.isin(labels, np.arange(count))
    if np.any(wrong):
        found = f"{labels[wrong].flat[0]:g}"
        message = f"labels of {count} classes are whole numbers from 0 to {count - 1}, not {found}"
        raise EvaluationError(message, helps=["labels from 1 on: write `y - 1`"] if found == str(count) else [])
    return labels[..., None] == np.arange(count)


def _one_hot(labels: Node, num_classes: int, axis: int = -1) -> Node:
    """Return the rows of labels, with the classes along an axis of their own."""
    rows = call("one_hot_among", labels, Delta.of(num_classes, 1))
    return moved(rows, -1, normalize_axis(axis, rows.rank))


def _classes_last(x: Node) -> Node:
    """Return an array with its classes along the last axis: in PyTorch they are along the second, or the only one."""
    if not x.rank:
        raise RankError("a score for each class is needed, not one number", needed=1)
    return moved(x, min(x.rank, 2) - 1, -1)


def _targets(scores: Node, target: Node) -> Node:
    """Return the probabilities of the classes, whether they are given as such or as labels."""
    if target.rank not in (scores.rank, scores.rank - 1):
        raise RankError("a target holds one label for each sample, or one probability for each class", needed=1)
    labels = target.rank < scores.rank
    found = call("one_hot", target, num_classes=scores.shape[-1]) if labels else _classes_last(target)
    for own, other in zip(scores.shape, found.shape, strict=True):
        if own != other:
            raise ShapeError(f"{own} samples against {other} targets", sizes=(own, other))
    return found


def _reduced(losses: Node, weights: Node | None, reduction: str) -> Node:
    """Return losses as they are, their sum, or their mean: what they add up to, divided by the sum of the weights."""
    if reduction not in REDUCTIONS:
        raise ChoiceError(f"`reduction` is 'none', 'mean' or 'sum', not {reduction!r}", "reduction")
    if reduction == "none":
        return losses
    if reduction == "sum" or weights is None:
        return call(reduction, losses)
    return divide(call("sum", losses), call("sum", weights))


def _loss(
    scores: Node, target: Node, weight: Node, *, logits: bool, reduction: str, ignore_index: int | None,
    label_smoothing: float = 0,
) -> Node:
    """Return minus the log of the probability of the target, from logits or from logs of probabilities."""
    scores = _classes_last(scores)
    kept = None
    labels = target.rank < scores.rank
    if ignore_index is not None and labels:
        kept = call("not_equal", target, number(ignore_index))
        target = call("where", kept, target, number(0))
    plain = targets = _targets(scores, target)
    if label_smoothing:
        text = "(1 - smoothing)*p + smoothing/count(p, axis=-1)"
        targets = elaborate_text(text, {"p": plain, "smoothing": label_smoothing})
    weighted = constant_value(weight) != 1
    if weighted:
        require_rank(weight.shape, 1, "weight", 2)
        if weight.shape != scores.shape[-1:]:
            raise ShapeError("`weight` has one entry for each class", sizes=(scores.shape[-1], weight.shape[0]))
        targets = times(targets, weight)
    losses = scale(-1, call("sum", times(targets, scores), axis=-1))
    if logits:
        whole = call("logsumexp", scores, axis=-1)
        if weighted or not labels:
            whole = times(call("sum", targets, axis=-1), whole)
        losses = plus(whole, losses)
    weights = call("matmul", plain, weight) if weighted and labels else None
    if kept is not None:
        losses = times(kept, losses)
        weights = kept if weights is None else times(kept, weights)
    return _reduced(losses, weights, reduction)


def _cross_entropy(input: Node, target: Node, weight: Node, **settings: Any) -> Node:
    return _loss(input, target, weight, logits=True, **settings)


def _nll_loss(input: Node, target: Node, weight: Node, **settings: Any) -> Node:
    return _loss(input, target, weight, logits=False, **settings)


def _multi_margin(input: Node, target: Node, weight: Node, reduction: str, p: int, margin: float) -> Node:
    """Return how far the scores of the other classes come within a margin of the right one."""
    rows = _targets(input, target)
    text = "u = relu(margin - sum(rows*x, axis=-1)[..., None] + x)**p; mean((1 - rows)*u, axis=-1)"
    losses = elaborate_text(text, {"x": input, "rows": rows, "p": p, "margin": margin})
    if constant_value(weight) != 1:
        losses = times(losses, call("matmul", rows, weight))
    return _reduced(losses, None, reduction)


def _lines(names: str, own: str, smoothing: str = "", smoothed: str = "") -> tuple[str, ...]:
    """Return how PyTorch calls a loss of classes; labels are left out only where `ignore_index` says which."""
    start = "input, target, weight=None, size_average: None = None"
    end = f"reduce: None = None, reduction='mean'{smoothing}"
    meaning = f"{own}(input, target, weight, reduction, {{}}{smoothed})"
    return (*in_torch(names, f"{start}, *, ignore_index, {end}", meaning.format("ignore_index")),
            *in_torch(names, f"{start}, ignore_index=..., {end}", meaning.format("None")))


_SAMPLES = ("{0}(X, [1, 3, 0])", "{0}(x, 2)", "{0}(X, [1, 3, 0], u)", "{0}(X, [1, 3, 0], reduction='none')",
            "{0}(T, [[0, 1, 2, 2], [1, 1, 0, 2]], reduction='sum')", "{0}(X, [1, 3, 0], u, ignore_index=3)")

ENTRIES = (
    Operator("one_hot", "labels; num_classes, axis=-1", "A row for each label: one at its place, else zero.",
             family="losses of classes", build=_one_hot, domain=("label",),
             samples=("one_hot([2, 0, 1], 4) * X", "one_hot([2, 0, 1, 1], 3, axis=0) * X"),
             errors=("one_hot([0, 1])", "one_hot()"),
             libraries=("F.one_hot(tensor, num_classes) -> one_hot(tensor, num_classes)",
                        "jax.nn.one_hot(x, num_classes, *, dtype=..., axis=-1) -> one_hot(x, num_classes, axis)",
                        "tf.one_hot(indices, depth, on_value: None = None, off_value: None = None, axis=-1, dtype=...)"
                        " -> one_hot(indices, depth, axis)"),
             spellings={"numpy": None, "jax": "jax.nn.one_hot(#1, #2, axis=#3)",
                        "torch": "one_hot(#1, #2, #3).to(**like)"}),
    Operator("one_hot_among", "labels, classes", "A row for each label, as long as there are classes.",
             family="losses of classes", signature="(),(k)->(k)", evaluate=one_hot_of, hidden=True, mask=True,
             exact=True, differential="0 * y * dlabels", undifferentiable={"labels": WHOLE, "classes": WHOLE},
             domain=("label", "real"), written="one_hot(labels, k)",
             samples=("one_hot_among(arange(3), ones_like(w))*X",), unit_sums=True,
             errors=("one_hot_among(x)",), spellings=NOWHERE),
    Operator("cross_entropy", "input, target, weight=1; reduction='mean', ignore_index=None, label_smoothing=0",
             "Cross entropy of logits with labels, or with the probabilities of the classes, which stand along the"
             " second axis, or the only one.", family="losses of classes", build=_cross_entropy,
             samples=(*(sample.format("cross_entropy") for sample in _SAMPLES), "cross_entropy(X, softmax(W, axis=1))",
                      "cross_entropy(X, [1, 3, 0], u, label_smoothing=0.1)", "cross_entropy(X, W, u)"),
             errors=("cross_entropy(X)", "cross_entropy(X, [1, 0])", "cross_entropy(X, a)",
                     "cross_entropy(X, [1, 3, 0], v)", "cross_entropy(X, [1, 3, 0], reduction='all')"),
             libraries=(
                 *_lines("cross_entropy CrossEntropyLoss", "cross_entropy", ", label_smoothing=0.0",
                         ", label_smoothing"),
                 *(f"{library}(logits, labels, axis=-1) -> -sum(labels*log_softmax(logits, axis=axis), axis=axis)"
                   for library in ("optax.softmax_cross_entropy", "optax.losses.softmax_cross_entropy")),
                 *(f"{library}(logits, labels, axis: -1 = -1)"
                   " -> -sum(one_hot(labels, logits.shape[-1])*log_softmax(logits, axis=-1), axis=-1)"
                   for library in ("optax.softmax_cross_entropy_with_integer_labels",
                                   "optax.losses.softmax_cross_entropy_with_integer_labels")),
                 *in_keras("categorical_crossentropy CategoricalCrossentropy", "-sum(y_true*log(y_pred), axis=-1)",
                           "y_true, y_pred, from_logits: False = False"),
                 *in_keras("categorical_crossentropy CategoricalCrossentropy",
                           "-sum(y_true*log_softmax(y_pred, axis=-1), axis=-1)", "y_true, y_pred, from_logits: True"),
                 *in_keras("sparse_categorical_crossentropy SparseCategoricalCrossentropy",
                           "-sum(one_hot(y_true, y_pred.shape[-1])*log(y_pred), axis=-1)",
                           "y_true, y_pred, from_logits: False = False"),
                 *in_keras("sparse_categorical_crossentropy SparseCategoricalCrossentropy",
                           "-sum(one_hot(y_true, y_pred.shape[-1])*log_softmax(y_pred, axis=-1), axis=-1)",
                           "y_true, y_pred, from_logits: True"),
                 "tf.nn.softmax_cross_entropy_with_logits(labels, logits, axis=-1)"
                 " -> -sum(labels*log_softmax(logits, axis=axis), axis=axis)",
                 "tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)"
                 " -> -sum(one_hot(labels, logits.shape[-1])*log_softmax(logits, axis=-1), axis=-1)"),
             spellings=NOWHERE, sought=("xent",)),
    Operator("nll_loss", "input, target, weight=1; reduction='mean', ignore_index=None",
             "Minus the log of the probability of the label, from logs of probabilities: as `cross_entropy` after"
             " `log_softmax`.", family="losses of classes", build=_nll_loss,
             samples=tuple(sample.format("nll_loss") for sample in _SAMPLES),
             errors=("nll_loss(X)", "nll_loss(X, [1, 0])", "nll_loss(X, [1, 3, 0], v)"),
             libraries=_lines("nll_loss NLLLoss", "nll_loss"), spellings=NOWHERE),
    Operator("multi_margin_loss", "input, target, weight=1; reduction='mean', p=1, margin=1",
             "How far the scores of the other classes come within a margin of that of the label.",
             family="losses of classes", build=_multi_margin,
             samples=("multi_margin_loss(X, [1, 3, 0])", "multi_margin_loss(X, [1, 3, 0], u, p=2, margin=2)",
                      "multi_margin_loss(x, 2, reduction='none')"),
             errors=("multi_margin_loss(X)", "multi_margin_loss(X, [1, 0])"),
             libraries=in_torch("multi_margin_loss MultiMarginLoss",
                                "input, target, p=1, margin=1.0, weight=None, size_average: None = None,"
                                " reduce: None = None, reduction='mean'",
                                "multi_margin_loss(input, target, weight, reduction, p, margin)"), spellings=NOWHERE),
)
