"""What libraries wrap around a value without changing it: `np.array([1, 2])`, `x.clone()`, `loss.backward()`."""

from __future__ import annotations

from dataclasses import replace

from .syntax import Call, ListLiteral, Name, Node, Number, String, Unary, walk
from .vocabulary import words

CONTAINERS = words("array asarray asanyarray tensor as_tensor Tensor from_numpy Parameter Variable float float64")
"""Functions that make an array of a list or of another array, or a number of a number."""

COPIES = words("clone copy contiguous cpu cuda double float to astype requires_grad_ block_until_ready backward")
"""Methods that return the same numbers."""

DETACHING = words("detach item numpy tolist stop_gradient")
"""Methods and functions that return the same numbers, through which no derivative passes."""

RANDOM = words("randn rand random standard_normal normal uniform")
"""Functions that draw an array of a shape."""

_IDLE = words("requires_grad dtype device copy retain_graph create_graph")
_WHOLE = words("int int8 int16 int32 int64 long bool uint8 bool_ intp")


def tracked(call: Call) -> bool:
    """Whether a call says that its value is differentiated by: `torch.ones(3, requires_grad=True)`, `nn.Parameter`."""
    return call.function in ("Parameter", "requires_grad_") or any(
        word.name == "requires_grad" for word in call.keywords
    )


def settled(call: Call) -> Call:
    """Return a call without the words that say nothing about its value: `requires_grad`, `device`."""
    kept = tuple(word for word in call.keywords if word.name not in ("requires_grad", "device"))
    return call if len(kept) == len(call.keywords) else replace(call, keywords=kept)


def wrapped(call: Call) -> Node | None:
    """Return the value that a call wraps: `[1, 2]` of `np.array([1, 2], dtype=float)`; None where it computes one."""
    if any(word.name not in _IDLE for word in call.keywords) or not call.arguments or _rounds(call):
        return None
    value, *further = call.arguments
    is_wrapper = call.function in COPIES if call.method else call.function in CONTAINERS
    of_library = call.method or bool(call.prefix) or call.function in ("detach", "stop_gradient")
    is_wrapper = is_wrapper or (call.function in DETACHING and of_library)
    if not is_wrapper or (further and (call.function == "backward" or not _is_kind(further[0]))):
        return None
    if call.function in CONTAINERS and isinstance(value, Number | String):
        return value if isinstance(value, Number) else _infinite(value) if call.function == "float" else None
    return replace(value, span=call.span)


def _infinite(text: String) -> Node | None:
    """Return what Python's `float('-inf')` is."""
    sign, word = text.value[:1], text.value.lstrip("+-")
    infinity = Name("inf", prefix="math", span=text.span)
    if word not in ("inf", "Inf", "infinity") or len(text.value) - len(word) > 1:
        return None
    return Unary("-", infinity, span=text.span) if sign == "-" else infinity


def _is_kind(node: Node) -> bool:
    """Whether an argument says of what kind the numbers are: `float`, `np.float64`, `'cuda'`."""
    return isinstance(node, Name | String)


def _rounds(call: Call) -> bool:
    """Whether a call makes whole numbers of what need not be whole."""
    said = [*call.arguments[1:], *(word.value for word in call.keywords)]
    kinds = {node.name for item in said for node in walk(item) if isinstance(node, Name)}
    whole = all(isinstance(node, ListLiteral | Number) for node in walk(call.arguments[0]))
    return bool(kinds & _WHOLE) and not whole
