"""Anchors written as HTML in a Markdown page, <a id="name"></a>, as targets that links are checked against."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

OPEN, CLOSE = re.compile(r'<a id="([\w.-]+)">(?:</a>)?\s*'), "</a>"


class Anchors(SphinxTransform):
    """Turns each such piece of HTML into a target, which links of this page and of others find."""

    default_priority = 400  # before links within a page are resolved

    def apply(self, **kwargs: Any) -> None:  # noqa: ARG002 (docutils' signature)
        """Replace them."""
        slugs = self.env.metadata[self.env.docname].setdefault("myst_slugs", {})
        for node in list(self.document.findall(nodes.raw)):
            found = OPEN.fullmatch(node.astext())
            if found:
                self.replace(node, found[1])
                slugs[found[1]] = (node.line or 0, found[1], found[1])

    def replace(self, node: nodes.raw, name: str) -> None:
        """Put a target in the place of the HTML, and of the paragraph that held nothing else."""
        after, within = node.next_node(descend=False, siblings=True), node.parent
        if isinstance(after, nodes.raw) and after.astext() == CLOSE:
            within.remove(after)
        target = nodes.target("", "", ids=[name], names=[name])
        self.document.note_explicit_target(target)
        alone = isinstance(within, nodes.paragraph) and len(within) == 1
        (within if alone else node).replace_self(target)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.add_transform(Anchors)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
