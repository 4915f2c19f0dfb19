"""Method "collapsed": the momentum buffers of all windows and the last gradient at once, without the steps before.

Where the noise is Xi_t = rho_t Z_t, Z_t of independent Gaussian entries, N_i = sum_k w_k^(i) rho_{t-k} Z_{t-k} are, entry by
entry and given the scalars, jointly Gaussian over windows: with the t x L matrix W of weights, newest step first,

    (N_1, ..., N_L) = A (Z'_1, ..., Z'_L),   A A^T = W^T diag(rho^2) W,   Z' i.i.d. like one Z_t.

So exactly in law, together for all windows. Windows are sorted and distinct, T = 1 before all others: N_1 is the last step's
noise. A is the transpose of R, W's QR factor, and lower triangular; the covariance itself is never formed, as 30 log-spaced
windows from 1 to 1000 give it a condition of 1e17.

    one scalar a trial, steady:  A_ij = sqrt(2 T_j - 1)/(T_i + T_j - 1) prod_{l<j} (T_i - T_l)/(T_i + T_l - 1)
    the same, t steps from zero: R(2a) is the QR factor of [R(a); R(a) D^a], D = diag(beta): log2 t of them make R(t)
    a scalar a step:             R(a + b) is that of [rho W(b); R(a) D^b], b steps at a time

In the last two nothing is subtracted, so each window's variance is exact to rounding.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim import rng
from spikesim.arrays import Array
from spikesim.devices.cpu import CPU
from spikesim.errors import need
from spikesim.filters import EMA
from spikesim.model import SpikedModel
from spikesim.noise import LAWS, Kronecker, Noise
from spikesim.samplers.stream import padded_entries

CHUNK_STEPS = 1 << 10
"""Steps of a chunk where every step has its scalar: what is held at once, for one trial; a run can be stopped after it."""
NEGLIGIBLE = 2.0**-53
"""Steady state: what the start takes from any covariance is below rounding."""

ANY_LAW = 'method "stream" draws any law'
LAWS_NAMED = tuple(name for name, law in LAWS.items() if law.scalars or law is Kronecker)
"""The laws that are Gaussian given one scalar a step."""


class Collapsed:
    """Noise of a block of trials in its momentum buffers and its last step, from zero.

    Args:
        model: What to draw; its noise is one of LAWS_NAMED.
        seed: Seed in [0, 2^64).
        trials: Global trial numbers, B of them.
        filters: K windows, distinct.
        dtype: Of results; everything before is float64.
        device: Whose arrays results are.

    Raises:
        ValueError: If the noise is of another law.

    Source: theory.md F8, L1.
    """

    def __init__(
        self, model: SpikedModel, seed: int, trials: Sequence[int], filters: Sequence[EMA], dtype: np.dtype,
        device: CPU | None = None,
    ) -> None:  # fmt: skip
        need_law(model.noise)
        self.device = device or CPU()
        self.model, self.seed, self.trials, self.dtype = model, seed, trials, np.dtype(dtype)
        self.step = 0
        self.windows, self._picks = np.unique([1.0, *(f.window for f in filters)], return_inverse=True)
        count = len(trials) if has_step_scalars(model.noise) else 1
        self._roots = np.zeros((count, self.windows.size, self.windows.size))
        self._noise: Array | None = None

    def advance(self, steps: int, keep: bool = False) -> None:
        """Count the next steps in, and draw their scalars if each has one.

        Args:
            steps: How many, >= 1.
            keep: Must be False: there are no gradients to keep.
        """
        need(not keep and self._noise is None, "no gradients kept, no steps after buffers()", keep=keep, step=self.step)
        if has_step_scalars(self.model.noise):
            numbers, newer = np.arange(self.step, self.step + steps), weights(self.windows, steps)
            for i, trial in enumerate(self.trials):
                factors = np.asarray(self.model.noise.step_factors(self.seed, trial, numbers))
                self._roots[i] = joined(newer * factors[::-1, None], self._roots[i], self.windows, steps)
        else:
            newer = root(self.windows, steps)
            self._roots[0] = joined(newer, self._roots[0], self.windows, steps) if self.step else newer
        self.step += steps

    def last(self) -> Array:
        """Noise of the newest step, (B, 1, m, n)."""
        return self._drawn()[:, :1, ...]

    def buffers(self) -> Array:
        """Noise N of the momentum buffers, (B, K, m, n)."""
        return self.device.xp.take(self._drawn(), self.device.array(self._picks[1:]), axis=1)

    def _drawn(self) -> Array:
        """Noise of every window in self.windows, (B, L, m, n)."""
        if self._noise is None:
            (m, n), array, xp = self.model.shape, self.device.array, self.device.xp
            z = normals(self.seed, self.trials, self.windows.size, m * n, self.device)
            roots = np.stack([self._root(i, trial) for i, trial in enumerate(self.trials)])
            unit = xp.reshape(self.device.mix(array(roots), z), (len(self.trials), -1, m, n))
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


def decays(windows: NDArray[np.float64], steps: ArrayLike) -> NDArray[np.float64]:
    """beta^steps, broadcast; exact also where beta is nearly 1, and 0^0 = 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.equal(steps, 0), 1.0, np.exp(steps * np.log1p(-1 / windows)))


def weights(windows: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """W of the newest steps, (steps, L), newest first."""
    return decays(windows, np.arange(steps)[:, None]) / windows


def steady(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """R in steady state, (L, L), in closed form (module docstring); windows distinct and rising."""
    t, other = windows[:, None], windows[None, :]
    ratios = (t - other) / (t + other - 1)
    products = np.cumprod(np.concatenate([np.ones_like(t), ratios[:, :-1]], axis=1), axis=1)
    return np.ascontiguousarray((np.sqrt(2 * other - 1) / (t + other - 1) * products).T)


def root(windows: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """R after `steps` steps from zero without scalars, (L, L)."""
    if decays(windows[-1:], 2 * steps)[0] <= NEGLIGIBLE:
        return steady(windows)
    part, total, done = _triangle(1 / windows[None, :]), np.zeros((windows.size, windows.size)), 0
    for power in range(steps.bit_length()):
        size = 1 << power
        if steps & size:  # the newest steps are those of the larger powers: all the same, as there are no scalars
            total, done = joined(part, total, windows, size) if done else part, done + size
        if size << 1 <= steps:
            part = joined(part, part, windows, size)
    return total


def joined(
    newer: NDArray[np.float64], older: NDArray[np.float64], windows: NDArray[np.float64], steps: int
) -> NDArray[np.float64]:
    """R of rows that follow each other.

    Args:
        newer: (rows, L), the weights of the newest `steps` steps or their R.
        older: (rows, L), what came before, as it was then.
        windows: (L,).
        steps: How many steps ago that is.

    Returns:
        (L, L), diagonal >= 0.
    """
    return _triangle(np.concatenate([newer, older * decays(windows, steps)]))


def _triangle(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """R of a QR, (L, L): diagonal >= 0, rows of zeros where there are too few."""
    found = np.linalg.qr(rows, mode="r")
    signs = np.where(np.diagonal(found) < 0, -1.0, 1.0)[:, None]
    return np.concatenate([found * signs, np.zeros((rows.shape[1] - len(found), rows.shape[1]))])


def work(noise: Noise, shape: tuple[int, int], steps: int, windows: int) -> float:
    """Estimated work of one trial in entry-steps of the stream: normals, sums of L windows, and any scalar steps' QR."""
    count = windows + 1
    drawn = steps * (30 + 0.3 * count**2) if has_step_scalars(noise) else 0.0
    return drawn + padded_entries(shape) * count * (0.5 + 0.12 * count)
