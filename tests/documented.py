"""Pages as programs: the fenced blocks of a Markdown page, run in order in a folder.

A block is run by its language. python: executed, all of a page in one name space. sh: each line is a command of spikesim or
python. text: what the block before it printed. diff: edits of files. A block whose first line is a comment with a file's name
is that file, and is written. A block after `<!-- not run: reason -->` is none of these.
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
BLOCK = re.compile(r"^(?:<!-- not run: (.+?) -->\n+)?```(\w+)[^\n]*\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
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


def blocks(page: str) -> list[Block]:
    """All blocks of a page's text."""
    return [Block(m[2], m[3], m[1] or "", page.count("\n", 0, m.start(3))) for m in BLOCK.finditer(page)]


def prose(page: str) -> str:
    """A page's text without its blocks."""
    return BLOCK.sub("", page)


def command(line: str, package: Path = ROOT) -> str:
    """What a line of a shell prints in a process of its own; python is this one, and spikesim that of a folder."""
    name, *arguments = shlex.split(line, comments=True)
    what = {"spikesim": ["-c", "from spikesim.cli import main; main()"], "python": []}[name]
    return python([*what, *arguments], package)


def python(arguments: list[str], package: Path = ROOT) -> str:
    """What Python prints in a process of its own."""
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
        package: Folder of the package that blocks run, in processes of their own; where left out the one that is here, in
            this one.
        printed: What each block that is not a text printed, by its line.
        shown: What the texts say, by the line of the block before them.
    """

    package: Path | None = None
    there: dict[str, object] = field(default_factory=lambda: {"__name__": "__main__"})
    printed: dict[int, str] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)

    def run(self, page: str) -> "Page":
        """All blocks in order."""
        last = 0
        for block in blocks(page):
            if block.language == "text":
                self.shown[last] = block.code
            elif not block.reason:
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
        if self.package:
            return python(["-c", block.code], self.package)
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile("\n" * block.line + block.code, "page", "exec"), self.there)
        return printed.getvalue()

    def _command(self, line: str) -> str:
        here = self.package is None and line.startswith("spikesim")
        return command_here(line) if here else command(line, self.package or ROOT)


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
