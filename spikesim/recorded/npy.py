"""The .npy format, versions 1 to 3: the header, and the array behind it, memory-mapped and read-only."""

import io
import math
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from spikesim.errors import need
from spikesim.recorded.checks import need_stream, whole

LONGEST_HEADER = 10_000
"""Bytes, as in NumPy: headers are evaluated as Python literals, which must not be long."""
HEADERS = {
    (1, 0): (2, npy.read_array_header_1_0),
    (2, 0): (4, npy.read_array_header_2_0),
    (3, 0): (4, npy.read_array_header_2_0),  # differs in the names of fields only, and arrays of fields are refused
}
"""Of a version: bytes that hold the header's length, and its parser."""


@dataclass(frozen=True)
class Layout:
    """Where the numbers of an array lie in a file, and how.

    Attributes:
        shape: Of the array.
        dtype: Of its numbers, as stored.
        offset: Bytes before them.
        fortran: The first axis runs fastest.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int
    fortran: bool = False

    @property
    def size(self) -> int:
        """Bytes of the numbers."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def order(self) -> Literal["C", "F"]:
        """For NumPy."""
        return "F" if self.fortran else "C"

    def mapped(self, path: Path) -> NDArray[Any]:
        """The array, which memory need not hold."""
        return np.memmap(path, self.dtype, "r", self.offset, self.shape, self.order)


def header(stream: IO[bytes], file: str) -> Layout:
    """What a .npy header says; the stream is left behind it.

    Raises:
        ValueError: If it is cut, longer than LONGEST_HEADER or not a header.
    """
    with whole(".npy", file):
        version = npy.read_magic(stream)
        need(version in HEADERS, "a .npy version from 1.0 to 3.0", version=version)
        width, parse = HEADERS[version]
        counted = stream.read(width)
        length = int.from_bytes(counted, "little")
        need(length <= LONGEST_HEADER, f"a header of at most {LONGEST_HEADER} bytes", length=length)
        text = stream.read(length)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on Python 2's long integers, and on old names of types
            shape, fortran, dtype = parse(io.BytesIO(counted + text))
        need(all(type(n) is int and n >= 0 for n in shape), "a shape of counts", shape=shape)
        return Layout(shape, dtype, npy.MAGIC_LEN + width + length, fortran)


def opened_npy(path: Path) -> NDArray[Any]:
    """The stream in a .npy file. Bytes behind the array are left alone, as NumPy does."""
    with path.open("rb") as file:
        layout = header(file, str(path))
        need_stream(layout.shape, layout.dtype, str(path))
        there = os.fstat(file.fileno()).st_size - layout.offset
    need(
        layout.size <= there, "a whole .npy file", bytes_of_data=there, wanted=layout.size, shape=layout.shape, file=str(path)
    )
    return layout.mapped(path)
