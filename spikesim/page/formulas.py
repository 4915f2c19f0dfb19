"""What theory gives for a stored mean: a formula's value and label, or why there is none."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from spikesim.noise import Gaussian, Laplace, Rademacher, StudentT, SymmetricPareto
from spikesim.signal import Constant, Rotating
from spikesim.theory import asymptotics, drift, filters, post_polar, updates

if TYPE_CHECKING:
    from spikesim.model import SpikedModel

PLAIN = ("pre-polar", "post-polar", "polar-only", "re-polarised")
INDEPENDENT = (Gaussian, StudentT, SymmetricPareto, Laplace, Rademacher)
STEADY = 1e-6
"""Start-up weight below which a run is in steady state."""


@dataclass(frozen=True)
class Formula:
    """A value with its label in docs/theory.md; None, and why, where there is none."""

    value: float | None
    source: str = ""
    why: str = ""


def formula(
    model: "SpikedModel", attributes: dict[str, Any], observable: str, pipeline: str, window: float | None, index: int | None
) -> Formula:
    """The sharp value of a mean, a limit for large matrices.

    Args:
        model: What was simulated.
        attributes: Of its results.
        observable: Whose mean it is.
        pipeline: Empty for what is of no pipeline.
        window: T; None for what is of no window.
        index: Of a singular value, from 1.
    """
    why = refused(model, attributes, pipeline)
    if why or window is None:
        return Formula(None, why=why or "no formula")
    try:
        return _formula(model, int(attributes["steps"]), observable, pipeline, window, index)
    except ValueError as error:
        return Formula(None, why=str(error))


def refused(model: "SpikedModel", attributes: dict[str, Any], pipeline: str) -> str:
    """Why no formula speaks of a run; empty where some may."""
    if not isinstance(model.noise, INDEPENDENT) or not model.noise.is_bvmzos:
        return "the formulas are for independent entries of one finite variance"
    if attributes.get("filter") != "EMA" or "steps" not in attributes:
        return f"the formulas are for the EMA, not for {attributes.get('filter', 'other filters')}"
    if pipeline and pipeline not in PLAIN:
        return "no formula for these stages"
    return "the formulas are for all spikes, not for a head" if model.head is not None else ""


@lru_cache(maxsize=20_000)
def _formula(model: "SpikedModel", steps: int, observable: str, pipeline: str, window: float, index: int | None) -> Formula:
    shape, sigma = model.shape, model.noise.variance**0.5
    spikes = tuple(sorted((abs(x) for x in model.spikes), reverse=True))
    if isinstance(model.signal, Rotating):
        if (observable, pipeline) != ("alignment", "pre-polar"):
            return Formula(None, why="no formula for a moving signal")
        return Formula(drift.alignment(shape, sigma, spikes, window, model.signal.omega, model.signal.both), "S8")
    if not isinstance(model.signal, Constant):
        return Formula(None, why="no formula for a moving signal")
    if pipeline == "polar-only":
        return _buffer((shape, sigma, spikes), 1.0, None, observable, index)
    if pipeline in ("pre-polar", ""):
        return _buffer((shape, sigma, spikes), window, steps, observable, index)
    return _after((shape, sigma, spikes), pipeline, window, steps, observable)


def _buffer(at: Any, window: float, steps: int | None, observable: str, index: int | None) -> Formula:
    """Of an average of gradients, and of what a polar factor makes of it."""
    shape, sigma, spikes = at
    rank = len(spikes)
    edge = asymptotics.bulk_edge(shape, sigma, window, steps)
    if observable == "alignment":
        return Formula(asymptotics.alignment(shape, sigma, spikes, window, steps), "S4")
    if observable == "alignment_truncated":
        return Formula(asymptotics.truncated_alignment(shape, sigma, spikes, window, steps), "S3")
    if observable in ("sin_theta_left", "sin_theta_right"):
        return Formula(asymptotics.sin_theta(shape, sigma, spikes, window, steps)[int(observable.endswith("right"))], "S3")
    if observable == "cosine":
        return Formula(updates.pre_polar_cosine(shape, sigma, spikes, window, steps), "S4")
    if observable == "noise_op" or (observable == "tail" and rank < min(shape)):
        return Formula(edge, "S2")
    top = asymptotics.singular_value(shape, sigma, spikes, window, steps)
    if observable == "gap" and rank < min(shape):
        return Formula(float(top[-1]) - edge, "S3, S2")
    if observable == "singular_values" and index is not None and index <= rank + 1:
        return Formula(float(top[index - 1]), "S3") if index <= rank else Formula(edge, "S2")
    return Formula(None, why="no formula")


def _after(at: Any, pipeline: str, window: float, steps: int, observable: str) -> Formula:
    """Of pipelines that average polar factors."""
    shape, sigma, spikes = at
    gain = filters.ema(window, steps).gain
    if pipeline == "post-polar" and observable == "alignment":
        return Formula(gain * asymptotics.alignment(shape, sigma, spikes, 1.0), "B4, S4")
    if pipeline == "post-polar" and observable == "cosine":
        return Formula(updates.post_polar_cosine(shape, sigma, spikes, window, steps), "S5")
    if pipeline == "re-polarised" and observable == "alignment" and gain > 1 - STEADY:
        each = post_polar.repolarised_alignment(shape, sigma, spikes, window)
        return Formula(asymptotics.weighted(spikes, each), "S10 (conjecture)")
    return Formula(None, why="no formula")
