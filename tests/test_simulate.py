"""What simulate promises beyond its numbers: threads, labels, limits, and errors in one form."""

import importlib

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import spikesim as ss
from spikesim.samplers.collapsed import Collapsed
from spikesim.samplers.scalars import Scalars
from spikesim.samplers.stream import Stream

module = importlib.import_module("spikesim.simulate")  # the package attribute of that name is the function
MODEL = ss.SpikedModel((4, 6), (3.0,), ss.Gaussian(0.5))


def test_blas_has_one_thread_inside_a_block_and_its_own_again_after(monkeypatch):
    before, inside, run = threadpool_info(), [], module.run_block
    numpys = {pool["filepath"] for pool in before}  # a library that is loaded later does no work in a block

    def spy(*arguments):
        inside.extend(pool["num_threads"] for pool in threadpool_info() if pool["filepath"] in numpys)
        return run(*arguments)

    monkeypatch.setattr(module, "run_block", spy)
    ss.simulate(MODEL, windows=[2], trials=4, steps=8)
    assert inside
    assert set(inside) == {1}
    assert [p["num_threads"] for p in threadpool_info() if p["filepath"] in numpys] == [p["num_threads"] for p in before]


def test_a_failing_block_ends_the_run_with_its_error(monkeypatch):
    def fail(*_):
        raise RuntimeError("no luck")

    monkeypatch.setattr(module, "run_block", fail)
    with pytest.raises(RuntimeError, match="no luck"):
        ss.simulate(MODEL, windows=[2], trials=40, steps=8)


@pytest.mark.parametrize(
    ("sampler", "shape", "options"),
    [
        (Stream, (64, 64), {"steps": 600, "pipelines": ["post-polar"]}),
        (Scalars, (4, 6), {"steps": 1 << 22, "method": "scalars", "joint": False}),
        (Collapsed, (4, 6), {"steps": 1 << 17, "method": "collapsed", "pipelines": ["pre-polar"]}),
    ],
)
def test_a_stopped_run_does_not_finish_its_blocks(monkeypatch, sampler, shape, options):
    """Ctrl-C, as the progress callback would raise it: blocks under way end at their next chunk, not at their last step."""
    model, drawn, advance = ss.SpikedModel(shape, 9.0, ss.Radial(2.1)), [], sampler.advance
    before = []

    def counted(self, steps, *rest, **named):
        drawn.append(steps * len(self.trials))
        return advance(self, steps, *rest, **named)

    def interrupt(_now, _total):
        before.append(sum(drawn))
        raise KeyboardInterrupt

    monkeypatch.setattr(sampler, "advance", counted)
    with pytest.raises(KeyboardInterrupt):
        ss.simulate(model, windows=[2], trials=40, workers=2, progress=interrupt, **options)
    assert sum(drawn) - before[0] < 0.5 * 10 * options["steps"]  # a few chunks of blocks of 10 trials, no block


def test_progress_is_told_as_blocks_end():
    seen = []
    ss.simulate(MODEL, windows=[2], trials=9, steps=8, progress=lambda done, total: seen.append((done, total)), workers=2)
    assert seen[-1] == (9, 9)
    assert sorted(set(seen)) == seen


@pytest.mark.parametrize(
    ("noise", "label"),
    [
        (ss.Gaussian(), "inside the theorem: the noise is BVMZOS"),
        (ss.Arch(0.3), "inside the theorem: the noise is BVMZOS"),
        (ss.StudentT(1.5), "outside the theorem: infinite variance"),
        (ss.AlphaStable(1.5), "outside the theorem: infinite variance"),
        (ss.AR1(0.5), "outside the theorem: autocorrelated"),
        (ss.Biased(0.5), "outside the theorem: biased"),
    ],
)
def test_results_say_whether_the_noise_is_inside_the_theorem(noise, label):
    data = ss.simulate(ss.SpikedModel((3, 4), (2.0,), noise), windows=[1, 3], trials=2, steps=8)
    assert data.attrs["theorem"] == label
    assert np.isfinite(data.alignment.values).all()


def test_nan_stands_where_theory_md_says_undefined_and_nowhere_else():
    data = ss.simulate(MODEL, windows=[1, 3], trials=3, steps=20)
    undefined = {
        ("head_error", "post-polar"), ("head_error", "re-polarised"), ("sin_theta_left", "post-polar"),
        ("sin_theta_right", "post-polar"), ("sin_theta_left", "re-polarised"), ("sin_theta_right", "re-polarised"),
        ("alignment_truncated", "re-polarised"),
    }  # fmt: skip
    for name in data:
        if "pipeline" not in data[name].dims:
            assert np.isfinite(data[name].values).all(), name
            continue
        for pipeline in data.pipeline.values:
            at = {w: bool(np.isnan(data[name].sel(pipeline=pipeline, window=w)).all()) for w in (1.0, 3.0)}
            assert at[1.0] == ((name, pipeline) in undefined), (name, pipeline)
            assert at[3.0] == (name == "head_error" and (name, pipeline) in undefined), (name, pipeline)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"windows": None}, r"need 1 <= T <= 1e\+12.*got window=None"),
        ({"windows": [1e5], "dtype": "float32"}, r'need windows <= 500 in dtype "float32".*got window=100000\.0'),
        ({"filter": lambda w: w}, r"need filter: maps a window to a filter such as ss\.EMA, got filter=2"),
        ({"filter": 3}, "need filter: maps a window to a filter"),
        ({"pipelines": None}, "need pipelines in .* got pipeline=None"),
        ({"observables": 3}, "need observables in .* got observable=3"),
        ({"trials": 2**33}, r"need one or more trials, numbered in \[0, 2\*\*32\), got trials="),
        ({"trials": 2**64}, r"need one or more trials, numbered in"),
        ({"workers": 0}, "need workers >= 1, got workers=0"),
        ({"joint": 1}, "need joint: True or False, got joint=1"),
        (
            {"windows": [7e8], "steps": None, "pipelines": ["pre-polar"], "trials": 1},
            r"need a steady state within 2\*\*33 steps",
        ),
    ],
)
def test_bad_arguments_are_refused_in_one_form(change, message):
    with pytest.raises(ValueError, match=message):
        ss.simulate(MODEL, **({"windows": [2], "trials": 2, "steps": 8} | change))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ss.Polar(0), "need rank: None or an integer >= 1, got rank=0"),
        (lambda: ss.polar_factor([[1.0]]), "need an array x, got x='list'"),
        (lambda: ss.newton_schulz(3.0, (1.5, -0.5)), "need an array x, got x='float'"),
        (lambda: ss.Pipeline("polar"), r"need stages such as Filter\(\) and Polar\(\)"),
        (lambda: ss.Pipeline(3), r"need stages such as Filter\(\) and Polar\(\)"),
        (lambda: ss.last_update("pre-pole", np.ones((2, 2, 2)), 2), "need pipelines in .* got pipeline='pre-pole'"),
        (
            lambda: ss.last_update("Identity", np.full((2, 2, 2), np.nan), 2),
            "need finite gradients, got gradients='NaN or infinity'",
        ),
        (lambda: ss.Pipeline((ss.Polar(),), 5), "need name: a text, got name=5"),
        (lambda: ss.last_update(ss.Pipeline((ss.Polar(),)), [1.0], 2), "need an array of gradients, got gradients='list'"),
        (lambda: ss.Polar(1.5), r"need rank: None or an integer >= 1, got rank=1\.5"),
        (lambda: ss.Kronecker("abc", [1.0]), r"need rows: numbers >= 0, not all 0, got rows='abc'"),
        (lambda: ss.Kronecker([[1], [1, 2]], [1.0]), "need rows: numbers >= 0, not all 0"),
        (lambda: ss.Gaussian(1e101), r"need 1e-100 <= sigma <= 1e\+100, got sigma=1e\+101"),
        (lambda: ss.Gaussian(1e-101), r"need 1e-100 <= sigma <= 1e\+100, got sigma=1e-101"),
        (lambda: ss.Biased(-1e101), r"need \|bias\| <= 1e\+100, got bias=-1e\+101"),
        (lambda: ss.SpikedModel((2, 2), 1e101, ss.Gaussian()), r"need 1e-100 <= \|spike\| <= 1e\+100, got spikes=1e\+101"),
        (lambda: ss.SpikedModel((2**49, 2), 1.0, ss.Gaussian()), r"need m, n <= 2\*\*48, got shape="),
        (lambda: ss.Contaminated(0.1, 1e31), r"need factor <= 1e\+30, got factor=1e\+31"),
        (lambda: ss.Arch(0.9999), r"need alpha <= 0\.999 .*, got alpha=0\.9999"),
        (lambda: ss.SpikedModel((2, 2), True, ss.Gaussian()), "need spikes: real numbers, got spikes=True"),
        (lambda: ss.SpikedModel((2, 2), "12", ss.Gaussian()), "need spikes: real numbers, got spikes='12'"),
        (lambda: ss.SpikedModel((2, 2), 1.0, ss.noise.Noise()), r"need noise from spikesim\.noise"),
        (lambda: ss.SpikedModel((2, 2), 1.0, ss.Gaussian(), ("a", "b")), r"need vectors: u of shape \(2, 1\)"),
    ],
)
def test_bad_parts_are_refused_in_one_form(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_given_vectors_are_named_by_a_hash_not_by_elided_digits():
    u = np.linalg.qr(np.random.default_rng(1).standard_normal((2000, 1)))[0]
    names = {repr(ss.SpikedModel((2000, 1), 1.0, ss.Gaussian(), (x, [[1.0]]))) for x in (u, -u)}
    assert len(names) == 2
    assert all("..." not in name for name in names)
