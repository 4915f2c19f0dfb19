"""What "auto" picks and says, and what a method asked for by name refuses."""

import numpy as np
import pytest

import spikesim as ss
from spikesim.methods import LARGE, METHODS

GRADIENTS_ALONE = ["pre-polar", "polar-only"]
BIG = (LARGE, LARGE + 3)


def picked(noise=None, shape=(4, 6), **options):
    model = ss.SpikedModel(shape, (3.0,), noise or ss.Gaussian())
    options = {"windows": [2, 5], "trials": 2, "steps": 3, "observables": ["alignment"], "workers": 1} | options
    return ss.simulate(model, **options).attrs


@pytest.mark.parametrize(("options", "method"), [
    ({}, "stream"),
    ({"pipelines": GRADIENTS_ALONE}, "collapsed"),
    ({"pipelines": ["pre-polar"], "observables": None}, "collapsed"),
    ({"pipelines": ["post-polar"]}, "stream"),
    ({"pipelines": GRADIENTS_ALONE, "joint": False}, "collapsed"),
    ({"pipelines": GRADIENTS_ALONE, "joint": False, "shape": BIG}, "banded"),
    ({"pipelines": GRADIENTS_ALONE, "joint": False, "shape": BIG, "observables": None}, "banded"),
    ({"pipelines": GRADIENTS_ALONE, "joint": False, "shape": BIG[::-1]}, "banded"),
    ({"pipelines": GRADIENTS_ALONE, "joint": False, "shape": (LARGE - 1, 400)}, "collapsed"),
    ({"pipelines": GRADIENTS_ALONE, "joint": True, "shape": BIG}, "collapsed"),
    ({"pipelines": ["pre-polar", "post-polar"], "joint": False, "shape": BIG}, "banded"),
    ({"pipelines": GRADIENTS_ALONE, "joint": False, "shape": BIG, "dtype": "float32"}, "collapsed"),
    ({"pipelines": GRADIENTS_ALONE, "joint": False, "shape": BIG, "observables": ["suppression"]}, "collapsed"),
    ({"joint": False, "observables": ["noise_fro"]}, "scalars"),
    ({"joint": True, "observables": ["noise_fro"], "pipelines": ["pre-polar"]}, "collapsed"),
])  # fmt: skip
def test_auto_picks_the_cheapest_that_does_what_is_asked(options, method):
    attrs = picked(**options)
    assert attrs["method"] == method
    assert attrs["method_reason"].startswith("picked by auto: ")


@pytest.mark.parametrize("noise", [ss.Radial(2.5), ss.Contaminated(0.1, 5.0), ss.ScaleMixture(0.1, 5.0)])
def test_auto_collapses_laws_that_are_gaussian_given_scalars(noise):
    assert picked(noise, pipelines=GRADIENTS_ALONE)["method"] == "collapsed"
    assert picked(noise, pipelines=GRADIENTS_ALONE, joint=False, shape=BIG)["method"] == "collapsed"
    assert picked(noise, joint=False, observables="noise_fro")["method"] == "scalars"


@pytest.mark.parametrize(
    "noise", [ss.Laplace(), ss.StudentT(3.0), ss.Arch(0.3), ss.AR1(0.2), ss.Biased(0.1), ss.SignFlip(), ss.Mixture(0.1, 5.0)]
)
def test_auto_streams_any_other_law_and_says_why(noise):
    attrs = picked(noise, pipelines=GRADIENTS_ALONE)
    assert attrs["method"] == "stream"
    assert 'for method "collapsed", got noise=' in attrs["method_reason"]


def test_auto_streams_where_a_pipeline_needs_each_step_and_says_which():
    assert "got pipeline='post-polar'" in picked()["method_reason"]


def test_a_method_asked_for_by_name_gives_its_own_reason():
    for method, options in {"stream": {}, "collapsed": {"pipelines": GRADIENTS_ALONE}}.items():
        assert not picked(method=method, **options)["method_reason"].startswith("picked")


@pytest.mark.parametrize(("method", "said"), [
    ("banded", ['noise Gaussian for method "banded", got noise=StudentT', 'for other laws: method "stream", or "collapsed"']),
    ("collapsed", ["noise in ('Gaussian', 'Kronecker', 'Radial'", "got noise=StudentT", 'method "stream" draws any law']),
    ("scalars", ["need noise in ('Gaussian', 'Radial'", "got noise=StudentT", 'method "stream" draws any law']),
])  # fmt: skip
def test_a_law_without_the_form_asked_for_by_name_is_told_which_have_it_and_what_to_use(method, said):
    options = {"pipelines": GRADIENTS_ALONE, "joint": False, "observables": "noise_fro" if method == "scalars" else None}
    with pytest.raises(ValueError, match="for method") as refused:
        picked(ss.StudentT(3.0), method=method, **options)
    assert all(part in str(refused.value) for part in said)


def test_unknown_methods_are_refused():
    with pytest.raises(ValueError, match=r"need method in \('auto', .*\), got method='dense'"):
        picked(method="dense")
    assert METHODS[0] == "auto"


def test_auto_says_why_not_each_cheaper_method():
    reason = picked(pipelines=["pre-polar"], joint=False, observables=["suppression"], shape=BIG)["method_reason"]
    assert "not scalars: need observables" in reason
    assert "not banded: need observables in" in reason
    small = picked(pipelines=["post-polar"], joint=False, observables=["alignment"])["method_reason"]
    assert f"not banded: fewer than {LARGE} rows or columns" in small


@pytest.mark.parametrize(("shape", "options"), [
    ((30_000, 40_000), {"pipelines": ["pre-polar"], "windows": range(2, 40)}),
    ((10**12, 10**12), {"pipelines": ["pre-polar"], "joint": False, "method": "banded"}),
])  # fmt: skip
def test_a_trial_that_memory_cannot_hold_is_refused_with_what_can_be_done(monkeypatch, shape, options):
    monkeypatch.setattr("spikesim.devices.cpu.CPU.memory", lambda _: 24e9)
    with pytest.raises(
        ValueError, match=r"need a trial within memory, 2\.4e\+10 bytes, got bytes=.*banded. with joint=False"
    ):
        picked(shape=shape, **options)


def test_banded_counts_what_its_bands_were_read_by():
    attrs = picked(pipelines=GRADIENTS_ALONE, joint=False, shape=BIG, observables=["alignment", "gap"])
    assert (
        attrs["matrices"] == "6 by leading block of a band; 6 by resolvents of a band"
    )  # two windows and the gradient, twice


def test_numpys_own_booleans_and_types_are_taken():
    attrs = picked(joint=np.bool_(False), dtype=np.float32)
    assert attrs["dtype"] == "float32"


def test_progress_that_cannot_be_called_is_refused_before_anything_runs():
    with pytest.raises(ValueError, match="need progress: None or a callable"):
        picked(progress=3)
