"""Method "scalars": the norm ‖N‖_F of a momentum buffer's noise, without any matrix.

Where the noise is Xi_t = rho_t Z_t, Z_t of i.i.d. N(0, sigma^2) entries, the entries of N given the scalars are i.i.d.
N(0, sigma^2 Q), Q = sum_k w_k^2 rho_{t-k}^2 with the window's weights w_k. So, exactly in law,

    ‖N‖_F = sigma sqrt(Q chi^2),   chi^2 of m n degrees of freedom, independent of Q.

The scalars are those of the stream, at the same places. One chi^2 a trial serves all windows: the law of each window is
exact, that of several windows together is not (their N are correlated, not proportional).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikesim import rng
from spikesim.errors import need
from spikesim.filters import EMA
from spikesim.kernels.scalars import STEPS, prepared, scalars_kernel
from spikesim.model import SpikedModel
from spikesim.noise import Noise

CHUNK_STEPS = 1 << 18
"""Steps of a chunk, for every trial of a block: at most about a tenth of a second, after which a run can be stopped."""


class Scalars:
    """Noise norms of the momentum buffers of a block of trials, from zero.

    Args:
        model: What to draw; its noise has `scalars`.
        seed: Seed in [0, 2^64).
        trials: Global trial numbers, B of them.
        filters: K windows.

    Source: theory.md S7.
    """

    def __init__(self, model: SpikedModel, seed: int, trials: Sequence[int], filters: Sequence[EMA]) -> None:
        self.model, self.seed, self.trials, self.filters = model, seed, trials, filters
        self.step = 0
        noise = model.noise
        self._drawn = noise.scalars != "constant"
        self._factors = np.array([f.beta**2 for f in filters])
        self._sums = np.zeros((len(trials), len(filters)))
        if self._drawn:
            self._kernel = scalars_kernel(noise.scalars)
            self._parameters = prepared(noise.scalars, noise.scalar_parameters)

    def advance(self, steps: int) -> None:
        """Draw the scalars of the next steps; a multiple of STEPS unless they are the last."""
        need(self.step % STEPS == 0, f"nothing after steps that are no multiple of {STEPS}", step=self.step)
        for trial, sums in zip(self.trials, self._sums, strict=True) if self._drawn else ():
            at = (np.uint64(trial), np.uint64(rng.SCALARS), *rng.key(self.seed), self._parameters)
            self._kernel(sums, self._factors, self.step, steps, *at)
        self.step += steps

    def squares(self) -> NDArray[np.float64]:
        """Q, (B, K): the variance of one entry of the buffers over sigma^2, given the scalars; dimensionless."""
        if self._drawn:
            return self._sums / np.array([f.window for f in self.filters]) ** 2
        factors = [self.model.noise.step_factors(self.seed, trial, np.zeros(1, np.int64)) for trial in self.trials]
        squared = np.array([1.0 if f is None else f[0] ** 2 for f in factors])
        return squared[:, None] * [f.noise_factor(self.step) for f in self.filters]

    def norms(self) -> NDArray[np.float64]:
        """‖N‖_F of the momentum buffers, (B, K), in the unit of sigma."""
        m, n = self.model.shape
        draws = [rng.generator(self.seed, rng.COLLAPSED, trial).chisquare(m * n) for trial in self.trials]
        return self.model.noise.entry_scale(self.model.shape) * np.sqrt(self.squares() * np.array(draws)[:, None])


def work(noise: Noise, steps: int, windows: int) -> float:
    """Estimated work of one trial in entry-steps of the stream: a step of scalars costs 1.5, a window of it 0.15."""
    return 0.0 if noise.scalars == "constant" else steps * (1.5 + 0.15 * windows)
