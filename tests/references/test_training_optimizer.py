"""The training's optimizer against the simulator's pipelines: recorded gradients in, the same updates out."""

import sys
from pathlib import Path

import numpy as np
import pytest
from same_gradients import gradients, worst

import spikesim as ss

torch = pytest.importorskip("torch", reason="needs torch: make references or make training")

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "experiments"))  # the training is a package of scripts beside the experiments

from training.optimizer import PIPELINES, Hidden, polar

torch.set_num_threads(1)

TEXTS = {name: name for name in ss.PIPELINES} | {"momentum SGD": "Filter()"}
RECORDED = sorted((ROOT / "experiments" / "data" / "gradients").glob("*.npy"))
STEPS = 40
TOLERANCE = 1e-4
"""Of entries, in units of the largest; polar factors amplify rounding by sigma_1 / sigma_min. Recorded gradients are
deficient up to float32's rounding, so both are given float32: the rank that is kept is then the same."""


def streams():
    """Recorded ones, and a tall one of which two are trained at once."""
    return [np.load(path, mmap_mode="r")[:STEPS] for path in RECORDED] + [gradients((20, 8))[:STEPS]]


def trained(pipeline, stream, beta=0.95):
    """Update of the last step, of learning rate 1, without the shape factor."""
    pair = [torch.nn.Parameter(torch.zeros(stream.shape[1:])) for _ in range(2)]  # the second one's gradients are negative
    optimizer = Hidden(pair, pipeline, beta)
    for x in stream:
        for w, sign in zip(pair, (1.0, -1.0), strict=True):
            w.data.zero_()
            w.grad = torch.from_numpy(sign * np.asarray(x))
        optimizer.step(1.0)
    m, n = stream.shape[1:]
    assert torch.equal(pair[0], -pair[1])
    return -pair[0].detach().numpy() / max(1.0, m / n) ** 0.5


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_updates_are_the_simulators(pipeline):
    for stream in streams():
        expected = ss.last_update(TEXTS[pipeline], np.asarray(stream), window=20.0)
        assert worst(trained(pipeline, stream)[None], expected[None]) < TOLERANCE


@pytest.mark.parametrize(("pipeline", "other"), [("pre-polar", "post-polar"), ("post-polar", "re-polarised"),
                                                 ("re-polarised", "pre-polar"), ("polar-only", "pre-polar")])  # fmt: skip
def test_another_pipeline_or_momentum_is_told_apart(pipeline, other):
    stream = gradients((20, 8))[:STEPS]
    expected = ss.last_update(TEXTS[other], stream, window=20.0)
    assert worst(trained(pipeline, stream)[None], expected[None]) > 100 * TOLERANCE
    if pipeline != "polar-only":
        own = ss.last_update(TEXTS[pipeline], stream, window=20.0)
        assert worst(trained(pipeline, stream, beta=0.9)[None], own[None]) > 100 * TOLERANCE


@pytest.mark.parametrize("shape", [(8, 20), (20, 8), (16, 16)])
def test_the_polar_factor_is_that_of_an_svd(shape):
    x = gradients(shape)[:10]
    np.testing.assert_allclose(polar(torch.from_numpy(x)).numpy(), ss.polar_factor(x.astype(float)), atol=1e-6)


def test_deficient_matrices_keep_their_own_directions():
    x = gradients((12, 30))[:3]
    x[0, 4:] = 0.0
    x[1] = 0.0
    found = polar(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(np.linalg.svdvals(found[0])[:5], [1, 1, 1, 1, 0], atol=1e-6)
    assert not found[1].any()


def test_momentum_and_pipeline_are_checked():
    with pytest.raises(ValueError, match=r"need 0 <= beta < 1, got beta=1"):
        Hidden([], "pre-polar", 1.0)
    with pytest.raises(ValueError, match=r"need a pipeline in .*, got pipeline='muon'"):
        Hidden([], "muon", 0.9)
