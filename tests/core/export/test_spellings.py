"""What the operator table says of other libraries is true: every spelling is executed there, by a loop over the table.

JAX compiles slowly, so all samples of an entry are compiled there as one function. What JAX lacks is a long function in
printed code, and longer to compile than to run step by step: that it can be traced is held with the printed programs.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from mathtext import accepted

import matgrad
from libraries import LIBRARIES as INSTALLED
from libraries import converter, defined, every_library
from matgrad.core.differentiation.differentiate import derivative
from matgrad.core.elaboration.ranks import Ranks
from matgrad.core.errors import UsageProblem
from matgrad.core.export.dialects import Dialect
from matgrad.core.export.functions import program
from matgrad.core.export.latex import latex_of
from matgrad.core.export.polyfills import dotted_names, polyfills, used_polyfills
from matgrad.core.export.setting import Setting
from matgrad.core.export.templates import LIBRARIES, imports, slots, spelling, template
from matgrad.core.graph.catalogue import find, operators
from matgrad.core.graph.nodes import Symbol
from matgrad.core.graph.operator import Operator
from matgrad.core.problems.problem import Problem
from matgrad.grammar.parser import parse
from matgrad.grammar.syntax import Call
from matgrad.grammar.writer import write
from samples import SHAPES, TABLE, Values, elaborated, run, values_of

CALLABLE = [operator for operator in TABLE if not operator.hidden]
every_entry = pytest.mark.parametrize("operator", CALLABLE, ids=lambda operator: operator.name)


def spelled(sample: str, library: str) -> str:
    """Return a sample as a library has it, word for word."""
    tree = parse(sample).result
    ranks = Ranks(SHAPES, {})
    ranks.add(tree)
    return write(Dialect(library, ranks, frozenset()).rewritten(tree), spelling(library))


def known(operator: Operator, sample: str, library: str) -> bool:
    """Whether a library has words for a sample; refusals must have a reason."""
    said = template(operator, library)
    if said is not None and (not slots(said) or "#*" in said):
        return True
    try:
        spelled(sample, library)
    except UsageProblem:
        return False
    return True


def module(texts: list[str], library: str) -> str:
    """Return a module that computes texts, each as a function of the names of the samples."""
    parameters = ", ".join(SHAPES)
    functions = [f"def sample_{place}({parameters}):\n    return {text}" for place, text in enumerate(texts)]
    body = "\n".join([*used_polyfills(library, "\n".join(functions)), *functions])
    head = [*imports(dotted_names(body), library)]
    if "like" in dotted_names(body):
        head = [*sorted({*head, "import torch"}), 'like = {"dtype": torch.float64}']
    return "\n".join([*head, body])


def results(functions: list[Any], values: list[Values], library: str, compiled: bool) -> list[Any]:
    """Return what functions of the names of the samples give, compiled as one where that is wanted."""
    convert = converter(library)
    arrays = [{name: convert(own[name]) if name in own else None for name in SHAPES} for own in values]

    def all_of_them(arrays: list[Mapping[str, Any]]) -> list[Any]:
        return [function(**own) for function, own in zip(functions, arrays, strict=True)]

    return (import_module("jax").jit(all_of_them) if compiled else all_of_them)(arrays)


def agree(found: Any, wanted: np.ndarray, text: str) -> None:
    assert np.shape(found) == wanted.shape, text
    np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-9, atol=1e-10, err_msg=text)


@every_library
@every_entry
def test_every_spelling_is_a_function_there(operator: Operator, library: str) -> None:
    cases = [(sample, spelled(sample, library)) for sample in operator.samples if known(operator, sample, library)]
    source = module([text for _, text in cases], library)
    space = defined(source)
    values = [values_of(operator, sample) for sample, _ in cases]
    functions = [space[f"sample_{place}"] for place in range(len(cases))]
    found = results(functions, values, library, library == "jax" and not used_polyfills(library, source))
    for (sample, text), own, result in zip(cases, values, found, strict=True):
        agree(result, run(elaborated(sample), own), text)


@cache
def wanted_of(operator: Operator, sample: str) -> list[np.ndarray]:
    """Return the value of a sample and its derivative by its first name."""
    values = values_of(operator, sample)
    node = elaborated(sample)
    first = next(iter(values), None)
    derivatives = [derivative(node, Symbol.of(first, SHAPES[first]))] if first else []
    return [run(one, values) for one in (node, *derivatives)]


def written_for(setting: Setting, library: str) -> str | None:
    """Return a program, or None where the refusal names a function that the table says the library has not."""
    try:
        return program(setting, library)
    except UsageProblem as refusal:
        named = find(refusal.message.removeprefix("`").partition("(")[0])
        if library == "numpy" or named is None or template(named, library) is not None:
            raise
        return None


@every_entry
def test_every_sample_is_printed_in_latex_and_as_programs_that_run(operator: Operator) -> None:
    for sample in operator.samples:
        values = values_of(operator, sample)
        wrt = tuple(values)[:1]
        problem = Problem.of(sample, "jacobian" if wrt else "value", wrt)
        setting = Setting.of(problem, {name: SHAPES[name] for name in problem.names}, {})
        for form in (*setting.value, *setting.derivatives):
            accepted(latex_of(form.program, setting.ranks))
        for library in INSTALLED:
            source = written_for(setting, library)
            if source is None:
                continue
            function = defined(source)[problem.kind]
            arrays = [converter(library)(values[name]) for name in problem.names]
            # Compiling takes long: that JAX knows all words and all shapes fit is seen without it, and each word has
            # been run.
            found = import_module("jax").eval_shape(function, *arrays) if library == "jax" else function(*arrays)
            for one, wanted in zip(found if wrt else (found,), wanted_of(operator, sample), strict=True):
                assert np.shape(one) == wanted.shape, source
                if library != "jax":
                    agree(one, wanted, source)


# --- functions that libraries lack -----------------------------------------------------------------------------------


def test_every_polyfill_is_used() -> None:
    called = {
        name for to in LIBRARIES for operator in operators(hidden=True) for name in _calls(template(operator, to) or "")
    }
    sources = {name: source for to in LIBRARIES for name, source in polyfills(to).items()}
    inner = {used for name, source in sources.items() for used in dotted_names(source) if used != name}
    assert sources.keys() <= called | inner


def _calls(text: str) -> list[str]:
    source = text.replace("#*", "x")
    for number in "123456789":
        source = source.replace(f"#{number}", "x")
    return dotted_names(source)


@pytest.mark.parametrize("library", LIBRARIES)
def test_polyfills_are_printed_without_annotations(library: str) -> None:
    for name, source in polyfills(library).items():
        (function,) = ast.parse(source).body
        assert isinstance(function, ast.FunctionDef)
        assert function.name == name
        assert not any(argument.annotation for argument in function.args.args)
        assert ast.get_docstring(function)


@pytest.mark.parametrize("library", LIBRARIES)
def test_what_a_library_lacks_is_refused_by_name(library: str) -> None:
    lacking = [operator for operator in TABLE if template(operator, library) is None]
    assert lacking
    for operator in lacking:
        with pytest.raises(UsageProblem, match=f"`{operator.name}.*cannot be written for {LIBRARIES[library]}"):
            spelled(operator.samples[0], library)


def test_a_refusal_says_what_to_use_instead() -> None:
    with pytest.raises(UsageProblem) as caught:
        spelled("rsqrt(x)", "numpy")
    assert caught.value.helps == ("write `x**(-1/2)`", "PyTorch has it", "JAX has it")


def test_settings_are_written_in_the_words_of_the_library() -> None:
    assert isinstance(parse("X.var(dim=1, correction=1)").result, Call)
    assert spelled("X.var(dim=1, correction=1)", "numpy") == "np.var(X, axis=1, ddof=1)"
    assert spelled("var(X, axis=1)", "torch") == "torch.var(X, dim=1, correction=0, keepdim=False)"
    assert spelled("clip(X, upper=0.2)", "jax") == "jnp.clip(X, None, 0.2)"
    assert find("clip") is not None


def test_the_logistic_function_gives_way_to_a_variable() -> None:
    """The letter sigma has one meaning in a formula."""
    with_sigma = matgrad.grad("sum(sigmoid(sigma*x))", wrt="x", shapes={"sigma": ()}).latex
    assert r"\operatorname{sigmoid}(\sigma \, x)" in with_sigma
    assert r"\sigma(" not in with_sigma
    assert r"\sigma(a" in matgrad.grad("sum(sigmoid(a*x))", wrt="x").latex
