"""The spikes of a spec: numbers, or a table that names a law for them.

    spikes = {law = "PowerLaw", first = 5.0, exponent = 1.0, count = 62, after = [12.0, 8.0]}

is 12, 8 and then 5 j^(-1) for j = 1..62 (spikesim.power_law); after may be left out. In place of count, share = 0.5 makes the
rank, those of `after` included, that part of min(m, n), at least 1: a rank that grows with the shapes of a grid.
"""

from typing import Annotated, Any

from pydantic import PlainSerializer, Strict, ValidatorFunctionWrapHandler, WrapValidator

from spikesim.errors import need
from spikesim.noise.base import is_real
from spikesim.signal import power_law

Value = Any

NAMES = ("law", "first", "exponent", "count", "share", "after")


def _checked(value: Value, numbers: ValidatorFunctionWrapHandler) -> Value:
    """Numbers as they are; a table of known keys and good values, as far as they do not depend on the shape."""
    if not isinstance(value, dict):
        return numbers(value)
    need(value.get("law") == "PowerLaw", 'law in ("PowerLaw",)', law=value.get("law"))
    need(set(value) <= set(NAMES), f"keys out of {NAMES}", spikes=value)
    need({"first", "exponent"} <= set(value), "first and exponent for PowerLaw", spikes=value)
    need(("count" in value) != ("share" in value), "count or share for PowerLaw, and not both", spikes=value)
    share, after = value.get("share", 1.0), value.get("after", [])
    need(is_real(share) and 0 < share <= 1, "0 < share <= 1", share=share)
    need(isinstance(after, list | tuple) and all(map(is_real, after)), "after: a list of numbers", after=after)
    power_law(value["first"], value["exponent"], value.get("count", 1))
    return value


Spikes = Annotated[tuple[Annotated[float, Strict()], ...], WrapValidator(_checked), PlainSerializer(lambda x: x)]
"""Of a model's table."""


def spikes_from(spikes: Value, shape: tuple[int, int]) -> tuple[float, ...]:
    """The numbers that a checked field stands for, at a shape; raises ValueError where the rank leaves none for the law."""
    if not isinstance(spikes, dict):
        return spikes
    after = tuple(map(float, spikes.get("after", ())))
    rank = max(1, round(spikes["share"] * min(shape))) if "share" in spikes else len(after) + spikes["count"]
    need(rank > len(after), "a share with room for more spikes than those of after", share=spikes.get("share"), rank=rank)
    return after + power_law(spikes["first"], spikes["exponent"], rank - len(after))
