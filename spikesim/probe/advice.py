"""Which momentum a recording asks for, whether to clip, and why: the curve proposes, the measurement disposes.

Source: theory.md P8.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikesim.probe.curve import SURE, Curve
from spikesim.probe.jackknife import Statistics, student
from spikesim.probe.noise import Estimate
from spikesim.probe.plan import BLOCKS

Floats = NDArray[np.float64]

WORTH = 0.01
"""Alignment below which a difference is not worth a change."""
CLIP = 2.0
"""Clipping is tried at so many median norms of a gradient."""


@dataclass(frozen=True)
class Advice:
    """What to choose.

    Attributes:
        window: T; NaN where none is advised.
        alignment: That the fitted curve has there.
        reason: Why.
        clip: Whether to clip single gradients before they are averaged.
        clip_norm: The norm that was tried, CLIP times the median.
        clip_gain: Alignment that clipping adds, on average over this window and those beyond.
        clip_reason: Why, or why not.
        order_gain: Alignment of pre-polar over post-polar at the window; None where post-polar was not run.
    """

    window: float
    alignment: float
    reason: str
    clip: bool
    clip_norm: float
    clip_gain: Estimate
    clip_reason: str
    order_gain: Estimate | None

    @property
    def momentum(self) -> float:
        """beta = 1 - 1/T."""
        return 1 - 1 / self.window


@dataclass(frozen=True)
class Choice:
    """A window, where it lies on the grid, and why it was chosen."""

    window: float
    at: int
    reason: str


def choose(
    kind: str, curve: Curve, windows: Floats, values: Statistics, errors: Statistics, reach: float, still: bool
) -> Choice:
    """The curve's window, unless a measured one is ahead of it by more than chance; none where no signal is seen.

    still: No drift was told from none.
    """
    if not curve.seen:
        return Choice(math.nan, windows.size - 1, f"none advised: {_unseen(windows, values, errors)}")
    moving = kind == "trajectory"
    best, there = curve.best(1.0 if moving else reach, float(windows[0]), float(windows[-1]))
    at = int(np.abs(np.log(windows / best)).argmin())
    top = int(values["decrease"][0].argmax())
    lead, noise = values["longer"][top, at], student(BLOCKS) * errors["longer"][top, at]
    if moving and lead > max(noise, WORTH * curve.nuclear):
        said = (
            f"measured best: T = {windows[top]:g} is ahead of the curve's T = {best:.3g} by {lead / curve.nuclear:.3f} "
            f"± {noise / curve.nuclear:.3f} of alignment"
        )
        return Choice(float(windows[top]), top, said)
    edge = best >= float(windows[-1]) * 0.99
    return Choice(best, at, _moving(curve, there, edge, still) if moving else _at_rest(there, reach))


def _unseen(windows: Floats, values: Statistics, errors: Statistics) -> str:
    """Why nothing is advised."""
    fall, error = values["decrease"][0], errors["decrease"][0]
    worst = int(np.argmin(fall + SURE * error))
    if fall[worst] + SURE * error[worst] < 0:
        size = f"<A, S> = {fall[worst]:.2g} ± {error[worst]:.1g} at T = {windows[worst]:g}"
        return f"updates point against what follows ({size}), as weights moved along them; record a twin"
    return "no signal seen in these gradients; record more, or larger batches"


def _moving(curve: Curve, there: float, edge: bool, still: bool) -> str:
    if not curve.omega:
        drift = "no drift is seen"
    else:
        drift = f"a drift of about {curve.omega:.2g} rad a step" + (" is not told from none" if still else " asks for less")
    if edge:
        return f"the longest that this recording can judge; {drift}"
    return f"noise asks for more, {drift}: most alignment with the signal of the step, {there:.2f}, here"


def _at_rest(there: float, reach: float) -> str:
    if there < reach:
        return f"alignment reaches {there:.2f} only, at the longest window that this recording can judge; longer is better"
    return (
        f"the least momentum with an alignment of {reach:g}; at fixed weights longer is only better, a drift cannot be seen"
    )


def advise(
    choice: Choice, curve: Curve, values: Statistics, errors: Statistics, clipped: int, norm: float, post: int | None,
    kept: float,
) -> Advice:  # fmt: skip
    """What follows from the window that was chosen.

    clipped and post are the places of these pipelines, norm what clipped cuts at, kept the share of all gradients' power that
    it leaves. By R1 that is what large gradients cost: noise is kept times what it was, if what is cut is noise.
    """
    if not curve.seen:
        none = Estimate(math.nan)
        return Advice(choice.window, math.nan, choice.reason, False, norm, none, "no signal to judge it by", None)
    gain = _gap("beyond", values, errors, clipped, choice.at, curve.nuclear)
    there = float(curve.alignment([choice.window])[0])
    promised = float(replace(curve, snr=curve.snr / math.sqrt(kept)).alignment([choice.window])[0]) - there
    expected = promised > WORTH and gain.high >= promised
    clip = expected or (gain.low > 0 and gain.value > WORTH)
    word = "adds" if clip else "adds no more than chance and" if gain.value > 0 else "adds nothing:"
    size = f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
    cut = f" takes {1 - kept:.0%} of all power away, by R1 worth {promised:+.3f}, and" if expected else ""
    said = f"clipping at {CLIP:g} median norms{cut} {word} {size} of alignment at this window and longer ones"
    order = None if post is None else _gap("behind", values, errors, post, choice.at, curve.nuclear)
    flipped = None if order is None else Estimate(-order.value, -order.high, -order.low)
    return Advice(choice.window, there, choice.reason, clip, norm, gain, said, flipped)


def _gap(name: str, values: Statistics, errors: Statistics, pipeline: int, window: int, nuclear: float) -> Estimate:
    """Alignment of a pipeline less the first one's."""
    return Estimate.of(values[name][pipeline, window] / nuclear, errors[name][pipeline, window] / nuclear)
