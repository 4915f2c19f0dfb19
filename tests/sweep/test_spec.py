"""Specs: what a TOML file asks for, and every fault of a bad one at once."""

import tomllib

import pytest

import spikesim as ss
from spikesim.sweep import spec as module
from spikesim.sweep.spec import Spec

GOOD = """
title = "two models"
[[model]]
name = "a"
shape = [6, 8]
spikes = [3.0]
noise = {law = "Gaussian", sigma = 1.0}
[[model]]
name = "b"
shape = [6, 8]
spikes = [3.0, 2.0]
noise = {law = "Arch", alpha = 0.3, sigma = 1.0}
[grid]
"noise.sigma" = [0.5, 1.0, 2.0]
[run]
momenta = [0.0, 0.5, 0.9]
trials = 4
[quick.model]
shape = [4, 4]
[quick.run]
trials = 2
"""


def spec(text: str, quick: bool = False) -> Spec:
    return Spec.from_dict(tomllib.loads(text), quick)


def test_every_model_is_run_at_every_value_of_the_grid():
    points = spec(GOOD).points
    assert [(p.coordinates["name"], p.model.noise.sigma) for p in points] == [
        (name, sigma) for name in "ab" for sigma in (0.5, 1.0, 2.0)
    ]
    assert points[4].model.spikes == (3.0, 2.0)
    assert points[0].label == "name=a, noise.sigma=0.5"


def test_the_form_that_the_module_shows_is_a_spec():
    text = module.__doc__.split("\n\n", 1)[1]
    assert [p.model.noise.sigma for p in spec(text).points] == [0.5, 1.0, 2.0]
    assert spec(text, quick=True).points[0].arguments["trials"] == 10


def test_momenta_are_windows():
    assert spec(GOOD).points[0].arguments["windows"] == (1.0, 2.0, 10.0)


def test_quick_tables_change_every_model_and_nothing_else():
    quick = spec(GOOD, quick=True).points
    assert {p.model.shape for p in quick} == {(4, 4)}
    assert quick[0].arguments["trials"] == 2
    assert quick[0].arguments["windows"] == spec(GOOD).points[0].arguments["windows"]


def test_identity_is_a_hash_of_values_alone():
    ids = [p.identity for p in spec(GOOD).points]
    assert ids == [p.identity for p in spec(GOOD.replace("two models", "renamed").replace('"a"', '"c"')).points]
    assert len(set(ids)) == 6
    assert ids == [p.identity for p in spec(GOOD.replace("trials = 4", "trials = 5")).points]  # more of the same
    assert not set(ids) & {p.identity for p in spec(GOOD.replace("trials = 4", "trials = 4\nsteps = 5")).points}


def test_points_share_the_seed_unless_seeds_are_derived():
    assert {p.arguments["seed"] for p in spec(GOOD).points} == {0}
    derived = spec(GOOD.replace("trials = 4", "trials = 4\nderived_seeds = true")).points
    assert len({p.arguments["seed"] for p in derived}) == 6


def test_grid_keys_reach_the_run_and_whole_spikes():
    points = spec(
        GOOD.replace('"noise.sigma" = [0.5, 1.0, 2.0]', '"run.steps" = [5, 10]\nspikes = [[1.0], [2.0, 1.0]]')
    ).points
    assert [(p.arguments["steps"], p.model.rank) for p in points[:4]] == [(5, 1), (5, 2), (10, 1), (10, 2)]


def test_all_faults_are_reported_at_once_each_with_its_path():
    bad = GOOD.replace("shape = [6, 8]\nspikes = [3.0]\n", 'shape = [6, "x"]\n').replace("trials = 4", "trails = 4")
    with pytest.raises(ValueError, match="need a valid spec, got 4 faults") as caught:
        spec(bad)
    for path in ("model[0].shape[1]: need a valid integer", "model[0].spikes: need a value, got none",
                 "run.trials: need a value, got none", "run.trails: need a known key, got this one"):  # fmt: skip
        assert path in str(caught.value)


def test_bad_values_of_different_places_are_reported_at_once():
    bad = (
        GOOD.replace("sigma = 1.0", "sigma = -1.0", 1).replace("[3.0, 2.0]", "[3.0, nan]").replace("trials = 4", "trials = 0")
    )
    bad = bad.replace("[run]", '[run]\nseed = -1\ndtype = "float16"\nsteps = 0')
    with pytest.raises(ValueError, match="need a valid spec") as caught:
        spec(bad)
    for fault in ("model[0].noise: need 0 < sigma < inf, got sigma=-1.0", "model[1]: need spikes finite and not 0",
                  "run.trials: need one or more trials", "run.seed: need 0 <= seed < 2**64, got seed=-1",
                  "run.dtype: need dtype in", "run.steps: need steps: None or an integer"):  # fmt: skip
        assert fault in str(caught.value)


def test_whole_numbers_are_the_floats_that_they_equal():
    whole = GOOD.replace("sigma = 1.0", "sigma = 1").replace("[0.5, 1.0, 2.0]", "[0.5, 1, 2]")
    assert [p.identity for p in spec(whole).points] == [p.identity for p in spec(GOOD).points]
    with pytest.raises(ValueError, match="need distinct points"):
        spec(GOOD.replace("[0.5, 1.0, 2.0]", "[1, 1.0]"))


@pytest.mark.parametrize("old", ["trials = 4", "shape = [6, 8]", "momenta = [0.0, 0.5, 0.9]", "spikes = [3.0]"])
@pytest.mark.parametrize("value", ["true", '"3"', '["1", true]'])
def test_text_and_truth_values_are_no_numbers(old, value):
    name = old.split(" =")[0]
    with pytest.raises(ValueError, match=f"{name}.*: need a valid"):
        spec(GOOD.replace(old, f"{name} = {value}", 1))


def test_the_method_that_draws_scalars_alone_is_asked_for_in_full():
    scalars = GOOD.replace("Arch", "Radial").replace("alpha = 0.3", "alpha = 2.1")
    scalars = scalars.replace("trials = 4", 'trials = 4\nmethod = "scalars"\njoint = false')
    assert {(p.arguments["method"], p.arguments["joint"]) for p in spec(scalars).points} == {("scalars", False)}
    with pytest.raises(ValueError, match=r"got 1 fault in spec:\n  .*: need joint=False for method"):
        spec(scalars.replace("joint = false", ""))
    with pytest.raises(ValueError, match=r"need noise in .* for method \"scalars\", got noise=Arch"):
        spec(scalars.replace("Radial", "Arch").replace("alpha = 2.1", "alpha = 0.3"))


def test_the_method_that_draws_no_steps_is_asked_for_with_its_pipelines():
    collapsed = GOOD.replace("Arch", "Radial").replace("alpha = 0.3", "alpha = 2.1")
    collapsed = collapsed.replace("trials = 4", 'trials = 4\nmethod = "collapsed"\npipelines = ["pre-polar", "polar-only"]')
    assert {p.arguments["method"] for p in spec(collapsed).points} == {"collapsed"}
    with pytest.raises(ValueError, match=r"got 1 fault in spec:\n  .*: need pipelines that filter gradients alone"):
        spec(collapsed.replace(', "polar-only"', ', "post-polar"'))
    with pytest.raises(ValueError, match=r"need noise in .* for method \"collapsed\", got noise=Arch"):
        spec(collapsed.replace("Radial", "Arch").replace("alpha = 2.1", "alpha = 0.3"))


def test_stages_that_ask_for_a_shape_are_checked_with_that_of_the_model():
    pipelines = 'pipelines = ["Filter() -> Tiled((2, 2))", "Filter() -> RandomisedPolar(4)"]'
    tiled = GOOD.replace("trials = 4", f"trials = 4\n{pipelines}")
    assert len(spec(tiled).points) == 6
    with pytest.raises(ValueError, match=r"model\[0\].*: need rank <= min\(m, n\) = 6, got rank=7"):
        spec(tiled.replace("Polar(4)", "Polar(7)"))
    with pytest.raises(ValueError, match=r"run.pipelines: need names in .*, got in 'Tild"):
        spec(tiled.replace("Tiled", "Tild"))


def test_the_method_that_forms_no_matrix_is_asked_for_with_marginal_laws_at_any_size():
    banded = GOOD.replace("Arch", "Gaussian").replace("alpha = 0.3, ", "").replace("[6, 8]", "[65536, 262144]")
    banded = banded.replace("trials = 4", 'trials = 4\nmethod = "banded"\njoint = false\npipelines = ["pre-polar"]')
    assert {(p.arguments["method"], p.arguments["joint"]) for p in spec(banded).points} == {("banded", False)}
    with pytest.raises(ValueError, match=r"got 1 fault in spec:\n  .*: need joint=False for method \"banded\""):
        spec(banded.replace("joint = false", ""))
    with pytest.raises(ValueError, match=r"need noise Gaussian for method \"banded\", got noise=Laplace"):
        spec(banded.replace("Gaussian", "Laplace"))
    with pytest.raises(ValueError, match=r"got 1 fault in spec:\n  .*: need pipelines among .* for method \"banded\""):
        spec(banded.replace('["pre-polar"]', '["re-polarised"]'))


TURNING = 'signal = {law = "Rotating", omega = 1}'


def turning(signal: str = TURNING) -> str:
    """The spec with a signal in the first model."""
    return GOOD.replace("[grid]", f"{signal}\n[grid]", 1)


def test_a_signal_is_constant_unless_the_model_says_how_it_moves():
    points = spec(turning()).points
    assert [p.model.signal for p in points] == [ss.Constant()] * 3 + [ss.Rotating(1.0)] * 3
    still = spec(turning('signal = {law = "Constant"}')).points
    assert [p.identity for p in still] == [p.identity for p in spec(GOOD).points]
    floats, both = (spec(turning(TURNING.replace("1}", text))).points for text in ("1.0}", "1.0, both = true}"))
    assert [p.identity for p in floats] == [p.identity for p in points]
    assert both[5].model.signal == ss.Rotating(1.0, both=True)
    assert both[5].identity != points[5].identity


def test_grid_keys_reach_the_signal():
    text = turning().replace(GOOD[: GOOD.index('[[model]]\nname = "b"')], "").replace('"noise.sigma"', '"signal.omega"')
    assert [p.model.signal.omega for p in spec(text).points] == [0.5, 1.0, 2.0]


def test_a_fault_that_every_point_of_the_grid_shares_is_told_once():
    with pytest.raises(ValueError, match=r"got 1 fault in spec:\n  model\[0\], noise\.sigma=0\.5: need 1 <= spectrum <= min"):
        spec(GOOD.replace("trials = 4", "trials = 4\nspectrum = 7"))


def test_a_fault_of_the_quick_tables_is_found_without_quick():
    with pytest.raises(ValueError, match=r"with \[quick\], run\.trails: need a known key"):
        spec(GOOD.replace("trials = 2", "trails = 2"))


def test_a_file_nested_too_deep_is_refused(tmp_path):
    path = tmp_path / "spec.toml"
    path.write_text("a = " + "[" * 5000)
    with pytest.raises(ValueError, match="need a TOML file"):
        Spec.from_toml(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('law = "Gaussian"', 'law = "Gausian"', r"model\[0\]\.noise: need law in \(.*got law='Gausian'"),
        ("alpha = 0.3", "alfa = 0.3", r"model\[1\]\.noise: need parameters of Arch out of \('alpha', 'sigma'\)"),
        ("alpha = 0.3", "alpha = 1.5", r"need 0 <= alpha < 1 \(finite variance\), got alpha=1.5"),
        ("[3.0, 2.0]", "[3.0, nan]", r"need spikes finite and not 0"),
        ("[6, 8]\nspikes = [3.0]", "[1, 8]\nspikes = [3.0, 1.0]", r"need 1 <= rank <= min\(m, n\) = 1, got rank=2"),
        ("momenta = [0.0, 0.5, 0.9]", "momenta = [1.0]", r"run\.momenta\[0\]: need less than 1, got 1\.0"),
        ("momenta = [0.0, 0.5, 0.9]", "windows = [0.5]", "need 1 <= T <= 1e.*got window=0.5"),
        ("momenta", "windows = [1]\nmomenta", r"need windows or momenta, and not both, got windows=\(1.0,\)"),
        ("trials = 4", "trials = 0", "need one or more trials"),
        ("trials = 4", 'trials = 4\nobservables = ["alignement"]', "got observable='alignement'"),
        ("trials = 4", 'trials = 4\ndevice = "gpu"', r"need device in \('cpu', 'cuda'\), got device='gpu'"),
        ('"noise.sigma"', '"noise.scale"', "need grid keys that the model or run has"),
        ('"noise.sigma"', '"nois.sigma"', r"grid\.nois\.sigma: need a grid key such as 'noise\.sigma'"),
        ('"noise.sigma" =', '"run.trials" = [3, 4]\n"noise.sigma" =', r"grid\.run\.trials: need a grid key such as"),
        ('"noise.sigma" =', '"name" = ["x", "y"]\n"noise.sigma" =', r"grid\.name: need a grid key such as"),
        ("[0.5, 1.0, 2.0]", "[]", r"grid\.noise\.sigma: need one item or more, got none"),
        ("[0.5, 1.0, 2.0]", "[1.0, 1.0]", "need distinct points, got two alike"),
        ("[quick.model]", "[quick.modle]", r"need \[quick.model\], \[quick.grid\] and \[quick.run\] alone"),
        ('title = "two models"', 'titel = "two models"', "titel: need a known key"),
    ],
)
def test_a_fault_says_what_is_needed_and_what_was_got(old, new, message):
    assert old in GOOD
    with pytest.raises(ValueError, match=message):
        spec(GOOD.replace(old, new, 1))


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        ('{law = "Rotated"}', r"model\[1\]\.signal: need law in \('Constant', 'Rotating', .*\), got law='Rotated'"),
        ('{law = "Rotating"}', r"model\[1\]\.signal: need omega for Rotating, got signal=\{\}"),
        ('{law = "Rotating", speed = 1}', r"model\[1\]\.signal: need parameters of Rotating out of \('omega', 'both'\)"),
        ('{law = "Rotating", omega = 0}', r"model\[1\]\.signal: need 0 < \|omega\| <= pi, got omega=0\.0"),
        ('{law = "Rotating", omega = 1, both = 1}', r"model\[1\]\.signal: need both: True or False, got both=1\.0"),
        ('"Rotating"', r"model\[1\]\.signal: need a valid dictionary, got 'Rotating'"),
    ],
)
def test_a_fault_of_the_signal_is_told_like_one_of_the_noise(signal, message):
    with pytest.raises(ValueError, match=message):
        spec(turning(f"signal = {signal}"))


def test_a_signal_without_room_for_its_partners_is_refused():
    with pytest.raises(ValueError, match=r"model\[1\]: need m >= 2 r where u moves, got m=3, r=2"):
        spec(turning().replace("shape = [6, 8]\nspikes = [3.0, 2.0]", "shape = [3, 8]\nspikes = [3.0, 2.0]"))


def test_a_file_that_is_no_toml_is_refused(tmp_path):
    path = tmp_path / "spec.toml"
    path.write_bytes(b"\xff\xfe = [")
    with pytest.raises(ValueError, match="need a TOML file, got"):
        Spec.from_toml(path)
