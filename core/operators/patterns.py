"""Matrices with a pattern, made of a vector or a few matrices: Toeplitz, Vandermonde, block-diagonal, skew."""

from __future__ import annotations

from functools import partial
from typing import Any

from ...grammar.budget import spend
from ..elaboration.elaborate import call, elaborate_text
from ..graph.algebra import product
from ..graph.nodes import Node, Reshape, Select
from ..graph.operator import NOWHERE, Operator
from ..graph.sizes import NotPlainError, Size
from ..shapes import require_rank, require_square
from .axes import concatenated, reshaped
from .kernels import mean_along_diagonals

MAGNUS = "Magnus & Neudecker 1980, The elimination matrix: some lemmas and applications"


def pattern(name: str, parameters: str, doc: str, **fields: Any) -> Operator:
    """Return an operator that places entries in a matrix."""
    return Operator(name, parameters, doc, family="matrices of a pattern", **fields)


def _scipy(name: str, torch: str | None = None) -> dict[str, str | None]:
    return {"numpy": f"scipy.linalg.{name}(#*)", "torch": torch, "jax": f"jax.scipy.linalg.{name}(#*)"}


def plain(size: int, name: str) -> int:
    """Return a length that must be a number."""
    if isinstance(size, Size):
        raise NotPlainError(f"`{name}` must know this number", [size])
    return size


def _vander(x: Node, N: int | None, increasing: bool) -> Node:
    require_rank(x.shape, 1, "vander")
    powers = "x[:, None] ** arange(N)" if increasing else "x[:, None] ** arange(N)[::-1]"
    return elaborate_text(powers, {"x": x, "N": x.shape[0] if N is None else N})


def _block_diag(*parts: Node) -> Node:
    """Return the matrices on the diagonal of a larger one; a number or a vector is one row."""
    blocks = [reshaped(part, (1, -1)) if part.rank < 2 else part for part in parts]
    for block in blocks:
        require_rank(block.shape, 2, "block_diag")
    rows = []
    for place, block in enumerate(blocks):
        height = block.shape[0]
        zeros = [elaborate_text("zeros((m, n))", {"m": height, "n": other.shape[1]}) for other in blocks]
        rows.append(concatenated(*zeros[:place], block, *zeros[place + 1 :], axis=1))
    return concatenated(*rows)


def _commutation(m: int, n: int) -> Node:
    """Return K with K @ vec(A) = vec(A.T) for A of m rows and n columns."""
    return product(1, [(Reshape.of((m, n)), (0, 2, 3)), (Reshape.of((n, m)), (1, 3, 2))], (0, 1))


def _lower_places(n: int, name: str) -> list[tuple[int, int]]:
    """Return the places of the lower triangle, column by column."""
    places: list[tuple[int, int]] = []
    for j in range(plain(n, name)):
        spend(n - j)
        places += [(i, j) for i in range(j, n)]
    return places


def _elimination(n: int) -> Node:
    return Select.of([j * n + i for i, j in _lower_places(n, "elimination_matrix")], n * n)


def _duplication(n: int) -> Node:
    order = {place: rank for rank, place in enumerate(_lower_places(n, "duplication_matrix"))}
    return Select.of([order[max(i, j), min(i, j)] for j in range(n) for i in range(n)], len(order))


def _vech(X: Node) -> Node:
    require_square(X.shape, "vech")
    return product(1, [(_elimination(plain(X.shape[0], "vech")), (0, 1)), (call("vec", X), (1,))], (0,))


# Along the first row backwards and down the first column, each row begins one place later than the one above it.
_TOEPLITZ = "sliding_window_view(concatenate([r[:0:-1], c]), len(r))[:, ::-1]"
_CIRCULANT = "sliding_window_view(concatenate([c[1:], c]), len(c))[:, ::-1]"


ENTRIES = (
    # --- of vectors
    pattern("toeplitz", "c, r", "Matrix of equal entries along each diagonal: first column c and first row r, which is"
            " c where it is left out.", definition=_TOEPLITZ, samples=("toeplitz(x, v)", "toeplitz(v, x)"),
            errors=("toeplitz(X, x)", "toeplitz()"), spellings=_scipy("toeplitz"),
            libraries=("toeplitz(c) -> toeplitz(c, c)", "scipy.linalg.toeplitz(c, r: None = None) -> toeplitz(c, c)",
                       "scipy.linalg.toeplitz(c, r) -> toeplitz(c, r)")),
    pattern("mean_diagonals", "X", "The Toeplitz matrix that is nearest: each entry becomes the mean of its diagonal.",
            signature="(n,m)->(n,m)", evaluate=mean_along_diagonals, differential="mean_diagonals(dX)",
            adjoint="mean_diagonals(g)", analytic=True, samples=("mean_diagonals(X)", "mean_diagonals(A)"),
            errors=("mean_diagonals(x)", "mean_diagonals()"), spellings=NOWHERE),
    pattern("mean_cyclic_diagonals", "X", "The circulant matrix that is nearest: each entry becomes the mean of its"
            " diagonal, which goes on at the other side.", signature="(n,n)->(n,n)",
            evaluate=partial(mean_along_diagonals, cyclic=True), differential="mean_cyclic_diagonals(dX)",
            adjoint="mean_cyclic_diagonals(g)", analytic=True, samples=("mean_cyclic_diagonals(A)",),
            errors=("mean_cyclic_diagonals(x)", "mean_cyclic_diagonals(X)"), spellings=NOWHERE),
    pattern("hankel", "c, r", "Matrix of equal entries along each antidiagonal: first column c and last row r, zeros"
            " where it is left out.", definition="sliding_window_view(concatenate([c, r[1:]]), len(r))",
            samples=("hankel(x, v)", "hankel(v, x)"),
            errors=("hankel(X, x)", "hankel()"), spellings=_scipy("hankel") | {"jax": None},
            libraries=("hankel(c) -> hankel(c, zeros_like(c))",
                       "scipy.linalg.hankel(c, r: None = None) -> hankel(c, zeros_like(c))",
                       "scipy.linalg.hankel(c, r) -> hankel(c, r)")),
    pattern("circulant", "c", "Matrix whose columns are c, rotated by one place more each.",
            definition=_CIRCULANT,
            samples=("circulant(x)", "circulant(v)"), errors=("circulant(X)", "circulant()"),
            spellings=_scipy("circulant") | {"jax": None}),
    pattern("vander", "x; N=None, increasing=False", "Vandermonde matrix: the powers of each entry, N of them.",
            build=_vander,
            samples=("vander(v)", "vander(x, 3)", "vander(x, N=3, increasing=True)"), errors=("vander(X)", "vander()"),
            libraries=("torch.linalg.vander(x, *, N=None) -> vander(x, N, increasing=True)",),
            spellings={"torch": "torch.vander(#*)"}),
    pattern("companion", "a", "Companion matrix of the polynomial with coefficients a, the highest first.",
            definition="vstack([-a[1:]/a[0], eye(len(a) - 2, len(a) - 1)])", samples=("companion(x)", "companion(v)"),
            errors=("companion()",), domain=("nonzero",), spellings=_scipy("companion") | {"jax": None}),
    pattern("hat", "v", "The skew-symmetric matrix of a 3-vector: `hat(v) @ w` is `cross(v, w)`.",
            definition="[[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]]", aliases=("skew", "cross_matrix"),
            samples=("hat(v)",), errors=("hat(a)",), spellings=NOWHERE,
             sought=("skew_matrix",)),
    pattern("vee", "M", "The vector v of a skew-symmetric matrix `hat(v)`.", definition="[M[2, 1], M[0, 2], M[1, 0]]",
            aliases=("unskew",), samples=("vee(A)", "vee(hat(v))"), errors=("vee(v)",), spellings=NOWHERE),

    # --- of matrices
    pattern("block_diag", "*matrices", "Matrices on the diagonal of a larger one.", build=_block_diag,
            samples=("block_diag(A, X)", "block_diag(X, v, a)"), errors=("block_diag(T)", "block_diag()"),
            spellings=_scipy("block_diag", "torch.block_diag(#*)")),
    pattern("khatri_rao", "a, b", "Kronecker products of the columns.",
            definition="reshape(a[:, None, :] * b[None, :, :], (-1, a.shape[1]))",
            samples=("khatri_rao(X, W)", "khatri_rao(A, B)"), errors=("khatri_rao(A, X)", "khatri_rao(A)"),
            spellings=_scipy("khatri_rao") | {"jax": None}),
    pattern("kron_sum", "A, B", "Kronecker sum of two square matrices.",
            definition="kron(A, eye(len(B))) + kron(eye(len(A)), B)", aliases=("kronecker_sum",),
            samples=("kron_sum(A, B)",), errors=("kron_sum(A, X)", "kron_sum(A)"),
            spellings={**NOWHERE, "latex": r"#1 \oplus #2"}),

    # --- that stack the entries of matrices
    pattern("vech", "X", "The lower triangle of a square matrix as one vector, column by column.", build=_vech,
            source=MAGNUS, samples=("vech(A)",), errors=("vech(X)", "vech(x)"), spellings=NOWHERE),
    pattern("commutation_matrix", "; m, n=None", "K with `K @ vec(A) = vec(A.T)` for A of m rows and n columns.",
            build=lambda m, n: _commutation(m, m if n is None else n), source=MAGNUS,
            samples=("commutation_matrix(3, 4) @ vec(X)", "commutation_matrix(3)"),
            errors=("commutation_matrix()",), spellings=NOWHERE),
    pattern("duplication_matrix", "; n", "D with `D @ vech(S) = vec(S)` for a symmetric S of n rows.",
            build=_duplication, source=MAGNUS, samples=("duplication_matrix(3) @ vech(A)",),
            errors=("duplication_matrix()",), spellings=NOWHERE),
    pattern("elimination_matrix", "; n", "L with `L @ vec(A) = vech(A)` for A of n rows.",
            build=_elimination, source=MAGNUS, samples=("elimination_matrix(3) @ vec(A)",),
            errors=("elimination_matrix()",), spellings=NOWHERE),
)
