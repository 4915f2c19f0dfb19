"""What a probe found: numbers with their errors, and the ways to look at them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikesim.probe.advice import Advice
from spikesim.probe.curve import Curve
from spikesim.probe.jackknife import Statistics
from spikesim.probe.noise import NoiseEstimates
from spikesim.probe.outcome import as_json, dataset
from spikesim.probe.readings import Asked, Readings
from spikesim.probe.spikes import Ranks
from spikesim.probe.text import text

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Probe:
    """What a recording says.

    Attributes:
        name: Of the recording: its file's, without folders.
        kind: "stationary" or "trajectory".
        shape: (K, m, n).
        asked: Pipelines, windows and ranks.
        noise: Estimates of noise, signal and drift.
        ranks: Directions that stand out, by three rules.
        spikes: Their sizes lambda_k, falling, in the unit of the gradients.
        curve: The fitted curve and the scale ‖S‖_*.
        values: Means by name (statistics.py), and "alignment".
        errors: Their standard errors.
        predicted: Alignment of pre-polar by S4 or S8 from spikes, sigma and drift, (W,); NaN without a spike.
        persistence: c_sig at each window, (W,), how much of ‖S‖_F the filter leaves.
        persistence_error: Its standard error.
        advice: Which momentum, and whether to clip.
        readings: Every reading, by passes.
        noise_norms: Norms of noise, of one gradient each, (K/2,), or (K,) with a twin.
        twin: Whether updates were held against gradients of other batches at the same weights.
        leads: Steps ahead of an update of what it was held against; none for a signal at rest, and for a twin.
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    asked: Asked
    noise: NoiseEstimates
    ranks: Ranks
    spikes: Floats
    curve: Curve
    values: Statistics
    errors: Statistics
    predicted: Floats
    persistence: Floats
    persistence_error: Floats
    advice: Advice
    readings: tuple[Readings, ...]
    noise_norms: Floats
    twin: bool
    leads: tuple[int, ...]

    @property
    def rank(self) -> int:
        """Directions that stand out of the recording's own noise."""
        return self.ranks.signed_noise

    @property
    def tail(self) -> int:
        """Place of sigma_{r+1} among singular values, the last of them at most."""
        return min(self.rank, self.asked.values - 1)

    @property
    def rank_place(self) -> int:
        """Place among the ranks asked for of the one nearest to what stands out, from above."""
        return min(sum(r < self.rank for r in self.asked.ranks), len(self.asked.ranks) - 1)

    @property
    def data(self) -> "xr.Dataset":
        """Everything with its error, over pipeline, window, index, rank and reading."""
        return dataset(self)

    def as_json(self) -> dict[str, Any]:
        """Plain values; inf and nan become None."""
        return as_json(self)

    def text(self, width: int = 120) -> str:
        """What was found, to be read.

        Args:
            width: Columns to print in.
        """
        return text(self, width)

    def draw(self, folder: Path | str, stem: str = "probe") -> None:
        """Write one page of figures, folder/stem.png and folder/stem.pdf.

        Args:
            folder: Where to; it must be there.
            stem: The files' name, without an ending.

        Raises:
            OSError: If the files cannot be written.
        """
        from spikesim.probe.page import draw

        draw(self, Path(folder), stem)
