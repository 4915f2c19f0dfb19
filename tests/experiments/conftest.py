"""What the last saved figure held."""

import pytest
from harness import span
from matplotlib.collections import PolyCollection

from spikesim import plots


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
