"""Finding functions by words: names, what libraries call them, what their descriptions say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from ..elaboration.arguments import declaration
from ..export.templates import LIBRARIES, template
from ..graph.catalogue import find, operators
from ..graph.operator import Operator

FILLING = frozenset({"a", "an", "the", "of", "for", "in", "by", "to", "and", "with", "function", "derivative"})
"""Words that a search may hold and that tell no function from another."""


def function_named(name: str) -> Operator | None:
    """Return the function that a name, or a library's name, means: `function_named("torch.nn.functional.gelu")`.

    Mathematica's names begin with a capital: `Log` is `log`.
    """
    bare = name.partition("(")[0].strip()
    found = find(bare) or find(bare.lower())
    if found is None and "." in bare:
        found = next((operator for operator in operators() if bare in library_names(operator)), None)
        found = found or find(bare.rpartition(".")[2])
    return None if found is None or found.hidden else found


def functions_about(words: str) -> list[Operator]:
    """Return the functions that are about all of some words: `functions_about("normal distribution")`.

    A word stands for those that begin with it. Where a topic has these words, its functions are all there is.
    """
    asked = telling(words)
    every = list(operators())
    topic = [operator for operator in every if operator.family.lower() == words.lower().strip()]
    return topic or [operator for operator in every if asked and all(_mentions(operator, word) for word in asked)]


def telling(words: str) -> list[str]:
    """Return the words that say something: `telling("sum of squares") == ["sum", "squares"]`."""
    return [word for word in re.findall(r"[^\W_]+", words.lower()) if word not in FILLING]


def _mentions(operator: Operator, word: str) -> bool:
    """Whether an operator is about a word, be it of several things or of one."""
    begins = tuple({word, word.removesuffix("s")} if len(word) > 3 else {word})
    return any(known.startswith(begins) if len(word) > 2 else known == word for known in _words(operator))


@cache
def _words(operator: Operator) -> frozenset[str]:
    texts = (
        operator.name,
        *operator.aliases,
        *operator.sought,
        *library_names(operator),
        operator.doc,
        operator.family,
    )
    return frozenset(re.findall(r"[^\W_]+", " ".join(texts).lower()))


@cache
def library_names(operator: Operator) -> tuple[str, ...]:
    """Return what libraries call a function, or what they have that is read as it: `("np.std", "torch.std")`."""
    read = (line.partition("(")[0] for line in operator.libraries)
    said = (text.partition("(")[0] for text in calls_in_libraries(operator).values())
    return tuple(dict.fromkeys(name for name in (*said, *read) if "." in name))


def calls_in_libraries(operator: Operator) -> Mapping[str, str]:
    """Return how libraries call a function, by library: `{"numpy": "np.linalg.inv(X)", ...}`."""
    declared = declaration(operator.parameters)
    names = [*declared.operands, *declared.settings]
    given = [*declared.operands, *(f"{name}={name}" for name in declared.settings)]
    found = {}
    for library in LIBRARIES:
        text = template(operator, library)
        if text is None or text.startswith(f"{operator.name}("):  # what a program brings along is no library's
            continue
        own = {int(place) - 1 for place in re.findall(r"#(\d)", text)}
        filled = text.replace("#*", ", ".join(word for place, word in enumerate(given) if place not in own))
        found[library] = re.sub(r"#(\d)", lambda slot: names[int(slot[1]) - 1], filled)
    return found
