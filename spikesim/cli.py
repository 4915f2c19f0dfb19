"""Command line: one screen of sub-commands, no logic. Exit code 0: done; 1: a check failed; 2: bad usage or input."""

import io
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import typer

from spikesim import options as given
from spikesim.errors import need, refused

KEPT = "stopped; finished blocks are kept, and the same command goes on from there"
TRACEBACK = "SPIKESIM_TRACEBACK"
"""In the environment, if not empty: an error that nobody thought of ends in its traceback."""

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done and held; 1 a claim or a check failed; 2 bad usage or input; 130 stopped.",
)  # fmt: skip


@app.callback()
def spikesim(version: given.Version = False) -> None:
    """Monte-Carlo instrument for momentum and orthogonalisation in optimizers like Muon. Words: docs/glossary.md."""


@app.command(epilog="Example: spikesim run experiments/drift.toml --out results/drift --quick")
def run(
    spec: given.SpecFile,
    out: given.Out,
    quick: given.Quick = False,
    fresh: given.Fresh = False,
    dry_run: given.DryRun = False,
    workers: given.Workers = None,
    share: given.ShareText = "1/1",
    shard: given.Shard = None,
    block_seconds: given.BlockSeconds = 5.0,
    dask: given.Dask = None,
    as_json: given.Json = False,
) -> None:
    """Simulate what a spec asks for; trials that the store has are kept.

    Exit code 1 if a block failed, 130 if stopped. With --json each line is an object: progress, then the end.
    """
    from spikesim.progress import Bar
    from spikesim.sweep.cluster import opened
    from spikesim.sweep.forecast import forecast
    from spikesim.sweep.plan import Share
    from spikesim.sweep.run import run_spec
    from spikesim.sweep.spec import Spec
    from spikesim.sweep.store import Store

    read, part = Spec.from_toml(spec, quick), Share.parsed(shard or share)
    if dry_run:
        expected = forecast(read, Store(out), fresh, workers, part, block_seconds)
        print(json.dumps(expected.as_json()) if as_json else expected.text)
        return
    kept = KEPT if not fresh else f"{KEPT.partition(';')[0]}; finished blocks are kept, and the same without --fresh goes on"
    with _finishing(kept) as stop, opened(dask, workers) as executor, Bar(as_json=as_json).run(spec.stem) as show:
        ran = run_spec(
            read, Store(out), quick, fresh, show, stop, workers=workers, executor=executor, share=part,
            block_seconds=block_seconds,
        )  # fmt: skip
    print(json.dumps(ran.as_json(str(out))) if as_json else f"{ran.text}, in {out}")
    for note in ran.notes:
        print(note, file=sys.stderr)
    if ran.stopped:
        print(kept, file=sys.stderr)
        raise typer.Exit(130)
    if ran.failed:
        print("the same command tries again what failed; `spikesim status` has it on record", file=sys.stderr)
        raise typer.Exit(1)


@app.command(epilog="Example: spikesim status results/drift")
def status(
    folder: given.Folder, clean: given.Clean = False, forget: given.Forget = False, as_json: given.Json = False
) -> None:
    """Say which trials a store has, and whether every file is as it was written.

    Exit code 1 if a file is damaged, or a block failed.
    """
    from spikesim.sweep import status as states
    from spikesim.sweep.remedy import of_damage
    from spikesim.sweep.store import Store

    need(clean or not forget, "--forget with --clean", clean=clean)
    store = Store(folder)
    points, others, stray = states.status(store), states.others(store), states.temporary(store)
    removed = states.clean(store, forget) if clean else 0
    if as_json:
        found = {
            "points": states.as_json(points),
            "other_points": [p.name for p in others],
            "left_over": [p.name for p in stray],
            "removed": removed,
        }
        print(json.dumps(found, indent=1))
    else:
        print(states.text(points, len(others), len(stray)) + (f"; removed: {removed}" if clean else ""))
    damaged = [] if clean else [path for p in points for path in p.damaged]
    if damaged:
        print(of_damage(damaged), file=sys.stderr)
    if damaged or any(p.failed for p in points):
        raise typer.Exit(1)


@app.command(epilog="Example: spikesim export results/drift --to drift.csv")
def export(folder: given.Folder, to: given.To) -> None:
    """Write a store's results as one file for other programs, and say which."""
    from spikesim.sweep.export import export as write
    from spikesim.sweep.store import Store

    missing = write(Store(folder), to)
    print(to)
    if missing:
        print(f"{missing} trials are missing from it: `spikesim status` says which", file=sys.stderr)


@app.command(epilog="Example: spikesim report results/drift")
def report(
    stores: given.Reported,
    to: given.Page = None,
    as_json: given.Json = False,
) -> None:
    """Write a store's results as one HTML page: figures, tables, verdicts.

    Exit code 1 if a claim is BROKEN or a stored file is damaged.
    """
    from spikesim.page.write import write

    with _stoppable("stopped; nothing was written"):
        done = write(stores, to)
    print(json.dumps(done.as_json(), indent=1, allow_nan=False) if as_json else done.path)
    for note in done.notes:
        print(note, file=sys.stderr)
    if done.notes:
        raise typer.Exit(1)


@app.command(epilog="Example: spikesim reproduce --quick")
def reproduce(
    full: given.Full = False,
    fresh: given.Fresh = False,
    experiments: given.Experiments = Path("experiments"),
    results: given.Results = None,
    figures: given.Figures = None,
    published: given.Published = None,
    as_json: given.Json = False,
) -> None:
    """Run all experiments, draw their figures, and print what was found."""
    from spikesim import report
    from spikesim.progress import Bar
    from spikesim.reproduce import QUICK_NOTE
    from spikesim.reproduce import reproduce as run_all

    below = () if full else ("quick",)
    to = results or Path("results", *below), figures or Path("figures", *below)
    with _stoppable():
        done = run_all(experiments, *to, quick=not full, fresh=fresh, published=published, bar=Bar(quiet=as_json))
    if as_json:
        print(json.dumps(report.as_json(done), indent=1))
        return
    print(report.text(done, _width()))
    print(f"Figures are in {to[1]}." + ("" if full else f" {QUICK_NOTE}"))


@app.command(epilog="Example: spikesim verify --all")
def verify(every: given.Every = False, as_json: given.Json = False) -> None:
    """Hold every claim (bound or formula) against simulation, with a verdict on each; minutes.

    Exit code 1 if a claim is BROKEN.
    """
    from spikesim.progress import Bar
    from spikesim.verify import table
    from spikesim.verify.run import verify as verify_all

    with _stoppable("stopped; nothing was kept"), Bar(quiet=as_json).task("verify", "settings") as advance:
        rows = verify_all(advance)
    print(json.dumps(table.as_json(rows), indent=1, allow_nan=False) if as_json else table.text(rows, _width(), every))
    if any(row.verdict == "BROKEN" for row in rows):
        raise typer.Exit(1)


@app.command(epilog="Example: spikesim predict --shape 4096x16384 --spike 8 --sigma 1 --window 20 --reach 0.9")
def predict(
    shape: given.Shape,
    spike: given.Spikes,
    sigma: given.Sigma,
    window: given.Window = None,
    momentum: given.Momentum = None,
    reach: given.Reach = None,
    drift: given.Drift = None,
    as_json: given.Json = False,
) -> None:
    """Closed forms for one layer, without simulation: what a window gives, and which to choose."""
    from spikesim.predict import predict as closed
    from spikesim.predicted import shape_from, text, window_from

    found = closed(shape_from(shape), spike, sigma, window_from(window, momentum), reach, drift)
    print(json.dumps(found.as_json(), indent=1) if as_json else text(found, _width()))


@app.command(epilog="Example: spikesim probe gradients/layer.npy --kind trajectory --figure page")
def probe(
    gradients: given.Recording,
    kind: given.Kind = "stationary",
    twin: given.Twin = None,
    window: given.Windows = None,
    rank: given.Ranks = None,
    pipeline: given.Pipelines = None,
    reach: given.Reached = 0.9,
    readings: given.Readings = None,
    seed: given.Seed = 0,
    figure: given.Figure = None,
    as_json: given.Json = False,
) -> None:
    """Hold recorded gradients of one layer against the theory: noise, rank, alignment, and which momentum they ask for."""
    from spikesim.pipelines import PIPELINES
    from spikesim.probe.probe import probe as probed

    if figure is not None:
        figure = figure.with_suffix("") if figure.suffix in (".png", ".pdf") else figure
        good = figure.name not in ("", ".", "..") and figure.parent.is_dir() and not figure.is_dir()
        need(good, "a figure's name in a folder that is there", figure=str(figure))
    with _stoppable("stopped; nothing was kept"):
        found = probed(
            gradients, kind=kind, windows=window or None, ranks=rank or None, pipelines=pipeline or PIPELINES, reach=reach,
            readings=readings, seed=seed, twin=twin,
        )  # fmt: skip
        if figure is not None:
            found.draw(figure.parent, figure.name)
    print(json.dumps(found.as_json(), indent=1, allow_nan=False) if as_json else found.text(_width()))


def _width() -> int:
    """Columns to print in."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 150


@contextmanager
def _finishing(said: str) -> Iterator[Event]:
    """An event that Ctrl-C and SIGTERM set, so that what is under way is finished; the second time they end it at once."""
    stop, before = Event(), {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}

    def ask(_number: int, _frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        print("stopping after the block under way; once more to stop at once", file=sys.stderr)

    with _stoppable(said):
        try:
            for number in before:
                signal.signal(number, ask)
            yield stop
        finally:
            for number, handler in before.items():  # asked to stop, only words are left: one more Ctrl-C must not cut them
                signal.signal(number, signal.SIG_IGN if stop.is_set() else handler)


@contextmanager
def _stoppable(said: str = KEPT) -> Iterator[None]:
    """Ctrl-C ends the command with a word and exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        print(said, file=sys.stderr)
        raise typer.Exit(130) from None


def main() -> None:
    """Entry point: bad input ends in one message and exit code 2, and never anything in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that is no text, or a "±" where only ASCII is, is shown as "\xb1"
            stream.reconfigure(errors="backslashreplace")
    try:
        answered(app)
        sys.stdout.flush()
    except BrokenPipeError:  # as of `| head`: who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the interpreter's end
        sys.exit(1)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        said = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"error: unexpected {said}; a fault of spikesim, please report it: {TRACEBACK}=1 shows more", file=sys.stderr)
        sys.exit(70)


def answered(command: Callable[[], object]) -> None:
    """Do what a command does; what it refuses is one message and exit code 2, and any other error goes on."""
    try:
        command()
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"error: {refused(error)}", file=sys.stderr)
        sys.exit(2)
    except (ValueError, MemoryError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
