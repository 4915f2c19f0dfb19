"""What `make bench` measured, as a section of the figures' page; reads its file, measures nothing."""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

HEADING = "## Speed, side by side"
"""Starts the section, which is the page's last."""

Results = Mapping[str, Any]


def results_of(figures: Path) -> Results | None:
    """What figures/benchmark.json holds; None where it is not there."""
    path = figures / "benchmark.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def with_section(page: str, figures: Path) -> str:
    """A page with the benchmark's section at its end, in place of any that it had; without results, as it was."""
    found = results_of(figures)
    if found is None:
        return page
    return page.split(HEADING)[0].rstrip("\n") + "\n\n" + section(found)


def update_page(figures: Path) -> None:
    """Put the section into figures/README.md, if there is one; otherwise write it alone."""
    path = figures / "README.md"
    page = path.read_text(encoding="utf-8") if path.is_file() else "# Figures\n"
    path.write_text(with_section(page, figures), encoding="utf-8")


def section(results: Results) -> str:
    """Markdown: targets, ratios to every peer, how cost grows, and where it ran."""
    parts = [HEADING, "![Speed against peers, and growth of cost](benchmark.png)", _said(results), _targets(results)]
    parts += [_ratios(results), _notes(results), _where(results)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _said(results: Results) -> str:
    p = results["problem"]
    (m, n), repeats = p["shape"], len(_first(results))
    return (
        f"Work, end to end: {m} × {n}, spikes {_listed(p['spikes'])}, sigma {p['sigma']:g}, windows {_listed(p['windows'])}, "
        f"{p['steps']} steps from zero, four pipelines. All observables: alignment, projection, alignment_truncated, cosine, "
        "residual, bias_squared, variance, sin_theta_left and _right, gap, tail, head_error, singular_values, suppression, "
        "noise_fro, _op, _nuclear and _tangent; alignment_truncated alone needs a truncated factor at every step. Contenders "
        f"ran in turn, warm, {repeats} repeats; a ratio is taken within a repeat, and is the median with (minimum to "
        "maximum)" + (" of a quick run." if results["quick"] else ".")
    )


def _first(results: Results) -> list[float]:
    return results["comparisons"][0]["rates"]["float32"]["spikesim"]


def _listed(values: list[float]) -> str:
    return ", ".join(f"{x:g}" for x in values)


def _targets(results: Results) -> str:
    lines = ["| target | measure | needed | measured | |", "|---|---|---|---|---|"]
    for t in results["targets"]:
        bound = f"{'≥' if t['at_least'] else '≤'} {_number(t['needed'], t['unit'])}"
        lines.append(
            f"| {t['work']} | {t['against']} | {bound} | {_spread(t['measured'], t['unit'])} | {_word(t['reached'])} |"
        )
    return "\n".join(lines)


def _number(value: float, unit: str) -> str:
    return f"{value:.3g}{'×' if unit == 'x' else f' {unit}'.rstrip()}"


def _spread(measured: list[float] | None, unit: str) -> str:
    if measured is None:
        return "-"
    low, middle, high = measured
    return f"**{_number(middle, unit)}** ({low:.3g} to {high:.3g})"


def _word(reached: bool | None) -> str:
    return {True: "reached", False: "not reached", None: "not measured"}[reached]


def _ratios(results: Results) -> str:
    lines = ["| work | peer | how it used its cores | float32 | float64 |", "|---|---|---|---|---|"]
    for row in results["comparisons"]:
        title = f"{row['title']}, {row['cores']} core{'s' if row['cores'] > 1 else ''}"
        own = [_rate(row, dtype, "spikesim") for dtype in ("float32", "float64")]
        lines.append(f"| {title} | spikesim | {_threading(row, 'spikesim')} | {own[0]} | {own[1]} |")
        for name, label in row["labels"].items():
            if name != "spikesim":
                cells = [_cell(row, dtype, name) for dtype in ("float32", "float64")]
                lines.append(f"| | {label} | {_threading(row, name)} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def _threading(row: Mapping[str, Any], name: str) -> str:
    return row["threading"][name] if row["cores"] > 1 else "one thread"


def _rate(row: Mapping[str, Any], dtype: str, name: str) -> str:
    rates = row["rates"][dtype].get(name)
    return "-" if not rates else f"<sub>{median(rates):.3g} {row['unit']}/s</sub>"


def _cell(row: Mapping[str, Any], dtype: str, name: str) -> str:
    """Ratio of spikesim to a peer, paired by repeat, and the peer's rate in small print."""
    rates = row["rates"][dtype]
    if name not in rates:
        return "-"
    ratios = sorted(a / b for a, b in zip(rates["spikesim"], rates[name], strict=True))
    return f"{_spread([ratios[0], median(ratios), ratios[-1]], 'x')} {_rate(row, dtype, name)}"


def _notes(results: Results) -> str:
    notes = [note for row in results["comparisons"] for note in row["notes"]]
    notes += [f"{s['name']}: {note}" for s in results["growth"] for note in s["notes"]]
    return "Left out: " + "; ".join(dict.fromkeys(notes)) + "." if notes else ""


def _where(results: Results) -> str:
    e = results["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in e["versions"].items() if version)
    blas = ", ".join(f"{x['internal_api']} {x['version']} ({x['architecture']})" for x in e["blas"] if x["architecture"])
    variables = ", ".join(f"{k}={v}" for k, v in e["numba_variables"].items()) or "none set"
    return (
        f"`make bench` ({results['seconds']:.0f} s) on {e['cpu']}, {e['cores']} cores; {versions}; BLAS of NumPy: {blas}; "
        f"{', '.join(e['unset_for_contenders'])} unset for all; NUMBA_ variables: {variables}. "
        "Every repeat is in [benchmark.json](benchmark.json); also as [PDF](benchmark.pdf)."
    )
