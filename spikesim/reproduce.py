"""Run every experiment of a folder, draw its figure, and gather what each found."""

import importlib.util
import os
import platform
from pathlib import Path
from typing import Any

from spikesim.benchmark import with_section
from spikesim.errors import need
from spikesim.progress import Bar
from spikesim.records import Records, holds_records
from spikesim.report import GROUPS, Reproduced, gallery
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

QUICK_NOTE = "Quick run: matrices formed are up to 64 wide, and trials few; for the figures of the gallery use --full."


def experiments(folder: Path) -> list[Path]:
    """Spec files that have a drawing script of the same stem, by name.

    Raises:
        ValueError: If there is none.
    """
    found = sorted(p for p in folder.glob("*.toml") if p.with_suffix(".py").is_file())
    need(found, "a folder of experiments (NAME.toml with NAME.py)", "run in the project's folder", experiments=str(folder))
    return found


def reproduce(
    folder: Path, results: Path, figures: Path, *, quick: bool, fresh: bool, published: Path | None, bar: Bar
) -> list[Reproduced]:
    """Run and draw every experiment.

    Args:
        folder: Of the experiments.
        results: Where results go, a folder for each experiment; what is there is kept unless fresh.
        figures: Where figures go; a full run also writes its README.md, the gallery, with what `make bench` left there.
        quick: Apply each spec's [quick] tables.
        fresh: Compute again what is there.
        published: Numbers published by others, for the experiments that compare with them.
        bar: Shows progress.
    """
    need(published is None or published.is_file(), "published: a file", published=str(published))
    asked = {path: _asked(path, quick) for path in experiments(folder)}
    scripts = {path: _script(path.with_suffix(".py")) for path in asked}
    done = []
    for path, what in asked.items():
        found, computed, kept = _found(path.stem, what, results, fresh, bar, quick)
        outcome = scripts[path].draw(found, figures, published=published)
        recorded = isinstance(found, Records)
        done.append(
            Reproduced(path.stem, scripts[path].GROUP, what.title, outcome, _seconds(found), computed, kept, recorded)
        )
    if not quick:
        page = with_section(gallery(done, _preface(done)), figures)
        (figures / "README.md").write_text(page, encoding="utf-8")
    return done


def _asked(path: Path, quick: bool) -> Spec | Records:
    """What an experiment's file asks for: a simulation, or what is on record."""
    return Records.from_toml(path) if holds_records(path) else Spec.from_toml(path, quick)


def _found(
    name: str, what: Spec | Records, results: Path, fresh: bool, bar: Bar, quick: bool
) -> tuple[Store | Records, int, int]:
    """What an experiment draws from, and how many of its points were computed and kept."""
    if isinstance(what, Records):
        return what, 0, 1
    store = Store(results / name)
    with bar.run(name) as advance:
        ran = run_spec(what, store, quick, fresh, advance)
    return store, ran.computed, ran.kept


def _seconds(found: Store | Records) -> float:
    """Core-seconds of simulation, or of what made the records."""
    return found.seconds if isinstance(found, Records) else sum(result.data.attrs["seconds"] for result in found)


def _preface(done: list[Reproduced]) -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    minutes = sum(item.seconds for item in done if not item.recorded) / 60
    return (
        f"Drawn by `spikesim reproduce --full`: {minutes:.0f} core-minutes of simulation ({cores} cores, "
        f"{platform.machine()}). Bands and intervals are 95 %. "
        "Labels such as S4 refer to [docs/theory.md](../docs/theory.md)."
    )


def _script(script: Path) -> Any:
    """A drawing script: it has `draw`, and `GROUP` (report.GROUPS)."""
    spec = importlib.util.spec_from_file_location(f"experiments.{script.stem}", script)
    need(spec is not None and spec.loader is not None, "a Python script", script=str(script))
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    need(hasattr(module, "draw"), "a script that defines draw(store, figures, published)", script=str(script))
    group = getattr(module, "GROUP", None)
    need(group in GROUPS, f"a script whose GROUP is in {GROUPS}", script=str(script), GROUP=group)
    return module
