"""From findings to verdicts: one for each finding, one for each label.

Verdicts of a finding:

    BROKEN        its p is rejected by Holm's procedure over all findings, family-wise error FAMILY
    outside       noise that the claim does not speak of: shown, never counted
    vacuous       the claim says nothing here
    attained      a bound or an equality that the interval touches and meets to within NARROW of it
    held          the interval lies within the bound; that of a limit is narrower than NARROW of its value and meets the
                  allowance around it
    inconclusive  the interval is too wide for any of these, or misses what it should meet by less than Holm rejects

A label's verdict, by RULE, its share of vacuous findings and its smallest window leave the same findings out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spikesim.verify.finding import Finding

FAMILY = 1e-3
"""Probability that anything is called BROKEN although all claims are true."""
NARROW = 0.05
"""Share of the allowance, or of a formula's value, that a telling interval is narrower than."""

VERDICTS = ("BROKEN", "attained", "held", "inconclusive", "vacuous", "outside")
RULE = (
    f"A claim's verdict is the first of {', '.join(VERDICTS)} that any of its findings has; findings on what holds for "
    "every matrix (Weyl's and Wedin's inequalities, say) count only where BROKEN, or where the claim has no others."
)


@dataclass(frozen=True)
class Judged:
    """A finding with its verdict."""

    finding: Finding
    verdict: str


@dataclass(frozen=True)
class Row:
    """All findings of one label.

    Attributes:
        label: Of the claim.
        claim: What it says, in words.
        judged: Its findings, judged.
    """

    label: str
    claim: str
    judged: tuple[Judged, ...]

    @property
    def main(self) -> tuple[Judged, ...]:
        """Its findings on probabilities, means and limits; those of what holds for every matrix where there are no others."""
        some = tuple(j for j in self.judged if j.finding.kind != "always" or j.verdict == "BROKEN")
        return some if any(j.finding.kind != "always" for j in some) else self.judged

    @property
    def verdict(self) -> str:
        """The first of VERDICTS that any of its main findings has."""
        return next(v for v in VERDICTS if any(j.verdict == v for j in self.main))

    def count(self, verdict: str) -> int:
        """How many findings have it."""
        return sum(j.verdict == verdict for j in self.judged)

    @property
    def vacuous_share(self) -> float:
        """Share of its main findings inside the theorem that say nothing."""
        inside = [j.verdict == "vacuous" for j in self.main if j.verdict != "outside"]
        return sum(inside) / len(inside) if inside else 0.0

    @property
    def smallest_window(self) -> float | None:
        """Smallest T at which the claim says something; None where it never does."""
        return min((j.finding.window for j in self.main if j.verdict not in ("vacuous", "outside")), default=None)

    @property
    def telling(self) -> Judged:
        """The finding to show: of those with the row's verdict, the nearest to its theory (for BROKEN, the surest)."""
        same = [j for j in self.main if j.verdict == self.verdict]
        return min(same, key=_surest if self.verdict == "BROKEN" else _nearest)


def judge(findings: Sequence[Finding], claims: dict[str, str]) -> list[Row]:
    """Verdicts on all findings, one row a label in the order of `claims`.

    Args:
        findings: Of all labels.
        claims: label -> what it says.
    """
    counted = [f for f in findings if not f.outside]
    broken = {id(f) for f, bad in zip(counted, holm([f.p for f in counted], FAMILY), strict=True) if bad}
    judged = [Judged(f, "BROKEN" if id(f) in broken else _verdict(f)) for f in findings]
    return [
        Row(label, claim, mine)
        for label, claim in claims.items()
        if (mine := tuple(j for j in judged if j.finding.label == label))
    ]


def holm(p: Sequence[float], level: float) -> list[bool]:
    """Which hypotheses Holm's step-down procedure rejects at a family-wise error of `level`."""
    values = np.asarray(p, float)
    rejected = np.zeros(values.size, bool)
    for place, i in enumerate(np.argsort(values, kind="stable")):
        if values[i] > level / (values.size - place):
            break
        rejected[i] = True
    return rejected.tolist()


def _verdict(f: Finding) -> str:
    if f.outside:
        return "outside"
    if f.vacuous:
        return "vacuous"
    narrow = f.high - f.low < NARROW * abs(f.theory)
    if f.kind == "limit":
        meets = f.low <= f.theory + f.allowance and f.high >= f.theory - f.allowance
        return "held" if narrow and meets else "inconclusive"
    if narrow and f.low <= f.theory * (1 + 1e-9) and f.high >= f.theory * (1 - 1e-9):
        return "attained"
    if f.kind == "equality":
        return "inconclusive"
    return "held" if f.high <= f.theory else "inconclusive"


def _surest(judged: Judged) -> float:
    return judged.finding.p


def _nearest(judged: Judged) -> float:
    """How far from what would speak against the claim."""
    f = judged.finding
    if f.kind in ("bound", "always"):
        return 1 - f.measured / f.theory if f.theory else -f.measured
    return -abs(f.measured - f.theory) / (abs(f.theory) or 1.0)
