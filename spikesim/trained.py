"""Probes of recorded training (experiments/data/training/probes.json) as arrays over seeds, and means over them.

A run of training is one seed: initial weights and mini-batches. Runs are what is independent, so layers of one run are
averaged before any interval is taken.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.errors import need
from spikesim.records import Records

Floats = NDArray[np.float64]

STATIONARY, TWIN, NEXT = "stationary", "twin", "next"
"""What updates are held against: gradients at fixed weights, a twin's, those of the next steps."""
TASKS = {"gpt": "GPT", "digits": "perceptron"}


@dataclass(frozen=True)
class Trained:
    """Probes by what was trained, task, layer, and what updates were held against.

    Args:
        records: Of the file.
    """

    records: Records

    @property
    def settings(self) -> dict[str, Any]:
        """Common to all probes."""
        return self.records.data["settings"]

    @cached_property
    def _groups(self) -> dict[tuple[str, str, str, str], list[dict[str, Any]]]:
        found: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
        for probe in self.records.data["probes"]:
            found.setdefault((probe["trained"], probe["task"], probe["layer"], probe["against"]), []).append(probe)
        return {name: sorted(probes, key=lambda p: p["seed"]) for name, probes in found.items()}

    @property
    def trainings(self) -> list[str]:
        """Pipelines of the trainings, that of most probes first."""
        return list(dict.fromkeys(name[0] for name in self._groups))

    def layers(self, task: str) -> list[str]:
        """Recorded layers of a task."""
        return list(dict.fromkeys(name[2] for name in self._groups if name[1] == task))

    def windows(self, against: str) -> Floats:
        """T of all probes held against this, (W,)."""
        return np.array(self.settings["windows"][against], float)

    def read(self, against: str, task: str, layer: str, *path: str | int, trained: str | None = None) -> Floats:
        """What lies at a path inside every seed's probe, (seed, ...); NaN where there is nothing.

        Raises:
            ValueError: If seeds are missing.
        """
        probes = self._groups.get((trained or self.settings["trained"], task, layer, against), [])
        seeds = [p["seed"] for p in probes]
        need(seeds == self.settings["seeds"], f"probes of seeds {self.settings['seeds']}", seeds=seeds, layer=layer)
        found: list[Any] = probes
        for key in path:
            found = [probe[key] for probe in found]
        return np.array(found, float)

    def alignment(self, against: str, task: str, layer: str, pipeline: str, trained: str | None = None) -> Floats:
        """Held-out alignment, (seed, W): <A, S> over the scale that the alignments of the same recording's twin have."""
        fall = self.read(against, task, layer, "decrease", pipeline, trained=trained)
        held = TWIN if against == NEXT else against
        return fall / self.read(held, task, layer, "scale", trained=trained)[:, :1]

    def path(self, against: str, task: str, layer: str, pipeline: str) -> Floats:
        """Held-out alignment along training, (seed, part of the run), at the window settings["beta"] stands for."""
        fall = self.read(against, task, layer, "paths", "decrease", pipeline)
        return fall / self.read(TWIN, task, layer, "scale")[:, :1]


def interval(samples: Any) -> tuple[Any, Any]:
    """Mean over seeds (seed, ...) and half the width of its 95 % interval (Student t); NaN where a seed has none."""
    from scipy.stats import t

    x = np.asarray(samples, float)
    return x.mean(0), t.ppf(0.975, len(x) - 1) * x.std(0, ddof=1) / len(x) ** 0.5


def shown(samples: Any, digits: int = 2, sign: bool = False) -> str:
    """Mean ± half of the 95 % interval over seeds, in words."""
    mean, half = interval(samples)
    return f"{mean:{'+' if sign else ''}.{digits}f} ± {half:.{digits}f}".replace("-", "−")


def band(axis: Any, x: Any, samples: Any, label: str, **style: Any) -> None:
    """Mean over seeds (seed, x) with a band of 95 %."""
    mean, half = interval(samples)
    axis.plot(x, mean, label=label, **({"markersize": 4, "linewidth": 1.4} | style))
    axis.fill_between(x, mean - half, mean + half, color=style.get("color"), alpha=0.18, linewidth=0)
