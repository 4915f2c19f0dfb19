"""Under each heading of the theory page that has a label, what cites it; and the `label-index` directive: all as a table."""

from pathlib import Path
from typing import Any

import theory_labels
from docutils import nodes
from docutils.parsers.rst import Directive
from source_pages import source_reference
from sphinx.application import Sphinx
from theory_labels import Citation

THEORY, INDEX, GALLERY = "docs/theory", "docs/labels", "figures/README"
MOST = 6
"""Files named under a heading, of one kind; the index has all."""


class label_table(nodes.General, nodes.Element):  # noqa: N801 (docutils' nodes are written so)
    """Stands where the table goes until all pages are read."""


class LabelIndex(Directive):
    """The table of all labels."""

    def run(self) -> list[nodes.Node]:
        """A placeholder."""
        return [label_table()]


def anchor(label: str) -> str:
    """A label as the end of an address: B3' is B3-prime."""
    return label.replace("'", "-prime")


def mark(app: Sphinx, doctree: nodes.document) -> None:
    """Give each labelled section of the theory page a short address, theory.html#S4."""
    if app.env.docname != THEORY:
        return
    for section in doctree.findall(nodes.section):
        label = section.next_node(nodes.title).astext().split(".")[0].replace("’", "'")
        if label in theory_labels.index(Path(app.srcdir)):
            section["ids"].append(anchor(label))
            section["label"] = label


def links(app: Sphinx, docname: str, kind: str, those: list[Citation], most: int | None = None) -> list[list[nodes.Node]]:
    """What a label has of one kind, each as a link."""
    if kind == "Figures":
        there = app.builder.get_relative_uri(docname, GALLERY) if app.builder.format == "html" else ""
        names = theory_labels.figures(Path(app.srcdir), those)
        return [[nodes.reference("", name, internal=True, refuri=f"{there}#{name}")] for name in names[:most]]
    return [[source_reference(c.path, c.path.partition("/")[2], c.line)] for c in those[:most]]


def joined(parts: list[list[nodes.Node]], by: str) -> list[nodes.Node]:
    """Nodes with a separator in between."""
    return [node for i, part in enumerate(parts) for node in ([nodes.Text(by)] if i else []) + part]


def line(app: Sphinx, label: str) -> nodes.paragraph:
    """Code: ... · Tests: ... · Figures: ..., a few of each, those that say most of the label first."""
    parts: list[list[nodes.Node]] = []
    for kind, those in theory_labels.index(Path(app.srcdir))[label].items():
        found = links(app, THEORY, kind, those)
        if found:
            parts.append([nodes.strong("", kind), nodes.Text(": "), *joined(found[:MOST], ", ")])
        if len(found) > MOST:
            uri = app.builder.get_relative_uri(THEORY, INDEX) if app.builder.format == "html" else ""
            more = nodes.reference("", f"{len(found) - MOST} more", internal=True, refuri=f"{uri}#{anchor(label)}")
            parts[-1] += [nodes.Text(" and "), more]
    return nodes.paragraph("", "", *joined(parts, " · "), classes=["label-line"])


def table(app: Sphinx) -> nodes.table:
    """All labels, one a row."""
    heads = ["", "Statement", *theory_labels.KINDS]
    group = nodes.tgroup("", *(nodes.colspec(colwidth=w) for w in (1, 4, 5, 5, 4)), cols=len(heads))
    group += nodes.thead("", nodes.row("", *(nodes.entry("", nodes.paragraph("", head)) for head in heads)))
    root, body = Path(app.srcdir), nodes.tbody()
    titles = theory_labels.labels((root / "docs" / "theory.md").read_text())
    there = app.builder.get_relative_uri(INDEX, THEORY) if app.builder.format == "html" else ""
    for label, kinds in theory_labels.index(root).items():
        name = nodes.reference("", label, internal=True, refuri=f"{there}#{anchor(label)}", ids=[anchor(label)])
        cells = [[name], [nodes.Text(titles[label])], *(joined(links(app, INDEX, k, c), " ") for k, c in kinds.items())]
        body += nodes.row("", *(nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells))
    group += body
    return nodes.table("", group, classes=["label-index"])


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put in the lines and the table."""
    if docname == THEORY:
        for section in [s for s in doctree.findall(nodes.section) if "label" in s]:
            section.insert(section.first_child_matching_class(nodes.title) + 1, line(app, section["label"]))
    for node in list(doctree.findall(label_table)):
        node.replace_self(table(app))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.add_node(label_table)
    app.add_directive("label-index", LabelIndex)
    app.connect("doctree-read", mark)
    app.connect("doctree-resolved", fill_in)
    app.connect("env-updated", lambda *_: [THEORY, INDEX])  # files that cite may have changed where pages have not
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
