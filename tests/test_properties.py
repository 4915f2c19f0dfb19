"""What holds for every matrix, every model and every trial: symmetries, and Weyl's and Wedin's inequalities.

Nothing here is statistical: each inequality holds for each draw. The allowance is for rounding alone.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import spikesim as ss
from spikesim.cascade import Cascade
from spikesim.measure import measure
from spikesim.observables import OBSERVABLES, Truth
from spikesim.pipelines import NAMED, last_update
from spikesim.samplers.stream import Stream
from spikesim.stages.filter import Bank, Filter

FIXED = {"deadline": None, "derandomize": True, "database": None}
ROUNDING = 1e-9
LAWS = [ss.Gaussian(), ss.Contaminated(0.2, 30.0, 0.5), ss.SignFlip(), ss.Biased(0.5, 0.7)]  # two compiled kernels
PAIRED = [n for n in OBSERVABLES if n not in ("bias_squared", "variance")]

sizes = st.integers(1, 6)
seeds = st.integers(0, 2**64 - 1)
windows = st.floats(1, 60) | st.sampled_from([1.0, 2.0])
sizes_of_spikes = st.floats(0.05, 20)
spikes = sizes_of_spikes | sizes_of_spikes.map(lambda x: -x)


def gaussian(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def orthogonal(seed, size):
    return np.linalg.qr(gaussian(seed, size, size))[0]


@st.composite
def well_conditioned(draw):
    """A matrix with singular values in [0.05, 20], of any shape."""
    m, n, seed = draw(sizes), draw(sizes), draw(seeds)
    values = draw(st.lists(sizes_of_spikes, min_size=min(m, n), max_size=min(m, n)))
    return (orthogonal(seed, m)[:, : len(values)] * values) @ orthogonal(seed + 1, n)[: len(values)]


@st.composite
def models(draw):
    m, n = draw(sizes), draw(sizes)
    rank = draw(st.integers(1, min(m, n)))
    amplitudes = draw(st.lists(spikes, min_size=rank, max_size=rank))
    vectors = draw(st.sampled_from(["haar", "axes"]))
    return ss.SpikedModel((m, n), tuple(amplitudes), draw(st.sampled_from(LAWS)), vectors)


designs = st.fixed_dictionaries({
    "model": models(),
    "windows": st.lists(windows, min_size=1, max_size=3, unique=True),
    "seed": seeds,
    "steps": st.integers(1, 40),
})  # fmt: skip


def simulated(design, trials=3, **options):
    design = dict(design)
    return ss.simulate(design.pop("model"), **design, trials=trials, workers=1, **options)


# The polar factor


@settings(max_examples=100, **FIXED)
@given(well_conditioned(), st.integers(-300, 300))
def test_positive_scaling_cancels(x, power):
    np.testing.assert_allclose(ss.polar_factor(x * 10.0**power), ss.polar_factor(x), atol=1e-11)


@settings(max_examples=100, **FIXED)
@given(well_conditioned(), st.integers(-990, 990))
def test_powers_of_two_cancel_exactly(x, power):
    np.testing.assert_array_equal(ss.polar_factor(x * 2.0**power), ss.polar_factor(x))


@settings(max_examples=100, **FIXED)
@given(well_conditioned(), seeds)
def test_polar_factor_turns_with_its_matrix(x, seed):
    p, q = orthogonal(seed, x.shape[0]), orthogonal(seed + 1, x.shape[1])
    np.testing.assert_allclose(ss.polar_factor(p @ x @ q), p @ ss.polar_factor(x) @ q, atol=1e-11)


@settings(max_examples=100, **FIXED)
@given(well_conditioned())
def test_polar_factor_of_the_transpose_is_the_transpose(x):
    np.testing.assert_allclose(ss.polar_factor(x.T), ss.polar_factor(x).T, atol=1e-11)


@settings(max_examples=100, **FIXED)
@given(well_conditioned())
def test_polar_factor_is_a_contraction_and_its_own_polar_factor(x):
    q = ss.polar_factor(x)
    np.testing.assert_allclose(np.linalg.svd(q, compute_uv=False), 1, atol=1e-13)
    np.testing.assert_allclose(ss.polar_factor(q), q, atol=1e-12)
    assert np.sum(q * x) >= np.linalg.svd(x, compute_uv=False).sum() * (1 - 1e-12)


# Pipelines


@settings(max_examples=40, **FIXED)
@given(sizes, sizes, st.integers(1, 6), seeds)
def test_pipelines_agree_at_window_one(m, n, steps, seed):
    gradients = gaussian(seed, steps, m, n)
    for pipeline in NAMED.values():
        np.testing.assert_allclose(last_update(pipeline, gradients, window=1), ss.polar_factor(gradients[-1]), atol=1e-9)


@settings(max_examples=40, **FIXED)
@given(sizes, sizes, st.integers(1, 6), seeds, windows, st.integers(-250, 250))
def test_scaling_the_whole_stream_changes_no_update(m, n, steps, seed, window, power):
    gradients = gaussian(seed, steps, m, n)
    for pipeline in NAMED.values():
        scaled = last_update(pipeline, gradients * 2.0**power, window)
        np.testing.assert_allclose(scaled, last_update(pipeline, gradients, window), atol=1e-12)


def measured(gradients, left, right, amplitudes, windows):
    """Everything that `measure` gives, all pipelines on (trials, steps, m, n) gradients."""
    betas = 1 - 1 / np.array(windows)
    gains = 1 - betas ** gradients.shape[1]
    truth, rank = Truth(left, right, np.array(amplitudes)), len(amplitudes)
    pipelines = tuple(NAMED.values())
    cascade = Cascade([p.stages for p in (*pipelines, *(p.truncated(rank) for p in pipelines))], Bank.made(windows))
    cascade.advance(gradients)
    noise = cascade.last((Filter(),)) - gains[:, None, None] * (left * amplitudes) @ right.T
    expected = {(Filter(),): gains[:, None] * np.abs(amplitudes)}
    return measure(pipelines, PAIRED, min(gradients.shape[2:]), cascade, truth, expected, noise).values


@settings(max_examples=40, **FIXED)
@given(designs)
def test_transposition_swaps_left_and_right_and_nothing_else(design):
    model, seed, betas = design["model"], design["seed"], [1 - 1 / w for w in design["windows"]]
    left, right = model.frame(seed)
    noise = Stream(model, seed, range(2), np.array(betas), np.dtype("float64")).advance(design["steps"], keep=True)
    gradients = noise + (left * model.spikes) @ right.T
    one = measured(gradients, left, right, model.spikes, design["windows"])
    other = measured(np.swapaxes(gradients, -1, -2), right, left, model.spikes, design["windows"])
    swap = {"sin_theta_left": "sin_theta_right", "sin_theta_right": "sin_theta_left"}
    for name in one:
        np.testing.assert_allclose(other[swap.get(name, name)], one[name], rtol=1e-10, atol=1e-10, err_msg=name)


# Simulations


@settings(max_examples=40, **FIXED)
@given(designs)
def test_shares_lie_between_minus_one_and_one(design):
    data = simulated(design)
    for name in ("alignment", "projection", "alignment_truncated", "cosine"):
        assert np.nanmax(np.abs(data[name].fillna(0))) <= 1 + 1e-12
    for name in ("sin_theta_left", "sin_theta_right"):
        assert bool((data[name].fillna(0) <= 1).all())
        assert bool((data[name].fillna(0) >= 0).all())


@settings(max_examples=40, **FIXED)
@given(designs, st.integers(1, 5), st.integers(0, 2**32 - 9))
def test_more_trials_keep_earlier_ones(design, more, first):
    few = simulated(design, trials=range(first, first + 2), observables=PAIRED)
    many = simulated(design, trials=range(first, first + 2 + more), observables=PAIRED)
    for name in PAIRED:
        assert many[name][:2].values.tobytes() == few[name].values.tobytes(), name


def weyl_and_wedin(design):
    """Pre-polar's numbers, ‖N‖_op and |lambda_bar_k| sorted, with their rounding allowance."""
    data = simulated(design, trials=4)
    amplitudes = np.sort(np.abs(design["model"].spikes))[::-1]
    gains = 1 - (1 - 1 / data.window) ** design["steps"]
    return data.sel(pipeline="pre-polar"), gains, amplitudes, ROUNDING * (data.noise_op + gains * amplitudes[0])


@settings(max_examples=100, **FIXED)
@given(designs)
def test_tail_is_at_most_the_noise(design):
    pre, _, _, allowance = weyl_and_wedin(design)
    assert bool((pre["tail"] <= pre.noise_op + allowance).all())


@settings(max_examples=100, **FIXED)
@given(designs)
def test_singular_values_move_by_at_most_the_noise(design):
    pre, gains, amplitudes, allowance = weyl_and_wedin(design)
    assert bool((pre.head_error <= pre.noise_op + allowance).all())
    for k, amplitude in enumerate(amplitudes):
        assert bool((abs(pre.singular_values[..., k] - gains * amplitude) <= pre.noise_op + allowance).all())


@settings(max_examples=150, **FIXED)
@given(designs)
def test_subspaces_turn_by_at_most_wedins_bound(design):
    pre, gains, amplitudes, allowance = weyl_and_wedin(design)
    room = gains * amplitudes[-1] - pre.noise_op
    bound = (pre.noise_op / room.where(room > allowance)).fillna(np.inf)
    for name in ("sin_theta_left", "sin_theta_right"):
        assert not bool((pre[name].isnull() & (bound < 1 - ROUNDING)).any())
        assert bool((pre[name].fillna(0) <= bound * (1 + ROUNDING) + ROUNDING).all())


@settings(max_examples=60, **FIXED)
@given(designs)
def test_noise_norms_are_ordered(design):
    data, smaller = simulated(design), min(design["model"].shape)
    assert bool((data.noise_op <= data.noise_fro * (1 + ROUNDING)).all())
    assert bool((data.noise_fro <= smaller**0.5 * data.noise_op * (1 + ROUNDING)).all())
    assert bool((data.noise_fro <= data.noise_nuclear * (1 + ROUNDING)).all())
    assert bool((data.noise_nuclear <= smaller**0.5 * data.noise_fro * (1 + ROUNDING)).all())
    assert bool((data.noise_tangent <= data.noise_fro * (1 + ROUNDING)).all())


@settings(max_examples=100, **FIXED)
@given(designs)
def test_alignment_misses_by_at_most_what_the_noise_norms_allow(design):
    """B3 and B3', draw by draw."""
    pre, gains, amplitudes, _ = weyl_and_wedin(design)
    nuclear = gains * amplitudes.sum()
    misses = 1 - pre.alignment
    assert bool((misses <= 2 * pre.noise_nuclear / nuclear + ROUNDING).all())
    assert bool((misses <= 4 * pre.noise_tangent**2 / (gains * amplitudes[-1] * nuclear) + ROUNDING).all())
