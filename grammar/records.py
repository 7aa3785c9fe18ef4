"""The words of `dataclasses`, for a start that waits for none of them.

`dataclasses` writes the source of every method and compiles it, which takes longer than the rest of a module that
declares a few records. Here the methods are closures. What matgrad uses of them means the same: `frozen`, `eq`,
defaults, `kw_only`, inheritance, `__post_init__`, patterns of `match`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

_FIELDS = "__record_fields__"
_MISSING: Any = object()
_set = object.__setattr__


class FrozenError(AttributeError):
    """An attempt to change a record that never changes."""


class Field:
    """What is known of a field; `default` is a function where it must be `made` anew for each record."""

    __slots__ = ("compare", "default", "kw_only", "made", "name", "repr")

    def __init__(
        self, default: Any, made: bool = False, compare: bool = True, kw_only: bool = False, repr: bool = True
    ) -> None:
        self.name = ""
        self.default = default
        self.made = made
        self.compare = compare
        self.kw_only = kw_only
        self.repr = repr


def field(
    *,
    default: Any = _MISSING,
    default_factory: Any = _MISSING,
    compare: bool = True,
    kw_only: bool = False,
    repr: bool = True,
) -> Any:
    """Describe a field that is not like the others: `field(default=0, compare=False)`."""
    made = default_factory is not _MISSING
    return Field(default_factory if made else default, made, compare, kw_only, repr)


@dataclass_transform(field_specifiers=(field,))
def dataclass(cls: Any = None, /, *, frozen: bool = False, eq: bool = True) -> Any:
    """Make a class of annotated fields a record: `@dataclass(frozen=True)`."""

    def make(cls: Any) -> Any:
        fields = _collect(cls)
        methods: dict[str, Any] = {
            _FIELDS: fields,
            "__dataclass_fields__": _Standard(),
            "__match_args__": tuple(item.name for item in fields if not item.kw_only),
            "__init__": _init(cls, fields),
        }
        if "__repr__" not in vars(cls):
            methods["__repr__"] = _repr(tuple(item.name for item in fields if item.repr))
        if eq:
            methods |= _comparison(tuple(item.name for item in fields if item.compare), frozen)
        if frozen:
            methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
        for name, method in methods.items():
            setattr(cls, name, method)
        return cls

    return make if cls is None else make(cls)


class _Standard:
    """The fields in the words of `dataclasses`, for its `replace` and `asdict`; made when somebody asks."""

    def __get__(self, record: object, cls: type) -> Mapping[str, Any]:
        import dataclasses

        described = []
        for item in fields(cls):
            options: dict[str, Any] = {"compare": item.compare, "kw_only": item.kw_only, "repr": item.repr}
            if item.default is not _MISSING:
                options["default_factory" if item.made else "default"] = item.default
            described.append((item.name, Any, dataclasses.field(**options)))
        twin: Any = dataclasses.make_dataclass(cls.__name__, described)
        found: Mapping[str, Any] = twin.__dataclass_fields__
        setattr(cls, "__dataclass_fields__", found)  # noqa: B010  (mypy knows the name)
        return found


def _collect(cls: type) -> tuple[Field, ...]:
    """Return the fields of a class, those of its bases first."""
    found = {item.name: item for base in reversed(cls.__mro__[1:]) for item in vars(base).get(_FIELDS, ())}
    for name, annotation in cls.__annotations__.items():
        if "ClassVar" in str(annotation):
            continue
        default = vars(cls).get(name, _MISSING)
        item = default if isinstance(default, Field) else Field(default)
        item.name = name
        found[name] = item
        if isinstance(default, Field):
            delattr(cls, name)
            if not item.made and item.default is not _MISSING:
                setattr(cls, name, item.default)
    return tuple(found.values())


def _init(cls: Any, fields: tuple[Field, ...]) -> Callable[..., None]:
    names = tuple(item.name for item in fields if not item.kw_only)
    ordered = sorted(fields, key=lambda item: item.kw_only)
    finish = getattr(cls, "__post_init__", None)

    def fill(self: Any, /, *values: Any, **named: Any) -> None:
        if len(values) > len(names):
            raise TypeError(f"{cls.__name__} takes at most {len(names)} values, not {len(values)}")
        for name, value in zip(names, values, strict=False):
            _set(self, name, value)
        for item in ordered[len(values) :]:
            if item.name in named:
                value = named.pop(item.name)
            elif item.default is _MISSING:
                raise TypeError(f"{cls.__name__} is missing `{item.name}`")
            else:
                value = item.default() if item.made else item.default
            _set(self, item.name, value)
        if named:
            raise TypeError(f"{cls.__name__} has no field, or a value already, for `{next(iter(named))}`")
        if finish is not None:
            finish(self)

    return fill


def _repr(names: tuple[str, ...]) -> Callable[[Any], str]:
    @recursive_repr()
    def show(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return show


def _comparison(names: tuple[str, ...], frozen: bool) -> dict[str, Any]:
    """Return the methods that make records equal where these fields are."""
    if len(names) > 1:
        key: Callable[[Any], Any] = attrgetter(*names)
    else:

        def key(record: Any) -> Any:
            return tuple(getattr(record, name) for name in names)

    def same(self: Any, other: object) -> bool:
        return key(self) == key(other) if type(other) is type(self) else NotImplemented

    def number(self: Any) -> int:
        return hash(key(self))

    return {"__eq__": same, "__hash__": number if frozen else None}


def _refuse(self: Any, name: str, *value: object) -> None:
    raise FrozenError(f"{type(self).__name__} is immutable")


def fields(cls: type) -> tuple[Field, ...]:
    """Return the fields of a class of records, in order."""
    found: tuple[Field, ...] = getattr(cls, _FIELDS)
    return found


def replace(record: T, /, **changes: Any) -> T:
    """Return a record with some fields changed: `replace(node, span=(0, 3))`."""
    given = {item.name: getattr(record, item.name) for item in fields(type(record))}
    return type(record)(**(given | changes))
