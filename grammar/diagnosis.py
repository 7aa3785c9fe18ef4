"""From the parser's refusal to the message: where did it stop, what stood before, what would have fitted."""

from __future__ import annotations

import re
from collections.abc import Iterable

from . import syntax_errors
from .errors import Span, SyntaxProblem
from .layout import Bracket, brackets
from .meant import sentence_problem
from .reader import Refusal
from .vocabulary import function_words

CLOSING = {"(": ")", "[": "]"}
_PIECE = re.compile(
    r"[^\W\d]\w*|[0-9.]*[0-9]\.?|[.]?(?:\*\*|[*/^])|[<>=!]=|(?<![\w\u0300-\u036f)\]'])'[^'\n\r]*'|\"[^\"\n\r]*\"|\S"
)
_OPERAND = re.compile(r"(?:[^\W\d][\w.]*|[0-9.]+)")


def explain(text: str, flat: str, failure: Refusal) -> SyntaxProblem:
    """Return the message for a text that the parser refused; `flat` is the text without comments.

    Example: `2 x` becomes "two values side by side" with the help `2*x`.
    """
    return _Failure(text, flat, failure).problem()


class _Failure:
    """The place where the parser stopped, and what stands around it."""

    def __init__(self, text: str, flat: str, failure: Refusal) -> None:
        self.text = text
        self.flat = flat
        self.end = len(flat.rstrip())
        self.position = self.end if failure.position is None else failure.position
        self.wants_value = failure.wants_value
        piece = _PIECE.match(flat, self.position)
        self.found = piece[0] if piece else ""
        self.place: Span = (self.position, self.position + len(self.found))
        pieces = [(piece[0], piece.span()) for piece in _PIECE.finditer(flat, 0, self.position)]
        self.before: tuple[str, Span] = pieces[-1] if pieces else ("", (0, 0))
        found = list(brackets(text))
        self.open = _open(bracket for bracket in found if bracket.position < self.position)
        self.never_closed = [bracket for bracket in self.open if bracket in _open(found)]

    def problem(self) -> SyntaxProblem:
        if not self.flat.replace(";", "").strip():
            return syntax_errors.empty_expression(self.end)
        opened = self.open[-1].position if self.open else None
        sentence = sentence_problem(self.flat, self.position, opened, wants_value=self.wants_value)
        return (
            sentence
            or self._bracket_problem()
            or self._word_problem()
            or self._quote_problem()
            or self._place_problem()
        )

    def _bracket_problem(self) -> SyntaxProblem | None:
        """Return closing brackets that do not fit, and opening ones that make everything behind them go wrong."""
        if self.found in (")", "]"):
            if not self.open:
                return syntax_errors.extra_bracket(self.found, self.position)
            opening, opened = self.open[-1]
            expected = CLOSING[opening]
            if self.found != expected:
                return syntax_errors.mismatched_brackets(opening, opened, self.found, self.position, expected)
            if self.before[0] == "[" and self.found == "]":
                return syntax_errors.empty_brackets((self.before[1][0], self.position + 1))
        swallowed_newline = "\r" in self.flat[self.before[1][1] : self.position]
        if self.never_closed and (not self.found or self.found == ";" or swallowed_newline):
            opening, opened = self.never_closed[-1]
            end = self.before[1][1] if swallowed_newline else self.position
            return syntax_errors.unclosed_bracket(self.text, opening, opened, CLOSING[opening], end)
        return None

    def _word_problem(self) -> SyntaxProblem | None:
        """Keywords of Python, which nobody means as names where an expression cannot go on."""
        for word, position in ((self.before[0], self.before[1][0]), (self.found, self.position)):
            if word in syntax_errors.UNSUPPORTED_WORDS:
                return syntax_errors.unsupported_word(word, position)
        return None

    def _quote_problem(self) -> SyntaxProblem | None:
        if self.found in ("'", '"'):
            after_space = self.found == "'" and not self.wants_value
            return syntax_errors.unclosed_string(self.position, self.found, after_space)
        if self.found[:1] in ("'", '"') and not self.wants_value:
            return syntax_errors.quoted_value(self.place, self.before[0])
        return None

    def _place_problem(self) -> SyntaxProblem:
        """Everything that depends on whether a value or an operator should have stood here."""
        in_list = bool(self.open) and self.open[-1].character == "["
        if self.found == "=":
            return self._equals_problem()
        if self.found == ";" and self.open:
            return syntax_errors.separator_in_brackets(self.position, in_list)
        if self.found == ":" and not self._in_index():
            return syntax_errors.misplaced_colon(self.position)
        if self.found.startswith(".") and not self.wants_value:
            if self.before[0][:1].isdigit():
                return syntax_errors.malformed_number(self.position)
            return syntax_errors.missing_attribute(self.position)
        if self.before[0] == ".":
            return syntax_errors.missing_attribute(self.before[1][0])
        if self.found and (self._is_stray() or self.flat.startswith("\\", self.position)):
            return syntax_errors.stray_character(self.found[0], self.position)
        if self.wants_value:
            return self._missing_value()
        if self.found == "," and not self.open:
            return syntax_errors.comma_outside_brackets(self.position, self.position + 1 == self.end)
        if self.found in ("<", ">", "==", "<=", ">=", "!=", "≤", "≥", "≠"):
            return syntax_errors.chained_comparison(self.place)
        if self.found == "(" or _OPERAND.match(self.found) or self.found == "[":
            return self._side_by_side(in_list)
        return syntax_errors.unexpected_text(self.found, self.place)

    def _in_index(self) -> bool:
        """Whether the innermost open bracket stands directly behind a value."""
        if not self.open or self.open[-1].character != "[":
            return False
        return re.search(r"[\w)\]'ᵀ]\s*$", self.flat[: self.open[-1].position]) is not None

    def _is_stray(self) -> bool:
        if self.flat.startswith("//", self.position):
            return True
        known = "+-*/@^()[],;:.=<>'\"−·⋅×∗⊙÷≤≥≠\n"
        return not (self.found[0] in known or self.found[0].isalnum() or self.found[0] == "_" or self.found == "!=")

    def _equals_problem(self) -> SyntaxProblem:
        left = self.flat[self._statement() : self.position].strip()
        return syntax_errors.unexpected_equals(self.position, left)

    def _statement(self) -> int:
        """Return where the statement begins in which the parser stopped."""
        return max(self.flat.rfind(mark, 0, self.position) for mark in ";\n") + 1

    def _missing_value(self) -> SyntaxProblem:
        before, place = self.before
        found = self.place if self.found not in (";", "\n") else (self.position, self.position)
        if before and before not in "([;:":
            if not self.found or self.found in (";", "\n"):
                found = (place[1], place[1])
            return syntax_errors.missing_value_after(before, place, found)
        if self.found and self.found not in (";", "\n"):
            return syntax_errors.missing_value_before(self.found, found)
        return syntax_errors.missing_value_after(before or self.found, place, found)

    def _side_by_side(self, in_list: bool) -> SyntaxProblem:
        left = self._operand_before()
        right = self._operand_after()
        if product := self._run_together(left, right):
            return syntax_errors.side_by_side(self.place, product, None, in_list)
        if left in function_words():
            return syntax_errors.call_without_brackets(left, right, self.place)
        numeric = any(re.match(r"[0-9.]", side) for side in (left, right))
        matrices = None if numeric else f"{left} @ {right}"
        return syntax_errors.side_by_side(self.place, f"{left}*{right}", matrices, in_list)

    def _run_together(self, left: str, right: str) -> str:
        """Return the matrix product that `x'Ax` or `x' A x` means; nothing where there is none."""
        turned = left.endswith("'") or left.endswith("ᵀ") or re.search(r"\^T$", self.flat[: self.before[1][1]])
        names = re.match(r"(?:[^\W\d]+\s*)+", self.flat[self.position :])
        if not turned or names is None or not right.isalpha() or not self._names_alone(names[0]):
            return ""
        base = re.split(r"\^|'|ᵀ", left)[0] if left != "T" else self._raised_base()
        return " @ ".join([f"{base}.T", *(letter for word in names[0].split() for letter in word)])

    def _names_alone(self, words: str) -> bool:
        """Whether words are names of one letter, or such names run together, and the statement ends with them."""
        rest = self.flat[self.position + len(words) :].lstrip()
        return rest[:1] in ("", ";", ")", "+", "-") and all(len(word) <= 3 for word in words.split())

    def _raised_base(self) -> str:
        found = re.search(r"([\w.]+|\([^()]*\))\s*\^\s*T$", self.flat[: self.before[1][1]])
        return found[1] if found else "x"

    def _operand_before(self) -> str:
        """Return the value that ends where the parser stopped, with its brackets and the name in front of them."""
        end = self.before[1][1]
        start, previous = end, -1
        while start != previous:
            previous = start
            start = len(self.flat[:start].rstrip("'ᵀ"))
            if self.flat[:start].endswith((")", "]")):
                opened = _open(brackets(self.flat[: start - 1]))
                start = opened[-1].position if opened else 0  # a string may end in a bracket
            start = len(re.sub(r"[\w.]+$", "", self.flat[:start]))
        return self.flat[start:end]

    def _operand_after(self) -> str:
        """Return the value that begins where the parser stopped, with its brackets."""
        piece = _OPERAND.match(self.flat, self.position)
        end = piece.end() if piece else self.position
        if self.flat.startswith(("(", "["), end):
            depth = 0
            for bracket in brackets(self.flat):
                if bracket.position >= end:
                    depth += 1 if bracket.character in CLOSING else -1
                    if depth == 0:
                        return self.flat[self.position : bracket.position + 1]
        return self.flat[self.position : max(end, self.place[1])]


def _open(found: Iterable[Bracket]) -> list[Bracket]:
    """Return the brackets that are still open behind the given ones."""
    stack: list[Bracket] = []
    for bracket in found:
        if bracket.character in CLOSING:
            stack.append(bracket)
        elif stack and CLOSING[stack[-1].character] == bracket.character:
            stack.pop()
    return stack
