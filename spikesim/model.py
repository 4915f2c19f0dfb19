"""The gradient model: G_t = S_t + Xi_t, a low-rank signal in noise (theory.md, Notation)."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim import rng
from spikesim.errors import need
from spikesim.filters import LinearFilter
from spikesim.noise.base import LARGEST, SMALLEST, Noise
from spikesim.signal import Constant, Signal, turned

Frame = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, eq=False, repr=False)
class Vectors:
    """Given singular vectors u (m, r) and v (n, r), orthonormal columns; equal and hashed by value."""

    u: NDArray[np.float64]
    v: NDArray[np.float64]

    def _key(self) -> tuple[object, ...]:
        return self.u.shape, self.v.shape, self.u.tobytes(), self.v.tobytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vectors) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        digest = hashlib.sha256(self.u.tobytes() + self.v.tobytes()).hexdigest()[:16]
        return f"Vectors(u.shape={self.u.shape}, v.shape={self.v.shape}, sha256={digest})"


@dataclass(frozen=True)
class SpikedModel:
    """A stream of m x n gradients: rank-r signal sum_k spikes_k u_k v_k^T plus noise.

    Args:
        shape: (m, n), each >= 1; nothing needs m >= n.
        spikes: lambda_1..lambda_r, finite and not 0, 1 <= r <= min(m, n). Negative ones carry their sign in Q.
        noise: A law of spikesim.noise.
        vectors: "haar" (uniform, drawn once from the seed, shared by all trials), "axes" (u_k = e_k, v_k = e_k), or a
            pair of arrays (m, r), (n, r) with orthonormal columns.
        signal: How the signal moves in time, a law of spikesim.signal. Where u_k moves m >= 2 r, where v_k does n >= 2 r.
        head: r', how many of the largest |lambda_k| the subspaces, gap and tail are about (theory.md, Observables), 1 to r;
            all where left out.

    Raises:
        ValueError: If an argument breaks the conditions above.

    Example:
        >>> from spikesim.noise import Gaussian
        >>> model = SpikedModel((32, 64), (6.0, 4.0), Gaussian(sigma=0.5))
        >>> model.rank, model.eta
        (2, 512.0)

    Source: theory.md, Notation.
    """

    shape: tuple[int, int]
    spikes: tuple[float, ...]
    noise: Noise
    vectors: Any = "haar"
    signal: Signal = field(default_factory=Constant)
    head: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", _shape(self.shape))
        object.__setattr__(self, "spikes", _spikes(self.spikes, min(self.shape)))
        need(
            isinstance(self.noise, Noise) and type(self.noise) is not Noise,
            "noise from spikesim.noise, such as ss.Gaussian(sigma=1.0)",
            noise=self.noise,
        )
        known = isinstance(self.signal, Signal) and type(self.signal) is not Signal
        need(known, "signal from spikesim.signal, such as ss.Constant()", signal=self.signal)
        self.signal.check(self.shape, self.rank)
        self.noise.entry_scale(self.shape)
        object.__setattr__(self, "vectors", _vectors(self.vectors, self.shape, self.rank))
        object.__setattr__(self, "head", _head(self.head, self.rank))

    def __repr__(self) -> str:
        """Every field but a head that is all: the text is part of a stored point's identity."""
        given = [f.name for f in fields(self) if f.name != "head" or self.head is not None]
        return f"SpikedModel({', '.join(f'{name}={getattr(self, name)!r}' for name in given)})"

    @property
    def rank(self) -> int:
        """r."""
        return len(self.spikes)

    @property
    def head_rank(self) -> int:
        """r', which is r where no head is given."""
        return self.rank if self.head is None else self.head

    @property
    def eta(self) -> float:
        """E‖Xi_t‖_F^2, inf where it is."""
        return self.noise.eta(self.shape)

    @property
    def theorem_eta(self) -> float:
        """eta as the bounds B1 to B5 want it.

        Raises:
            ValueError: If the noise is not BVMZOS, so that no bound speaks of it.
        """
        need(self.noise.is_bvmzos, "BVMZOS noise for a theorem", self.noise.outside, noise=self.noise)
        return self.eta

    @property
    def signs(self) -> NDArray[np.float64]:
        """Signs of the spikes, (r,)."""
        return np.sign(self.spikes)

    def amplitudes(self, step: int = 0) -> NDArray[np.float64]:
        """lambda_k(t) of a step, signs included, (r,).

        Args:
            step: t = 0, 1, ...; the first gradient has t = 0.
        """
        return np.asarray(self.spikes) * self.signal.factors(step, self.rank)

    def persistence(self, filter_: LinearFilter, steps: int) -> NDArray[np.float64]:
        """c_sig of each spike in a filter's buffer after `steps` steps, (r,); see Signal.persistence.

        Args:
            filter_: Whose buffer.
            steps: How many gradients the buffer has taken, >= 1.
        """
        return self.signal.persistence(filter_, steps, self.rank)

    def frame(self, seed: int, step: int = 0) -> Frame:
        """The singular vectors u (m, r) and v (n, r) of S_t under a seed.

        Args:
            seed: In [0, 2^64).
            step: t = 0, 1, ...

        Raises:
            ValueError: If the seed is outside its range.
        """
        pairs = zip(self.signal.turns(step), self.frames(seed), strict=True)
        u, v = (turned(turn, frames) for turn, frames in pairs)
        return u, v

    def frames(self, seed: int) -> Frame:
        """The frames that the signal moves in, u (A, m, r) and v (B, n, r): those of step 0, then any partners.

        Args:
            seed: In [0, 2^64).

        Raises:
            ValueError: If the seed is outside its range.
        """
        first = self._first(seed)
        moves = [k > 1 for k in self.signal.parts]
        partners = self._partners(seed, first) if any(moves) else first
        u, v = (np.stack([x, y]) if m else x[None] for m, x, y in zip(moves, first, partners, strict=True))
        return u, v

    def _partners(self, seed: int, first: Frame) -> Frame:
        """As many columns in the complement of the first: the next axes, or Gaussian ones (rng.VECTORS, trial 1)."""
        if isinstance(self.vectors, str) and self.vectors == "axes":
            u, v = (np.eye(len(x), 2 * self.rank)[:, self.rank :] for x in first)
        else:
            z = rng.normals(seed, rng.VECTORS, 1, (sum(self.shape), self.rank))
            u, v = (_haar_outside(x, y) for x, y in zip(np.split(z, [self.shape[0]]), first, strict=True))
        return u, v

    def _first(self, seed: int) -> Frame:
        if isinstance(self.vectors, Vectors):
            return self.vectors.u, self.vectors.v
        if self.vectors == "axes":
            return np.eye(self.shape[0], self.rank), np.eye(self.shape[1], self.rank)
        z = rng.normals(seed, rng.VECTORS, 0, (sum(self.shape), self.rank))
        return _haar(z[: self.shape[0]]), _haar(z[self.shape[0] :])


def _haar(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Haar-distributed orthonormal columns from Gaussian ones: QR with a positive diagonal."""
    q, r = np.linalg.qr(z)
    return q * np.where(np.diagonal(r) < 0, -1.0, 1.0)


def _haar_outside(z: NDArray[np.float64], basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same in the complement of orthonormal columns; twice, so that rounding of the first pass is projected off too."""
    for _ in range(2):
        z = _haar(z - basis @ (basis.T @ z))
    return z


def _shape(shape: Any) -> tuple[int, int]:
    try:
        m, n = shape
        whole = all(not isinstance(x, bool) and int(x) == x for x in (m, n))
    except (TypeError, ValueError, OverflowError):
        whole = False
    need(whole and m >= 1 and n >= 1, "shape == (m, n), integers >= 1", shape=shape)
    need(max(m, n) <= 2**48, "m, n <= 2**48", shape=shape)
    return int(m), int(n)


def _spikes(spikes: Any, limit: int) -> tuple[float, ...]:
    try:
        raw = np.atleast_1d(np.asarray(spikes))
        values = raw.astype(float) if raw.dtype.kind in "iuf" else np.empty((0, 0))
    except (TypeError, ValueError):
        values = np.empty((0, 0))
    need(values.ndim == 1 or np.size(spikes) == 0, "spikes: real numbers", spikes=spikes)
    need(1 <= values.size <= limit, f"1 <= rank <= min(m, n) = {limit}", rank=values.size)
    out = tuple(values.tolist())
    need(all(math.isfinite(x) and x != 0 for x in out), "spikes finite and not 0", spikes=spikes)
    inside = all(SMALLEST <= abs(x) <= LARGEST for x in out)
    need(inside, f"{SMALLEST:g} <= |spike| <= {LARGEST:g}", spikes=spikes)
    return out


def _head(head: Any, rank: int) -> int | None:
    whole = isinstance(head, int | np.integer) and not isinstance(head, bool)
    need(head is None or (whole and 1 <= head <= rank), f"head: None or an integer in [1, r = {rank}]", head=head)
    return None if head is None or head == rank else int(head)


def _vectors(vectors: Any, shape: tuple[int, int], rank: int) -> Any:
    if isinstance(vectors, str):
        need(vectors in ("haar", "axes"), 'vectors "haar", "axes" or a pair of arrays', vectors=vectors)
        return vectors
    if isinstance(vectors, Vectors):
        vectors = (vectors.u, vectors.v)
    need(isinstance(vectors, Sequence) and len(vectors) == 2, 'vectors "haar", "axes" or a pair of arrays', vectors=vectors)
    frames = []
    for name, given, rows in zip("uv", vectors, shape, strict=True):
        try:
            raw = np.array(given)
            x = raw.astype(float) if raw.dtype.kind in "iuf" else np.empty(0)
        except ValueError:
            x = np.empty(0)
        need(x.shape == (rows, rank), f"vectors: {name} of shape {(rows, rank)}", **{f"{name}.shape": x.shape})
        error = float(np.max(np.abs(x.T @ x - np.eye(rank))))
        need(error < 1e-10, f"vectors: orthonormal columns of {name}", **{f"max|{name}^T {name} - I|": error})
        x.setflags(write=False)
        frames.append(x)
    return Vectors(*frames)
