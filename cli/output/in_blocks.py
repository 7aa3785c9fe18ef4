"""An array that is computed and written block by block, by whoever runs blocks, and resumed where that is wished."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from typing import Any, NamedTuple

from ...core.arrays import Array
from ...core.blocks import Run
from .array_files import ArrayFile, ZarrFile, file_for
from .large import SHOWN_FROM, check_room
from .progress import progress
from .unfinished import working_on


class Item(NamedTuple):
    """A block: its number, its indices along the first axes, and what it is computed from."""

    number: int
    places: Sequence[range]
    given: Any


def fingerprint(value: Any) -> object:
    """Return what tells an input from others: of a file its name, size and time, of numbers a digest."""
    if hasattr(value, "identity"):
        return value.identity
    arrays = value if isinstance(value, tuple) else (value,)
    return [[list(one.shape), sha256(pickle.dumps(one, protocol=4)).hexdigest()] for one in arrays]


@dataclass(frozen=True)
class Written:
    """The function that computes a block and puts it on the disk; it pickles if `function` does."""

    function: Callable[[Any], Array]
    file: ArrayFile

    def __call__(self, item: Item) -> tuple[int, int]:
        """Return the number of a block, and its bytes."""
        array = self.function(item.given)
        self.file.write(item.places, array)
        return item.number, array.nbytes


def write_in_blocks(
    output: str,
    question: Mapping[str, object],
    shape: Sequence[int],
    block: Sequence[int],
    items: Iterable[Item],
    function: Callable[[Any], Array],
    *,
    run: Run,
    resume: bool,
) -> None:
    """Write an array of a shape to an .npy file or a zarr array; what is not among the blocks is zero.

    Raises OutputError where the disk is full, UsageProblem where there can be no such file.
    """
    size = 8 * prod(shape)
    with working_on(output, {**question, "shape": list(shape), "block": list(block)}, resume=resume) as work:
        file = file_for(output, work.path, shape, block, durable=resume)
        if work.fresh():
            if not isinstance(file, ZarrFile):
                check_room(output, size)
            file.create()
        left = (item for item in items if item.number not in work.finished)
        with progress("writing", size, shown=size >= SHOWN_FROM) as advance:
            for number, written in run(Written(function, file), left):
                work.note(number)
                advance(written)
        file.tidy()
