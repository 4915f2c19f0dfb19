"""Method "stream": every step drawn, any noise law, nothing stored but the buffers of the windows.

A `Stream` holds a block of trials. Its kernel adds each step's noise to the sums of all windows at once; where a
pipeline needs the gradients themselves, they come out chunk by chunk.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikesim import rng
from spikesim.arrays import Array
from spikesim.devices.cpu import CPU
from spikesim.errors import need
from spikesim.kernels.fills import BLOCK, STEPS
from spikesim.model import SpikedModel

FACTORS = 256
"""Steps whose factors are drawn at once, at least."""


class Stream:
    """Noise of a block of trials and its exponential moving averages, from zero.

    Args:
        model: What to draw.
        seed: Seed in [0, 2^64).
        trials: Global trial numbers, B of them.
        betas: (K,) momenta.
        dtype: Of accumulators and results.
        signal: (m, n), added to the noise that `advance` returns, and to nothing else; none where left out.
        device: Whose arrays results are, signal too.
    """

    def __init__(
        self, model: SpikedModel, seed: int, trials: Sequence[int], betas: NDArray[np.float64], dtype: np.dtype,
        signal: Array | None = None, device: CPU | None = None,
    ) -> None:  # fmt: skip
        self.model, self.seed, self.trials, self.dtype = model, seed, trials, np.dtype(dtype)
        self.step, self.device = 0, device or CPU()
        array, noise = self.device.array, model.noise
        self._parameters = array(noise.parameters or (0.0,), np.float64)
        self._scale = array(noise.entry_scale(model.shape), self.dtype)
        self._mean = array(noise.mean, self.dtype)
        xp = self.device.xp
        every = xp.zeros(model.shape, dtype=self._mean.dtype)
        shift = every + self._mean if signal is None else xp.astype(signal, every.dtype) + self._mean
        self._finish = xp.reshape(every + self._scale, (-1,)), xp.reshape(shift, (-1,))  # of what the kernel writes out
        self._betas = np.asarray(betas, self.dtype)
        self._momenta = array(np.append(self._betas, 0), self.dtype)  # the last one keeps the newest step
        padded = padded_entries(model.shape, self.device.pad)
        self._sums = xp.zeros((len(trials), self._betas.size + 1, padded), dtype=every.dtype)
        self._memory = xp.zeros((len(trials), padded), dtype=xp.float64)
        self._drawn, self._drawn_from = np.empty((len(trials), 0)), 0
        if noise.remembers:
            self._start()

    def _start(self) -> None:
        """What precedes step 0 of a recursive law: a standard normal, then its burn-in."""
        xp = self.device.xp
        one, no = xp.ones(1, dtype=xp.float64), xp.zeros(0, dtype=xp.float64)
        none = xp.zeros((len(self.trials), 0), dtype=xp.float64)
        burn = -(-self.model.noise.burn_in // STEPS) * STEPS
        at = self.trials, rng.START, rng.key(self.seed), self._parameters, no, no
        first = xp.zeros((len(self.trials), 1, self._memory.shape[1]), dtype=xp.float64)
        self.device.draw("gaussian", first, none, xp.zeros_like(self._memory), one, none, 0, 1, *at)
        self._memory = xp.reshape(first, self._memory.shape)
        sums = xp.zeros((len(self.trials), 0, self._memory.shape[1]), dtype=xp.float64)
        self.device.draw(self.model.noise.fill, sums, none, self._memory, no, none, STEPS, burn, *at)

    def advance(self, steps: int, keep: bool = False) -> Array | None:
        """Draw the next steps.

        Args:
            steps: How many; a multiple of STEPS unless they are the last.
            keep: Whether to return them.

        Returns:
            Noise (B, steps, m, n), plus the signal if there is one, if kept.
        """
        need(self.step % STEPS == 0, f"nothing after steps that are no multiple of {STEPS}", step=self.step)
        m, n = self.model.shape
        out = self.device.xp.empty((len(self.trials), steps * m * n if keep else 0), dtype=self._sums.dtype)
        factors, at = self.device.array(self._factors(steps)), (self.trials, rng.NOISE, rng.key(self.seed))
        buffers = self._sums, out, self._memory, self._momenta, factors
        self.device.draw(self.model.noise.fill, *buffers, self.step, steps, *at, self._parameters, *self._finish)
        self.step += steps
        return self.device.xp.reshape(out, (-1, steps, m, n)) if keep else None

    def _factors(self, steps: int) -> NDArray[np.float64]:
        """Factors of the next steps, (B, steps), or (B, 0) for none; drawn for several chunks at once."""
        if self.step + steps > self._drawn_from + self._drawn.shape[1]:
            numbers = self.step + np.arange(max(steps, FACTORS))
            drawn = [self.model.noise.step_factors(self.seed, trial, numbers) for trial in self.trials]
            self._drawn_from = self.step
            self._drawn = np.array([() if x is None else x for x in drawn], np.float64)
        first = self.step - self._drawn_from
        return np.ascontiguousarray(self._drawn[:, first : first + steps])

    def last(self) -> Array:
        """Noise of the newest step, (B, 1, m, n): what `advance` keeps, to rounding on a GPU."""
        m, n = self.model.shape
        newest = self._sums[:, -1:, : m * n]
        return self.device.xp.reshape(newest, (-1, 1, m, n)) * self._scale + self._mean

    def buffers(self) -> Array:
        """Noise N of the momentum buffers, (B, K, m, n)."""
        m, n = self.model.shape
        betas, scale = self._betas.astype(np.float64)[:, None, None], self.model.noise.entry_scale(self.model.shape)
        unit = self.device.xp.reshape(self._sums[:, :-1, : m * n], (len(self.trials), -1, m, n))
        out = unit * self.device.array((1 - betas) * np.asarray(scale, self.dtype), self.dtype)
        if self.model.noise.mean:
            out = out + self.device.array(self.model.noise.mean * (1 - betas**self.step), self.dtype)
        return out


def need_entries(shape: tuple[int, int]) -> None:
    """Refuse a matrix whose entries the random layout cannot number."""
    m, n = shape
    need(
        m * n <= 2**33, "m n <= 2**33 entries (the random layout's)", 'larger: method "banded" with joint=False', shape=shape
    )


def padded_entries(shape: tuple[int, int], pad: int = BLOCK) -> int:
    """Entries that the kernel draws for a matrix of this shape: a multiple of `pad`, a device's."""
    return -(-shape[0] * shape[1] // pad) * pad


def chunk_steps(shape: tuple[int, int], trials: int, dtype: np.dtype, kept: bool, device: CPU) -> int:
    """Steps of a chunk for a block of trials, its gradients kept or not: a multiple of STEPS."""
    step = trials * padded_entries(shape, device.pad)
    most = device.chunk_bytes // (step * np.dtype(dtype).itemsize) if kept else min(device.chunk_work // step, 1 << 12)
    return max(1, most // STEPS) * STEPS
