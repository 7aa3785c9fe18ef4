"""Rewrites from shapes that lose digits or overflow to the functions that do not, before anything is differentiated.

Each rewrite is one function with one line that states it; it gets a node and returns an equal one, or None. They
hold wherever both sides are defined, and extend the left side to where only the right side is (`log(1 + exp(x))` at
x = 1000), so that values and derivatives are right there too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import reduce
from itertools import combinations, permutations
from typing import Any

from ..elaboration.elaborate import call, elaborate_text
from ..elaboration.infix import matmul, power, times
from ..graph.algebra import (
    Factor,
    add,
    broadcast,
    constant_value,
    exchanged,
    fresh,
    full,
    number,
    permute,
    product,
    repeated_axes,
    scale,
    without_axes,
)
from ..graph.factoring import kronecker_factors
from ..graph.nodes import Apply, Coefficient, Labels, Map, Node, Product, Reshape, Sum, is_function
from ..graph.transform import flatten, transform_once

Rewrite = Callable[[Any], Node | None]
Term = tuple[Coefficient, Node]


def stabilized(roots: Sequence[Node]) -> list[Node]:
    """Return the roots with every rewrite applied, leaves first: `log(sum(exp(x)))` becomes `logsumexp(x)`."""
    return transform_once(roots, rewritten)


def rewritten(node: Node) -> Node:
    """Return a node over stabilized operands with every rewrite applied to it."""
    if isinstance(node, Product):
        factors = {factor.operator.name for factor in node.children if isinstance(factor, Map | Apply)}
        rewrites = [rewrite for name in FACTORS if name in factors for rewrite in REWRITES[Product, name]]
    else:
        rewrites = [*REWRITES.get(node.operator.name if isinstance(node, Map | Apply) else type(node), ())]
    return next((found for rewrite in rewrites if (found := rewrite(node)) is not None), node)


# --- logarithms ------------------------------------------------------------------------------------------------------


def log_of_one(node: Node) -> Node | None:
    """log(1) = 0"""
    return full(0, node.shape) if constant_value(node.children[0]) == 1 else None


def log_of_exp(node: Node) -> Node | None:
    """log(exp(x)) = x"""
    (inner,) = node.children
    return inner.children[0] if is_function(inner, "exp") else None


def log_of_det(node: Node) -> Node | None:
    """log(det(X)) = logdet(X); log(det(A) * det(B)) = logdet(A @ B)"""
    (inner,) = node.children
    factors = inner.children if isinstance(inner, Product) and inner.coefficient == 1 else (inner,)
    matrices = [factor.children[0] for factor in factors if is_function(factor, "det")]
    if not matrices or len(matrices) < len(factors) or len({matrix.shape for matrix in matrices}) > 1:
        return None
    if len(matrices) > 1 and node.shape:
        return None
    return call("logdet", reduce(matmul, matrices))


def log_of_size_of_det(node: Node) -> Node | None:
    """log(abs(det(X))) = slogdet(X)[1]"""
    det = _operand("abs", node.children[0])
    if det is None or not is_function(det, "det"):
        return None
    return elaborate_text("slogdet(X)[1]", {"X": det.children[0]})


def det_of_inverse(node: Node) -> Node | None:
    """det(inv(X)) = 1 / det(X)"""
    (inner,) = node.children
    return power(call("det", *inner.children), number(-1)) if is_function(inner, "inv") and not node.shape else None


def product_of_singular_values(node: Node) -> Node | None:
    """prod(svdvals(X)) = abs(det(X)) for square X"""
    (inner,) = node.children
    if not is_function(inner, "svdvals") or inner.rank != 1 or len(set(inner.children[0].shape)) != 1:
        return None
    return call("abs", call("det", *inner.children))


def det_of_product(node: Node) -> Node | None:
    """det(A @ B) = det(A) * det(B) for square A and B"""
    (inner,) = flatten(node.children)
    if node.shape or not isinstance(inner, Product) or len(inner.children) < 2 or inner.coefficient != 1:
        return None
    uses = [label for labels in inner.labels for label in labels]
    if any(operand.shape != inner.shape for operand in inner.children) or not _connected(inner.labels):
        return None
    if any(uses.count(label) != (1 if label < 2 else 2) for label in uses):
        return None
    return product(1, [(call("det", operand), ()) for operand in inner.children], ())


def det_of_kronecker(node: Node) -> Node | None:
    """det(kron(A, B)) = det(A)**m * det(B)**n for square A and B of n and m rows"""
    factors = None if node.shape else kronecker_factors(*node.children)
    if factors is None:
        return None
    A, B = factors
    return times(power(call("det", A), number(B.shape[0])), power(call("det", B), number(A.shape[0])))


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
    (inner,) = node.children
    if not isinstance(inner, Product) or inner.coefficient == 1 or not inner.coefficient > 0:
        return None
    logarithm = rewritten(call("log", product(1, inner.factors, tuple(range(inner.rank)))))
    if is_function(logarithm, "log"):
        return None
    constant = broadcast(call("log", full(inner.coefficient, ())), node.shape)
    return add([(1, constant), (1, logarithm)], node.shape)


def log_of_sum_of_exp(node: Node) -> Node | None:
    """log(sum(exp(x))) = logsumexp(x)"""
    (inner,) = node.children
    if not isinstance(inner, Product) or inner.coefficient != 1 or len(inner.children) != 1:
        return None
    (term,) = inner.children
    return _along_summed("logsumexp", term.children[0], inner) if is_function(term, "exp") else None


def _along_summed(name: str, operand: Node, total: Product) -> Node | None:
    """Return a function along those axes of an operand that a Product sums over; None where it is no plain sum."""
    labels = total.labels[0]
    summed = tuple(axis for axis, label in enumerate(labels) if label >= total.rank)
    if not summed or len(set(labels)) != len(labels):
        return None
    kept = [label for label in labels if label < total.rank]
    return permute(call(name, operand, axis=summed), [kept.index(label) for label in range(total.rank)])


def logsumexp_of_shifted(node: Apply) -> Node | None:
    """logsumexp(x + c) = logsumexp(x) + c for a c that is the same along the axis"""
    (inner,) = node.children
    terms = inner.terms if isinstance(inner, Sum) else ()
    if isinstance(inner, Product) and inner.coefficient == 1 and isinstance(inner.children[0], Sum):
        terms = [(c, exchanged(inner, (0,), (term, inner.labels[0]))) for c, term in inner.children[0].terms]
    own, shifts = list[Term](), list[Term]()
    for c, term in terms:
        (shifts if inner.rank - 1 in repeated_axes(term) else own).append((c, term))
    if not own or not shifts:
        return None
    kept = tuple(range(node.rank))
    shift = add([(c, without_axes(term, kept)) for c, term in shifts], node.shape)
    return add([(1, call("logsumexp", add(own, inner.shape), axis=-1)), (1, shift)], node.shape)


def difference_of_shifted(node: Sum) -> Node | None:
    """x + c - (y + c) = x - y, also where y + c is repeated along an axis of x"""
    for spread in node.children:
        if not isinstance(spread, Product) or not repeated_axes(spread):
            continue
        sums = [(place, *factor) for place, factor in enumerate(spread.factors) if isinstance(factor[0], Sum)]
        for place, total, labels in sums:
            assert isinstance(total, Sum)
            inner = [(c, exchanged(spread, (place,), (term, labels))) for c, term in total.terms]
            terms = [(c, [(1, term)] if term is not spread else inner) for c, term in node.terms]
            parts = [(outer * c, term) for outer, own in terms for c, term in own]
            found = add(parts, node.shape)
            if len(found.children) < len(parts) - 1:
                return found
    return None


def log_of_one_plus_exp(node: Node) -> Node | None:
    """log(1 + exp(x)) = log1p(exp(x)) = softplus(x)"""
    (inner,) = node.children
    exponent = _one_plus("exp", inner) if is_function(node, "log") else _operand("exp", inner)
    return None if exponent is None else call("softplus", exponent)


def _operand(name: str, node: Node) -> Node | None:
    """Return x where a node is f(x) of that name."""
    return node.children[0] if is_function(node, name) else None


def _one_plus(name: str, node: Node, sign: int = 1) -> Node | None:
    """Return x where a node is 1 + f(x), or 1 - f(x)."""
    if not isinstance(node, Sum) or len(node.children) != 2:
        return None
    (first, one), (second, other) = sorted(node.terms, key=lambda term: constant_value(term[1]) is None)
    value = constant_value(one)
    return _operand(name, other) if value is not None and value * first == 1 and second == sign else None


def log_of_two_exps(node: Node) -> Node | None:
    """log(exp(x) + exp(y)) = logaddexp(x, y)"""
    (inner,) = node.children
    if not isinstance(inner, Sum) or inner.coefficients != (1, 1):
        return None
    first, second = (_operand("exp", term) for term in inner.children)
    return None if first is None or second is None else call("logaddexp", first, second)


def log_of_sigmoid(node: Node) -> Node | None:
    """log(sigmoid(x)) = -softplus(-x); log(1 - sigmoid(x)) = -softplus(x)"""
    (inner,) = node.children
    if is_function(inner, "sigmoid"):
        return scale(-1, call("softplus", scale(-1, inner.children[0])))
    x = _one_plus("sigmoid", inner, -1)
    return None if x is None else scale(-1, call("softplus", x))


def cross_entropy_of_sigmoid(node: Node) -> Node | None:
    """bernoulli_cross_entropy(sigmoid(x), t) = softplus(x) - t*x"""
    x = _operand("sigmoid", node.children[0])
    return None if x is None else add([(1, call("softplus", x)), (-1, times(node.children[1], x))], node.shape)


def logit_of_sigmoid(node: Node) -> Node | None:
    """logit(sigmoid(x)) = x"""
    return _operand("sigmoid", node.children[0])


# --- other elementwise functions -------------------------------------------------------------------------------------


def reciprocal_of_one_plus_exp(node: Node) -> Node | None:
    """1 / (1 + exp(x)) = sigmoid(-x)"""
    exponent = _one_plus("exp", node.children[0]) if constant_value(node.children[1]) == -1 else None
    return None if exponent is None else call("sigmoid", scale(-1, exponent))


def root_of_sum_of_squares(node: Node) -> Node | None:
    """sqrt(sum(x**2)) = norm(x)"""
    if is_function(node, "power") and constant_value(node.children[1]) != 0.5:
        return None
    inner = flatten(node.children[:1])[0] if isinstance(node.children[0], Product) else None
    if not isinstance(inner, Product) or inner.coefficient != 1 or len(inner.children) != 2:
        return None
    first, second = inner.factors
    return _along_summed("euclidean_norm", first[0], inner) if first == second else None


# --- products --------------------------------------------------------------------------------------------------------


def square_of_norm(node: Product) -> Node | None:
    """norm(x) * norm(x) = sum(x * x)"""
    for (position, (norm, labels)), (other, second) in combinations(enumerate(node.factors), 2):
        if is_function(norm, "euclidean_norm") and (norm, labels) == second:
            return exchanged(node, (position, other), *[_with_own_axes(norm.children[0], labels)] * 2)
    return None


def _with_own_axes(merged: Node, labels: Labels) -> Factor:
    """Return an operand whose last axis is summed, with the axes that were merged to that one apart again."""
    (last,) = fresh(1)
    terms = merged.children if isinstance(merged, Sum) else (merged,)
    products = (term for term in terms if isinstance(term, Product))
    found = (own for term in products for own in term.factors if isinstance(own[0], Reshape))
    merging = next((operand for operand, own in found if own[0] == merged.rank - 1), None)
    if merging is None:
        return merged, (*labels, last)
    axes = fresh(merging.rank - 1)
    own = (*labels, *axes)
    apart = [product(1, [(term, (*labels, last)), (merging, (last, *axes))], own) for term in terms]
    coefficients = merged.coefficients if isinstance(merged, Sum) else (1,)
    return add(zip(coefficients, apart, strict=True), apart[0].shape), own


def exp_over_sum_of_exp(node: Product) -> Node | None:
    """exp(x) / sum(exp(x)) = exp(x - logsumexp(x))"""
    for (position, (numerator, labels)), (place, divisor) in permutations(enumerate(node.factors), 2):
        if is_function(numerator, "exp") and (ratio := _softmax(numerator, labels, *divisor)) is not None:
            return exchanged(node, (position, place), (ratio, labels))
    return None


def _softmax(numerator: Node, labels: Labels, divisor: Node, divisor_labels: Labels) -> Node | None:
    if not is_function(divisor, "power") or constant_value(divisor.children[1]) != -1:
        return None
    total = divisor.children[0]
    if not isinstance(total, Product) or total.coefficient != 1 or total.children != (numerator,):
        return None
    kept = [label for label in total.labels[0] if label < total.rank]
    own = [labels[total.labels[0].index(label)] for label in range(total.rank)]
    logarithm = _along_summed("logsumexp", numerator.children[0], total)
    if logarithm is None or kept != sorted(kept) or tuple(own) != divisor_labels:
        return None
    ones = [(full(1, (size,)), (axis,)) for axis, size in enumerate(numerator.shape)]
    axes = tuple(total.labels[0].index(label) for label in range(total.rank))
    spread = product(1, [(logarithm, axes), *ones], tuple(range(numerator.rank)))
    return call("exp", add([(1, numerator.children[0]), (-1, spread)], numerator.shape))


def sum_of_softmax(node: Product) -> Node | None:
    """sum(softmax(x)) = 1"""
    uses = Counter(label for labels in node.labels for label in labels)
    for place, (powers, labels) in enumerate(node.factors):
        total = powers.children[0] if is_function(powers, "exp") else None
        for axis, label in enumerate(labels):
            if isinstance(total, Sum) and label >= node.rank and uses[label] == 1:
                for shift in total.children:
                    x = add([(c, term) for c, term in total.terms if term is not shift], total.shape)
                    if call("softmax", x, axis=axis) is powers:
                        ones = [(full(1, (size,)), (own,)) for own, size in zip(labels, total.shape, strict=True)]
                        return exchanged(node, (place,), *(one for one in ones if one[1] != (label,)))
    return None


def sum_of_spectrum(node: Product) -> Node | None:
    """sum(svdvals(X)) = norm(X, "nuc"); sum(eigvalsh(X)) = trace(X)"""
    uses = Counter(label for labels in node.labels for label in labels)
    for place, (values, labels) in enumerate(node.factors):
        if len(labels) == 1 and labels[0] >= node.rank and uses[labels[0]] == 1:
            if is_function(values, "svdvals"):
                return exchanged(node, (place,), (call("nuclear_norm", *values.children), ()))
            first = isinstance(values, Apply) and values.output == 0
            if is_function(values, "eigvalsh") or (is_function(values, "eigh") and first):
                return exchanged(node, (place,), (call("trace", *values.children), ()))
    return None


def exp_times_sigmoid(node: Product) -> Node | None:
    """exp(x) * sigmoid(-x) = sigmoid(x), which is exp(x) / (1 + exp(x))"""
    return _met(node, "exp", lambda x: call("sigmoid", scale(-1, x)), "sigmoid")


def self_times_log(node: Product) -> Node | None:
    """x * log(x) = xlogx(x), which is 0 at 0"""
    return _met(node, "log", lambda x: x, "xlogx")


def _met(node: Product, name: str, partner_of: Callable[[Node], Node], result: str) -> Node | None:
    """Return a Product in which f(x) of that name has met its partner, entry by entry, and both are the result."""
    factors = list(node.factors)
    for place, (factor, labels) in enumerate(factors):
        if (x := _operand(name, factor)) is not None and (partner := (partner_of(x), labels)) in factors:
            return exchanged(node, (place, factors.index(partner)), (call(result, x), labels))
    return None


def inverse_times_vector(node: Product) -> Node | None:
    """inv(A) @ b = solve(A, b); b @ inv(A) = solve(A.T, b)"""
    factors = list(node.factors)
    for position, (inverse, labels) in enumerate(factors):
        if not is_function(inverse, "inv") or inverse.rank != 2:
            continue
        for side in (1, 0):
            users = [place for place, (_, own) in enumerate(factors) if labels[side] in own and place != position]
            if labels[side] < node.rank or labels[0] == labels[1] or len(users) != 1:
                continue
            vector, own = factors[users[0]]
            if own == (labels[side],):
                matrix = inverse.children[0] if side else permute(inverse.children[0], (1, 0))
                solution = (call("solve", matrix, vector), (labels[1 - side],))
                return exchanged(node, (position, users[0]), solution)
    return None


REWRITES: dict[str | type[Node] | tuple[type[Node], str], tuple[Rewrite, ...]] = {
    "log": (
        log_of_one, log_of_exp, log_of_size_of_det, log_of_det, log_of_scaled, log_of_sum_of_exp, log_of_one_plus_exp,
        log_of_two_exps, log_of_sigmoid,
    ),
    "log1p": (log_of_one_plus_exp,),
    "logit": (logit_of_sigmoid,),
    "bernoulli_cross_entropy": (cross_entropy_of_sigmoid,),
    "logsumexp": (logsumexp_of_shifted,),
    "power": (reciprocal_of_one_plus_exp, root_of_sum_of_squares),
    "sqrt": (root_of_sum_of_squares,),
    "det": (det_of_inverse, det_of_product, det_of_kronecker),
    "prod": (product_of_singular_values,),
    Sum: (difference_of_shifted,),
    (Product, "euclidean_norm"): (square_of_norm,),
    (Product, "svdvals"): (sum_of_spectrum,),
    (Product, "eigvalsh"): (sum_of_spectrum,),
    (Product, "eigh"): (sum_of_spectrum,),
    (Product, "exp"): (exp_over_sum_of_exp, sum_of_softmax),
    (Product, "sigmoid"): (exp_times_sigmoid,),
    (Product, "log"): (self_times_log,),
    (Product, "inv"): (inverse_times_vector,),
}  # fmt: skip
"""By the name of a function, by the kind of a node, or of a Product by the name of a function among its factors."""
FACTORS = tuple(key[1] for key in REWRITES if isinstance(key, tuple))
