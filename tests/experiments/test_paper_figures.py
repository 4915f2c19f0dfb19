"""The paper's figures hold what they say."""

import json
from pathlib import Path

import numpy as np
import pytest
from harness import script, tiny

from spikesim.sweep.store import Store


def test_alignment_figure_holds_the_means_of_all_pipelines_with_bands(tmp_path, drawn):
    store = tiny("alignment_momentum", tmp_path, trials=6, steps=60)
    outcome = script("alignment_momentum").draw(store, tmp_path / "figures")
    (result,) = store
    m, n = result.model.shape
    spikes, sigma = np.array(result.model.spikes), result.model.noise.sigma

    def ratio(window):
        """s / theta of each spike at the finite step (F2), by hand."""
        beta = 1 - 1 / window
        return sigma * ((1 - beta**120) / (2 * window - 1)) ** 0.5 / ((1 - beta**60) * spikes)

    def full(window):
        y = 1 / (ratio(window) * n**0.5)
        return np.sum(spikes * 2 / np.pi * ((1 - y**-2) * np.arctan(y) + 1 / y)) / spikes.sum()

    def truncated(window):
        x = ratio(window)
        return np.sum(spikes * np.maximum(1 - m * n * x**4, 0) / np.sqrt((1 + m * x**2) * (1 + n * x**2))) / spikes.sum()

    expected = {"alignment": full, "alignment_truncated": truncated}
    for axes, name in zip(drawn["axes"][:2], ("alignment", "alignment_truncated"), strict=True):
        assert axes["bands"] == 4
        for pipeline in result.data.pipeline.values:
            line = axes["lines"][pipeline]
            np.testing.assert_allclose(line[:, 0], 2 * result.data.window - 1)
            np.testing.assert_allclose(line[:, 1], result.data[name].sel(pipeline=pipeline).mean("trial"))
        limit = next(xy for label, xy in axes["lines"].items() if label.startswith("pre-polar, limit"))
        np.testing.assert_allclose(limit[:, 1], [expected[name](t) for t in result.data.window.values], rtol=1e-6)
        values = result.data[name].sel(pipeline="pre-polar").values
        half = 1.96 * values.std(0, ddof=1) / 6**0.5
        np.testing.assert_allclose(axes["spans"][0], 2 * half, rtol=1e-6)
    mean = result.data.alignment.mean("trial")[:, -1]
    pre, post, again = (float(mean.sel(pipeline=p)) for p in ("pre-polar", "post-polar", "re-polarised"))
    assert f"brings back {100 * (again - post) / (pre - post):.0f} %" in outcome.finding
    assert "quick run" in drawn["above"]
    pre = float(result.data.alignment.sel(pipeline="pre-polar").mean("trial")[-1])
    assert f"pre-polar {pre:.3f}" in outcome.finding
    assert outcome.rows[0].fit.exponent < 0


def test_subspace_figure_holds_fits_guide_and_both_sides(tmp_path, drawn):
    store = tiny("subspace_error", tmp_path, trials=8, windows=[5, 10, 20])
    outcome = script("subspace_error").draw(store, tmp_path / "figures")
    assert len(outcome.rows) == 6
    (m, n), spike, sigma = (64, 48), 5.0, 1.0
    for axes, size in zip(drawn["axes"][:2], (m, n), strict=True):
        limit = next(xy for label, xy in axes["lines"].items() if label.startswith("limit S3"))
        s2 = sigma**2 / limit[:, 0]
        square = (spike**4 - m * n * s2**2) / (spike**2 * (spike**2 + size * s2))
        np.testing.assert_allclose(limit[:, 1], np.sqrt(1 - square), rtol=1e-9)
        guide = axes["lines"]["guide: exponent −1/4"]
        assert np.polyfit(*np.log(guide).T, 1)[0] == pytest.approx(-0.25)
        assert axes["x"].startswith("2T − 1")
        assert sum("[" in label for label in axes["lines"]) == 3
    assert "vacuous" in outcome.finding


def published(store: Store, path: Path, shift: float = 0.0, trials: int = 10) -> Path:
    """A stand-in for the authors' file: our own means, moved by `shift` standard deviations of a trial."""
    mom: dict[str, list] = {"1": [], "3": []}
    for result in store:
        values = result.data.singular_values.sel(pipeline="pre-polar").values
        mom[str(result.model.rank)].append((values.mean(0) + shift * values.std(0, ddof=1)).tolist())
    (m, n), windows = result.model.shape, result.data.window.values
    sigmas = sorted({r.coordinates["noise.sigma"] for r in store})
    meta = {"m": m, "n": n, "n_trials": trials, "sigma_grid": sigmas, "beta_grid": (1 - 1 / windows).tolist()}
    raw = {"1": [[sigma * (30 - k) for k in range(20)] for sigma in sigmas]}
    path.write_text(json.dumps({"meta": meta, "mom": mom, "raw": raw}))
    return path


def test_published_grid_without_numbers_draws_limits_and_says_what_to_do(tmp_path):
    store = tiny("published_grid", tmp_path, trials=4, steps=60)
    outcome = script("published_grid").draw(store, tmp_path)
    assert "--published PATH" in outcome.finding
    worst = 0.0
    for result in store:
        mean = result.data.singular_values.sel(pipeline="pre-polar").values.mean(0)
        for t, found in zip(result.data.window.values, mean, strict=True):
            beta, (m, n) = 1 - 1 / t, result.model.shape
            s, theta = (
                result.model.noise.sigma * ((1 - beta**120) / (2 * t - 1)) ** 0.5,
                (1 - beta**60) * np.array(result.model.spikes),
            )
            head = np.where(theta > s * (m * n) ** 0.25, np.sqrt((theta**2 + m * s**2) * (theta**2 + n * s**2)) / theta, 0)
            edge = s * (m**0.5 + n**0.5)
            worst = max(worst, np.max(np.abs(found / np.append(np.where(head > 0, head, edge), edge) - 1)))
    assert f"within {100 * worst:.1f} %" in outcome.finding


@pytest.mark.parametrize(("shift", "score"), [(0.0, 0.0), (1.0, 1 / np.sqrt(1 / 6 + 1 / 10))])
def test_published_grid_standardises_differences(tmp_path, drawn, shift, score):
    store = tiny("published_grid", tmp_path, trials=6, steps=60)
    outcome = script("published_grid").draw(store, tmp_path, published(store, tmp_path / "grid.json", shift))
    maps = [image for axes in drawn["axes"] for image in axes["images"] if image.shape == (4, 11)]
    assert len(maps) == 6
    np.testing.assert_allclose(np.stack(maps), -score, atol=2e-3)
    count = 6 * 4 * 11
    assert f"Of {count} published means, {0 if score > 1 else count} lie within 1 standard error" in outcome.finding


def test_published_grid_refuses_other_files_and_other_sizes(tmp_path):
    store = tiny("published_grid", tmp_path, trials=4, steps=60)
    draw = script("published_grid").draw
    (tmp_path / "other.json").write_text('{"meta": {}}')
    with pytest.raises(ValueError, match=r"need published: the authors' grid\.json, got path="):
        draw(store, tmp_path, tmp_path / "other.json")
    path = published(store, tmp_path / "grid.json")
    path.write_text(path.read_text().replace('"m": 50', '"m": 100'))
    assert "not the published size" in draw(store, tmp_path, path).finding
