"""What comes once and may be more than memory holds: kept in memory up to a limit, and in a temporary file beyond it.

The file has no name from the start where the system allows that, so nothing is left of it even after a kill.
It lies in Python's folder for temporary files: set TMPDIR to one with room.
"""

import io
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from spikesim.arrays import host
from spikesim.errors import need
from spikesim.recorded.checks import decoded, need_finite, read_type


class Spool:
    """Bytes that are appended, and seen as an array at last. The array lives on when the spool is closed."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._file: IO[bytes] = io.BytesIO()

    def write(self, data: bytes | memoryview) -> None:
        """Append; beyond the limit all goes to a file.

        Raises:
            OSError: With the folder's name, where it is full.
        """
        held = isinstance(self._file, io.BytesIO)
        try:
            if held and self._file.tell() + len(data) > self._memory:
                self._to_disk()
            self._file.write(data)
            if not held:
                self._file.flush()
        except OSError as error:
            raise OSError(error.errno, error.strerror, tempfile.gettempdir()) from error

    def _to_disk(self) -> None:
        assert isinstance(self._file, io.BytesIO)
        with self._file as before:
            self._file = tempfile.TemporaryFile(prefix="spikesim-")  # noqa: SIM115
            self._file.write(before.getbuffer())

    def array(self, shape: tuple[int, ...], dtype: np.dtype[Any], order: Literal["C", "F"] = "C") -> NDArray[Any]:
        """All bytes as one array, read-only."""
        if isinstance(self._file, io.BytesIO):
            held: NDArray[Any] = np.ndarray(shape, dtype, self._file.getbuffer(), order=order)
            held.flags.writeable = False
            return held
        self._file.flush()
        return np.memmap(self._file, dtype, "r", 0, shape, order)

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        if not isinstance(self._file, io.BytesIO):  # whose bytes the array looks at
            with suppress(OSError):  # what is not on a full disk then is missed by nobody
                self._file.close()


def matrix(step: object, number: int, name: str) -> NDArray[Any]:
    """One gradient of an iterable, finite, (m, n), in the type in which it is read."""
    try:
        found = host(step)
    except (TypeError, ValueError, RuntimeError) as error:
        said = " ".join(str(error).split())
        raise ValueError(f"need gradients that NumPy can read, got step={number}, reason={said!r}, file={name!r}") from error
    need(found.ndim == 2, "gradients of shape (m, n)", shape=found.shape, step=number, file=name)
    need(found.size, "at least one entry", shape=found.shape, step=number, file=name)
    x = np.ascontiguousarray(decoded(found, read_type(found.dtype, step=number, file=name)))
    need_finite(x[None], range(number, number + 1), name)
    return x


def spooled(steps: Iterable[object], name: str, memory: int) -> NDArray[Any]:
    """The stream (K, m, n) of an iterable of gradients (m, n), which is gone through once.

    Raises:
        ValueError: If it is empty, or a gradient has another shape or number type than the first, or is not finite.
    """
    count, shape, dtype = 0, (0, 0), np.dtype(np.float32)
    with Spool(memory) as spool:
        for step in steps:
            x = matrix(step, count, name)
            if count == 0:
                (m, n), dtype = x.shape, x.dtype
                shape = (m, n)
            need(x.shape == shape, f"gradients of one shape, {shape} as the first", shape=x.shape, step=count, file=name)
            need(x.dtype == dtype, f"gradients of one type, {dtype} as the first", dtype=str(x.dtype), step=count, file=name)
            spool.write(x.data.cast("B"))
            count += 1
        need(count, "at least one gradient", gradients=count, file=name)
        return spool.array((count, *shape), dtype)
