"""The documentation site: `make docs` builds it into site/. Pages are Markdown, as they lie in the repository."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "_ext")]

project = "spikesim"
author = "the spikesim authors"
release = version = installed("spikesim")
html_title = f"spikesim {release}"

# The source is the whole repository, so that links between its folders hold here as they do there.
root_doc = "docs/index"
include_patterns = ["docs/**.md", "docs/**.ipynb", "figures/README.md", "*.md"]
exclude_patterns = [
    ".*",
    "site",
    "results",
    "build",
    "dist",
    "**/.ipynb_checkpoints",
    "docs/_*",
    "experiments",
    "spikesim",
    "tests",
]

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "anchors",
    "command_help",
    "external_links",
    "label_lines",
    "plain_docstrings",
    "public_names",
    "source_pages",
]
myst_heading_anchors = 4
nb_execution_mode = "off"  # shown with the outputs that are stored in it; the tests execute it
nb_merge_streams = True
smartquotes = False  # B3' is a label
default_role = "code"  # `x` in a docstring
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_preserve_defaults = True
napoleon_google_docstring, napoleon_numpy_docstring = True, False
napoleon_use_ivar = True

nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!spikesim\b).*")]  # other projects' names: their inventories would need a network

linkcheck_timeout = 20
linkcheck_anchors = False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_extra"]
html_copy_source = html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}
