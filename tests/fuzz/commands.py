"""The command line: every command with odd options, and over folders of results that were damaged."""

import json
import os
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

import nasty
from oracle import Case

from spikesim.sweep.index import Index
from spikesim.sweep.shard import ShardName, digest_of
from spikesim.sweep.sweep import Sweep

SPEC = """
[[model]]
name = "a"
shape = [4, 5]
spikes = [3.0]
noise = {law = "Gaussian", sigma = 0.5}
[grid]
"noise.sigma" = [0.5, 1.0]
[run]
windows = [1, 3]
trials = 6
steps = 8
"""
NAMES = (
    "results",
    "a b",
    "ü漢字😀",
    "-x",
    "{x}%s",
    "'\"",
    "a\nb",
    "n" * 255,
    "n" * 256,
    "a/b/c",
    "../work/x",
    "./x/",
    "x/..",
    ".",
    "taken",
    "linked",
)
SHARES = "1/1", "1/2", "2/2", "0/1", "3/2", "1/0", "a/b", "", "1/999999999"
RUN = (
    ("--workers", ("1", "2", "0", "-1", "99999999999999999999", "x")),
    ("--share", SHARES),
    ("--shard", SHARES),
    ("--block-seconds", ("5", "1e-9", "0", "-1", "nan", "inf", "1e300", "x")),
    ("--dask", ("tcp://", "nowhere", "", "tcp://127.0.0.1:1")),
)  # fmt: skip
PREDICT = "shape", "spike", "sigma", "window", "momentum", "reach", "drift"
USUAL = {"shape": "40x60", "spike": "8", "sigma": "1", "window": "20", "momentum": "0.9", "reach": "0.9", "drift": "0.01"}


def case(draw: nasty.Random, work: Path) -> Case:
    """A command line, and what it finds in its folder."""
    return draw.choice((_run, _status, _status, _export, _export, _report, _reproduce, _predict, _predict, _probe, _any))(
        draw, work
    )


@cache
def _store() -> Path:
    """Results that every case has a copy of."""
    folder = Path(tempfile.mkdtemp(prefix="spikesim-fuzz-store-"))
    (folder / "spec.toml").write_text(SPEC, encoding="utf-8")
    Sweep.from_toml(folder / "spec.toml").run(folder / "results", block_seconds=1e-9, workers=1)
    return folder


def _placed(draw: nasty.Random, work: Path) -> tuple[str, Path]:
    """A name of a folder of results that is there, whole or damaged, or of another; and where that lies."""
    shutil.copytree(_store(), work, dirs_exist_ok=True)
    (work / "taken").write_text("a file")
    (work / "linked").symlink_to("results")
    for _ in range(draw.choice([0, 1, 1, 2])):
        _hurt(draw, work / "results")
    name = draw.choice(NAMES) if draw.random() < 0.3 else "results"
    if name == "linked":
        return name, work / "results"
    inside = os.path.normpath(work / name).removeprefix(f"{work}/")
    return name, work if name in (".", "x/..") else work / inside.split("/")[0]


def _hurt(draw: nasty.Random, folder: Path) -> None:
    """Damage one thing in a folder of results."""
    victim = draw.choice(sorted(p for p in folder.rglob("*")))
    kind = draw.randrange(9)
    if kind < 3 and victim.is_file():
        content = nasty.damaged(draw, victim.read_bytes())
        _sealed(victim, content) if draw.random() < 0.5 else victim.write_bytes(content)
    elif kind == 3:
        _removed(victim)
    elif kind == 4:
        _removed(victim)
        victim.mkdir() if draw.random() < 0.5 else victim.symlink_to(draw.choice(["..", "nothing", victim.name, "/dev/null"]))
    elif kind == 5 and victim.is_dir():
        _removed(victim)
        victim.write_bytes(b"x")
    elif kind == 6:
        _index(draw, folder / "index.json")
    else:
        inside = victim if victim.is_dir() else victim.parent
        stray = inside / draw.choice(["foreign", ".x.tmp", "0000000000-0000000003-" + "a" * 32 + ".parquet", "0123456789abcdef", "quarantine",
                                      "failures", "failures/0000000000-0000000002.json"])  # fmt: skip
        if stray.parent.is_dir() and not stray.exists():
            stray.mkdir() if draw.random() < 0.5 else stray.write_bytes(draw.choice([b"", b"{}", b"[1]", b"\xff"]))


def _removed(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)


def _sealed(path: Path, content: bytes) -> None:
    """Other bytes under a name that vouches for them."""
    name = ShardName.parsed(path.name)
    if name is None:
        path.write_bytes(content)
        return
    path.unlink()
    (path.parent / str(ShardName.of(path.parent, name.first, name.after, content))).write_bytes(content)


def _index(draw: nasty.Random, path: Path) -> None:
    """An index that says something else, in due form."""
    try:
        table = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return
    if not isinstance(table, dict) or not table.get("points") or draw.random() < 0.1:
        table = {"title": "", "quick": False, "points": []}
    else:
        point = draw.choice(table["points"])
        name = draw.choice(list(point))
        point[name] = draw.choice(
            [
                "../..",
                "x" * 300,
                "\x00",
                "",
                0,
                -1,
                10**30,
                {},
                {"law": "x"},
                {"": [nasty.value(draw)]},
                _until(draw),
                point[name],
            ]
        )
    try:
        index = Index.model_validate(table)
        path.write_text(index.model_copy(update={"digest": digest_of(index.content)}).model_dump_json())
    except (ValueError, TypeError):
        path.write_text(json.dumps(table))


def _until(draw: nasty.Random) -> dict[str, object]:
    """A rule to stop by, in due form."""
    where = draw.choice([{}, {"pipeline": "x"}, {"window": 2.0}, {"window": 3.0}])
    return {"mean": draw.choice(["alignment", "squares", "x"]), "standard_error": draw.choice([1e-9, 1.0]), **where}


def _flags(draw: nasty.Random, *flags: str) -> list[str]:
    return [flag for flag in flags if draw.random() < 0.3]


def _options(draw: nasty.Random, options: tuple[tuple[str, tuple[str, ...]], ...]) -> list[str]:
    return [f"{name}={draw.choice(values)}" for name, values in options if draw.random() < 0.25]


def _run(draw: nasty.Random, work: Path) -> Case:
    name, where = _placed(draw, work)
    flags = _flags(draw, "--json", "--fresh", "--quick", "--dry-run")
    options = _options(draw, RUN[:-1]) + (_options(draw, RUN[-1:]) if "--dry-run" in flags else [])
    return Case(("run", "spec.toml", f"--out={name}", *flags, *options), (where,))


def _status(draw: nasty.Random, work: Path) -> Case:
    name, where = _placed(draw, work)
    flags = _flags(draw, "--json", "--clean", "--forget")
    return Case(("status", *flags, "--", name), (where,) if "--clean" in flags else ())


def _export(draw: nasty.Random, work: Path) -> Case:
    name, _ = _placed(draw, work)
    suffix = draw.choice([".csv", ".nc", ".parquet", ".CSV", ".xlsx", ""])
    to = draw.choice(
        [
            "table",
            "a b",
            "ü漢字😀",
            "-x",
            "{x}%s",
            "a\nb",
            "n" * 240,
            "n" * 300,
            "absent/x",
            "taken/x",
            "./x",
            "../work/x",
            "results/x",
        ]
    )
    if draw.random() < 0.1:
        (work / "table.csv").mkdir(exist_ok=True)
    return Case(("export", f"--to={to}{suffix}", "--", name), (Path(os.path.normpath(work / (to + suffix))),))


def _report(draw: nasty.Random, work: Path) -> Case:
    name, where = _placed(draw, work)
    to = draw.choice([None, None, "x.html", "a b ü", "taken", "absent/x", "", "."])
    written = where / "report.html" if to is None else work / to
    words = () if to is None else (f"--to={to}",)
    return Case(("report", *words, *_flags(draw, "--json"), "--", name), () if to in ("", ".") else (written,))


def _reproduce(draw: nasty.Random, work: Path) -> Case:
    folder = work / "experiments"
    folder.mkdir()
    if draw.random() < 0.7:
        (folder / "x.toml").write_bytes(nasty.damaged(draw, SPEC.encode()))
        (folder / "x.py").write_text(draw.choice(["", "x", "GROUP = 1", "1/0", "def draw(): pass", "import absent"]))
    options = _options(draw, (("--published", ("absent", ".", "spec.toml")), ("--experiments", (*NAMES, "experiments"))))
    return Case(
        ("reproduce", *options, *_flags(draw, "--json", "--fresh", "--full"), "--results=r", "--figures=f"),
        (work / "r", work / "f", work / "experiments"),
    )


def _predict(draw: nasty.Random, _work: Path) -> Case:
    words = [
        w
        for name in PREDICT
        if draw.random() < (0.95 if name in PREDICT[:3] else 0.4)
        for w in (f"--{name}={_number(draw, name)}",)
    ]
    return Case(("predict", *words, *_flags(draw, "--json", f"--spike={_number(draw, 'spike')}")))


def _number(draw: nasty.Random, name: str) -> str:
    if draw.random() < 0.5:
        return USUAL[name]
    if name == "shape" and draw.random() < 0.8:
        return "x".join(str(draw.choice([1, 2, 3, 10**5, 10**9, 10**18, 0, -1])) for _ in range(draw.choice([2, 2, 2, 1, 3])))
    return nasty.text(draw)


def _probe(draw: nasty.Random, work: Path) -> Case:
    import numpy as np

    np.save(work / "g.npy", np.random.default_rng(0).normal(size=(48, 2, 3)))
    figure = draw.choice(["f", "f.png", "a b ü", "-x", "absent/f", "", ".", "..", "{x}$%", "n" * 300, "a\nb", "f.pdf"])
    drawn = draw.random() < 0.08  # which takes seconds
    name = draw.choice(["g.npy", "g.npy", "absent.npy", ".", "", "g.npy:x", "\udcff.npy", *NAMES])
    if drawn or figure in ("absent/f", "", ".", "..", "n" * 300):
        made = tuple(work / re.sub(r"\.(png|pdf)$", "", figure) for _ in range(1)) if figure not in ("", ".", "..") else ()
        writes = tuple(m.with_name(m.name + suffix) for m in made for suffix in (".png", ".pdf"))
        return Case(("probe", "--window=1", "--window=2", f"--figure={figure}", "--", name), writes)
    return Case(("probe", "--window=1", "--window=2", *_flags(draw, "--json"), "--", name))


def _any(draw: nasty.Random, work: Path) -> Case:
    """Words of all kinds; none that would begin what takes minutes."""
    (work / "spec.toml").write_text(SPEC, encoding="utf-8")
    words = [
        "run",
        "status",
        "export",
        "predict",
        "probe",
        "spec.toml",
        "--out",
        "--to",
        "--json",
        "--help",
        "--",
        "-h",
        "--clean",
        "out",
        "--dry-run",
    ]
    tried = [draw.choice(words) if draw.random() < 0.7 else nasty.text(draw) for _ in range(draw.randrange(6))]
    command = draw.choice(["verify", "reproduce", "run", "status", "export", "predict", "probe", "absent", ""])
    if command in ("verify", "reproduce"):
        tried.append("--no-such-option")
    return Case((command, *tried), (work,))
