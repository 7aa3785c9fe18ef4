"""A prefix means that library: calls that are pasted from one are put into matgrad's own words, on the syntax tree.

`torch.std(x)` divides by n - 1 and becomes `std(x, ddof=1)`. The operators' entries say how each library reads its
functions (`library_calls.py`); what no entry mentions is read alike by all. A bare function is matgrad's own. A bare
method is that of the libraries that the expression names, else NumPy's where its arrays have it, else PyTorch's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ...grammar import syntax
from ...grammar.errors import ExpressionError, Label
from ...grammar.syntax import Attribute, Call, Index, Name, Node, Number, Program, map_children
from ...grammar.vocabulary import FIELDS, words
from ..graph import catalogue
from . import misfits
from .arguments import several_outputs
from .closures import with_function
from .keywords import WITHOUT_EFFECT
from .library_calls import Misfit, is_double, read, refusal

SAME = {
    "numpy": "np", "anp": "np", "onp": "np", "cp": "np", "cupy": "np", "tensorflow": "tf", "keras": "tf.keras",
    "sp": "scipy",
    "nn": "F", "functional": "F", "linalg": "np.linalg", "special": "scipy.special", "jax.numpy": "jnp",
    "signal": "scipy.signal", "distance": "scipy.spatial.distance", "spatial.distance": "scipy.spatial.distance",
    "stats": "scipy.stats", "st": "scipy.stats", "jax.scipy.stats": "scipy.stats",
    "nn.functional": "F", "torch.nn": "F", "torch.nn.functional": "F", "torch.functional": "torch",
}  # fmt: skip
"""Other names of a library or of a part of it."""

FOLLOWS = {
    "jnp": "np", "jax": "jnp", "F": "torch", "torch.special": "torch", "np.linalg": "np", "tf.math": "tf",
    "tf.linalg": "tf", "tf.nn": "tf", "tf.keras": "tf", "jax.nn": "jax.scipy.special", "jax.lax": "jnp",
    "jnp.linalg": "np.linalg", "jnp.fft": "np.fft", "jax.scipy.signal": "scipy.signal",
    "scipy.linalg": "np.linalg", "jax.scipy.linalg": "scipy.linalg", "jax.scipy.special": "scipy.special",
    "torch.Tensor": "torch", "np.ndarray": "np", "tf.keras.activations": "tf.nn",
}  # fmt: skip
"""Where a library's function is looked for that has no reading of its own."""

NDARRAY_METHODS = words(
    "clip conj copy cumprod cumsum diagonal dot flatten max mean min prod ravel repeat reshape round squeeze std sum "
    "swapaxes trace transpose var"
)
TORCH_METHODS = words("transpose")
"""Of these the methods that are read as PyTorch's all the same: NumPy's `X.transpose(0, 1)` changes nothing."""

ARRAYS = {"np": "np.ndarray", "scipy": "np.ndarray", "jnp": "np.ndarray", "jax": "np.ndarray"}
ARRAYS |= {"torch": "torch.Tensor", "F": "torch.Tensor", "tf": "tf"}


def in_own_words(program: Program) -> Program:
    """Return a program in which every call that follows a library is put into matgrad's words.

    Raises ExpressionError for what a library has and matgrad has not, with what to write.
    """
    return _Translator(program).run()


class _Translator:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.assigned: dict[str, Node] = {}
        self.assigning = ""
        nodes = list(syntax.walk(program))
        prefixes = [node.prefix for node in nodes if isinstance(node, Call | Name) and node.prefix]
        self.spoken = list(dict.fromkeys(_canonical(prefix).partition(".")[0] for prefix in prefixes))

    def run(self) -> Program:
        assignments = []
        for assignment in self.program.assignments:
            self.assigning = assignment.name
            self.assigned[assignment.name] = value = self._translated(assignment.value)
            assignments.append(replace(assignment, value=value))
        self.assigning = ""
        return replace(self.program, assignments=tuple(assignments), result=self._translated(self.program.result))

    def _translated(self, tree: Node) -> Node:
        nodes = list(syntax.walk(tree))
        for node in nodes:
            if isinstance(node, Call) and node.prefix:
                _refuse(node, f"{node.prefix}.{node.function}", _names(_canonical(node.prefix), node.function))
        # Children come before parents; a long sum is too deep for a recursion.
        done: dict[int, Node] = {}
        for node in reversed(nodes):
            done[id(node)] = self._read(map_children(node, lambda child: done[id(child)]))
        return done[id(tree)]

    def _several(self, node: Node) -> bool:
        """Whether a node stands for several results."""
        node = self.assigned.get(node.name, node) if isinstance(node, Name) else node
        if isinstance(node, Call) and (operator := catalogue.find(node.function)):
            return several_outputs(operator) or operator.name == "full_svd"
        return isinstance(node, syntax.TupleLiteral)

    def _read(self, node: Node) -> Node:
        found = self._own_words(node)
        return with_function(found, self.assigning) if isinstance(found, Call) else found

    def _own_words(self, node: Node) -> Node:
        match node:
            case Call() if node.prefix:
                return self._prefixed(_plain(node))
            case Call() if node.method:
                return self._method(_plain(node))
            case Call():
                return self._bare(node)
            case Attribute(operand, name) if name in FIELDS and self._several(operand):
                return Index(operand, (Number(str(FIELDS[name])),), span=node.span)
        return node

    def _prefixed(self, call: Call) -> Node:
        typed = f"{call.prefix}.{call.function}"
        path = _canonical(call.prefix)
        if path == "torch" and not catalogue.find(call.function) and not catalogue.readings(f"torch.{call.function}"):
            # PyTorch's copies of views: `permute_copy` is `permute`.
            call = replace(call, function=call.function.removesuffix("_copy"))
        return self._by(call, typed, _lines(path, call.function)) or self._own(call)

    def _method(self, call: Call) -> Node:
        spoken = [ARRAYS[library] for library in self.spoken if library in ARRAYS]
        spoken = [path for path in spoken if path != "np.ndarray" or call.function in NDARRAY_METHODS]
        usual = ["np.ndarray"] if call.function in NDARRAY_METHODS - TORCH_METHODS else []
        paths = [*spoken, *usual, "torch.Tensor"]
        for path in paths:
            _refuse(call, call.function, _names(path, call.function))
        lines = [_lines(path, call.function) for path in dict.fromkeys(paths)]
        strict = bool(spoken and lines[0])
        for chosen in lines[:1] if strict else lines:
            if found := self._by(call, call.function, chosen, strict=strict):
                return found
        return self._own(call)

    def _bare(self, call: Call) -> Node:
        lines = catalogue.readings(call.function)
        return self._by(self._opened(call), call.function, lines, strict=False) or self._own(call)

    def _opened(self, call: Call) -> Call:
        """Return a call with the pairs that its arguments name: `c = cho_factor(A); cho_solve(c, b)`."""
        values = [self.assigned.get(item.name) if isinstance(item, Name) else None for item in call.arguments]
        pairs = zip(call.arguments, values, strict=True)
        return replace(
            call, arguments=tuple(value if isinstance(value, syntax.TupleLiteral) else item for item, value in pairs)
        )

    def _own(self, call: Call) -> Node:
        if (operator := catalogue.find(call.function)) and operator.hidden:
            raise misfits.unknown_function(call)
        _refuse(call, call.function, [call.function])
        return call

    def _by(self, call: Call, typed: str, lines: Sequence[str], *, strict: bool = True) -> Node | None:
        """Return a call as lines read it; None where there are none, or where it need not fit them."""
        if not lines:
            return None
        try:
            return read(call, typed, lines)
        except Misfit as misfit:
            if strict:
                raise refusal(call, typed, misfit, lines) from None
        return None


def _refuse(call: Call, typed: str, names: Iterable[str]) -> None:
    """Raise for a function that matgrad has not, though it has one of that name."""
    if reason := next(filter(None, map(catalogue.refused, names)), None):
        raise ExpressionError(f"matgrad has no `{typed}`", Label(call.function_span), helps=[reason])


def _plain(call: Call) -> Call:
    """Return a call without the words that change no number."""
    kept = (
        item
        for item in call.keywords
        if item.name not in WITHOUT_EFFECT and not (item.name == "dtype" and is_double(item.value))
    )
    return replace(call, keywords=tuple(kept))


def _canonical(prefix: str) -> str:
    """Return the name by which entries know a library: `np.linalg` for `numpy.linalg`."""
    if prefix in SAME:
        return SAME[prefix]
    head, dot, rest = prefix.rpartition(".")
    path = f"{_canonical(head)}{dot}{rest}" if dot else prefix
    return SAME.get(path, path)


def _names(path: str, function: str) -> Iterator[str]:
    """Yield the names by which a function may be entered, the library's own first."""
    while path:
        yield f"{path}.{function}"
        path = FOLLOWS.get(path, "")


def _lines(path: str, function: str) -> Sequence[str]:
    """Return how a library reads a function, or the library that it follows."""
    return next(filter(None, map(catalogue.readings, _names(path, function))), ())
