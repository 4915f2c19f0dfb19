"""Files that are cut anywhere, or in which any bits are turned over, are read or refused in one line, and nothing else."""

import random
import tracemalloc

import pytest
from gradient_files import bfloat16, gradients, npy_bytes, npz_bytes, safetensors_bytes, written

from spikesim.recorded import opened

G = gradients(shape=(8, 6, 7))
FILES = {
    "npy": ("a.npy", npy_bytes(G)),
    "npy-2": ("a.npy", npy_bytes(G, (2, 0))),
    "npz": ("a.npz", npz_bytes(g=G, loss=G[0, 0])),
    "packed": ("a.npz", npz_bytes(True, g=G, loss=G[0, 0])),
    "safetensors": ("a.safetensors", safetensors_bytes({"g": G, "w": G[0]}, format="pt")),
    "steps": ("a.safetensors", safetensors_bytes({f"g.{i}": bfloat16(x) for i, x in enumerate(G)})),
}
FLIPS = 2000
HEADER = 1100
MOST_BYTES = 20_000_000


def rewritten(path, content):
    """In place, which is quicker than a new file."""
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()
    return path


def read_or_refused(path):
    """Whether it was read."""
    try:
        with opened(path) as recording:
            assert recording.take(range(len(recording))).shape == recording.shape
        return True
    except ValueError as error:
        said = str(error)
    assert len(said.splitlines()) == 1, said
    assert said.startswith("need "), said
    return False


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_cut_is_refused(tmp_path, case):
    name, content = FILES[case]
    path = written(tmp_path / name, content)
    assert read_or_refused(path)
    for size in [*range(min(len(content), 1 << 10)), len(content) - 1]:
        assert not read_or_refused(rewritten(path, content[:size])), size


@pytest.mark.parametrize("case", FILES)
def test_turned_bits_are_read_or_refused(tmp_path, case):
    """Half of them in the first bytes, and half in the last, where archives have their directory."""
    name, content = FILES[case]
    path, draw = written(tmp_path / name, content), random.Random(case)
    read = 0
    for i in range(FLIPS):
        changed = bytearray(content)
        for _ in range(draw.choice([1, 1, 1, 2, 8])):
            at = draw.randrange(min(HEADER, len(changed)))
            changed[at if i % 2 else -1 - at] ^= 1 << draw.randrange(8)
        read += read_or_refused(rewritten(path, bytes(changed)))
    assert 0 < read < FLIPS


@pytest.mark.parametrize("case", FILES)
def test_random_bytes_in_a_header_take_no_memory(tmp_path, case):
    name, content = FILES[case]
    path, draw = written(tmp_path / name, content), random.Random(case)
    tracemalloc.start()
    try:
        for _ in range(100):
            changed, at = bytearray(content), draw.randrange(128)
            changed[at : at + 8] = draw.randbytes(8)
            read_or_refused(rewritten(path, bytes(changed)))
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
