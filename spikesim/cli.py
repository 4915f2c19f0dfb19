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
from typing import Annotated

import typer

KEPT = "stopped; finished blocks are kept, and the same command goes on from there"
TRACEBACK = "SPIKESIM_TRACEBACK"
"""In the environment, if not empty: an error that nobody thought of ends in its traceback."""

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
    help="Monte-Carlo instrument for momentum and orthogonalisation.",
)  # fmt: skip

Fresh = Annotated[bool, typer.Option("--fresh", help="Compute again what is already there.")]
Json = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON, and no progress.")]


@app.command()
def run(
    spec: Annotated[Path, typer.Argument(help="TOML file: models, grid, run (see experiments/).")],
    out: Annotated[Path, typer.Option(help="Folder for results, a folder of Parquet files a design point.")],
    workers: Annotated[int | None, typer.Option(help="Blocks at a time.  [default: as many as cores, 1 on a GPU]")] = None,
    shard: Annotated[str, typer.Option(help="i/n: only the i-th of n shares of the blocks, for job arrays.")] = "1/1",
    block_seconds: Annotated[float, typer.Option(help="Of a core, about, for a block; longer for thousands of cores.")] = 5.0,
    dask: Annotated[str | None, typer.Option(help="Compute on the workers of this Dask scheduler (tcp://host:port).")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what there is to do, how long and how large, no more.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Apply the spec's tables for quick runs.")] = False,
    fresh: Fresh = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print progress and outcome as lines of JSON.")] = False,
) -> None:
    """Simulate what SPEC asks for; trials already in the folder are kept. Exit code 1 if a block failed, 130 if stopped."""
    from spikesim.progress import Bar
    from spikesim.sweep.cluster import opened
    from spikesim.sweep.forecast import forecast
    from spikesim.sweep.plan import Share
    from spikesim.sweep.run import run_spec
    from spikesim.sweep.spec import Spec
    from spikesim.sweep.store import Store

    read, share = Spec.from_toml(spec, quick), Share.parsed(shard)
    if dry_run:
        expected = forecast(read, Store(out), fresh, workers, share, block_seconds)
        print(json.dumps(expected.as_json()) if as_json else expected.text)
        return
    kept = KEPT if not fresh else f"{KEPT.partition(';')[0]}; finished blocks are kept, and the same without --fresh goes on"
    with _finishing(kept) as stop, opened(dask, workers) as executor, Bar(as_json=as_json).run(spec.stem) as show:
        ran = run_spec(
            read, Store(out), quick, fresh, show, stop, workers=workers, executor=executor, share=share,
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


@app.command()
def status(
    folder: Annotated[Path, typer.Argument(help="Folder of `spikesim run`.")],
    clean: Annotated[
        bool,
        typer.Option("--clean", help="Remove damaged files and those that answer for nothing; not while a run is at work."),
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="With --clean: points that the last spec does not have, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """What is done of a run, and whether every file is as it was written. Exit code 1 if one is not, or a block failed."""
    from spikesim.errors import need
    from spikesim.sweep import status as states
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
    if any(p.failed or (p.damaged and not clean) for p in points):
        raise typer.Exit(1)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Folder of `spikesim run`.")],
    to: Annotated[Path, typer.Option(help="FILE.csv or FILE.parquet: a table over trials. FILE.nc: every trial.")],
) -> None:
    """Write a run's results as one file for other programs."""
    from spikesim.sweep.export import export as write
    from spikesim.sweep.store import Store

    missing = write(Store(folder), to)
    print(to)
    if missing:
        print(f"{missing} trials are missing from it: `spikesim status` says which", file=sys.stderr)


@app.command()
def reproduce(
    full: Annotated[bool, typer.Option("--full/--quick", help="The paper's settings, or small matrices in minutes.")] = False,
    experiments: Annotated[Path, typer.Option(help="Folder of experiments.")] = Path("experiments"),
    results: Annotated[Path | None, typer.Option(help="Folder for results.  [default: results or results/quick]")] = None,
    figures: Annotated[Path | None, typer.Option(help="Folder for figures.  [default: figures or figures/quick]")] = None,
    published: Annotated[
        Path | None, typer.Option(help="The authors' grid.json; without it limits are drawn in its place.")
    ] = None,
    fresh: Fresh = False,
    as_json: Json = False,
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


@app.command()
def verify(
    every: Annotated[bool, typer.Option("--all", help="Print every setting, not one row a claim.")] = False,
    as_json: Json = False,
) -> None:
    """Hold every bound and formula against simulation, with a verdict on each. Exit code 1 if any is BROKEN."""
    from spikesim.progress import Bar
    from spikesim.verify import table
    from spikesim.verify.run import verify as verify_all

    with _stoppable("stopped; nothing was kept"), Bar(quiet=as_json).task("verify", "settings") as advance:
        rows = verify_all(advance)
    print(json.dumps(table.as_json(rows), indent=1, allow_nan=False) if as_json else table.text(rows, _width(), every))
    if any(row.verdict == "BROKEN" for row in rows):
        raise typer.Exit(1)


@app.command()
def predict(
    shape: Annotated[str, typer.Option(help="Rows and columns, such as 4096x16384.")],
    spike: Annotated[list[float], typer.Option(help="A singular value of the signal; once for each.")],
    sigma: Annotated[float, typer.Option(help="Standard deviation of one noise entry of one gradient.")],
    window: Annotated[float | None, typer.Option(help="T = 1/(1 - beta), in steps.")] = None,
    momentum: Annotated[float | None, typer.Option(help="beta, in place of the window.")] = None,
    reach: Annotated[float | None, typer.Option(help="Wanted alignment: the smallest window that has it.")] = None,
    drift: Annotated[float | None, typer.Option(help="Radians that u turns by a step: the best window.")] = None,
    as_json: Json = False,
) -> None:
    """Closed forms for one layer, without simulation: what a window gives, and which to choose."""
    from spikesim.predict import predict as closed
    from spikesim.predict import shape_from, text, window_from

    found = closed(shape_from(shape), spike, sigma, window_from(window, momentum), reach, drift)
    print(json.dumps(found.as_json(), indent=1) if as_json else text(found, _width()))


@app.command()
def probe(
    gradients: Annotated[str, typer.Argument(help="Recorded gradients (K, m, n): FILE.npy, FILE.npz, FILE.npz:name, ....")],
    kind: Annotated[
        str, typer.Option(help="stationary: batches at fixed weights. trajectory: successive steps of training.")
    ] = "stationary",
    window: Annotated[list[float] | None, typer.Option(help="A window T to try; once for each.  [default: a grid]")] = None,
    rank: Annotated[list[int] | None, typer.Option(help="A subspace's rank; once for each.  [default: 1, 2, 4, ...]")] = None,
    pipeline: Annotated[
        list[str] | None, typer.Option(help='A pipeline, such as "Clip(3.0) -> Filter() -> Polar()".  [default: the four]')
    ] = None,
    reach: Annotated[float, typer.Option(help="Wanted alignment, where no drift limits the window.")] = 0.9,
    twin: Annotated[
        str | None, typer.Option(help="Of a trajectory: gradients of other batches at the same weights, step by step.")
    ] = None,
    readings: Annotated[int | None, typer.Option(help="How often updates are read.  [default: 48, 192 with --twin]")] = None,
    seed: Annotated[int, typer.Option(help="Of random orders and signs.")] = 0,
    figure: Annotated[Path | None, typer.Option(help="Draw a page, FIGURE.png and FIGURE.pdf.")] = None,
    as_json: Json = False,
) -> None:
    """Hold recorded gradients of one layer against the theory: noise, rank, alignment, and which momentum they ask for."""
    from spikesim.errors import need
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
        print(f"error: need a usable file or folder, got {error.filename!r}: {error.strerror or error}", file=sys.stderr)
        sys.exit(2)
    except (ValueError, MemoryError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
