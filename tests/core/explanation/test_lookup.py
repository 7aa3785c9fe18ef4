"""Functions are found by their names, by those of libraries, and by what is said of them."""

from __future__ import annotations

import pytest

from matgrad.core.explanation.lookup import calls_in_libraries, function_named, functions_about, library_names
from matgrad.core.graph.catalogue import find, operators, suggest
from samples import TABLE

CALLABLE = [operator for operator in TABLE if not operator.hidden]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("softmax", "softmax"), ("mm", "matmul"), ("np.linalg.inv", "inv"), ("torch.nn.functional.gelu", "gelu"),
        ("scipy.stats.skew", "skewness"), ("skew", "hat"), ("torch.topk", "largest_entries"), ("np.std(x)", "std"),
        ("jax.scipy.special.ndtr", "ndtr"), ("torch.special.erf", "erf"),
    ],
)  # fmt: skip
def test_a_name_of_a_library_finds_its_function(name: str, found: str) -> None:
    operator = function_named(name)
    assert operator is not None
    assert operator.name == found


@pytest.mark.parametrize("name", ["log_softmax_of_last", "normal distribution", "xyzzy", "np.xyzzy"])
def test_what_is_no_name_finds_none(name: str) -> None:
    assert function_named(name) is None


@pytest.mark.parametrize(
    ("words", "some", "none"),
    [
        ("normal", "norm_logpdf", "gamma_logpdf"), ("normal log density", "norm_logpdf", "norm_cdf"),
        ("statistics", "median", "sort"), ("Bessel", "jv", "erf"), ("inverse", "inv", "exp"),
        ("standard deviation", "std", "norm"), ("expectation", "mean", "sum"), ("running", "cummax", "sort"),
        ("sums", "cumsum", "sort"), ("the cross entropy of labels", "cross_entropy", "kl_div"),
        ("square root of a matrix", "sqrtm", "sqrt"), ("derivative of norm", "norm", "sort"),
    ],
)  # fmt: skip
def test_words_find_what_is_about_them_all(words: str, some: str, none: str) -> None:
    names = [operator.name for operator in functions_about(words)]
    assert some in names
    assert none not in names


def test_words_that_nothing_is_about_find_nothing() -> None:
    assert functions_about("xyzzy") == []
    assert functions_about("") == []


@pytest.mark.parametrize("operator", CALLABLE, ids=lambda operator: operator.name)
def test_every_function_is_found_by_its_name_and_its_topic(operator: object) -> None:
    assert function_named(operator.name) is operator  # type: ignore[attr-defined]
    assert operator in functions_about(operator.family)  # type: ignore[attr-defined]


def test_calls_in_libraries_have_names_for_all_slots() -> None:
    assert dict(calls_in_libraries(function_named("inv"))) == {  # type: ignore[arg-type]
        "numpy": "np.linalg.inv(X)", "torch": "torch.linalg.inv(X)", "jax": "jnp.linalg.inv(X)",
    }  # fmt: skip
    assert calls_in_libraries(function_named("norm"))["numpy"] == (  # type: ignore[arg-type]
        "np.linalg.norm(x, ord=ord, axis=axis, keepdims=keepdims)"
    )
    assert not [text for operator in CALLABLE for text in calls_in_libraries(operator).values() if "#" in text]
    assert all("." in name for operator in CALLABLE for name in library_names(operator))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sofmax", "softmax"), ("trasnpose", "transpose"), ("lgo", "log"), ("crss", "cross"), ("sqr", "sqrt"),
        ("gam", "gamma"),
        ("stdev", "std"), ("expectation", "mean"), ("Gaussian", "norm_pdf"), ("SoftMax", "softmax"),
        ("tanhh", "tanh"), ("invrse", "inverse"), ("pseudoinverse", "pinv"), ("covariance", "cov"),
        ("range", "arange"), ("sigm", "sigmoid"), ("gaus", "norm_pdf"),
        ("covarience", "cov"), ("cross_entr", "cross_entropy"),
    ],
)  # fmt: skip
def test_what_is_meant_is_suggested(typed: str, meant: str) -> None:
    assert suggest(typed) == meant


STRANGE = "lan foo bar exo loss_of xyzzy q sinus_ cosx print exit float int dict time dir lap"


@pytest.mark.parametrize("typed", STRANGE.split())
def test_a_stranger_is_not_suggested(typed: str) -> None:
    assert suggest(typed) is None


def test_words_that_are_sought_are_no_names() -> None:
    taken = [(word, operator.name) for operator in operators() for word in operator.sought if find(word)]
    assert taken == []
    every = [word for operator in operators() for word in operator.sought]
    assert len(every) == len(set(every))
