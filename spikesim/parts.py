"""Parts of a run: datasets of some of its trials, which can be put together to the dataset of all, bit by bit.

A part has each trial's observables, and where bias or variance is asked for the sums that they are made of (moments.py):

    deviation_total      (half, pipeline, window, row, column)
    deviation_squares    (half, pipeline, window)
"""

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from spikesim import observables as obs
from spikesim.errors import need
from spikesim.moments import Moments

if TYPE_CHECKING:
    import xarray as xr

TOTAL, SQUARES = "deviation_total", "deviation_squares"
ASKED = "moments"
"""Attribute of a part with sums: which of bias_squared and variance they are for."""
SECONDS = "seconds"
"""Attribute, if there: how long it took."""
MEANS = "matrices"
"""Attribute: how many matrices were analysed by which means."""


def sums_of(moments: Moments) -> dict[str, Any]:
    """A part's variables for sums."""
    dims = ("half", "pipeline", "window")
    return {TOTAL: ((*dims, "row", "column"), np.stack(moments.total)), SQUARES: (dims, np.stack(moments.squares))}


def moments_of(part: "xr.Dataset") -> Moments:
    """The sums of a part that has them."""
    return moments_from(part.sizes["trial"], part[TOTAL].values, part[SQUARES].values)


def moments_from(count: int, total: np.ndarray, squares: np.ndarray) -> Moments:
    """Sums of `count` trials out of the variables for them."""
    return Moments(count, (total[0], total[1]), (squares[0], squares[1]))


def joined(parts: Sequence["xr.Dataset"]) -> "xr.Dataset":
    """Parts of one run as one, in the order given; attributes that differ are listed, matrices and seconds summed.

    Raises:
        ValueError: If there is none.
    """
    import xarray as xr

    need(len(parts) > 0, "one part or more", parts=len(parts))
    each = [part.drop_vars([TOTAL, SQUARES], errors="ignore") for part in parts]
    out = xr.concat(each, "trial", combine_attrs="override")
    if TOTAL in parts[0]:
        out = out.assign(sums_of(reduce(add, map(moments_of, parts))))
    for name in parts[0].attrs:
        texts = list(dict.fromkeys(str(part.attrs[name]) for part in parts if name in part.attrs))
        if len(texts) > 1:
            out.attrs[name] = " | ".join(texts)
    if SECONDS in parts[0].attrs:
        out.attrs[SECONDS] = sum(part.attrs[SECONDS] for part in parts)
    if MEANS in parts[0].attrs:
        out.attrs[MEANS] = means_text(reduce(add, (means_of(part.attrs[MEANS]) for part in parts)))
    return out


def finished(part: "xr.Dataset") -> "xr.Dataset":
    """What a run gives: bias and variance in place of their sums, if there are two trials; see simulate."""
    if TOTAL not in part:
        return part
    asked, out = part.attrs[ASKED].split(", "), part.drop_vars([TOTAL, SQUARES])
    if part.sizes["trial"] >= 2:
        both = zip(obs.MOMENTS, moments_of(part).estimates(), strict=True)
        out = out.assign({name: (("pipeline", "window"), values) for name, values in both if name in asked})
    del out.attrs[ASKED]
    return out[[name for name in obs.KNOWN if name in out]]


def means_text(tally: Counter[str]) -> str:
    """How many matrices were analysed by which means."""
    return "; ".join(f"{count} by {means}" for means, count in sorted(tally.items()) if count) or "none"


def means_of(text: str) -> Counter[str]:
    """The tally of a text."""
    items = (item.split(" by ", 1) for item in text.split("; ")) if text != "none" else ()
    return Counter({means: int(count) for count, means in items})
