"""Run the notebooks of this folder and keep what they print and draw: `make notebook`.

Metadata that differs from machine to machine (paths, times, versions, the kernel's own name) is not kept.
"""

import base64
import io
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
COLOURS = 48
LIMIT = 600
"""Seconds for one cell, a generous one: compiling counts."""


def executed(path: Path, folder: Path) -> Any:
    """The notebook at `path`, run in `folder`, without a machine's traces.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell raises.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=LIMIT, kernel_name="python3", record_timing=False, resources={"metadata": {"path": str(folder)}}
    ).execute()
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            data.pop("text/html", None)
            if "image/png" in data:
                data["image/png"] = small(data["image/png"])
    return notebook


def small(image: str) -> str:
    """A picture, PNG in base64, in COLOURS colours."""
    from PIL import Image

    out = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(image))) as picture:
        picture.convert("RGB").quantize(COLOURS).save(out, "png", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


if __name__ == "__main__":
    import nbformat

    for file in sorted(FOLDER.glob("*.ipynb")):
        nbformat.write(executed(file, FOLDER), file)
        print(f"{file.name}: {file.stat().st_size / 1e3:.0f} kB")
