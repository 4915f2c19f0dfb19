"""Closed forms for one layer, no simulation: what momentum buys at a window, and which window to choose.

This is the recipe for choosing beta = 1 - 1/T that Theorem 2 leaves open. Given the layer's shape, its signal's singular
values lambda_k, the entry noise sigma of one gradient and, if the signal turns, its drift in radians a step:

1. Below the critical window (S2) a spike is hidden in the bulk: no truncated method sees it, though a full polar factor
   already gains (S4 has no threshold).
2. The smallest window that reaches the wanted alignment (S4) is the least momentum that will do.
3. Drift makes long windows stale: the best window (S8) is the most momentum that pays. Where 2. exceeds 3., the wanted
   alignment is out of reach at this noise and drift, and only more averaging at one point (a larger batch) helps.
4. Theorem 2's window (B5, made explicit by B3') is when pre-polar is proved to be ahead of polar-only; it is usually far
   larger than the one from which it is ahead.

Assumptions: independent noise entries of one finite variance, few spikes beside min(m, n), distinct from each other, steady
state, signal constant or turning slowly; sizes so large that corrections of order 1/min(m, n) do not matter. Re-polarised
values are conjectures (S9, S10). Bounds (B) assume BVMZOS noise only.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from spikesim.errors import need
from spikesim.theory import asymptotics, bounds, choice, drift, high_snr, post_polar
from spikesim.theory.arguments import real, shape_of, sigma_of, spikes_in, window_of


@dataclass(frozen=True)
class Spike:
    """One spike in the momentum buffer.

    Attributes:
        size: |lambda|, in the unit of the gradients.
        critical_window: T from which it leaves the bulk, in steps (S2).
        singular_value: Its singular value of the buffer, in the unit of the gradients (S3).
        left_overlap: Squared overlap of the left singular vectors, 0 below the critical window (S3).
        right_overlap: The same on the right.
        direction: u^T O(M) v (S4).
    """

    size: float
    critical_window: float
    singular_value: float
    left_overlap: float
    right_overlap: float
    direction: float


@dataclass(frozen=True)
class Update:
    """Mean alignment of one pipeline, full and truncated to the top-r pairs; None where no formula is known."""

    pipeline: str
    alignment: float | None
    truncated: float | None
    source: str


@dataclass(frozen=True)
class Comparison:
    """A sharp value beside the bounds on it; inf where a bound's hypothesis fails."""

    quantity: str
    sharp: float
    expected: float
    quantile: float | None
    sources: str

    @property
    def trivial(self) -> float:
        """From where on a bound says nothing: 1 for sines and losses, inf for singular values."""
        return math.inf if self.quantity.startswith("sigma") else 1.0


@dataclass(frozen=True)
class Windows:
    """Windows to choose from; None where not asked for, and where polar-only's loss is below rounding (theorem_2)."""

    reach: float | None
    reaching: float | None
    theorem_2: float | None
    drift: float | None
    best: float | None
    best_alignment: float | None


@dataclass(frozen=True)
class Prediction:
    """Everything that `predict` says; in words by `spikesim.predicted.text`, for programs by `as_json`.

    Attributes:
        shape: (m, n).
        sigma: Standard deviation of one noise entry of one gradient.
        window: T, in steps.
        momentum: beta = 1 - 1/T.
        n_eff: Effective sample size 2T - 1.
        bulk_edge: Largest singular value of the buffer's noise, in the unit of sigma (S2).
        spikes: What the buffer shows of each spike, the largest first.
        updates: Alignment of each pipeline.
        comparisons: Sharp values beside their bounds.
        windows: Windows to choose from.
    """

    shape: tuple[int, int]
    sigma: float
    window: float
    momentum: float
    n_eff: float
    bulk_edge: float
    spikes: tuple[Spike, ...]
    updates: tuple[Update, ...]
    comparisons: tuple[Comparison, ...]
    windows: Windows

    def as_json(self) -> dict[str, Any]:
        """Nested plain values; inf and nan become None."""
        return _plain(asdict(self))


def predict(
    shape: tuple[int, int],
    spikes: Sequence[float] | float,
    sigma: float,
    window: float,
    reach: float | None = None,
    drift: float | None = None,
) -> Prediction:
    """Closed forms for one layer.

    Args:
        shape: (m, n).
        spikes: lambda_1..lambda_r of the signal, in the gradient's unit, none 0; signs do not matter.
        sigma: Standard deviation of one noise entry of one gradient, in the same unit.
        window: T = 1/(1 - beta), >= 1.
        reach: Wanted alignment of pre-polar, in (0, 1).
        drift: Radians by which the left singular vectors turn a step, in (0, pi].

    Raises:
        ValueError: If an argument breaks these conditions.

    Returns:
        The prediction; `spikesim.predicted.text` makes of it what the command prints.

    Example:
        >>> layer = predict((4096, 16384), spikes=8.0, sigma=1.0, window=20, reach=0.9)
        >>> layer.n_eff, round(layer.windows.reaching)
        (39.0, 617)

    Source: theory.md S2 to S4, S8 to S10, B1 to B5.
    """
    where = shape_of(shape), sigma_of(sigma)
    size = tuple(sorted(spikes_in(shape, spikes).tolist(), reverse=True))
    t = window_of(window)
    need(drift is None or (real(drift) and 0 < drift <= math.pi), "0 < drift <= pi", drift=drift)
    return Prediction(
        where[0], where[1], t, 1 - 1 / t, 2 * t - 1, asymptotics.bulk_edge(*where, t), _spikes(*where, size, t),
        _updates(*where, size, t), _comparisons(*where, size, t), _windows(*where, size, reach, drift),
    )  # fmt: skip


def _spikes(shape: tuple[int, int], sigma: float, size: tuple[float, ...], t: float) -> tuple[Spike, ...]:
    left, right = asymptotics.overlaps(shape, sigma, size, t)
    columns = (
        size,
        asymptotics.critical_window(shape, sigma, size),
        asymptotics.singular_value(shape, sigma, size, t),
        left,
        right,
        asymptotics.polar_alignment(shape, sigma, size, t),
    )
    return tuple(Spike(*(float(x) for x in row)) for row in zip(*columns, strict=True))


def _updates(shape: tuple[int, int], sigma: float, size: tuple[float, ...], t: float) -> tuple[Update, ...]:
    raw = asymptotics.alignment(shape, sigma, size, 1.0)
    raw_cut = asymptotics.truncated_alignment(shape, sigma, size, 1.0)
    full = asymptotics.alignment(shape, sigma, size, t)
    cut = asymptotics.truncated_alignment(shape, sigma, size, t)
    return (
        Update("pre-polar", full, cut, "S4; S3"),
        Update("post-polar", raw, raw_cut, "S4, S3 at T = 1; B4"),
        Update("polar-only", raw, raw_cut, "S4, S3 at T = 1"),
        Update("re-polarised", *_again(shape, sigma, size, t, raw), "S10, T >= 5; S9 (conjecture)"),
    )


def _again(
    shape: tuple[int, int], sigma: float, size: tuple[float, ...], t: float, raw: float
) -> tuple[float | None, float | None]:
    """Alignment of re-polarised, full and truncated; at T = 1 it is polar-only, whose buffer has no top-r pairs."""
    if t == 1:
        return raw, None
    if t > post_polar.LONGEST:
        return None, None
    known = t >= post_polar.SHORTEST
    full = asymptotics.weighted(size, post_polar.repolarised_alignment(shape, sigma, size, t)) if known else None
    seen = [post_polar.buffer(shape, sigma, x, t) for x in size]
    return full, asymptotics.weighted(size, np.array([math.sqrt(b.left * b.right) for b in seen]))


def _comparisons(shape: tuple[int, int], sigma: float, size: tuple[float, ...], t: float) -> tuple[Comparison, ...]:
    eta, rank = sigma**2 * math.prod(shape), len(size)
    tail = high_snr.tail(shape, sigma, rank, t)
    sines = asymptotics.sin_theta(shape, sigma, size, t)
    eps = float(bounds.perturbation_radius(eta, t))
    b2 = float(bounds.subspace_bound(eta, t, size[-1]))
    return (
        Comparison("sigma_{r+1}", tail, float(bounds.expected_tail(eta, t)), eps, "S6; B1e; B1"),
        Comparison("sin theta", max(sines), float(bounds.expected_subspace(eta, t, size[-1])), b2, "S3; B2e; B2"),
        Comparison(
            "1 - alignment", 1 - asymptotics.alignment(shape, sigma, size, t),
            float(bounds.alignment_bound(shape, eta, t, size)), None, "S4; B3'",
        ),
    )  # fmt: skip


def _windows(
    shape: tuple[int, int], sigma: float, size: tuple[float, ...], reach: float | None, omega: float | None
) -> Windows:
    raw = asymptotics.alignment(shape, sigma, size, 1.0)
    reaching = None if reach is None else choice.smallest_window(shape, sigma, size, reach)
    best = (None, None) if omega is None else drift.best_window(shape, sigma, size, omega)
    ahead = bounds.order_window(sigma**2 * math.prod(shape), size, raw) if raw < 1 else None
    return Windows(reach, reaching, ahead, omega, *best)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
