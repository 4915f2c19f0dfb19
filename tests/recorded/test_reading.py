"""Every format, number type and order gives the numbers that were written, whatever is taken of them."""

import numpy as np
import pytest
from gradient_files import SHAPE, bfloat16, gradients, npy_bytes, npz_bytes, safetensors_bytes, written

from spikesim.recorded import need_steps, opened

G = gradients()
OTHER = np.zeros((2, 2), np.float32)
STEPS = {f"grad.{i}": G[i] for i in (3, 0, 4, 1, 2)}
LATE = {f"grad.{i + 8}": G[i] for i in range(5)}  # 10 stands before 8 in the alphabet
FILES = {
    "npy": ("a.npy", npy_bytes(G), None),
    "npy-2": ("a.npy", npy_bytes(G, (2, 0)), None),
    "npy-3": ("a.npy", npy_bytes(G, (3, 0)), None),
    "more behind": ("a.npy", npy_bytes(G) + b"torn", None),
    "npz": ("a.npz", npz_bytes(grad=G), "grad"),
    "npz with others": ("a.npz", npz_bytes(lr=OTHER, loss=OTHER[0], grad=G), "grad"),
    "npz compressed": ("a.npz", npz_bytes(True, lr=OTHER, grad=G), "grad"),
    "npz compressed fortran": ("a.npz", npz_bytes(True, grad=np.asfortranarray(G)), "grad"),
    "npz fortran": ("a.npz", npz_bytes(grad=np.asfortranarray(G)), "grad"),
    "safetensors": ("a.safetensors", safetensors_bytes({"w": OTHER, "grad": G}, format="pt"), "grad"),
    "steps": ("a.safetensors", safetensors_bytes({**STEPS, "w": OTHER}), "grad"),
    "numbers as numbers": ("a.safetensors", safetensors_bytes(dict(sorted(LATE.items()))), "grad"),
    "suffix": ("a.NPY", npy_bytes(G), None),
}
TYPES = ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]


@pytest.mark.parametrize("case", FILES)
def test_every_format_gives_what_was_written(tmp_path, case):
    name, content, key = FILES[case]
    path = written(tmp_path / name, content)
    with opened(path) as recording:
        assert (recording.shape, len(recording), recording.dtype) == (SHAPE, 5, np.float32)
        assert recording.name == (f"{path}:{key}" if key else str(path))
        np.testing.assert_array_equal(recording.take(range(5)), G)


@pytest.mark.parametrize("kind", ["npy", "npy fortran", "npz", "npz compressed", "array", "iterable", "safetensors"])
@pytest.mark.parametrize("dtype", TYPES)
def test_number_types_and_byte_orders(tmp_path, dtype, kind):
    g = gradients(dtype)
    sources = {
        "npy": lambda: written(tmp_path / "a.npy", npy_bytes(g)),
        "npy fortran": lambda: written(tmp_path / "a.npy", npy_bytes(np.asfortranarray(g))),
        "npz": lambda: written(tmp_path / "a.npz", npz_bytes(g=g)),
        "npz compressed": lambda: written(tmp_path / "a.npz", npz_bytes(True, g=g)),
        "safetensors": lambda: written(
            tmp_path / "a.safetensors", safetensors_bytes({"g": g.astype(g.dtype.newbyteorder("<"))})
        ),
        "array": lambda: g,
        "iterable": lambda: iter(g),
    }
    recording = opened(sources[kind]())
    expected = np.float64 if g.itemsize == 8 else np.float32
    taken = recording.take([4, 0, 4])
    assert recording.dtype == taken.dtype == expected
    assert taken.dtype.isnative
    assert taken.flags.c_contiguous
    np.testing.assert_array_equal(taken, g[[4, 0, 4]])


@pytest.mark.parametrize("tensors", [{"g": bfloat16(G)}, {f"g-{i:03}": bfloat16(x) for i, x in enumerate(G)}])
def test_bfloat16_is_widened(tmp_path, tensors):
    recording = opened(written(tmp_path / "a.safetensors", safetensors_bytes(tensors)))
    assert recording.dtype == np.float32
    np.testing.assert_array_equal(recording.take(range(5)), G)


@pytest.mark.parametrize("size", [1, 48, 100, 1 << 20])  # a step has 48 bytes
def test_chunks_are_all_steps_in_order(size):
    chunks = list(opened(G).chunks(size))
    many = max(1, size // 48)
    assert [first for first, _ in chunks] == list(range(0, 5, many))
    assert all(len(x) <= many for _, x in chunks)
    np.testing.assert_array_equal(np.concatenate([x for _, x in chunks]), G)


def test_what_is_taken_is_a_copy(tmp_path):
    path = written(tmp_path / "a.npy", npy_bytes(G))
    with opened(path) as recording:
        taken = recording.take([0])
        taken[:] = 7
        np.testing.assert_array_equal(recording.take([0]), G[:1])
    assert (taken == 7).all()
    assert opened(G).take([]).shape == (0, 3, 4)


def test_arrays_in_a_file_have_names(tmp_path):
    for suffix, content in ("npz", npz_bytes(a=G, b=2 * G)), ("safetensors", safetensors_bytes({"a": G, "b": 2 * G})):
        path = written(tmp_path / f"x.{suffix}", content)
        for recording in opened(path, "b"), opened(f"{path}:b"):
            assert recording.name == f"{path}:b"
            np.testing.assert_array_equal(recording.take([1]), 2 * G[1:2])


def test_a_series_of_matrices_has_a_name(tmp_path):
    tensors = {f"{name}/{i}": k * x for k, name in ((1, "a"), (2, "b")) for i, x in enumerate(G)}
    path = written(tmp_path / "x.safetensors", safetensors_bytes(tensors))
    with opened(f"{path}:b") as recording:
        assert recording.name == f"{path}:b"
        np.testing.assert_array_equal(recording.take(range(5)), 2 * G)


def test_names_may_hold_colons_and_so_may_paths(tmp_path):
    path = written(tmp_path / "x.npz", npz_bytes(**{"layer:0": G, "y": 2 * G}))
    np.testing.assert_array_equal(opened(f"{path}:layer:0").take([0]), G[:1])
    odd = written(tmp_path / "x.npz:y.npy", npy_bytes(4 * G))
    np.testing.assert_array_equal(opened(odd).take([0]), 4 * G[:1])


@pytest.mark.parametrize(
    "name", ["two words.npy", "Gradienten für α.npy", "勾配.npz", "a'b\"c.safetensors", "line\nbreak.npy"]
)
def test_any_name_is_read(tmp_path, name):
    contents = {"npy": npy_bytes(G), "npz": npz_bytes(g=G), "safetensors": safetensors_bytes({"g": G})}
    path = written(tmp_path / name, contents[name.rpartition(".")[2]])
    np.testing.assert_array_equal(opened(path).take(range(5)), G)
    np.testing.assert_array_equal(opened(str(path)).take(range(5)), G)


def test_a_recording_is_opened_already():
    recording = opened(G)
    assert opened(recording) is recording
    assert repr(recording) == "Recording('gradients', shape=(5, 3, 4), dtype=float32)"


def test_enough_steps_or_a_word():
    recording = opened(G, "layer 3")
    need_steps(recording, 5, "for a window of 2")
    with pytest.raises(ValueError, match=r"need at least 6 gradients for a window of 3, got gradients=5, file='layer 3'"):
        need_steps(recording, 6, "for a window of 3")


@pytest.mark.parametrize(("steps", "said"), [
    ([0, 5], "need steps from 0 to 4, got step=5, file='gradients'"),
    ([-1], "need steps from 0 to 4, got step=-1"),
    ([0.5], "need a list of steps"),
    ([[0]], "need a list of steps"),
    ([True], "need a list of steps"),
])  # fmt: skip
def test_steps_that_are_not_there(steps, said):
    with pytest.raises(ValueError, match=said):
        opened(G).take(steps)


def test_a_closed_recording_is_read_no_more():
    with opened(G) as recording:
        pass
    with pytest.raises(ValueError, match="need an open recording, got closed='gradients'"):
        recording.take([0])
    with pytest.raises(ValueError, match="need bytes > 0"):
        next(opened(G).chunks(0))
