"""Descent on a noisy matrix quadratic by pipelines and by momentum SGD, many learning rates and seeds at once.

    f(W) = 1/2 tr((W - W*)^T A (W - W*) B)     S = A (W - W*) B     G_t = S_t + Xi_t     W <- W - lr A_t

Notation: W, S are (m, n). A and B are diagonal, which loses nothing: a pipeline of polar steps and filters turns with
rotations of rows and columns, and Gaussian noise is the same in law after them. The eigenvalues of A and of B are spaced
evenly in the logarithm from 1 down to kappa^(-1/2), so the Hessian, A (x) B, has condition number kappa and norm 1. Only the
error E = W - W* enters; it starts as a Gaussian matrix of one size for each kappa, so that the mean of f(W_0) is 1.

For an update U, exactly,   f(W - lr U) - f(W) = -lr <U, S> + lr^2/2 q(U),   q(U) = sum_ij a_i b_j U_ij^2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikesim import Gaussian, SpikedModel, rng
from spikesim.cascade import Cascade
from spikesim.errors import need
from spikesim.pipelines import NAMED, Pipeline
from spikesim.samplers.stream import Stream
from spikesim.spectrum import Dispatched
from spikesim.stages.filter import Bank, Filter

Floats = NDArray[np.float64]

SEED = 0
"""Key of the random layout (spikesim/rng.py); what is called a seed here is a trial number of it."""
MOMENTUM_SGD = Pipeline((Filter(),), "momentum SGD")
PIPELINES = {**NAMED, str(MOMENTUM_SGD): MOMENTUM_SGD}
LAST = 0.1
"""Share of the steps, the last ones, over which the final loss is averaged."""
FLOOR = 1e-12
"""Final losses, as shares of the first, are counted as no smaller: what is below is rounding."""


@dataclass(frozen=True)
class Quadratic:
    """One problem.

    Args:
        shape: (m, n).
        condition: kappa >= 1, of the Hessian.
        noise: ‖Xi‖_F over ‖S_0‖_F, of root mean squares; >= 0.
    """

    shape: tuple[int, int]
    condition: float
    noise: float

    def __post_init__(self) -> None:
        need(self.condition >= 1, "condition >= 1", condition=self.condition)
        need(self.noise >= 0, "noise >= 0", noise=self.noise)

    @property
    def curvature(self) -> Floats:
        """a_i b_j, (m, n)."""
        a, b = (self.condition ** (-0.5 * np.linspace(0, 1, size)) for size in self.shape)
        return a[:, None] * b

    @property
    def start_scale(self) -> float:
        """Standard deviation of an entry of E at the start."""
        return float((2 / self.curvature.sum()) ** 0.5)

    @property
    def sigma(self) -> float:
        """Standard deviation of an entry of the noise."""
        return self.noise * self.start_scale * float(np.mean(self.curvature**2)) ** 0.5

    def start(self, seeds: range) -> Floats:
        """E at the start, (seed, m, n)."""
        return self.start_scale * np.stack([rng.normals(SEED, rng.VECTORS, seed, self.shape) for seed in seeds])


@dataclass(frozen=True)
class Travel:
    """What was read on the way; every array is (rate, seed) unless it says otherwise.

    Attributes:
        loss: f(W_t), (steps + 1, rate, seed).
        alignment: Mean over steps of <A_t, S_t> / ‖S_t‖_*; NaN where it was not asked for, as all below.
        late_alignment: The same over the second half of the steps.
        late_gain: Mean over the second half of max(<A_t, S_t>, 0)^2 / (2 q(A_t)) / f(W_t): what share of the loss one step
            along A_t takes away at the rate that is best for this step.
        first_order: lr sum_t <A_t, S_t>.
        second_order: lr^2/2 sum_t q(A_t).
    """

    loss: Floats
    alignment: Floats
    late_alignment: Floats
    late_gain: Floats
    first_order: Floats
    second_order: Floats

    @property
    def log_loss(self) -> Floats:
        """ln of the mean loss over the last steps over that at the start; inf where it diverged."""
        steps = len(self.loss) - 1
        with np.errstate(all="ignore"):
            last = _mean(self.loss[-max(1, round(LAST * steps)) :]) / self.loss[0]
            return np.log(np.where(np.isfinite(last), np.maximum(last, FLOOR), np.inf))


def unit_noise(shape: tuple[int, int], steps: int, seeds: range) -> Floats:
    """Standard normal noise, (step, seed, m, n): the random layout's at these trials, the same for every pipeline."""
    stream = Stream(SpikedModel(shape, (1.0,), Gaussian()), SEED, seeds, np.zeros(0), np.dtype("float64"))
    kept = stream.advance(steps, keep=True)
    assert kept is not None
    return np.ascontiguousarray(np.moveaxis(kept, 1, 0))


def descend(
    problem: Quadratic, pipeline: Pipeline, window: float, rates: Floats, seeds: range, noise: Floats, watch: bool = True
) -> Travel:
    """Descend from the start, at every rate and seed.

    Args:
        problem: What is descended on.
        pipeline: What makes updates of gradients; its filter starts from zero.
        window: T = 1 / (1 - beta).
        rates: Learning rates, (R,).
        seeds: Which starts, B of them.
        noise: Standard normal, (steps, B, m, n), as of `unit_noise`.
        watch: Whether to read more than the loss.
    """
    cascade = Cascade([pipeline.stages], Bank.made((window,)), spectra=Dispatched)
    error = np.repeat(problem.start(seeds)[None], len(rates), axis=0)
    curvature, rate = problem.curvature, rates[:, None, None, None]
    loss, seen = [], []
    with np.errstate(all="ignore"):  # momentum SGD may diverge
        for xi in noise:
            signal = error * curvature
            loss.append(_dot(error, signal) / 2)
            cascade.advance((signal + problem.sigma * xi)[..., None, :, :])
            update = cascade.last(pipeline.stages)[..., 0, :, :]
            if watch:
                seen.append(_readings(signal, update, curvature))
            error = error - rate * update
        loss.append(_dot(error, error * curvature) / 2)
        return _travel(np.array(loss), np.array(seen), rates)


def _dot(x: Floats, y: Floats) -> Floats:
    """<x, y> of stacks (..., m, n)."""
    return np.einsum("...ij,...ij->...", x, y)


def _readings(signal: Floats, update: Floats, curvature: Floats) -> list[Floats]:
    """<A, S>, ‖S‖_* and q(A)."""
    return [_dot(update, signal), Dispatched(signal).nuclear(), _dot(update * curvature, update)]


def _travel(loss: Floats, seen: Floats, rates: Floats) -> Travel:
    """From the losses (steps + 1, rate, seed) and readings (steps, 3, rate, seed), which may be none."""
    if seen.size == 0:
        return Travel(loss, *(np.full(loss.shape[1:], np.nan) for _ in range(5)))
    inner, nuclear, q = np.moveaxis(seen, 1, 0)
    late = len(inner) // 2
    gain = np.maximum(inner, 0) ** 2 / (2 * q * loss[:-1])
    return Travel(
        loss,
        alignment=_mean(inner / nuclear),
        late_alignment=_mean((inner / nuclear)[late:]),
        late_gain=_mean(gain[late:]),
        first_order=rates[:, None] * _mean(inner) * len(inner),
        second_order=rates[:, None] ** 2 / 2 * _mean(q) * len(q),
    )


def _mean(x: Floats) -> Floats:
    """Over the first axis, added up in its order whatever the others are."""
    return np.cumsum(x, axis=0)[-1] / len(x)
