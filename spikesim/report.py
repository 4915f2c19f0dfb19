"""What experiments say: outcomes, the table of a reproduction, and the gallery; reads results, never simulates."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

from spikesim.errors import refused
from spikesim.estimate import RateFit
from spikesim.kinds import PROBES, RECORDS, SIMULATION, read
from spikesim.tables import ruled


@dataclass(frozen=True)
class Row:
    """One fitted exponent: what was fitted, the fit with its interval, and the sharp curve's slope on the same windows."""

    quantity: str
    fit: RateFit
    theory: float
    source: str

    @property
    def agrees(self) -> bool:
        """Whether the theory's slope lies in the fit's interval."""
        return self.fit.low <= self.theory <= self.fit.high

    @property
    def theory_text(self) -> str:
        """The theory's slope, its source, and how far off the fit is."""
        apart = "" if self.agrees else f", {self.fit.exponent - self.theory:+.3f} off"
        return f"{self.theory:.3f} ({self.source}{apart})"


@dataclass(frozen=True)
class Outcome:
    """What one experiment found, computed from its data: one sentence that answers its question, its fits, and the rest."""

    finding: str
    rows: tuple[Row, ...] = ()
    details: str = ""  # further numbers, for the gallery alone
    needs: str = ""  # what the drawing script was given beside the results


GROUPS = ("What the paper proves", "What is sharper", "What is open", "Where the order reverses", "Real gradients")
"""What an experiment is about: each drawing script's GROUP, and the parts of the gallery in order."""


@dataclass(frozen=True)
class Reproduced:
    """One experiment of a reproduction."""

    name: str
    group: str
    title: str
    outcome: Outcome
    seconds: float
    computed: int
    kept: int
    kind: str = SIMULATION  # of what it was drawn from (kinds.py)


Draw = Callable[..., Outcome]

HEADER = ("experiment", "quantity", "fitted exponent in 2T - 1 [95 %]", "theory on the same windows")


def text(done: Sequence[Reproduced], width: int) -> str:
    """Each experiment's finding, below a ruled table of its fits where it has some; `width` columns wide."""
    parts = []
    for item in done:
        if not item.outcome.rows:
            parts.append(fill(f"{item.name}: {item.outcome.finding}", width))
            continue
        names = [item.name] + [""] * len(item.outcome.rows)
        rows = [(name, r.quantity, str(r.fit), r.theory_text) for name, r in zip(names, item.outcome.rows, strict=False)]
        parts.append(ruled(HEADER, rows, width, f"finding: {item.outcome.finding}"))
    return "\n".join(parts)


def as_json(done: Sequence[Reproduced]) -> list[dict[str, object]]:
    """The table for programs."""
    return [
        {
            "experiment": item.name,
            "group": item.group,
            "finding": item.outcome.finding,
            "details": item.outcome.details,
            "seconds": item.seconds,
            "points_computed": item.computed,
            "points_kept": item.kept,
            "fits": [
                {
                    "quantity": row.quantity,
                    "exponent": row.fit.exponent,
                    "low": row.fit.low,
                    "high": row.fit.high,
                    "drifts": row.fit.drifts,
                    "local_slopes": list(row.fit.local_slopes),
                    "theory": row.theory,
                    "source": row.source,
                }
                for row in item.outcome.rows
            ],
        }
        for item in done
    ]


def gallery(done: Sequence[Reproduced], preface: str) -> str:
    """Markdown page of figures by groups, each with its finding, fits and the time its simulation took."""
    parts = ["# Figures", preface, _contents(done)]
    for group in GROUPS:
        inside = [item for item in done if item.group == group]
        parts += [f"## {group}"] * bool(inside)
        for item in inside:
            parts += _entry(item)
    return "\n\n".join(parts) + "\n"


def _contents(done: Sequence[Reproduced]) -> str:
    """A line for each group: its experiments, linked."""
    lines = []
    for group in GROUPS:
        links = [f"[{item.title or item.name}](#{item.name})" for item in done if item.group == group]
        lines += [f"- **{group}**: {'; '.join(links)}"] * bool(links)
    return "\n".join(lines)


def _entry(item: Reproduced) -> list[str]:
    """The paragraphs of one experiment."""
    parts = [f'<a id="{item.name}"></a>', f"### {item.title or item.name}"]
    parts += [f"![{item.outcome.finding}]({item.name}.png)", item.outcome.finding]
    parts += [f"Details: {item.outcome.details}"] * bool(item.outcome.details)
    if item.outcome.rows:
        lines = ["| quantity | fitted exponent in 2T - 1 [95 %] | theory on the same windows |", "|---|---|---|"]
        lines += [f"| {row.quantity} | {row.fit} | {row.theory_text} |" for row in item.outcome.rows]
        parts.append("\n".join(lines))
    command, work = MADE[item.kind]
    parts.append(
        f"{command.format(name=item.name)}, `python experiments/{item.name}.py{item.outcome.needs}` "
        f"({item.seconds:.0f} core-seconds of {work}); also as [PDF]({item.name}.pdf)."
    )
    return parts


MADE = {
    SIMULATION: ("`spikesim run experiments/{name}.toml --out results/{name}`", "simulation"),
    RECORDS: ("`make training`", "measurement"),
    PROBES: ("`spikesim reproduce --full`", "probing"),
}
"""By kind: the command that makes what an experiment draws from, and what takes its time."""


def main(draw: Draw, script: str) -> None:
    """Command line of an experiment's drawing script: read results/NAME, write figures/NAME.png and .pdf, say the finding."""
    name = Path(script).stem
    parser = argparse.ArgumentParser(
        description=sys.modules["__main__"].__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=Path("results") / name, help="store that `spikesim run --out` wrote")
    parser.add_argument("--figures", type=Path, default=Path("figures"), help="folder to draw into")
    parser.add_argument("--published", type=Path, help="file of published numbers, for experiments that compare with them")
    options = parser.parse_args()
    try:
        print(
            draw(
                read(Path(script).with_suffix(".toml"), options.results), options.figures, published=options.published
            ).finding
        )
    except (ValueError, OSError) as error:
        print(f"error: {refused(error) if isinstance(error, OSError) else error}", file=sys.stderr)
        sys.exit(2)
