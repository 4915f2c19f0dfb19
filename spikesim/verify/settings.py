"""What is simulated to verify the theory: fixed models, windows, trials and seed; no run decides on its own length.

Families, each keyed by name:

    paper       100 x 100 at the paper's settings, where most bounds are vacuous
    small       16 x 16, every noise law, windows up to 1024: where bounds bite, and what happens outside BVMZOS
    tiny        models that come near a bound: 1 x 1 (B3), 2 x 2 (B2), noise in one row (B1e, B2e, B3')
    mixture     one random scale a run: the law that meets the frequencies of B1 and B1q
    order       all pipelines on 24 x 24, Gaussian, heavy-tailed and contaminated (B4, B5, R1)
    wide        rank 1, 4n x n, the spike kept while n grows (B6)
    limit       rank 2, three sizes of three aspects, steady and starting up (S1 to S4)
    high        rank 2, three sizes, spikes in proportion to the size: ever further above the noise (S6)
    post        rank 1, all pipelines, three sizes of two aspects (S5, S9, S10, R2)
    moments     one size in batches (S11)
    unequal     two unequal spikes at low SNR (R3)
    jumps       norms of radial noise from their scalars (S7)
    drift       turning vectors, three sizes (S8)
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spikesim import noise as laws
from spikesim.model import SpikedModel
from spikesim.signal import Rotating
from spikesim.simulate import simulate

if TYPE_CHECKING:
    import xarray as xr

SEED = 20260603
BOUNDED = (
    "alignment", "sin_theta_left", "sin_theta_right", "tail", "singular_values", "noise_fro", "noise_op",
    "noise_nuclear", "noise_tangent",
)  # fmt: skip
LIMITED = ("alignment", "alignment_truncated", "sin_theta_left", "sin_theta_right", "tail", "head_error", "singular_values")
BOTH = ("pre-polar", "polar-only")
MIXTURE_WINDOW = 5.0
MIXTURE_SHARES = (0.999, 1.2)
"""Chance of a loud run over (2T - 1)^(-q): just below it every loud run fails B1q's radius, above it none does."""
LEVELS = (0.2, 0.5, 0.8)
"""q of B1q; B1 is 0.5."""
JUMP_ALPHAS = (2.2, 2.6, 3.5)
JUMP_WINDOWS = (128.0, 512.0, 2048.0)
JUMP_EXCEEDANCES = 1500
DRIFT = (20.0, 0.03)
"""Window and radians a step."""


@dataclass(frozen=True)
class Setting:
    """One simulation."""

    family: str
    model: SpikedModel
    windows: tuple[float, ...]
    trials: int | range
    steps: int | None = None
    options: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Measured:
    """A setting and what its simulation gave."""

    setting: Setting
    data: "xr.Dataset"

    @property
    def model(self) -> SpikedModel:
        """The setting's model."""
        return self.setting.model


def measure(settings: tuple[Setting, ...], progress: Callable[[str, int, int], None]) -> list[Measured]:
    """Simulate every setting; progress gets (family, settings done, settings)."""
    done = []
    for i, s in enumerate(settings):
        progress(s.family, i, len(settings))
        options = {"method": "stream"} | s.options  # the other methods draw from formulas that are to be verified
        data = simulate(s.model, windows=s.windows, trials=s.trials, steps=s.steps, seed=SEED, **options)
        done.append(Measured(s, data))
    progress("", len(settings), len(settings))
    return done


def all_settings() -> tuple[Setting, ...]:
    """Every setting of a full verification."""
    families = (_paper, _small, _tiny, _mixture, _order, _wide, _limit, _high, _post, _moments, _unequal, _jumps, _drift)
    return tuple(s for family in families for s in family())


def _paper() -> list[Setting]:
    options = {"pipelines": BOTH, "observables": BOUNDED, "spectrum": 100}
    noises = (laws.Gaussian(1.0), laws.Gaussian(0.2), laws.Arch(0.3, 1.0))
    return [
        Setting("paper", SpikedModel((100, 100), (12.0, 8.0, 5.0), law), (1, 5, 20, 100, 200), 40, 1000, options)
        for law in noises
    ]


def _small() -> list[Setting]:
    inside = (
        laws.Gaussian(1.0), laws.StudentT(3.0, 1.0), laws.SymmetricPareto(2.5, 1.0), laws.Laplace(1.0), laws.Rademacher(1.0),
        laws.Radial(2.5, 1.0), laws.Contaminated(0.01, 10.0, 0.5), laws.Arch(0.3, 1.0), laws.SignFlip(1.0),
        laws.ScaleMixture(0.2, 3.0, 0.5),
    )  # fmt: skip
    outside = (laws.AR1(0.5, 1.0), laws.Biased(0.2, 1.0), laws.StudentT(1.5, 1.0), laws.AlphaStable(1.5, 1.0))
    options = {"pipelines": BOTH, "observables": BOUNDED, "spectrum": 16}
    return [
        Setting("small", SpikedModel((16, 16), (16.0, 12.0), law), (1, 2, 8, 32, 128, 1024), trials, 4096, options)
        for trials, kinds in ((700, inside), (100, outside))
        for law in kinds
    ]


def _tiny() -> list[Setting]:
    options = {"pipelines": BOTH, "observables": BOUNDED}
    loud, quiet = 1.0, 0.0
    one_row = [laws.Kronecker(rows, (1.0,) * 256, 1.0) for rows in ((quiet, loud), (loud, quiet))]
    return [
        Setting("tiny", SpikedModel((1, 1), (1.0,), laws.Gaussian(1.0)), (1, 2, 8), 4000, 80, options | {"spectrum": 1}),
        Setting("tiny", SpikedModel((2, 2), (10.0,), laws.Gaussian(0.3)), (1, 8, 64), 4000, 512, options | {"spectrum": 2}),
        Setting("tiny", SpikedModel((2, 2), (0.5,), laws.Gaussian(1.0)), (1, 64, 512), 2000, 2560, options | {"spectrum": 2}),
        *[
            Setting("tiny", SpikedModel((2, 256), (40.0,), law, "axes"), (1, 8, 64), 1000, 512, options | {"spectrum": 2})
            for law in one_row
        ],
    ]


def _mixture() -> list[Setting]:
    options = {"method": "scalars", "joint": False, "observables": ("noise_fro",)}
    critical = [(2 * MIXTURE_WINDOW - 1) ** -q for q in LEVELS]
    chances = sorted(share * p for p in critical for share in MIXTURE_SHARES)
    return [
        Setting(
            "mixture", SpikedModel((8192, 8192), (1.0,), laws.ScaleMixture(p, 1e6, 1e-3)),
            (MIXTURE_WINDOW,), 100_000, 80, options,
        )
        for p in chances
    ]  # fmt: skip


def _order() -> list[Setting]:
    noises = (
        laws.Gaussian(1.0), laws.StudentT(3.0, 1.0), laws.Contaminated(0.05, 10.0, 0.3), laws.Contaminated(0.05, 300.0, 0.3),
    )  # fmt: skip
    options = {"observables": ("alignment",)}
    return [
        Setting("order", SpikedModel((24, 24), (10.0,), law), (1, 2, 5, 20, 60, 160), 240, 480, options) for law in noises
    ]


def _wide() -> list[Setting]:
    spike = 0.2 * (64**0.5 - 16**0.5)  # below a quarter of sigma (sqrt m - sqrt n) at the smallest size, so at all
    out = []
    for shape, raw, trials in (((64, 16), 10_000, 400), ((128, 32), 8000, 300), ((256, 64), 6000, 150), ((96, 96), 200, 40)):
        model = SpikedModel(shape, (spike,), laws.Gaussian(1.0))
        for pipeline, count, steps in (("polar-only", raw, 1), ("post-polar", trials, 100)):
            options = {"observables": ("alignment",), "pipelines": (pipeline,)}
            out.append(Setting("wide", model, (1.0 if steps == 1 else 20.0,), count, steps, options))
    return out


def _sizes(aspect: tuple[int, int], base: int, factors: tuple[int, ...] = (1, 2, 4)) -> list[tuple[int, int]]:
    return [(aspect[0] * base * k, aspect[1] * base * k) for k in factors]


def _scaled(shape: tuple[int, int], *y: float) -> tuple[float, ...]:
    """Spikes of given SNR y = lambda / (sigma sqrt(max(m, n))) at sigma = 1, so that limits do not depend on the size."""
    return tuple(x * max(shape) ** 0.5 for x in y)


def _limit() -> list[Setting]:
    options = {"pipelines": BOTH, "observables": (*LIMITED, "noise_op")}
    out = []
    for aspect in ((2, 3), (3, 2), (2, 2)):
        for shape, trials in zip(_sizes(aspect, 16), (1200, 600, 240), strict=True):
            model = SpikedModel(shape, _scaled(shape, 1.5, 0.6), laws.Gaussian(1.0))
            out.append(Setting("limit", model, (1, 5), trials, 60, options))
            if aspect == (2, 3):
                out.append(Setting("limit", model, (20,), trials, 6, options))
    return out


def _high() -> list[Setting]:
    options = {"pipelines": ("pre-polar",), "observables": LIMITED}
    return [
        Setting("high", SpikedModel(shape, (2.2 * shape[1], 1.5 * shape[1]), laws.Gaussian(1.0)), (12,), trials, 100, options)
        for shape, trials in zip(_sizes((2, 3), 12), (1500, 1200, 2000), strict=True)
    ]


def _post() -> list[Setting]:
    names = ("alignment", "cosine", "singular_values", "sin_theta_left", "sin_theta_right", "tail")
    out = []
    for aspect in ((2, 3), (3, 2)):
        for shape, trials in zip(_sizes(aspect, 12), (400, 200, 60), strict=True):
            model = SpikedModel(shape, _scaled(shape, 0.7), laws.Gaussian(1.0))
            out.append(Setting("post", model, (1, 6), trials, 84, {"observables": names}))
    return out


def _moments() -> list[Setting]:
    model = SpikedModel((20, 30), _scaled((20, 30), 0.4), laws.Gaussian(1.0))
    options = {"observables": ("alignment", "bias_squared", "variance")}
    return [Setting("moments", model, (4,), range(150 * i, 150 * i + 150), 60, options) for i in range(10)]


def _unequal() -> list[Setting]:
    model = SpikedModel((32, 48), _scaled((32, 48), 0.3, 0.1), laws.Gaussian(1.0))
    options = {"observables": ("alignment", "projection"), "pipelines": ("post-polar",)}
    return [Setting("unequal", model, (200,), 300, 250, options)]


def _jumps() -> list[Setting]:
    options = {"method": "scalars", "joint": False, "observables": ("noise_fro",)}
    return [
        Setting(
            "jumps", SpikedModel((1024, 1024), (1.0,), laws.Radial(alpha, 1.0)), (window,),
            round(JUMP_EXCEEDANCES * (2 * window - 1) ** 0.5), round(6 * window), options,
        )
        for alpha in JUMP_ALPHAS
        for window in JUMP_WINDOWS
    ]  # fmt: skip


def _drift() -> list[Setting]:
    window, omega = DRIFT
    options = {"observables": ("alignment",), "pipelines": ("pre-polar",)}
    return [
        Setting("drift", SpikedModel(shape, _scaled(shape, 0.8), laws.Gaussian(1.0), signal=Rotating(omega, both)),
                (window,), trials, 300, options)
        for both in (False, True)
        for shape, trials in zip(_sizes((2, 3), 12), (1000, 500, 200), strict=True)
    ]  # fmt: skip
