"""Iterables are gone through once; what memory should not hold lies in a file that is gone afterwards."""

import gc
import os
import tempfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from gradient_files import gradients, npz_bytes, safetensors_bytes, written, zip_bytes

from spikesim.recorded import opened

G = gradients()
LARGE = (400, 64, 128)  # 13 MB
MOST = 3_000_000
CHUNK = 1 << 20  # one is being taken while another is looked at


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    Path(tempfile.gettempdir()).mkdir()
    return Path(tempfile.gettempdir())


def descriptors():
    """Files that this process has open in the system's folder for it, and what it has mapped, without a name."""
    mapped = sum("(deleted)" in line and "spikesim" not in line and "temporary" in line
                 for line in Path("/proc/self/maps").read_text().splitlines())  # fmt: skip
    return len(os.listdir("/proc/self/fd")), mapped  # noqa: PTH208


@pytest.mark.parametrize("memory", [0, 47, 100, 240, 1 << 20])
def test_the_limit_changes_nothing_in_what_is_read(memory):
    np.testing.assert_array_equal(opened((x for x in G), memory=memory).take(range(5)), G)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
@pytest.mark.parametrize("end", ["close", "collect"])
def test_the_temporary_file_is_gone_with_the_recording(folder, end):
    before = descriptors()
    recording = opened(iter(G), memory=0)
    assert descriptors()[1] == before[1] + 1
    np.testing.assert_array_equal(recording.take([3]), G[3:4])
    recording.close() if end == "close" else None
    del recording
    gc.collect()
    assert descriptors() == before
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_an_iterable_that_fails_leaves_no_file(folder):
    def failing():
        yield G[0]
        raise OSError("the network is gone")

    before = descriptors()
    with pytest.raises(OSError, match="the network is gone"):
        opened(failing(), memory=0)
    gc.collect()
    assert descriptors() == before
    assert list(folder.iterdir()) == []


def test_an_iterable_is_gone_through_once():
    class Once:
        times = 0

        def __iter__(self):
            self.times += 1
            return iter(G)

    source = Once()
    recording = opened(source)
    for _ in range(2):
        np.testing.assert_array_equal(recording.take([0, 4]), G[[0, 4]])
    assert source.times == 1


def peak(work):
    """Bytes that it allocated at most."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def read(source, **options):
    with opened(source, **options) as recording:
        assert recording.shape == LARGE
        count = sum(len(x) for _, x in recording.chunks(CHUNK))
        assert count == len(recording)


def large_files(folder):
    g = np.random.default_rng(0).normal(size=LARGE).astype(np.float32)
    np.save(folder / "a.npy", g)
    written(folder / "stored.npz", npz_bytes(g=g))
    written(folder / "packed.npz", npz_bytes(True, g=g))
    written(folder / "a.safetensors", safetensors_bytes({"g": g}))
    written(folder / "steps.safetensors", safetensors_bytes({f"g.{i}": x for i, x in enumerate(g)}))
    return folder


def test_no_more_than_a_chunk_is_in_memory(tmp_path):
    for path in sorted(large_files(tmp_path).iterdir()):
        assert peak(lambda path=path: read(path, memory=0)) < MOST, path.name
    steps = (np.zeros(LARGE[1:], np.float32) for _ in range(LARGE[0]))
    assert peak(lambda: read(steps, memory=0)) < MOST
    assert peak(lambda: opened(tmp_path / "a.npy").take(range(LARGE[0]))) > MOST  # it would be seen


def test_a_packed_entry_is_not_unpacked_beyond_the_limit(tmp_path):
    path = written(tmp_path / "a.npz", npz_bytes(True, g=np.zeros(LARGE, np.float32)))
    assert path.stat().st_size < 100_000

    def refused():
        with pytest.raises(
            ValueError, match=r"need an entry that unpacks to at most 1000000 bytes, got bytes=13107328, file="
        ):
            opened(path, unpacked=1_000_000)

    assert peak(refused) < 1_000_000
    read(path, unpacked=13_107_328)


def test_an_entry_that_holds_more_than_it_says_is_refused(tmp_path):
    """The directory of the archive claims 400 bytes of a bomb."""
    content = bytearray(zip_bytes(np.zeros(1 << 22).tobytes(), compression=zipfile.ZIP_DEFLATED))
    at = content.rindex(b"PK\x01\x02") + 24
    content[at : at + 4] = (400).to_bytes(4, "little")
    path = written(tmp_path / "a.npz", bytes(content))

    def refused():
        with pytest.raises(ValueError, match="Bad CRC-32"):
            opened(path)

    assert peak(refused) < 2_000_000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("memory", [0, 100])  # full at the first step, or at a later one
def test_a_full_disk_names_the_folder(monkeypatch, memory):
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("r+b"))  # noqa: SIM115
    with pytest.raises(OSError, match="No space left on device") as error:
        opened(iter(G), memory=memory)
    assert error.value.filename == tempfile.gettempdir()
