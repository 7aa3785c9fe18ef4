"""Distances between points, and sums of products as libraries fuse them."""

from __future__ import annotations

from typing import Any

from ..elaboration.elaborate import elaborate_text
from ..elaboration.settings import shown
from ..errors import ExpressionError, RankError, ShapeError
from ..graph.nodes import Node
from ..graph.operator import NOWHERE, Operator
from ..shapes import describe
from .axes import selected
from .patterns import plain

METRICS = {
    "euclidean": "norm(x - y, axis=-1)",
    "sqeuclidean": "sum((x - y)**2, axis=-1)",
    "cityblock": "sum(abs(x - y), axis=-1)",
    "chebyshev": "max(abs(x - y), axis=-1)",
    "cosine": "1 - sum(x * y, axis=-1) / (norm(x, axis=-1) * norm(y, axis=-1))",
    "canberra": "sum(abs(x - y) / (abs(x) + abs(y)), axis=-1)",
    "braycurtis": "sum(abs(x - y), axis=-1) / sum(abs(x + y), axis=-1)",
}
_SCIPY = "scipy.spatial.distance."


def _distance(x: Node, y: Node, p: Any) -> Node:
    """Return distances between what lies along the last axes, by a metric's name or the order of a norm."""
    if isinstance(p, str) and p not in METRICS:
        raise ExpressionError(f"the metric is {', '.join(map(repr, METRICS))} or the order of a norm, not {shown(p)}")
    text = METRICS[p] if isinstance(p, str) else "norm(x - y, ord=p, axis=-1)" if p != 2 else METRICS["euclidean"]
    return elaborate_text(text, {"x": x, "y": y, "p": p})


def _between_all(x1: Node, x2: Node, p: Any) -> Node:
    for place, points in enumerate((x1, x2)):
        if points.rank < 2:
            message = f"`cdist` needs matrices with a point in each row, and this is {describe(points.shape)}"
            raise RankError(message, needed=2, position=place)
    if x1.shape[-1] != x2.shape[-1]:
        message = f"`cdist`: the points have {x1.shape[-1]} and {x2.shape[-1]} coordinates"
        raise ShapeError(message, sizes=(x1.shape[-1], x2.shape[-1]))
    rows = elaborate_text("x[..., :, None, :]", {"x": x1})
    return _distance(rows, elaborate_text("x[..., None, :, :]", {"x": x2}), p)


def _between_pairs(x: Node, p: Any) -> Node:
    if x.rank != 2:
        raise RankError(f"`pdist` needs a matrix with a point in each row, and this is {describe(x.shape)}", needed=2)
    count = plain(x.shape[0], "pdist")
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    first, second = (selected(x, 0, tuple(pair[side] for pair in pairs)) for side in (0, 1))
    return _distance(first, second, p)


def distance(name: str, parameters: str, doc: str, build: Any, *samples: str, **fields: Any) -> Operator:
    """Return a distance."""
    return Operator(name, parameters, doc, family="distances", build=build, samples=samples,
                    **({"spellings": NOWHERE} | fields))


def fused(name: str, parameters: str, doc: str, definition: str, *samples: str, **fields: Any) -> Operator:
    """Return what PyTorch computes at once, by its formula."""
    return Operator(name, parameters, doc, family="distances", definition=definition, samples=samples,
                    **({"spellings": {"numpy": None, "jax": None}} | fields))


def _of_metric(name: str, arrays: str) -> tuple[str, ...]:
    return (
        f"{_SCIPY}{name}({arrays}, metric: 'minkowski', p=2) -> {name}({arrays}, p)",
        f"{_SCIPY}{name}({arrays}, metric='euclidean') -> {name}({arrays}, metric)",
    )


ENTRIES = (
    distance("cdist", "x1, x2; p=2.0", "Distances of the rows of one matrix to those of another, by the order of a norm"
             " or a metric of SciPy.", _between_all, "cdist(X, W)", "cdist(X, W, 1)", "cdist(X, W, p=3)",
             "cdist(S, A)", "cdist(X, W, 'sqeuclidean')", "cdist(X, W, 'cosine')", "cdist(X, W, 'canberra')",
             errors=("cdist(X, A)", "cdist(x, X)", "cdist(X, W, 'far')"),
             libraries=("torch.cdist(x1, x2, p=2.0, compute_mode=...) -> cdist(x1, x2, p)",
                        *_of_metric("cdist", "XA, XB"),
                        "cdist(x1, x2, *, metric='euclidean') -> cdist(x1, x2, metric)")),
    distance("pdist", "x; p=2.0", "Distances between all pairs of rows of a matrix, the first with the second first.",
             _between_pairs, "pdist(X)", "pdist(X, 1)", "pdist(X, 'sqeuclidean')", errors=("pdist(x)", "pdist(X, 'f')"),
             libraries=(*_of_metric("pdist", "X"), "pdist(x, *, metric='euclidean') -> pdist(x, metric)"),
             spellings=NOWHERE),
    fused("dist", "input, other; p=2", "The norm of the difference of all entries.",
          "vector_norm(input - other, ord=p)", "dist(x, u)", "dist(X, W, 1)", "dist(X, x, p=3)",
          errors=("dist(x)", "dist(x, v)"), libraries=("torch.dist(input, other, p=2) -> dist(input, other, p)",)),
    *(Operator(f"{name}_distance", "u, v", f"The {name} distance of two vectors.", family="distances",
               definition=f"distance_by(u, v, '{name}')", samples=(f"{name}_distance(x, u)",),
               errors=(f"{name}_distance(x, v)",), spellings=NOWHERE, hidden=True,
               libraries=(f"{_SCIPY}{name}(u, v) -> {name}_distance(u, v)",))
      for name in METRICS),
    distance("distance_by", "u, v; p=2", "The distance of two vectors by a metric.", _distance,
             "distance_by(x, u, 'cosine')", "distance_by(x, u)", errors=("distance_by(x, v)",), hidden=True,
             spellings=NOWHERE),

    # --- fused sums of products
    fused("lerp", "start, end, weight", "Between two values: start + weight * (end - start).",
          "start + weight * (end - start)", "lerp(x, u, w)", "lerp(X, x, 0.3)", errors=("lerp(x, u)", "lerp(x, v, a)")),
    *(fused(name, f"input, {one}, {two}; beta=1, alpha=1", f"beta * input + alpha * {words}.",
            f"beta * input + alpha * {text}", *samples, errors=(f"{name}(X)", bad))
      for name, one, two, words, text, samples, bad in (
          ("addmm", "mat1", "mat2", "mat1 @ mat2", "matmul(mat1, mat2)",
           ("addmm(X, A, W)", "addmm(x, A, W, beta=2, alpha=-1)"), "addmm(X, W, W)"),
          ("addmv", "mat", "vec", "mat @ vec", "matmul(mat, vec)", ("addmv(v, X, x)", "addmv(v, X, x, alpha=3)"),
           "addmv(v, X, v)"),
          ("addr", "vec1", "vec2", "outer(vec1, vec2)", "outer(vec1, vec2)",
           ("addr(X, v, x)", "addr(x, v, u, beta=0.5)"), "addr(X, x, v)"),
          ("baddbmm", "batch1", "batch2", "batch1 @ batch2", "matmul(batch1, batch2)",
           ("baddbmm(T, S, T)", "baddbmm(A, S, S, beta=2)"), "baddbmm(T, T, T)"),
          ("addbmm", "batch1", "batch2", "the sum of batch1 @ batch2", "sum(matmul(batch1, batch2), axis=0)",
           ("addbmm(X, S, T)", "addbmm(A, S, S, alpha=2)"), "addbmm(X, T, T)"))),
    *(fused(name, "input, tensor1, tensor2; value=1", f"input + value * tensor1 {sign} tensor2.",
            f"input + value * tensor1 {sign} tensor2", f"{name}(x, u, w)", f"{name}(X, x, a, value=0.5)",
            domain=("real", "real", domain), errors=(f"{name}(x)", f"{name}(x, u, v)"))
      for name, sign, domain in (("addcmul", "*", "real"), ("addcdiv", "/", "nonzero"))),
)
