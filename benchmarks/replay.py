"""Call what other libraries differentiate through matgrad, and compare: which names are known, right, refused.

    python benchmarks/replay.py autograd jax torch --missing missing.txt

A name is known where matgrad answers a call of it; it is right where every answered call has the library's value and
gradient. `pip install -e '.[bench]'` installs the libraries.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from replay_calls import DIFFERENT, ORDER, PATTERNS, REASONS, SAMPLES, SIGNS, Array, inputs

import matgrad

ENOUGH = 4
MOST_REFUSED = 60
LARGEST = 2000
UNWRITABLE = "unwritable"
TOLERANCE = 1e-6
TOLERANCE_OF_DIFFERENCES = 1e-5
STEP = 1e-3


class Call(NamedTuple):
    """An expression that a library and matgrad both read, and its arrays."""

    text: str
    values: Mapping[str, Array]


class Truth(NamedTuple):
    """What a library makes of a call: its value, and the gradients of the weighted sum of its entries."""

    value: Array
    gradients: Mapping[str, Array]


class Found(NamedTuple):
    """A name with how its calls fared: how many were right, and which were wrong or refused, and why.

    `mistaken` are calls whose gradient by the library is not the slope of the library's own value, and matgrad's is.
    """

    name: str
    right: int
    wrong: tuple[str, ...]
    refused: tuple[str, ...]
    mistaken: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """Return `right`, `wrong`, `refused` where no call is answered, `untried` where the library has none."""
        if self.wrong:
            return "differs" if settled(self.name, DIFFERENT) else "wrong"
        return "right" if self.right or self.mistaken else "refused" if self.refused else "untried"


Library = tuple[Callable[[], Iterator[tuple[str, Iterator[Call]]]], Callable[[Call], Iterator[tuple[str, Truth]]]]


def weights(shape: Sequence[int]) -> Array:
    """Return the weights with which the entries of a result are added up."""
    return np.asarray(np.random.default_rng(3).normal(size=tuple(shape)))


def outputs(text: str, result: Any) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Yield the text of each output of a call, with what reads it from the result: one, or several of a tuple."""
    function = text.partition("(")[0].rpartition(".")[2]
    if not isinstance(result, tuple | list):
        yield text, lambda whole: whole
        return
    for place in range(len(result)):
        if function in SIGNS:
            yield f"abs({text}[{place}])", lambda whole, place=place: abs(whole[place])
        else:
            yield f"{text}[{place}]", lambda whole, place=place: whole[place]


# --- the libraries ---------------------------------------------------------------------------------------------------

JAX = {
    "jax.numpy": "jnp", "jax.numpy.linalg": "jnp.linalg", "jax.nn": "jax.nn",
    "jax.scipy.special": "jax.scipy.special", "jax.scipy.linalg": "jax.scipy.linalg",
    "jax.scipy.stats": "jax.scipy.stats", "jax.lax": "jax.lax",
}  # fmt: skip


def functions_of(module: ModuleType) -> Iterator[str]:
    """Yield the names of the functions in a module."""
    for name in dir(module):
        item = getattr(module, name)
        if not name.startswith("_") and callable(item) and not isinstance(item, type):
            yield name


def calls_of(name: str) -> Iterator[Call]:
    """Yield the calls that a function is tried with."""
    every = inputs()
    special = [text for pattern, texts in SAMPLES.items() if fnmatch(name, pattern) for text in texts]
    for arguments in (*special, *PATTERNS):
        code = compile(f"_{arguments}", "<arguments>", "eval")
        yield Call(name + arguments, {word: every[word] for word in code.co_names if word in every})


def jax_names() -> Iterator[tuple[str, Iterator[Call]]]:
    """Yield the functions of JAX's modules with their calls."""
    import_module("jax").config.update("jax_enable_x64", True)
    for module, prefix in JAX.items():
        for name in functions_of(import_module(module)):
            yield f"{prefix}.{name}", calls_of(f"{prefix}.{name}")
    stats = import_module("jax.scipy.stats")
    for name in dir(stats):
        if isinstance(distribution := getattr(stats, name), ModuleType) and not name.startswith("_"):
            for function in functions_of(distribution):
                yield f"jax.scipy.stats.{name}.{function}", calls_of(f"jax.scipy.stats.{name}.{function}")


def jax_truth(call: Call) -> Iterator[tuple[str, Truth]]:
    """Yield each output of a call that JAX can differentiate."""
    jax, jnp = import_module("jax"), import_module("jax.numpy")
    for module in JAX:
        import_module(module)
    code = compile(call.text, "<call>", "eval")

    def run(values: Mapping[str, Any]) -> Any:
        return eval(code, {"jax": jax, "jnp": jnp, **values})

    arrays = {name: jnp.asarray(array) for name, array in call.values.items()}
    for text, part in outputs(call.text, run(arrays)):
        value = np.asarray(part(run(arrays)))
        if value.dtype != np.float64:
            continue
        scale = weights(value.shape)
        gradients = jax.grad(lambda values, part=part, scale=scale: (scale * part(run(values))).sum())(arrays)
        yield text, Truth(value, {name: np.asarray(slope) for name, slope in gradients.items()})


AUTOGRAD = {
    "autograd.numpy": "np", "autograd.numpy.linalg": "np.linalg", "autograd.numpy.fft": "np.fft",
    "autograd.scipy.special": "scipy.special", "autograd.scipy.linalg": "scipy.linalg",
    "autograd.scipy.signal": "scipy.signal", "autograd.scipy.integrate": "scipy.integrate",
    **{f"autograd.scipy.stats.{name}": f"scipy.stats.{name}"
       for name in ["norm", "t", "beta", "gamma", "chi2", "poisson", "dirichlet", "multivariate_normal"]},
}  # fmt: skip


BEHIND = {"np._original_where": "np.where", "np.linalg._primitive_norm": "np.linalg.norm"}
"""The functions that people call, by the primitives that they are made of."""


def autograd_names() -> Iterator[tuple[str, Iterator[Call]]]:
    """Yield the primitives of autograd that people call, with their calls."""
    modules = {prefix: import_module(module) for module, prefix in AUTOGRAD.items()}
    for primitive in list(import_module("autograd.core").primitive_vjps):
        paths = (
            f"{prefix}.{name}"
            for prefix, module in modules.items()
            for name, item in vars(module).items()
            if item is primitive
        )
        path = next(paths, "")
        path = BEHIND.get(path, path)
        if path:
            yield path, calls_of(path)


def autograd_truth(call: Call) -> Iterator[tuple[str, Truth]]:
    """Yield each output of a call that autograd can differentiate."""
    autograd = import_module("autograd")
    for module in AUTOGRAD:
        import_module(module)
    space = {"np": import_module("autograd.numpy"), "scipy": import_module("autograd.scipy")}
    code = compile(call.text, "<call>", "eval")
    arrays = {name: np.asarray(array) for name, array in call.values.items()}
    result = eval(code, {**space, **arrays})
    for text, part in outputs(call.text, result):
        value = np.asarray(part(result))
        if value.dtype != np.float64:
            continue
        scale, gradients = weights(value.shape), {}
        for name in arrays:

            def total(x: Any, name: str = name, part: Any = part, scale: Array = scale) -> Any:
                return space["np"].sum(scale * part(eval(code, {**space, **arrays, name: x})))

            try:
                gradients[name] = np.asarray(autograd.grad(total)(arrays[name]))
            except NotImplementedError:
                continue
        yield text, Truth(value, gradients)


def torch_names() -> Iterator[tuple[str, Iterator[Call]]]:
    """Yield the operators of PyTorch's own database that it can differentiate, with its own samples."""
    torch = import_module("torch")
    database = import_module("torch.testing._internal.common_methods_invocations").op_db
    seen: dict[str, list[Any]] = {}
    for item in database:
        if item.supports_autograd and torch.float64 in item.supported_backward_dtypes("cpu"):
            seen.setdefault(item.name, []).append(item)
    for name, items in seen.items():
        yield f"torch.{name}", (call for item in items for call in _torch_calls(item))


def _torch_calls(item: Any) -> Iterator[Call]:
    torch = import_module("torch")
    for sample in item.sample_inputs("cpu", torch.float64, requires_grad=True):
        values: dict[str, Array] = {}

        def written(value: Any, values: dict[str, Array] = values) -> str:
            match value:
                case torch.Tensor() if value.layout == torch.strided and not value.is_complex():
                    values[name := f"t{len(values)}"] = value.detach().numpy()
                    return name
                case bool() | int() | float() | str() | None:
                    return repr(value)
                case tuple() | list():
                    texts = ", ".join(map(written, value))
                    return f"[{texts}]" if isinstance(value, list) else f"({texts}{',' * (len(value) == 1)})"
                case slice():
                    ends = ("" if end is None else written(end) for end in (value.start, value.stop, value.step))
                    return ":".join(ends)
            return "..." if value is ... else UNWRITABLE

        arguments = [written(value) for value in (sample.input, *sample.args)]
        words = [f"{name}={written(value)}" for name, value in sample.kwargs.items()]
        if UNWRITABLE in "".join((*arguments, *words)):
            continue
        yield Call(_torch_text(item.name, arguments, words), values)


def _torch_text(name: str, arguments: list[str], words: list[str]) -> str:
    """Return how a call is typed: a function, an operation written between its operands, an index or a method."""
    between = {"radd": "+", "rsub": "-", "rmul": "*", "rdiv": "/", "rmatmul": "@", "rpow": "**", "rmod": "%"}
    first, *rest = arguments
    if name.strip("_") in between and rest:
        return f"{rest[0]} {between[name.strip('_')]} {first}"
    if name in ORDER:
        arguments = [arguments[place] for place in ORDER[name]]
    if name == "__getitem__":
        return f"{first}[{rest[0].strip('()')}]"
    if name in ("T", "H", "mT", "mH"):
        return f"{first}.{name}"
    inside, place = import_module("torch"), name
    while place and inside is not None:
        head, _, place = place.partition(".")
        inside = getattr(inside, head, None)
    if callable(inside) and not isinstance(inside, type):
        return f"torch.{name}({', '.join((*arguments, *words))})"
    if hasattr(np.ndarray, name):  # a method that NumPy has too is read as NumPy's
        return f"torch.Tensor.{name}({', '.join((*arguments, *words))})"
    return f"{first}.{name}({', '.join((*rest, *words))})"


def torch_truth(call: Call) -> Iterator[tuple[str, Truth]]:
    """Yield each output of a call that PyTorch can differentiate."""
    torch = import_module("torch")
    tensors = {}
    for name, array in call.values.items():
        tensors[name] = torch.tensor(array, requires_grad=array.dtype == np.float64)
    result = eval(compile(call.text, "<call>", "eval"), {"torch": torch, **tensors})
    if sum(array.size for array in call.values.values()) > LARGEST:
        return
    for text, part in outputs(call.text, result):
        value = part(result)
        if not isinstance(value, torch.Tensor) or value.dtype != torch.float64 or not value.requires_grad:
            continue
        wanted = {name: tensor for name, tensor in tensors.items() if tensor.requires_grad}
        total = (torch.tensor(weights(value.shape)) * value).sum()
        found = torch.autograd.grad(total, [*wanted.values()], retain_graph=True, allow_unused=True)
        slopes = zip(wanted, found, strict=True)
        gradients = {name: slope.detach().numpy() for name, slope in slopes if slope is not None}
        yield text, Truth(value.detach().numpy(), gradients)


LIBRARIES: Mapping[str, Library] = {
    "autograd": (autograd_names, autograd_truth),
    "jax": (jax_names, jax_truth),
    "torch": (torch_names, torch_truth),
}


# --- the comparison --------------------------------------------------------------------------------------------------


def replayed(name: str, calls: Iterator[Call], truth: Callable[[Call], Iterator[tuple[str, Truth]]]) -> Found:
    """Return how the calls of a name fare of which its library finds a value and a gradient."""
    right = 0
    wrong: list[str] = []
    refused: list[str] = []
    mistaken: list[str] = []
    for call in calls:
        try:
            truths = list(truth(call))
        except Exception:  # a call that does not fit, which a library may refuse in any way
            continue
        for text, known in truths:
            if not np.isfinite(known.value).all() or not all(np.isfinite(g).all() for g in known.gradients.values()):
                continue
            try:
                wrong += [f"{text}: {trouble}"] if (trouble := difference(text, call, known, truth)) else []
                right += not trouble
            except matgrad.MatgradError as error:
                refused.append(f"{text}: {str(error).splitlines()[0]}")
            except MistakenError as error:
                mistaken.append(f"{text}: {error}")
            except Exception as error:  # a bug of matgrad's own
                wrong.append(f"{text}: {type(error).__name__}")
        if right >= ENOUGH or len(refused) >= MOST_REFUSED:
            break
    return Found(name, right, tuple(wrong), tuple(refused), tuple(mistaken))


def difference(text: str, call: Call, known: Truth, truth: Callable[[Call], Iterator[tuple[str, Truth]]]) -> str:
    """Return in which matgrad differs from a library: the value, the gradient by a name, or nothing.

    Raises MistakenError where the differences of the library's own values are matgrad's gradient, and not its own.
    """
    found = np.asarray(matgrad.value(text)(**call.values))
    if not close(found, known.value):
        return "the value"
    scale = weights(known.value.shape)
    for name, wanted in known.gradients.items():
        total = f"sum(weights_ * ({text}))"
        slope = np.asarray(matgrad.grad(total, name)(weights_=scale, **call.values))
        if close(slope, wanted):
            continue
        by_differences = differences(text, call, name, truth)
        if close(slope, by_differences, TOLERANCE_OF_DIFFERENCES):
            raise MistakenError(f"its gradient by {name} is not the slope of its value")
        return f"the gradient by {name}"
    return ""


class MistakenError(Exception):
    """A library's gradient is not the slope of its own value."""


def differences(text: str, call: Call, name: str, truth: Callable[[Call], Iterator[tuple[str, Truth]]]) -> Array:
    """Return the 5-point differences of the weighted sum of a library's value by one of its arrays."""

    def total(array: Array) -> float:
        value = dict(truth(call._replace(values={**call.values, name: array})))[text].value
        return float((weights(value.shape) * value).sum())

    array = call.values[name]
    found = np.zeros(array.shape)
    for place in np.ndindex(array.shape):
        step = np.zeros(array.shape)
        step[place] = STEP
        steps = ((8, 1), (-8, -1), (-1, 2), (1, -2))
        found[place] = sum(factor * total(array + times * step) for factor, times in steps) / (12 * STEP)
    return found


def close(found: Array, wanted: Array, tolerance: float = TOLERANCE) -> bool:
    """Whether two arrays agree but for rounding."""
    return found.shape == wanted.shape and bool(np.allclose(found, wanted, rtol=tolerance, atol=tolerance / 10))


def settled(name: str, reasons: Mapping[str, str]) -> str:
    """Return why a name is missing or differs, by patterns of names; nothing where no reason is known."""
    return next((why for pattern, why in reasons.items() if fnmatch(name, pattern)), "")


def report(library: str, found: Sequence[Found]) -> list[str]:
    """Print the counts of a library, what is wrong, and the other names by reason; return those not yet there."""
    # JAX says nowhere which functions can be differentiated: those that refuse every call are no part of the count.
    counted = [one for one in found if library != "jax" or one.verdict != "untried"]
    counts = Counter(one.verdict for one in counted)
    known = counts["right"] + counts["wrong"] + counts["differs"]
    print(f"{library}: {len(counted)} names; {known} known; {counts['right']} right, {counts['wrong']} wrong,"
          f" {counts['differs']} differ with a reason, {counts['refused'] + counts['untried']} refused")  # fmt: skip
    groups: dict[str, list[str]] = {}
    for one in counted:
        if one.mistaken:
            print(f"  the library's own mistake: {one.mistaken[0]}")
        if one.verdict == "differs":
            groups.setdefault(f"differs, {settled(one.name, DIFFERENT)}", []).append(one.name)
        elif one.verdict != "right" and one.verdict != "wrong":
            why = settled(one.name, REASONS) or ("not yet" if one.verdict == "refused" else "no call to compare")
            groups.setdefault(why, []).append(one.name)
        elif one.verdict == "wrong":
            print(*(f"  wrong: {text}" for text in one.wrong), sep="\n")
    for why, words in sorted(groups.items()):
        print(f"  {why} ({len(words)}): {', '.join(words)}")
    sys.stdout.flush()
    return groups.get("not yet", [])


def main() -> None:
    """Replay the chosen libraries."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("libraries", nargs="*", default=[*LIBRARIES], help="autograd, jax, torch")
    parser.add_argument("--only", default="*", help="only names like this")
    parser.add_argument("--missing", type=Path, help="write the names that are not yet there to this file")
    parser.add_argument("--json", type=Path, help="write all that was found to this file")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    lines: list[str] = []
    records = {}
    for library in chosen.libraries:
        names, truth = LIBRARIES[library]
        found = [replayed(name, calls, truth) for name, calls in names() if fnmatch(name, chosen.only)]
        records[library] = [one._asdict() for one in found]
        lines += [f"{library} {name}" for name in report(library, found)]
    if chosen.missing:
        chosen.missing.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if chosen.json:
        chosen.json.write_text(json.dumps(records, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
