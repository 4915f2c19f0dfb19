"""Run every experiment of a folder, draw its figure, and gather what each found."""

import importlib.util
import os
import platform
from pathlib import Path
from typing import Any

from spikesim.benchmark import with_section
from spikesim.errors import need
from spikesim.kinds import RECORDS, asked, made
from spikesim.progress import Bar
from spikesim.report import GROUPS, Reproduced, gallery
from spikesim.sweep.faults import one_line

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
        quick: Apply each file's [quick] tables.
        fresh: Compute again what is there.
        published: Numbers published by others, for the experiments that compare with them.
        bar: Shows progress.
    """
    need(published is None or published.is_file(), "published: a file", published=str(published))
    files = {path: asked(path, quick) for path in experiments(folder)}
    scripts = {path: _script(path.with_suffix(".py")) for path in files}
    done = []
    for path, what in files.items():
        got = made(path.stem, what, results / path.stem, fresh, bar, quick)
        outcome = scripts[path].draw(got.drawn, figures, published=published)
        group = scripts[path].GROUP
        done.append(Reproduced(path.stem, group, what.title, outcome, got.seconds, got.computed, got.kept, got.kind))
    if not quick:
        page = with_section(gallery(done, _preface(done)), figures)
        (figures / "README.md").write_text(page, encoding="utf-8")
    return done


def _preface(done: list[Reproduced]) -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    minutes = sum(item.seconds for item in done if item.kind != RECORDS) / 60
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
    try:
        spec.loader.exec_module(module)  # type: ignore[union-attr]
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"need a script that Python can read, got script={str(script)!r}: {one_line(reason)}") from error
    need(hasattr(module, "draw"), "a script that defines draw(store, figures, published)", script=str(script))
    group = getattr(module, "GROUP", None)
    need(group in GROUPS, f"a script whose GROUP is in {GROUPS}", script=str(script), GROUP=group)
    return module
