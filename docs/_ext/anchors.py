"""Anchors written as HTML in a Markdown page, <a id="name"></a>, as targets that links are checked against."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

ANCHOR = re.compile(r'<a id="([\w.-]+)"></a>\s*')


class Anchors(SphinxTransform):
    """Turns each such piece of HTML into a target, which links of this page and of others find."""

    default_priority = 400  # before links within a page are resolved

    def apply(self, **kwargs: Any) -> None:  # noqa: ARG002 (docutils' signature)
        """Replace them."""
        slugs = self.env.metadata[self.env.docname].setdefault("myst_slugs", {})
        for node in list(self.document.findall(nodes.raw)):
            found = ANCHOR.fullmatch(node.astext())
            if found:
                name = found[1]
                target = nodes.target("", "", ids=[name], names=[name])
                self.document.note_explicit_target(target)
                node.replace_self(target)
                slugs[name] = (node.line or 0, name, name)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.add_transform(Anchors)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
