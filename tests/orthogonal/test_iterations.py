"""What the published iterations do to singular values in (0, 1]: the numbers of theory.md O1."""

import numpy as np
import pytest
from stacks import composed

from spikesim.orthogonal.coefficients import AOL, CUBIC, DION, ITERATIONS, MUON, POLAR_EXPRESS

S = np.geomspace(0.01, 1, 20001)
GROWTH = {"cubic": 130, "muon": 485, "dion": 493, "polar-express": 989, "aol": 147}
RANGES = {
    "cubic": (0.893, 1.0), "muon": (0.682, 1.134), "dion": (0.978, 1.032), "polar-express": (0.859, 1.141),
    "aol": (0.941, 1.050),
}  # fmt: skip
LIMITS = [(CUBIC, 1.0), (DION, 0.989), (POLAR_EXPRESS, 1.0), (AOL, 0.968)]


def after(iteration, steps=None, s=S):
    return composed(iteration.schedule(steps), s)


@pytest.mark.parametrize("name", ITERATIONS)
def test_small_singular_values_grow_by_the_product_of_slopes(name):
    s = 1e-9
    assert after(ITERATIONS[name], s=s) / s == pytest.approx(GROWTH[name], rel=2e-3)


@pytest.mark.parametrize("name", ITERATIONS)
def test_singular_values_end_in_the_stated_range(name):
    found = after(ITERATIONS[name], s=S / getattr(ITERATIONS[name].scaling, "factor", 1))
    np.testing.assert_allclose([found.min(), found.max()], RANGES[name], atol=1.1e-3)


@pytest.mark.parametrize(("iteration", "limit"), LIMITS, ids=lambda v: getattr(v, "name", ""))
def test_further_steps_have_the_stated_limit(iteration, limit):
    np.testing.assert_allclose(after(iteration, 30), limit, atol=1e-3)


def test_muons_steps_have_no_limit_but_stay_in_their_band():
    late = np.stack([after(MUON, k) for k in range(30, 40)])
    assert np.ptp(late, axis=0).min() > 0.1
    assert late.min() > 0.68
    assert late.max() < 1.135


def test_polar_express_ends_with_steps_of_third_order():
    errors = [np.abs(after(POLAR_EXPRESS, k) - 1).max() for k in (6, 7)]
    assert errors[1] == pytest.approx(2.5 * errors[0] ** 3, rel=0.1)


@pytest.mark.parametrize("iteration", ITERATIONS.values(), ids=ITERATIONS)
def test_a_schedule_begins_as_listed_and_goes_on_with_what_repeats(iteration):
    listed = iteration.polynomials
    assert len(iteration.schedule()) == iteration.steps
    assert iteration.schedule(len(listed) + 2) == (*listed, iteration.then, iteration.then)
    assert iteration.schedule(1) == listed[:1]


@pytest.mark.parametrize("steps", [0, -1, 2.0, True, "5"])
def test_a_schedule_has_a_whole_number_of_steps(steps):
    with pytest.raises(ValueError, match="need steps: an integer >= 1 or None, got steps="):
        DION.schedule(steps)
