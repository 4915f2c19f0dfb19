"""Statistics of many columns of trials at once, values without a number set aside."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SHARES = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}


def statistics(x: Floats) -> dict[str, Floats]:
    """n, mean, standard error, quantiles and undefined of each row.

    Args:
        x: (row, trial), in C order: then a row's statistics do not depend, in any bit, on the other rows.

    Returns:
        (row,) each. NaN values are not counted; NaN where there are none left, and as the error of a single one. Quantiles
        are linear between trials, as NumPy's.
    """
    rows, trials = x.shape
    ordered = np.sort(x, axis=1)  # NaN comes last
    n = trials - np.isnan(x).sum(1)
    whole = bool(np.all(n == trials))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (x if whole else np.nan_to_num(x, nan=0.0)).sum(1) / n
        apart = (x - mean[:, None]) ** 2
        squares = (apart if whole else np.nan_to_num(apart, nan=0.0)).sum(1)
        error = np.sqrt(squares / (n - 1) / n)
    found = {"n": n, "mean": mean, "standard_error": error, "undefined": trials - n}
    return found | {name: _quantile(ordered, n, share) if trials else np.full(rows, np.nan) for name, share in SHARES.items()}


def _quantile(ordered: Floats, n: NDArray[np.int64], share: float) -> Floats:
    rows, last = np.arange(len(ordered)), np.maximum(n - 1, 0)
    place = share * last
    low = place.astype(int)
    below, above = ordered[rows, low], ordered[rows, np.minimum(low + 1, last)]
    return below + (place - low) * (above - below)
