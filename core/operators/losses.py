"""Losses between predictions and targets, as PyTorch has them, each by a formula for one entry or one sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph.operator import NOWHERE, Operator
from .activations import in_keras, in_torch
from .elementwise import elementwise
from .special import special

_REDUCED = "size_average: None = None, reduce: None = None, reduction='mean'"
_PAIR = ("{0}(x, u)", "{0}(X, W, reduction='sum')", "{0}(X, x, reduction='none')")
_CLAMPED = "PyTorch, BCELoss: the logarithms are bounded from below"
# Where a loss is weighted entry by entry.
_WEIGHTED = ", weight: None = None"


def loss(
    name: str, formula: str, doc: str, *, parameters: str = "input, target", settings: str = "", torch: str = "",
    signature: str = "", given: str = "", lines: tuple[str, ...] = (), **fields: Any,
) -> Operator:
    """Return a loss by the formula of its entries, of which it is the mean, the sum, or all.

    `torch` are its names in torch.nn, `signature` the parameters there, and `given` those that the entry is called
    with, in its own order.
    """
    first, _, last = formula.rpartition("; ")
    texts = {"mean": f"mean({last})", "sum": f"sum({last})", "none": last}
    means = {word: f"{first}; {text}" if first else text for word, text in texts.items()}
    operands = ", ".join(word.partition("=")[0].strip() for word in parameters.split(","))
    meant = f"{name}({given or f'{operands}, reduction'})"
    defaults: dict[str, Any] = {
        "family": "losses", "definition": means, "samples": tuple(sample.format(name) for sample in _PAIR),
        "errors": (f"{name}(x)", f"{name}(x, v)", f"{name}(x, u, reduction='all')"),
        "libraries": (*in_torch(torch, signature or f"{operands}, {_REDUCED}", meant, bare=bool(given)), *lines),
        "spellings": NOWHERE,
    }
    settings = ", ".join(["reduction='mean'", *filter(None, [settings])])
    return Operator(name, f"{parameters}; {settings}", doc, **(defaults | fields))


def _bernoulli_cross_entropy(input: Any, target: Any) -> Any:
    with np.errstate(divide="ignore"):
        wrong, right = (np.maximum(log, -100) for log in (np.log1p(-input), np.log(input)))
    return -(1 - target) * wrong - target * right


def _pairwise(first: str, second: str) -> str:
    return f"pairwise_distance({first}, {second}, p, eps)"


ENTRIES = (
    # --- differences
    loss("mse_loss", "(input - target)**2", "Squares of the differences, and their mean.", torch="mse_loss MSELoss",
         signature=f"input, target, {_REDUCED}{_WEIGHTED}",
         lines=(*(f"{name}(y_true, y_pred) -> mse_loss(y_true, y_pred)"
                  for name in ("mean_squared_error", "sklearn.metrics.mean_squared_error")),
                *(f"optax.{name}(predictions, targets=0) -> mse_loss(predictions, targets, 'none')"
                  for name in ("squared_error", "losses.squared_error")),
                *(f"optax.{name}(predictions, targets=0) -> mse_loss(predictions, targets, 'none') / 2"
                  for name in ("l2_loss", "losses.l2_loss")),
                "tf.nn.l2_loss(t) -> mse_loss(t, 0, 'sum') / 2",
                *in_keras("mean_squared_error MeanSquaredError mse", "(y_true - y_pred)**2"))),
    loss("l1_loss", "abs(input - target)", "Absolute values of the differences, and their mean.",
         torch="l1_loss L1Loss", signature=f"input, target, {_REDUCED}{_WEIGHTED}",
         lines=(*(f"{name}(y_true, y_pred) -> l1_loss(y_true, y_pred)"
                  for name in ("mean_absolute_error", "sklearn.metrics.mean_absolute_error")),
                *in_keras("mean_absolute_error MeanAbsoluteError mae", "abs(y_true - y_pred)"))),
    special("huber", "where(abs(r) < delta, 0, abs(r) - delta) * ddelta + minimum(maximum(r, -delta), delta) * dr",
            "r**2/2 up to delta in size, and the tangent of that beyond.", "Huber 1964, Robust estimation of a location"
            " parameter", parameters="delta, r", domain=("positive", "real"), torch=None, jax=None,
            evaluate=lambda delta, r: np.where(np.abs(r) <= delta, r * r / 2, delta * (np.abs(r) - delta / 2)),
            latex=r"\operatorname{huber}_{#1}\left(#2\right)",
            samples=("huber(1, x)", "huber(u, X)", "huber(0.5, a)")),
    loss("huber_loss", "huber(delta, input - target)", "`huber` of the differences, and its mean.",
         settings="delta=1", torch="huber_loss HuberLoss",
         signature=f"input, target, reduction='mean', delta=1.0{_WEIGHTED}", given="input, target, reduction, delta",
         samples=(*(sample.format("huber_loss") for sample in _PAIR), "huber_loss(x, u, delta=0.5)"),
         lines=(*(f"optax.{name}(predictions, targets=0, delta=1.0) -> huber_loss(predictions, targets, 'none', delta)"
                  for name in ("huber_loss", "losses.huber_loss")),
                *in_keras("huber Huber", "huber_loss(y_true, y_pred, 'none', delta)", "y_true, y_pred, delta=1.0"))),
    loss("smooth_l1_loss", "huber(beta, input - target)/beta", "`huber` of the differences divided by beta.",
         settings="beta=1",
         torch="smooth_l1_loss SmoothL1Loss", signature=f"input, target, {_REDUCED}, beta=1.0",
         given="input, target, reduction, beta",
         samples=(*(sample.format("smooth_l1_loss") for sample in _PAIR), "smooth_l1_loss(x, u, beta=0.5)")),
    elementwise("logcosh", "tanh(x) * dx", "Log of the hyperbolic cosine, without overflow.",
                lambda x: np.logaddexp(x, -x) - np.log(2), family="losses", analytic=False,
                spellings={"numpy": "(np.logaddexp(#1, -#1) - np.log(2))", "latex": r"\log\cosh\left(#1\right)",
                           "torch": "(torch.logaddexp(#1, -#1) - 0.6931471805599453)"}),
    loss("log_cosh", "logcosh(input - target)", "Log of the hyperbolic cosine of the"
         " differences, and its mean.",
         lines=(*(f"optax.{name}(predictions, targets=0) -> log_cosh(predictions, targets, 'none')"
                  for name in ("log_cosh", "losses.log_cosh")),
                *in_keras("log_cosh LogCosh logcosh", "log_cosh(y_true, y_pred, 'none')"))),

    # --- of probabilities
    elementwise("bernoulli_cross_entropy", "(input - target)/bernoulli_variance(input)*dinput - logit(input)*dtarget",
                "Cross entropy of a probability with one, no logarithm being less than -100.",
                _bernoulli_cross_entropy, parameters="input, target", hidden=True, spellings=NOWHERE,
                domain=("probability", "probability"), analytic=False,
                written="-maximum(log(1 - input), -100)*(1 - target) - maximum(log(input), -100)*target",
                regular="-log(1 - input)*(1 - target) - log(input)*target", source=_CLAMPED,
                samples=("bernoulli_cross_entropy(x, 0.3)", "bernoulli_cross_entropy(X, sigmoid(u))")),
    elementwise("bernoulli_variance", "(1 - 2*p)*dp", "p*(1 - p), or 1e-12 where that is less.",
                lambda p: np.maximum(p * (1 - p), 1e-12), parameters="p", hidden=True, spellings=NOWHERE,
                domain=("probability",), analytic=False, written="maximum(p*(1 - p), 1e-12)", regular="p*(1 - p)",
                source=_CLAMPED, samples=("bernoulli_variance(x)", "bernoulli_variance(X)")),
    loss("binary_cross_entropy", "weight*bernoulli_cross_entropy(input, target)",
         "Cross entropy of probabilities with targets of 0 to 1; no logarithm is less than -100, as in PyTorch.",
         parameters="input, target, weight=1",
         torch="binary_cross_entropy BCELoss", domain=("probability", "real", "real"),
         signature=f"input, target, weight=None, {_REDUCED}",
         samples=("binary_cross_entropy(x, 0.3)", "binary_cross_entropy(x, sigmoid(u), w, reduction='sum')",
                  "binary_cross_entropy(X, 0.8, reduction='none')"),
         lines=(*(f"{name}(y_true, y_pred) -> binary_cross_entropy(y_pred, y_true)"
                  for name in ("log_loss", "sklearn.metrics.log_loss")),
                *in_keras("binary_crossentropy BinaryCrossentropy", "binary_cross_entropy(y_pred, y_true, 1, 'none')",
                           "y_true, y_pred, from_logits: False = False"),
                *in_keras("binary_crossentropy BinaryCrossentropy",
                           "binary_cross_entropy_with_logits(y_pred, y_true, 1, 1, 'none')",
                           "y_true, y_pred, from_logits: True"))),
    loss("binary_cross_entropy_with_logits",
         "weight*(softplus(input) - input*target + (pos_weight - 1)*target*softplus(-input))",
         "Cross entropy of sigmoids with targets of 0 to 1, without overflow.",
         parameters="input, target, weight=1, pos_weight=1", aliases=("bce_with_logits",),
         torch="binary_cross_entropy_with_logits BCEWithLogitsLoss",
         signature=f"input, target, weight=None, {_REDUCED}, pos_weight=None",
         given="input, target, weight, pos_weight, reduction",
         samples=(*(sample.format("binary_cross_entropy_with_logits") for sample in _PAIR),
                  "binary_cross_entropy_with_logits(x, u, w, 2)"),
         lines=(*(f"optax.{name}(logits, labels) -> binary_cross_entropy_with_logits(logits, labels, 1, 1, 'none')"
                  for name in ("sigmoid_binary_cross_entropy", "losses.sigmoid_binary_cross_entropy")),
                "tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)"
                " -> binary_cross_entropy_with_logits(logits, labels, 1, 1, 'none')",
                "tf.nn.weighted_cross_entropy_with_logits(labels, logits, pos_weight)"
                " -> binary_cross_entropy_with_logits(logits, labels, 1, pos_weight, 'none')")),
    loss("multilabel_soft_margin_loss", "mean(weight*(softplus(input) - input*target), axis=-1)",
         "Mean over the classes of the cross entropy of sigmoids.", parameters="input, target, weight=1",
         torch="multilabel_soft_margin_loss MultiLabelSoftMarginLoss",
         signature=f"input, target, weight=None, {_REDUCED}"),
    Operator("kl_div_loss", "input, target; reduction='mean'", "Kullback-Leibler divergence of the target from what"
             " has the input as its logarithm.", family="losses", domain=("real", "positive"),
             definition={word: text.format("target*log(target) - target*input") for word, text in
                         (("mean", "mean({})"), ("sum", "sum({})"), ("none", "{}"),
                          ("batchmean", "sum({})/input.shape[0]"))},
             samples=("kl_div_loss(x, u)", "kl_div_loss(X, W, 'batchmean')", "kl_div_loss(X, W, 'sum')",
                      "kl_div_loss(X, x, reduction='none')"),
             errors=("kl_div_loss(x)", "kl_div_loss(x, u, 'all')"), spellings=NOWHERE,
             libraries=(
                 *(f"{name}(input, target, {_REDUCED}, {given}) -> kl_div_loss(input, {own}, reduction)"
                   for name in ("torch.kl_div", "F.KLDivLoss")
                   for given, own in (("log_target: False = False", "target"), ("*, log_target: True", "exp(target)"))),
                 *(f"optax.{name}(log_predictions, targets)"
                   " -> sum(kl_div_loss(log_predictions, targets, 'none'), axis=-1)"
                   for name in ("kl_divergence", "losses.kl_divergence")))),
    loss("gaussian_nll_loss", "(log(var) + (input - target)**2/var)/2 + full*log(2*pi)/2",
         "Minus the log of the normal density of the target, without its constant unless it is asked for; no variance"
         " is raised to `eps` as PyTorch does.", parameters="input, target, var", settings="full=False",
         domain=("real", "real", "positive"), torch="gaussian_nll_loss GaussianNLLLoss",
         signature="input, target, var, full: number = False, eps: 1e-06 = 1e-06, reduction='mean'",
         given="input, target, var, reduction, full",
         samples=("gaussian_nll_loss(x, u, w)", "gaussian_nll_loss(X, W, w, reduction='sum', full=True)",
                  "gaussian_nll_loss(X, W, 2, reduction='none')"),
         errors=("gaussian_nll_loss(x, u)", "gaussian_nll_loss(x, v, w)")),
    loss("poisson_nll_loss", "exp(input) - target*input", "Minus the log of the Poisson probability of the target by"
         " the log of its mean, without the factorial.", torch="poisson_nll_loss PoissonNLLLoss",
         signature="input, target, log_input: True = True, full: False = False, size_average: None = None, eps=...,"
                   " reduce: None = None, reduction='mean'",
         lines=in_torch("poisson_nll_loss PoissonNLLLoss",
                        "input, target, log_input: False, full: False = False, size_average: None = None, eps=1e-08,"
                        " reduce: None = None, reduction='mean'",
                        "mean_poisson_nll_loss(input, target, reduction, eps)")),
    loss("mean_poisson_nll_loss", "input - target*log(input + eps)", "Minus the log of the Poisson probability of the"
         " target by its mean, without the factorial.", settings="eps=0", domain=("positive", "real")),

    # --- of signs and margins
    loss("hinge_loss", "relu(1 - target*input)", "How far the product of score and sign falls short of one.",
         lines=(*(f"optax.{name}(predictor_outputs, targets) -> hinge_loss(predictor_outputs, targets, 'none')"
                  for name in ("hinge_loss", "losses.hinge_loss")),
                *in_keras("hinge Hinge", "hinge_loss(y_pred, y_true, 'none')"),
                *(f"{name}(y_true, pred_decision) -> hinge_loss(pred_decision, y_true)"
                  for name in ("sklearn.metrics.hinge_loss",)))),
    loss("hinge_embedding_loss", "where(target != -1, input, 0) + where(target != 1, relu(margin - input), 0)",
         "The distance where the target is 1, and what it lacks of a margin where the target is -1.",
         settings="margin=1", torch="hinge_embedding_loss HingeEmbeddingLoss",
         signature=f"input, target, margin: number = 1.0, {_REDUCED}", given="input, target, reduction, margin",
         samples=("hinge_embedding_loss(x, sign(u))", "hinge_embedding_loss(X, sign(x), reduction='sum', margin=2)",
                  "hinge_embedding_loss(X, -1, reduction='none')")),
    loss("soft_margin_loss", "softplus(-target*input)", "log(1 + exp(-target*input)), for targets of 1 and -1.",
         torch="soft_margin_loss SoftMarginLoss"),
    loss("margin_ranking_loss", "relu(margin - target*(input1 - input2))",
         "How far the first input is from being larger by a margin, or smaller where the target is -1.",
         parameters="input1, input2, target", settings="margin=0", torch="margin_ranking_loss MarginRankingLoss",
         signature=f"input1, input2, target, margin: number = 0, {_REDUCED}",
         given="input1, input2, target, reduction, margin",
         samples=("margin_ranking_loss(x, u, w)", "margin_ranking_loss(X, W, w, reduction='sum', margin=0.5)",
                  "margin_ranking_loss(X, W, -1, reduction='none')"),
         errors=("margin_ranking_loss(x, u)", "margin_ranking_loss(x, v, w)")),
    loss("cosine_embedding_loss",
         "c = cosine_similarity(input1, input2); where(target == 1, 1 - c, relu(c - margin))",
         "One minus the cosine where the target is 1, and what the cosine is above a margin where it is -1.",
         parameters="input1, input2, target", settings="margin=0", torch="cosine_embedding_loss CosineEmbeddingLoss",
         signature=f"input1, input2, target, margin: number = 0, {_REDUCED}",
         given="input1, input2, target, reduction, margin",
         samples=("cosine_embedding_loss(x, u, 1)", "cosine_embedding_loss(X, W, sign(v), reduction='sum', margin=0.1)",
                  "cosine_embedding_loss(X, W, -1, reduction='none')"),
         errors=("cosine_embedding_loss(x, u)", "cosine_embedding_loss(x, v, 1)")),
    loss("triplet_margin_loss", f"relu({_pairwise('anchor', 'positive')} - {_pairwise('anchor', 'negative')} + margin)",
         "How far an anchor is from being nearer to what is like it than to what is not, by a margin.",
         parameters="anchor, positive, negative", settings="margin=1, p=2, eps=1e-06",
         torch="triplet_margin_loss TripletMarginLoss",
         signature=f"anchor, positive, negative, margin: number = 1.0, p=2, eps=1e-06, swap: False = False,"
                   f" {_REDUCED}",
         given="anchor, positive, negative, reduction, margin, p, eps",
         samples=("triplet_margin_loss(x, u, w)", "triplet_margin_loss(X, W, 2*W, reduction='sum', margin=2, p=1)",
                  "triplet_margin_loss(X, W, x, reduction='none')"),
         errors=("triplet_margin_loss(x, u)", "triplet_margin_loss(x, u, v)"),
         lines=in_torch("triplet_margin_loss TripletMarginLoss",
                        f"anchor, positive, negative, margin: number = 1.0, p=2, eps=1e-06, *, swap: True, {_REDUCED}",
                        "swapped_triplet_margin_loss(anchor, positive, negative, reduction, margin, p, eps)"),
         ),
    loss("swapped_triplet_margin_loss",
         f"near = minimum({_pairwise('anchor', 'negative')}, {_pairwise('positive', 'negative')});"
         f" relu({_pairwise('anchor', 'positive')} - near + margin)",
         "As `triplet_margin_loss`, with what is nearer to the negative of anchor and positive.",
         parameters="anchor, positive, negative", settings="margin=1, p=2, eps=1e-06", hidden=True,
         samples=("swapped_triplet_margin_loss(x, u, w)",), errors=("swapped_triplet_margin_loss(x, u, v)",)),
)
