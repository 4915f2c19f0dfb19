"""What the commands take: one type for each argument and option, with the words, unit and default that --help shows."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

SMALL = "small sizes, in minutes, by the quick tables of each spec"

Folder = Annotated[Path, Argument(metavar="DIR", help="Store to read: the folder that `spikesim run --out` wrote.")]
Fresh = Annotated[bool, Option("--fresh", help="Compute again what is already there.")]
Json = Annotated[bool, Option("--json", help="Print JSON, for programs, in place of text and progress.")]
Window = Annotated[float | None, Option(metavar="STEPS", help="Window T = 1/(1 - beta), at least 1, may be fractional.")]


def _say_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"spikesim {version('spikesim')}")
        raise Exit


Version = Annotated[bool, Option("--version", callback=_say_version, is_eager=True, help="Print the version and leave.")]

# run
SpecFile = Annotated[Path, Argument(metavar="SPEC.toml", help="Spec: a TOML file of models, grid and run.")]
Out = Annotated[Path, Option(metavar="DIR", help="Store to write: a folder of Parquet files for each point.")]
Quick = Annotated[bool, Option("--quick", help=f"Run at {SMALL}.")]
DryRun = Annotated[bool, Option("--dry-run", help="Only say what there is to do, how long it takes and how large it is.")]
Workers = Annotated[
    int | None, Option(metavar="COUNT", help="Blocks computed at a time.", show_default="as many as cores, 1 on a GPU")
]
ShareText = Annotated[
    str, Option(metavar="I/N", help="Compute only the I-th of N shares of the blocks, as one job of an array.")
]
Shard = Annotated[str | None, Option("--shard", hidden=True)]
"""An older name of --share."""
BlockSeconds = Annotated[
    float, Option(metavar="SECONDS", help="About how long a core works at a block; longer for thousands of cores.")
]
Dask = Annotated[
    str | None, Option(metavar="ADDRESS", help="Compute on the workers of this Dask scheduler, as tcp://host:8786.")
]

# status
Clean = Annotated[bool, Option("--clean", help="Remove damaged and left-over files; not while a run is at work.")]
Forget = Annotated[bool, Option("--forget", help="With --clean: remove points that the spec run last does not have, too.")]

# export
To = Annotated[
    Path, Option(metavar="FILE", help="NAME.csv or NAME.parquet: a table of means over trials. NAME.nc: every trial.")
]

# report
Reported = Annotated[Path, Argument(metavar="DIR", help="Store to read, or a folder that holds several.")]
Page = Annotated[
    Path | None, Option("--to", metavar="FILE.html", help="Page to write.", show_default="report.html in the folder")
]

# reproduce
Full = Annotated[bool, Option("--full/--quick", help=f"Run at the paper's sizes, in hours, or at {SMALL}.")]
Experiments = Annotated[Path, Option(metavar="DIR", help="Folder of experiments, each NAME.toml with NAME.py.")]
Results = Annotated[
    Path | None, Option(metavar="DIR", help="Folder for a store each.", show_default="results, or results/quick")
]
Figures = Annotated[
    Path | None, Option(metavar="DIR", help="Folder for the figures.", show_default="figures, or figures/quick")
]
Published = Annotated[
    Path | None, Option(metavar="FILE", help="The authors' grid.json, to compare with; without it limits are drawn instead.")
]

# verify
Every = Annotated[bool, Option("--all", help="Print every finding, not only one row a claim.")]

# predict
Shape = Annotated[str, Option(metavar="MxN", help="Rows and columns of the layer, as 4096x16384.")]
Spikes = Annotated[
    list[float], Option(metavar="SIZE", help="A spike: singular value of the signal; the option once for each.")
]
Sigma = Annotated[
    float, Option(metavar="SIZE", help="Standard deviation of one noise entry of one gradient, in the spikes' unit.")
]
Momentum = Annotated[float | None, Option(metavar="BETA", help="Momentum beta in [0, 1), in place of the window.")]
Reach = Annotated[
    float | None, Option(metavar="ALIGNMENT", help="Wanted alignment in (0, 1): say the smallest window that has it.")
]
Drift = Annotated[
    float | None, Option(metavar="RADIANS", help="Angle that left singular vectors turn by a step: say the best window.")
]

# probe
Recording = Annotated[
    str, Argument(metavar="FILE", help="Recording (K, m, n): NAME.npy, NAME.npz, NAME.safetensors or NAME.npz:ARRAY.")
]
Kind = Annotated[
    str, Option(metavar="KIND", help="What was recorded: stationary, batches at fixed weights; trajectory, successive steps.")
]
Twin = Annotated[
    str | None,
    Option(metavar="FILE", help="Of a trajectory: a recording of other batches at the same weights, step by step."),
]
Windows = Annotated[
    list[float] | None,
    Option(metavar="STEPS", help="A window T to try, at most K/12; the option once for each.", show_default="a grid"),
]
Ranks = Annotated[
    list[int] | None,
    Option(metavar="COUNT", help="A rank of subspaces to compare; the option once for each.", show_default="1, 2, 4, 8, 16"),
]
Pipelines = Annotated[
    list[str] | None,
    Option(
        metavar="STAGES",
        help='A pipeline, as "Clip(3.0) -> Filter() -> Polar()"; the option once for each.',
        show_default="the four of the theory",
    ),
]
Reached = Annotated[float, Option(metavar="ALIGNMENT", help="Wanted alignment in (0, 1), where no drift limits the window.")]
Readings = Annotated[
    int | None,
    Option(
        metavar="COUNT",
        help="How often updates are read, at least 20; more is slower and less noisy.",
        show_default="48, 192 with --twin",
    ),
]
Seed = Annotated[int, Option(metavar="NUMBER", help="Seed of random orders and signs.")]
Figure = Annotated[Path | None, Option(metavar="NAME", help="Draw one page, NAME.png and NAME.pdf.")]
