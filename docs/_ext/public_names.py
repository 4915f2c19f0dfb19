"""References to where a name is defined, spikesim.filters.ema.EMA, resolved to where it is documented: spikesim.EMA.

Annotations give the former. A name that is documented nowhere stays unresolved, and the build then says so.
"""

from functools import cache
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


@cache
def public() -> dict[str, str]:
    """Full name where defined to full name where public."""
    import spikesim

    found = {}
    for package in (spikesim.stages, spikesim):
        for name in package.__all__:
            thing = getattr(package, name)
            if getattr(thing, "__module__", "").startswith("spikesim"):
                found[f"{thing.__module__}.{thing.__qualname__}"] = f"{package.__name__}.{name}"
    return found


def resolve(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.TextElement
) -> nodes.Element | None:
    """The public name's reference, where the target has one."""
    name = public().get(node.get("reftarget", ""))
    if name is None or node.get("refdomain") != "py":
        return None
    for kind in ("class", "func", "data", "obj"):
        found = env.domains["py"].resolve_xref(env, node["refdoc"], app.builder, kind, name, node, content)
        if found is not None:
            return found
    return None


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("missing-reference", resolve)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
