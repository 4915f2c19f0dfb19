"""Slow reference: the definitions of theory.md, one dense matrix at a time, written without reading spikesim.

Notation: G_t = S_t + Xi_t of shape (m, n), S = sum_k lambda_k u_k v_k^T that of the last step, M_t the EMA from zero,
Q = sum_k sign(lambda_k) u_k v_k^T = O(S).
"""

import itertools

import numpy as np
from scipy import linalg

PIPELINES = ("pre-polar", "post-polar", "polar-only", "re-polarised")


def polar(x):
    """O(X) = U V^T over the singular values above max(m, n) eps sigma_1."""
    left, values, right = linalg.svd(x, full_matrices=False)
    kept = values > max(x.shape) * np.finfo(np.float64).eps * values[0]
    return left[:, kept] @ right[kept]


def truncated_polar(x, rank):
    """O_r(X) = U_r V_r^T."""
    left, _, right = linalg.svd(x, full_matrices=False)
    return left[:, :rank] @ right[:rank]


def ema(matrices, window):
    """M_t = beta M_{t-1} + (1 - beta) X_t from M_0 = 0, beta = 1 - 1 / window; the last one."""
    beta = 1.0 - 1.0 / window
    buffer = np.zeros_like(matrices[0])
    for x in matrices:
        buffer = beta * buffer + (1.0 - beta) * x
    return buffer


def updates(gradients, window):
    """A_t of each pipeline at the last step."""
    polars = ema([polar(g) for g in gradients], window)
    return dict(zip(PIPELINES, (polar(ema(gradients, window)), polars, polar(gradients[-1]), polar(polars)), strict=True))


def truncated_updates(gradients, window, rank):
    """Each pipeline with O_r for O; re-polarised is O_r(EMA(O(G)))."""
    entering = entering_matrices(gradients, window)
    return {
        "pre-polar": truncated_polar(entering["pre-polar"], rank),
        "post-polar": ema([truncated_polar(g, rank) for g in gradients], window),
        "polar-only": truncated_polar(gradients[-1], rank),
        "re-polarised": truncated_polar(entering["re-polarised"], rank),
    }


def entering_matrices(gradients, window):
    """The matrix whose singular vectors are compared with the signal's: M_t, EMA(O(G)), G_t, EMA(O(G))."""
    polars = ema([polar(g) for g in gradients], window)
    return dict(zip(PIPELINES, (ema(gradients, window), polars, gradients[-1], polars), strict=True))


def outside(basis, vectors):
    """‖sin Theta‖_2: the spectral norm of the part of `vectors` orthogonal to the span of `basis`."""
    return linalg.norm(vectors - basis @ (basis.T @ vectors), 2)


def turning(spikes, lefts, rights, omega, both, steps):
    """S_0 .. S_{steps - 1} of vectors that turn by omega a step, and the last frames u_t (m, r) and v_t (n, r).

    Args:
        spikes: lambda_k, (r,).
        lefts: u_k and their partners u'_k, each (m, r).
        rights: v_k and, where both turn, their partners v'_k, each (n, r).
        omega: Radians a step.
        both: Whether the v_k turn too.
        steps: How many.
    """
    signals = []
    for t in range(steps):
        left = np.cos(omega * t) * lefts[0] + np.sin(omega * t) * lefts[1]
        right = np.cos(omega * t) * rights[0] + np.sin(omega * t) * rights[1] if both else rights[0]
        signals.append(sum(x * np.outer(left[:, k], right[:, k]) for k, x in enumerate(spikes)))
    return np.array(signals), left, right


def moving(spikes, factor, left, right, steps):
    """S_0 .. S_{steps - 1} of amplitudes and vectors that are any functions of the step.

    Args:
        spikes: lambda_k, (r,).
        factor: (k, t) -> lambda_k(t) / lambda_k.
        left: t -> u_k(t), (m, r).
        right: t -> v_k(t), (n, r).
        steps: How many.
    """
    return np.array(
        [sum(x * factor(k, t) * np.outer(left(t)[:, k], right(t)[:, k]) for k, x in enumerate(spikes)) for t in range(steps)]
    )


def tangent_part(x, left, right):
    """P_T X = X - (I - U U^T) X (I - V V^T)."""
    return x - (np.eye(len(left)) - left @ left.T) @ x @ (np.eye(len(right)) - right @ right.T)


def observe(signals, noise, spikes, left, right, window, pipeline, spectrum, head=None):
    """Every observable of one trial, one pipeline and one window, by name; NaN where theory.md leaves it undefined.

    Args:
        signals: S_1 .. S_t, (t, m, n).
        noise: Xi_1 .. Xi_t, (t, m, n).
        spikes: lambda_k, any sign, (r,).
        left: u_k of the last step as columns, (m, r).
        right: v_k of the last step as columns, (n, r).
        window: T = 1 / (1 - beta).
        pipeline: One of PIPELINES.
        spectrum: How many singular values.
        head: How many of the largest spikes the subspaces, gap and tail are about; all where left out.
    """
    spikes = np.asarray(spikes, dtype=float)
    rank, gradients = head or len(spikes), signals + noise
    largest = sorted(range(len(spikes)), key=lambda k: -abs(spikes[k]))[:rank]
    signal = left @ np.diag(spikes) @ right.T
    direction = left @ np.diag(np.sign(spikes)) @ right.T
    update = updates(gradients, window)[pipeline]
    truncated = truncated_updates(gradients, window, rank)[pipeline]
    nuclear = linalg.svdvals(signal).sum()
    entering = entering_matrices(gradients, window)[pipeline]
    u, values, vt = linalg.svd(entering, full_matrices=False)
    average = {"pre-polar": ema(signals, window), "polar-only": signals[-1]}.get(pipeline)
    head = np.full(rank, np.nan) if average is None else linalg.svdvals(average)[:rank]
    tail = values[rank] if rank < len(values) else 0.0
    exists = rank == len(values) or values[rank - 1] - tail > 1e-12 * values[0]  # a polar factor's do not
    defined = 1.0 if exists else np.nan
    truncates_it = 1.0 if pipeline == "post-polar" else defined  # whether O_r is taken of this very matrix
    buffer = ema(noise, window)
    return {
        "alignment": np.sum(update * signal) / nuclear,
        "projection": np.sum(update * direction) / len(spikes),
        "alignment_truncated": truncates_it * np.sum(truncated * signal) / nuclear,
        "cosine": np.sum(update * direction) / (linalg.norm(update) * np.sqrt(len(spikes))),
        "sin_theta_left": defined * outside(left[:, largest], u[:, :rank]),
        "sin_theta_right": defined * outside(right[:, largest], vt[:rank].T),
        "gap": values[rank - 1] - tail,
        "tail": tail,
        "head_error": np.max(np.abs(values[:rank] - head)),
        "singular_values": values[:spectrum],
        "noise_fro": linalg.norm(buffer),
        "noise_op": linalg.norm(buffer, 2),
        "noise_nuclear": np.sum(buffer * polar(buffer)),
        "noise_tangent": linalg.norm(tangent_part(buffer, left, right)),
    }


def suppression(gradients, window, rank):
    """R(T) = sigma_{r+1}(M_t) / sigma_{r+1}(G_t); NaN without a tail."""
    if rank == min(gradients[0].shape):
        return np.nan
    return linalg.svdvals(ema(gradients, window))[rank] / linalg.svdvals(gradients[-1])[rank]


def bias_and_variance(trial_updates, direction):
    """Unbiased ‖E A - O(S)‖_F^2 and E‖A - E A‖_F^2: averages over pairs of distinct trials, (trials, m, n)."""
    pairs = list(itertools.combinations(trial_updates, 2))
    bias = np.mean([np.sum((a - direction) * (b - direction)) for a, b in pairs])
    return bias, np.mean([linalg.norm(a - b) ** 2 / 2 for a, b in pairs])
