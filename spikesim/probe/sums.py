"""Everything that one pass over a recording, in order of time, says of its signal and noise before any singular value.

Notation: G_t is step t of K; D_j = (G_{2j+1} - G_{2j})/sqrt 2, in which a signal that hardly moves in a step cancels, so that
D_j is noise of the same size as that of G. Signs put before D_j make noise-only averages with the same covariance. With a
twin G', gradients of other batches at the same weights, D_t = (G_t - G'_t)/sqrt 2 holds no signal at all.

Source: theory.md P3.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikesim import rng
from spikesim.errors import need
from spikesim.probe.plan import BLOCKS
from spikesim.probe.tails import Largest
from spikesim.recorded import Recording
from spikesim.stages.motion import Blocks

Floats = NDArray[np.float64]

LAGS = 24
DRAWS = 8
"""Signed sums of noise: those of the gradients pass for noise if they are not above all of them."""
ROWS, BYTES = 32, 1 << 26
"""Gradients that are taken at once, and what they may weigh, at most."""


LARGEST = {"float32": 1e30, "float64": 1e100}
"""Entries."""


@dataclass(frozen=True)
class Sums:
    """Sums by blocks of time, B of them.

    Attributes:
        shape: (K, m, n).
        dtype: Of what was read, a name.
        products: <G_t, G_{t+j}> for j = 0..LAGS, summed over the t of a block, (B, LAGS + 1).
        pairs: How many products are in each, (B, LAGS + 1).
        totals: Sums of gradients, (B, m, n).
        null: sum_j e_j D_j over the square root of their number, e_j random signs, (DRAWS, m, n): like noise of one gradient.
        norms: ‖G_t‖_F, (K,).
        sizes: ‖D_j‖_F, (K/2,), or (K,) with a twin.
        entries: The largest |entries| of D.
        blocks: Products of neighbouring blocks (stages/motion.py).
        shared: <G_t, G'_t> and <G_t, G'_{t+1}>, summed over the t of a block, (B, 2); None without a twin.
    """

    shape: tuple[int, int, int]
    dtype: str
    products: Floats
    pairs: Floats
    totals: Floats
    null: Floats
    norms: Floats
    sizes: Floats
    entries: Largest
    blocks: Blocks
    shared: Floats | None

    @property
    def mean(self) -> Floats:
        """Of all gradients, (m, n)."""
        return self.totals.sum(0) / self.shape[0]

    @property
    def counts(self) -> Floats:
        """Gradients in each block, (B,)."""
        return self.pairs[:, 0]


def sums_of(recording: Recording, seed: int, twin: Recording | None = None) -> Sums:
    """Read a recording once, and its twin if it has one."""
    count, m, n = recording.shape
    adder = _Adder(count, m * n, seed, twin is not None)
    most = max(1, min(ROWS, BYTES // (8 * m * n)))  # by the shape alone: the order of sums decides their last bits
    for first in range(0, count, most):
        steps = range(first, min(first + most, count))
        rows = _flat(need_size(recording.take(steps)))
        adder.take(first, rows, (m, n))
        if twin is not None:
            adder.compare(first, rows, _flat(twin.take(steps)))
    return Sums(
        recording.shape, recording.dtype.name,
        adder.products, adder.pairs, adder.totals.reshape(BLOCKS, m, n), adder.null.reshape(DRAWS, m, n),
        np.asarray(adder.norms), np.asarray(adder.sizes), adder.entries, adder.blocks,
        None if twin is None else adder.shared,
    )  # fmt: skip


def need_size(chunk: NDArray[np.floating]) -> NDArray[np.floating]:
    """Gradients, but numbers whose squares have no place in the recording's type are refused."""
    largest, most = float(np.abs(chunk).max()), LARGEST[chunk.dtype.name]
    hint = "scale them by a power of two"
    need(largest <= most, f"gradients of {chunk.dtype.name} up to {most:g}", hint, largest=largest)
    return chunk


def _flat(chunk: NDArray[np.floating]) -> Floats:
    """A gradient a row."""
    return np.asarray(chunk, np.float64).reshape(len(chunk), -1)


class _Adder:
    """The sums so far."""

    def __init__(self, count: int, entries: int, seed: int, twin: bool) -> None:
        pairs = count if twin else count // 2
        self._block = np.arange(count) * BLOCKS // count
        self.products, self.pairs = np.zeros((BLOCKS, LAGS + 1)), np.zeros((BLOCKS, LAGS + 1))
        self.totals, self.null = np.zeros((BLOCKS, entries)), np.zeros((DRAWS, entries))
        self.norms: list[float] = []
        self.sizes: list[float] = []
        self.entries = Largest(pairs * entries)
        self.shared = np.zeros((BLOCKS, 2))
        self.blocks = Blocks(float(max(16, count)))
        self._signs = rng.generator(seed, rng.PROBE, 1).choice([-1.0, 1.0], (DRAWS, pairs)) / np.sqrt(pairs)
        self._before = np.zeros((0, entries))
        self._odd: Floats | None = None
        self._twin = twin

    def take(self, first: int, rows: Floats, shape: tuple[int, int]) -> None:
        """Take gradients `first`, first + 1, ..., one a row."""
        self._correlate(first, rows)
        self.norms += np.linalg.norm(rows, axis=1).tolist()
        for i, row in enumerate(rows):
            self.totals[self._block[first + i]] += row
            self.blocks.push(row.reshape(1, *shape))
        if not self._twin:
            self._pair(first, rows)

    def compare(self, first: int, rows: Floats, others: Floats) -> None:
        """Take the twin's gradients of the same steps; their product with the step before is that step's."""
        same = np.flatnonzero(np.all(rows == others, axis=1) & np.any(rows != 0, axis=1))
        need(same.size == 0, "a twin of other batches than the recording's", same_at_step=first + int(same[:1].sum()))
        here = self._block[first : first + len(rows)]
        np.add.at(self.shared[:, 0], here, np.einsum("ij,ij->i", rows, others))
        before = rows if self._odd is None else np.concatenate([self._odd[None], rows])
        late = others[len(rows) + 1 - len(before) :]
        blocks = self._block[first + len(rows) - 1 - len(late) : first + len(rows) - 1]
        np.add.at(self.shared[:, 1], blocks, np.einsum("ij,ij->i", before[:-1], late))
        self._odd = rows[-1].copy()
        self._noise(first + np.arange(len(rows)), (rows - others) / np.sqrt(2), here)

    def _correlate(self, first: int, rows: Floats) -> None:
        seen = np.concatenate([self._before, rows])
        gram, behind = rows @ seen.T, len(self._before)
        for i in range(len(rows)):
            for lag in range(min(LAGS, behind + i) + 1):
                block = self._block[first + i - lag]
                self.products[block, lag] += gram[i, behind + i - lag]
                self.pairs[block, lag] += 1
        self._before = seen[-LAGS:]

    def _pair(self, first: int, rows: Floats) -> None:
        """Differences of steps 2j and 2j + 1."""
        if self._odd is not None:
            rows, first = np.concatenate([self._odd[None], rows]), first - 1
        whole = len(rows) // 2 * 2
        self._odd = rows[-1].copy() if whole < len(rows) else None
        if not whole:
            return
        apart = (rows[1:whole:2] - rows[:whole:2]) / np.sqrt(2)
        number = first // 2 + np.arange(whole // 2)
        self._noise(number, apart, self._block[2 * number])

    def _noise(self, number: NDArray[np.int64], apart: Floats, blocks: NDArray[np.int64]) -> None:
        """Differences that are noise alone, one a row."""
        self.null += self._signs[:, number] @ apart
        self.sizes += np.linalg.norm(apart, axis=1).tolist()
        self.entries.take(np.abs(apart), blocks)
