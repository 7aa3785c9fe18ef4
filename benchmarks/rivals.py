"""The other libraries: each offers, for a workload, the ways of computing it that it has, of which the fastest counts.

A library that is not installed is left out. Arrays are float64 everywhere, and are handed over before the timing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import numpy as np
from workloads import Array, Arrays, Workload

Call = Callable[[], Any]


@dataclass(frozen=True)
class Rival:
    """A library: its name, version and threads, and the ways in which it computes a workload, by name.

    `modes` yields callables that return when the result is there; what they return converts to NumPy arrays.
    """

    name: str
    label: str
    version: str
    threads: str
    compiles: bool
    modes: Callable[[Workload, Arrays], Iterator[tuple[str, Call]]]


def jax_rival() -> Rival:
    """Return JAX, compiled by XLA, with 64 bits."""
    jax, special = import_module("jax"), import_module("jax.nn")
    jax.config.update("jax_enable_x64", True)
    jnp = import_module("jax.numpy")
    xp = SimpleNamespace(
        exp=jnp.exp, log1p=jnp.log1p, sin=jnp.sin, tanh=jnp.tanh, sqrt=jnp.sqrt, sum=jnp.sum, norm=jnp.linalg.norm,
        inv=jnp.linalg.inv, solve=jnp.linalg.solve, softmax=special.softmax, logsumexp=special.logsumexp,
        logdet=lambda X: jnp.linalg.slogdet(X)[1],
    )  # fmt: skip

    def finished(compiled: Callable[..., Any], arrays: list[Any]) -> Any:
        return jax.block_until_ready(compiled(*arrays))

    def modes(work: Workload, inputs: Arrays) -> Iterator[tuple[str, Call]]:
        arrays = [jnp.asarray(value) for value in inputs.values()]
        for name, function in transformed(jax.grad, jax.jacfwd, jax.jacrev, jax.vmap, work, inputs, xp):
            compiled = jax.jit(function)
            yield name, partial(finished, compiled, arrays)

    return Rival("jax", "JAX jit", version("jax"), "its own", True, modes)


def torch_rival() -> Rival:
    """Return PyTorch, eager: its functional transforms, and for gradients also plain backward."""
    torch = import_module("torch")
    func = import_module("torch.func")
    xp = SimpleNamespace(
        exp=torch.exp, log1p=torch.log1p, sin=torch.sin, tanh=torch.tanh, sqrt=torch.sqrt, sum=torch.sum,
        norm=torch.linalg.norm, inv=torch.linalg.inv, solve=torch.linalg.solve, softmax=torch.softmax,
        logsumexp=torch.logsumexp, logdet=lambda X: torch.linalg.slogdet(X)[1],
    )  # fmt: skip

    def backward(work: Workload, tensors: list[Any], places: list[int]) -> Any:
        leaves = list(tensors)
        for place in places:
            leaves[place] = tensors[place].detach().requires_grad_()
        return torch.autograd.grad(work.function(xp, *leaves), [leaves[place] for place in places])

    def modes(work: Workload, inputs: Arrays) -> Iterator[tuple[str, Call]]:
        tensors = [torch.from_numpy(np.array(value)) for value in inputs.values()]
        for name, function in transformed(func.grad, func.jacfwd, func.jacrev, func.vmap, work, inputs, xp):
            yield name, partial(function, *tensors)
        if work.kind == "grad" and not work.batch:
            places = [list(inputs).index(name) for name in work.wrt]
            yield "backward", partial(backward, work, tensors, places)

    return Rival("torch", "torch.func", version("torch"), str(torch.get_num_threads()), False, modes)


def transformed(
    grad: Any, forward: Any, reverse: Any, vmap: Any, work: Workload, inputs: Arrays, xp: Any
) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the ways to compute a workload by transforming its function, for libraries like JAX."""
    names = list(inputs)
    function = partial(work.function, xp)
    places = [tuple(names.index(name) for name in order) for order in work.orders]
    firsts = tuple(order[0] for order in places)
    wanted: Any = firsts if len(firsts) > 1 else firsts[0]
    match work.kind:
        case "grad" if work.batch:
            axes = tuple(0 if name in work.batch else None for name in names)
            yield "vmap of grad", vmap(grad(function, wanted), axes)
        case "grad":
            yield "grad", grad(function, wanted)
        case "jacobian":
            yield "jacfwd", forward(function, wanted)
            yield "jacrev", reverse(function, wanted)
        case _:
            first, second = places[0]
            yield "forward over reverse", forward(reverse(function, first), second)
            yield "reverse over reverse", reverse(reverse(function, first), second)


def autograd_rival() -> Rival:
    """Return autograd, which works on NumPy arrays and goes through the rows of a Jacobian one by one."""
    autograd, anp = import_module("autograd"), import_module("autograd.numpy")

    def logsumexp(x: Any, axis: int) -> Any:
        largest = anp.max(x)
        return largest + anp.log(anp.sum(anp.exp(x - largest)))

    def softmax(x: Any, axis: int) -> Any:
        e = anp.exp(x - anp.max(x, axis, keepdims=True))
        return e / anp.sum(e, axis, keepdims=True)

    xp = SimpleNamespace(
        exp=anp.exp, log1p=anp.log1p, sin=anp.sin, tanh=anp.tanh, sqrt=anp.sqrt, sum=anp.sum, norm=anp.linalg.norm,
        inv=anp.linalg.inv, solve=anp.linalg.solve, softmax=softmax, logsumexp=logsumexp,
        logdet=lambda X: anp.linalg.slogdet(X)[1],
    )  # fmt: skip

    def modes(work: Workload, inputs: Arrays) -> Iterator[tuple[str, Call]]:
        if work.batch:  # it has no vmap, and a loop over the samples is no comparison
            return
        names, arrays = list(inputs), list(inputs.values())
        function = partial(work.function, xp)
        places = [tuple(names.index(name) for name in order) for order in work.orders]
        firsts = tuple(order[0] for order in places)
        match work.kind:
            case "grad":
                way = autograd.grad(function, firsts if len(firsts) > 1 else firsts[0])
            case "jacobian":
                way = autograd.jacobian(function, firsts[0])
            case _:
                first, second = places[0]
                way = autograd.jacobian(autograd.grad(function, first), second)
        yield work.kind, partial(way, *arrays)

    return Rival("autograd", "autograd", version("autograd"), "NumPy's", False, modes)


MAKERS: dict[str, Callable[[], Rival]] = {"jax": jax_rival, "torch": torch_rival, "autograd": autograd_rival}


def installed(without: set[str]) -> tuple[list[Rival], list[str]]:
    """Return the libraries that are there, and the names of those that are not."""
    found, missing = [], []
    for name, make in MAKERS.items():
        if name not in without:
            try:
                found.append(make())
            except ImportError:
                missing.append(name)
    return found, missing


def as_arrays(result: Any) -> list[Array]:
    """Return a result of any library as NumPy arrays, one for each variable."""
    parts = result if isinstance(result, tuple | list) else [result]
    return [np.asarray(part, dtype=np.float64) for part in parts]
