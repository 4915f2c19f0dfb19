"""What "auto" picks and says, and what a method asked for by name refuses."""

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


@pytest.mark.parametrize("noise", [ss.Laplace(), ss.StudentT(3.0), ss.Arch(0.3), ss.AR1(0.2), ss.Biased(0.1), ss.SignFlip()])
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
