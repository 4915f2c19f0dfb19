"""From a model to numbers: run pipelines on its stream and measure them, trial by trial, on all cores."""

from collections.abc import Callable, Iterable
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from spikesim.arguments import worker_count
from spikesim.blocks import Progress, collect
from spikesim.dataset import dataset
from spikesim.design import Design, design_from
from spikesim.devices.cpu import CPU
from spikesim.devices.named import device as device_of
from spikesim.errors import need
from spikesim.filters import EMA, LinearFilter
from spikesim.kernels.cpu import stream_kernel
from spikesim.kernels.scalars import scalars_kernel
from spikesim.measure import Measured
from spikesim.model import SpikedModel
from spikesim.parts import finished
from spikesim.pipelines import PIPELINES, Pipeline
from spikesim.samplers import collapsed
from spikesim.samplers.banded_scope import held
from spikesim.samplers.stream import chunk_steps, padded_entries
from spikesim.trials import run_block

if TYPE_CHECKING:
    import xarray as xr


def simulate(
    model: SpikedModel,
    *,
    windows: Iterable[float],
    trials: int | range,
    seed: int = 0,
    steps: int | None = None,
    pipelines: Iterable[str | Pipeline] = PIPELINES,
    filter: Callable[[float], LinearFilter] | str = EMA,  # noqa: A002 (the surface's name)
    observables: Iterable[str] | None = None,
    spectrum: int | None = None,
    joint: bool = True,
    method: str = "auto",
    device: str = "cpu",
    dtype: str = "float64",
    progress: Progress | None = None,
    workers: int | None = None,
) -> "xr.Dataset":
    """Run pipelines on a model's gradient stream and measure them at the last step.

    Args:
        model: The stream.
        windows: T = 1/(1 - beta) >= 1, in steps, distinct; may be fractional; order kept.
        trials: A count, or a range of global trial numbers: trials can be added later.
        seed: In [0, 2^64). Models with one seed share their random numbers.
        steps: Steps from M_0 = 0, >= 1; must be given where the signal has no steady state (Switch, Fading). None runs to
            steady state (start-up weights of all filters and stages below 1e-6, delays over) and refuses more than
            WORK_LIMIT entry-steps. Everything is read at the last step, so a larger window moves the reading of all
            windows on unless steps is given.
        pipelines: Names of PIPELINES, texts of stages such as "Clip(3.0) -> Filter() -> Polar()", with " = " after a name
            of your own if wanted, or Pipeline objects. One without a filter is repeated along the window.
        filter: Maps a window to a filter of spikesim.filters: a class such as ss.EMA or ss.Nesterov, a Family, or the text of
            one, such as "EMA(start='first')". Filter stages that name none are of it.
        observables: Names of observables.KNOWN, or None for all of OBSERVABLES. bias_squared and variance need two trials.
        spectrum: How many singular values, 1 to min(m, n); one more than the head's where left out.
        joint: All pipelines and windows of a trial see the same stream; always so for "stream" and "collapsed", must be
            False for "scalars" and "banded".
        method: "auto" picks the cheapest of the others that does what is asked for (methods.py); attrs say which, and why.
            "stream": every step drawn, any noise, any pipeline. "collapsed": pipelines that filter gradients alone
            (pre-polar, polar-only), noise that is Gaussian given one scalar a step; the steps before the last are not
            drawn, so windows cost the same up to any T. Exact in law, together for all windows. "banded": pre-polar and
            polar-only, and post-polar's alignment, for Gaussian noise and a constant signal, in time linear in min(m, n)
            at any size. Exact in law for each window, not for windows together (but post-polar's are); no suppression,
            bias, variance or nuclear norm. "scalars": noise_fro alone, without any matrix. Exact in law for each window.
            Each has random numbers of its own.
        device: "cpu", or "cuda" for the first visible GPU through CuPy: the same random words, noise within a few units
            in the last place, the rest within the rounding of dtype (docs/theory.md, GPU). What does not pay there
            ("banded", "scalars") runs on the CPU, and attrs say so.
        dtype: "float64" or "float32": accumulators and linear algebra. Results are float64.
        progress: Called with (trials done, trials) as blocks end.
        workers: Threads; all cores where left out, two on a GPU, whose blocks then overlap. Results do not depend on it,
            but for last bits on a GPU.

    Returns:
        Dataset of dimensions trial, pipeline, window, index. (trial, pipeline, window): alignment, projection,
        alignment_truncated, cosine, residual (of the last polar factor taken), sin_theta_left, sin_theta_right, gap,
        tail, head_error; singular_values (and index); suppression, noise_fro, noise_op, noise_nuclear,
        noise_tangent: (trial, window); bias_squared, variance: (pipeline, window), over the trials.
        Dimensionless, but for singular values and noise norms, which have the spikes' unit. Source: theory.md,
        Observables. attrs: text and numbers that say what was run; "matrices" counts by which means they were analysed
        (spectrum.py), all within 1e-10 (float64) or 1e-5 (float32) of a dense SVD, times the condition number.

        NaN stands for "undefined" and for nothing else: head_error where the measured matrix is no average of gradients
        (post-polar, re-polarised); sin_theta and alignment_truncated where its top-r subspace does not exist (the same
        two at T = 1, where it is a polar factor); suppression where no tail is left; residual without a polar step.

    Raises:
        ValueError: If an argument breaks the conditions above.
        MemoryError: If a single trial does not fit. A block that does not is halved, with a warning.

    Example:
        >>> from spikesim.noise import Gaussian
        >>> model = SpikedModel((8, 12), (6.0,), Gaussian(sigma=0.5))
        >>> data = simulate(model, windows=[1, 20], trials=10, pipelines=["pre-polar"])
        >>> dict(data.alignment.sizes)
        {'trial': 10, 'pipeline': 1, 'window': 2}
        >>> bool(data.alignment.mean("trial").sel(pipeline="pre-polar", window=20) > 0.9)
        True
    """
    design, numbers = design_from(
        model, windows=windows, trials=trials, seed=seed, steps=steps, pipelines=pipelines, filter=filter, joint=joint,
        observables=observables, spectrum=spectrum, method=method, device=device, dtype=dtype,
    )  # fmt: skip
    need(progress is None or callable(progress), "progress: None or a callable (trials done, trials)", progress=progress)
    return finished(run_part(design, numbers, bool(joint), progress, workers))


def run_part(
    design: Design, numbers: range, joint: bool = True, progress: Progress | None = None, workers: int | None = None,
    stop: Event | None = None,
) -> "xr.Dataset":  # fmt: skip
    """Some trials of a run, on this machine: a part (parts.py), which goes together with others of the same design.

    Args:
        design: Checked (design.py: design_from).
        numbers: Global trial numbers.
        joint: See simulate.
        progress: See simulate.
        workers: See simulate.
        stop: Set by another thread, ends the run with CancelledError within a chunk of steps.
    """
    _kernel(design)  # made here, or each thread would compile one of its own
    place = device_of(design.runs_on)
    count = worker_count(workers, place)
    size = _block_size(design, len(numbers), count, place)
    chunk = _chunk(design, size, place)

    def run(trials: range, stop: Event) -> Measured:
        with place.at_work():
            return run_block(design, trials, stop, place, chunk)

    return dataset(design, numbers, collect(run, numbers, size, count, progress, stop), joint)


def _kernel(design: Design) -> None:
    """Make the kernel that the design needs of this processor."""
    if design.method == "banded" or design.runs_on != "cpu":
        return
    if design.method != "scalars":
        stream_kernel(design.model.noise.fill)  # that of "collapsed" is the same: its laws are Gaussian
    elif design.model.noise.scalars != "constant":
        scalars_kernel(design.model.noise.scalars)


def _block_size(design: Design, trials: int, workers: int, place: CPU) -> int:
    """Trials of a block: its buffers fit, and every worker has its share."""
    if design.method == "banded":
        entries = held(design.model)
    else:
        entries = 1 if design.method == "scalars" else padded_entries(design.model.shape) * design.held
    room, most = place.room()
    return max(1, min(most, room // (8 * entries * len(design.filters)), -(-trials // (2 * workers))))


def _chunk(design: Design, trials: int, place: CPU) -> int:
    """Steps that blocks of so many trials take at once; a block that is halved later takes as many, and half the memory."""
    if design.method == "stream":
        return chunk_steps(design.model.shape, trials, np.dtype(design.dtype), design.stepping, place)
    return collapsed.CHUNK_STEPS if collapsed.has_step_scalars(design.model.noise) else design.steps
