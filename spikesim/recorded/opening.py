"""Gradients from wherever they are: a file, an array, or an iterable."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from spikesim.arrays import host
from spikesim.errors import need
from spikesim.recorded.npy import opened_npy
from spikesim.recorded.npz import opened_npz
from spikesim.recorded.recording import Recording
from spikesim.recorded.safetensors import opened_safetensors
from spikesim.recorded.spool import spooled

MEMORY = 1 << 28
"""Bytes of an iterable, or of a packed .npz entry, that are held in memory; more goes to a temporary file."""
UNPACKED = 1 << 32
"""Bytes that a packed .npz entry may unpack to."""
SUFFIXES = ".npy", ".npz", ".safetensors"
GIVEN = "gradients"
_NAMED = re.compile(r"(.*?\.(?:npz|safetensors)):(.+)", re.IGNORECASE | re.DOTALL)


def opened(source: object, name: str | None = None, *, memory: int = MEMORY, unpacked: int = UNPACKED) -> Recording:
    """A recording: a stream of gradients (K, m, n).

    Args:
        source: A .npy, .npz or .safetensors file, opened for reading only and mapped where it can be; "FILE.npz:NAME"
            names the array. Or an array (K, m, n). Or an iterable of gradients (m, n), which is gone through once.
        name: Of the array in a .npz or .safetensors file; otherwise what errors call the gradients.
        memory: Bytes of an iterable, or of a packed .npz entry, that are held in memory; more goes to a temporary file.
        unpacked: Bytes that a packed .npz entry may unpack to.

    Returns:
        The recording; close it, or use it in a `with` statement.

    Raises:
        ValueError: For anything but finite floating numbers (K, m, n), none of them 0. NaN and infinity in a file or an array
            are found when they are read. No pickled object is ever loaded.
        OSError: If a file cannot be opened.
    """
    if isinstance(source, Recording):
        return source
    if isinstance(source, str | os.PathLike):
        return _from_file(os.fspath(source), name, memory, unpacked)
    called = name or GIVEN
    if hasattr(source, "__array__") or hasattr(source, "ndim"):
        return Recording(host(source), called)
    if isinstance(source, Iterable):
        return Recording(spooled(source, called, memory), called)
    raise ValueError(f"need a file, an array or an iterable of arrays, got type={type(source).__name__!r}")


def _from_file(source: str | bytes, name: str | None, memory: int, unpacked: int) -> Recording:
    """Of a path, which may name an array as well."""
    path, name = _parted(os.fsdecode(source), name)
    if not path.is_dir():  # which open() has a word for
        need(not path.exists() or path.is_file(), "a file", file=str(path))
    suffix = path.suffix.lower()
    called = "folder" if path.is_dir() else "file"
    need(suffix in SUFFIXES, f"a file that ends in {', '.join(SUFFIXES)}", **{called: str(path)})
    if suffix == ".npy":
        need(name is None, "no name for the one array of a .npy file", name=name, file=str(path))
        return Recording(opened_npy(path), str(path), path.name)
    if suffix == ".npz":
        packed, name = opened_npz(path, name, memory, unpacked)
        return Recording(packed, f"{path}:{name}", f"{path.name}:{name}")
    raw, name = opened_safetensors(path, name)
    return Recording(raw, f"{path}:{name}", f"{path.name}:{name}")


def _parted(text: str, name: str | None) -> tuple[Path, str | None]:
    """The path and the name in FILE.npz:NAME, unless a file is called just that."""
    need("\0" not in text, "a path without zero bytes", file=text)
    said = _NAMED.fullmatch(text)
    if said is None or name is not None or Path(text).exists():
        return Path(text), name
    return Path(said[1]), said[2]
