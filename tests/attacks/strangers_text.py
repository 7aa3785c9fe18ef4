"""Text that would steer a terminal or break printed code, wherever text can stand."""

from __future__ import annotations

import ast
import io
import json
from random import Random
from unicodedata import category

import numpy as np
from attacks.in_process import Ended, ended, folder_with

PROMISE = "nothing of a stranger's text reaches the screen or printed code unescaped"
INPUTS = 150

HOSTILE = (
    "\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\u202e", "\u2066", "\u200b", "\x7f", "\r", "\x08" * 3, "\x0b", "\x85",
    "\u2028", "\ufeff", "\udc9b", "\U000e0041", '"""', "'''", "\\", "\\x1b[2J", "\\N{BELL}", "torch.load(x)",
    "{x}", "%s", "[bold]", ":smile:", "[/]", "`", "import os", "#", '\\"', "np.eye(3)", "\ue000",
)  # fmt: skip
LIBRARIES = ("numpy", "torch", "jax")
COMMANDS = ("value", "grad", "jacobian", "hessian", "vjp", "formula", "explain", "check", "functions")
FORMATS = ("table", "plain", "json", "csv", "latex", "markdown", "structured")


def attack(seed: int) -> str | None:
    random = Random(seed)
    bad = "".join(random.choice(HOSTILE) for _ in range(random.randint(1, 3)))
    arguments, stdin, files = command_line(random, bad)
    try:
        with folder_with(files):
            found = ended(arguments, stdin)
    except (OSError, ValueError):  # no system has files of such a name
        return None
    return found.defect or _raw(found) or _code(found)


def command_line(random: Random, bad: str) -> tuple[list[str], bytes, dict[str, bytes]]:
    """Return a command line, its standard input and its files, with hostile text in one place of them."""
    archive = io.BytesIO()
    np.savez(archive, x=np.ones(2))
    command = random.choice(COMMANDS)
    if command == "functions":
        return ["functions", random.choice((bad, f"exp{bad}"))], b"", {}
    expression = random.choice(("sum(x**2)", "x @ x", "norm(x)**2 + sum(exp(x))"))
    wrt = [] if command == "value" else ["--wrt", "x"]
    plain = [command, expression, *wrt]
    safe = bad.replace("/", "").encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    places: tuple[tuple[list[str], bytes, dict[str, bytes]], ...] = (
        ([command, f"{expression} # {bad}", *wrt], b"", {}),
        ([command, f"{expression} {bad}", *wrt], b"", {}),
        ([command, f"norm(x, '{bad}')", *wrt], b"", {}),
        ([command, expression, "--wrt", f"x{bad}"], b"", {}),
        ([command, expression, "--wrt", f"x[{bad}]"], b"", {}),
        ([*plain, "-v", f"x{bad}=1"], b"", {}),
        ([*plain, "-v", f"x=[1, {bad}]"], b"", {}),
        ([*plain, "-v", f"x=@{safe}.json"], b"", {}),
        ([*plain, "-i", f"{safe}.json"], b"", {f"{safe}.json": b'{"x": [1, 2], "c": 1}'}),
        ([*plain, "-i", f"{safe}.json"], b"", {f"{safe}.json": b'{"x": [1, 2], "c": '}),
        ([*plain, "-i", "in.json"], b"", {"in.json": json.dumps({"x": [1, 2], bad: 1}).encode()}),
        ([*plain, "-i", "in.json"], b"", {"in.json": json.dumps({"x": bad}).encode()}),
        ([*plain], json.dumps({"x": [1, 2], bad: [bad]}).encode(), {}),
        ([*plain], json.dumps({"x": [1, 2], bad: [bad]}, ensure_ascii=False).encode("utf-8", "replace"), {}),
        ([*plain, "-i", "in.csv"], b"", {"in.csv": f"x,{bad}\n1,2\n3,4\n".encode("utf-8", "replace")}),
        ([*plain, "-i", "in.csv"], b"", {"in.csv": f"x,y\n1,{bad}\n".encode("utf-8", "replace")}),
        ([*plain, "-v", f"x=@in.npz:{bad}"], b"", {"in.npz": archive.getvalue()}),
        ([*plain, "--shape", f"x={bad}"], b"", {}),
        ([*plain, "--shape", f"{bad}=3"], b"", {}),
        ([*plain, "--assume", f"x={bad}"], b"", {}),
        ([*plain, f"--{bad}"], b"", {}),
        ([*plain, bad], b"", {}),
        ([bad, expression], b"", {}),
        ([*plain, "-o", f"none/{safe}"], b"", {}),
        ([*plain, "--format", bad], b"", {}),
        (["check", expression, "--wrt", "x", "--claim", f"2*x # {bad}"], b"", {}),
        (["check", expression, "--wrt", "x", "--claim", f"2*x {bad}"], b"", {}),
        (["formula", f"{expression} # {bad}", "--wrt", "x", "--to", random.choice(LIBRARIES)], b"", {}),
        (["formula", f"y = x # {bad}\n{expression}", "--wrt", "x", "--to", random.choice(LIBRARIES)], b"", {}),
        (["grad", expression, "--wrt", "x", "--lines"], json.dumps({"x": bad, bad: bad}).encode() + b"\n", {}),
    )  # fmt: skip
    arguments, stdin, files = random.choice(places)
    if arguments[0] in ("value", "grad", "jacobian", "hessian", "vjp") and "--lines" not in arguments:
        arguments = [*arguments, "--format", random.choice(FORMATS)] if "--format" not in arguments else arguments
    elif random.random() < 0.3 and "--to" not in arguments:
        arguments = [*arguments, "--json"]
    return arguments, stdin, files


def _raw(found: Ended) -> str | None:
    """Return the first character that steers or hides, with what stands around it."""
    for text in (found.output, found.errors):
        for place, character in enumerate(text):
            if category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and character not in "\n\t":
                return f"raw {character!r} in {text[max(0, place - 60) : place + 60]!r}\n{found}"
    return None


def _code(found: Ended) -> str | None:
    """Return what is wrong with printed code: that Python does not read it, or that text has come alive in it."""
    if "--to" not in found.arguments or found.status != 0:
        return None
    library = found.arguments[found.arguments.index("--to") + 1]
    module = ast.parse(found.output)
    imported = [alias.name for node in ast.walk(module) if isinstance(node, ast.Import) for alias in node.names]
    allowed = {"numpy": {"numpy"}, "torch": {"torch"}, "jax": {"jax.numpy"}}[library]
    if not {*imported} <= allowed:
        return f"imports {imported}\n{found}"
    docstrings = [ast.get_docstring(node) or "" for node in module.body if isinstance(node, ast.FunctionDef)]
    raw = [text for text in docstrings if not text.replace("\n", "").isprintable()]
    return f"the docstring is {raw[0]!r}\n{found}" if raw else None
