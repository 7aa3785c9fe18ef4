"""The answer as a program: a complete function for NumPy, PyTorch or JAX, and the formula in LaTeX."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from ...grammar import spellings
from ...grammar.syntax import Name, Node, Program, map_children, walk
from ...grammar.writer import Spelling, write
from ..elaboration.inference import trial_shapes
from ..elaboration.ranks import Ranks
from ..errors import ExpressionError, UsageProblem
from ..formulas.closed_form import ClosedForm, exact_forms
from ..formulas.verified import closed_forms
from ..graph.catalogue import operators
from ..notation.structural import Sizes
from ..problems.calculation import Calculation
from ..problems.problem import Problem, direction_name
from ..shapes import Shape
from .common_parts import named_parts
from .dialects import Dialect
from .helpers import HELPERS, used_helpers
from .latex import Latex

LIBRARIES = ("numpy", "torch", "jax")
TARGETS = ("text", "latex", *LIBRARIES)

_PREFIXES = {"numpy": "np", "torch": "torch", "jax": "jnp"}
_IMPORTS = {
    "np.": "import numpy as np",
    "torch.": "import torch",
    "scipy.linalg": "import scipy.linalg",
    "jax.nn.": "import jax",
    "jnp.": "import jax.numpy as jnp",
    "jax.scipy.linalg.": "import jax.scipy.linalg",
    "jax.scipy.special.": "import jax.scipy.special",
}
_TAKEN = frozenset({"np", "torch", "jnp", "jax", "scipy", "like", *keyword.kwlist})
_KINDS = {"grad": "gradient", "jacobian": "jacobian", "hessian": "hessian"}


# --- spellings -------------------------------------------------------------------------------------------------------


@cache
def spelling(to: str) -> Spelling:
    """Return a spelling with the templates of the operator table: `spelling("numpy")`, `spelling("latex")`."""
    base = {
        "latex": spellings.LATEX,
        "numpy": spellings.NUMPY,
        "torch": spellings.TORCH,
        "jax": spellings.JAX,
    }[to]
    templates: dict[str, str] = {}
    for operator in operators(hidden=True):
        # What a library lacks is called by its name: the program brings it along.
        own = {key: template or f"{operator.name}(#*)" for key, template in operator.spellings.items()}
        template = own.get(to)
        if template is None and to == "jax" and "numpy" in own:
            template = own["numpy"].replace("np.", "jnp.").replace("scipy.", "jax.scipy.")
        if template is not None:
            templates.setdefault(operator.name, template)
    if to in LIBRARIES:
        like = ", **like" if to == "torch" else ""
        templates["tensor"] = f"torch.tensor(#1{like})"
        templates["array"] = f"torch.tensor(#1{like})" if to == "torch" else f"{_PREFIXES[to]}.array(#1)"
        templates["mask"] = "#1.to(**like)" if to == "torch" else "#1.astype(float)"
    else:
        templates = {name: text for name, text in templates.items() if f"Call {name}" not in base.forms}
    return spellings.with_functions(base, templates)


def code(
    problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, int] | None = None, to: str = "numpy"
) -> str:
    """Return a Python module with one function that returns the value and the derivatives of a problem.

    Example: `code(Problem.of("x.T @ A @ x", "grad", ("x",)), {"x": (3,), "A": (3, 3)})` defines `gradient(x, A)`.
    The function takes arrays of any sizes that fit together; `shapes` tell their numbers of axes. `to` is `numpy`,
    `torch` or `jax`. Raises UsageProblem for another library.
    """
    if to not in LIBRARIES:
        raise UsageProblem(f"there is no code for `{to}`", helps=[f"one of {', '.join(LIBRARIES)}"])
    return _Function(_Setting.of(problem, shapes, statics or {}), to).text()


def latex(problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, int] | None = None) -> list[str]:
    r"""Return the closed form of each derivative in LaTeX, without the dollar signs.

    Example: `latex(Problem.of("logdet(X)", "grad", ("X",)), {"X": (3, 3)})` is `["X^{-\\top}"]`.
    """
    setting = _Setting.of(problem, shapes, statics or {})
    return [latex_of(form.program, setting.ranks) for form in setting.forms]


def statement(problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, int] | None = None) -> str:
    r"""Return the derivatives as equations in LaTeX, with dollar signs: what a notebook shows.

    Example: for the gradient of `x @ x` it is `$$\frac{\partial}{\partial x} \left(x^{\top} x\right) = 2 x$$`.
    """
    (value,) = latex(replace(problem, kind="value"), shapes, statics)
    requests = problem.requests
    if not requests:
        return f"$${value}$$"
    lines = []
    for wrt, formula in zip(requests, latex(problem, shapes, statics), strict=True):
        order = f"^{{{len(wrt)}}}" if len(wrt) > 1 else ""
        below = r" \, ".join(rf"\partial {spellings.latex_name(name)}" for name in wrt)
        lines.append(rf"$$\frac{{\partial{order}}}{{{below}}} \left({value}\right) = {formula}$$")
    return "\n".join(lines)


def latex_of(tree: Node, ranks: Ranks) -> str:
    """Return a tree in LaTeX; the parts that a program names are explained behind the result."""
    ranks.add(tree)
    if not isinstance(tree, Program):
        return write(Latex(ranks).rewritten(tree), spelling("latex"))
    result = latex_of(tree.result, ranks)
    parts = [f"{spellings.latex_name(item.name)} = {latex_of(item.value, ranks)}" for item in tree.assignments]
    return result + (r" \quad \mathrm{with} \quad " + r", \; ".join(parts) if parts else "")


# --- what a function is made of --------------------------------------------------------------------------------------


@dataclass
class _Setting:
    """The closed forms of a problem, and the shapes of its inputs in sizes that have names."""

    problem: Problem
    inputs: Mapping[str, Shape]
    counts: Mapping[str, int]
    sizes: Sizes
    value: list[ClosedForm]
    derivatives: list[ClosedForm]
    ranks: Ranks

    @staticmethod
    def of(problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, int]) -> _Setting:
        shapes = {name: tuple(shapes[name]) for name in problem.names}
        asked = [replace(problem, kind="value"), *([problem] if problem.requests else [])]
        try:
            trial, counts, labels = trial_shapes(problem.program, shapes, problem.names, statics)
            forms = [closed_forms(one, shapes, statics) for one in asked]
            return _Setting._over(problem, trial, {**statics, **counts}, counts, labels, forms)
        except ExpressionError:
            # Sizes that the expression, or a form chosen for these sizes, ties to numbers are kept as they are.
            forms = [exact_forms(one, shapes, statics) for one in asked]
            return _Setting._over(problem, shapes, statics, {}, {}, forms)

    @staticmethod
    def _over(
        problem: Problem,
        shapes: Mapping[str, Shape],
        statics: Mapping[str, int],
        counts: Mapping[str, int],
        labels: dict[int, str],
        forms: list[list[ClosedForm]],
    ) -> _Setting:
        """Return the setting over certain shapes; raise ShapeError where a form does not fit them."""
        calculation = Calculation(problem, shapes, statics=statics)
        inputs = dict(shapes)
        for name in problem.wrt if problem.kind in ("jvp", "vjp", "hvp") else ():
            inputs[direction_name(problem)] = calculation.direction_shape(name)
        named = {name: size for size, name in labels.items()}
        ranks = Ranks(inputs, {**named, **{name: counts[name] for name in counts}})
        value, derivatives = forms if len(forms) > 1 else (forms[0], [])
        for form in (*value, *derivatives):
            ranks.add(form.program)
            ranks.add(form.tree)
        return _Setting(problem, inputs, counts, Sizes(labels), value, derivatives, ranks)

    @property
    def forms(self) -> list[ClosedForm]:
        """The closed forms of what is asked for."""
        return self.derivatives or self.value

    def shape(self, name: str) -> list[Node]:
        """Return the shape of an input, in sizes with names."""
        return [self.sizes.tree(size) for size in self.inputs[name]]


def inlined(tree: Node) -> Node:
    """Return a program of assignments and a result as one expression."""
    if not isinstance(tree, Program):
        return tree
    meanings: dict[str, Node] = {}

    def expanded(node: Node) -> Node:
        if isinstance(node, Name) and not node.prefix and node.name in meanings:
            return meanings[node.name]
        return map_children(node, expanded)

    for assignment in tree.assignments:
        meanings[assignment.name] = expanded(assignment.value)
    return expanded(tree.result)


class _Function:
    """Writes one function."""

    def __init__(self, setting: _Setting, library: str) -> None:
        self.setting = setting
        self.library = library
        self.spelling = spelling(library)
        self.taken = set(_TAKEN | HELPERS[library].keys())
        self.names = {name: self._fresh(_identifier(name)) for name in setting.inputs}
        self.names |= {
            name: self._fresh(_identifier(name)) for name in setting.sizes.names.values() if name not in self.names
        }

    def _fresh(self, wanted: str) -> str:
        while wanted in self.taken:
            wanted += "_"
        self.taken.add(wanted)
        return wanted

    def text(self) -> str:
        """Return the module."""
        setting, problem = self.setting, self.setting.problem
        dialect = Dialect(self.library, setting.ranks, frozenset(setting.sizes.names.values()))
        trees = []
        for tree in [inlined(form.tree) for form in (*setting.value, *setting.derivatives)]:
            setting.ranks.add(tree)
            trees.append(self._renamed(dialect.rewritten(tree)))
        results = [self._fresh(name) for name in self._result_names()]
        shared, trees = named_parts(trees, self._fresh)
        lines = [f"{name} = {write(tree, self.spelling)}" for name, tree in shared]
        lines += [f"{name} = {write(tree, self.spelling)}" for name, tree in zip(results, trees, strict=True)]
        lines.append(f"return {', '.join(results)}")
        body = "\n".join(lines)
        head = [*self._conversions(body), *self._sizes(body)]
        title = _KINDS.get(problem.kind, problem.kind)
        parameters = ", ".join(self.names[name] for name in setting.inputs)
        function = [f"def {title}({parameters}):", *self._docstring(results), *_indented([*head, body])]
        helpers = used_helpers(self.library, body)
        parts = [*helpers, "\n".join(function)]
        source = "\n\n\n".join(parts)
        imports = [line for start, line in _IMPORTS.items() if _uses(source, start)]
        return "\n".join([*imports, "", "", source, ""] if imports else [source, ""])

    def _result_names(self) -> list[str]:
        problem = self.setting.problem
        noun = _KINDS.get(problem.kind, "derivative")
        count = len(self.setting.derivatives)
        return [
            "value",
            *([noun] if count == 1 else [f"{noun}_{_identifier(wrt[0])}" for wrt in problem.requests[:count]]),
        ]

    def _renamed(self, tree: Node) -> Node:
        if isinstance(tree, Name) and not tree.prefix and tree.name in self.names:
            return Name(self.names[tree.name])
        return map_children(tree, self._renamed)

    def _written(self, tree: Node) -> str:
        return write(self._renamed(tree), self.spelling)

    def _docstring(self, results: Sequence[str]) -> list[str]:
        setting, problem = self.setting, self.setting.problem
        expression = " ".join(problem.text.split()).replace("\\", "\\\\").replace('"""', "'''")
        by = f" by {', '.join(dict.fromkeys(problem.wrt))}" if problem.wrt else ""
        shapes = [
            f"{self.names[name]}: {_shape(self._written(size) for size in setting.shape(name))}"
            for name in setting.inputs
        ]
        rest = f", and its {_noun(problem.kind)}{by}" if len(results) > 1 else ""
        lines = [f'"""Return the value of `{expression}`{rest}.']
        if shapes:
            lines += ["", "Shapes: " + ", ".join(shapes) + "."]
        return _indented([*lines, '"""'])

    # The top of the function.

    def _conversions(self, body: str) -> list[str]:
        arrays = [self.names[name] for name in self.setting.inputs if name not in self.setting.counts]
        if self.library != "torch":
            return [f"{name} = {_PREFIXES[self.library]}.asarray({name}, dtype=float)" for name in arrays]
        if not _uses(body, "like"):
            return []
        first = arrays[0] if arrays else ""
        return [
            f'like = {{"dtype": {first}.dtype, "device": {first}.device}}'
            if first
            else 'like = {"dtype": torch.float64}'
        ]

    def _sizes(self, body: str) -> list[str]:
        """Return the lines that name the sizes and assert the shapes."""
        setting = self.setting
        shapes = {self.names[name]: setting.shape(name) for name in setting.inputs if name not in setting.counts}
        shapes = {array: [self._renamed(size) for size in shape] for array, shape in shapes.items()}
        uses = Counter(
            size.name for shape in shapes.values() for tree in shape for size in walk(tree) if isinstance(size, Name)
        )
        bound = {self.names[name] for name in setting.counts}
        lines, asserts = [], []
        for array, shape in shapes.items():
            own = [size.name if isinstance(size, Name) else "" for size in shape]
            if shape and all(uses[name] == 1 and name not in bound and not _uses(body, name) for name in own):
                asserts.append(f"assert {array}.ndim == {len(shape)}")
                continue
            fresh = [name for name in dict.fromkeys(own) if name and name not in bound]
            bound.update(fresh)
            if shape and fresh == own:
                lines.append(f"{_shape(own) if len(own) == 1 else ', '.join(own)} = {array}.shape")
                continue
            lines += [f"{name} = {array}.shape[{own.index(name)}]" for name in fresh]
            asserts.append(f"assert {array}.shape == {_shape(write(size) for size in shape)}")
        return [*lines, *asserts]


# --- text ------------------------------------------------------------------------------------------------------------


def _identifier(name: str) -> str:
    """Return an input's name as Python has it: `x₁` is `x1`."""
    plain = unicodedata.normalize("NFKC", name)
    return plain if plain.isidentifier() else "".join(c if c.isalnum() else "_" for c in plain)


def _noun(kind: str) -> str:
    return {"grad": "gradient", "jacobian": "Jacobian", "hessian": "Hessian"}.get(kind, "derivative")


def _shape(sizes: Iterable[str]) -> str:
    texts = list(sizes)
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}".rstrip() for text in lines for line in text.split("\n")]


def _uses(source: str, word: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(word)}" + ("" if word.endswith(".") else r"\b"), source) is not None
