"""Averages whose momentum changes from step to step (theory.md F10)."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spikesim.errors import need
from spikesim.filters import geometric
from spikesim.filters.averaging import Averaging
from spikesim.filters.base import Floats, ages
from spikesim.filters.geometric import is_real, is_whole

SHAPES = ("linear", "cosine")


class Scheduled(Averaging):
    """Base: M_t = beta_t M_{t-1} + (1 - beta_t) G_t from M_0 = 0, beta_t = 1 - 1/T once the momenta given are used up."""

    @property
    @abstractmethod
    def momenta(self) -> Floats:
        """beta_t of the first steps, (n,)."""

    def rate(self, step: int) -> float:
        """alpha_t = 1 - beta_t."""
        return 1 - float(self.momenta[step]) if step < self.momenta.size else 1 / self.window

    def weights(self, steps: int, first: int = 0, after: int | None = None) -> Floats:
        """(1 - beta_{t-k}) beta_{t-k+1} ... beta_t."""
        k = ages(steps, first, after)
        momenta = self.momenta[:steps]
        late = max(steps - momenta.size, 0)
        w = geometric.weights(self.window, k)
        scheduled = k >= late
        kept = np.cumprod(np.append(geometric.power(self.window, late), momenta[:0:-1]))  # what is left of each, newest first
        w[scheduled] = ((1 - momenta[::-1]) * kept[: momenta.size])[(k[scheduled] - late).astype(np.int64)]
        return w

    def settling(self, weight: float = 1e-6) -> int:
        """The momenta given, and then the steps until (1 - 1/T)^t is below `weight`, in (0, 1)."""
        return self.momenta.size + super().settling(weight)


@dataclass(frozen=True, repr=False)
class Schedule(Scheduled):
    """M_t = beta_t M_{t-1} + (1 - beta_t) G_t from M_0 = 0, with any beta_t at first.

    Args:
        window: T = 1/(1 - beta) in steps from then on, 1 <= T <= WIDEST, may be fractional.
        betas: beta_t of steps t = 0, 1, ..., each in [0, 1).

    Raises:
        ValueError: If the window is not such a number, or a beta, which is then named with its step.

    Source: theory.md F10.
    """

    window: float
    betas: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", geometric.window_of(self.window))
        listed = isinstance(self.betas, list | tuple | np.ndarray)
        need(listed, "betas: momenta of the first steps, in a sequence", betas=self.betas)
        for step, beta in enumerate(self.betas):
            need(is_real(beta) and 0 <= beta < 1, "0 <= beta < 1 at every step", step=step, beta=beta)
        object.__setattr__(self, "betas", tuple(float(b) for b in self.betas))

    @cached_property
    def momenta(self) -> Floats:
        """`betas`, (n,)."""
        return np.array(self.betas, np.float64)


@dataclass(frozen=True, repr=False)
class Warmup(Scheduled):
    """M_t = beta_t M_{t-1} + (1 - beta_t) G_t from M_0 = 0, with beta_t rising to 1 - 1/T; Muon's practice.

    Args:
        window: T = 1/(1 - beta) in steps at the end, 1 <= T <= WIDEST, may be fractional.
        initial: beta of the first step, in [0, 1).
        length: Steps until beta is 1 - 1/T, at least 1.
        shape: "linear", or "cosine": flat at both ends.

    Raises:
        ValueError: If an argument is none of these.

    Source: theory.md F10.
    """

    window: float
    initial: float = 0.85
    length: int = 300
    shape: str = "linear"

    def __post_init__(self) -> None:
        object.__setattr__(self, "window", geometric.window_of(self.window))
        need(is_real(self.initial) and 0 <= self.initial < 1, "0 <= initial < 1", initial=self.initial)
        need(is_whole(self.length) and 1 <= self.length <= 2**26, "length: an integer in [1, 2**26]", length=self.length)
        need(isinstance(self.shape, str) and self.shape in SHAPES, f"shape in {SHAPES}", shape=self.shape)
        object.__setattr__(self, "initial", float(self.initial))
        object.__setattr__(self, "length", int(self.length))

    @cached_property
    def momenta(self) -> Floats:
        """(1 - x) initial + x (1 - 1/T), x rising from 0 at the first step towards 1."""
        x = np.arange(self.length) / self.length
        x = x if self.shape == "linear" else np.sin(math.pi / 2 * x) ** 2
        return (1 - x) * self.initial + x * self.beta
