"""Damaged files: of each kind that is read, with bytes changed, cut out, put in, doubled or exchanged."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from random import Random

import numpy as np
from attacks.in_process import ended, folder_with

PROMISE = "a damaged file is read, or refused with exit status 4"
INPUTS = 500

ARRAY = np.array([[1.0, 2.0, 3.0], [4.0, 5.5, -6e-3]])
TEXTS = {
    "json": ('{"x": [[1, 2.5], [3, -4e-2]], "y": [1, 2], "s": 3}', '[[1, 2], [3, 4]]', "[true, false]", "3.5", "[]"),
    "jsonl": ('{"x": [1, 2], "id": 7}\n{"x": [3, 4]}\n\n{"x": [[1]]}\n',),
    "csv": ("a,b,c\n1,2,3\n4,5.5,-6e-3\n", "1;2\n3;4\n", '"a b"\t"c"\n1\t2\n', "1 2 3\n# comment\n4 5 6\n", "x\n1,5\n"),
    "mtx": (
        "%%MatrixMarket matrix coordinate real general\n% a comment\n2 2 3\n1 1 5\n2 2 7\n1 2 -1.5e3\n",
        "%%MatrixMarket matrix array real symmetric\n2 2\n1\n2\n3\n",
        "%%MatrixMarket matrix coordinate pattern skew-symmetric\n3 3 1\n2 1\n",
    ),
}  # fmt: skip
# What is no file of numbers at all.
FOREIGN = (
    b"", b" \n", b"\0", b"\xff" * 20, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"GIF89a\1\0\1\0", b"\xff\xd8\xff\xe0JFIF",
    b"%PDF-1.7", b"PK\3\4", b"PK\5\6" + b"\0" * 18, b"\x1f\x8b\x08\0", b"\x89HDF\r\n\x1a\n", b"MATLAB 5.0 MAT-file",
    b"\x93NUMPY", b"\x93NUMPY\1\0", b"\x93NUMPY\3\0\xff\xff\xff\xff", b"\xff\xfe1\0,\0", b"PAR1", b"\xef\xbb\xbf",
    b"\xef\xbb\xbf1,2\n", b"[" * 5000, b"{" * 99, b'{"x": ' + b"9" * 5000 + b"}", b"9" * 100_000, b"1e9999",
    b"1,\n" * 9,
)  # fmt: skip
PIECES = (
    b"\0", b"\xff\xff\xff\xff", b"9" * 20, b"-", b"e", b"nan", b"inf", b"\n", b",", b"[", b"1e999", b"(", b"(-1,)",
    b"(2**62,)", b"'>c16'", b"O", b"<U3", b"True", b"99999999999", b"\x93NUMPY", b'"', b"\xc3", b"0x", b"#", b"%",
)  # fmt: skip
VALUE = ("value", "sum(x)", "--format", "json", "--max-memory", "100MB")


def saved(save: Callable[..., None], *arrays: object, **named: object) -> bytes:
    stream = io.BytesIO()
    save(stream, *arrays, **named)
    return stream.getvalue()


@cache
def sound() -> dict[str, tuple[bytes, ...]]:
    """Return sound files of each kind."""
    arrays = [ARRAY, ARRAY.T, ARRAY.astype("f4"), np.arange(3), np.array(2.0), ARRAY > 1, np.array([], dtype=float)]
    found = {kind: tuple(map(str.encode, texts)) for kind, texts in TEXTS.items()}
    found["npy"] = tuple(saved(np.save, array) for array in arrays)
    found["npz"] = (saved(np.savez, x=ARRAY), saved(np.savez_compressed, x=ARRAY, y=np.arange(3)))
    return found | {"bin": FOREIGN}


def attack(seed: int) -> str | None:
    random = Random(seed)
    kind = random.choice(tuple(sound()))
    data = random.choice(sound()[kind])
    for _ in range(random.choice((0, 1, 1, 1, 2, 3, 8))):
        data = mutated(random, data)
    name = f"data.{kind if random.randrange(8) else random.choice(tuple(sound()))}"
    way = random.choice((["-v", f"x=@{name}"], ["-v", f"x=@{name}"], ["-v", f"x=@{name}:x"], ["-i", name], ["-i", "-"]))
    if kind == "jsonl":
        way = ["--lines", *random.choice((["-i", name], []))]
    stdin = data if way[-1] in ("-", "--lines") else b""
    with folder_with({name: data}):
        found = ended([*VALUE, *way], stdin)
    # With what is left of the file the expression may not fit, or have no finite value.
    return found.defect if found.defect or found.status in (0, 3, 4, 5) else f"{found}\n{data!r}"


def mutated(random: Random, data: bytes) -> bytes:
    """Return bytes with a piece of them taken out, repeated, changed or replaced, or without their end."""
    start = random.randrange(len(data) + 1)
    end = min(len(data), start + random.choice((0, 1, 1, 2, 4, 16, 100)))
    piece = data[start:end]
    changes: tuple[Callable[[], bytes], ...] = (
        lambda: b"",
        lambda: piece * random.choice((2, 3, 50)),
        lambda: random.randbytes(len(piece) or 1),
        lambda: bytes(byte ^ (1 << random.randrange(8)) for byte in piece),
        lambda: random.choice(PIECES),
        lambda: random.choice(PIECES),
    )
    rest = data[end:] if random.randrange(7) else b""
    return data[:start] + random.choice(changes)() + rest
