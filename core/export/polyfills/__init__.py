"""Functions that libraries lack: a program prints those that it uses above itself.

They stand in modules of their own, which linters read and tests run; here their source is read as text, so that no
library need be installed where a program for it is written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files

OWN_MODULES = {"numpy": "numpy_polyfills", "torch": "torch_polyfills", "jax": "numpy_polyfills"}
# What is said for NumPy and SciPy, in the words of other libraries.
WORDS = {
    "numpy": {},
    "jax": {r"np\.": "jnp.", r"scipy\.": "jax.scipy."},
    "torch": {
        r"np\.concatenate": "torch.cat", r"np\.broadcast_arrays": "torch.broadcast_tensors", r"np\.max\b": "torch.amax",
        r"np\.take_along_axis": "torch.take_along_dim", r"np\.": "torch.",
        r"scipy\.linalg\.expm": "torch.linalg.matrix_exp", r"(?<!last )axis(?=[:=,])": "dim",
        r"keepdims\b": "keepdim",
        r"dtype=X\.dtype": "dtype=X.dtype, device=X.device",
    },
}  # fmt: skip


@cache
def polyfills(library: str) -> Mapping[str, str]:
    """Return the source of each function that a library lacks, by name: `polyfills("torch")["cbrt"]`."""
    modules = [files(__package__).joinpath(f"{name}.py") for name in ("common_polyfills", OWN_MODULES[library])]
    source = in_words_of(library, "".join(module.read_text("utf-8") for module in modules))
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return {function.name: _printed(function, source) for function in functions}


def imported(library: str) -> set[str]:
    """Return the roots of the modules that the functions use: `{"np", "scipy"}`."""
    names = {name.partition(".")[0] for text in polyfills(library).values() for name in dotted_names(text)}
    return names & {"np", "jnp", "scipy", "torch", "jax"}


def in_words_of(library: str, text: str) -> str:
    """Return source for NumPy and SciPy as another library has it: for `jax`, `np.exp(x)` is `jnp.exp(x)`."""
    for words, said in WORDS[library].items():
        text = re.sub(rf"(?<![\w.]){words}", said, text)
    return text


def _printed(function: ast.FunctionDef, source: str) -> str:
    """Return the source of a function without annotations, which users' own scripts seldom have."""
    for argument in function.args.args:
        argument.annotation = None
    body = source.splitlines()[function.body[0].lineno - 1 : function.end_lineno]
    return "\n".join([f"def {function.name}({ast.unparse(function.args)}):", *body])


def used_polyfills(library: str, source: str) -> list[str]:
    """Return the sources of the functions that a source calls, and of those that they call, callees first."""
    known = polyfills(library)
    found: dict[str, str] = {}

    def visit(text: str) -> None:
        for name in dotted_names(text):
            if name in known and name not in found:
                visit(known[name])
                found[name] = known[name]

    visit(source)
    return list(found.values())


def dotted_names(source: str) -> list[str]:
    """Return the names that a source uses, with what follows them: `np.linalg.inv(A)` uses `np.linalg.inv` and `A`."""
    return list(dict.fromkeys(_dotted(ast.iter_child_nodes(ast.parse(source)))))


def _dotted(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        text = ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""
        if re.fullmatch(r"[^\W\d]\w*(\.\w+)*", text):
            yield text
        else:
            yield from _dotted(ast.iter_child_nodes(node))
