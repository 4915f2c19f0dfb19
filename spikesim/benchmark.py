"""What `make bench` and `python experiments/gpu.py` measured, as sections of the figures' page; reads their files only."""

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

HEADING = "## Speed, side by side"
"""Starts the benchmark's section, the page's last but for the GPU's."""
GPU_HEADING = "## On a GPU"
UNMEASURED = "Not yet measured: `python experiments/gpu.py` on a machine with a GPU (`make gpu` sets one up) fills this in."

Results = Mapping[str, Any]


def results_of(figures: Path, stem: str = "benchmark") -> Results | None:
    """What figures/benchmark.json, or another record, holds; None where it is not there."""
    path = figures / f"{stem}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def with_section(page: str, figures: Path) -> str:
    """A page with the sections at its end, in place of any that it had; without results, as it was."""
    found = results_of(figures)
    if found is None and results_of(figures, "gpu") is None:
        return page
    page = page.split(GPU_HEADING)[0]
    if found is not None:
        page = page.split(HEADING)[0].rstrip("\n") + "\n\n" + section(found)
    return page.rstrip("\n") + "\n\n" + gpu_section(figures)


def update_page(figures: Path) -> None:
    """Put the sections into figures/README.md, if there is one; otherwise write them alone."""
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
    if name not in rates or "spikesim" not in rates:
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


def gpu_section(figures: Path) -> str:
    """Markdown: what figures/gpu.json says, and that there is nothing yet where it is not there."""
    found = results_of(figures, "gpu")
    if found is None:
        return f"{GPU_HEADING}\n\n{UNMEASURED}\n"
    parts = [
        GPU_HEADING,
        "![Speed on a GPU against peers and limits](gpu.png)",
        _gpu_said(found),
        _targets(found),
        _gpu_noise(found),
    ]
    parts += [_gpu_ratios(found), _gpu_limits(found), _gpu_notes(found), _gpu_where(found)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _gpu_said(results: Results) -> str:
    checked = results["verification"]
    words, noise, rows = checked["words"], checked["noise"], checked["observables"]
    worst = max(rows, key=lambda row: row["difference"] / row["tolerance"])
    missed = [f"noise {r['law']}, {r['dtype']}" for r in noise if not r["held"]]
    missed += [f"{r['observable']} of {r['of']}, {r['law']}, {r['method']}, {r['dtype']}" for r in rows if not r["held"]]
    missed += ["words"] if words["different"] else []
    return (
        f"The work of `make bench`, on {results['device']['name']}. Against the CPU: {words['different']} of "
        f"{words['places']} random words differ; 99.9 % of any law's numbers are within "
        f"{max(r['usual'] for r in noise):.3g} units in the last "
        f"place; of the observables {worst['observable']} ({worst['of']}, {worst['law']}, {worst['dtype']}) is furthest, "
        f"{worst['difference']:.1e} where {worst['tolerance']:.0e} is allowed. "
        + (f"NOT as stated: {'; '.join(missed)}. " if missed else "All is as stated. ")
        + f"Results {'do not depend' if checked['halves']['same_bits'] else 'depend in their last bits'} on the block size "
        f"(by {checked['halves']['difference']:.1e} at most)." + (" A quick run." if results["quick"] else "")
    )


def _gpu_noise(results: Results) -> str:
    lines = ["| law, units in the last place | dtype | 99.9 % | all | beside 1 | signs differ |", "|---|---|---|---|---|---|"]
    for r in results["verification"]["noise"]:
        apart = " | ".join(f"{r[name]:.3g}" for name in ("usual", "most", "most_at_one"))
        lines.append(f"| {r['law']} | {r['dtype']} | {apart} | {r['signs']} of {r['count']} |")
    return "\n".join(lines)


def _gpu_ratios(results: Results) -> str:
    lines = ["| work | peer | float32 | float64 |", "|---|---|---|---|"]
    for row in results["comparisons"]:
        own = [_rate(row, dtype, "spikesim") for dtype in ("float32", "float64")]
        lines.append(f"| {row['title']} | {row['labels']['spikesim']} | {own[0]} | {own[1]} |")
        for name, label in row["labels"].items():
            if name != "spikesim":
                cores = f", {row['cores']} core{'s' if row['cores'] > 1 else ''}" if name == "cpu" else ""
                cells = [_cell(row, dtype, name) for dtype in ("float32", "float64")]
                lines.append(f"| | {label}{cores} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def _gpu_limits(results: Results) -> str:
    lines = ["| work | limit, float32 | achieved | limit, float64 | achieved |", "|---|---|---|---|---|"]
    limits, rates = results["limits"], results["limits"]["rates"]
    for row in results["comparisons"]:
        cells = [row["title"]]
        for dtype in ("float32", "float64"):
            limit = limits["noise" if row["work"] == "noise" else "end_to_end"][dtype]["limit"]
            found = row["rates"][dtype].get("spikesim")
            cells.append(f"{limit:.3g} {row['unit']}/s" if limit else "-")
            cells.append(f"{100 * median(found) / limit:.3g} %" if limit and found else "-")
        lines.append(f"| {' | '.join(cells)} |")
    measured = ", ".join(f"{name} {rate / 1e12:.3g} T{'B' if name == 'copy' else ''}/s" for name, rate in rates.items())
    return "\n".join(lines) + f"\n\nMeasured on the device: {measured}. {_gpu_instructions(limits['noise'])}"


def _gpu_instructions(noise: Mapping[str, Any]) -> str:
    said = [
        f"{dtype}: {x['instructions']:.3g} instructions an entry-step ({x['source']}), bound by {x['binding']}" if x["limit"]
        else f"{dtype}: not read ({x['why']})" for dtype, x in noise.items()
    ]  # fmt: skip
    return f"Noise + EMA, {'; '.join(said)}. How limits are made: experiments/benchmarks/gpu_limits.py."


def _gpu_notes(results: Results) -> str:
    notes = [f"{row['title']}: {note}" for row in results["comparisons"] for note in row["notes"]]
    return "Left out: " + "; ".join(notes) + "." if notes else ""


def _gpu_where(results: Results) -> str:
    e, d = results["environment"], results["device"]
    versions = ", ".join(f"{name} {version}" for name, version in e["versions"].items() if version)
    return (
        f"`python experiments/gpu.py` ({results['seconds']:.0f} s) on {d['name']} (compute capability "
        f"{d['capability'][0]}.{d['capability'][1]}, {d['multiprocessors']} multiprocessors, {d['clock'] / 1e9:.3g} GHz "
        f"at most, CUDA driver {d['driver']}, runtime {d['runtime']}) beside {e['cpu']}; {versions}. "
        "Every repeat is in [gpu.json](gpu.json); also as [PDF](gpu.pdf)."
    )
