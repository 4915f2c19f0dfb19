"""The page of a probe holds what the probe found, whatever was recorded."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest

import spikesim as ss
from spikesim import plots
from spikesim.probe.jackknife import student

LONG = "Clip(3.0) -> Filter(Nesterov) -> Polar()"
NOISE = ss.Gaussian(sigma=0.5)


@pytest.fixture
def page(monkeypatch, tmp_path):
    """Draws a probe without a warning and gives the figure, the text above and the text below."""
    seen, save = [], plots.save

    def spy(figure, folder, stem, above, finding):
        seen.append((figure, above, finding))
        save(figure, folder, stem, above, finding)

    monkeypatch.setattr(plots, "save", spy)

    def drawn(probe, stem="page"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            probe.draw(tmp_path, stem)
        assert {p.name for p in tmp_path.iterdir()} == {f"{stem}.png", f"{stem}.pdf"}
        assert min(p.stat().st_size for p in tmp_path.iterdir()) > 10_000
        assert plt.get_fignums() == []
        return seen[-1]

    return drawn


def recorded(shape, spikes, steps, **model):
    return ss.gradients(ss.SpikedModel(shape=shape, spikes=spikes, noise=NOISE, **model), steps)


def lines(axis):
    return {line.get_label(): np.asarray(line.get_xydata()) for line in axis.get_lines()}


@pytest.fixture(scope="module")
def still():
    return ss.probe(recorded((10, 14), (4.0, 2.5), 96), pipelines=["pre-polar", "polar-only", LONG])


@pytest.fixture(scope="module")
def moving():
    return ss.probe(recorded((8, 12), (4.0,), 120, signal=ss.Rotating(0.03)), kind="trajectory")


def test_every_panel_has_a_title_and_units(page, still):
    figure, _, _ = page(still)
    panels = figure.axes[:6]
    assert [bool(a.get_title() and a.get_xlabel() and a.get_ylabel()) for a in panels] == [True] * 6
    assert panels[0].get_ylabel() == "singular value (unit of gradients)"
    assert [a.get_yscale() for a in panels] == ["log", "log", "log", "log", "linear", "log"]


def test_alignment_has_every_pipeline_with_student_bands_and_both_curves(page, still):
    figure, _, _ = page(still)
    axis, x = figure.axes[4], 2 * np.asarray(still.asked.windows) - 1
    found = lines(axis)
    for i, p in enumerate(still.asked.pipelines):
        np.testing.assert_allclose(found[str(p)], np.stack([x, still.values["alignment"][i]], 1))
        band, half = axis.collections[i].get_paths()[0].vertices, student(10) * still.errors["alignment"][i]
        heights = [np.ptp(band[np.isclose(band[:, 0], at), 1]) for at in x]
        np.testing.assert_allclose(heights, 2 * half, rtol=1e-6)
    np.testing.assert_allclose(found["pre-polar, S4 from spikes and noise"][:, 1], still.predicted)
    np.testing.assert_allclose(found["pre-polar, inside its buffer (biased)"][:, 1], still.values["inside"][0])
    fitted = found["pre-polar, curve fitted for its scale ‖S‖∗"]
    np.testing.assert_allclose(fitted[:, 1], still.curve.alignment((fitted[:, 0] + 1) / 2))
    np.testing.assert_allclose(found[f"recommended T = {still.advice.window:.3g}"][:, 0], 2 * still.advice.window - 1)
    legend = [text.get_text() for text in figure.axes[6].get_legend().get_texts()]
    assert legend == list(found)
    assert LONG in legend


def test_spectra_mark_edges_and_the_head(page, still):
    figure, _, _ = page(still)
    axis, sigma = figure.axes[0], still.noise.sigma.value
    found = lines(axis)
    np.testing.assert_allclose(found["a gradient"][:, 1], still.values["gradient"])
    last = still.asked.windows[-1]
    np.testing.assert_allclose(found[f"buffer, T = {last:g}"][:, 1], still.values["spectrum"][0, -1])
    levels = {round(float(line.get_ydata()[0]), 9) for line in axis.get_lines() if len(line.get_ydata()) == 2}
    white, own = sigma * (10**0.5 + 14**0.5), still.ranks.noise_edge
    assert {round(float(e * f), 9) for e in (white, own) for f in (1.0, (2 * last - 1) ** -0.5)} <= levels
    assert still.rank == 2
    assert {t.get_text(): t.xy[0] for t in axis.texts} == {"head": 2.5, "tail": 2.5}


def test_suppression_and_subspaces_are_the_probes(page, still):
    figure, _, _ = page(still)
    decay, angles = lines(figure.axes[2]), lines(figure.axes[3])
    (name,) = (n for n in decay if n.startswith("R(T)"))
    np.testing.assert_allclose(decay[name][:, 1], still.values["ratio"][0][:, still.tail])
    np.testing.assert_allclose(decay["c_sig, signal that is left"][:, 1], still.persistence)
    np.testing.assert_allclose(angles["r = 1, left"][:, 1], still.values["left_sine"][0][:, 0])
    np.testing.assert_allclose(angles["r = 2, right"][:, 1], still.values["right_sine"][0][:, 1])


def test_noise_norms_are_a_survival_function(page, still):
    figure, _, _ = page(still)
    curve = lines(figure.axes[5])["48 differences of steps"]
    at = np.median(still.noise_norms)
    for x, y in curve[::7]:
        assert y == pytest.approx(np.mean(still.noise_norms >= x * at * (1 - 1e-12)))


def test_a_trajectory_has_its_paths(page, moving):
    figure, _, _ = page(moving)
    found, data = lines(figure.axes[5]), moving.data
    first, last = (moving.asked.windows[i] for i in (0, -1))
    for t in (first, last):
        np.testing.assert_allclose(found[f"T = {t:g}"][:, 0], data.step)
        path = data.alignment_path.sel(pipeline="pre-polar", window=t)
        np.testing.assert_allclose(found[f"T = {t:g}"][:, 1], path)
    assert any("inside its buffer" in name for name in found)
    assert "pre-polar, S8 from spikes and noise" in lines(figure.axes[4])


def test_text_says_what_was_recorded_and_what_to_do(page, still):
    _, above, below = page(still)
    assert "96 gradients of 10 × 14, stationary" in above
    assert "BVMZOS: nothing against it" in above
    assert f"{still.noise.eta.value:.3g}" in above
    assert f"β = {still.advice.momentum:.3f}" in below
    assert still.advice.reason in below
    assert still.advice.clip_reason in below


def white(*shape):
    return np.random.default_rng(1).normal(size=shape)


STRANGE = {
    "pure noise": lambda: ss.probe(white(60, 6, 8)),
    "vectors": lambda: ss.probe(recorded((1, 9), (3.0,), 60)),
    "columns": lambda: ss.probe(recorded((9, 1), (3.0,), 60), kind="trajectory"),
    "numbers": lambda: ss.probe(white(48, 1, 1)),
    "two windows, one rank": lambda: ss.probe(recorded((9, 5), (4.0,), 64), windows=[2, 8], ranks=[1]),
    "no noise": lambda: ss.probe(np.repeat(white(1, 4, 6), 48, 0)),
    "zeros between": lambda: ss.probe(white(60, 4, 6) * (np.arange(60) % 3 > 0)[:, None, None]),
    "empty rows": lambda: ss.probe(np.concatenate([white(60, 4, 6), np.zeros((60, 2, 6))], 1)),
    "one huge step": lambda: ss.probe(white(60, 4, 6) * np.where(np.arange(60) == 30, 1e6, 1.0)[:, None, None]),
    "heavy tails": lambda: ss.probe(np.random.default_rng(2).standard_t(1.2, (60, 4, 6))),
    "tiny": lambda: ss.probe(recorded((4, 6), (4.0,), 60) * 1e-30),
    "large": lambda: ss.probe(recorded((4, 6), (4.0,), 60) * 1e30, kind="trajectory"),
    "many pipelines": lambda: ss.probe(
        recorded((4, 6), (4.0,), 60), pipelines=[*(f"_{i}$ = Clip({i}) -> {LONG}" for i in range(1, 9)), "post-polar"]
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", STRANGE)
def test_strange_recordings_have_a_page_with_finite_limits(page, name):
    figure, _, _ = page(STRANGE[name]())
    for axis in figure.axes:
        assert np.all(np.isfinite([*axis.get_xlim(), *axis.get_ylim()]))


def test_nothing_known_is_said_in_words(page):
    figure, _, _ = page(STRANGE["pure noise"]())
    assert "no subspace of these ranks" in figure.axes[3].texts[0].get_text()
    assert not any("S4" in name for name in lines(figure.axes[4]))
    figure, _, _ = page(STRANGE["no noise"]())
    assert "no noise" in figure.axes[5].texts[0].get_text()


def test_pipelines_are_told_apart(page):
    figure, _, _ = page(STRANGE["many pipelines"]())
    drawn = figure.axes[4].get_lines()[:11]
    assert len({(line.get_color(), line.get_marker(), str(line.get_linestyle())) for line in drawn}) == len(drawn)
