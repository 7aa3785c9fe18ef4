"""How a text was read, where another reading is as good: MATLAB's products, and vectors that look like columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from ...grammar import syntax
from ...grammar.advice import Setting, advise
from ...grammar.errors import ExpressionError
from ...grammar.writer import write
from ..elaboration.ranks import Ranks
from ..problems.answer import Warning
from ..problems.calculation import Calculation


def find_ambiguities(calculation: Calculation) -> list[Warning]:
    """Return a warning where the text is read as MATLAB's or looks like it, and where a vector is no column.

    Examples: `A'*x` is a product entry by entry, `u @ u.T` of a vector is a number.
    """
    program = calculation.problem.program
    if program.syntax:
        other = advise("`*` is the matrix product; for products entry by entry: ", Setting("syntax", "matgrad"))
        return [Warning("the expression is read as MATLAB's", notes=[other], code="syntax")]
    products = [item for item in syntax.walk(program) if isinstance(item, syntax.Binary) and item.operator in "*@"]
    columns = [product for product in products if _is_like_outer(product)]
    if not (columns or program.quoted):
        return []
    ranks = Ranks({name: symbol.shape for name, symbol in calculation.symbols.items()}, calculation.statics)
    with suppress(ExpressionError):  # what cannot be elaborated is told elsewhere
        ranks.add(program)
    return [*_products_of_arrays(products if program.quoted else [], ranks), *_products_of_columns(columns, ranks)]


def _products_of_arrays(products: list[syntax.Binary], ranks: Ranks) -> Iterator[Warning]:
    for product in products:
        if product.operator == "*" and ranks.of(product.left) and ranks.of(product.right):
            meant = advise("for the matrix product write `@`, or: ", Setting("syntax", "matlab"))
            message = "`*` multiplies arrays entry by entry"
            yield Warning(
                message, span=product.operator_span, label="not a matrix product", notes=[meant], code="syntax"
            )
            return


def _is_like_outer(product: syntax.Binary) -> bool:
    """Whether a product would be of a column and a row, if vectors were columns: `u @ v.T`."""
    return product.operator == "@" and not _is_transposed(product.left) and _is_transposed(product.right)


def _is_transposed(node: syntax.Node) -> bool:
    return isinstance(node, syntax.Attribute) and node.name in ("T", "mT")


def _products_of_columns(products: list[syntax.Binary], ranks: Ranks) -> Iterator[Warning]:
    for product in products:
        column, row = product.left, product.right
        if isinstance(row, syntax.Attribute) and ranks.of(column) == ranks.of(row.operand) == 1:
            meant = f"for the matrix write `outer({write(column)}, {write(row.operand)})`"
            message = f"`{write(product)}` is a number: the transpose of a vector is the vector itself"
            yield Warning(message, span=product.operator_span, label="the inner product", notes=[meant], code="syntax")
