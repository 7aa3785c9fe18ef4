"""The answer as a program: a complete function for NumPy, PyTorch or JAX."""

from __future__ import annotations

import keyword
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ...grammar.escapes import escaped
from ...grammar.rewriting import filled, rewritten
from ...grammar.syntax import Call, Name, Node, Program, children, walk
from ...grammar.writer import write
from ..arrays import Static, silent
from ..errors import UsageProblem
from ..problems.problem import NOUNS, Problem
from ..shapes import Shape
from .common_parts import named_parts
from .dialects import Dialect
from .polyfills import dotted_names, polyfills, used_polyfills
from .setting import Setting
from .templates import LIBRARIES, PREFIXES, builtins_used, imports, modules, spelling

TARGETS = ("text", "latex", *LIBRARIES)

# What a function says besides the names of modules and polyfills, and what no Python function may be called.
_TAKEN = frozenset({"float", "like", "__debug__", *keyword.kwlist})


@silent
def code(
    problem: Problem, shapes: Mapping[str, Shape], statics: Mapping[str, Static] | None = None, to: str = "numpy"
) -> str:
    """Return a Python module with one function that returns the value and the derivatives of a problem.

    Example: `code(Problem.of("x.T @ A @ x", "grad", ("x",)), {"x": (3,), "A": (3, 3)})` defines `gradient(x, A)`.
    The function takes arrays of any sizes that fit together; `shapes` tell their numbers of axes. `to` is `numpy`,
    `torch` or `jax`. Raises UsageProblem for another library, for a formula that a library cannot compute,
    and for a jvp or hvp by several names.
    """
    if to not in LIBRARIES:
        raise UsageProblem(f"there is no code for `{to}`", helps=[f"one of {', '.join(LIBRARIES)}"])
    if problem.kind in ("jvp", "hvp") and len(problem.wrt) > 1:  # each would need a tangent of its own
        helps = ["give one name at a time"]
        raise UsageProblem(f"the code of a {problem.kind} takes one direction, by one name", helps=helps)
    return program(Setting.of(problem, shapes, statics or {}), to)


def program(setting: Setting, library: str) -> str:
    """Return the module for a problem whose closed forms are known."""
    return _Function(setting, library).text()


def inlined(tree: Node) -> Node:
    """Return a program of assignments and a result as one expression."""
    if not isinstance(tree, Program):
        return tree
    meanings: dict[str, Node] = {}
    for assignment in tree.assignments:
        meanings[assignment.name] = filled(assignment.value, meanings)
    return filled(tree.result, meanings)


class _Function:
    """Writes one function."""

    def __init__(self, setting: Setting, library: str) -> None:
        self.setting = setting
        self.library = library
        self.spelling = spelling(library)
        self.taken = {*_TAKEN, *modules(library), *builtins_used(library), *polyfills(library)}
        named = dict.fromkeys([*setting.inputs, *setting.lengths])
        self.names = {name: self._fresh(_identifier(name)) for name in named}

    def _fresh(self, wanted: str) -> str:
        while wanted in self.taken:
            wanted += "_"
        self.taken.add(wanted)
        return wanted

    def text(self) -> str:
        """Return the module."""
        results = [self._fresh(name) for name in self._result_names()]
        body = self._body(results)
        used = set(dotted_names(body))
        head = [*self._conversions(used), *self._sizes(used)]
        title = NOUNS.get(self.setting.problem.kind, self.setting.problem.kind).lower()
        parameters = ", ".join(self.names[name] for name in self.setting.inputs)
        lines = [*self._docstring(results), *_indented([*head, *body.split("\n")])]
        function = "\n".join([f"def {title}({parameters}):", *lines])
        source = "\n\n\n".join([*used_polyfills(self.library, body), function])
        needed = imports(dotted_names(source), self.library)
        return "\n".join([*needed, "", "", source, ""] if needed else [source, ""])

    def _body(self, results: Sequence[str]) -> str:
        """Return the lines that compute the results."""
        setting = self.setting
        dialect = Dialect(self.library, setting.ranks, frozenset(setting.lengths))
        trees = []
        for tree in [inlined(form.tree) for form in (*setting.value, *setting.derivatives)]:
            setting.ranks.add(tree)
            trees.append(self._renamed(dialect.rewritten(tree)))
        shared, trees = named_parts(trees, self._fresh)
        named = [*shared, *zip(results, trees, strict=True)]
        lines = [f"{name} = {write(tree, self.spelling)}" for name, tree in named]
        return "\n".join([*lines, f"return {', '.join(results)}"])

    def _result_names(self) -> list[str]:
        problem = self.setting.problem
        noun = NOUNS.get(problem.kind, "derivative").lower()
        count = len(self.setting.derivatives)
        named = [f"{noun}_{_identifier(wrt[0])}" for wrt in problem.requests[:count]]
        return ["value", *([noun] if count == 1 else named)]

    def _renamed(self, tree: Node) -> Node:
        return filled(tree, {name: Name(own) for name, own in self.names.items()})

    def _shape(self, name: str) -> list[Node]:
        """Return the shape of an input, as Python writes it."""
        return [_plain(self._renamed(size)) for size in self.setting.shape(name)]

    def _docstring(self, results: Sequence[str]) -> list[str]:
        setting, problem = self.setting, self.setting.problem
        by = f" by {quoted(', '.join(dict.fromkeys(problem.wrt)))}" if problem.wrt else ""
        rest = f", and its {NOUNS.get(problem.kind, 'derivative')}{by}" if len(results) > 1 else ""
        what = f"{problem.reduce} over the samples" if problem.reduce else "value"
        lines = [f'"""Return the {what} of `{quoted(problem.text)}`{rest}.']
        if setting.inputs:
            shapes = {self.names[name]: self._shape(name) for name in setting.inputs}
            texts = [f"{own}: {_shape(write(size) for size in shape)}" for own, shape in shapes.items()]
            lines += ["", f"Shapes: {', '.join(texts)}."]
        return _indented([*lines, '"""'])

    # The top of the function.

    def _conversions(self, used: set[str]) -> list[str]:
        arrays = [self.names[name] for name in self.setting.inputs if name not in self.setting.counts]
        if self.library != "torch":
            whole = {self.names[name] for name in self.setting.indices if name in self.names}
            kinds = {name: "" if name in whole else ", dtype=float" for name in arrays}
            return [f"{name} = {PREFIXES[self.library]}.asarray({name}{kind})" for name, kind in kinds.items()]
        of_array = f'"dtype": {arrays[0]}.dtype, "device": {arrays[0]}.device' if arrays else '"dtype": torch.float64'
        return [f"like = {{{of_array}}}"] if "like" in used else []

    def _sizes(self, used: set[str]) -> list[str]:
        """Return the lines that name the sizes and assert the shapes."""
        setting = self.setting
        arrays = [name for name in setting.inputs if name not in setting.counts]
        shapes = {self.names[name]: self._shape(name) for name in arrays}
        sizes = (size for shape in shapes.values() for tree in shape for size in walk(tree))
        uses = Counter(size.name for size in sizes if isinstance(size, Name))
        bound = {self.names[name] for name in setting.counts}
        lines, asserts = [], []
        for array, shape in shapes.items():
            own = [size.name if isinstance(size, Name) else "" for size in shape]
            if shape and all(uses[name] == 1 and name not in bound and name not in used for name in own):
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


def _plain(size: Node) -> Node:
    """Return a length as Python writes it: shapes are no arrays."""

    def smaller(node: Node) -> Node | None:
        is_least = isinstance(node, Call) and node.function == "minimum"
        return Call("min", tuple(map(_plain, children(node)))) if is_least else None

    return rewritten(size, smaller)


# --- text ------------------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    r"""Return text on one line as it may stand in a docstring: nothing in it ends the string or is read as an escape.

    Example: `quoted("x\ny")` is `x y`.
    """
    return escaped(" ".join(text.split())).replace("\\", r"\\").replace('"""', r"\"\"\"")


def _identifier(name: str) -> str:
    """Return an input's name as Python has it: `x₁` is `x1`."""
    plain = unicodedata.normalize("NFKC", name)
    return plain if plain.isidentifier() else "".join(c if c.isalnum() else "_" for c in plain)


def _shape(sizes: Iterable[str]) -> str:
    texts = list(sizes)
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}".rstrip() for line in lines]
