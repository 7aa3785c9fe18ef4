"""The parser's tables: what `automaton.py` runs, made from `expression.lark` by lark.

They are made when matgrad is built: reading them takes a hundredth of the time of making them.
"""

from __future__ import annotations

import marshal
import os.path
import sys
import zlib
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark.grammar import Rule as LarkRule
    from lark.lexer import TerminalDef

FORMAT = 3
GRAMMAR = os.path.join(os.path.dirname(__file__), "expression.lark")
TABLES = os.path.join(os.path.dirname(__file__), "expression.tables")

IGNORED = "IGNORED"
END = "$END"
VALUE = "NAME"  # where a name can stand, a value begins


@dataclass(frozen=True)
class Rule:
    """One alternative of a rule of the grammar.

    - `origin`: the symbol that it reduces to; `size`: how many symbols it takes.
    - `kept`: which of these the syntax tree is made of; punctuation is left out.
    - `method`: the method of `Builder` that makes it a node; empty where its parts go to the rule around it.
    - `transparent`: whether a single part stands for the whole.
    """

    origin: str
    size: int
    kept: tuple[int, ...]
    method: str
    transparent: bool


@dataclass(frozen=True)
class Tables:
    """An LALR(1) automaton: `actions[state][symbol]` is the next state, or `~n` to reduce by `rules[n]`.

    `terminals` are the regular expressions of the tokens, the one that is tried first in front. `others` and `values`
    match, each as a group of its name, the tokens that can follow where no value can begin, and where one can. A word
    in `keywords` is a token of its own where the state knows it, and a name elsewhere.
    """

    actions: list[dict[str, int]]
    terminals: list[tuple[str, str]]
    others: str
    values: str
    keywords: dict[str, str]
    rules: list[Rule]
    start: int
    end: int


def pattern_of(terminals: Iterable[tuple[str, str]], kinds: Set[str]) -> str:
    """Return the regular expression of some kinds of tokens, and of what is ignored between them."""
    return "|".join(f"(?P<{kind}>{regexp})" for kind, regexp in terminals if kind in kinds or kind == IGNORED)


def load_tables(path: str | os.PathLike[str] = TABLES) -> Tables:
    """Return the tables, from the file if it was made from this grammar, otherwise from the grammar.

    Example: `derive(load_tables(), "a*b")`. Nothing is ever written.
    """
    with open(GRAMMAR, encoding="utf-8") as file:
        grammar = file.read()
    try:
        with open(path, "rb") as tables:
            if tables.readline() == _header(grammar):
                return _named(marshal.loads(tables.read()))  # `load` would ask the file for each number
    except OSError:
        pass
    return _named(_make(grammar))


def write_tables(path: str | os.PathLike[str]) -> None:
    """Write the tables to a file: `write_tables("build/matgrad/grammar/expression.tables")`."""
    with open(GRAMMAR, encoding="utf-8") as file:
        grammar = file.read()
    with open(path, "wb") as tables:
        tables.write(_header(grammar))
        marshal.dump(_make(grammar), tables)


def _header(grammar: str) -> bytes:
    """The line that says what the tables were made from; marshal's format may change with the version of Python."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"matgrad tables {FORMAT}, python {python}, grammar {zlib.crc32(grammar.encode()):08x}\n".encode()


def _named(plain: tuple[Any, ...]) -> Tables:
    """Give plain tuples, which are all that marshal knows, their names."""
    actions, terminals, others, values, keywords, rules, start, end = plain
    return Tables(actions, terminals, others, values, keywords, [Rule(*rule) for rule in rules], start, end)


def _make(grammar: str) -> tuple[Any, ...]:
    """Make the fields of `Tables` from the grammar; lark's own kind of strings becomes plain, for marshal."""
    from lark import Lark
    from lark.parsers.lalr_analysis import LALR_Analyzer, Shift

    lark = Lark(grammar, parser="lalr", maybe_placeholders=False)
    analysis: Any = LALR_Analyzer(lark.parser.parser_conf)
    analysis.compute_lalr()
    found = analysis.parse_table
    numbers = {rule: number for number, rule in enumerate(lark.rules)}
    actions = [
        {
            str(symbol): target if kind is Shift else ~numbers[target]
            for symbol, (kind, target) in found.states[state].items()
        }
        for state in range(len(found.states))
    ]
    keywords = {
        str(terminal.pattern.value): str(terminal.name)
        for terminal in lark.terminals
        if terminal.pattern.type == "str" and terminal.pattern.value.isidentifier()
    }
    terminals = _terminals((one for one in lark.terminals if one.name not in keywords.values()), lark.ignore_tokens)
    others, values = (
        pattern_of(terminals, set().union(*(choices for choices in actions if (VALUE in choices) == begins)))
        for begins in (False, True)
    )
    rules = [_rule(rule) for rule in lark.rules]
    start, end = found.start_states["start"], found.end_states["start"]
    return actions, terminals, others, values, keywords, rules, start, end


def _terminals(terminals: Iterable[TerminalDef], ignored: Sequence[str]) -> list[tuple[str, str]]:
    """Return the tokens with their regular expressions; as in lark, the longer one goes first."""
    ordered = sorted(
        terminals, key=lambda one: (-one.priority, -one.pattern.max_width, -len(one.pattern.value), one.name)
    )
    return [(IGNORED if one.name in ignored else str(one.name), str(one.pattern.to_regexp())) for one in ordered]


def _rule(rule: LarkRule) -> tuple[Any, ...]:
    """Return what lark knows about a rule: the fields of `Rule`."""
    kept = [place for place, symbol in enumerate(rule.expansion) if not getattr(symbol, "filter_out", False)]
    origin = str(rule.origin.name)
    method = "" if origin.startswith("_") else str(rule.alias or origin)
    return origin, len(rule.expansion), tuple(kept), method, bool(rule.options.expand1 and not rule.alias)
