"""Files of the repository as pages of the site: a link to spikesim/rng.py leads to its text, with numbered lines.

Pages link to files as they lie in the repository (`../spikesim/rng.py`), so the same link works there and here. What is no
text (a picture, a PDF) stays a download; a folder becomes a list of its files.
"""

from collections.abc import Iterator
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

LEXERS = {
    ".py": "python",
    ".toml": "toml",
    ".json": "json",
    ".txt": "text",
    ".cff": "yaml",
    ".yml": "yaml",
    ".sh": "sh",
    "": "text",
}
PATH = "repository_path"


def source_reference(path: str, text: str, line: int | None = None) -> nodes.reference:
    """A link to a file's page, whose address `fill_in` completes."""
    return nodes.reference("", "", nodes.literal(text, text), internal=True, **{PATH: path, "source_line": line})


class SourceLinks(SphinxTransform):
    """Turns links to files and folders of the repository that are no pages into links to source pages."""

    default_priority = 500  # before downloads are collected

    def apply(self, **kwargs: Any) -> None:  # noqa: ARG002 (docutils' signature)
        """Replace them; their addresses follow once all pages are known."""
        for node in [*self.document.findall(addnodes.download_reference), *self.document.findall(addnodes.pending_xref)]:
            target = node.get("reftarget", "").partition("#")[0]
            if node.get("reftype") != "myst" or not target or node.get("refdomain"):
                continue
            _, name = self.env.relfn2path(target, self.env.docname)
            path = Path(name)
            if path.is_dir() or (path.is_file() and path.suffix in LEXERS):
                inside = path.resolve().relative_to(Path(self.app.srcdir).resolve()).as_posix()
                node.replace_self(nodes.reference("", "", *node.children, internal=True, **{PATH: inside}))


def page_of(root: Path, path: str) -> str:
    """Name of the page that shows a file or a folder."""
    return f"source/{path}/index" if (root / path).is_dir() else f"source/{path}"


def fill_in(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write the addresses of source links, and remember which pages they need."""
    shown: set[str] = app.env.__dict__.setdefault("source_pages", set())
    for node in doctree.findall(nodes.reference):
        if PATH not in node:
            continue
        path, line = node[PATH], node.get("source_line")
        shown.add(path)
        if app.builder.format == "html":
            node["refuri"] = app.builder.get_relative_uri(docname, page_of(Path(app.srcdir), path)) + (
                f"#L-{line}" if line else ""
            )
        else:
            node.replace_self(node.children)


def listed(folder: Path) -> list[str]:
    """Names of the text files in a folder, and of the folders that have some."""
    there = (p for p in sorted(folder.iterdir()) if not p.name.startswith((".", "__")) or p.name == "__init__.py")
    return [p.name for p in there if (p.is_file() and p.suffix in LEXERS) or (p.is_dir() and any(p.glob("*.*")))]


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """One page a file that is linked to, and one a folder with the files in it."""
    root, todo, done = Path(app.srcdir), sorted(getattr(app.env, "source_pages", set())), set[str]()
    while todo:
        path = todo.pop()
        if path in done:
            continue
        done.add(path)
        if (root / path).is_dir():
            names = listed(root / path)
            todo += [str(PurePosixPath(path, name)) for name in names]
            body = _list_of(app, path, names)
        else:
            lexer = LEXERS[(root / path).suffix]
            text = (root / path).read_text()
            body = app.builder.highlighter.highlight_block(text, lexer, linenos="inline", lineanchors="L", anchorlinenos=True)
        yield page_of(root, path), {"title": path, "parents": [], "body": f"<h1>{escape(path)}</h1>\n{body}"}, "page.html"


def _list_of(app: Sphinx, path: str, names: list[str]) -> str:
    root = Path(app.srcdir)
    here = page_of(root, path)
    links = [(app.builder.get_relative_uri(here, page_of(root, str(PurePosixPath(path, name)))), name) for name in names]
    return "<ul>" + "".join(f'<li><a href="{to}"><code>{escape(name)}</code></a></li>' for to, name in links) + "</ul>"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.add_transform(SourceLinks)
    app.connect("doctree-resolved", fill_in, priority=900)  # after what adds such links
    app.connect("html-collect-pages", pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
