"""What the last saved figure held. Figures are laid out and read; only a test that asks for `written` has their files."""

import pytest
from harness import span
from matplotlib.collections import PolyCollection

from spikesim import plots

WRITE = plots.write


@pytest.fixture(autouse=True, scope="module")
def unwritten():
    """Figures are no files: `spikesim reproduce` writes each, and the files are most of the time that one takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plots, "write", lambda *_: None)
        yield


@pytest.fixture
def written(monkeypatch):
    """Figures are files."""
    monkeypatch.setattr(plots, "write", WRITE)


@pytest.fixture
def drawn(monkeypatch):
    """What the last saved figure's axes held."""
    seen = {}
    save = plots.save

    def spy(figure, folder, stem, above, finding):
        seen["axes"] = [
            {
                "x": a.get_xlabel(),
                "y": a.get_ylabel(),
                "lines": {line.get_label(): line.get_xydata().copy() for line in a.get_lines()},
                "bands": len(a.collections),
                "spans": [span(band) for band in a.collections if isinstance(band, PolyCollection)],
                "images": [image.get_array().copy() for image in a.get_images()],
            }
            for a in figure.axes
        ]
        seen["above"], seen["finding"] = above, finding
        save(figure, folder, stem, above, finding)

    monkeypatch.setattr(plots, "save", spy)
    return seen
