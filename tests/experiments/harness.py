"""Loads an experiment's script and runs its spec at a tiny size."""

import importlib.util
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np

from spikesim.kinds import PROBES, RECORDS, SIMULATION, kind_of
from spikesim.probe.kept import Probes, run_study
from spikesim.probe.study import Study
from spikesim.records import Records
from spikesim.sweep.faults import merged
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "experiments").glob("*.toml"))
NAMES, RECORDED, PROBED = ([p.stem for p in FILES if kind_of(p) == kind] for kind in (SIMULATION, RECORDS, PROBES))
"""Of experiments that simulate, draw what is on record, and probe."""


def script(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "experiments" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tiny(name: str, tmp_path: Path, **run: object) -> Store:
    spec = Spec.from_dict(table(name, **run), quick=True)
    store = Store(tmp_path / name)
    run_spec(spec, store, quick=True)
    return store


def recorded(name: str) -> Records:
    return Records.from_toml(ROOT / "experiments" / f"{name}.toml")


def probed(name: str, tmp_path: Path, **probe: object) -> Probes:
    """The quick study of an experiment, with some of its [probe] changed."""
    out = tomllib.loads((ROOT / "experiments" / f"{name}.toml").read_text())
    out["quick"]["probe"] = merged(out["quick"]["probe"], probe)
    study = Study.from_dict(out, ROOT / "experiments", quick=True)
    run_study(study, tmp_path / name)
    return Probes(study, tmp_path / name)


def table(name: str, **run: object) -> dict:
    out = tomllib.loads((ROOT / "experiments" / f"{name}.toml").read_text())
    out["quick"]["run"] |= run
    return out


def span(band) -> np.ndarray:
    """Height of a band at each x; none of a band that is nowhere finite."""
    if not band.get_paths():
        return np.zeros(0)
    x, y = band.get_paths()[0].vertices.T
    return np.array([np.ptp(y[x == at]) for at in np.unique(x)])


def run_python(code: str, **variables: str) -> str:
    """What code prints in a process of its own."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "experiments"), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, **variables}
    return subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env, check=True).stdout


def s4(theta, s, m, n) -> float:
    """S4 written out, by quadrature."""
    from scipy.integrate import quad

    def integrand(x):
        b = x * x + s * s * (m + n)
        return theta / ((b + np.sqrt(b * b - 4 * s**4 * m * n)) / 2 + theta**2)

    return 2 / np.pi * quad(integrand, 0, np.inf, epsabs=1e-12)[0]
