"""Bad input is one clear line, whatever it is, and the file stays as it was."""

import json
import os
import re
import zipfile

import numpy as np
import pytest
from gradient_files import (
    bfloat16,
    gradients,
    npy_bytes,
    npy_with,
    npz_bytes,
    safetensors_bytes,
    with_header,
    written,
    zip_bytes,
)

from spikesim.recorded import opened

G = gradients()
OBJECTS = np.array([[["x", None]]], dtype=object)
NPY, NPZ, TENSORS = npy_bytes(G), npz_bytes(g=G), safetensors_bytes({"g": G})
EMPTY = ((0, 3, 4), (5, 0, 4), (5, 3, 0))


def tensor(**changed):
    """A file of one tensor of 48 bytes, of which the header says something else."""
    said = {"dtype": "F32", "shape": [1, 3, 4], "data_offsets": [0, 48]} | changed
    return with_header(json.dumps({"g": said}).encode(), b"\0" * 48)


def two(*places, size=96):
    said = {f"g{i}": {"dtype": "F32", "shape": [1, 3, 4], "data_offsets": place} for i, place in enumerate(places)}
    return with_header(json.dumps(said).encode(), b"\0" * size)


def locked(content):
    """The archive's entry claims to be encrypted."""
    content = bytearray(content)
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


PACKED = npz_bytes(True, g=G)
FLOATS = "need numbers of type float16, bfloat16, float32 or float64, got dtype='{}'"
BAD = {
    "no bytes.npy": (b"", "need a whole .npy file"),
    "no bytes.npz": (b"", "need a whole .npz file"),
    "no bytes.safetensors": (b"", "need a whole .safetensors file"),
    "text.npy": (b"1, 2, 3\n4, 5, 6\n", "need a whole .npy file"),
    "text.npz": (b"1, 2, 3\n4, 5, 6\n", "need a whole .npz file"),
    "text.safetensors": (b"1, 2, 3\n4, 5, 6\n", "need a whole .safetensors file"),
    "header cut.npy": (NPY[:50], "need a whole .npy file"),
    "data cut.npy": (NPY[:-1], "need a whole .npy file, got bytes_of_data=239, wanted=240, shape=(5, 3, 4)"),
    "version.npy": (NPY[:6] + b"\x04" + NPY[7:], "need a whole .npy file"),
    "long header.npy": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", "need a whole .npy file"),
    "no literal.npy": (npy_with("{'descr': open('x'), 'fortran_order': False, 'shape': (1, 2, 3)}"), "need a whole .npy"),
    "deep.npy": (npy_with("(" * 9000), "need a whole .npy file"),
    "negative.npy": (npy_with("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -2, 3)}"), "need a whole .npy file"),
    "true.npy": (npy_with("{'descr': '<f4', 'fortran_order': False, 'shape': (True, 2, 3)}"), "need a whole .npy file"),
    "huge.npy": (npy_with("{'descr': '<f4', 'fortran_order': False, 'shape': (10**9, 9, 9)}"), "need a whole .npy file"),
    "large.npy": (
        npy_with("{'descr': '<f4', 'fortran_order': False, 'shape': (123456789012345678901, 9, 9)}"),
        "need a whole .npy file, got bytes_of_data=1000",
    ),
    "one axis.npy": (npy_bytes(G[0, 0]), "need gradients of shape (K, m, n), got shape=(4,)"),
    "two axes.npy": (npy_bytes(G[0]), "need gradients of shape (K, m, n), got shape=(3, 4)"),
    "four axes.npy": (npy_bytes(G[None]), "need gradients of shape (K, m, n), got shape=(1, 5, 3, 4)"),
    "scalar.npy": (npy_bytes(np.float32(1)), "need gradients of shape (K, m, n), got shape=()"),
    "objects.npy": (npy_bytes(OBJECTS, allow_pickle=True), FLOATS.format("object")),
    "objects.npz": (npz_bytes(g=OBJECTS), FLOATS.format("object")),
    "fields.npy": (npy_bytes(np.zeros((1, 2, 3), [("x", "<f4")])), "float64, got dtype=\"[('x', '<f4')]\""),
    "cut.npz": (NPZ[:-30], "need a whole .npz file"),
    "text in it.npz": (zip_bytes(b"hello"), "need a whole .npy file"),
    "data cut.npz": (zip_bytes(NPY[:-1]), "need a whole .npz entry, got bytes_of_data=239, wanted=240"),
    "packed data cut.npz": (zip_bytes(NPY[:-1], compression=zipfile.ZIP_DEFLATED), "need a whole .npz entry"),
    "no arrays.npz": (zip_bytes(b"hello", "read me.txt"), "need just one array of shape (K, m, n), or a name, got arrays=0"),
    "no stream.npz": (npz_bytes(w=G[0], b=G[0, 0]), "arrays: 'w' (3, 4), 'b' (4,)"),
    "several.npz": (npz_bytes(a=G, b=G, c=G[0]), "name one, as in FILE:NAME, of arrays: 'a' (5, 3, 4), 'b' (5, 3, 4), "),
    "flipped.npz": (flipped(PACKED, 200), "need a whole .np"),
    "locked.npz": (locked(PACKED), "need an entry that is not encrypted, got file="),
    "several.safetensors": (safetensors_bytes({"a": G, "b": G}), "arrays: 'a' (5, 3, 4), 'b' (5, 3, 4)"),
    "two series.safetensors": (safetensors_bytes({"a.1": G[0], "b.1": G[0]}), "got arrays=0, file="),
    "mixed.safetensors": (
        safetensors_bytes({"g.1": G[0], "g.2": G[1, :2]}),
        "need matrices of one shape and type, as 'g.1': (3, 4) F32, got shape=(2, 4), dtype='F32'",
    ),
    "mixed types.safetensors": (safetensors_bytes({"g.1": G[0], "g.2": bfloat16(G[0])}), "dtype='BF16'"),
    "twice.safetensors": (safetensors_bytes({"g.1": G[0], "g.01": G[0]}), "need every step once, got step=1"),
    "integers.safetensors": (safetensors_bytes({"g": G.astype("<i4")}), "need a tensor of type F64, F32, F16, BF16, got "),
    "cut.safetensors": (TENSORS[:-1], "need a file that ends with its last tensor"),
    "header cut.safetensors": (TENSORS[:40], "need a header within the file"),
    "more.safetensors": (TENSORS + b"x", "need a file that ends with its last tensor"),
    "oversized.safetensors": (with_header(b"{}", length=2**64 - 1), "got length=18446744073709551615, file_size=10"),
    "long header.safetensors": (with_header(b"{}" + b" " * (1 << 24)), "need a header within the file"),
    "no JSON.safetensors": (with_header(b"\xff\xfe{}"), "need a whole .safetensors file"),
    "deep.safetensors": (with_header(b'{"x":' + b"[" * 200_000), "need a whole .safetensors file"),
    "list.safetensors": (with_header(b"[]"), "need a JSON object, got header='list'"),
    "none.safetensors": (with_header(b"{}"), "no arrays"),
    "name twice.safetensors": (with_header(b'{"a": 1, "a": 1}'), "need every name once"),
    "not said.safetensors": (with_header(b'{"a": {"dtype": "F32"}}'), "need dtype, shape and data_offsets"),
    "overlap.safetensors": (two([0, 48], [24, 72], size=72), "need tensors one behind the other, got begins=24"),
    "hole.safetensors": (two([0, 48], [50, 98], size=98), "need tensors one behind the other, got begins=50, last_ended=48"),
    "outside.safetensors": (two([0, 48], [48, 96], size=72), "need a file that ends with its last tensor, got ends=96"),
    "backwards.safetensors": (tensor(data_offsets=[48, 0]), "need bytes for every number"),
    "negative.safetensors": (tensor(shape=[-1, -3, 4]), "need counts"),
    "fraction.safetensors": (tensor(shape=[1.0, 3, 4]), "need counts"),
    "too few.safetensors": (tensor(shape=[1, 3, 5]), "need bytes for every number"),
    "overflow.safetensors": (tensor(shape=[2**62, 2**62, 4]), "need bytes for every number"),
    "odd offsets.safetensors": (tensor(data_offsets=[0, 24, 48]), "need counts"),
    "no type.safetensors": (tensor(dtype=["F32"]), "need a name and lists"),
    "wide type.safetensors": (tensor(dtype="F64"), "need bytes for every number"),
}  # fmt: skip
for _shape in EMPTY:
    _none = np.zeros(_shape, np.float32)
    _said = f"need at least one gradient with at least one entry, got shape={_shape}"
    BAD[f"empty {_shape}.npy"] = npy_bytes(_none), _said
    BAD[f"empty {_shape}.npz"] = npz_bytes(g=_none), _said
    BAD[f"empty {_shape}.safetensors"] = safetensors_bytes({"g": _none}), _said
for _type in ("<i4", "|u1", "<c8", "|b1", "<U3", "|S3", "<M8[s]", "|V2", "<f16"):
    if np.dtype(_type).itemsize != 16 or np.dtype(_type).kind != "f" or hasattr(np, "float128"):
        _x = np.zeros((2, 3, 4), _type)
        BAD[f"{np.dtype(_type)}.npy".replace("<", "")] = npy_bytes(_x), FLOATS.format(np.dtype(_type))
        BAD[f"{np.dtype(_type)}.npz".replace("<", "")] = npz_bytes(g=_x), FLOATS.format(np.dtype(_type))


def refusal(*words, error=ValueError, **options):
    """What is said, in one line."""
    with pytest.raises(error) as caught:
        opened(*words, **options)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line_and_stays_as_it_was(tmp_path, name, monkeypatch):
    monkeypatch.setattr("pickle.load", lambda *_, **__: pytest.fail("a pickle was loaded"))
    content, expected = BAD[name]
    path = written(tmp_path / name, content)
    path.chmod(0o444)
    os.utime(path, ns=(10**18, 10**18))
    said = refusal(path)
    assert said.startswith("need ")
    assert expected in said
    assert repr(str(path))[:-1] in said or "arrays" in said
    assert path.read_bytes() == content
    assert path.stat().st_mtime_ns == 10**18
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_good_file_stays_as_it_was(tmp_path):
    for name, content in ("a.npy", NPY), ("a.npz", NPZ), ("packed.npz", PACKED), ("a.safetensors", TENSORS):
        path = written(tmp_path / name, content)
        os.utime(path, ns=(10**18, 10**18))
        with opened(path) as recording:
            recording.take(range(5))
        assert path.read_bytes() == content
        assert path.stat().st_mtime_ns == 10**18


@pytest.mark.parametrize(("name", "error"), [("there is none.npy", FileNotFoundError), ("folder.npy", IsADirectoryError)])
def test_what_the_system_says_names_the_file(tmp_path, name, error):
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(error) as caught:
        opened(tmp_path / name)
    assert caught.value.filename == tmp_path / name or caught.value.filename == str(tmp_path / name)


def test_a_name_that_is_too_long_is_the_systems_to_refuse(tmp_path):
    with pytest.raises(OSError, match="too long"):
        opened(tmp_path / ("a" * 5000 + ".npy"))


def test_a_missing_archive_is_named_without_its_entry(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        opened(f"{tmp_path}/none.npz:g")
    assert str(caught.value.filename) == f"{tmp_path}/none.npz"


def test_names_that_do_not_help(tmp_path):
    npy, npz = written(tmp_path / "a.npy", NPY), written(tmp_path / "a.npz", NPZ)
    assert "need no name for the one array of a .npy file, got name='g'" in refusal(npy, "g")
    assert "need the name of an array in the file, got name='h'" in refusal(npz, "h")
    assert refusal(f"{npz}:h").endswith("; arrays: 'g' (5, 3, 4)")
    many = written(tmp_path / "many.npz", npz_bytes(**{f"w{i}": G[0] for i in range(30)}))
    assert refusal(many).endswith("'w19' (3, 4) and 10 more")


def test_files_of_another_kind(tmp_path):
    for name in ("a.pt", "a.pkl", "a", "a.npy.gz"):
        said = refusal(written(tmp_path / name, NPY))
        assert said.startswith("need a file that ends in .npy, .npz, .safetensors, got file=")
    assert "zero bytes" in refusal("a\0.npy")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npy")
    assert refusal(tmp_path / "pipe.npy").startswith("need a file, got file=")


VALUES = [np.nan, np.inf, -np.inf]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f8"])
@pytest.mark.parametrize("kind", ["npy", "packed", "bfloat16", "array", "iterable"])
def test_nan_and_infinity_are_named_when_they_are_read(tmp_path, value, dtype, kind):
    g = gradients(dtype, (40, 3, 4))
    g[17, 2, 1] = value
    g[30, 0, 0] = np.nan
    if kind == "iterable":
        assert refusal(iter(g)) == f"need finite gradients, got step=17, entry=(2, 1), value={value!r}, file='gradients'"
        return
    sources = {
        "npy": lambda: written(tmp_path / "a.npy", npy_bytes(g)),
        "packed": lambda: written(tmp_path / "a.npz", npz_bytes(True, g=g)),
        "bfloat16": lambda: written(tmp_path / "a.safetensors", safetensors_bytes({"g": bfloat16(g)})),
        "array": lambda: g,
    }
    recording = opened(sources[kind]())
    expected = re.escape(f"need finite gradients, got step=17, entry=(2, 1), value={value!r}, file={recording.name!r}")
    with pytest.raises(ValueError, match=expected):
        list(recording.chunks(5 * 48))
    with pytest.raises(ValueError, match=expected):
        recording.take([3, 17])
    assert recording.take([*range(17), *range(18, 30)]).shape == (29, 3, 4)


ITERABLES = {
    "mixed shapes": ([G[0], G[1], G[2, :2]], "need gradients of one shape, (3, 4) as the first, got shape=(2, 4), step=2"),
    "transposed": ([G[0], G[1].T], "need gradients of one shape, (3, 4) as the first, got shape=(4, 3), step=1"),
    "mixed types": ([G[0], G[1].astype(float)], "need gradients of one type, float32 as the first, got dtype='float64'"),
    "none": ([], "need at least one gradient, got gradients=0"),
    "vectors": (G[0], None),
    "stacks": ([G], "need gradients of shape (m, n), got shape=(5, 3, 4), step=0"),
    "no entries": ([G[0, :0]], "need at least one entry, got shape=(0, 4), step=0"),
    "integers": ([[[1, 2]]], FLOATS.format("int64") + ", step=0"),
    "ragged": ([[[1.0, 2.0], [1.0]]], "need gradients that NumPy can read, got step=0"),
    "texts": (["ab"], "need gradients of shape (m, n), got shape=(), step=0"),
    "objects": ([OBJECTS[0]], FLOATS.format("object")),
    "complex": ([G[0] * 1j], FLOATS.format("complex64")),
}  # fmt: skip


@pytest.mark.parametrize("case", [x for x in ITERABLES if ITERABLES[x][1]])
def test_bad_iterables_name_the_step(case):
    steps, expected = ITERABLES[case]
    assert expected in refusal(iter(steps), "layer 3")
    assert "file='layer 3'" in refusal(iter(steps), "layer 3")


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint16, bool])
def test_whole_numbers_are_refused_with_a_remedy(tmp_path, dtype):
    np.save(tmp_path / "whole.npy", np.ones((2, 3, 4), dtype))
    for source in (tmp_path / "whole.npy", np.ones((2, 3, 4), dtype)):
        assert refusal(source).endswith('; convert it by .astype("float32")')
    assert "astype" not in refusal(np.ones((2, 3, 4), complex))


def test_bad_arrays():
    assert refusal(G[0]) == "need gradients of shape (K, m, n), got shape=(3, 4), file='gradients'"
    assert FLOATS.format("int64") in refusal(np.zeros((2, 3, 4), np.int64))
    assert FLOATS.format("object") in refusal(np.array([[[None]]]))
    assert "pickled objects are never loaded" in refusal(np.array([[[None]]]))
    assert refusal(3) == "need a file, an array or an iterable of arrays, got type='int'"
