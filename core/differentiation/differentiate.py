"""Differentiation: graph to graph.

The generalized Jacobian of y by x has axes `y.shape + x.shape`; the gradient of a scalar has the shape of x. A
derivative of higher order repeats this: its axes are those of y, then of each variable in turn. Every other layout is
a rendering of this one.

Reverse accumulation starts from a Delta, which flows through Products as a renaming of labels, so that the adjoint of
each node is a Product whose order of contraction is still open: choosing that order when the numbers are computed,
not a forward or a reverse mode, decides the cost (cross-country elimination).

A Product, a Sum and a Map carry their derivative in their form. For an Apply the operator's differential, an
expression linear in the tangent, is used as it stands forward and transposed by the same engine backward, so the two
cannot drift apart. An operator that is linear in its last operand declares what that operand's adjoint is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import count

from ..elaboration.elaborate import Value, elaborate_text
from ..errors import NoClosedFormError
from ..graph.algebra import Factor, add, exchanged, fresh, full, identity, is_zero, permute, product, zero
from ..graph.nodes import Apply, Coefficient, Delta, Map, Node, Product, Sum, Symbol, Triangle, topological
from ..graph.operator import Operator
from ..graph.signatures import bind_signature
from ..graph.transform import vectorize
from .adjoints import adjoint_of, transferred

_placeholders = count()


def derivative(output: Node, variable: Symbol) -> Node:
    """Return the generalized Jacobian, with axes `output.shape + variable.shape`.

    Example: `derivative(A @ x, x)` is `A`. By a symmetric variable the result is the gradient of f((X + X.T)/2): it
    is symmetric in the variable's axes, off-diagonal entries are not doubled. Where its entries on and below the
    diagonal are taken as independent variables, it is `2*G - diag(diag(G))` of that.
    """
    known = output.__dict__.setdefault("_derivatives", {})
    if variable not in known:
        known[variable] = symmetrized(pullback(output, identity(output.shape), variable), variable)
    found: Node = known[variable]
    return found


def symmetrized(result: Node, variable: Symbol) -> Node:
    """Return a derivative projected onto the space of matrices that a variable is assumed to be in."""
    for word, projected in PROJECTIONS.items():
        if word in variable.assumptions:
            result = projected(result)
    if not variable.symmetric:
        return result
    if "independent" in variable.assumptions:
        return _by_independent_entries(result)
    if "diagonal" in variable.assumptions:
        return _diagonal(result)
    first, second = result.rank - 2, result.rank - 1
    half = Fraction(1, 2)
    # Term by term, so that a term which is symmetric already is found out.
    parts = list(result.terms) if isinstance(result, Sum) else [(1, result)]
    turned = [(half * c, permute(term, [*range(first), second, first])) for c, term in parts]
    return add([*((half * c, term) for c, term in parts), *turned], result.shape)


def _by_independent_entries(result: Node) -> Node:
    """Return G + G.T - diag(diag(G)): the derivative by the entries on and below the diagonal, laid out on both sides.

    Source: Petersen & Pedersen, The Matrix Cookbook (2012), equation 138.
    """
    *lead, first, second = range(result.rank)
    return add([(1, result), (1, permute(result, [*lead, second, first])), (-1, _diagonal(result))], result.shape)


def _diagonal(result: Node) -> Node:
    """Return zeros but for the diagonal of the last two axes."""
    *lead, first, second = axes = tuple(range(result.rank))
    return product(1, [(result, (*lead, first, first)), (Delta.of(result.shape[-1], 2), (first, second))], axes)


def _triangle(result: Node, offset: tuple[int, int]) -> Node:
    """Return zeros beside one triangle of the last two axes."""
    axes = tuple(range(result.rank))
    ends = axes[-2:] if offset == (0, 1) else axes[:-3:-1]
    shape = [result.shape[axis] for axis in ends]
    return product(1, [(result, axes), (Triangle.of(*shape), ends)], axes)


def _skew(result: Node) -> Node:
    *lead, first, second = range(result.rank)
    half = Fraction(1, 2)
    return add([(half, result), (-half, permute(result, [*lead, second, first]))], result.shape)


PROJECTIONS: Mapping[str, Callable[[Node], Node]] = {
    "lower": lambda result: _triangle(result, (0, 1)),
    "upper": lambda result: _triangle(result, (1, 0)),
    "skew": _skew,
    "tridiagonal": lambda result: elaborate_text("triu(tril(G, 1), -1)", {"G": result}),
    "toeplitz": lambda result: elaborate_text("mean_diagonals(G)", {"G": result}),
    "hankel": lambda result: elaborate_text("mean_diagonals(G[..., ::-1, :])[..., ::-1, :]", {"G": result}),
    "circulant": lambda result: elaborate_text("mean_cyclic_diagonals(G)", {"G": result}),
}
"""What a derivative by a variable of a space of matrices is projected with."""


def pullback(output: Node, cotangent: Node, variable: Symbol) -> Node:
    """Return the cotangent carried back from the output to the variable.

    Its axes are leading axes, then `output.shape`; the result's are the leading axes, then `variable.shape`.
    Example: with the identity as cotangent this is the Jacobian; with a vector it is the vector-Jacobian product.
    """
    lead = cotangent.rank - output.rank
    order = topological([output])
    live = _depending(order, {variable})
    adjoints: dict[Node, list[tuple[Coefficient, Node]]] = {output: [(1, cotangent)]}
    for node in reversed(order):
        contributions = adjoints.get(node)
        if node not in live or not contributions:
            continue
        adjoint = add(contributions, cotangent.shape[:lead] + node.shape)
        if node is variable:
            return adjoint
        for coefficient, child, contribution in _local_pullbacks(node, adjoint, lead, live):
            adjoints.setdefault(child, []).append((coefficient, contribution))
    return zero(cotangent.shape[:lead] + variable.shape)


def pushforward(output: Node, tangents: Mapping[Symbol, Node]) -> Node:
    """Return the Jacobian-vector product along tangents that have the shapes of their variables.

    Example: `pushforward(A @ x, {x: v})` is `A @ v`.
    """
    order = topological([output])
    live = _depending(order, set(tangents))
    result: dict[Node, Node] = dict(tangents.items())
    for node in order:
        if node in live and node not in result:
            result[node] = _local_pushforward(node, result)
    return result.get(output, zero(output.shape))


def _depending(order: list[Node], targets: set[Symbol]) -> set[Node]:
    live: set[Node] = set(targets)
    for node in order:
        if not live.isdisjoint(node.children):
            live.add(node)
    return live


# --- backward --------------------------------------------------------------------------------------------------------


def _local_pullbacks(node: Node, adjoint: Node, lead: int, live: set[Node]) -> Iterator[tuple[Coefficient, Node, Node]]:
    """Yield (coefficient, child, contribution) for each place where a node uses something that matters."""
    axes = tuple(range(lead + node.rank))
    for position, child in enumerate(node.children):
        if child not in live:
            continue
        match node:
            case Product():
                yield node.coefficient, child, _without_factor(node, position, adjoint, lead)
            case Sum():
                yield node.coefficients[position], child, adjoint
            case Map():
                yield 1, child, product(1, [(adjoint, axes), (partial(node, position), axes[lead:])], axes)
            case Apply():
                linear = node.operator.adjoint and position == len(node.children) - 1
                yield 1, child, adjoint_of(node, adjoint) if linear else _transposed_rule(node, position, adjoint)


def _without_factor(node: Product, position: int, adjoint: Node, lead: int) -> Node:
    """Return the adjoint of one operand of a Product: the other operands and the adjoint, as a Product again.

    A label that the operand repeats gets a Delta, one that nothing else carries gets ones: both vanish, or become
    structure, when the Product is brought into normal form.
    """
    offset = max((label for labels in node.labels for label in labels), default=0) + 1
    leading = tuple(range(offset, offset + lead))
    factors: list[Factor] = [(adjoint, leading + tuple(range(node.rank)))]
    factors += [factor for place, factor in enumerate(node.factors) if place != position]
    carried = {label for _, labels in factors for label in labels}
    own: list[int] = []
    for label, size in zip(node.labels[position], node.children[position].shape, strict=True):
        if label in own:
            (copy,) = fresh(1)
            factors.append((Delta.of(size, 2), (label, copy)))
            own.append(copy)
        else:
            if label not in carried:
                factors.append((Delta.of(size, 1), (label,)))
            own.append(label)
    result = product(1, factors, (*leading, *own))
    return transferred(result) or result


def partial(node: Map, position: int) -> Node:
    """Return the elementwise partial derivative of a Map by one operand, with the Map's shape."""
    operator = node.operator
    _refuse(node, position)
    environment: dict[str, Value] = {"y": node}
    for place, (name, operand) in enumerate(zip(operator.operands, node.children, strict=True)):
        environment[name] = operand
        environment["d" + name] = full(1, node.shape) if place == position else zero(node.shape)
    result = elaborate_text(operator.rules[0], environment)
    assert result.shape == node.shape, operator.name
    return result


def _refuse(node: Map | Apply, position: int) -> None:
    """Raise NoClosedFormError for an operand by which there is no derivative in closed form."""
    operator = node.operator
    if (name := operator.operands[position]) in operator.undifferentiable:
        said = operator.written.partition("(")[0] or operator.name
        message = f"`{said}` has no derivative by `{name}` in closed form"
        raise NoClosedFormError(message, node, operator.undifferentiable[name])


def _transposed_rule(node: Apply, position: int, adjoint: Node) -> Node:
    """Return the adjoint of an Apply's operand, by pulling the adjoint back through the operator's differential."""
    operand = node.children[position]
    placeholder = Symbol.of(f"d{next(_placeholders)}", operand.shape)
    tangents: list[Node] = [zero(child.shape) for child in node.children]
    tangents[position] = placeholder
    return pullback(_differential(node, tangents), adjoint, placeholder)


# --- forward ---------------------------------------------------------------------------------------------------------


def _local_pushforward(node: Node, tangents: Mapping[Node, Node]) -> Node:
    match node:
        case Product():
            factors = [(k, child, own) for k, (child, own) in enumerate(node.factors) if child in tangents]
            return add([(1, exchanged(node, (k,), (tangents[child], own))) for k, child, own in factors], node.shape)
        case Sum():
            return add([(c, tangents[child]) for c, child in node.terms if child in tangents], node.shape)
        case Map():
            axes = tuple(range(node.rank))
            places = [(k, child) for k, child in enumerate(node.children) if child in tangents]
            pairs = [[(partial(node, k), axes), (tangents[child], axes)] for k, child in places]
            return add([(1, product(1, pair, axes)) for pair in pairs], node.shape)
        case Apply():
            return _differential(node, [tangents.get(child, zero(child.shape)) for child in node.children])
    raise AssertionError(type(node).__name__)


def _differential(node: Apply, tangents: list[Node]) -> Node:
    """Return an operator's differential on actual tangents.

    A rule speaks of one sample. With batch axes it is written down over symbols of the core shapes, and the result is
    vectorized over the batch.
    """
    operator = node.operator
    batch = node.shape[: node.batch]
    inner = [child.shape[node.batch :] for child in node.children]
    siblings: list[Node] = [node]
    if len(operator.rules) > 1:
        shapes = enumerate(batch + core for core in bind_signature(operator.signature, inner, operator.name)[1])
        siblings = [Apply.of(operator, node.children, own, node.parameters, node.batch, k) for k, own in shapes]
    if operator.adjoint and not is_zero(tangents[-1]):
        # Linear in its last operand: the operator itself is the differential along it.
        along = Apply.of(operator, (*node.children[:-1], tangents[-1]), node.shape, node.parameters, node.batch)
        others = _differential(node, [*tangents[:-1], zero(tangents[-1].shape)])
        return add([(1, along), (1, others)], node.shape)
    moving = [place for place, tangent in enumerate(tangents) if not is_zero(tangent)]
    if not moving:
        return zero(node.shape)
    for place in moving:
        _refuse(node, place)
    actual: dict[str, Node] = {"y": siblings[node.output]}
    actual |= {f"y{output}": sibling for output, sibling in enumerate(siblings)}
    for name, child, tangent in zip(operator.operands, node.children, tangents, strict=True):
        actual[name] = child
        actual["d" + name] = tangent
    settings = dict(node.parameters)
    if not node.batch:
        return _by_rule(operator, node.output, {**actual, **settings})
    core: dict[str, Node] = {}
    substitution: dict[Symbol, Node] = {}
    for name, value in actual.items():
        shape = value.shape[node.batch :]
        if is_zero(value):
            core[name] = zero(shape)
        else:
            core[name] = stand_in = Symbol.of(f"{name}{next(_placeholders)}", shape)
            substitution[stand_in] = value
    sample = _by_rule(operator, node.output, {**core, **settings})
    return vectorize([sample], substitution, batch)[0]


def _by_rule(operator: Operator, output: int, environment: Mapping[str, Value]) -> Node:
    if operator.tangent is not None:
        result: Node = operator.tangent(environment)
        return result
    return elaborate_text(operator.rules[output], environment)
