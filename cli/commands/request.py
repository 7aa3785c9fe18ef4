"""What was asked for: the words of a command line, understood, or refused before NumPy is needed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ...core.amounts import bytes_in
from ...core.errors import UsageProblem
from ...core.shapes import ASSUMPTIONS
from ...grammar.names import split_names
from ...grammar.numerals import whole_number

# What a file holds, as its name says.
ENDINGS = {
    ".json": "json", ".jsonl": "json", ".csv": "csv", ".md": "markdown", ".tex": "latex", ".npy": "npy",
    ".npz": "npy", ".mtx": "mtx", ".txt": "table", ".zarr": "zarr",
}  # fmt: skip
MOST_DIGITS = 17

_PAIRS = r",(?=\s*[^\W\d]\w*\s*=)"
_NAME = r"[^\W\d]\w*"
_PART = r"(\s*\[.*\])*"
_SHAPE = r"\d+(?:\s*[x×X*,]\s*\d+)*\s*,?"
LONGEST_SEED = 1000
_LAW = r"normal|uniform|randint:(-?\d+):(-?\d+)"


class Request(NamedTuple):
    """The command line of a command that computes, understood.

    `precision` is None where none was asked for; `directions` are the texts of `--tangent` or `--cotangent`;
    `by_ending` says that the name of the file chose the format.
    """

    expression: str
    wrt: tuple[str, ...]
    files: tuple[str, ...]
    variables: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    assumptions: Mapping[str, frozenset[str]]
    law: str
    seed: int
    batch: tuple[str, ...]
    reduce: str | None
    directions: tuple[str, ...]
    lines: bool
    layout: str
    strict: bool
    check: bool
    limit: int
    format: str
    output: str | None
    precision: int | None
    no_color: bool
    claim: str | None = None
    kind: str | None = None
    independent: bool = False
    structured: bool = False
    syntax: str = ""
    no_random: bool = False
    by_ending: bool = False
    cite: bool = False
    cluster: str | None = None
    resume: bool = False

    @staticmethod
    def of(parameters: Mapping[str, Any], expression: str) -> Request:
        """Return the request that click's parameters make; raises UsageProblem for words that mean nothing."""
        format = read_format("json" if parameters["json"] else parameters["format"], parameters["output"])
        return Request(
            expression=expression,
            wrt=read_names(parameters.get("wrt", ()), "--wrt"),
            files=tuple(parameters["files"]),
            variables=tuple(parameters["variables"]),
            shapes=read_shapes(parameters["shapes"]),
            assumptions=read_assumptions(parameters["assumptions"]),
            law=read_law(parameters["law"]),
            seed=read_seed(parameters["seed"]),
            batch=read_names(parameters["batch"], "--batch"),
            reduce=parameters["reduce"],
            directions=tuple(parameters.get("directions", ())),
            lines=parameters.get("lines", False),
            layout=parameters["layout"],
            strict=parameters["strict"],
            check=not parameters["no_check"],
            limit=read_size(parameters["limit"]),
            format=format,
            output=parameters["output"],
            precision=read_precision(parameters["precision"], format),
            no_color=parameters["no_color"],
            claim=parameters.get("claim"),
            kind=parameters.get("kind"),
            independent=parameters.get("independent", False),
            structured=parameters["format"] == "structured",
            syntax=parameters.get("syntax") or "",
            no_random=parameters.get("no_random", False),
            by_ending=parameters["output"] is not None and not parameters["json"] and parameters["format"] is None,
            cite=parameters.get("cite", False),
            cluster=read_cluster(parameters.get("cluster")),
            resume=parameters.get("resume", False),
        )


def read_names(texts: Iterable[str], option: str) -> tuple[str, ...]:
    """Return the names in options that may be repeated and hold commas: `read_names(["x,A", "b"], "--wrt")`."""
    names = [name for text in texts for name in split_names(text)]
    for name in names:
        if not re.fullmatch(rf"{_NAME}{_PART if option == '--wrt' else ''}", name):
            message = f"`{name}` is not a name" if name else "a name is missing"
            helps = [f"{option} x, or {option} x,A for several"]
            raise UsageProblem(message, place=f"{option} {','.join(texts)}", helps=helps)
    return tuple(names)


def read_shapes(texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each name: `read_shapes(["A=5x2,c=scalar"]) == {"A": (5, 2), "c": ()}`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for name, word in _named_words(texts, "--shape", "A=5x2"):
        shape = _shape(word)
        if shape is None or 0 in shape:
            message = f"`{word}` is not a shape" if shape is None else "a size is at least 1"
            helps = [f"--shape {name}=5x2 for a matrix, {name}=3 for a vector, {name}=scalar for a number"]
            raise UsageProblem(message, place=f"--shape {name}={word}", helps=helps)
        if shapes.setdefault(name, shape) != shape:
            raise UsageProblem(f"`{name}` is given two shapes", place=f"--shape {name}={word}")
    return shapes


def _shape(word: str) -> tuple[int, ...] | None:
    inner = word[1:-1].strip() if word[:1] + word[-1:] in ("()", "[]") else word
    if word == "scalar" or (word and not inner):
        return ()
    sizes = [whole_number(word) for word in re.findall(r"\d+", inner)] if re.fullmatch(_SHAPE, inner) else [None]
    return None if None in sizes else tuple(size for size in sizes if size is not None)


def read_assumptions(texts: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return what is assumed of each name: `read_assumptions(["A=spd,positive", "b=integer"])`."""
    found: dict[str, frozenset[str]] = {}
    for name, words in _named_words(texts, "--assume", "A=symmetric"):
        for word in (piece.strip() for piece in words.split(",")):
            if word not in ASSUMPTIONS:
                from difflib import get_close_matches

                near = get_close_matches(word.lower(), ASSUMPTIONS, n=1)
                notes = [f"assumptions: {', '.join(ASSUMPTIONS)}"]
                helps = [f"did you mean `--assume {name}={other}`?" for other in near]
                place = f"--assume {name}={words}"
                raise UsageProblem(f"`{word}` is not an assumption", place=place, notes=notes, helps=helps)
            found[name] = found.get(name, frozenset()) | {word}
    return found


def _named_words(texts: Iterable[str], option: str, example: str) -> Iterable[tuple[str, str]]:
    for text in texts:
        for pair in re.split(_PAIRS, text):
            name, equals, word = (piece.strip() for piece in pair.partition("="))
            if not (equals and word and re.fullmatch(_NAME, name)):
                what = "NAME=5x2" if option == "--shape" else "NAME=WORD"
                raise UsageProblem(f"`{option}` needs {what}", place=f"{option} {text}", helps=[f"{option} {example}"])
            yield name, word


def read_law(text: str) -> str:
    """Return the law of the random numbers, after a look at it."""
    match = re.fullmatch(_LAW, text)
    low, high = (whole_number(word or "") for word in match.groups()) if match else (None, None)
    if match and (match[1] is None or (low is not None and high is not None and low < high)):
        return text
    help_ = "--random normal, --random uniform, or --random randint:0:5 for 0 to 4"
    raise _refused(text, "a way to draw random numbers", "--random", help_)


def read_seed(text: str) -> int:
    """Return a seed: a whole number from 0 on."""
    seed = whole_number(text, LONGEST_SEED)
    if seed is not None and seed >= 0:
        return seed
    raise _refused(text, "a seed", "--seed", "--seed 1: a whole number from 0 on")


def read_size(text: str) -> int:
    """Return a number of bytes: `read_size("1GiB") == 2**30`; KB, MB, GB count in thousands."""
    size = bytes_in(text)
    if size is not None:
        return size
    help_ = "--max-memory 500MB, --max-memory 4GiB, or a number of bytes"
    raise _refused(text, "an amount of memory", "--max-memory", help_)


def read_format(text: str | None, output: str | None) -> str:
    """Return the format: the one asked for, or the one that the name of the file ends in, or a table.

    Example: `read_format(None, "J.npy") == "npy"`. Raises UsageProblem for an ending that nobody knows.
    """
    if text is not None or output is None or _is_device(output):
        return text or "table"
    ending = os.path.splitext(output)[1].lower()
    if ending and ending not in ENDINGS:
        raise unknown_ending(output, ENDINGS, "--format table", "format")
    return ENDINGS.get(ending, "table")


def _is_device(path: str) -> bool:
    return os.path.exists(path) and not os.path.isfile(path) and not path.endswith(".zarr")


def read_cluster(text: str | None) -> str | None:
    """Return where the workers are: `local`, or the address of a scheduler."""
    if text is None or text == "local" or re.fullmatch(r"(tcp|tls|ucx|ws|wss)://\S+", text):
        return text
    help_ = "--cluster local, or the address of a scheduler: --cluster tcp://host:8786"
    raise _refused(text, "a cluster", "--cluster", help_)


def unknown_ending(output: str, known: Iterable[str], option: str, what: str) -> UsageProblem:
    """Return the error for a file whose ending nobody knows; with `option` beside it, any name will do."""
    ending = os.path.splitext(output)[1].lower()
    notes = [f"known endings: {', '.join(known)}"]
    helps = [f"{option} -o {output}, or any other {what}"]
    return UsageProblem(f"`{ending}` says nothing of the {what}", place=f"-o {output}", notes=notes, helps=helps)


def read_precision(text: str | None, format: str) -> int | None:
    """Return the number of digits, None for what the format does by itself."""
    if text is None:
        return None
    if text == "full":
        return MOST_DIGITS if format in ("table", "latex", "markdown", "structured") else None
    digits = whole_number(text)
    if digits is not None and 1 <= digits <= MOST_DIGITS:
        return digits
    help_ = f"--precision 3, from 1 to {MOST_DIGITS}, or --precision full"
    raise _refused(text, "a number of digits", "--precision", help_)


def _refused(text: str, wanted: str, option: str, help_: str) -> UsageProblem:
    return UsageProblem(f"`{text}` is not {wanted}", place=f"{option} {text}", helps=[help_])
