"""What the sliders of a run show, as plain values: stored points, their axes, means and theory; nothing between them."""

import json
import math
from typing import Any

from spikesim.page.gather import Cell, PointPage, RunPage
from spikesim.page.words import in_words

USUAL = "alignment"


def slider(run: RunPage) -> dict[str, Any] | None:
    """Axes and points; None where nothing is stored by pipeline and window."""
    observable = _observable(run)
    if observable is None:
        return None
    points = [p for p in run.points if _mine(p, observable)]
    axes = []
    for name in dict.fromkeys(k for p in points for k in p.coordinates):
        keys = {_key(p.coordinates.get(name)): p.coordinates.get(name) for p in points}
        if len(keys) > 1:
            axes.append({"name": name, "values": sorted(keys, key=lambda k: _rank(keys[k]))})
    shown = [_point(p, observable, axes) for p in points]
    return {"observable": observable, "name": in_words(observable), "axes": axes, "points": shown}


def as_text(value: Any) -> str:
    """Strict JSON that may stand inside <script>: no NaN, and no end of the element in it."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def finite(x: float | None) -> float | None:
    """A number, or None where it is none."""
    return None if x is None or not math.isfinite(x) else float(f"{x:.8g}")


def _observable(run: RunPage) -> str | None:
    names = [c.observable for p in run.points for c in _cells(p)]
    return USUAL if USUAL in names else next(iter(names), None)


def _cells(point: PointPage) -> list[Cell]:
    return [c for c in point.cells if c.pipeline and c.window is not None and c.index is None]


def _mine(point: PointPage, observable: str) -> list[Cell]:
    return [c for c in _cells(point) if c.observable == observable]


def _point(point: PointPage, observable: str, axes: list[dict[str, Any]]) -> dict[str, Any]:
    cells = _mine(point, observable)
    windows = sorted({c.window for c in cells if c.window is not None})
    found = {(c.pipeline, c.window): c for c in cells}
    lines = {name: [_values(found.get((name, t))) for t in windows] for name in dict.fromkeys(c.pipeline for c in cells)}
    at = [axis["values"].index(_key(point.coordinates.get(axis["name"]))) for axis in axes]
    return {"label": point.label, "at": at, "snr": finite(_snr(point)), "windows": windows, "lines": lines}


def _values(cell: Cell | None) -> list[Any]:
    """Mean, standard error, theory, its label."""
    if cell is None:
        return [None, None, None, ""]
    return [finite(cell.mean), finite(cell.error), finite(cell.theory.value), cell.theory.source]


def _snr(point: PointPage) -> float:
    """The largest |spike| over sigma sqrt(max(m, n)); infinite variance has none."""
    deviation = point.at.noise.variance**0.5
    return max(map(abs, point.at.spikes)) / (deviation * max(point.at.shape) ** 0.5) if deviation else math.inf


def _key(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_key, value))
    return value if isinstance(value, str) else json.dumps(value)


def _rank(value: Any) -> tuple[int, float]:
    """Numbers rise; texts come after them, all alike, so that sorting keeps them as the store has them."""
    first = value[0] if isinstance(value, list | tuple) and value else value
    if isinstance(first, int | float):
        return 0, float(first)
    return 1, 0.0
