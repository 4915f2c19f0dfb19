"""Pages as programs: the fenced blocks of a Markdown page, run in order in a folder.

A block is run by its language. python: executed, all of a page in one name space. sh: each line is a command of spikesim or
python. text: what the block before it printed; a drawing, where no block is before it. diff: edits of files. A block whose
first line is a comment with a file's name is that file, and is written. A block after `<!-- not run: reason -->` is none of
these, nor is a directive of the site, as {toctree}.
"""

import os
import re
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKED = (ROOT / "PKG-INFO").exists()
"""Whether these are the tests of an unpacked source distribution, which leaves out pictures (MANIFEST.in)."""
BLOCK = re.compile(r"^(?:<!-- not run: (.+?) -->\n+)?```(\w+|\{\w+\})[^\n]*\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# ([\w./-]+\.\w+)\n")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, why it is not run, and the line where it begins."""

    language: str
    code: str
    reason: str
    line: int

    @property
    def file(self) -> str:
        """The file that it is; empty for none."""
        found = FILE.match(self.code)
        return found.group(1) if found and self.language != "diff" else ""

    @property
    def writes(self) -> bool:
        """Whether it is a file or edits one."""
        return bool(self.file) or self.language == "diff"

    @property
    def runs(self) -> bool:
        """Whether something is to be done with it."""
        return not self.reason and self.language != "text" and not self.language.startswith("{")


def blocks(page: str) -> list[Block]:
    """All blocks of a page's text."""
    return [Block(m[2], m[3], m[1] or "", page.count("\n", 0, m.start(3))) for m in BLOCK.finditer(page)]


def prose(page: str) -> str:
    """A page's text without its blocks."""
    return BLOCK.sub("", page)


def command(line: str) -> str:
    """What a line of a shell that begins with python prints."""
    name, *arguments = shlex.split(line, comments=True)
    assert name == "python", f"{line}: can't be run, and no reason is given"
    return python(arguments)


def python(arguments: list[str], package: Path = ROOT) -> str:
    """What Python prints in a process of its own, which finds the package in a folder."""
    path = os.pathsep.join(filter(None, [str(package), os.environ.get("PYTHONPATH", "")]))
    variables = {**os.environ, "PYTHONPATH": path, "MPLBACKEND": "Agg"}
    ran = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, env=variables)
    assert ran.returncode == 0, f"{arguments}: {ran.stdout} {ran.stderr}"
    return ran.stdout


def command_here(line: str) -> str:
    """The same of spikesim in this process, which has compiled its kernels already."""
    from spikesim import cli

    name, *arguments = shlex.split(line, comments=True)
    assert name == "spikesim", line
    printed, before = StringIO(), sys.argv
    sys.argv = [name, *arguments]
    try:
        with redirect_stdout(printed):
            cli.main()
    except SystemExit as end:
        assert not end.code, f"{line}: exit code {end.code}"  # noqa: PT017 (how a command ends)
    finally:
        sys.argv = before
    return printed.getvalue()


@dataclass
class Page:
    """A page amid its run, in the current folder.

    Attributes:
        printed: What each block that is not a text printed, by its line.
        shown: What the texts say, by the line of the block before them.
    """

    there: dict[str, object] = field(default_factory=lambda: {"__name__": "__main__"})
    printed: dict[int, str] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)

    def run(self, page: str, edits_first: bool = False) -> "Page":
        """All blocks in order; or files and their edits first, so that one process can run code of the package they edit."""
        last = 0
        some = sorted(blocks(page), key=lambda block: edits_first and not block.writes)
        for block in some:
            if block.language == "text" and last:
                self.shown[last] = block.code
            elif block.runs:
                last = block.line
                self.printed[last] = self._run(block)
        return self

    def _run(self, block: Block) -> str:
        if block.file:
            path = Path(block.file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.code, encoding="utf-8")
            return ""
        if block.language == "diff":
            edit(block.code, Path())
            return ""
        if block.language == "sh":
            return "".join(self._command(line) for line in block.code.replace("\\\n", " ").splitlines())
        assert block.language == "python", f"line {block.line}: {block.language} can't be run, and no reason is given"
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile("\n" * block.line + block.code, "page", "exec"), self.there)
        return printed.getvalue()

    def _command(self, line: str) -> str:
        return command_here(line) if line.startswith("spikesim") else command(line)


def edit(diff: str, folder: Path) -> None:
    """Change files as a diff without line numbers says: lines after "--- file", of which "+" are new and "-" go away."""
    for part in re.split(r"^--- ", diff, flags=re.MULTILINE)[1:]:
        name, _, body = part.partition("\n")
        path = folder / name.strip()
        text = path.read_text(encoding="utf-8")
        for hunk in re.split(r"^\.\.\.\n", body, flags=re.MULTILINE):
            lines = hunk.splitlines(keepends=True)
            before = "".join(x[1:] or x for x in lines if not x.startswith("+"))
            after = "".join(x[1:] or x for x in lines if not x.startswith("-"))
            assert text.count(before) == 1, f"{name}: found {text.count(before)} times:\n{before}"
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8")


def plain(text: str) -> str:
    """Without spaces at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def holds(ran: Page) -> None:
    """Each block printed what the text below it shows.

    Raises:
        AssertionError: If one did not, with its line.
    """
    for line, shown in ran.shown.items():
        assert plain(ran.printed[line]) == plain(shown), f"block at line {line}"
