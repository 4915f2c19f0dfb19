"""Every pipeline on noisy quadratics, its rate tuned: python -m training.quadratic, part of `make training`.

A method is a pipeline with a window; at T = 1 all polar pipelines are polar-only, so that alone stands for them. The rate of
every method on every problem is found alike, by the mean ln final loss over seeds of its own: factors of 4 about a natural
unit, as many as put the best inside, then half-octaves about the best, then the lowest point of the parabola
through the best three. The seeds reported run at that rate; at rate 0, for what each method's updates are worth at weights
that stand still, after half the steps; and at one small rate, a sixteenth of the polar pipelines' unit, for what they are
worth where the first order is all.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from training.quadratic_loop import MOMENTUM_SGD, PIPELINES, SEED, Floats, Quadratic, Travel, descend, unit_noise

RECORD = Path("experiments/data/training/quadratic.json")
QUICK_RECORD = Path("results/quick/quadratic.json")
MOST_CORES = 2
FIRST = range(-2, 3)
"""Powers of 4 about the unit that are tried first."""
FARTHEST = 12
"""Power of 4 beyond which no rate is looked for."""
BETWEEN = 2.0 ** np.array([-1, -0.5, 0.5, 1])
SMALL = 1 / 16
DIGITS = 4


@dataclass(frozen=True)
class Plan:
    """What is run.

    Attributes:
        shape: (m, n).
        steps: Updates from the start.
        conditions: kappa.
        noises: ‖Xi‖_F over ‖S_0‖_F.
        windows: T.
        tuning: Seeds by which rates are chosen: how many.
        seeds: Seeds that are reported: how many.
    """

    shape: tuple[int, int] = (32, 48)
    steps: int = 200
    conditions: tuple[float, ...] = (1, 10, 100, 1000)
    noises: tuple[float, ...] = (0, 0.5, 2, 8)
    windows: tuple[float, ...] = (1, 2, 5, 10, 20, 50, 100)
    tuning: int = 4
    seeds: int = 10

    @property
    def methods(self) -> list[tuple[str, float]]:
        """(pipeline, T)."""
        return [(p, w) for p in PIPELINES for w in self.windows
                if p == str(MOMENTUM_SGD) or (w == self.windows[0] if p == "polar-only" else w > 1)]  # fmt: skip


QUICK = Plan((12, 18), 60, (1, 100), (0, 4), (1, 5, 20), 2, 8)


@dataclass(frozen=True)
class Draws:
    """Standard normal noise of some seeds, shared by all problems and methods."""

    seeds: range
    noise: Floats

    @classmethod
    def of(cls, plan: Plan, seeds: range) -> "Draws":
        """Of a plan's shape and steps."""
        return cls(seeds, unit_noise(plan.shape, plan.steps, seeds))


def measured(plan: Plan, cores: int, log: Callable[[str], None]) -> dict[str, Any]:
    """All results; seeds from 0 on are reported, those after them tune."""
    reported = Draws.of(plan, range(plan.seeds))
    tuning = Draws.of(plan, range(plan.seeds, plan.seeds + plan.tuning))

    def cell(problem: Quadratic) -> dict[str, Any]:
        start = time.thread_time()
        methods = [_method(problem, *method, tuning, reported) for method in plan.methods]
        log(f"condition {problem.condition:g}, noise {problem.noise:g}: {time.thread_time() - start:.1f} core-seconds")
        return {"condition": problem.condition, "noise": problem.noise, "sigma": _rounded(problem.sigma), "methods": methods}

    problems = [Quadratic(plan.shape, condition, noise) for condition in plan.conditions for noise in plan.noises]
    with threadpool_limits(limits=1), ThreadPoolExecutor(cores) as pool:
        cells = list(pool.map(cell, problems))
    return {"plan": asdict(plan), "seed": SEED, "reported": _ends(reported), "tuned_on": _ends(tuning), "cells": cells}


def _ends(draws: Draws) -> list[int]:
    return [draws.seeds.start, draws.seeds.stop]


def _method(problem: Quadratic, name: str, window: float, tuning: Draws, reported: Draws) -> dict[str, Any]:
    """One method on one problem: the rate chosen, what was tried, and each reported seed's readings."""
    pipeline = PIPELINES[name]

    def losses(rates: Floats) -> Floats:
        found = descend(problem, pipeline, window, rates, tuning.seeds, tuning.noise, watch=False)
        return found.log_loss.mean(1)

    rate, tried = tuned(losses, unit(problem, name, len(tuning.noise)))
    small = SMALL * unit(problem, "polar-only", len(reported.noise))
    run = descend(problem, pipeline, window, np.array([0, small, rate]), reported.seeds, reported.noise)
    return {
        "pipeline": name,
        "window": window,
        "rate": _rounded(rate),
        "tried": _rounded([min(tried), max(tried)]),
        "identity": _rounded(_identity(run)[1].max()),
        **{key: _rounded(values) for key, values in _readings(run).items()},
    }


def _readings(run: Travel) -> dict[str, Floats]:
    """For each seed, decreases as shares of f(W_0); still: at weights that do not move; small: at that rate."""
    share = run.loss[-1] / run.loss[0]
    return {
        "log_loss": run.log_loss[2],
        "alignment": run.alignment[2],
        "first_order": run.first_order[2] / run.loss[0, 2],
        "decrease": 1 - share[2],
        "small_decrease": 1 - share[1],
        "still_alignment": run.late_alignment[0],
        "still_gain": run.late_gain[0],
    }


def _identity(run: Travel) -> Floats:
    """|f(W_K) - f(W_0) + first order - second order| over the largest of them, (rate, seed)."""
    sizes = np.array([run.loss[0], run.loss[-1], run.first_order, run.second_order])
    return np.abs(run.loss[-1] - run.loss[0] + run.first_order - run.second_order) / sizes.max(0)


def unit(problem: Quadratic, name: str, steps: int) -> float:
    """The rate about which others are tried: what carries ‖E_0‖ to 0 in all steps, or 1 / ‖Hessian‖ for momentum SGD."""
    if name == str(MOMENTUM_SGD):
        return 1.0
    m, n = problem.shape
    return problem.start_scale * (m**0.5 + n**0.5) / steps


def tuned(losses: Callable[[Floats], Floats], about: float) -> tuple[float, list[float]]:
    """The rate of the least loss, and all rates of the grid: at least one below it and one above it.

    Args:
        losses: Of rates (R,), (R,).
        about: The middle of those tried first.

    Raises:
        RuntimeError: If the loss still falls 4^FARTHEST away.
    """
    powers = [4.0**k * about for k in FIRST]
    known = dict(zip(powers, losses(np.array(powers)), strict=True))
    while (best := min(known, key=known.__getitem__)) in (min(known), max(known)):
        further = best / 4 if best == min(known) else best * 4
        if not 4.0**-FARTHEST <= further / about <= 4.0**FARTHEST:
            raise RuntimeError(f"no best learning rate between {min(known):g} and {max(known):g}")
        known[further] = losses(np.array([further]))[0]
    between = best * BETWEEN
    known |= dict(zip(between, losses(between), strict=True))
    return _lowest(known), sorted(map(float, known))


def _lowest(known: dict[float, float]) -> float:
    """Where the parabola in ln rate through the best and its neighbours is lowest; the best where flat."""
    rates = sorted(known)
    i = min(range(len(rates)), key=lambda k: known[rates[k]])
    values = np.array([known[r] for r in rates[i - 1 : i + 2]])
    left, right = np.log(rates[i - 1] / rates[i]), np.log(rates[i + 1] / rates[i])
    down, up = (values[0] - values[1]) / left, (values[2] - values[1]) / right
    if not (np.all(np.isfinite(values)) and up > down):
        return float(rates[i])
    bend = (up - down) / (right - left)
    return float(rates[i] * np.exp((bend * left - down) / (2 * bend)))


def _rounded(values: Any) -> Any:
    """To DIGITS significant digits, as plain numbers."""
    shown = [float(f"{x:.{DIGITS}g}") for x in np.ravel(values)]
    return shown if np.ndim(values) else shown[0]


def run(quick: bool, out: Path) -> None:
    """Measure, and write the record."""
    wall, core = time.perf_counter(), time.process_time()
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def log(text: str) -> None:
        print(f"[{time.perf_counter() - wall:4.0f} s] {text}", flush=True)

    results = measured(QUICK if quick else Plan(), min(available, MOST_CORES), log)
    record = {"quick": quick, "seconds": round(time.process_time() - core, 1), **results}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(record, separators=(",", ":")) + "\n", encoding="utf-8")
    log(f"{out}: {out.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small problem and few seeds: seconds")
    parser.add_argument("--out", type=Path, help=f"file to write: {RECORD} where left out, {QUICK_RECORD} if quick")
    options = parser.parse_args()
    run(options.quick, options.out or (QUICK_RECORD if options.quick else RECORD))


if __name__ == "__main__":
    main()
