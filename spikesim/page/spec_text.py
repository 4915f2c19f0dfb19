"""The spec of a stored run as TOML: the text of its file, or one written again from the index and the results.

A file's text is shown if it is that of the index: read as a spec it gives the same points with the same trials. A spec that
was made in Python, or run before stores kept the text, has none: then the text here is made of the points, each a model with
its trials, and the arguments in the results. Read as a spec it gives the identities of all points, or the page says that
it does not.
"""

import itertools
import json
import math
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spikesim import observables as obs
from spikesim.pipelines import PIPELINES
from spikesim.sweep.fields import ModelSpec
from spikesim.sweep.index import Index
from spikesim.sweep.spec import Spec

if TYPE_CHECKING:
    import xarray as xr

    from spikesim.sweep.index import IndexPoint

LONGEST = 200_000
"""Characters of a file up to which it is shown."""
LARGEST = 400
"""Points up to which a text is written."""


@dataclass(frozen=True)
class SpecText:
    """TOML, and what is to be said of it."""

    text: str
    note: str


def spec_text(index: "Index", data: "xr.Dataset | None", file: str = "") -> SpecText:
    """A spec for an index.

    Args:
        index: Of the store.
        data: One of its results; None where nothing is there.
        file: Text of the spec's file that is in the store; empty where there is none.
    """
    if 0 < len(file) <= LONGEST and _gives(file, index):
        return SpecText(file, f"The file that was run{' with --quick' if index.quick else ''}, as it was written.")
    if not index.points or len(index.points) > LARGEST:
        return SpecText("", f"Not written out: {len(index.points)} points (at most {LARGEST}).")
    if data is None:
        return SpecText("", "Not written out: no trial is there yet, and the results hold windows, pipelines and seed.")
    models = [_model(point, k, len(index.points)) for k, point in enumerate(index.points)]
    run, same = _run(index, models, data)
    text = "\n".join([f"title = {_value(index.title)}", *(_table(m, len(models)) for m in models), "", *_lines("run", run)])
    said = "Written from the stored points; comments, grid and [quick] tables of the file are not kept."
    back = "gives" if same else "does not give"
    why = (
        ""
        if same
        else ": points differ in more than their model, or results do not tell an argument (the order of observables)"
    )
    return SpecText(text + "\n", f"{said} Read back, it {back} the identities of all stored points{why}.")


def _gives(file: str, index: "Index") -> bool:
    """Whether a text is that of the index."""
    try:
        return Index.of(Spec.from_dict(tomllib.loads(file), index.quick), index.quick).digest == index.digest
    except (ValueError, RecursionError):
        return False


def _run(index: "Index", models: list[dict[str, Any]], data: "xr.Dataset") -> tuple[dict[str, Any], bool]:
    """Arguments that give the stored identities, and whether they do; the plainest where none does."""
    base = {"windows": data.window.values.tolist() if "window" in data.dims else [1.0], "pipelines": _pipelines(data)}
    base["trials"] = index.points[0].trials
    if index.points[0].until is not None:
        base["until"] = index.points[0].until.model_dump(exclude_none=True)
    choices = itertools.product(*_guesses(data))
    found = [base | dict(itertools.chain.from_iterable(x.items() for x in some)) for some in choices]
    for run in found:
        if _identities([models[0]], run) == {index.points[0].identity}:
            return run, _identities(models, run) == {p.identity for p in index.points}
    return found[-1], False


def _guesses(data: "xr.Dataset") -> list[list[dict[str, Any]]]:
    """What results tell only together with the identity: whether an argument was given, or came of itself."""
    attributes = data.attrs
    names: dict[str, Any] = {"observables": [name for name in obs.KNOWN if name in data.data_vars]}
    out: list[list[dict[str, Any]]] = [[names, {}], [{"steps": int(attributes["steps"])}, {}]]
    out.append([{"derived_seeds": True}, {"seed": int(attributes["seed"])}])
    out.append([{}, {"method": attributes["method"]}])
    out.append([{} if attributes["joint"].startswith("yes") else {"joint": False}, {"joint": False}])
    out.append([{}, {"spectrum": data.sizes["index"]}] if "index" in data.dims else [{}])
    out.append([{k: attributes[k] for k, usual in (("dtype", "float64"), ("filter", "EMA")) if attributes[k] != usual}])
    return out


def _pipelines(data: "xr.Dataset") -> list[str]:
    """Names, or a name and its stages."""
    known = [text.strip() for text in str(data.attrs["pipelines"]).split(";")]
    return [text.split(" = ")[0] if text.split(" = ")[0] in PIPELINES else text for text in known]


def _identities(models: list[dict[str, Any]], run: dict[str, Any]) -> set[str]:
    try:
        return {p.identity for p in Spec.from_dict({"model": models if len(models) > 1 else models[0], "run": run}).points}
    except ValueError:
        return set()


def _model(point: "IndexPoint", number: int, count: int) -> dict[str, Any]:
    usual = {name: f.default for name, f in ModelSpec.model_fields.items()}
    found = {k: v for k, v in point.model.items() if v is not None and v != usual.get(k)}
    return found if count == 1 else found | {"name": f"{number}: {point.label}"}


def _table(model: dict[str, Any], count: int) -> str:
    return "\n".join(["", *_lines("model", model, "[[{}]]" if count > 1 else "[{}]")])


def _lines(name: str, table: dict[str, Any], head: str = "[{}]") -> list[str]:
    return [head.format(name), *(f"{k} = {_value(v)}" for k, v in table.items())]


def _value(x: Any) -> str:
    """A TOML value."""
    if isinstance(x, dict):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in x.items()) + "}"
    if isinstance(x, list | tuple):
        return "[" + ", ".join(map(_value, x)) + "]"
    if isinstance(x, str):
        return json.dumps(x, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(x, float) and not math.isfinite(x):
        return str(x)
    return json.dumps(x)


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _value(name)
