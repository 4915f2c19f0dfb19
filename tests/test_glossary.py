"""One noun for one thing: the glossary names what is there, and words that it replaced do not come back."""

import re
from pathlib import Path

import pytest

import spikesim as ss

ROOT = Path(__file__).parents[1]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
RETIRED = {
    r"design points?": "point",
    r"recorded streams?": "recording",
    r"critical sample size": "critical effective sample size",
    r"answers? for nothing": "left over",
    r"--shard\b": "--share",
    r"singular values? of the buffer's signal": "spike",
    r"orthogonal factor|msign|matrix sign": "polar factor",
    r"averaging window|window length|memory length|half-life": "window",
    r"effective number of samples|effective window": "effective sample size",
    r"replicates?|realisations?|repetitions?": "trial",
    r"results? folder|results? director(?:y|ies)": "store",
}
MADE = {"options.py"}  # takes the older name --shard
READ = [
    *(p for p in (ROOT / "spikesim").rglob("*.py") if p.name not in MADE),
    *(ROOT / "experiments").rglob("*.py"),
    *(ROOT / "experiments").rglob("*.toml"),
    *(ROOT / "docs").rglob("*.md"),
    ROOT / "README.md",
]


def terms():
    return [[c.strip() for c in row.strip("|").split("|")] for row in GLOSSARY.splitlines() if row.startswith("| ")]


def uses(text, pattern):
    return [m[0] for m in re.finditer(rf"(?<![\w-])(?:{pattern})(?![\w])", text, re.IGNORECASE)]


@pytest.mark.parametrize("retired", RETIRED)
def test_a_retired_word_does_not_come_back(retired):
    found = {str(p.relative_to(ROOT)): uses(p.read_text(encoding="utf-8"), retired) for p in READ}
    assert not {p: words for p, words in found.items() if words}, f"say {RETIRED[retired]!r}"


def test_a_retired_word_would_be_found():
    assert uses("Two design points.", r"design points?") == ["design points"]
    assert uses("with --shard 1/2", r"--shard\b") == ["--shard"]


def test_every_term_stands_once():
    names = [name.strip() for row in terms() for name in row[0].split(",") if row[0] != "term"]
    assert len(names) == len(set(names)) > 40


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:spikesim|docs|experiments|figures)/[\w/.]*)`", GLOSSARY))))
def test_files_that_it_names_are_there(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`ss\.([\w.]+)`", GLOSSARY))))
def test_names_that_it_gives_are_public(name):
    found = ss
    for part in name.split("."):
        found = getattr(found, part)


@pytest.mark.parametrize("option", sorted(set(re.findall(r"`(--[\w-]+)`", GLOSSARY))))
def test_options_that_it_names_are_taken(option):
    import typer.main

    from spikesim.cli import app

    commands = typer.main.get_command(app).commands.values()
    assert any(option in p.opts and not getattr(p, "hidden", False) for c in commands for p in c.params)
