"""What is measured, and how: theory.md, Observables, one function each.

Notation: a (..., m, n) is an update; x (..., m, n) the matrix that entered its polar step, with SVD u diag(d) vt;
frame = (U, V), shapes (m, r) and (n, r), holds the signal's singular vectors; spikes are lambda_1..lambda_r, (r,).
"""

from dataclasses import dataclass

from spikesim.arrays import Array, array_namespace, binary_scale, frobenius, inner, transpose

MOMENTS = ("bias_squared", "variance")
"""Read from the updates of all trials together."""
UPDATE = ("alignment", "projection", "cosine", "residual", *MOMENTS)
"""Read from the update."""
VECTORS = ("sin_theta_left", "sin_theta_right")
"""Read from the singular vectors of the matrix that entered the polar step."""
VALUES = ("gap", "tail", "head_error", "singular_values", "suppression")
"""Read from the singular values of that matrix."""
NOISE = ("noise_fro", "noise_op", "noise_nuclear", "noise_tangent")
"""Read from the noise of the momentum buffer."""
BY_NAME = ("chosen_window",)
"""Measured only where asked for by name: T of the newest step of a stage that sets its own (stages/control.py)."""
OBSERVABLES = ("alignment", "projection", "alignment_truncated", *UPDATE[2:], *VECTORS, *VALUES, *NOISE)
KNOWN = (*OBSERVABLES, *BY_NAME)


@dataclass(frozen=True)
class Truth:
    """The signal that updates are held against: that of the last step; the head is all of it where left out."""

    u: Array
    v: Array
    spikes: Array
    head: int | None = None

    @property
    def signs(self) -> Array:
        """Signs of the spikes."""
        return array_namespace(self.spikes).sign(self.spikes)

    @property
    def rank(self) -> int:
        """r', of the head."""
        return self.spikes.shape[0] if self.head is None else self.head

    @property
    def frame(self) -> tuple[Array, Array]:
        """Vectors of the head, (m, r') and (n, r'): those of the largest amplitudes."""
        if self.head is None:
            return self.u, self.v
        xp = array_namespace(self.spikes)
        top = xp.argsort(xp.abs(self.spikes), descending=True)[: self.head]
        return xp.take(self.u, top, axis=1), xp.take(self.v, top, axis=1)

    @property
    def target(self) -> Array:
        """O(S) = Q = sum sign(lambda_k) u_k v_k^T, (m, n)."""
        return (self.u * self.signs) @ transpose(self.v)


def directions(a: Array, truth: Truth) -> Array:
    """o_k = u_k^T A v_k, (..., r)."""
    return array_namespace(a).sum(truth.u * (a @ truth.v), axis=-2)


def alignment(o: Array, truth: Truth) -> Array:
    """<A, S>_F / ‖S‖_* from o_k: the share of the largest first-order decrease of any update of spectral norm 1."""
    xp = array_namespace(truth.spikes)
    return xp.sum(truth.spikes * o, axis=-1) / xp.sum(xp.abs(truth.spikes))


def projection(o: Array, truth: Truth) -> Array:
    """<A, U V^T>_F / r from o_k, signs carried by Q."""
    return array_namespace(truth.spikes).mean(truth.signs * o, axis=-1)


def cosine(o: Array, norm: Array, truth: Truth) -> Array:
    """<A, U V^T>_F / (‖A‖_F sqrt r) from o_k and ‖A‖_F; 0 for a zero update."""
    xp = array_namespace(norm)
    total = xp.sum(truth.signs * o, axis=-1)
    return total / (xp.where(norm > 0, norm, xp.ones_like(norm)) * truth.spikes.shape[0] ** 0.5)


def sin_theta(found: Array, true: Array) -> Array:
    """‖(I - P) F‖_2 for orthonormal columns F (..., m, r) and the projector P on true (m, r): the largest sine."""
    xp = array_namespace(found)
    outside = found - true @ (transpose(true) @ found)
    scale = binary_scale(outside)
    y = outside / scale  # the largest singular value loses nothing by being squared
    square = xp.linalg.eigvalsh(transpose(y) @ y)[..., -1]
    top = scale[..., 0, 0] * xp.sqrt(xp.where(square > 0, square, xp.zeros_like(square)))
    return xp.where(top < 1, top, xp.ones_like(top))


def separated(d: Array, rank: int, rounding: float) -> Array:
    """Whether the top-r singular subspace exists: sigma_r above sigma_{r+1} by more than 10 roundings of sigma_1; (...).

    d holds sigma_1..sigma_{r+1} at least, or all. The subspace does not exist for a polar factor, whose singular values are
    all 1 (buffers of post-polar and re-polarised at T = 1).
    """
    return (gap(d, rank) > 10 * rounding * d[..., 0]) | (d.shape[-1] == rank)


def gap(d: Array, rank: int) -> Array:
    """sigma_r - sigma_{r+1} of falling singular values d (..., p)."""
    return d[..., rank - 1] - tail(d, rank)


def tail(d: Array, rank: int) -> Array:
    """sigma_{r+1}; 0 where r = min(m, n)."""
    return d[..., rank] if d.shape[-1] > rank else array_namespace(d).zeros_like(d[..., 0])


def head_error(d: Array, target: Array) -> Array:
    """max over k <= r of |sigma_k - lambda_bar_k|, both sorted; target (..., r) holds |lambda_bar| in any order."""
    xp = array_namespace(d)
    return xp.max(xp.abs(d[..., : target.shape[-1]] - xp.sort(target, axis=-1, descending=True)), axis=-1)


def tangent_norm(z: Array, truth: Truth) -> Array:
    """‖P_T Z‖_F, P_T Z = Z - (I - U U^T) Z (I - V V^T) of Z (..., m, n): the part that touches the signal's subspaces (B3').

    U^T Z and (I - U U^T) Z V are its orthogonal pieces, so that nothing large is subtracted.
    """
    rows, columns = transpose(truth.u) @ z, z @ truth.v
    columns = columns - truth.u @ (rows @ truth.v)
    return frobenius(array_namespace(z).concat([transpose(rows), columns], axis=-2))


def moments(total: Array, squares: Array, count: int) -> tuple[Array, Array]:
    """Unbiased estimates of ‖E A - O(S)‖_F^2 and E‖A - E A‖_F^2 from deviations D = A - O(S) of `count` trials.

    Args:
        total: Sum of D over trials, (..., m, n).
        squares: Sum of ‖D‖_F^2 over trials, (...).
        count: Number of trials, >= 2.

    Returns:
        (bias squared, variance), (...). The first can be slightly negative: it is unbiased.
    """
    mean_square = inner(total, total) / count**2
    variance = (squares - count * mean_square) / (count - 1)
    return mean_square - variance / count, variance
