"""An average that sets its own window, from the estimated gap and drift of its stream."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spikesim.arrays import Array, array_namespace, binary_scale
from spikesim.errors import need
from spikesim.filters import EMA, WIDEST
from spikesim.noise.base import is_real
from spikesim.stages.base import Filters, Stage, Stepwise
from spikesim.stages.motion import Blocks, Motion, angles
from spikesim.stages.workers import whole

CHOICES = 48
"""Windows among which is chosen, from 1 to `most`, evenly in their logarithm."""
LONGEST = 1 << 20


@dataclass(frozen=True, repr=False)
class Controller(Stage):
    """M_t = M_{t-1} + (X_t - M_{t-1})/T_t with T_0 = 1, T_t = min(T_{t-1} + 1, T*), every matrix of the stack for itself.

    T* is the window of the largest alignment that is to be expected, sum_omega p(omega) Re h/sqrt(|h|^2 + q/(2T - 1)), h the
    response of the EMA of window T to vectors that turn by omega a step, q = r (m + n) (eta/mn)/A. A, of which sqrt(A/r) is
    the gap of r equal spikes, eta and p(omega) are estimated from the stream (`Motion`), anew after every `period` steps.
    T grows by one a step at most: where gradients show no drift, M_t is the mean of them all.

    It is no linear filter, but on one stream it is the filter Schedule of the betas 1 - 1/T_t (`chosen_windows`), whose
    weights, gain (1), noise factor, n_eff and lag are then its own.

    Args:
        rank: r >= 1 of the signal.
        most: Largest window, in steps, 1 < most <= memory.
        memory: Steps that estimates look back, from 16 to LONGEST.
        period: Steps from one choice to the next, >= 1.

    Raises:
        ValueError: If an argument is none of these.

    Source: theory.md F12.
    """

    rank: int
    most: float = 200.0
    memory: float = 2000.0
    period: int = 10
    timed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        need(whole(self.rank) and self.rank >= 1, "rank: an integer >= 1", rank=self.rank)
        need(is_real(self.memory) and 16 <= self.memory <= LONGEST, f"16 <= memory <= {LONGEST}", memory=self.memory)
        need(is_real(self.most) and 1 < self.most <= self.memory <= WIDEST, "1 < most <= memory", most=self.most)
        need(whole(self.period) and self.period >= 1, "period: an integer >= 1", period=self.period)
        for name in ("most", "memory"):
            object.__setattr__(self, name, float(getattr(self, name)))

    def check(self, shape: tuple[int, int]) -> None:
        """Refuse a rank that matrices cannot have."""
        need(self.rank <= min(shape), f"rank <= min(m, n) = {min(shape)}", rank=self.rank)

    def settling(self, _filters: Filters, weight: float, /) -> int:
        """See `Stage.settling`."""
        return EMA(self.memory).settling(weight)

    def start(self, _filters: Filters, /) -> "Controlled":
        """Before its first step."""
        return Controlled(self)


class Controlled(Stepwise):
    """A controller amid a stream.

    Attributes:
        window: T_t of the newest step, (..., W).
    """

    def __init__(self, stage: Controller) -> None:
        self._stage, self._blocks, self._step = stage, Blocks(stage.memory), 0
        self._average: Array = None
        self._chosen: Array = None
        self._scale: Array = None  # of the first gradient: squares of what is over it are numbers
        self.window: Array = None

    def push(self, x: Array) -> bool:
        """See `Stepwise.push`."""
        xp = array_namespace(x)
        if self._average is None:
            self._scale = binary_scale(x)
        self._blocks.push(x / self._scale)
        if self._average is None:
            self.window = xp.ones(x.shape[:-2], dtype=xp.float64)
            self._average, self._chosen = xp.asarray(x, copy=True), self.window * self._stage.most
        else:
            self.window = xp.minimum(self.window + 1, self._chosen)
            rate = xp.astype(1 / self.window, x.dtype)[..., None, None]
            self._average = (1 - rate) * self._average + rate * x
        self._step += 1
        if self._step % self._stage.period == 0 and self._step > 1:
            self._chosen = best_window(self._blocks.motion(), x.shape[-2:], self._stage.rank, self._stage.most)
        return True

    def motion(self) -> Motion:
        """What is estimated of the stream so far; needs two steps."""
        found, unit = (
            self._blocks.motion(),
            array_namespace(self._scale).astype(self._scale[..., 0, 0], self.window.dtype) ** 2,
        )
        return replace(found, signal=found.signal * unit, noise=found.noise * unit)

    def last(self) -> Array:
        """See `Running.last`."""
        return self._average


@lru_cache(maxsize=64)
def _responses(most: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Windows, (CHOICES,), and Re h and |h|^2 of each at every angle, (CHOICES, TURNS)."""
    choices = np.geomspace(1, most, CHOICES)
    h = 1 / (1 + (choices[:, None] - 1) * -np.expm1(-1j * angles()))
    return choices, h.real.copy(), abs(h) ** 2


def best_window(motion: Motion, shape: tuple[int, int], rank: int, most: float) -> Array:
    """The window of the largest alignment to be expected, (..., W)."""
    xp, (m, n) = array_namespace(motion.signal), shape
    choices, along, squared = _responses(most)
    noise = rank * (m + n) / (m * n) * motion.noise[..., None] / xp.asarray(2 * choices - 1)
    found = xp.asarray(along) / xp.sqrt(xp.asarray(squared) * motion.signal[..., None, None] + noise[..., None])
    expected = xp.sum(found * motion.chances[..., None, :], axis=-1)
    best = xp.argmax(expected, axis=-1)
    return xp.reshape(xp.take(xp.asarray(choices), xp.reshape(best, (-1,))), best.shape)


def chosen_windows(controller: Controller, gradients: Array) -> Array:
    """T_t that a controller chooses on a stream.

    Args:
        controller: Which.
        gradients: Shape (..., steps, m, n), in order of time.

    Returns:
        (..., steps), float64. Its update is that of Schedule(window, betas) with betas 1 - 1/T_t, of each stream.
    """
    need(gradients.ndim >= 3 and gradients.shape[-3] >= 1, "gradients.shape == (..., steps, m, n)", shape=gradients.shape)
    controller.check(gradients.shape[-2:])
    running, windows = controller.start(lambda _: ()), []
    for s in range(gradients.shape[-3]):
        running.push(gradients[..., s, :, :])
        windows.append(running.window)
    return array_namespace(gradients).stack(windows, axis=-1)


def estimated(controller: Controller, gradients: Array) -> Motion:
    """What a controller holds of signal, noise and drift after a stream of two steps or more, (..., steps, m, n)."""
    need(gradients.ndim >= 3 and gradients.shape[-3] >= 2, "two gradients or more, (..., steps, m, n)", shape=gradients.shape)
    running = controller.start(lambda _: ())
    for s in range(gradients.shape[-3]):
        running.push(gradients[..., s, :, :])
    return running.motion()
