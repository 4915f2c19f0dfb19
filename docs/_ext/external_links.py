"""Writes every address outside the site that a page links to into external-links.txt: what `make docs LINKS=1` checks."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def collect(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Note those of one page."""
    found = {n["refuri"] for n in doctree.findall(nodes.reference) if n.get("refuri", "").startswith("http")}
    app.env.__dict__.setdefault("external_links", {})[docname] = found


def write(app: Sphinx, error: Exception | None) -> None:
    """One address a line, with the pages that have it."""
    if error is not None or app.builder.format != "html":
        return
    pages: dict[str, list[str]] = {}
    for docname, links in sorted(getattr(app.env, "external_links", {}).items()):
        for link in links:
            pages.setdefault(link, []).append(docname)
    lines = [f"{link}  {' '.join(names)}\n" for link, names in sorted(pages.items())]
    (Path(app.outdir) / "external-links.txt").write_text("".join(lines))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("doctree-resolved", collect)
    app.connect("build-finished", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
