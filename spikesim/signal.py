"""How the signal moves: which matrices S_t is made of, and how much of each at every step.

Notation: u_k^(a) and v_k^(b) are frames of orthonormal columns, u_k^(1) = u_k and v_k^(1) = v_k those at step 0, the others
their partners, which lie in the orthogonal complement of the first (SpikedModel.frames). With p_a(t) and q_b(t) the turn
of step t = 0, 1, ... (the first gradient has t = 0):

    S_t   = sum_k lambda_k u_k(t) v_k(t)^T,   u_k(t) = sum_a p_a(t) u_k^(a),   v_k(t) = sum_b q_b(t) v_k^(b)
          = sum_ab c_ab(t) P_ab,              c_ab = p_a q_b,                  P_ab = sum_k lambda_k u_k^(a) v_k^(b)T
    S_bar = sum_ab C_ab P_ab,                 C_ab = sum_j w_j c_ab(t - j)     for a filter of weights w_j

so a moving signal costs a few numbers a step, and a buffer's share of it a few numbers a window.
"""

import math
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.arrays import Array, array_namespace
from spikesim.errors import need
from spikesim.filters import LinearFilter
from spikesim.noise.base import is_real

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Signal:
    """Base of all motions; `parts` counts the frames of u and of v."""

    parts: ClassVar[tuple[int, int]] = (1, 1)

    def check(self, shape: tuple[int, int], rank: int) -> None:
        """Refuse a shape (m, n) that has no room for the partners of `rank` vectors."""
        for name, letter, size, parts in zip("mn", "uv", shape, self.parts, strict=True):
            need(size >= parts * rank, f"{name} >= {parts} r where {letter} moves", **{name: size, "r": rank})

    def turns(self, steps: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """p (..., A) and q (..., B) at given steps, each of norm 1; no motion here."""
        ones = np.ones((*np.shape(steps), 1))
        return ones, ones

    def coefficients(self, steps: ArrayLike) -> NDArray[np.float64]:
        """c_ab at given steps, (..., A, B)."""
        p, q = self.turns(steps)
        return p[..., :, None] * q[..., None, :]

    def averaged(self, filter_: LinearFilter, steps: int) -> NDArray[np.float64]:
        """C_ab of a filter's buffer after `steps` steps from zero, (A, B)."""
        total = np.zeros(self.parts)
        for ages, weights in filter_.pieces(steps):
            total += np.tensordot(weights, self.coefficients(steps - 1 - ages), 1)
        return total


@dataclass(frozen=True)
class Constant(Signal):
    """A signal that does not move: S_t = S."""

    def averaged(self, filter_: LinearFilter, steps: int) -> NDArray[np.float64]:
        """The filter's gain, (1, 1)."""
        return np.full((1, 1), filter_.gain(steps))


@dataclass(frozen=True)
class Rotating(Signal):
    """Singular vectors that turn steadily: u_k(t) = cos(omega t) u_k + sin(omega t) u'_k.

    Args:
        omega: Angle of a step in radians, 0 < |omega| <= pi.
        both: Whether v_k turns towards its partner v'_k by the same angle; otherwise it stays.

    Raises:
        ValueError: If an argument breaks the conditions above.

    Source: theory.md F7, S8.
    """

    omega: float
    both: bool = False

    def __post_init__(self) -> None:
        need(is_real(self.omega) and 0 < abs(self.omega) <= math.pi, "0 < |omega| <= pi", omega=self.omega)
        need(isinstance(self.both, bool), "both: True or False", both=self.both)
        object.__setattr__(self, "omega", float(self.omega))

    @property
    def parts(self) -> tuple[int, int]:  # type: ignore[override]
        """u has a partner; v has one where both turn."""
        return 2, 1 + self.both

    def turns(self, steps: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Cosine and sine of omega t."""
        angle = self.omega * np.asarray(steps, np.float64)
        p = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        return p, p if self.both else np.ones((*angle.shape, 1))


SIGNALS: dict[str, type[Signal]] = {law.__name__: law for law in (Constant, Rotating)}
"""Every motion by its name: what a spec file may ask for."""


def turned(turn: NDArray[np.float64], frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """The frame of a step, (size, r), from its turn (A,) and the frames (A, size, r)."""
    return frames[0] if len(frames) == 1 else np.tensordot(turn, frames, 1)


def products(u: Floats, v: Floats, spikes: Floats) -> Floats:
    """P_ab, (A, B, m, n), from frames u (A, m, r), v (B, n, r) and spikes (r,)."""
    return np.stack([np.stack([(x * spikes) @ y.T for y in v]) for x in u])


def mixed(coefficients: NDArray[np.float64], parts: Array) -> Array:
    """sum_ab c_ab P_ab, (..., m, n), from coefficients (..., A, B) and parts (A, B, m, n), in the parts' dtype.

    Entry by entry in a fixed order, so that a step's matrix does not depend on its chunk.
    """
    c = array_namespace(parts).asarray(coefficients, dtype=parts.dtype)[..., None, None]
    return reduce(add, (c[..., a, b, :, :] * parts[a, b, ...] for a, b in np.ndindex(parts.shape[:2])))


def stepped(signal: Signal, parts: Array, first: int, after: int) -> Array:
    """S_t of steps first..after - 1, (steps, m, n); (1, m, n) where it does not move."""
    steps = np.arange(first, first + 1 if signal.parts == (1, 1) else after)
    return mixed(signal.coefficients(steps), parts)


def amplitudes(averages: NDArray[np.float64], spikes: Floats) -> Floats:
    """The r largest singular values of S_bar, falling, (K, r), from C (K, A, B) and spikes (r,).

    The frames are orthonormal, so they are the singular values of C times |lambda_k|, over all pairs.
    """
    values = np.linalg.svdvals(averages).astype(spikes.dtype)
    each = (values[..., None] * np.abs(spikes)).reshape(len(averages), -1)
    return -np.sort(-each, axis=-1)[:, : spikes.size]
