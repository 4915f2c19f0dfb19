"""A shard on disk: read back bit by bit, or not read at all."""

import os
import resource
import signal
import stat
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import spikesim as ss
from spikesim.sweep import shard
from spikesim.sweep.contents import DamagedError, decoded, encoded
from spikesim.sweep.shard import ShardName

NAMES = ["alignment", "singular_values", "noise_fro", "head_error"]


def some(trials=range(3, 8), seed=0):
    model = ss.SpikedModel((4, 5), (3.0, 2.0), ss.Gaussian())
    return ss.simulate(model, windows=[1, 2.5], trials=trials, seed=seed, steps=8, observables=NAMES, spectrum=3)


def assert_same(a, b):
    assert a.identical(b)
    for name in a:
        assert a[name].values.tobytes() == b[name].values.tobytes()


def test_what_is_written_is_read_bit_by_bit(tmp_path):
    data = some()
    assert np.isnan(data.head_error.values).any()
    name = shard.write(tmp_path / "new" / "folder", data)
    assert name.trials == range(3, 8)
    assert shard.shards(tmp_path / "new" / "folder") == [name]
    assert_same(shard.read(tmp_path / "new" / "folder", name), data)


def test_what_is_of_all_trials_comes_back_too(tmp_path):
    data = some()
    data = data.assign(total=(("half", "pipeline", "row"), np.random.default_rng(0).standard_normal((2, 4, 3))))
    data = data.assign(one=((), np.float64(7.5)))
    assert_same(shard.read(tmp_path, shard.write(tmp_path, data)), data)


values = st.floats(width=64)


@given(st.lists(st.tuples(values, values), min_size=1, max_size=4), st.integers(0, 2**32 - 5), st.text(max_size=5))
@settings(derandomize=True, database=None, deadline=None, max_examples=50)
def test_any_numbers_and_attributes_come_back(rows, first, text):
    x = np.array(rows)
    data = xr.Dataset(
        {"a": (("trial", "window"), x), "b": (("trial",), x[:, 0])},
        {"trial": first + np.arange(len(x)), "window": [1.0, 2.0]}, {"text": text, "number": 0.1},
    )  # fmt: skip
    content = encoded(data)
    assert_same(decoded(content), data)
    assert encoded(data) == content


def test_names_say_what_they_hold_and_other_files_are_none():
    name = ShardName(7, 12, "0" * shard.DIGITS)
    assert ShardName.parsed(str(name)) == name
    digest = "0" * shard.DIGITS
    others = ["index.json", f".{name}.12.tmp", f"{name}x", f"0000000005-0000000005-{digest}.parquet",
              f"0000000006-0000000005-{digest}.parquet", f"5-6-{digest}.parquet"]  # fmt: skip
    assert [ShardName.parsed(x) for x in others] == [None] * len(others)


def test_no_folder_has_no_shards(tmp_path):
    assert shard.shards(tmp_path / "none") == []


@pytest.mark.parametrize("change", ["flip", "cut", "longer", "empty"])
def test_a_changed_file_is_never_read(tmp_path, change):
    """Every 13th byte flipped in turn, one bit of it; any end cut off."""
    name = shard.write(tmp_path, some())
    path = tmp_path / str(name)
    content = path.read_bytes()
    changed = {
        "flip": [content[:i] + bytes([content[i] ^ 1 << i % 8]) + content[i + 1 :] for i in range(0, len(content), 13)],
        "cut": [content[:i] for i in range(1, len(content), 97)], "longer": [content + b"\0"], "empty": [b""],
    }[change]  # fmt: skip
    for damaged in changed:
        path.write_bytes(damaged)
        with pytest.raises(DamagedError, match="need the bytes that were written, got others in"):
            shard.read(tmp_path, name)
    path.write_bytes(content)
    shard.read(tmp_path, name)


def test_bytes_are_synced_before_the_name_and_the_name_before_the_end(tmp_path, monkeypatch):
    done = []

    def told(name, function):
        def call(*arguments, **named):
            folder = name == "fsync" and stat.S_ISDIR(os.fstat(arguments[0]).st_mode)
            done.append(f"{name} of the folder" if folder else name)
            return function(*arguments, **named)

        return call

    monkeypatch.setattr(os, "fsync", told("fsync", os.fsync))
    monkeypatch.setattr(Path, "replace", told("rename", Path.replace))
    shard.write(tmp_path, some())
    assert done == ["fsync", "rename", "fsync of the folder"]


def test_a_full_disk_leaves_nothing_and_is_written_to_later(tmp_path):
    data, limit = some(), resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            shard.write(tmp_path, data)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.iterdir()) == []
    assert_same(shard.read(tmp_path, shard.write(tmp_path, data)), data)


def test_equal_shards_have_one_name_and_others_another(tmp_path):
    one, again = (shard.write(tmp_path, some()) for _ in range(2))
    other = shard.write(tmp_path, some(seed=1))
    assert one == again != other
    assert shard.shards(tmp_path) == sorted([one, other])


def test_what_is_no_run_of_trials_is_refused(tmp_path):
    data = some()
    with pytest.raises(ValueError, match="need consecutive trials, one or more, got trials="):
        shard.write(tmp_path, data.isel(trial=[0, 2]))
    with pytest.raises(ValueError, match="need consecutive trials"):
        shard.write(tmp_path, data.isel(trial=[]))


def test_pages_carry_checksums_for_readers_that_know_nothing_of_names():
    import io

    import pyarrow.parquet as pq

    content = bytearray(encoded(some()))
    clean = pq.ParquetFile(io.BytesIO(content), page_checksum_verification=True)
    clean.read()
    chunk = clean.metadata.row_group(0).column(1)
    content[chunk.data_page_offset + chunk.total_compressed_size - 1] ^= 1  # the last byte of its data
    with pytest.raises(OSError, match="CRC checksum"):
        pq.ParquetFile(io.BytesIO(content), page_checksum_verification=True).read()
