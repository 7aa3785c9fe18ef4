r"""An explanation in LaTeX: the derivation as aligned equations, each step with its name.

Of `norm(A @ x - b)**2` the second equation is `\mathrm{d}(A x) &= A \, \mathrm{d}x && \text{linear}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress

from ...grammar.parser import parse
from ...grammar.rewriting import rewritten
from ...grammar.spellings import latex_name
from ...grammar.syntax import Call, Name, Node, free_names
from ..arrays import silent
from ..elaboration.ranks import Ranks
from ..errors import MatgradError
from ..export.latex import operator, slim, where, with_parts
from ..export.lines import PAGE, broken, width
from ..graph.nodes import Symbol
from ..graph.sizes import length
from ..shapes import Shape
from .lesson import Explanation, Lesson

_ESCAPED = str.maketrans({mark: rf"\{mark}" for mark in "_%&#${}"} | {"\\": r"\backslash{}", "^": r"\^{}"})
# What a rule is told by: `u` and `v` stand for any vectors, capitals for any matrices.
_COMMA = re.compile(r", (?![^()]*\))")
_VECTOR, _MATRIX = (3,), (3, 3)


@silent
def in_latex(lesson: Lesson) -> str:
    r"""Return how derivatives come about as `aligned` environments, without the dollar signs.

    Example: that of `x @ x` ends with `\frac{\partial f}{\partial x} &= 2 x`. Lengths of axes are comments.
    """
    shapes = {part.text: part.shape for part in lesson.parts if part.text.isidentifier()}
    return "\n\n".join(_aligned(found, shapes) for found in lesson.explanations) + "\n"


def _aligned(found: Explanation, shapes: Mapping[str, Shape]) -> str:
    rows = _with_lengths(found, shapes).listed()
    indent, beside = (max(width(row[place]) for row in rows) for place in (0, 2))
    room = max(PAGE - indent - beside, PAGE / 2)
    body = " \\\\\n".join(f"  {line}" for row in rows for line in _on_lines(*row, room))
    comments = [f"% {name} = {origin}\n" for name, origin in found.origins.items()]
    comments += [f"% source: {source}\n" for source in found.sources]
    return f"{''.join(comments)}\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def _on_lines(left: str, right: str, remark: str, room: float) -> Iterator[str]:
    """Yield the lines of one equation, its remark beside the first."""
    first, *others = broken(right, room)
    yield f"{left} &= {first}" + (f" && {remark}" if remark else "")
    yield from (rf"&\quad {{}} {line}" for line in others)


def _with_lengths(found: Explanation, shapes: Mapping[str, Shape]) -> _Rows:
    """Return the equations over lengths that have names, or over numbers where these lengths do not fit together."""
    names = {size: length(name) for name, size in found.sizes.items()}
    symbolic = {name: tuple(names.get(size, size) for size in shape) for name, shape in shapes.items()}
    if len(names) == len(found.sizes):
        with suppress(MatgradError):
            rows = _Rows(found, symbolic)
            rows.ranks.add(parse(found.expr))
            return rows
    return _Rows(found, shapes)


class _Rows:
    """The equations of one explanation: left side, right side, and what the step is called."""

    def __init__(self, found: Explanation, shapes: Mapping[str, Shape]) -> None:
        self.found = found
        self.words: dict[str, str] = {}
        self.defined: dict[str, None] = {}
        self.ranks = Ranks({}, {})
        for name, shape in shapes.items():
            self._know(name, shape)
        for name, origin in found.origins.items():
            self.ranks.environment[name] = self.ranks.visit(parse(origin).result)
        for name, meaning in found.named.items():
            self._name(name, meaning)
        for step in found.steps:
            if step.text.isidentifier() and step.text not in self.ranks.environment:
                self._know(step.text, step.shape)

    def _name(self, name: str, meaning: str) -> None:
        tree = parse(meaning).result
        self.ranks.add(tree)
        self._know(name, self.ranks.shape(tree))

    def _know(self, name: str, shape: Shape) -> None:
        """Take a name and its differential for arrays of a shape."""
        self.ranks.environment[name] = Symbol.of(name, shape)
        self.ranks.environment.setdefault(f"d{name}", Symbol.of(f"d{name}", shape))
        self.words.setdefault(f"d{name}", rf"\mathrm{{d}}{latex_name(name)}")

    def listed(self) -> list[tuple[str, str, str]]:
        """Return the equations with what they use defined first; what says nothing new is left out."""
        first, *others = self._all()
        parted = [definition.partition(" = ") for definition in self.defined]
        kept = [first, *((name, meaning, "") for name, _, meaning in parted)]
        for row in others:
            if row[1] != kept[-1][1]:
                kept.append(row)
        return kept

    def _all(self) -> Iterator[tuple[str, str, str]]:
        """Yield what is differentiated, the differentials of its parts, their collection, and the derivative."""
        found = self.found
        value = rf"\mathrm{{d}}{found.value}"
        yield found.value, self.text(found.expr), ""
        told = {step.text for step in found.steps}
        yield from ((self.text(name), self.text(said), "") for name, said in found.named.items() if name not in told)
        for called, meaning in found.introduced.items():
            if called.isidentifier():
                self._name(called, meaning)
            for name in free_names(parse(meaning)):
                if name not in self.ranks.environment:
                    self._know(name, () if name == "t" else _VECTOR)
            yield self.text(called), self.text(meaning), ""
        whole = False
        for step in found.steps:
            if step.meaning:
                yield self.text(step.text), self.text(step.meaning), ""
            whole = step is found.steps[-1] and not step.text.isidentifier()
            left = value if whole else self.text(f"d({step.text})")
            yield left, self.text(step.differential), self.remark(step.rule)
        lines = [] if found.expanded is None else [(found.expanded, "")]
        lines += [(line.text, line.rule) for line in found.lines]
        for place, (text, rule) in enumerate(lines or [(found.collected.partition(" = ")[2], "")]):
            yield "" if place or whole else value, self.text(text), self.remark(rule)
        if found.vectorized is not None:
            yield rf"\operatorname{{vec}}({value})", self.text(found.vectorized), r"\text{vec stacks columns}"
        if found.quadratic is not None:
            yield r"\mathrm{d}^{2}f", self.text(found.quadratic), r"\text{the second differential}"
        above = operator((found.wrt,)).replace(r"{\partial}", rf"{{\partial {found.value}}}", 1)
        yield above, self.text(found.formula), ""

    def text(self, code: str) -> str:
        """Return an expression in LaTeX; as it is typed where it has no meaning by itself."""
        try:
            return self._math(parse(code))
        except MatgradError:
            return rf"\text{{{_escaped(code)}}}"

    def _math(self, tree: Node) -> str:
        words = dict(self.words)

        def placed(node: Node) -> Node | None:
            """Put a name in the place of the differential of a part, as `d(A @ x)`."""
            match node:
                case Call("d", (Name(name),)) if f"d{name}" in words:
                    return Name(f"d{name}")
                case Call("d", (part,)):
                    self.ranks.add(part)
                    name = f"differential_{len(words)}"
                    words[name] = slim(rf"\mathrm{{d}}\left({self._math(part)}\right)")
                    self.ranks.environment[name] = Symbol.of(name, self.ranks.shape(part))
                    return Name(name)
            return None

        found, parts = with_parts(rewritten(tree, placed), self.ranks, words)
        self.defined |= dict.fromkeys(part for part in parts if part.startswith(r"\bar"))
        return found + where(part for part in parts if part not in self.defined)

    def remark(self, rule: str) -> str:
        """Return the name of a step: words as text, and what is an expression in them as mathematics."""
        return r",\ ".join(self._said(piece) for piece in _COMMA.split(rule))

    def _said(self, rule: str) -> str:
        if rule.startswith("and "):
            return rf"\text{{and }} {self._said(rule[4:])}"
        head, colon, code = rule.partition(": ")
        before, equal, after = (code if colon else rule).partition(" = ")
        if not (colon or equal):
            return rf"\text{{{_escaped(rule)}}}" if rule else ""
        defined = dict(self.defined)
        try:
            sides = [self._general(side) for side in ([before, after] if equal else [before])]
        except MatgradError:
            return rf"\text{{{_escaped(rule)}}}"
        if len({*sides}) < len(sides) or self.defined != defined:  # LaTeX writes both sides alike
            self.defined = defined
            return rf"\text{{{_escaped(rule)}}}"
        return (rf"\text{{{_escaped(head)}: }} " if colon else "") + " = ".join(sides)

    def _general(self, code: str) -> str:
        """Return an expression in which letters that are not known stand for any vector, capitals for any matrix."""
        program = parse(code)
        for name in free_names(program):
            if name not in self.ranks.environment:
                of = self.ranks.environment.get(self.found.wrt)
                shape = of.shape if name == "G" and isinstance(of, Symbol) else _MATRIX if name.isupper() else _VECTOR
                self._know(name, () if name == "n" else shape)
        return self._math(program)


def _escaped(text: str) -> str:
    return text.translate(_ESCAPED)
