"""A recording: a stream of gradients (K, m, n), of which never more than a chunk is in memory."""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import need
from spikesim.recorded.checks import decoded, need_finite, need_stream, read_type

BATCH = 1 << 18
"""Bytes that are converted and looked through at a time, so that they are still in cache."""


class Raw(Protocol):
    """Numbers as stored, (K, m, n): an array, most often a mapped one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(K, m, n)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """As stored."""

    def __getitem__(self, steps: NDArray[np.intp]) -> NDArray[Any]:
        """These steps, (len(steps), m, n)."""


class Recording:
    """Gradients (K, m, n) that can be read in any order, each finite, and closed.

    A context manager. A temporary file behind it is gone when it is closed or collected.

    Attributes:
        name: The file and the name in it, or "gradients": for errors.
        title: The same without the folders of the file: for pages, which others read.
        dtype: Of what is read: float32 or float64.
    """

    def __init__(self, raw: Raw, name: str, title: str = "") -> None:
        need_stream(raw.shape, raw.dtype, name)
        self._raw: Raw | None = raw
        self._shape = raw.shape
        self.name = name
        self.title = title or name
        self.dtype = read_type(raw.dtype)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(K, m, n)."""
        k, m, n = self._shape
        return k, m, n

    def __len__(self) -> int:
        return self._shape[0]

    def __repr__(self) -> str:
        return f"Recording({self.name!r}, shape={self.shape}, dtype={self.dtype.name})"

    def take(self, indices: Sequence[int] | NDArray[np.integer] | range) -> NDArray[Any]:
        """A copy of some steps.

        Args:
            indices: Numbers of steps from 0, in any order, again and again if wanted.

        Returns:
            Shape (len(indices), m, n), contiguous, float32 or float64 (dtype).

        Raises:
            ValueError: For steps that are not there, NaN or infinity (with the step and the entry), or after close.
        """
        raw = self._raw
        if raw is None:
            raise ValueError(f"need an open recording, got closed={self.name!r}")
        steps = np.asarray(indices)
        need(steps.ndim == 1 and (steps.dtype.kind in "iu" or not steps.size), "a list of steps", indices=indices)
        steps = steps.astype(np.intp)
        outside = steps[(steps < 0) | (steps >= len(self))]
        need(
            not outside.size, f"steps from 0 to {len(self) - 1}", step=int(outside[0]) if outside.size else 0, file=self.name
        )
        taken = np.empty((len(steps), *self.shape[1:]), self.dtype)
        batch = max(1, BATCH // self.step_bytes)
        for first in range(0, len(steps), batch):
            some = steps[first : first + batch]
            taken[first : first + batch] = decoded(raw[some], self.dtype)
            need_finite(taken[first : first + batch], some, self.name)
        return taken

    @property
    def step_bytes(self) -> int:
        """Of one gradient as it is read."""
        _, m, n = self.shape
        return m * n * self.dtype.itemsize

    def chunks(self, bytes: int = 1 << 26) -> Iterator[tuple[int, NDArray[Any]]]:  # noqa: A002
        """All steps in order of time.

        Args:
            bytes: Of a chunk at most, but one step at least.

        Yields:
            The number of a chunk's first step, and the chunk, (k, m, n), as of take; none is kept here.
        """
        need(bytes > 0, "bytes > 0", bytes=bytes)
        many = max(1, bytes // self.step_bytes)
        for first in range(0, len(self), many):
            yield first, self.take(range(first, min(first + many, len(self))))

    def close(self) -> None:
        """Let go of the file; what was taken stays."""
        self._raw = None

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()


def need_steps(recording: Recording, wanted: int, why: str) -> None:
    """Refuse a recording that is too short.

    Args:
        recording: The gradients.
        wanted: How many are needed.
        why: What for, as it follows "gradients".

    Raises:
        ValueError: If there are fewer.
    """
    need(len(recording) >= wanted, f"at least {wanted} gradients {why}", gradients=len(recording), file=recording.name)
