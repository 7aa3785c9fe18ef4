"""Every wrong rule is caught: where one rule of the table is changed, a sample contradicts 5-point differences.

A test takes a part of all changes; run as a program, this file tries every one and prints those that nothing catches.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import pytest

from differences import difference_error, directions_of
from matgrad.core.differentiation.differentiate import pushforward
from matgrad.core.graph import catalogue
from matgrad.core.graph.nodes import Symbol
from matgrad.core.graph.operator import Operator
from matgrad.grammar import syntax
from matgrad.grammar.parser import parse
from matgrad.grammar.syntax import Attribute, Binary, Name, Node, Number, Unary, map_children
from matgrad.grammar.writer import write
from samples import SHAPES, TABLE, Values, elaborated, run, values_of

# A wrong rule is off by far more, a right one by far less.
CAUGHT = 1e-6
# One in so many changes is tried in the tests.
PART = 4
WITHOUT_EFFECT = {
    "eigvalsh: V = eigh(X)[1]; diagonal(V.T @ dX.mT @ V)": "a quadratic form is that of the transposed matrix",
    "logdet: trace(dX @ inv(X))": "the trace of a product is that of the other order",
    "slogdet: trace(dX @ inv(X))": "the trace of a product is that of the other order",
    "exclusive_product: I = identity_like(x); dx @ ((1 - I)*exclusive_product(where(I, 1, x)))": "a symmetric matrix",
}
"""Changes that change nothing, and why."""
SYMMETRIC = ("solve_continuous_are", "solve_discrete_are")
"""Operators whose result is symmetric: it is not changed by transposing it."""


class Mutant(NamedTuple):
    """An operator with one rule changed."""

    operator: Operator
    rules: tuple[str, ...]

    def __str__(self) -> str:
        changed = [rule for rule, own in zip(self.rules, self.operator.rules, strict=True) if rule != own]
        return f"{self.operator.name}: {changed[0]}"


def terms(tree: Node) -> Iterator[Node]:
    """Yield the terms of the value of a rule."""
    if isinstance(tree, syntax.Program):
        yield from terms(tree.result)
    elif isinstance(tree, Binary) and tree.operator in "+-":
        yield from terms(tree.left)
        yield from terms(tree.right)
    else:
        yield tree


def exchanged(tree: Node, old: Node, new: Node) -> Node:
    """Return a tree in which one part, found by identity, is another."""
    return new if tree is old else map_children(tree, lambda child: exchanged(child, old, new))


def changes(rule: str) -> Iterator[str]:
    """Yield a rule with a term negated, doubled or left out, with a transpose dropped, or with a number changed."""
    tree = parse(rule)
    for term in terms(tree):
        if write(term).startswith("0*"):
            continue
        for changed in (Unary("-", term), Binary("*", Number("2"), term), Binary("*", Number("0"), term)):
            yield write(exchanged(tree, term, changed))
    for part in syntax.walk(tree):
        match part:
            case Attribute(operand, "T" | "mT"):
                yield write(exchanged(tree, part, operand))
            case Binary("@", left, right):
                yield write(exchanged(tree, part, Binary("@", right, left)))
                for side in (left, right):
                    if isinstance(side, Name):
                        yield write(exchanged(tree, side, Attribute(side, "mT")))
            case Number(text) if text.isdigit() and text != "0":
                yield write(exchanged(tree, part, Number(str(int(text) + 1))))


def mutants() -> list[Mutant]:
    """Return all changes of all rules."""
    found = []
    for operator in TABLE:
        if operator.adjoint and len(operator.operands) == 1:
            continue  # of such a rule nothing is used but the adjoint
        for place, rule in enumerate(operator.rules):
            for changed in dict.fromkeys(changes(rule)):
                rules = (*operator.rules[:place], changed, *operator.rules[place + 1 :])
                found.append(Mutant(operator, rules))
    return found


@contextmanager
def entered(mutant: Mutant) -> Iterator[None]:
    """Put a changed operator in the place of the right one."""
    names = (mutant.operator.name, *mutant.operator.aliases)
    changed = replace(mutant.operator, differential=mutant.rules)
    catalogue._by_spelling.update(dict.fromkeys(names, changed))
    try:
        yield
    finally:
        catalogue._by_spelling.update(dict.fromkeys(names, mutant.operator))


def is_caught(mutant: Mutant) -> bool:
    """Whether a sample contradicts a changed rule, or cannot be differentiated by it at all."""
    given = [(sample, values_of(mutant.operator, sample)) for sample in mutant.operator.samples]
    with entered(mutant):
        return any(contradicts(sample, values) for sample, values in given)


def contradicts(sample: str, values: Values) -> bool:
    """Whether the derivative of a sample is not what 5-point differences are."""
    directions = directions_of(values)
    root = elaborated(sample)
    tangents = {Symbol.of(name, SHAPES[name]): Symbol.of(f"{name} moved", SHAPES[name]) for name in values}
    moved = {**values, **{f"{name} moved": direction for name, direction in directions.items()}}
    try:
        claimed = run(pushforward(root, tangents), moved)
    except Exception:  # a rule that no longer fits together fails in any way there is
        return True
    return claimed.shape != root.shape or not difference_error(root, values, directions, claimed) < CAUGHT


def has_effect(mutant: Mutant) -> bool:
    """Whether a change is one of the numbers."""
    if mutant.operator.name in SYMMETRIC:
        return [rule.replace("y.mT", "y") for rule in mutant.rules] != [write(parse(r)) for r in mutant.operator.rules]
    return str(mutant) not in WITHOUT_EFFECT


MUTANTS = [mutant for mutant in mutants() if has_effect(mutant)]


@pytest.mark.parametrize("mutant", MUTANTS[::PART], ids=str)
def test_a_wrong_rule_is_caught(mutant: Mutant) -> None:
    assert is_caught(mutant)


def test_changes_without_effect_are_changes() -> None:
    assert {*WITHOUT_EFFECT} <= {str(mutant) for mutant in mutants()}


def test_a_right_rule_contradicts_nothing() -> None:
    for operator in [mutant.operator for mutant in MUTANTS[::PART]]:
        assert not is_caught(Mutant(operator, operator.rules))


if __name__ == "__main__":
    missed = [mutant for mutant in MUTANTS if not is_caught(mutant)]
    print(f"{len(MUTANTS) - len(missed)} of {len(MUTANTS)} wrong rules are caught")
    print("\n".join(map(str, missed)))
