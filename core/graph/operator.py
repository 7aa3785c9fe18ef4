"""What one operator is: a record that carries everything matgrad knows about it.

There are five kinds, told apart by what they declare:
- *elementwise* (`differential`, no core axes): becomes a Map;
- *applied* (`signature` with core axes, `differential`): becomes an Apply over any leading batch axes;
- *linear* (`build`): a Python function that returns Products with structural operands; it needs no rule;
- *derived* (`definition`): a formula in matgrad's own language over other operators;
- *rewritten* (`rewrite`): another way to write something, as `take(x, I)` is of `ravel(x)[I]`.

Rules and definitions are text in matgrad's language, written for one sample: batch axes are the engine's business.
What a rule may use:
- `y`, the output; `y0`, `y1`, ... where there are several;
- the operands and the settings under their declared names: `X`, `b`, `ord`;
- `dX`, the tangent of the operand `X`: the rule of the inverse is `-y @ dX @ y`. A rule is linear in the tangents:
  they stand in sums, in products with what does not depend on them, and under linear functions (`sum`, `trace`,
  `einsum`, `.T`, slices, `hstack`, ...), or as the last operand of an operator that declares its `adjoint`;
- every operator of the table, hidden ones and the one at hand included;
- `pi`, and names that the rule has assigned before: `P = U.T @ dX; U @ P`.
A definition uses the operands, the settings and every operator. A condition for a `kink` uses `y` too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ...grammar.syntax import Node

# The spellings of a function that no library has.
NOWHERE: Mapping[str, None] = MappingProxyType({"numpy": None, "torch": None, "jax": None})


@dataclass(frozen=True, eq=False)
class Operator:
    """One entry of the operator table.

    Example: `Operator("tanh", "x", "Hyperbolic tangent.", evaluate=np.tanh, differential="(1 - y**2) * dx")`.

    - `parameters`: `"X, b; axis=None"`: operands before the semicolon, settings with defaults after it. `*x` takes any
      number of operands, `[x]` a list of operands in brackets; an operand that may be left out has a number as default.
    - `signature`: gufunc notation of the core axes, `"(n,n),(n)->(n)"`; empty for elementwise, linear, derived.
    - `evaluate`: NumPy evaluation; gets the operands' arrays (with leading batch axes) and the settings as keywords.
    - `differential`: one rule per output.
    - `textbook`: the differential as books have it, for an explanation, where the rule is made for the engine.
    - `meaning`: what a function of one operand is in simpler words, for those who meet it in a formula.
    - `definition`: one formula, of which the last statement is the value, a tuple of them where there are several; or
      one for each value of the first setting: `{"sum": "sum(x)", "none": "x"}` for the settings `reduction='sum'`.
    - `rewrite`: gets the trees of the arguments by name, defaults as values, and returns the tree that is meant.
    - `tangent`: what computes the differential where a rule is no text, for the operator computes with a graph: it gets
      the names that a rule may use. The `differential` then only says it in words.
    - `adjoint`: of an operator that is linear in its last operand, what carries a cotangent `g` of the output back to
      that operand. Then rules may apply it to a tangent, and its own differential leaves the last operand out.
    - `commuting`: what such an operator is, more simply, where its last operand commutes with the first.
    - `spectrum`: of a function of numbers, the operator that does the same to the eigenvalues of a symmetric matrix.
    - `regular`: what readers know it by where the `condition` holds, as `det(X) * inv(X).T` where `det(X) != 0`;
      without a condition, where it is differentiable. Formulas have it, the numbers do not need it.
    - `undifferentiable`: by which operands there is no derivative in closed form, and why.
    - `kink`: a condition, in matgrad's language over operands and `y`, that is true where the derivative is a choice.
    - `once`: whether at its kinks it is differentiated once and no more: a second derivative there is refused.
    - `domain`: for each operand, what random inputs must satisfy: real, positive, unit (-1..1), probability (0..1),
      above_one, nonzero, count (0, 1, 2, ...), label (0, 1, ... below the length of the last axis of the result),
      invertible, spd, symmetric, integer, mask (0 or 1).
    - `samples`: calls that the generated tests evaluate and differentiate; `errors`: calls that must be refused.
    - `analytic`: whether `evaluate` accepts complex arrays and is holomorphic, so that the complex step applies.
    - `exact`: whether nothing is rounded: every entry of the result is one of an operand, or a small whole number.
    - `mask`: whether the values are 0 and 1, and 0 annihilates even inf and nan in a Product.
    - `several`: whether what `build` returns are several results: a tuple, or the parts of complex numbers.
    - `unit_sums`: whether the entries along the last axis of the result add up to 1.
    - `keeps_symmetry`: whether a symmetric matrix has a symmetric result.
    - `bounds`: numbers between which every entry of the result lies.
    - `spellings`: templates for `latex`, `numpy`, `torch` and `jax` where they differ from the default: `#1`, `#2` are
      the parameters in their order, defaults filled in, `#*` the given ones without a number; JAX is by default spelled
      as NumPy, and the others by the name. None says that a library has no such function, and a setting without a
      place that its function has no such setting: a program then brings its own (`export/polyfills`), or is refused.
    - `libraries`: how libraries read calls of their own, where that is not how this operator is called: the form is
      that of `elaboration/library_calls.py`. A line without a library is a further way to call it.
    - `refused`: functions of libraries that share a name with this one and do something else: what to write instead.
    - `sought`: words that people try for it and that are none of its names: `stdev` for `std`.
    - `fixed`: settings that libraries know and that have one value here, their default: any other is refused.
    - `hidden`: needed by rules, not listed for people: no text may call it, so no printed formula may either. `written`
      is what stands for it there, in its operands and the sizes that its signature names.
    """

    name: str
    parameters: str
    doc: str
    family: str = ""
    signature: str = ""
    evaluate: Callable[..., Any] | None = None
    differential: str | tuple[str, ...] | None = None
    textbook: str = ""
    meaning: str = ""
    build: Callable[..., Any] | None = None
    definition: str | Mapping[Any, str] | None = None
    rewrite: Callable[..., Node] | None = None
    tangent: Callable[[Mapping[str, Any]], Any] | None = None
    adjoint: str = ""
    commuting: str = ""
    spectrum: str = ""
    regular: str = ""
    condition: str = ""
    undifferentiable: Mapping[str, str] = field(default_factory=dict)
    kink: str | None = None
    at_kink: str = ""
    once: bool = False
    domain: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    source: str = ""
    samples: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    analytic: bool = False
    mask: bool = False
    exact: bool = False
    hidden: bool = False
    written: str = ""
    several: bool = False
    unit_sums: bool = False
    keeps_symmetry: bool = False
    bounds: tuple[float, float] = (float("-inf"), float("inf"))
    spellings: Mapping[str, str | None] = field(default_factory=dict)
    sought: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of the operands."""
        words = self.parameters.partition(";")[0].split(",")
        return tuple(word.partition("=")[0].strip(" *[]") for word in words if word.strip())

    @property
    def rules(self) -> tuple[str, ...]:
        """The differential of each output."""
        if self.differential is None:
            return ()
        return (self.differential,) if isinstance(self.differential, str) else self.differential

    @property
    def definitions(self) -> Mapping[Any, str]:
        """The formulas of a derived operator by the value of its first setting; one for all values stands at None."""
        if self.definition is None or isinstance(self.definition, str):
            return {} if self.definition is None else {None: self.definition}
        return self.definition

    @property
    def elementwise(self) -> bool:
        """Whether the operator becomes a Map."""
        return self.evaluate is not None and not self.signature
