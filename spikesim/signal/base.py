"""How the signal moves: which matrices S_t is made of, and how much of each at every step.

Notation: u_k^(a) and v_k^(b) are frames of orthonormal columns, u_k^(1) = u_k and v_k^(1) = v_k those that a constant signal
has, the others their partners, which lie in the orthogonal complement of the first (SpikedModel.frames). With p_a(t) and
q_b(t) the turn of step t = 0, 1, ... (the first gradient has t = 0), and f_k(t) the factor of spike k, made of J modes h_j(t)
in shares g_jk:

    S_t   = sum_k lambda_k f_k(t) u_k(t) v_k(t)^T,   u_k(t) = sum_a p_a(t) u_k^(a),   v_k(t) = sum_b q_b(t) v_k^(b)
          = sum_abj c_abj(t) P_abj,                  f_k(t) = sum_j h_j(t) g_jk
    c_abj = p_a q_b h_j,                             P_abj  = sum_k lambda_k g_jk u_k^(a) v_k^(b)T
    S_bar = sum_abj C_abj P_abj,                     C_abj  = sum_i w_i c_abj(t - i)     for a filter of weights w_i

so a moving signal costs a few numbers a step, and a buffer's share of it a few numbers a window, at any rank. A law whose
spikes all have one factor has J = 1 and g = 1.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.errors import need
from spikesim.filters import LinearFilter

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Signal:
    """Base of all motions; `parts` counts the frames of u and of v; `steady` says whether long streams forget their start."""

    parts: ClassVar[tuple[int, int]] = (1, 1)
    steady: ClassVar[bool] = True

    def check(self, shape: tuple[int, int], rank: int) -> None:
        """Refuse a shape (m, n) that has no room for the partners of `rank` vectors.

        Args:
            shape: (m, n).
            rank: r, how many spikes the model has.

        Raises:
            ValueError: If there is no room, saying how many rows or columns are needed.
        """
        for name, letter, size, parts in zip("mn", "uv", shape, self.parts, strict=True):
            need(size >= parts * rank, f"{name} >= {parts} r where {letter} moves", **{name: size, "r": rank})

    def turns(self, steps: ArrayLike) -> tuple[Doubles, Doubles]:
        """p (..., A) and q (..., B) at given steps, each of norm 1; no motion here.

        Args:
            steps: Numbers of steps t = 0, 1, ..., of any shape.
        """
        ones = np.ones((*np.shape(steps), 1))
        return ones, ones

    def modes(self, steps: ArrayLike) -> Doubles:
        """h_j at given steps, (..., J); one mode of 1 here.

        Args:
            steps: Numbers of steps t = 0, 1, ..., of any shape.
        """
        return np.ones((*np.shape(steps), 1))

    def shares(self, rank: int) -> Doubles:
        """g_jk of `rank` spikes, (J, r).

        Args:
            rank: r, how many spikes the model has.
        """
        return np.ones((1, rank))

    def factors(self, steps: ArrayLike, rank: int) -> Doubles:
        """f_k = lambda_k(t) / lambda_k at given steps, (..., r).

        Args:
            steps: Numbers of steps t = 0, 1, ..., of any shape.
            rank: r, how many spikes the model has.
        """
        return self.modes(steps) @ self.shares(rank)

    def coefficients(self, steps: ArrayLike) -> Doubles:
        """c_abj at given steps, (..., A, B, J).

        Args:
            steps: Numbers of steps t = 0, 1, ..., of any shape.
        """
        p, q = self.turns(steps)
        return p[..., :, None, None] * q[..., None, :, None] * self.modes(steps)[..., None, None, :]

    def averaged(self, filter_: LinearFilter, steps: int) -> Doubles:
        """C_abj of a filter's buffer after `steps` steps from zero, (A, B, J).

        Args:
            filter_: Whose buffer.
            steps: How many gradients the buffer has taken, >= 1.
        """
        total = np.zeros(self.coefficients(0).shape)
        for ages, weights in filter_.pieces(steps):
            total += np.tensordot(weights, self.coefficients(steps - 1 - ages), 1)
        return total

    def persistence(self, filter_: LinearFilter, steps: int, rank: int) -> Doubles:
        """c_sig of each spike, (r,): |lambda_bar_k| / |lambda_k|, its largest amplitude in the buffer by that of the model.

        The reference is the model's lambda_k and not lambda_k(t), so that it does not depend on when one looks; a spike that
        lately was larger than that has more than 1.

        Args:
            filter_: Whose buffer.
            steps: How many gradients the buffer has taken, >= 1.
            rank: r, how many spikes the model has.

        Source: theory.md B, F11.
        """
        return gains(self.averaged(filter_, steps)[None], self.shares(rank))[0, :, 0]


@dataclass(frozen=True)
class Constant(Signal):
    """A signal that does not move: S_t = S."""

    def averaged(self, filter_: LinearFilter, steps: int) -> Doubles:
        """The filter's gain, (1, 1, 1)."""
        return np.full((1, 1, 1), filter_.gain(steps))


def gains(averages: Doubles, shares: Doubles) -> Doubles:
    """Singular values of each spike's part of S_bar over |lambda_k|, falling, (K, r, min(A, B)).

    The frames are orthonormal, so they are those of C_abk = sum_j C_abj g_jk, from C (K, A, B, J) and shares (J, r).
    """
    return np.linalg.svdvals(np.moveaxis(np.tensordot(averages, shares, 1), -1, 1))
