"""The safetensors format: 8 bytes that count a JSON header, the header, and the numbers as they lie in memory.

Read here and not by the package of that name, which hands no bfloat16 to NumPy, copies what it reads rather than mapping it,
and answers damaged files with errors of its own type. Its rules are kept: every byte belongs to just one tensor.
A stream is one tensor (K, m, n), or matrices with one name but for the number of the step: grad.0001, grad.0002, ...
"""

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import need
from spikesim.recorded import entries
from spikesim.recorded.checks import BFLOAT16, need_stream, whole
from spikesim.recorded.npy import Layout

LONGEST_HEADER = 1 << 24
"""Bytes: some 100,000 tensors."""
COUNT = 8
METADATA = "__metadata__"
TYPES: dict[str, np.dtype[Any]] = {"F64": np.dtype("<f8"), "F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": BFLOAT16}
WIDTHS = {"F4": 0.5, "F6_E2M3": 0.75, "F6_E3M2": 0.75, "C64": 8, "I64": 8, "U64": 8, "I32": 4, "U32": 4, "I16": 2, "U16": 2}
"""Bytes of a number of the types that no gradient has; those not here have one."""


@dataclass(frozen=True, eq=False)
class Scattered:
    """Matrices that lie anywhere in a file, as the steps of a stream."""

    matrices: tuple[NDArray[Any], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """(K, m, n)."""
        return (len(self.matrices), *self.matrices[0].shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """As stored."""
        return self.matrices[0].dtype

    def __getitem__(self, steps: NDArray[np.intp]) -> NDArray[Any]:
        return np.stack([self.matrices[i] for i in steps])


@dataclass(frozen=True)
class Tensor:
    """What the header says of one: type, shape, and its bytes [first, after) among the numbers."""

    kind: str
    shape: tuple[int, ...]
    first: int
    after: int

    @classmethod
    def parsed(cls, said: Any) -> "Tensor":
        """From JSON.

        Raises:
            ValueError: If counts are none, or the bytes not those that shape and type need.
        """
        need(
            isinstance(said, dict) and set(said) == {"dtype", "shape", "data_offsets"},
            "dtype, shape and data_offsets",
            entry=said,
        )
        kind, shape, place = said["dtype"], said["shape"], said["data_offsets"]
        need(isinstance(kind, str) and isinstance(shape, list) and isinstance(place, list), "a name and lists", entry=said)
        need(all(type(n) is int and n >= 0 for n in (*shape, *place)) and len(place) == 2, "counts", shape=shape, place=place)
        tensor = cls(kind, tuple(shape), *place)
        wide = TYPES[kind].itemsize if kind in TYPES else WIDTHS.get(kind, 1)
        bytes_ = tensor.after - tensor.first
        need(bytes_ == math.prod(shape) * wide, "bytes for every number", shape=shape, dtype=kind, place=place)
        return tensor


def opened_safetensors(path: Path, name: str | None) -> tuple[NDArray[Any] | Scattered, str]:
    """The stream in a .safetensors file, memory-mapped, and its name there.

    Args:
        path: The file.
        name: Of a tensor (K, m, n), or of matrices but for their number; where left out, there must be just one.

    Raises:
        ValueError: For a damaged file, or no such stream.
    """
    with path.open("rb") as file:
        tensors, base = _tensors(file, str(path))
    shapes = {key: tensor.shape for key, tensor in tensors.items()}
    series = entries.steps(shapes)
    if name is None and len(series) == 1 and not any(len(shape) == 3 for shape in shapes.values()):
        (name,) = series
    if name in series and name not in shapes:
        return _scattered(path, base, {key: tensors[key] for key in series[name]}), name
    name = entries.chosen(shapes, name, str(path))
    layout = _layout(tensors[name], base, f"{path}:{name}")
    need_stream(layout.shape, layout.dtype, f"{path}:{name}")
    return layout.mapped(path), name


def _tensors(file: IO[bytes], where: str) -> tuple[dict[str, Tensor], int]:
    """What the header says of every tensor, and where the numbers begin."""
    with whole(".safetensors", where):
        size, counted = os.fstat(file.fileno()).st_size, file.read(COUNT)
        need(len(counted) == COUNT, f"{COUNT} bytes before the header", bytes=len(counted))
        length = int.from_bytes(counted, "little")
        need(
            length <= min(size - COUNT, LONGEST_HEADER),
            f"a header within the file, of at most {LONGEST_HEADER} bytes",
            length=length,
            file_size=size,
        )
        said = json.loads(file.read(length).decode(), object_pairs_hook=_unique)
        need(isinstance(said, dict), "a JSON object", header=type(said).__name__)
        tensors = {key: Tensor.parsed(x) for key, x in said.items() if key != METADATA}
        end = 0
        for tensor in sorted(tensors.values(), key=lambda x: (x.first, x.after)):
            need(tensor.first == end, "tensors one behind the other", begins=tensor.first, last_ended=end)
            end = tensor.after
        need(
            end == size - COUNT - length,
            "a file that ends with its last tensor",
            ends=end,
            bytes_of_data=size - COUNT - length,
        )
    return tensors, COUNT + length


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    need(len(found) == len(pairs), "every name once", names=len(pairs), different=len(found))
    return found


def _layout(tensor: Tensor, base: int, where: str) -> Layout:
    need(tensor.kind in TYPES, f"a tensor of type {', '.join(TYPES)}", dtype=tensor.kind, file=where)
    return Layout(tensor.shape, TYPES[tensor.kind], base + tensor.first)


def _scattered(path: Path, base: int, tensors: Mapping[str, Tensor]) -> Scattered:
    """Matrices of one shape and type as a stream."""
    (first, like), *_ = tensors.items()
    numbers = [int(re.split(r"[._/-]", key)[-1]) for key in tensors]
    twice = [n for n, m in pairwise(numbers) if n == m]
    need(not twice, "every step once", step=twice[0] if twice else 0, file=str(path))
    for key, tensor in tensors.items():
        same = (tensor.shape, tensor.kind) == (like.shape, like.kind)
        alike = f"matrices of one shape and type, as {first!r}: {like.shape} {like.kind}"
        need(same, alike, shape=tensor.shape, dtype=tensor.kind, file=f"{path}:{key}")
    layouts = [_layout(tensor, base, f"{path}:{key}") for key, tensor in tensors.items()]
    need_stream((len(layouts), *like.shape), layouts[0].dtype, str(path))
    everything = np.memmap(path, np.uint8, "r")
    return Scattered(tuple(np.ndarray(x.shape, x.dtype, everything, x.offset) for x in layouts))
