"""The page itself: templates filled with what was gathered; everything that comes from files is escaped."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from spikesim.page.figures import figures
from spikesim.page.gather import RunPage, provenance
from spikesim.page.slider import as_text, slider
from spikesim.verify.table import EVERY
from spikesim.verify.verdict import FAMILY, RULE, VERDICTS, Judged, Row

if TYPE_CHECKING:
    from jinja2 import Environment

MARK = '<meta name="generator" content="spikesim report">'
MEANING = {
    "BROKEN": "evidence against the claim that Holm's procedure rejects",
    "attained": "the interval touches the bound and is narrow: it cannot be improved",
    "held": "the interval lies within the bound",
    "inconclusive": "the interval is too wide to tell",
    "vacuous": "the claim says nothing here",
    "outside": "noise that the claim does not speak of; never counted",
}


def html(name: str, runs: Sequence[RunPage], rows: Sequence[Row], others: Sequence[tuple[str, str]]) -> str:
    """The whole page.

    Args:
        name: Of the folder.
        runs: To show.
        rows: Claims, judged over all runs.
        others: Folders that hold something else, and what.
    """
    verdicts = {id(j.finding): j for row in rows for j in row.judged}
    sections = [_section(number, run, verdicts) for number, run in enumerate(runs)]
    title = runs[0].title if len(runs) == 1 else f"{name}: {len(runs)} runs"
    return (
        _templates()
        .get_template("report.html")
        .render(
            title=title, mark=MARK, sections=sections, rows=rows, others=others, family=f"{FAMILY:g}", verdicts=VERDICTS,
            rule=RULE, meaning=MEANING, style=_text("style.css"), script=_text("script.js"), header=EVERY[1:],
            broken=[r.label for r in rows if r.verdict == "BROKEN"], findings=len(verdicts),
        )
    )  # fmt: skip


def _section(number: int, run: RunPage, verdicts: dict[int, Judged]) -> dict[str, Any]:
    shown = slider(run)
    judged = [(p, verdicts[id(f)]) for p in run.points for f in p.tried.findings if id(f) in verdicts]
    reasons: dict[tuple[str, str], int] = {}
    for point in run.points:
        for reason in point.tried.unjudged:
            reasons[reason] = reasons.get(reason, 0) + 1
    done = [p for p in run.points if p.attributes]
    return {
        "id": f"run{number}", "run": run, "figures": figures(run), "slider": shown, "data": as_text(shown) if shown else "",
        "judged": judged, "unjudged": reasons, "provenance": provenance(done[0]) if done else {},
        "trials": sum(p.done for p in run.points), "pipelines": list(dict.fromkeys(
            c.pipeline for p in run.points for c in p.cells if c.pipeline)),
        "no_formula": sorted({c.theory.why for p in run.points for c in p.cells if c.theory.value is None}),
    }  # fmt: skip


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(loader=PackageLoader("spikesim.page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.filters["number"] = lambda x: "–" if x is None or x != x else f"{x:.5g}"
    made.filters["error"] = lambda x: "–" if x is None or x != x else f"{x:.2g}"
    return made


def _text(name: str) -> str:
    return files("spikesim.page").joinpath(name).read_text(encoding="utf-8")
