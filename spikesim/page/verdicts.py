"""What stored trials say about each claim: findings of `spikesim verify`'s making, and where there is none, why."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from spikesim.noise import Gaussian, Laplace, Rademacher
from spikesim.signal import Constant
from spikesim.verify import bounds, limits, reversals
from spikesim.verify.finding import ROUNDING, Finding
from spikesim.verify.settings import Measured, Setting

if TYPE_CHECKING:
    from spikesim.model import SpikedModel

NEEDS: dict[str, tuple[tuple[str, ...], str]] = {
    "radius": (("noise_fro",), "B1"),
    "singular values": (("singular_values", "noise_op"), "B1"),
    "tail": (("tail",), "B1e"),
    "subspaces": (("sin_theta_left", "sin_theta_right"), "B2, B2e"),
    "alignment": (("alignment",), "B3, B3'"),
}
"""Observables that each family of findings on bounds reads, and the claims it is about."""
FEWEST = 40
"""Trials, as in the smallest setting of `spikesim verify`: Student's law of a mean asks for some."""
EQUAL = 240
"""Trials for an equality, as there."""
LIGHT = (Gaussian, Laplace, Rademacher)
WIDE = (64, 16)
"""The smallest shape of B6's settings there, the larger side first."""
QUIET = 1e-5
"""Noise over the largest spike below which rounding, some 1e-15 of the spike, comes near to 1e-9 of a bound."""
LIMITS = (
    "a limit is judged by three sizes of one aspect and SNR, as `spikesim verify` does; means stand beside it in the table"
)
NEVER = (
    ("S1 to S10", LIMITS),
    ("S11", "it is judged by batches of trials, of which a store keeps one sum"),
    ("R1 to R3", "they are about settings of their own: `spikesim verify`"),
)
"""Claims that one point of a run cannot judge, and why."""
CLAIMS = bounds.CLAIMS | limits.CLAIMS | reversals.CLAIMS


@dataclass(frozen=True)
class Tried:
    """Findings at one point, and claims that its trials cannot judge, with the reason."""

    findings: tuple[Finding, ...] = ()
    unjudged: tuple[tuple[str, str], ...] = ()


def tried(model: "SpikedModel", data: Any) -> Tried:
    """Hold a point's stored trials against every claim.

    Args:
        model: What was simulated.
        data: Its trials that are there; None where none is.
    """
    why = _refused(model, data)
    if why:
        return Tried(unjudged=(("all claims", why),))
    at = bounds.Buffers(Measured(Setting("stored", model, tuple(data.window.values.tolist()), data.sizes["trial"]), data))
    found, missing = _bounds(at)
    for label, pieces, reason in (_order(at), _rank_one(at)):
        found += pieces
        missing += [(label, reason)] if reason else []
    return Tried(tuple(found), (*missing, *NEVER))


def _refused(model: "SpikedModel", data: Any) -> str:
    if data is None or data.sizes["trial"] < FEWEST:
        return f"fewer than {FEWEST} trials are there, the fewest that `spikesim verify` judges by"
    if "window" not in data.dims:
        return "nothing by window is stored"
    if data.attrs.get("filter") != "EMA" or "steps" not in data.attrs:
        return f"the claims are about the EMA from zero, not {data.attrs.get('filter')}"
    if data.attrs.get("method") != "stream":
        return f"method {data.attrs.get('method')!r} draws from formulas that are to be judged, method 'stream' does not"
    if not isinstance(model.signal, Constant):
        return "the claims that are judged here are about a signal that does not move"
    if model.head is not None:
        return "the claims are about all spikes, not about a head"
    return _rounding(model, data)


def _rounding(model: "SpikedModel", data: Any) -> str:
    """Whether bounds and differences may be as small as rounding, which would then be judged in their place."""
    if data.attrs.get("dtype") != "float64":
        return f"inequalities are judged to float64's rounding, not {data.attrs.get('dtype')}'s"
    if model.noise.outside:
        return ""
    least = (model.theorem_eta / (2 * float(data.window.max()) - 1)) ** 0.5
    few = least < QUIET * max(map(abs, model.spikes))
    return f"noise in the widest window is less than {QUIET:g} of the largest spike: rounding would be judged" if few else ""


def _bounds(at: bounds.Buffers) -> tuple[list[Finding], list[tuple[str, str]]]:
    found: list[Finding] = []
    missing: list[tuple[str, str]] = []
    for name, (needed, labels) in NEEDS.items():
        why = _lacking(at, needed, "pre-polar" if name not in ("radius",) else "")
        if not why and name == "singular values" and at.data.sizes["index"] < min(at.model.shape):
            why = "of the singular values not all are stored"
        if not why and not any(t > 1 for t in at.windows):
            why = "T = 1 alone is stored: nothing is filtered"
        if not why:
            pieces, why = _made(lambda name=name: bounds.FAMILIES[name](at))  # type: ignore[misc]
            found += [replace(f, outside=at.outside) for f in pieces]
        missing += [(labels, why)] if why else []
    for label, single in (("B3", "noise_nuclear"), ("B3' (pathwise)", "noise_tangent"), ("B2 (Wedin)", "noise_op")):
        missing += [] if at.has(single) else [(label, f"{single} is not stored")]
    return found, missing


def _made(make: Callable[[], Iterable[Finding]]) -> tuple[list[Finding], str]:
    """Findings; or why there are none, as where trials have no value."""
    try:
        return list(make()), ""
    except ValueError as error:
        return [], str(error)


def _lacking(at: bounds.Buffers, names: tuple[str, ...], *pipelines: str) -> str:
    absent = [name for name in names if name not in at.data]
    if absent:
        return f"{' and '.join(absent)} not stored"
    there = at.data.pipeline.values.tolist() if "pipeline" in at.data.dims else []
    lost = [p for p in pipelines if p and p not in there]
    return f"{' and '.join(lost)} not simulated" if lost else ""


def _order(at: bounds.Buffers) -> tuple[str, list[Finding], str]:
    why = _lacking(at, ("alignment",), "pre-polar", "post-polar", "polar-only")
    if not why and 1 - float(at.read("alignment", at.windows[0], "polar-only").mean()) < ROUNDING:
        why = "polar-only has nothing left to gain"
    if why:
        return "B4, B5", [], why
    item = Measured(Setting("stored", at.model, tuple(at.windows), at.data.sizes["trial"]), at.data)
    found, why = _made(lambda: bounds.order_of(item))
    equality = _equality(at)
    kept = [replace(f, outside=at.outside) for f in found if f.label != "B4" or not equality]
    return ("B4, B5", kept, why) if why else ("B4", kept, equality)


def _equality(at: bounds.Buffers) -> str:
    """Why B4 is not judged: Student's test of an equality errs where trials may miss rare gradients that rule a mean."""
    if not isinstance(at.model.noise, LIGHT):
        return "Student's test of an equality is sure with light tails alone: Gaussian, Laplace, Rademacher"
    return "" if at.data.sizes["trial"] >= EQUAL else f"fewer than the {EQUAL} trials by which `spikesim verify` judges it"


def _rank_one(at: bounds.Buffers) -> tuple[str, list[Finding], str]:
    """B6, whose bound is that of a limit."""
    if at.model.rank != 1 or not isinstance(at.model.noise, Gaussian):
        return "B6", [], "its hypothesis asks for one spike in Gaussian noise"
    if min(at.model.shape) < WIDE[1] or max(at.model.shape) < WIDE[0]:
        return "B6", [], f"it is about large matrices: {WIDE[0]} x {WIDE[1]} is the smallest that `spikesim verify` judges"
    names = [p for p in ("polar-only", "post-polar") if not _lacking(at, ("alignment",), p)]
    windows = {"polar-only": at.windows[:1], "post-polar": at.windows}
    found, why = _made(
        lambda: [bounds.vanishing(at.model, p, t, at.read("alignment", t, p)) for p in names for t in windows[p]]
    )
    return "B6", found, why if found or why else "neither polar-only nor post-polar has its alignment stored"
