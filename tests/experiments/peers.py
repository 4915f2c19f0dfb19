"""What the tests of the benchmark's peers share: a small problem, what spikesim finds there, and how far means are apart."""

import sys

import numpy as np
from harness import ROOT

import spikesim as ss

sys.path.append(str(ROOT / "experiments"))  # the benchmark is a package of scripts beside the experiments

from benchmarks.workloads import MODEL_SEED, Problem

SMALL = Problem(shape=(6, 10), spikes=(6.0, 4.0), sigma=0.5, windows=(1.0, 2.0, 5.0), steps=40)
TRIALS = 400


def simulated():
    options = {"windows": SMALL.windows, "trials": TRIALS, "seed": MODEL_SEED, "steps": SMALL.steps}
    data = ss.simulate(SMALL.model, **options)
    return {str(name): data[name].values for name in data.data_vars}


def apart(found, expected):
    """Largest distance of two means over trials in standard errors; where both are exact, in units of 1e-6."""
    errors = np.sqrt((found.var(0, ddof=1) + expected.var(0, ddof=1)) / TRIALS)
    return np.nanmax(np.abs(found.mean(0) - expected.mean(0)) / np.maximum(errors, 1e-6))
