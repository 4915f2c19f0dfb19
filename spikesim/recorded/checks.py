"""What a recording may be: floating numbers, three axes, nothing empty; and what is said of damaged files."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import need

FLOATS = "numbers of type float16, bfloat16, float32 or float64"
LONGEST = 200
"""Characters kept of what another library said."""
BFLOAT16 = np.dtype([("bfloat16", "<u2")])
"""Upper halves of float32 numbers, which NumPy has no type for."""


def read_type(dtype: np.dtype[Any], **where: object) -> np.dtype[Any]:
    """The number type in which a stream is read: float64 stays, smaller ones become float32.

    Raises:
        ValueError: For anything but floating numbers of 16, 32 or 64 bits.
    """
    need(not dtype.hasobject, FLOATS, "pickled objects are never loaded", dtype=str(dtype), **where)
    small = dtype == BFLOAT16 or dtype.name == "bfloat16"
    remedy = 'convert it by .astype("float32")' if dtype.kind in "biu" else ""
    need(small or (dtype.kind == "f" and dtype.itemsize in (2, 4, 8)), FLOATS, remedy, dtype=str(dtype), **where)
    return np.dtype(np.float64 if dtype.itemsize == 8 else np.float32)


def need_stream(shape: tuple[int, ...], dtype: np.dtype[Any], file: str) -> None:
    """Refuse what is not a stream of gradients, before any of it is read."""
    need(len(shape) == 3, "gradients of shape (K, m, n)", shape=shape, file=file)
    need(min(shape) > 0, "at least one gradient with at least one entry", shape=shape, file=file)
    read_type(dtype, file=file)


def decoded(raw: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Numbers as they are stored, in the type in which they are read (read_type) and in native byte order."""
    if raw.dtype == BFLOAT16:
        return (raw["bfloat16"].astype(np.uint32) << 16).view(np.float32)
    with np.errstate(all="ignore"):  # a NaN may signal; it is looked for next
        return raw.astype(dtype, copy=False)


def need_finite(steps: NDArray[Any], numbers: NDArray[np.intp] | range, file: str) -> None:
    """Refuse NaN and infinity, naming the first: its step, and its entry in that gradient.

    Args:
        steps: Shape (k, m, n).
        numbers: Which steps these are, (k,).
        file: Where they are from.
    """
    finite = np.isfinite(steps)
    if finite.all():
        return
    step, row, column = (int(i) for i in np.argwhere(~finite)[0])
    found = float(steps[step, row, column])
    need(False, "finite gradients", step=int(numbers[step]), entry=(row, column), value=found, file=file)


@contextmanager
def whole(kind: str, file: str) -> Iterator[None]:
    """Whatever a reader trips over in a damaged file is one ValueError that names the file."""
    try:
        yield
    except Exception as error:
        kind_of = "" if type(error) is ValueError else f"{type(error).__name__}: "
        said = " ".join(f"{kind_of}{error}".split())
        need(False, f"a whole {kind} file", file=file, reason=said if len(said) <= LONGEST else said[:LONGEST] + "...")
