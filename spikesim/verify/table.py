"""The verdicts as text and as JSON."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from spikesim.tables import ruled
from spikesim.verify.finding import Finding
from spikesim.verify.verdict import FAMILY, VERDICTS, Judged, Row

HEADER = ("claim", "says", "nearest setting: measured [95 %]", "theory", "verdict", "findings", "vacuous", "from T")
EVERY = ("claim", "quantity", "setting", "T", "measured [95 %]", "theory", "p", "verdict")


def text(rows: Sequence[Row], width: int, every: bool = False) -> str:
    """A row a claim, then what is BROKEN with its evidence; every finding if wanted."""
    lines = [
        (r.label, r.claim, _shown(r.telling.finding), _theory(r.telling.finding), r.verdict, _counts(r),
         f"{100 * r.vacuous_share:.0f} %", "-" if r.smallest_window is None else f"{r.smallest_window:g}")
        for r in rows
    ]  # fmt: skip
    parts = [ruled(HEADER, lines, width, _caption(rows))]
    if every:
        parts.append(ruled(EVERY, [_line(j) for r in rows for j in r.judged], width))
    parts += [_evidence(j) for r in rows for j in r.judged if j.verdict == "BROKEN"]
    return "\n".join(parts)


def as_json(rows: Sequence[Row]) -> dict[str, Any]:
    """The same for programs; numbers that are not finite become null."""
    return {
        "family_wise_error": FAMILY,
        "broken": [r.label for r in rows if r.verdict == "BROKEN"],
        "rows": [
            {
                "label": r.label,
                "claim": r.claim,
                "verdict": r.verdict,
                "counts": {v: r.count(v) for v in VERDICTS},
                "vacuous_share": r.vacuous_share,
                "smallest_window": r.smallest_window,
                "findings": [_finite(asdict(j.finding)) | {"verdict": j.verdict} for j in r.judged],
            }
            for r in rows
        ],
    }


def _caption(rows: Sequence[Row]) -> str:
    total = sum(len(r.judged) - r.count("outside") for r in rows)
    broken = [r.label for r in rows if r.verdict == "BROKEN"]
    return (
        f"{total} findings inside the theorems; all claims true, the chance that one is called BROKEN is {FAMILY:g} "
        "(Holm). " + (f"BROKEN: {', '.join(broken)}." if broken else "None is BROKEN.")
    )


def _counts(row: Row) -> str:
    return ", ".join(f"{row.count(v)} {v}" for v in VERDICTS if row.count(v))


def _shown(f: Finding) -> str:
    note = f" ({f.note})" if f.note and f.kind != "limit" else ""
    return f"{f.quantity}; {f.setting}, T = {f.window:g}: {_interval(f)}{note}"


def _interval(f: Finding) -> str:
    return f"{_number(f.measured)} [{_number(f.low)}, {_number(f.high)}]"


def _theory(f: Finding) -> str:
    if f.kind == "limit":
        return f"{_number(f.theory)} ± {_number(f.allowance)}"
    return f"{'=' if f.kind == 'equality' else '<='} {_number(f.theory)}"


def _line(judged: Judged) -> tuple[str, ...]:
    f = judged.finding
    why = f.outside or f.vacuous or f.note
    return (
        f.label, f.quantity, f.setting, f"{f.window:g}", _interval(f), _theory(f), f"{f.p:.2g}",
        f"{judged.verdict}{f' ({why})' if why else ''}",
    )  # fmt: skip


def _evidence(judged: Judged) -> str:
    f = judged.finding
    note = f"; {f.note}" if f.note and f.kind == "limit" else ""
    return f"BROKEN {f.label}: {_shown(f)} against {_theory(f)}, p = {f.p:.2g}{note}"


def _number(x: float) -> str:
    return f"{x:.4g}"


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}
