"""The `command-help` directive: what `spikesim COMMAND --help` prints, for every sub-command, asked at every build."""

from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

PLAIN = {"COLUMNS": "92", "TERM": "dumb", "NO_COLOR": "1"}


def help_of(*arguments: str) -> str:
    """The help that the command line prints, without colours."""
    from typer.testing import CliRunner

    from spikesim.cli import app

    outcome = CliRunner().invoke(app, [*arguments, "--help"], prog_name="spikesim", env=PLAIN)
    if outcome.exit_code != 0:
        raise RuntimeError(f"need help of spikesim {' '.join(arguments)}, got {outcome.output}")
    return "\n".join(line.rstrip() for line in outcome.output.strip().splitlines())


def commands() -> list[str]:
    """Names of the sub-commands."""
    from spikesim.cli import app

    return [known.name or known.callback.__name__.replace("_", "-") for known in app.registered_commands if known.callback]


class CommandHelp(Directive):
    """One section a sub-command."""

    def run(self) -> list[nodes.Node]:
        """Sections."""
        return [self.section(name) for name in commands()]

    def section(self, name: str) -> nodes.section:
        """Its help, as printed."""
        title, text = f"spikesim {name}", help_of(name)
        section = nodes.section("", nodes.title(title, title), ids=[nodes.make_id(title)], names=[title])
        self.state.document.note_explicit_target(section)
        section += nodes.literal_block(text, text, language="text")
        return section


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.add_directive("command-help", CommandHelp)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
