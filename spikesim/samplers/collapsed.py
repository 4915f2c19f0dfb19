"""Method "collapsed": the momentum buffers of all windows and the last gradient at once, without the steps before.

Where the noise is Xi_t = rho_t Z_t, Z_t of independent Gaussian entries, N_i = sum_k w_k^(i) rho_{t-k} Z_{t-k} are, entry by
entry and given the scalars, jointly Gaussian over windows: with the t x L matrix W of weights, newest step first,

    (N_1, ..., N_L) = A (Z'_1, ..., Z'_L),   A A^T = W^T diag(rho^2) W,   Z' i.i.d. like one Z_t.

So exactly in law, together for all windows. The last step's own noise, T = 1, comes before all others: it is N_1. A is the
transpose of R, W's QR factor, and lower triangular: roots.py makes it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikesim import rng
from spikesim.arrays import Array
from spikesim.devices.cpu import CPU
from spikesim.errors import need
from spikesim.filters import LinearFilter
from spikesim.model import SpikedModel
from spikesim.noise import LAWS, Kronecker, Noise
from spikesim.samplers.roots import roots
from spikesim.samplers.stream import padded_entries

CHUNK_STEPS = 1 << 10
"""Steps of a chunk where every step has its scalar: what is held at once, for one trial; a run can be stopped after it."""
ANY_LAW = 'method "stream" draws any law'
LAWS_NAMED = tuple(name for name, law in LAWS.items() if law.scalars or law is Kronecker)
"""The laws that are Gaussian given one scalar a step."""


class Collapsed:
    """Noise of a block of trials in its momentum buffers and its last step, from zero.

    Args:
        model: What to draw; its noise is one of LAWS_NAMED.
        seed: Seed in [0, 2^64).
        trials: Global trial numbers, B of them.
        filters: K of them; EMAs distinct.
        dtype: Of results; everything before is float64.
        device: Whose arrays results are.
        end: Steps in all, which other filters than plain EMAs need to know.

    Raises:
        ValueError: If the noise is of another law.

    Source: theory.md F8, L1.
    """

    def __init__(
        self, model: SpikedModel, seed: int, trials: Sequence[int], filters: Sequence[LinearFilter],
        dtype: np.dtype, device: CPU | None = None, end: int = 0,
    ) -> None:  # fmt: skip
        need_law(model.noise)
        self.device = device or CPU()
        self.model, self.seed, self.trials, self.dtype = model, seed, trials, np.dtype(dtype)
        self.step = 0
        self._growth = roots(filters, end)
        count = len(trials) if has_step_scalars(model.noise) else 1
        self._roots = np.zeros((count, self._growth.size, self._growth.size))
        self._noise: Array | None = None

    def advance(self, steps: int, keep: bool = False) -> None:
        """Count the next steps in, and draw their scalars if each has one.

        Args:
            steps: How many, >= 1.
            keep: Must be False: there are no gradients to keep.
        """
        need(not keep and self._noise is None, "no gradients kept, no steps after buffers()", keep=keep, step=self.step)
        numbers = np.arange(self.step, self.step + steps) if has_step_scalars(self.model.noise) else None
        for i, trial in enumerate(self.trials[: len(self._roots)]):
            factors = None if numbers is None else np.asarray(self.model.noise.step_factors(self.seed, trial, numbers))
            self._roots[i] = self._growth.after(self._roots[i], self.step, steps, factors)
        self.step += steps

    def last(self) -> Array:
        """Noise of the newest step, (B, 1, m, n)."""
        return self._drawn()[:, :1, ...]

    def buffers(self) -> Array:
        """Noise N of the momentum buffers, (B, K, m, n)."""
        return self.device.xp.take(self._drawn(), self.device.array(self._growth.picks), axis=1)

    def _drawn(self) -> Array:
        """Noise of the last step and every filter, (B, L, m, n), in the order of roots."""
        if self._noise is None:
            (m, n), array, xp = self.model.shape, self.device.array, self.device.xp
            z = normals(self.seed, self.trials, self._growth.size, m * n, self.device)
            each = np.stack([self._root(i, trial) for i, trial in enumerate(self.trials)])
            unit = xp.reshape(self.device.mix(array(each), z), (len(self.trials), -1, m, n))
            noise = unit * array(self.model.noise.entry_scale((m, n)), np.float64)
            self._noise = xp.astype(noise, getattr(xp, self.dtype.name), copy=False)
        return self._noise

    def _root(self, i: int, trial: int) -> NDArray[np.float64]:
        """A of one trial, (L, L), its scalars included."""
        if has_step_scalars(self.model.noise):
            return np.ascontiguousarray(self._roots[i].T)
        factors = self.model.noise.step_factors(self.seed, trial, np.zeros(1, np.int64))
        return np.ascontiguousarray(self._roots[0].T) * (1.0 if factors is None else factors[0])


def has_step_scalars(noise: Noise) -> bool:
    """Whether every step has a scalar of its own, instead of one a trial."""
    return noise.scalars not in ("", "constant")


def need_law(noise: Noise) -> None:
    """Refuse noise that is not Gaussian given one scalar a step."""
    known = noise.scalars or isinstance(noise, Kronecker)
    need(known, f'noise in {LAWS_NAMED} (Gaussian given a scalar a step) for method "collapsed"', ANY_LAW, noise=noise)


def normals(seed: int, trials: Sequence[int], rows: int, entries: int, device: CPU) -> Array:
    """Standard normals of the first windows in rising order, (B, rows, entries): rng.COLLAPSED, the place as step."""
    xp, count, padded = device.xp, len(trials), padded_entries((1, entries), device.pad)
    zeros = [xp.zeros(shape, dtype=xp.float64) for shape in ((count, 0, padded), (count, padded), (0,), (count, 0), (1,))]
    sums, memory, betas, factors, p = zeros
    out, scale = xp.empty((count, rows * entries), dtype=xp.float64), xp.ones(entries, dtype=xp.float64)
    at = trials, rng.COLLAPSED, rng.key(seed), p, scale, xp.zeros_like(scale)
    device.draw("gaussian", sums, out, memory, betas, factors, 0, rows, *at)
    return xp.reshape(out, (count, rows, entries))


def work(noise: Noise, shape: tuple[int, int], steps: int, windows: int) -> float:
    """Estimated work of one trial in entry-steps of the stream: normals, sums of L windows, and any scalar steps' QR."""
    count = windows + 1
    drawn = steps * (30 + 0.3 * count**2) if has_step_scalars(noise) else 0.0
    return drawn + padded_entries(shape) * count * (0.5 + 0.12 * count)
