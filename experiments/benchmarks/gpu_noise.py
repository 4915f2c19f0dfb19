"""Random words and noise of a device against the CPU's: words bit for bit, noise in units in the last place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import spikesim as ss
from benchmarks import gpu_device
from benchmarks.gpu_words import device_words
from spikesim import rng
from spikesim.arrays import host
from spikesim.kernels.fills import FILLS, UNITS
from spikesim.samplers.stream import Stream

SHAPE = (64, 128)
SEED = 20240229
DRAWS = range(6)
LAWS = {
    "gaussian": ss.Gaussian(1.0), "frozen": ss.SignFlip(1.0), "rademacher": ss.Rademacher(1.0), "laplace": ss.Laplace(1.0),
    "pareto": ss.SymmetricPareto(3.0, 1.0), "student_t": ss.StudentT(3.0, 1.0), "stable": ss.AlphaStable(1.5, 1.0),
    "arch": ss.Arch(0.3, 1.0), "ar1": ss.AR1(0.5, 1.0), "mixture": ss.Mixture(0.1, 10.0, 1.0),
}  # fmt: skip
"""A law for each fill."""
RARE = 4
"""99.9 % of the numbers keep UNITS in the last place (fills.py), and all of them so many times that, counted at a number's
own size or at 1 where that is more: a small word's logarithm is another library's. Signs are equal but where steps of AR(1)
cancel."""
OF_NORMALS = ("arch", "ar1", "mixture")
"""Numbers of any type made of float32 normals: they are as far apart as those."""


@dataclass(frozen=True)
class Apart:
    """How far the noise of one law is from the CPU's, in units in the last place of what the law computes in.

    Args:
        law: Its fill.
        dtype: Of the accumulators.
        most: The largest distance, at a number's own size.
        usual: That of 99.9 %; for AR(1), whose steps cancel, at a number's own size or 1 where that is more.
        most_at_one: The largest, at a number's own size or 1 where that is more.
        signs: How many signs differ.
        count: Of how many numbers.
    """

    law: str
    dtype: str
    most: float
    usual: float
    most_at_one: float
    signs: int
    count: int

    @property
    def held(self) -> bool:
        """Whether it is as close as stated."""
        if self.law == "rademacher":
            return self.most == 0
        units = UNITS[self.law]
        return self.usual <= units and self.most_at_one <= RARE * units and (self.signs == 0 or self.law == "ar1")

    def as_json(self) -> dict[str, Any]:
        """For the results' file."""
        return {**self.__dict__, "held": self.held}


def ulps(found: ArrayLike, true: ArrayLike, unit: Any, floor: float = 0.0) -> NDArray[np.float64]:
    """|found - true| in units in the last place of `unit`, at the larger of both and of `floor`; inf beside a NaN alone."""
    a, b = np.asarray(found, np.float64), np.asarray(true, np.float64)
    size = np.maximum(np.maximum(np.abs(a), np.abs(b)), max(floor, float(np.finfo(unit).smallest_normal)))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(a - b) / np.spacing(size.astype(unit)).astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isfinite(apart), apart, np.inf))


def words_apart(trials: Sequence[int], count: int) -> dict[str, int]:
    """How many of the words at random places, in every draw, are not the CPU's; those of the first places included."""
    draw = np.random.default_rng(SEED)
    entries, steps = (draw.integers(0, 1 << 33, count, np.uint64) for _ in range(2))
    entries[: count // 2], steps[: count // 2] = np.arange(count // 2) % 97, np.arange(count // 2) // 97
    different, places = 0, 0
    for trial in trials:
        for number in DRAWS:
            found = host(device_words(gpu_device.namespace(), SEED, rng.NOISE, trial, steps, entries, number))
            true = rng.words(SEED, rng.NOISE, trial, steps, entries, number)
            different, places = different + int(np.count_nonzero(found != true)), places + count
    return {"places": places, "different": different}


def drawn(law: str, dtype: str, device: str, trials: int, steps: int) -> NDArray[Any]:
    """Noise of every step, (B, steps, m, n)."""
    place: dict[str, Any] = {} if device == "cpu" else {"device": gpu_device.device()}
    model = ss.SpikedModel(SHAPE, (1.0,), LAWS[law])
    stream = Stream(model, SEED, range(trials), np.array([0.9]), np.dtype(dtype), **place)
    return host(stream.advance(steps, keep=True))


def noise_apart(law: str, dtype: str, device: str, trials: int, steps: int) -> Apart:
    """A law's noise on a device against the CPU's."""
    return apart(law, dtype, *(drawn(law, dtype, where, trials, steps) for where in (device, "cpu")))


def apart(law: str, dtype: str, found: NDArray[Any], true: NDArray[Any]) -> Apart:
    """The distance of two lots of numbers."""
    unit = np.float32 if FILLS[law][1] or law in OF_NORMALS else np.dtype(dtype).type
    own, at_one = ulps(found, true, unit), ulps(found, true, unit, 1.0)
    signs = int(np.count_nonzero(np.signbit(found) != np.signbit(true)))
    usual = float(np.quantile(at_one if law == "ar1" else own, 0.999, method="higher"))
    return Apart(law, dtype, float(own.max()), usual, float(at_one.max()), signs, own.size)
