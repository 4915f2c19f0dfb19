"""Findings on R1 to R3: where the order of the pipelines turns round."""

from collections.abc import Iterator
from typing import Any

from spikesim.noise import Contaminated
from spikesim.theory import asymptotics
from spikesim.verify.finding import Finding, mean_equals, order, text_of
from spikesim.verify.settings import Measured

CLAIMS = {
    "R1": "rare gradients, 300 times too large: post-polar is ahead of pre-polar at T = 20",
    "R2": "by cosine post-polar is ahead of full-rank pre-polar; re-polarised keeps post-polar's alignment or more",
    "R3": "unequal spikes at low SNR: post-polar weighs directions as one gradient does, nearly by lambda",
}
RARE = 20.0


def findings(measured: list[Measured]) -> Iterator[Finding]:
    """All findings on reversals."""
    for item in measured:
        if item.setting.family == "order" and isinstance(item.model.noise, Contaminated):
            yield from _rare(item)
        elif item.setting.family == "post":
            yield from _cosine(item)
        elif item.setting.family == "unequal":
            yield from _unequal(item)


def _read(item: Measured, name: str, pipeline: str, window: float) -> Any:
    return item.data[name].sel(pipeline=pipeline, window=window).values


def _rare(item: Measured) -> Iterator[Finding]:
    noise = item.model.noise
    if noise.factor < 100:  # type: ignore[attr-defined]
        return
    post, pre, again = (_read(item, "alignment", p, RARE) for p in ("post-polar", "pre-polar", "re-polarised"))
    setting = text_of(item.model)
    yield order("R1", "pre-polar - post-polar alignment", setting, RARE, post, pre)
    yield order("R1", "post-polar - re-polarised alignment", setting, RARE, again, post)


def _cosine(item: Measured) -> Iterator[Finding]:
    t, setting = max(item.setting.windows), text_of(item.model)
    post, pre = (_read(item, "cosine", p, t) for p in ("post-polar", "pre-polar"))
    yield order("R2", "pre-polar - post-polar cosine", setting, t, post, pre)
    post, again = (_read(item, "alignment", p, t) for p in ("post-polar", "re-polarised"))
    yield order("R2", "post-polar - re-polarised alignment", setting, t, again, post)


def _unequal(item: Measured) -> Iterator[Finding]:
    model, (t,), (first, second) = item.model, item.setting.windows, item.model.spikes
    mean, total = _read(item, "projection", "post-polar", t), _read(item, "alignment", "post-polar", t)
    # projection = (o_1 + o_2)/2 and alignment = (lambda_1 o_1 + lambda_2 o_2)/(lambda_1 + lambda_2)
    one = (total * (first + second) - 2 * second * mean) / (first - second)
    two = 2 * mean - one
    each = asymptotics.polar_alignment(model.shape, model.noise.variance**0.5, model.spikes, 1.0)
    ratio = one.mean() / two.mean()
    samples = ratio + (one - ratio * two) / two.mean()  # to first order, trials of the ratio of means
    said = f"o_1/o_2 of post-polar, spikes {first / second:.3g} : 1"
    yield mean_equals("R3", said, text_of(model), t, samples, float(each[0] / each[1]))
