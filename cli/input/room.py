"""How much memory an input may take, as `--max-memory` says: asked for before it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import BinaryIO

from . import errors

# What is read at once of a file whose end is not known.
PIECE = 1 << 20

_limit: ContextVar[int] = ContextVar("limit", default=1 << 30)


@contextmanager
def room_for(limit: int) -> Iterator[None]:
    """Let inputs that are read inside take so many bytes each."""
    token = _limit.set(limit)
    try:
        yield
    finally:
        _limit.reset(token)


def room() -> int:
    """Return how many bytes an input may take."""
    return _limit.get()


def ask_for(size: int, place: str, what: str) -> None:
    """Raise InputError where `what`, found at a place, needs more bytes than an input may take."""
    if size > _limit.get():
        raise errors.too_large(place, what, size, _limit.get())


def read_within(stream: BinaryIO, place: str) -> bytes:
    """Return all of a stream; raise InputError where it needs more bytes than an input may take, or has no end."""
    found = bytearray()
    while piece := stream.read(PIECE):
        found += piece
        ask_for(len(found), place, "what is read so far")
    return bytes(found)
