"""Every observable at the last step, the same lines for numpy, torch, jax.numpy and cupy; one SVD a buffer, shared.

All steps before the last are the contenders' own; these lines run once a trial.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.workloads import Problem

Array = Any
Factors = tuple[Array, Array, Array]
Values = dict[str, Any]
Spectrum = Callable[[Array], Array]
TOTAL, SQUARES = "total", "squares"
"""Sums over trials of A - Q and of its squared norm: what bias and variance are made of."""


@dataclass(frozen=True)
class Truth:
    """The signal in a contender's array type: u (m, r), v (n, r), spikes (r,), signal (m, n), gains (K, 1, 1)."""

    u: Array
    v: Array
    spikes: Array
    signal: Array
    gains: Array

    @classmethod
    def of(cls, problem: Problem, convert: Callable[[NDArray[np.float64]], Array]) -> "Truth":
        """Every array of a problem, converted."""
        u, v = problem.frame
        gains = problem.gains[:, None, None]
        return cls(*map(convert, (u, v, np.array(problem.spikes), problem.signal, gains)))


@dataclass(frozen=True)
class Last:
    """The last step of B trials.

    Args:
        gradient: G, (B, 1, m, n).
        momentum: EMA(G) of each window, (B, K, m, n).
        polars: EMA(O(G)), (B, K, m, n).
        truncated: <EMA(O_r(G)), S> / ‖S‖_*, (B, K); None where truncated factors are not asked for.
    """

    gradient: Array
    momentum: Array
    polars: Array
    truncated: Array | None


def alignment(a: Array, truth: Truth) -> Array:
    """<A, S> / ‖S‖_*, (...), of A (..., m, n)."""
    return (directions(a, truth) * truth.spikes).sum(-1) / truth.spikes.sum()


def directions(a: Array, truth: Truth) -> Array:
    """u_k^T A v_k, (..., r)."""
    return (truth.u * (a @ truth.v)).sum(-2)


def frobenius(x: Array) -> Array:
    """‖x‖_F over the last two axes."""
    return (x * x).sum((-2, -1)) ** 0.5


def mirrored(x: Array) -> Array:
    """Stacked matrices, transposed."""
    return x.swapaxes(-1, -2)


def observables(
    xp: Any, svd: Callable[[Array], Factors], problem: Problem, truth: Truth, last: Last, values: Spectrum | None = None
) -> Values:
    """Observables of all pipelines: (B, 4, K, ...), or (B, K) where they do not depend on the pipeline.

    Args:
        xp: numpy, torch, jax.numpy or cupy.
        svd: Thin SVD of stacked matrices: u, d, v^T.
        problem: What was run.
        truth: Its signal.
        last: What was reached.
        values: Singular values of stacked matrices, falling; xp's own where left out.
    """
    values = values or xp.linalg.svdvals
    pre, post, only = svd(last.momentum), svd(last.polars), svd(last.gradient)
    updates = [pre[0] @ pre[2], last.polars, only[0] @ only[2], post[0] @ post[2]]
    out = _of_update(updates, truth) | _of_entering(xp, values, problem, truth, (pre, post, only, post))
    if last.truncated is not None:
        out["alignment_truncated"] = _truncated(xp, truth, last.truncated, (pre, post, only))
    spread = {name: [xp.broadcast_to(x, (x.shape[0], *out["gap"][0].shape[1:2], *x.shape[2:])) for x in columns]
              for name, columns in out.items()}  # fmt: skip
    found = {name: xp.stack(columns, 1) for name, columns in spread.items()}
    rank = len(problem.spikes)
    found["suppression"] = pre[1][..., rank] / only[1][..., rank]
    return found | _of_noise(values, truth, last.momentum - truth.gains * truth.signal) | _moments(xp, updates, truth)


def _of_update(updates: Sequence[Array], truth: Truth) -> Values:
    """Alignment, projection, cosine, and the residual of the last polar factor taken."""
    pre, _, only, again = updates
    along = [directions(a, truth) for a in updates]
    rank = truth.spikes.shape[0]
    residuals = [frobenius(q @ (mirrored(q) @ q) - q) / frobenius(q) for q in (pre, only, again)]
    return {
        "alignment": [(o * truth.spikes).sum(-1) / truth.spikes.sum() for o in along],
        "projection": [o.mean(-1) for o in along],
        "cosine": [o.sum(-1) / (frobenius(a) * rank**0.5) for o, a in zip(along, updates, strict=True)],
        "residual": [residuals[0], residuals[1], residuals[1], residuals[2]],
    }


def _of_entering(xp: Any, values: Spectrum, problem: Problem, truth: Truth, factors: Sequence[Factors]) -> Values:
    """What the matrix that enters the polar step says: subspaces, singular values."""
    r = len(problem.spikes)
    d = [f[1] for f in factors]
    exists = [_separated(xp, x, r, max(problem.shape)) for x in d]
    left = [_sine(values, f[0][..., :r], truth.u) for f in factors]
    right = [_sine(values, mirrored(f[2][..., :r, :]), truth.v) for f in factors]
    head = [xp.amax(abs(x[..., :r] - target), -1) for x, target in
            zip(d, (truth.gains[..., 0] * truth.spikes, truth.spikes, truth.spikes, truth.spikes), strict=True)]  # fmt: skip
    none = [x * float("nan") for x in head]
    return {
        "sin_theta_left": [xp.where(e, x, float("nan")) for e, x in zip(exists, left, strict=True)],
        "sin_theta_right": [xp.where(e, x, float("nan")) for e, x in zip(exists, right, strict=True)],
        "gap": [x[..., r - 1] - x[..., r] for x in d],
        "tail": [x[..., r] for x in d],
        "head_error": [head[0], none[1], head[2], none[3]],
        "singular_values": [x[..., : r + 1] for x in d],
    }


def _separated(xp: Any, d: Array, r: int, size: int) -> Array:
    """Whether the top-r subspace exists: it does not for a polar factor."""
    return d[..., r - 1] - d[..., r] > 10 * size * xp.finfo(d.dtype).eps * d[..., 0]


def _sine(values: Spectrum, found: Array, true: Array) -> Array:
    """The largest sine between two subspaces: the norm of what lies outside."""
    outside = found - true @ (mirrored(true) @ found)
    return values(outside)[..., 0].clip(max=1)


def _truncated(xp: Any, truth: Truth, post: Array, factors: tuple[Factors, Factors, Factors]) -> list[Array]:
    """Alignment of O_r in place of the last polar step."""
    r = truth.spikes.shape[0]
    size = max(truth.signal.shape)
    top = [alignment(u[..., :r] @ vt[..., :r, :], truth) for u, _, vt in factors]
    pre, again, only = (xp.where(_separated(xp, f[1], r, size), x, float("nan")) for f, x in zip(factors, top, strict=True))
    return [pre, post, only, again]


def _of_noise(values: Spectrum, truth: Truth, noise: Array) -> Values:
    """Norms of the noise of the momentum buffers, (B, K)."""
    d = values(noise)
    rows, columns = mirrored(truth.u) @ noise, noise @ truth.v
    columns = columns - truth.u @ (rows @ truth.v)
    tangent = ((rows * rows).sum((-2, -1)) + (columns * columns).sum((-2, -1))) ** 0.5
    return {"noise_fro": frobenius(noise), "noise_op": d[..., 0], "noise_nuclear": d.sum(-1), "noise_tangent": tangent}


def _moments(xp: Any, updates: Sequence[Array], truth: Truth) -> Values:
    """Sums over trials for bias and variance, (4, K, m, n) and (4, K)."""
    target = truth.u @ mirrored(truth.v)
    apart = [xp.broadcast_to(a - target, updates[0].shape) for a in updates]
    return {TOTAL: xp.stack([x.sum(0) for x in apart]), SQUARES: xp.stack([(x * x).sum((-2, -1)).sum(0) for x in apart])}


def joined(parts: Sequence[dict[str, NDArray[np.floating]]]) -> dict[str, NDArray[np.float64]]:
    """Batches of trials together in float64, with bias and variance (4, K) in place of their sums."""
    out = {n: np.concatenate([p[n] for p in parts]).astype(float) for n in parts[0] if n not in (TOTAL, SQUARES)}
    if TOTAL not in parts[0]:
        return out
    count = len(out["alignment"])
    total, squares = (sum(p[name].astype(float) for p in parts) for name in (TOTAL, SQUARES))
    mean_square = np.sum(total * total, axis=(-2, -1)) / count**2
    variance = (squares - count * mean_square) / max(count - 1, 1)
    return out | {"bias_squared": mean_square - variance / count, "variance": variance}
