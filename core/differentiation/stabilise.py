"""Rewrites from shapes that lose digits or overflow to the functions that do not, before anything is differentiated.

Each rewrite is one function with one line that states it; it gets a node and returns an equal one, or None. They
hold wherever both sides are defined, and extend the left side to where only the right side is (`log(1 + exp(x))` at
x = 1000), so that values and derivatives are right there too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from ..elaboration.elaborate import call
from ..elaboration.infix import matmul, power, times
from ..graph.algebra import Factor, add, broadcast, constant_value, full, number, permute, product, scale
from ..graph.nodes import Apply, Coefficient, Labels, Map, Node, Product, Reshape, Sum
from ..graph.transform import flatten, transform

Rewrite = Callable[[Node], Node | None]


def stabilized(roots: Sequence[Node]) -> list[Node]:
    """Return the roots with every rewrite applied, leaves first: `log(sum(exp(x)))` becomes `logsumexp(x)`."""
    return transform(roots, _rewritten)


def _rewritten(node: Node) -> Node:
    for rewrite in REWRITES.get(type(node), ()):
        found = rewrite(node)
        if found is not None:
            return found
    return node


def is_map(node: Node, name: str) -> bool:
    """Whether a node is that elementwise function."""
    return isinstance(node, Map) and node.operator.name == name


def is_apply(node: Node, name: str) -> bool:
    """Whether a node is that applied operator."""
    return isinstance(node, Apply) and node.operator.name == name


def _call(name: str, *operands: Node) -> Node:
    result = call(name, *operands)
    assert isinstance(result, Node)
    return result


# --- logarithms ------------------------------------------------------------------------------------------------------


def log_of_exp(node: Node) -> Node | None:
    """log(exp(x)) = x"""
    if is_map(node, "log") and is_map(node.children[0], "exp"):
        return node.children[0].children[0]
    return None


def log_of_det(node: Node) -> Node | None:
    """log(det(X)) = logdet(X); log(det(A) * det(B)) = logdet(A @ B)"""
    if not is_map(node, "log"):
        return None
    inner = node.children[0]
    factors = inner.children if isinstance(inner, Product) and inner.coefficient == 1 else (inner,)
    matrices = [factor.children[0] for factor in factors if is_apply(factor, "det")]
    if not matrices or len(matrices) < len(factors) or len({matrix.shape for matrix in matrices}) > 1:
        return None
    if len(matrices) > 1 and node.shape:
        return None
    return _call("logdet", reduce(matmul, matrices))


def det_of_inverse(node: Node) -> Node | None:
    """det(inv(X)) = 1 / det(X)"""
    if is_apply(node, "det") and is_apply(node.children[0], "inv") and not node.shape:
        return power(_call("det", node.children[0].children[0]), number(-1))
    return None


def product_of_singular_values(node: Node) -> Node | None:
    """prod(svdvals(X)) = abs(det(X)) for square X"""
    if not is_apply(node, "prod") or node.shape or not is_apply(node.children[0], "svdvals"):
        return None
    X = node.children[0].children[0]
    return _call("abs", _call("det", X)) if X.rank == 2 and X.shape[0] == X.shape[1] else None


def det_of_product(node: Node) -> Node | None:
    """det(A @ B) = det(A) * det(B) for square A and B"""
    if not is_apply(node, "det") or node.shape:
        return None
    inner = flatten([node.children[0]])[0]
    if not isinstance(inner, Product) or len(inner.children) < 2 or inner.coefficient != 1:
        return None
    size = inner.shape[0]
    uses = [label for labels in inner.labels for label in labels]
    if any(operand.rank != 2 for operand in inner.children):
        return None
    is_chain = all(operand.shape == (size, size) for operand in inner.children) and all(
        uses.count(label) == (1 if label < 2 else 2) for label in uses
    )
    tied = any(labels[0] == labels[1] for labels in inner.labels)
    if not is_chain or tied or not _connected(inner.labels):
        return None
    return product(1, [(_call("det", operand), ()) for operand in inner.children], ())


def det_of_kronecker(node: Node) -> Node | None:
    """det(kron(A, B)) = det(A)**m * det(B)**n for square A and B of n and m rows"""
    if not is_apply(node, "det") or node.shape:
        return None
    inner = flatten([node.children[0]])[0]
    if not isinstance(inner, Product) or len(inner.children) != 4 or inner.coefficient != 1:
        return None
    merges = {labels[0]: labels[1:] for operand, labels in inner.factors if isinstance(operand, Reshape)}
    matrices = {labels: operand for operand, labels in inner.factors if not isinstance(operand, Reshape)}
    if set(merges) != {0, 1} or len(merges[0]) != 2 or len(merges[1]) != 2:
        return None
    A, B = (matrices.get(pair) for pair in zip(merges[0], merges[1], strict=True))
    if A is None or B is None or A.shape != A.shape[::-1] or B.shape != B.shape[::-1]:
        return None
    return times(power(_call("det", A), number(B.shape[0])), power(_call("det", B), number(A.shape[0])))


def _connected(labels: tuple[Labels, ...]) -> bool:
    """Whether a chain of matrices runs from the first axis to the second through every matrix."""
    here, remaining = 0, list(labels)
    while remaining:
        following = next((own for own in remaining if here in own), None)
        if following is None:
            return False
        remaining.remove(following)
        here = following[1] if following[0] == here else following[0]
    return here == 1


def log_of_scaled(node: Node) -> Node | None:
    """log(c * f) = log(c) + log(f) for a number c > 0, where log(f) has a form of its own"""
    if not is_map(node, "log") or not isinstance(node.children[0], Product):
        return None
    inner = node.children[0]
    if inner.coefficient == 1 or not inner.coefficient > 0:
        return None
    rest = product(1, inner.factors, tuple(range(inner.rank)))
    logarithm = _rewritten(_call("log", rest))
    if is_map(logarithm, "log"):
        return None
    constant = broadcast(_call("log", full(inner.coefficient, ())), node.shape)
    return add([(1, constant), (1, logarithm)], node.shape)


def log_of_sum_of_exp(node: Node) -> Node | None:
    """log(sum(exp(x))) = logsumexp(x)"""
    if not is_map(node, "log") or not isinstance(node.children[0], Product):
        return None
    inner = node.children[0]
    if inner.coefficient != 1 or len(inner.children) != 1 or not is_map(inner.children[0], "exp"):
        return None
    return _reduced_exp(inner)


def _reduced_exp(inner: Product) -> Node | None:
    """Return logsumexp where a Product is a plain sum of one exp over some of its axes."""
    (labels,) = inner.labels
    summed = tuple(axis for axis, label in enumerate(labels) if label >= inner.rank)
    if not summed or len(set(labels)) != len(labels):
        return None
    kept = [label for label in labels if label < inner.rank]
    result = call("logsumexp", inner.children[0].children[0], axis=summed)
    return permute(result, [kept.index(label) for label in range(inner.rank)])


def log_of_one_plus_exp(node: Node) -> Node | None:
    """log(1 + exp(x)) = log1p(exp(x)) = softplus(x)"""
    if is_map(node, "log1p") and is_map(node.children[0], "exp"):
        return _call("softplus", node.children[0].children[0])
    if is_map(node, "log") and (exponent := _one_plus_exp(node.children[0])) is not None:
        return _call("softplus", exponent)
    return None


def _one_plus_exp(node: Node) -> Node | None:
    """Return x where a node is 1 + exp(x)."""
    rest = _one_plus(node)
    return rest[1].children[0] if rest and rest[0] == 1 and is_map(rest[1], "exp") else None


def _one_plus(node: Node) -> tuple[Coefficient, Node] | None:
    """Return (c, f) where a node is 1 + c*f."""
    if not isinstance(node, Sum) or len(node.children) != 2:
        return None
    (first, one), (second, other) = node.terms
    if constant_value(other) is not None:
        first, one, second, other = second, other, first, one
    value = constant_value(one)
    return (second, other) if value is not None and value * first == 1 else None


def log_of_two_exps(node: Node) -> Node | None:
    """log(exp(x) + exp(y)) = logaddexp(x, y)"""
    if is_map(node, "log") and isinstance(node.children[0], Sum) and node.children[0].coefficients == (1, 1):
        first, second = node.children[0].children
        if is_map(first, "exp") and is_map(second, "exp"):
            return _call("logaddexp", first.children[0], second.children[0])
    return None


def log_of_sigmoid(node: Node) -> Node | None:
    """log(sigmoid(x)) = -softplus(-x); log(1 - sigmoid(x)) = -softplus(x)"""
    if not is_map(node, "log"):
        return None
    inner = node.children[0]
    if is_map(inner, "sigmoid"):
        return scale(-1, _call("softplus", scale(-1, inner.children[0])))
    rest = _one_plus(inner)
    if rest and rest[0] == -1 and is_map(rest[1], "sigmoid"):
        return scale(-1, _call("softplus", rest[1].children[0]))
    return None


# --- other elementwise functions -------------------------------------------------------------------------------------


def reciprocal_of_one_plus_exp(node: Node) -> Node | None:
    """1 / (1 + exp(x)) = sigmoid(-x)"""
    if is_map(node, "power") and constant_value(node.children[1]) == -1:
        exponent = _one_plus_exp(node.children[0])
        if exponent is not None:
            return _call("sigmoid", scale(-1, exponent))
    return None


def root_of_sum_of_squares(node: Node) -> Node | None:
    """sqrt(sum(x**2)) = norm(x)"""
    half = is_map(node, "power") and float(constant_value(node.children[1]) or 0) == 0.5
    if not (half or is_map(node, "sqrt")) or not isinstance(node.children[0], Product):
        return None
    inner = flatten([node.children[0]])[0]
    assert isinstance(inner, Product)
    if inner.coefficient != 1 or len(inner.children) != 2 or inner.children[0] is not inner.children[1]:
        return None
    labels = inner.labels[0]
    summed = tuple(axis for axis, label in enumerate(labels) if label >= inner.rank)
    if labels != inner.labels[1] or not summed or len(set(labels)) != len(labels):
        return None
    kept = [label for label in labels if label < inner.rank]
    result = call("euclidean_norm", inner.children[0], axis=summed)
    return permute(result, [kept.index(label) for label in range(inner.rank)])


# --- products --------------------------------------------------------------------------------------------------------


def square_of_norm(node: Node) -> Node | None:
    """norm(x) * norm(x) = sum(x * x)"""
    assert isinstance(node, Product)
    factors = list(node.factors)
    for position, (first, labels) in enumerate(factors):
        if is_apply(first, "euclidean_norm") and (first, labels) in factors[position + 1 :]:
            rest = factors[:position] + factors[position + 1 :]
            rest.remove((first, labels))
            summed = 1 + max((label for _, own in factors for label in own), default=-1)
            squares = [(first.children[0], (*labels, max(summed, node.rank)))] * 2
            return product(node.coefficient, [*rest, *squares], tuple(range(node.rank)))
    return None


def exp_over_sum_of_exp(node: Node) -> Node | None:
    """exp(x) / sum(exp(x)) = exp(x - logsumexp(x))"""
    assert isinstance(node, Product)
    factors = list(node.factors)
    for position, (numerator, labels) in enumerate(factors):
        if not is_map(numerator, "exp"):
            continue
        for place, (divisor, divisor_labels) in enumerate(factors):
            ratio = _softmax(numerator, labels, divisor, divisor_labels)
            if ratio is not None:
                rest = [factor for spot, factor in enumerate(factors) if spot not in (position, place)]
                return product(node.coefficient, [*rest, (ratio, labels)], tuple(range(node.rank)))
    return None


def _softmax(numerator: Node, labels: Labels, divisor: Node, divisor_labels: Labels) -> Node | None:
    if not is_map(divisor, "power") or constant_value(divisor.children[1]) != -1:
        return None
    total = divisor.children[0]
    if not isinstance(total, Product) or total.coefficient != 1 or total.children != (numerator,):
        return None
    kept = [label for label in total.labels[0] if label < total.rank]
    own = [labels[total.labels[0].index(label)] for label in range(total.rank)]
    logarithm = _reduced_exp(total)
    if logarithm is None or kept != sorted(kept) or tuple(own) != divisor_labels:
        return None
    ones = [(full(1, (size,)), (axis,)) for axis, size in enumerate(numerator.shape)]
    axes = tuple(total.labels[0].index(label) for label in range(total.rank))
    spread = product(1, [(logarithm, axes), *ones], tuple(range(numerator.rank)))
    return _call("exp", add([(1, numerator.children[0]), (-1, spread)], numerator.shape))


def exp_times_sigmoid(node: Node) -> Node | None:
    """exp(x) * sigmoid(-x) = sigmoid(x), which is exp(x) / (1 + exp(x))"""
    assert isinstance(node, Product)
    factors = list(node.factors)
    for numerator, labels in factors:
        if is_map(numerator, "exp"):
            partner = (_call("sigmoid", scale(-1, numerator.children[0])), labels)
            if partner in factors:
                factors.remove((numerator, labels))
                factors.remove(partner)
                ratio: Factor = (_call("sigmoid", numerator.children[0]), labels)
                return product(node.coefficient, [*factors, ratio], tuple(range(node.rank)))
    return None


def self_times_log(node: Node) -> Node | None:
    """x * log(x) = xlogx(x), which is 0 at 0"""
    assert isinstance(node, Product)
    factors = list(node.factors)
    for logarithm, labels in factors:
        if is_map(logarithm, "log") and (logarithm.children[0], labels) in factors:
            factors.remove((logarithm, labels))
            factors.remove((logarithm.children[0], labels))
            whole: Factor = (_call("xlogx", logarithm.children[0]), labels)
            return product(node.coefficient, [*factors, whole], tuple(range(node.rank)))
    return None


def inverse_times_vector(node: Node) -> Node | None:
    """inv(A) @ b = solve(A, b); b @ inv(A) = solve(A.T, b)"""
    assert isinstance(node, Product)
    factors = list(node.factors)
    for position, (inverse, labels) in enumerate(factors):
        if not is_apply(inverse, "inv") or inverse.rank != 2:
            continue
        for side in (1, 0):
            users = [place for place, (_, own) in enumerate(factors) if labels[side] in own and place != position]
            if labels[side] < node.rank or labels[0] == labels[1] or len(users) != 1:
                continue
            vector, own = factors[users[0]]
            if own == (labels[side],):
                matrix = inverse.children[0] if side else permute(inverse.children[0], (1, 0))
                rest = [factor for place, factor in enumerate(factors) if place not in (position, users[0])]
                solution: Factor = (_call("solve", matrix, vector), (labels[1 - side],))
                return product(node.coefficient, [*rest, solution], tuple(range(node.rank)))
    return None


REWRITES: dict[type[Node], tuple[Rewrite, ...]] = {
    Map: (
        log_of_exp,
        log_of_det,
        log_of_scaled,
        log_of_sum_of_exp,
        log_of_one_plus_exp,
        log_of_two_exps,
        log_of_sigmoid,
        reciprocal_of_one_plus_exp,
        root_of_sum_of_squares,
    ),
    Apply: (det_of_inverse, det_of_product, det_of_kronecker, product_of_singular_values),
    Product: (square_of_norm, exp_over_sum_of_exp, exp_times_sigmoid, self_times_log, inverse_times_vector),
}
