"""Recordings of gradients: files of every format with damage, lies and traps in them, read by `spikesim probe`."""

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import nasty
import numpy as np
from oracle import Case

TYPES = "<f4", "<f8", ">f8", ">f4", "<f2", "<i4", "<c8", "|b1", "<U2", "|S3", "<M8[s]", "|V4", "<f16"
SHAPES = (
    (60, 3, 4),
    (48, 1, 1),
    (0, 3, 4),
    (60, 0, 4),
    (60, 3, 0),
    (60,),
    (),
    (1, 60, 3, 4),
    (3, 4, 60),
    (49, 1, 5),
    (2, 3, 4),
)
HEADERS = (
    "{'descr': '<f4', 'fortran_order': False, 'shape': (10**9, 9, 9)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 1000000000000, 9)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-60, -3, 4)}",
    "{'descr': [('a', '<f4'), ('b', '|O')], 'fortran_order': False, 'shape': (60, 3, 4)}",
    "{'descr': '|O', 'fortran_order': False, 'shape': (60, 3, 4)}",
    "{'descr': 'f4,f4', 'fortran_order': 1, 'shape': (60, 3, 4)}",
    "{'descr': __import__('os').mkdir('evil'), 'fortran_order': False, 'shape': (60, 3, 4)}",
    "(" * 5000, "[" * 9000, "{'descr': ('<f4', (1000000000,)), 'fortran_order': False, 'shape': (60, 3, 4)}",
)  # fmt: skip
MEMBERS = "g.npy", "../../evil.npy", "/evil.npy", "a/b.npy", "ü.npy", "x" * 300 + ".npy", "\n.npy", ".npy", "g", "g.npy.npy"
OPTIONS = (
    ("--kind", ("stationary", "trajectory", "both", "")), ("--window", ("1", "2", "3", "0.5", "nan", "inf", "1e300", "4", "-1")),
    ("--rank", ("1", "2", "0", "-1", "99999999999999999999", "3")), ("--reach", ("0.5", "0", "1", "nan", "-inf", "1e-300")),
    ("--readings", ("20", "24", "0", "-5", "10000000")), ("--seed", ("0", "-1", "18446744073709551616", "7")),
    ("--pipeline", nasty.TEXTS),
)  # fmt: skip


class Trap:
    """A pickle that makes a folder when it is loaded."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, ("evil",)


def case(draw: nasty.Random, work: Path) -> Case:
    """A recording in a folder, and how it is probed."""
    suffix = draw.choice([".npy", ".npz", ".safetensors"])
    content = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors}[suffix](draw)
    if draw.random() < 0.3:
        content = nasty.damaged(draw, content)
    path = work / ("gradients" + draw.choice([*[suffix] * 12, suffix.upper(), ".npy", ".npz", ".safetensors"]))
    path.write_bytes(content)
    named = draw.choice([*[""] * 12, ":g", ":../../evil", ":", ":\n", ":" + "x" * 300])
    options = ["--json"] if draw.random() < 0.5 else []
    for name, values in OPTIONS:
        while draw.random() < 0.07:
            options += [f"{name}={draw.choice(values)}".replace("\x00", "\x01")]
    if draw.random() < 0.2:
        options += ["--kind=trajectory", f"--twin={path.name}"]
    return Case(("probe", path.name + named, *options))


def _array(draw: nasty.Random) -> np.ndarray:
    """Numbers, mostly good ones."""
    shape = SHAPES[0] if draw.random() < 0.8 else draw.choice(SHAPES)
    dtype = np.dtype("<f4" if draw.random() < 0.7 else draw.choice(TYPES))
    made = np.random.default_rng(draw.randrange(1000)).normal(size=shape) * draw.choice(
        [*[1.0] * 8, 1e-30, 1e30, 1e-160, 1e160, 0.0, 5e-324]
    )
    with np.errstate(all="ignore"):
        array = np.asarray(made, dtype="f8").astype(dtype if dtype.kind in "fic" else "f8")
    if dtype.kind not in "fic":
        array = np.zeros(shape, dtype)
    elif draw.random() < 0.4 and array.size:
        at = draw.randrange(array.size)
        array.reshape(-1)[at : at + draw.choice([1, 12, 10**6])] = draw.choice(
            [0, 1, 1, 2, *([np.nan, np.inf, -np.inf] if dtype.kind != "i" else [])]
        )
    return np.asfortranarray(array) if draw.random() < 0.3 else array


def _npy(draw: nasty.Random) -> bytes:
    stream = io.BytesIO()
    kind = draw.randrange(8)
    if kind == 0:
        text = draw.choice(HEADERS).encode()
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + b"\x00" * 1000
    if kind == 1:
        trapped = np.full((60, 3, 4), None, object)
        trapped[0, 0, 0] = Trap()
        np.lib.format.write_array(stream, trapped, allow_pickle=True)
        return draw.choice([stream.getvalue(), pickle.dumps(Trap())])
    np.lib.format.write_array(stream, _array(draw), draw.choice([None, (1, 0), (2, 0), (3, 0)]))
    return stream.getvalue()


def _npz(draw: nasty.Random) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", draw.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])) as archive:
        for name in dict.fromkeys(draw.choice(MEMBERS) for _ in range(draw.choice([0, *[1] * 6, 2, 3]))):
            archive.writestr(name, _npy(draw))
    return stream.getvalue()


@cache
def _tensor() -> bytes:
    return np.random.default_rng(0).normal(size=(60, 3, 4)).astype("<f4").tobytes()


def _safetensors(draw: nasty.Random) -> bytes:
    size = len(_tensor())
    head: dict[str, Any] = {"g": {"dtype": "F32", "shape": [60, 3, 4], "data_offsets": [0, size]}}
    if draw.random() < 0.5:
        tensor, lie = (
            head["g"],
            draw.choice([-1, 0, 1.0, 2**63, 10**30, "3", None, [], [0], [60, 3], [0, 2**64], [size, 0], True]),
        )
        key = draw.choice([*tensor, "extra"])
        if isinstance(tensor.get(key), list) and draw.random() < 0.7:
            tensor[key][draw.randrange(len(tensor[key]))] = lie
        else:
            tensor[key] = lie
    if draw.random() < 0.3:
        head[draw.choice(["h", "g.1", "__metadata__", "ü\n\x1b[0m", "y" * 5000])] = draw.choice(
            [head["g"], 1, {"format": "pt"}, {"a": 1}]
        )
    text = json.dumps(head)
    if draw.random() < 0.1:
        text = draw.choice([text[:-1] + ', "g": 1}', "[" * 100_000, "[]", "1", "NaN", text + " " * 1000])
    length = draw.choice([len(text)] * 8 + [0, 1, 2**63, 2**64 - 1, len(text) + 8])
    return struct.pack("<Q", length) + text.encode("utf-8", "surrogatepass") + _tensor()
