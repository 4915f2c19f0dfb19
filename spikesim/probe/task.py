"""One probe of a study: a recording, or a trial of a simulated stream, with everything that its result depends on."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from spikesim.blocks import one_blas_thread
from spikesim.errors import need
from spikesim.gradients import gradients
from spikesim.model import SpikedModel
from spikesim.pipelines import PRE_POLAR
from spikesim.probe.asking import CLIPPED
from spikesim.probe.probe import probe
from spikesim.rng import LAYOUT_VERSION
from spikesim.simulate import simulate

PARTS = ("alignment", "sin_theta_left", "sin_theta_right")
"""What simulation tells of a stream's truth."""


@dataclass(frozen=True)
class Stream:
    """Where gradients are from.

    Attributes:
        name: In figures.
        kind: "stationary" or "trajectory".
        model: What simulates it, or None.
        file: Where it is recorded, or None.
        twin: Where a recording's twin is, or None.
    """

    name: str
    kind: str
    model: SpikedModel | None = None
    file: Path | None = None
    twin: Path | None = None

    @property
    def identity(self) -> str:
        """What makes it, as text: the model's, or a hash of the bytes of its files."""
        if self.model is not None:
            return repr(self.model)
        return " ".join(_hash(path) for path in (self.file, self.twin) if path is not None)


@dataclass(frozen=True)
class Task:
    """One probe.

    Attributes:
        stream: Of what.
        steps: Gradients of a simulated stream; None for all of a recording.
        trial: Global number of a simulated stream's.
        seed: Of the stream and of the probe.
        arguments: Of ss.probe.
        truth: Trials of the simulation that tells what the probe should find; 0 for none.
    """

    stream: Stream
    steps: int | None
    trial: int
    seed: int
    arguments: Mapping[str, Any]
    truth: int

    @property
    def label(self) -> str:
        """Coordinates as text."""
        return self.stream.name if self.steps is None else f"{self.stream.name}, {self.steps} gradients"

    @property
    def identity(self) -> str:
        """Hash of all that the probe depends on."""
        what = {
            "stream": self.stream.identity,
            "kind": self.stream.kind,
            "steps": self.steps,
            "trial": self.trial,
            "seed": self.seed,
            "arguments": dict(self.arguments),
        }
        return _digest(what | {"layout": LAYOUT_VERSION, "version": version("spikesim")})

    @property
    def truth_identity(self) -> str:
        """Hash of all that the truth depends on, which all trials of a stream have in common."""
        first = Task(self.stream, self.steps, 0, self.seed, self.arguments, 0)
        return _digest({"of": first.identity, "truth": self.truth})

    def probed(self) -> dict[str, Any]:
        """The probe as plain values, without its paths over time, and the "seconds" of a core that it took."""
        given: Any = self.stream.file
        if self.stream.model is not None:
            given = gradients(self.stream.model, self.steps or 0, self.seed, self.trial)

        def run() -> dict[str, Any]:
            return probe(given, kind=self.stream.kind, seed=self.seed, twin=self.stream.twin, **self.arguments).as_json()

        found = _timed(run)
        del found["paths"]
        return found

    def true(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """What ss.simulate measures with the signal known: PARTS and their standard errors by pipeline, over windows.

        Args:
            found: A probe of the stream: its windows and the norm at which it clips are simulated.
        """
        model = self.stream.model
        need(model is not None and self.truth >= 2, "a simulated stream and two trials or more", truth=self.truth)
        assert model is not None
        clipped = f"{CLIPPED} = Clip({found['advice']['clip_norm']!r}) -> Filter() -> Polar()"
        given = [p for p in self.arguments["pipelines"] if p != PRE_POLAR.name]

        def run() -> dict[str, Any]:
            data = simulate(
                model, windows=found["windows"], trials=self.truth, seed=self.seed,
                pipelines=[PRE_POLAR, *given, clipped], observables=PARTS,
            )  # fmt: skip
            mean, error = data.mean("trial"), data.std("trial", ddof=1, skipna=False) / self.truth**0.5
            return {
                str(p): {n: mean[n].sel(pipeline=p).values.tolist() for n in PARTS}
                | {f"{n}_error": error[n].sel(pipeline=p).values.tolist() for n in PARTS}
                for p in data.pipeline.values
            }

        return _timed(lambda: {"pipelines": run(), "windows": list(found["windows"])})


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _timed(run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a function returns, and the seconds that it took on one thread of BLAS."""
    start = time.process_time()
    with one_blas_thread:
        found = run()
    return found | {"seconds": time.process_time() - start}


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
