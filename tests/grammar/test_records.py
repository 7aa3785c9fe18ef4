"""Records: what `dataclasses` would do with the same words."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import ClassVar

import pytest

from matgrad.grammar.records import dataclass, field, fields, replace


@dataclass(frozen=True)
class Base:
    place: int = field(default=0, compare=False, kw_only=True, repr=False)


@dataclass(frozen=True)
class Point(Base):
    kind: ClassVar[str] = "point"
    x: float
    y: float = 1.0
    tags: list[str] = field(default_factory=list, compare=False)


@dataclass
class Counter:
    start: int
    total: int = 0

    def __post_init__(self) -> None:
        self.total += self.start


def test_values_go_to_fields_by_place_and_by_name_and_the_rest_have_defaults() -> None:
    point = Point(3, place=7)
    assert (point.x, point.y, point.tags, point.place) == (3, 1.0, [], 7)
    assert Point(y=2, x=1) == Point(1, 2)
    assert Point(1).tags is not Point(1).tags
    assert repr(point) == "Point(x=3, y=1.0, tags=[])"
    assert [item.name for item in fields(Point)] == ["place", "x", "y", "tags"]
    assert Counter(2, 3).total == 5


@pytest.mark.parametrize("values", [(), (1, 2, [], 4)])
def test_too_few_or_too_many_values_are_refused(values: tuple[int, ...]) -> None:
    with pytest.raises(TypeError):
        Point(*values)  # type: ignore[arg-type]


@pytest.mark.parametrize("named", [{"x": 2}, {"z": 2}])
def test_a_second_value_and_an_unknown_name_are_refused(named: dict[str, int]) -> None:
    with pytest.raises(TypeError):
        Point(1, **named)  # type: ignore[arg-type]


def test_equality_and_hash_are_of_the_compared_fields_and_of_the_class() -> None:
    assert Point(1, place=1) == Point(1, place=2)
    assert len({Point(1, place=1), Point(1, place=2), Point(2)}) == 2
    assert Base() == Base(place=3)
    assert Base() != Point(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Counter(1))


def test_a_frozen_record_stays_as_it_is() -> None:
    point = Point(1)
    with pytest.raises(AttributeError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del point.x
    changed = replace(point, x=2)
    assert (point.x, changed) == (1, Point(2))
    counter = Counter(1)
    counter.total = 9
    assert counter.total == 9


def test_a_record_can_be_matched_copied_and_pickled() -> None:
    match Point(1, 2, place=3):
        case Point(x, y, place=place):
            assert (x, y, place) == (1, 2, 3)
    point = Point(1, tags=["a"], place=5)
    for twin in (copy.copy(point), copy.deepcopy(point), pickle.loads(pickle.dumps(point))):
        assert twin == point
        assert (twin.tags, twin.place) == (["a"], 5)


def test_the_standard_module_knows_them() -> None:
    point = Point(1, tags=["a"])
    assert dataclasses.is_dataclass(point)
    assert dataclasses.replace(point, y=5) == Point(1, 5)
    assert dataclasses.asdict(point) == {"place": 0, "x": 1, "y": 1.0, "tags": ["a"]}
