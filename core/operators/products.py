"""Products of arrays: matrix products in their NumPy meanings, einsum, Kronecker and outer products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..elaboration.infix import matmul
from ..graph.nodes import Node
from ..graph.operator import Operator
from . import contractions


def contraction(name: str, parameters: str, doc: str, build: Callable[..., Node], **fields: Any) -> Operator:
    """Return a product, given as the function that builds it."""
    return Operator(name, parameters, doc, family="products", build=build, **fields)


ENTRIES = (
    contraction("matmul", "a, b", "Matrix product, `@`.", matmul, aliases=("mm", "mv", "bmm"),
                samples=("matmul(A, X)", "matmul(X, x)", "matmul(v, X)", "matmul(x, u)", "matmul(S, A)",
                         "matmul(S, T)"),
                errors=("matmul(X, X)", "matmul(a, X)", "matmul(X)"), libraries=(
                    *(f"tf.matmul(a, b, *, transpose_a: {left}, transpose_b: {right}) -> matmul({a}, {b})"
                      for left, a in (("False = False", "a"), ("True", "matrix_transpose(a)"))
                      for right, b in (("False = False", "b"), ("True", "matrix_transpose(b)"))),
                    "tf.linalg.matvec(a, b) -> matmul(a, only_vector(b))"),
             sought=("multiply_matrices",)),
    contraction("dot", "a, b",
                "Product over the last axis of a and the last but one of b; of numbers, the plain product.",
                contractions.dot,
                samples=("dot(x, u)", "dot(A, X)", "dot(X, x)", "dot(a, X)", "dot(S, X)", "dot(v, T)"),
                errors=("dot(x, v)", "dot(X, A)"), spellings={"torch": None},
                libraries=("np.dot(a, b, out=None) -> dot(a, b)",
                           "torch.dot(input, tensor) -> dot(only_vector(input), only_vector(tensor))",
                           "torch.dot(input, other) -> dot(only_vector(input), only_vector(other))"),
             sought=("inner_product", "scalar_product")),
    contraction("vdot", "a, b", "Sum of the products of all entries.", contractions.vdot,
                samples=("vdot(x, u)", "vdot(X, W)"), errors=("vdot(x, v)",),
                spellings={"torch": "torch.sum(#1*#2)"}),
    contraction("inner", "a, b", "Product over the last axes.", contractions.inner,
                samples=("inner(x, u)", "inner(X, W)", "inner(X, x)", "inner(a, x)"), errors=("inner(X, A)",)),
    contraction("outer", "a, b", "All products of an entry of a and an entry of b.", contractions.outer,
                aliases=("ger",), samples=("outer(x, v)", "outer(X, v)", "outer(a, v)"), errors=("outer(x)",),
             sought=("outer_product",)),
    contraction("times_transposed", "a, b", "MATLAB's `a*b'`: of vectors the outer product, of matrices `a @ b.T`.",
                contractions.times_transposed,
                samples=("times_transposed(x, v)", "times_transposed(X, W)", "times_transposed(A, X.T)"),
                errors=("times_transposed(X, A)", "times_transposed(x)"),
                spellings=dict.fromkeys(("numpy", "torch", "jax"),
                                        "(#1.reshape(len(#1), -1) @ #2.reshape(len(#2), -1).T)")),
    contraction("vecdot", "a, b; axis=-1", "Inner products along an axis.", contractions.vecdot,
                samples=("vecdot(X, W)", "vecdot(X, W, axis=0)", "vecdot(X, x)"), errors=("vecdot(X, A)",),
                spellings={"torch": "torch.linalg.vecdot(#*)"}),
    # A tangent of a is turned to the last place: da × b = -(b × da).
    Operator("cross", "a, b", "Cross product of 3-vectors along the last axis.", family="products",
             signature="(3),(3)->(3)", evaluate=np.cross, differential="-cross(b, da)", adjoint="-cross(a, g)",
             analytic=True, samples=("cross(v, sin(v))", "cross(A, B)", "cross(A, v)", "cross(v, S)"),
             errors=("cross(x, u)", "cross(v)", "cross(a, v)"),
             libraries=(
                 *(f"{name}(a, b, *, {word}: -1 = -1) -> cross(a, b)"
                   for name, word in (("np.cross", "axis"), ("torch.linalg.cross", "dim"))),
                 *(f"{name}(a, b, *, {word})"
                   f" -> moveaxis(cross(moveaxis(a, {word}, -1), moveaxis(b, {word}, -1)), -1, {word})"
                   for name, word in (("np.cross", "axis"), ("torch.linalg.cross", "dim"), ("torch.cross", "dim"),
                                      ("cross", "axis"), ("cross", "dim"))),
                 "torch.cross(input, other) -> cross(only_vector(input), only_vector(other))",
                 "torch.cross(input, other, dim)"
                 " -> moveaxis(cross(moveaxis(input, dim, -1), moveaxis(other, dim, -1)), -1, dim)"),
             spellings={"latex": r"#1 \times #2", "torch": "torch.linalg.cross(*torch.broadcast_tensors(#1, #2))"}),
    contraction("multi_dot", "[matrices]", "Product of several matrices.", contractions.multi_dot,
                aliases=("chain_matmul",), samples=("multi_dot([A, X, x])", "multi_dot([A, B])"),
                errors=("multi_dot([X, X])", "multi_dot([])"),
                spellings={"numpy": "np.linalg.multi_dot(#*)", "torch": "torch.linalg.multi_dot(#*)"}),
    contraction("kron", "a, b", "Kronecker product.", contractions.kron,
                samples=("kron(A, X)", "kron(x, v)", "kron(X, x)", "kron(x, X)", "kron(a, X)", "kron(T, X)"),
                errors=("kron(A)",), spellings={"latex": r"#1 \otimes #2"},
             sought=("kronecker", "kronecker_product")),
    contraction("tensordot", "a, b; axes=2", "Product over the last axes of a and the first of b, or over given ones.",
                contractions.tensordot,
                samples=("tensordot(X, W)", "tensordot(A, X, 1)", "tensordot(x, v, axes=0)",
                         "tensordot(T, X, axes=([1, 2], [0, 1]))", "tensordot(A, X, axes=(0, 0))"),
                errors=("tensordot(X, A)", "tensordot(x, u, 2)", "tensordot(T, X, ([1, 2], [0]))"),
                spellings={"torch": None}),
    contraction("einsum", "*operands; subscripts", "Sum of products over named axes, in Einstein's notation.",
                contractions.einsum,
                samples=("einsum('ij,jk->ik', A, X)", "einsum('ij,ij', X, W)", "einsum('ii', A)", "einsum('ii->i', A)",
                         "einsum('ij->ji', X)", "einsum('...ij,...jk->...ik', S, A)", "einsum('i,j,k->kij', x, v, x)",
                         "einsum('b...,b->...', X, v)", "einsum('ba', X)", "einsum('...i,...i', X, x)"),
                libraries=("torch.einsum(equation, *operands) -> einsum(equation, operands)",),
                errors=("einsum('ij,jk->ik', X, X)", "einsum('ij->ik', X)", "einsum('ij', x)", "einsum('ij->ii', X)",
                        "einsum('i,i', x)")),
)
