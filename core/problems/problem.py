"""What is asked: an expression, the kind of derivative, the variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from ...grammar import syntax
from ...grammar.advice import Command, Setting, advise
from ...grammar.errors import Span
from ...grammar.parser import parse
from ..elaboration.habits import Wanted
from ..elaboration.libraries import in_own_words
from ..elaboration.literals import BARE_CONSTANTS
from ..errors import ExpressionError, UnknownNameError, UsageProblem
from ..operators import table
from ..shapes import MATRIX_ASSUMPTIONS, REDUCTIONS
from .declared import refuse_detached

STRUCTURED_KINDS = ("grad", "jacobian", "hessian", "derivative")
DIRECTIONS = {"jvp": "tangent", "hvp": "tangent", "vjp": "cotangent"}
"""What the direction of a product with a derivative is called."""
NOUNS = {"grad": "gradient", "jacobian": "Jacobian", "hessian": "Hessian"}


@dataclass(frozen=True)
class Problem:
    """What is asked: an expression, the kind of derivative, the variables, and what is assumed.

    Example: `Problem.of("x.T @ A @ x", "grad", ("x",))`. `batch` names inputs whose first axis counts samples; the
    expression is written for one sample. Without `reduce` every sample has a result of its own; `sum` or `mean` ask for
    the derivative of the sum over the samples, in which a name of the batch stands for all its samples.
    """

    text: str
    program: syntax.Program
    kind: str
    wrt: tuple[str, ...] = ()
    assumptions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    batch: tuple[str, ...] = ()
    independent_entries: bool = False
    reduce: str | None = None

    @staticmethod
    def of(
        text: str,
        kind: str,
        wrt: tuple[str, ...] = (),
        assumptions: Mapping[str, frozenset[str]] | None = None,
        batch: tuple[str, ...] = (),
        *,
        program: syntax.Program | None = None,
        printed: bool = False,
        reduce: str | None = None,
    ) -> Problem:
        """Return the problem with its names checked.

        Without `wrt`, what pasted code tracks is meant (`requires_grad=True`), or the only name of the expression.
        `program` is the text parsed, where it is already; `printed` says that the text is matgrad's own, which may call
        the helpers of rules.
        Raises SyntaxProblem; UnknownNameError for a variable that is not in the expression; ExpressionError for a
        missing one.
        """
        table.load()
        program = parse(text, wrt) if program is None else program
        program = program if printed else in_own_words(program)
        problem = Problem(text, program, kind, wrt, assumptions or {}, batch, reduce=reduce)
        names = problem.names
        if kind != "value" and not wrt:
            wrt = tuple(name for name in dict.fromkeys(program.tracked) if name in names)
            problem = replace(problem, wrt=wrt)
        if kind != "value" and not wrt:
            if len(names) != 1:
                message = "by which name should the expression be differentiated?"
                notes = [f"names in the expression: {', '.join(names) or 'none'}"]
                raise ExpressionError(message, notes=notes, helps=[Setting("wrt", name) for name in names])
            problem = replace(problem, wrt=tuple(names))
        for setting, used in (("wrt", problem.wrt), ("batch", batch), ("assume", problem.assumptions)):
            for name in used:
                if name not in names and not (setting == "wrt" and problem.is_part(name)):
                    raise _not_in_expression(Setting(setting, name), name, list(names))
        if batch and problem.parts:
            raise UsageProblem("a derivative by a part is of one sample", place=Setting("batch", batch))
        problem._check_reduction()
        refuse_detached(program, problem.wrt)
        return problem

    @cached_property
    def names(self) -> dict[str, Span]:
        """The names that need a value, in order, each with its first place."""
        found = syntax.free_names(self.program)
        return {name: span for name, span in found.items() if name not in BARE_CONSTANTS or name in self.wrt}

    def _check_reduction(self) -> None:
        if self.reduce is None:
            return
        place = Setting("reduce", self.reduce)
        if self.reduce not in REDUCTIONS:
            message = f"`{self.reduce}` is not a way to reduce samples"
            raise UsageProblem(message, place=place, helps=[Setting("reduce", word) for word in REDUCTIONS])
        if not self.batch:
            helps = [advise("say whose first axis counts samples: ", Setting("batch", (*self.names,)[:1]))]
            raise UsageProblem("there are no samples to reduce", place=place, helps=helps)
        for name in self.wrt:
            words = self.assumptions.get(name, frozenset()) & {*MATRIX_ASSUMPTIONS}
            if words and name in self.batch:
                message = f"`{name}` is {min(words)}: its derivative is one for each sample, and is not reduced"
                raise UsageProblem(message, place=place, helps=[advise("leave out ", place)])

    @property
    def per_sample(self) -> tuple[str, ...]:
        """The names of the batch where every sample has a result of its own; none where the samples are reduced."""
        return () if self.reduce else self.batch

    @property
    def of_one_sample(self) -> Problem:
        """The same question about one sample."""
        return replace(self, batch=(), reduce=None)

    @property
    def of_formula(self) -> Problem:
        """What a closed form is the answer to: the question about one sample, unless the samples are reduced."""
        return self if self.reduce else self.of_one_sample

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """What is differentiated by and is no input: `A[0, 1]`, or the name of a statement."""
        return tuple(dict.fromkeys(name for name in self.wrt if name not in self.names))

    def is_part(self, text: str) -> bool:
        """Whether a text is a part of an input or of a statement, or the name of a statement."""
        owner = owner_of(text)
        return owner in self.names or owner in {assignment.name for assignment in self.program.assignments}

    @property
    def wanted(self) -> Wanted:
        """What the kind of derivative asks of the expression."""
        return {"wrt": self.wrt, "scalar": self.kind in ("grad", "hessian")}

    def around_result(self, before: str, after: str) -> str:
        """Return the text with words around its last expression: for `Z = A @ x; Z` it is `Z = A @ x; sum(Z)`."""
        start, end = syntax.span_of(self.program.result)
        return f"{self.text[:start]}{before}{self.text[start:end]}{after}{self.text[end:]}"

    @property
    def order(self) -> int:
        """How many times the expression is differentiated."""
        return 2 if self.kind in ("hessian", "hvp") else max([1, *map(len, self.requests)])

    @property
    def requests(self) -> list[tuple[str, ...]]:
        """The variables of each derivative that is asked for."""
        match self.kind:
            case "value":
                return []
            case "hessian":
                if len(self.wrt) > 2:
                    message = f"a Hessian has one or two variables, and {len(self.wrt)} were given"
                    helps = [advise(Command("derivative"), " takes any number of ", Setting("wrt"))]
                    raise UsageProblem(message, helps=helps)
                return [self.wrt if len(self.wrt) == 2 else self.wrt * 2]
            case "derivative":
                return [self.wrt]
        return [(name,) for name in self.wrt]


def owner_of(text: str) -> str | None:
    """Return the name that a part is of: `owner_of("A[0, 1]") == "A"`; None for what is no part of a name."""
    tree = parse(text).result
    while isinstance(tree, syntax.Index):
        tree = tree.operand
    return tree.name if isinstance(tree, syntax.Name) and not tree.prefix else None


def _not_in_expression(place: Setting, name: str, names: list[str]) -> UnknownNameError:
    from difflib import get_close_matches

    same = [other for other in names if other.lower() == name.lower()]
    near = same or get_close_matches(name, names, n=1, cutoff=0.6)
    message = f"`{name}` is not in the expression"
    notes = [f"names in the expression: {', '.join(names)}" if names else "the expression has no names"]
    return UnknownNameError(message, place=place, notes=notes, helps=[f"did you mean `{near[0]}`?"] if near else [])


def direction_name(problem: Problem) -> str:
    """Return what the direction of a jvp, vjp or hvp is called in calls and formulas: `tangent`, or `tangent_`."""
    word = DIRECTIONS.get(problem.kind, "tangent")
    return word if word not in problem.names else word + "_"


def tangent_name(name: str) -> str:
    """Return the key under which the direction for a variable is given to a calculation: no name can clash with it."""
    return f"direction {name}"
