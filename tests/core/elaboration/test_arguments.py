"""Arguments meet declarations as in Python: positions, keywords, defaults, lists, the words of other libraries."""

from __future__ import annotations

from typing import Any

import pytest

from matgrad.core.elaboration.arguments import REQUIRED, bind, declaration, usage
from matgrad.core.errors import ExpressionError
from matgrad.core.graph import catalogue
from matgrad.core.graph.operator import Operator


def operator(parameters: str) -> Operator:
    return Operator("f", parameters, "A function.")


def test_a_declaration_is_read() -> None:
    read = declaration("X, b; axis=None, keepdims=False")
    assert read.operands == ("X", "b")
    assert read.settings == {"axis": None, "keepdims": False}
    assert not read.variadic
    assert not read.listed


def test_a_declaration_with_lists_and_required_settings() -> None:
    assert declaration("*operands; subscripts").variadic
    assert declaration("*operands; subscripts").settings == {"subscripts": REQUIRED}
    assert declaration("[parts]; axis=0").listed
    assert declaration("[parts]; axis=0").operands == ("parts",)
    assert declaration("x; axes=(0, 1), word='a'").settings["axes"] == (0, 1)
    assert declaration("").operands == ()


@pytest.mark.parametrize(
    ("positional", "keywords"),
    [
        (("x", 0, True), {}), (("x", 0), {"keepdims": True}), (("x",), {"axis": 0, "keepdims": True}),
        ((), {"x": "x", "axis": 0, "keepdims": True}), (("x",), {"dim": 0, "keepdim": True}),
        ((), {"input": "x", "dim": 0, "keepdim": True}), ((), {"a": "x", "axis": 0, "keepdims": True}),
    ],
)  # fmt: skip
def test_positions_keywords_and_the_words_of_other_libraries(
    positional: tuple[Any, ...], keywords: dict[str, Any]
) -> None:
    tensor = object()
    exchanged = [tensor if item == "x" else item for item in positional]
    named = {name: tensor if item == "x" else item for name, item in keywords.items()}
    bound = bind(operator("x; axis=None, keepdims=False"), exchanged, named)
    assert bound.operands == [tensor]
    assert bound.settings == {"axis": 0, "keepdims": True}


def test_defaults_fill_what_is_not_given() -> None:
    assert bind(operator("x; axis=-1, ord=2"), [1.0], {}).settings == {"axis": -1, "ord": 2}


def test_variadic_operands_and_words() -> None:
    bound = bind(operator("*operands; subscripts"), ["ij,jk", 1.0, 2.0], {})
    assert bound.operands == [1.0, 2.0]
    assert bound.settings == {"subscripts": "ij,jk"}
    assert bind(operator("x; ord=2"), [1.0, "fro"], {}).settings == {"ord": "fro"}


def test_a_list_of_operands() -> None:
    bound = bind(operator("[parts]; axis=0"), [[1.0, 2.0], 1], {})
    assert bound.operands == [1.0, 2.0]
    assert bound.settings == {"axis": 1}
    assert bind(operator("[parts]; axis=0"), [], {"arrays": [1.0], "dim": 1}).settings == {"axis": 1}


@pytest.mark.parametrize("positional", [[1.0, 2, 3], [1.0, (2, 3)]])
def test_sizes_may_be_written_one_by_one(positional: list[Any]) -> None:
    assert bind(operator("x; shape"), positional, {}).settings == {"shape": (2, 3)}


@pytest.mark.parametrize(
    ("parameters", "positional", "keywords", "message"),
    [
        ("x; axis=None", [1.0], {"axes": 0}, "no argument `axes`"),
        ("x; axis=None", [1.0, 0, 1], {}, "takes fewer arguments"),
        ("x", [1.0, 2.0], {}, "takes fewer arguments"),
        ("a, b", [1.0], {}, "needs `b`"),
        ("x; shape", [1.0], {}, "needs `shape`"),
        ("x; axis=None", [1.0, 0], {"axis": 1}, "got `axis` twice"),
        ("[parts]; axis=0", [1.0], {}, "takes a list"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_way_to_write_it(
    parameters: str, positional: list[Any], keywords: dict[str, Any], message: str
) -> None:
    with pytest.raises(ExpressionError, match=message) as caught:
        bind(operator(parameters), positional, keywords)
    assert any("write `f(" in text for text in caught.value.helps)


def test_usage_shows_defaults() -> None:
    assert usage(operator("x; axis=None")) == "write `f(x, axis=None)`"
    assert usage(operator("x")) == "write `f(x)`"


@pytest.mark.parametrize("entry", list(catalogue.operators(hidden=True)), ids=lambda entry: entry.name)
def test_every_declaration_of_the_table_can_be_read(entry: Operator) -> None:
    read = declaration(entry.parameters)
    assert len(set(read.operands) | set(read.settings)) == len(read.operands) + len(read.settings)
    assert entry.name in usage(entry)
