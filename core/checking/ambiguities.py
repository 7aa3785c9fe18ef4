"""How a text was read, where another reading is as good: MATLAB's products, and products that look like MATLAB's."""

from __future__ import annotations

from contextlib import suppress

from ...grammar import syntax
from ...grammar.advice import Setting, advise
from ...grammar.errors import ExpressionError
from ..elaboration.ranks import Ranks
from ..problems.answer import Warning
from ..problems.calculation import Calculation


def find_ambiguities(calculation: Calculation) -> list[Warning]:
    """Return a warning where the text is read as MATLAB's, or looks like it: `A'*x` is a product entry by entry."""
    program = calculation.problem.program
    if program.syntax:
        other = advise("`*` is the matrix product; for products entry by entry: ", Setting("syntax", "matgrad"))
        return [Warning("the expression is read as MATLAB's", notes=[other], code="syntax")]
    product = _product_of_arrays(calculation) if program.quoted else None
    if product is None:
        return []
    meant = advise("for the matrix product write `@`, or: ", Setting("syntax", "matlab"))
    message = "`*` multiplies arrays entry by entry"
    return [Warning(message, span=product.operator_span, label="not a matrix product", notes=[meant], code="syntax")]


def _product_of_arrays(calculation: Calculation) -> syntax.Binary | None:
    program = calculation.problem.program
    ranks = Ranks({name: symbol.shape for name, symbol in calculation.symbols.items()}, calculation.statics)
    with suppress(ExpressionError):  # what cannot be elaborated is told elsewhere
        ranks.add(program)
    for node in syntax.walk(program):
        if isinstance(node, syntax.Binary) and node.operator == "*" and ranks.of(node.left) and ranks.of(node.right):
            return node
    return None
