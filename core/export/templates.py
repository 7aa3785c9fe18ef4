"""How each entry of the operator table is written in a library, and which module a written name comes from."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable
from functools import cache

from ...grammar import spellings
from ...grammar.writer import Spelling
from ..graph.catalogue import operators
from ..graph.operator import Operator
from .polyfills import imported, in_words_of, polyfills

LIBRARIES = {"numpy": "NumPy", "torch": "PyTorch", "jax": "JAX"}
"""What the libraries are called."""

PREFIXES = {"numpy": "np", "torch": "torch", "jax": "jnp"}
_IMPORTS = {"np": "import numpy as np", "jnp": "import jax.numpy as jnp", "torch": "import torch"}
_BASES = {"latex": spellings.LATEX, "numpy": spellings.NUMPY, "torch": spellings.TORCH, "jax": spellings.JAX}
# What a program says beside the functions of the table.
_MADE_IN_TORCH = dict.fromkeys(("array", "tensor"), "torch.tensor(#1, **like)")
_OWN = {
    "numpy": {"array": "np.array(#1)", "least": "min(#1, #2)", "mask": "#1.astype(float)"},
    "jax": {"array": "jnp.array(#1)", "least": "min(#1, #2)", "mask": "#1.astype(float)"},
    "torch": {**_MADE_IN_TORCH, "least": "min(#1, #2)", "mask": "#1.to(**like)", "reversed": "torch.flip(#1, #2)"},
}


def template(operator: Operator, to: str) -> str | None:
    """Return how an operator is called in a library, None where that has no such function and no polyfill.

    Example: `template(find("inv"), "jax")` is `jnp.linalg.inv(#*)`: what is said for NumPy holds for JAX.
    """
    own = operator.spellings
    said = own.get(to, f"{PREFIXES[to]}.{operator.name}(#*)")
    if to == "jax" and to not in own and "numpy" in own:
        said = own["numpy"] and in_words_of("jax", own["numpy"])
    return said or (f"{operator.name}(#*)" if operator.name in polyfills(to) else None)


@cache
def spelling(to: str) -> Spelling:
    """Return a spelling with the templates of the operator table: `spelling("numpy")`, `spelling("latex")`."""
    base = _BASES[to]
    if to in LIBRARIES:
        said = {operator.name: template(operator, to) for operator in operators(hidden=True)} | _OWN[to]
    else:
        said = {operator.name: operator.spellings.get(to) for operator in operators(hidden=True)}
        said = {name: text for name, text in said.items() if f"Call {name}" not in base.forms}
    return spellings.with_functions(base, {name: text for name, text in said.items() if text is not None})


def slots(text: str) -> int:
    """Return how many parameters have a place of their own in a template: 2 in `np.linalg.solve(#1, #2)`."""
    return max((int(number) for number in re.findall(r"#(\d)", text)), default=0)


@cache
def modules(to: str) -> frozenset[str]:
    """Return what programs for a library may import: `np` and `scipy`, and what else a template begins with."""
    texts = [form.template for form in spelling(to).forms.values()]
    return frozenset({*imported(to), *re.findall(r"(?<![\w.#])([a-z]\w*)\.\w", "\n".join(texts))})


@cache
def builtins_used(to: str) -> frozenset[str]:
    """Return what programs for a library may use of Python itself: `min` and `float`."""
    texts = [form.template for form in spelling(to).forms.values()]
    return frozenset(re.findall(r"(?<![\w.#])[a-z]\w*", "\n".join(texts))) & {*dir(builtins)}


def imports(names: Iterable[str], to: str) -> list[str]:
    """Return the import statements that names need: `scipy.linalg.expm` needs `import scipy.linalg`."""
    roots = {name: name.partition(".")[0] for name in names}
    needed = {name: root for name, root in roots.items() if root in modules(to) and "." in name}
    return sorted({_IMPORTS.get(root) or f"import {_module(name)}" for name, root in needed.items()})


def _module(name: str) -> str:
    """Return the module of a function: a distribution of `scipy.stats` is an object in it."""
    return re.sub(r"(?<=\.stats)\..*", "", name.rpartition(".")[0])
