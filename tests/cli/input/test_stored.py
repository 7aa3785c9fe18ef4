"""Arrays that stay on the disk: every kind of file gives the same samples, read whole or some at a time."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matgrad.cli.input.errors import Destination
from matgrad.cli.input.inputs import read_value
from matgrad.cli.input.room import room_for
from matgrad.cli.input.stored import Stored, kind_on_disk, open_stored
from matgrad.core.errors import InputError

X = np.random.default_rng(0).standard_normal((1000, 3))
REFERENCES = ["X.npy", "fortran.npy", "single.npy", "parts/x-*.npy", "X.h5:group/X", "X.zarr", "group.zarr:X",
              "X.parquet:a,b,c"]  # fmt: skip
LIBRARIES = {".h5": "h5py", "zarr": "zarr", "rquet": "pyarrow"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the same array in files of each kind whose library is there."""
    folder = tmp_path_factory.mktemp("stored")
    np.save(folder / "X.npy", X)
    np.save(folder / "fortran.npy", np.asfortranarray(X))
    np.save(folder / "single.npy", X.astype(np.float32))
    (folder / "parts").mkdir()
    for part in range(12):  # 10 comes after 9
        np.save(folder / "parts" / f"x-{part}.npy", X[part * 90 : (part + 1) * 90])
    try:
        import h5py

        with h5py.File(folder / "X.h5", "w") as file:
            file.create_dataset("group/X", data=X, chunks=(64, 3))
            file["other"] = X[:, 0]
    except ImportError:
        pass
    try:
        import zarr

        zarr.create_array(str(folder / "X.zarr"), data=X, chunks=(128, 3))
        zarr.save_group(str(folder / "group.zarr"), X=X, other=X[:, 0])
    except ImportError:
        pass
    try:
        import pyarrow
        from pyarrow import parquet

        columns = {"b": X[:, 1], "a": X[:, 0], "c": X[:, 2], "word": ["one"] * 1000}
        parquet.write_table(pyarrow.table(columns), folder / "X.parquet", row_group_size=150)
    except ImportError:
        pass
    return folder


def opened(reference: str, folder: Path) -> Stored:
    path, _, part = reference.partition(":")
    for ending, library in LIBRARIES.items():
        if path.endswith(ending):
            pytest.importorskip(library)
    kind = kind_on_disk(str(folder / path))
    assert kind is not None
    return open_stored(kind, str(folder / path), part or None, Destination.of("X"))


@pytest.mark.parametrize("reference", REFERENCES)
def test_samples_are_those_of_the_array(reference: str, folder: Path) -> None:
    stored = opened(reference, folder)
    wanted = X.astype(np.float32) if "single" in reference else X
    assert stored.shape == (1000, 3)
    for start, stop in ((0, 1000), (0, 1), (89, 91), (140, 700), (999, 1000), (149, 151)):
        found = stored[start:stop]
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, wanted[start:stop])


@pytest.mark.parametrize("reference", REFERENCES)
def test_they_pickle_small_and_know_themselves(reference: str, folder: Path) -> None:
    stored = opened(reference, folder)
    again = pickle.loads(pickle.dumps(stored))
    assert len(pickle.dumps(stored)) < 5000
    np.testing.assert_array_equal(again[10:20], stored[10:20])
    assert again.identity == stored.identity == opened(reference, folder).identity


@pytest.mark.parametrize(
    ("reference", "grain"), [("X.npy", 1), ("X.h5:group/X", 64), ("X.zarr", 128), ("X.parquet:a,b", 150)]
)
def test_what_is_read_together_is_known(reference: str, grain: int, folder: Path) -> None:
    assert opened(reference, folder).grain == grain


@pytest.mark.parametrize("reference", REFERENCES)
def test_an_input_may_be_read_whole(reference: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(reference, folder)
    monkeypatch.chdir(folder)
    found = read_value(f"@{reference}", Destination.of("X"), None).value
    np.testing.assert_array_equal(found, X.astype(np.float32) if "single" in reference else X)
    with room_for(20_000), pytest.raises(InputError, match="the limit is"):
        read_value(f"@{reference.replace('single', 'X')}", Destination.of("X"), None)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("X.h5", "holds 2 arrays"),
        ("X.h5:nothing", "there is no `nothing`"),
        ("group.zarr", "holds 2 arrays"),
        ("X.zarr:X", "there is no part `X`"),
        ("X.parquet:d", "there is no column `d`"),
        ("X.parquet", "not real numbers"),
        ("X.npy:X", "there is no part `X`"),
    ],
)
def test_refusals(reference: str, message: str, folder: Path) -> None:
    with pytest.raises(InputError, match=message):
        opened(reference, folder)


def test_truth_values_and_whole_numbers_are_numbers(tmp_path: Path) -> None:
    for array in (np.array([True, False]), np.array([3, 4], np.int8), np.array([3, 4], ">f4")):
        np.save(tmp_path / "x.npy", array)
        found: Any = opened("x.npy", tmp_path)[:]
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("ending", ["h5", "parquet"])
def test_damaged_files_are_told(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"x.{ending}").write_bytes({"h5": b"\x89HDF\r\n\x1a\n", "parquet": b"PAR1"}[ending] + b"nothing")
    with pytest.raises(InputError, match="cannot read"):
        opened(f"x.{ending}", tmp_path)
