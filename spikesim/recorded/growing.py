"""A .npy file of matrices that grows by one at a time, and is whole at any time.

The header keeps room for 21 digits of the count, as NumPy writes it, so that it can be written again in place.
"""

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from spikesim.errors import need
from spikesim.recorded.npy import header

STORED = np.dtype("<f4")


@dataclass
class Growing:
    """Matrices in a file.

    Attributes:
        path: The file.
        shape: (m, n).
        count: Matrices in it.
    """

    path: Path
    shape: tuple[int, int]
    count: int = 0

    @classmethod
    def opened(cls, path: Path, shape: tuple[int, int], append: bool) -> "Growing":
        """A new file; or, to append, one that is there, with all its whole steps.

        Raises:
            ValueError: If what is there is no file of such matrices.
            FileExistsError: If one is there and not to be appended to.
        """
        if append and path.exists() and path.stat().st_size:
            return cls(path, shape, _found(path, shape))
        made = cls(path, shape)
        with path.open("wb" if append else "xb") as file:
            file.write(made._header(0))
        return made

    def add(self, step: NDArray[np.float32]) -> None:
        """Append a matrix (m, n): its numbers first, then the count."""
        behind = len(self._header(self.count)) + self.count * step.nbytes
        with self.path.open("r+b") as file:
            file.seek(behind)
            file.write(step.data.cast("B"))
            file.flush()
            file.seek(0)
            file.write(self._header(self.count + 1))
        self.count += 1

    def flush(self) -> None:
        """Wait until it is on the disk."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())

    def _header(self, count: int) -> bytes:
        stream = io.BytesIO()
        shape = (count, *self.shape)
        npy.write_array_header_1_0(stream, {"descr": STORED.str, "fortran_order": False, "shape": shape})
        return stream.getvalue()


def _found(path: Path, shape: tuple[int, int]) -> int:
    """How many whole steps there are in a file of such matrices."""
    with path.open("rb") as file:
        layout = header(file, str(path))
        there = os.fstat(file.fileno()).st_size - layout.offset
    ours = len(Growing(path, shape)._header(0)) == layout.offset and not layout.fortran and layout.dtype == STORED
    need(ours, "a file that a recorder wrote, to append to", dtype=str(layout.dtype), file=str(path))
    need(layout.shape[1:] == shape, f"matrices of one shape, {layout.shape[1:]} as before", shape=shape, file=str(path))
    return min(layout.shape[0], there // (STORED.itemsize * shape[0] * shape[1]))
