"""What is pasted from a library has the library's value and gradient: each row is run by the library itself."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from matgrad import grad, value
from matgrad.core.errors import MatgradError
from libraries import LIBRARIES

SHAPES = {
    "x": (4,), "y": (4,), "v": (3,), "X": (3, 4), "Y": (3, 4), "W": (3, 4), "A": (3, 3), "P": (3, 3), "T": (2, 3, 4),
    "S": (2, 3, 3), "B": (2, 3), "Q": (4, 3),
}  # fmt: skip
FIRST = "XxTPASBvQ"

# Each is an expression in Python: the library runs it as it stands.
ROWS: Mapping[str, str] = {
    "torch": """
        torch.max(x); torch.max(x, dim=0)[0]; torch.max(X, dim=1).values; torch.max(X, 1)[0]; torch.max(X, -1, True)[0]
        torch.max(X, 1, keepdim=True).values; torch.max(X, Y); torch.min(X, 0).values; torch.min(X, Y); X.max(1)[0] + torch.sum(X)
        torch.amax(X, 1); torch.amax(X, dim=(0, 1)); torch.amin(X, dim=0, keepdim=True); X.amax(0); X.max()*torch.sum(X)
        torch.max(input=X, dim=1).values; torch.max(X, axis=1)[0]; torch.maximum(X, Y); torch.max(X, other=Y)
        torch.norm(X, 2); torch.norm(X); torch.norm(X, 1); torch.norm(X, p=1); torch.norm(X, 'fro'); torch.norm(X, p='nuc')
        torch.norm(X, dim=1); torch.norm(X, 1, 0); torch.norm(X, 3, dim=(0, 1)); torch.norm(X, p=2, dim=1, keepdim=True)
        X.norm(1); X.norm(); X.norm(p=2); X.norm(2, 1); torch.norm(T, 2); torch.norm(T, 1, dim=(1, 2))
        torch.linalg.norm(X, 1); torch.linalg.norm(X, 2); torch.linalg.norm(X, dim=1); torch.linalg.norm(X, ord='nuc')
        torch.linalg.vector_norm(X, 1); torch.linalg.vector_norm(X, 3, 0, True); torch.linalg.matrix_norm(X, 1)
        torch.linalg.matrix_norm(T, 'fro', dim=(0, 1)); torch.linalg.norm(X, ord=2, dim=(0, 1), keepdim=True)
        torch.std(X); torch.std(X, 0); torch.std(X, dim=1); torch.std(X, False); torch.std(X, True); torch.std(X, 1, False)
        torch.std(X, unbiased=False); torch.std(X, dim=1, unbiased=False); torch.std(X, correction=0); torch.var(X, 0, True, True)
        torch.var(X); torch.var(X, 1, unbiased=True, keepdim=True); torch.var(X, (0, 1)); torch.var(X, unbiased=True)
        torch.var(X, dim=0, correction=2); X.std() + torch.sum(X); X.var(0) + torch.sum(X); X.std(unbiased=False)
        torch.sum(X, 1, True); torch.sum(X, dim=(0, 1)); torch.mean(X, 1, keepdim=True); torch.mean(X, (0, 1)); torch.prod(X, 1)
        torch.sum(X, 0, dtype=torch.float64); torch.prod(X); torch.logsumexp(X, 1); torch.logsumexp(X, (0, 1), True)
        torch.softmax(X, 0); torch.softmax(X, dim=1); F.softmax(X, dim=0); F.softmax(X, 1); F.softmax(X, -1); X.softmax(1)
        F.log_softmax(X, 1); torch.log_softmax(X, dim=0); torch.nn.functional.softmax(T, dim=1); F.softmax(x, dim=0, dtype=torch.float64)
        torch.diagonal(T, dim1=1, dim2=2); torch.diagonal(T, 1, 0, 2); torch.diagonal(A); T.diagonal(dim1=-2, dim2=-1)
        torch.linalg.diagonal(T); torch.linalg.diagonal(T, offset=1); torch.linalg.diagonal(T, dim1=0, dim2=1); torch.trace(A)
        torch.diag_embed(x); torch.diag_embed(X); torch.diag_embed(X, 1); torch.diag_embed(X, offset=-1, dim1=0, dim2=2)
        torch.diag(x, 1); torch.diag(A, diagonal=-1); torch.diagflat(X); torch.diagflat(x, 1); torch.tril(A, diagonal=-1)
        torch.linalg.solve(A, v); torch.linalg.solve(S, B); torch.linalg.solve(S, S); torch.linalg.solve(A, X)
        torch.linalg.solve(A, Q, left=False); torch.linalg.inv(A); torch.inverse(A); torch.linalg.det(A); torch.logdet(P)
        torch.slogdet(A)[1]; torch.linalg.slogdet(A).logabsdet; torch.linalg.eigh(P).eigenvalues; torch.linalg.eigvalsh(P)
        torch.linalg.cholesky(P, upper=True); torch.linalg.cholesky(P); torch.cholesky(P); torch.cholesky(P, upper=True)
        torch.linalg.svd(X).S; torch.linalg.svd(X)[1]; torch.linalg.svd(X, full_matrices=False)[1]; torch.svd(X)[1]; torch.svd(X).S
        abs(torch.linalg.svd(X, full_matrices=False)[2]); abs(torch.svd(X)[2]); abs(torch.linalg.svd(X)[0]); torch.linalg.svdvals(X)
        x.repeat(2) + 0*torch.sum(x); x.repeat(2, 3) * torch.sum(x); X.repeat(2, 1) * torch.sum(X); torch.tile(X, (2, 1)); X.tile(2, 1)
        torch.repeat_interleave(X, 2, dim=1); torch.repeat_interleave(X, 2); X.repeat_interleave(2, 0); X.expand(2, 3, 4)
        torch.flip(X, dims=(0,)); torch.flip(X, [0, 1]); X.flip(0, 1); X.flip(1); X.flip([0]); X.flip(dims=(0, 1)); x.flip(0)
        torch.roll(X, 1); torch.roll(X, shifts=2, dims=1); torch.roll(X, (1, 2), (0, 1)); X.roll(1, 0); X.roll(shifts=1, dims=0)
        X.transpose(0, 1); T.transpose(0, 1); torch.transpose(T, 1, 2); torch.permute(T, (2, 0, 1)); T.permute(1, 0, 2); T.permute(0, 1, 2)
        torch.transpose(X, dim0=0, dim1=1); torch.swapaxes(T, 0, 2); torch.swapdims(T, dim0=0, dim1=2); torch.movedim(T, 0, 2); X.t()
        torch.flatten(T, 1); torch.flatten(T, start_dim=0, end_dim=1); T.flatten(1); X.view(-1); X.view(4, 3); X.reshape(2, 6)
        torch.unsqueeze(X, 1); X.unsqueeze(dim=0); torch.squeeze(X.unsqueeze(0), 0); torch.cat([X, Y], dim=1); torch.cat((X, Y), 1)
        torch.stack([X, Y], dim=-1); torch.hstack([X, Y]); torch.cumsum(X, 1); torch.cumsum(X, dim=0); X.cumsum(0)
        torch.add(X, Y, alpha=2); torch.sub(X, Y, alpha=0.5); X.add(Y, alpha=3); X.sub(Y); torch.subtract(X, Y, alpha=2); torch.add(X, 2)
        torch.div(X, Y); torch.div(X, Y, rounding_mode='floor') + X; torch.div(X, Y, rounding_mode='trunc') + X; torch.round(X, decimals=1) + X
        torch.clamp(X, -0.5, 0.5); torch.clamp(X, min=0.1); torch.clamp(X, max=0.1); torch.clamp(X, min=Y); torch.clamp(X, max=Y)
        torch.clamp(X, Y, Y + 1); X.clamp(min=0); X.clamp(Y); torch.clip(X, 0, 1); X.clip(max=0); torch.clamp(X, None, 0.5)
        F.softplus(X, beta=2); F.softplus(X); F.relu(X, inplace=False); F.silu(X); F.logsigmoid(X); torch.sigmoid(X); torch.relu(X)
        torch.dot(x, y); torch.mv(X, x); torch.mm(X, Q); torch.outer(x, y); torch.tensordot(X, Y, dims=2); torch.pow(X**2, 1.5)
        torch.cross(v, A[0]); torch.linalg.cross(A, P); torch.linalg.cross(A, P, dim=0); torch.where(X > 0, X, Y); X.where(Y > 0, Y)
        torch.einsum('ij,ij->i', X, Y); torch.vdot(x, y); torch.kron(A, X); torch.linalg.multi_dot([A, X]); torch.matrix_exp(A)
        X*torch.ones(3, 4); X + torch.zeros((3, 4)); torch.eye(3)@X; X*torch.full((3, 4), 2.0); torch.linspace(0, 1, 4)@X.T; X.size(0)*X
        torch.numel(X)*X; torch.max(X, dim=1)[0]*torch.min(X, dim=1)[0]; (X/X.norm(dim=1, keepdim=True)); X.sum(dim=1); X.mean(-1)
        torch.ones_like(X, dtype=torch.float64)*X; torch.abs(X); torch.logaddexp(X, Y); torch.sum(input=X, dim=0); torch.sum(X, axis=0)
    """,
    "numpy": """
        np.max(x, 0); np.max(X, axis=0); np.max(X, 1); X.max(0); X.max(axis=1, keepdims=True); np.min(X, 0); np.amax(X, 1)
        np.max(X, axis=1, initial=0.2); np.max(X, axis=1, where=Y > 0, initial=-5.0); np.sum(X, initial=2.0); np.sum(X, where=Y > 0)
        np.sum(X, axis=1, where=Y > 0, keepdims=True); np.prod(X, axis=0, initial=3.0); np.mean(X, axis=1, where=abs(Y) > 0.01)
        np.sum(X, dtype=np.float64); np.sum(X, 0, None, None, True); np.mean(X, 1, None, None, True); np.min(X, initial=0.1)
        np.std(X); np.std(X, 0); np.var(X, 1, None, None, 1); np.var(X, ddof=1); np.std(X, correction=1); X.std(0); X.var(ddof=1)
        np.average(X); np.average(X, weights=Y**2); np.average(X, axis=0, weights=v**2); np.average(X, 1, x**2); np.average(X, axis=1)
        np.linalg.diagonal(T); np.linalg.diagonal(T, offset=1); np.diagonal(T); np.diagonal(T, 1, 1, 2); T.diagonal(axis1=1, axis2=2)
        np.linalg.trace(T); np.linalg.trace(T, offset=1); np.trace(T); np.trace(T, 0, 1, 2); np.trace(T, axis1=1, axis2=2); A.trace()
        np.linalg.svd(X)[1]; np.linalg.svd(X, compute_uv=False); np.linalg.svd(X, full_matrices=False)[1]; np.linalg.svd(X).S
        abs(np.linalg.svd(X)[0]); abs(np.linalg.svd(A)[2]); abs(np.linalg.svd(X, False)[2]); np.linalg.svdvals(X); np.linalg.svd(X, True)[1]
        scipy.linalg.svd(X, full_matrices=False)[1]; scipy.linalg.svd(X)[1]; scipy.linalg.svdvals(X, check_finite=False)
        scipy.linalg.cholesky(P); scipy.linalg.cholesky(P, lower=True); scipy.linalg.cholesky(P, True); scipy.linalg.cholesky(P, lower=False)
        np.linalg.cholesky(P); np.linalg.cholesky(P, upper=True); np.linalg.eigh(P)[0]; np.linalg.eigh(P).eigenvalues; scipy.linalg.eigh(P)[0]
        scipy.linalg.eigh(P, eigvals_only=True); np.linalg.slogdet(A).logabsdet; np.linalg.slogdet(A)[1]; scipy.linalg.eigvalsh(P)
        scipy.linalg.solve(A, v); scipy.linalg.solve(P, v, assume_a='pos'); np.linalg.solve(A, X); np.linalg.solve(S, A)
        scipy.linalg.solve(A, v, transposed=True); scipy.linalg.inv(A, overwrite_a=False); scipy.linalg.det(A); scipy.linalg.expm(A)
        scipy.special.softmax(X); scipy.special.softmax(X, axis=1); scipy.special.logsumexp(X, 1); scipy.special.logsumexp(X, b=Y**2)
        scipy.special.log_softmax(X, axis=0); scipy.special.expit(X); scipy.special.logsumexp(X, axis=0, b=Y**2, keepdims=True)
        np.repeat(x, 2); x.repeat(2); X.repeat(2, 1); X.repeat(2, axis=0); np.tile(X, 2); np.tile(X, (2, 1)); np.repeat(X, 2, 0)
        np.flip(X); np.flip(X, 0); np.flip(X, (0, 1)); np.roll(X, 1); np.roll(X, (1, 2), axis=(0, 1)); np.roll(X, 1, (0, 1)); np.roll(X, -1, 1)
        np.transpose(X, (0, 1)); np.transpose(X, (1, 0)); np.transpose(T, (1, 0, 2)); np.transpose(T, axes=[2, 1, 0]); np.transpose(X)
        T.transpose(1, 0, 2); T.transpose((2, 0, 1)); X.transpose(); np.swapaxes(T, 0, 2); np.moveaxis(T, 0, -1); np.permute_dims(T, (1, 0, 2))
        np.ravel(X, order='F'); np.ravel(X, 'F'); X.ravel(order='F'); X.flatten('F'); X.flatten(); np.reshape(X, (4, 3), order='F')
        X.reshape(4, 3, order='F'); X.reshape((2, 6)); X.reshape(2, -1); np.reshape(X, (2, -1), order='F'); np.reshape(X, (2, 6), 'F')
        np.clip(X, -0.5, 0.5); np.clip(X, 0, None); np.clip(X, a_min=0, a_max=None); np.clip(X, min=0.1, max=0.2); np.clip(X, Y, Y + 1)
        np.clip(X, Y, None); X.clip(0, 1); X.clip(max=0.1); np.clip(X, None, Y); np.round(X, 1) + X; X.round(2) + X; np.clip(X, -0.5, Y)
        np.cumsum(X); np.cumsum(X, 0); np.cumsum(X, axis=1, dtype=float); X.cumsum(1); np.concatenate([X, Y], 1); np.concatenate((X, Y), axis=None)
        np.stack([X, Y], -1); np.hstack([X, Y]); np.vstack((X, Y)); np.linalg.norm(X, 1); np.linalg.norm(X, 2); np.linalg.norm(X, axis=1)
        scipy.linalg.norm(X, 1, check_finite=False); np.linalg.vector_norm(X, ord=1); np.linalg.matrix_norm(T, ord=1); np.linalg.norm(X, 'nuc')
        np.einsum('ij,ij->i', X, Y, optimize=True); np.dot(X, x); np.cross(A, P); np.cross(A, P, axis=0); np.outer(x, y); np.inner(X, Y)
        X*np.ones((3, 4), dtype=np.float64); np.eye(3, 4)*X; np.eye(3, dtype=float)@X; np.full((3, 4), 2.0)*X; np.linspace(0, 1, 4)@X.T; np.tril(A, k=-1)
        np.zeros(4) + X; np.where(X > 0, X, Y); np.maximum(X, 0); np.add(X, Y); np.linalg.matrix_power(A, 3); np.squeeze(X[None], axis=0)
        np.linalg.multi_dot([A, X]); np.linalg.outer(x, y); np.linalg.vecdot(X, Y); np.diag(x, 1); np.diagflat(X); np.size(X)*X; np.trace(A, 1)
    """,
    "jax": """
        jax.nn.softmax(X); jax.nn.softmax(X, axis=0); jax.nn.log_softmax(X); jax.nn.softmax(X, 0); jax.nn.logsumexp(X, axis=1)
        jax.scipy.special.logsumexp(X, axis=0, b=Y**2); jnp.sum(X); jnp.max(X, 0); jnp.std(X)
        jnp.linalg.trace(T); jnp.linalg.diagonal(T); jnp.trace(T, axis1=1, axis2=2); jnp.clip(X, min=0); jnp.clip(X, -0.5, 0.5)
        jnp.clip(X, Y, None); jnp.linalg.svd(X, full_matrices=False)[1]; jnp.linalg.svd(X, compute_uv=False)
        jnp.linalg.cholesky(P, upper=True); jax.scipy.linalg.cholesky(P); jax.scipy.linalg.cholesky(P, lower=True); jnp.linalg.eigh(P)[0]
        jnp.average(X, weights=Y**2); jnp.sum(X, where=Y > 0, initial=1.0); jnp.ravel(X, order='F'); jnp.reshape(X, (4, 3), order='F')
        jnp.var(X, 0, None, None, 1); jnp.transpose(X, (0, 1)); jnp.flip(X, 0); jnp.roll(X, (1, 2), (0, 1)); jnp.linalg.norm(X, 1)
        jnp.dot(X, x, precision=None); jnp.concatenate([X, Y], 1); jnp.linalg.solve(A, X); X.repeat(2, 1)*jnp.sum(X); jax.nn.relu(X)
        jax.nn.sigmoid(X); jax.nn.softplus(X); jax.nn.silu(X); jax.nn.log_sigmoid(X); jnp.einsum('ij,ij', X, Y, optimize=True); jnp.round(X, 1) + X
        jnp.cumsum(X); jnp.cumsum(X, 1); jnp.prod(X, 0); jnp.mean(X, 1, keepdims=True); jnp.tile(X, (2, 1)); jnp.repeat(x, 2); jax.scipy.linalg.expm(A)
    """,
}  # fmt: skip


def rows(library: str) -> list[str]:
    return [part for line in ROWS[library].splitlines() for part in map(str.strip, line.split(";")) if part]


NAMES = {
    "numpy": ("np=numpy", "scipy=scipy", "_=scipy.linalg", "_=scipy.special"),
    "torch": ("torch=torch", "F=torch.nn.functional"),
    "jax": ("jax=jax", "jnp=jax.numpy", "_=jax.scipy.linalg", "_=jax.scipy.special", "_=jax.nn"),
}


def names_of(library: str) -> dict[str, Any]:
    pairs = (pair.split("=") for pair in NAMES[library])
    return {name: import_module(path) for name, path in pairs}


def values_in(text: str) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(5)
    values = {name: generator.normal(size=shape) for name, shape in SHAPES.items()}
    values["P"] = values["P"] @ values["P"].T + np.eye(3)
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    return {name: value for name, value in values.items() if name in names}


def truth(text: str, values: Mapping[str, np.ndarray], wrt: str, library: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the value by the library, and the gradient of the weighted sum of its entries."""
    space = names_of(library)
    code = compile(text, "<row>", "eval")

    def weighted(result: Any) -> Any:
        return (weights_of(tuple(result.shape)) * result).sum()

    if library == "torch":
        torch = space["torch"]
        torch.set_default_dtype(torch.float64)
        tensors = {name: torch.tensor(value, requires_grad=name == wrt) for name, value in values.items()}
        result = eval(code, {**space, **tensors})
        (torch.tensor(weights_of(tuple(result.shape))) * result).sum().backward()
        return result.detach().numpy(), tensors[wrt].grad.numpy()
    if library == "jax":
        space["jax"].config.update("jax_enable_x64", True)

        def function(x: Any) -> Any:
            arrays = {name: space["jnp"].asarray(value) for name, value in values.items()}
            return eval(code, {**space, **arrays, wrt: x})

        x = space["jnp"].asarray(values[wrt])
        return np.asarray(function(x)), np.asarray(space["jax"].grad(lambda x: weighted(function(x)))(x))

    def at(x: np.ndarray) -> Any:
        return np.asarray(eval(code, {**space, **values, wrt: x}))

    gradient = np.zeros_like(values[wrt])
    for place in np.ndindex(gradient.shape):
        step = np.zeros_like(gradient)
        step[place] = 1e-4
        ahead, behind = (weighted(at(values[wrt] + k * step)) - weighted(at(values[wrt] - k * step)) for k in (1, 2))
        gradient[place] = (8 * ahead - behind) / 12e-4
    return at(values[wrt]), gradient


def weights_of(shape: tuple[int, ...]) -> np.ndarray:
    return np.asarray(np.random.default_rng(3).normal(size=shape))


@pytest.mark.parametrize(
    ("library", "text"), [(library, text) for library in LIBRARIES for text in rows(library)], ids=lambda item: item
)
def test_means_what_its_library_computes(library: str, text: str) -> None:
    if "scipy" in text and find_spec("scipy") is None:
        pytest.skip("SciPy is an extra")
    values = values_in(text)
    wrt = next(name for name in FIRST if name in values)
    wanted, slope = truth(text, values, wrt, library)
    assert np.allclose(np.asarray(value(text)(**values)), wanted, rtol=1e-9, atol=1e-12)
    weights = weights_of(wanted.shape)
    found = grad(f"sum(weights * ({text}))", wrt)(weights=weights, **values)
    if "P" == wrt:
        slope = (slope + slope.T) / 2  # matgrad takes the symmetric part
        found = (np.asarray(found) + np.asarray(found).T) / 2
    assert np.allclose(np.asarray(found), slope, rtol=1e-6, atol=1e-7)


def test_error_type() -> None:
    with pytest.raises(MatgradError):
        value("torch.max(X, 1)[1]")(X=np.eye(2))
