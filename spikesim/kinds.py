"""The kinds of experiment, told apart by a table of their file: what each asks for, how that is made, and how it is read.

[model], [run]   a simulation (sweep/spec.py); drawn from a Store
[records]        numbers on record (records.py); drawn from Records
[probe]          probes of recordings or simulated streams (probe/study.py); drawn from Probes
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from spikesim.errors import need
from spikesim.probe.kept import Probes, run_study
from spikesim.probe.study import Study
from spikesim.progress import Bar
from spikesim.records import Records
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

Asked = Spec | Records | Study
Drawn = Store | Records | Probes

SIMULATION, RECORDS, PROBES = "simulation", "records", "probes"


@dataclass(frozen=True)
class Made:
    """What an experiment draws from, and what that took.

    Attributes:
        drawn: What its script is given.
        computed: Points, or streams, of which anything was computed.
        kept: Those of which nothing was.
    """

    drawn: Drawn
    computed: int
    kept: int

    @property
    def kind(self) -> str:
        """SIMULATION, RECORDS or PROBES."""
        return {Store: SIMULATION, Records: RECORDS, Probes: PROBES}[type(self.drawn)]

    @property
    def seconds(self) -> float:
        """Core-seconds of simulation or probing, or of what made the records."""
        if isinstance(self.drawn, Store):
            return float(sum(result.data.attrs["seconds"] for result in self.drawn))
        return self.drawn.seconds


def kind_of(path: Path) -> str:
    """Of an experiment's file; SIMULATION for one that cannot be read, as its spec then says why."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return SIMULATION
    return RECORDS if "records" in table else PROBES if "probe" in table else SIMULATION


def asked(path: Path, quick: bool) -> Asked:
    """What an experiment's file asks for; raises as its kind does."""
    kind = kind_of(path)
    if kind == RECORDS:
        return Records.from_toml(path)
    return Study.from_toml(path, quick) if kind == PROBES else Spec.from_toml(path, quick)


def made(name: str, what: Asked, results: Path, fresh: bool, bar: Bar, quick: bool) -> Made:
    """Have everything that an experiment draws from.

    Args:
        name: Of the experiment.
        what: That its file asks for.
        results: Folder of its own.
        fresh: Compute again what is there.
        bar: Shows progress.
        quick: Recorded with results of a spec.
    """
    if isinstance(what, Records):
        return Made(what, 0, 1)
    with bar.run(name) as advance:
        if isinstance(what, Study):
            return Made(Probes(what, results), *run_study(what, results, fresh, advance))
        store = Store(results)
        ran = run_spec(what, store, quick, fresh, advance)
    return Made(store, ran.computed, ran.kept)


def read(path: Path, results: Path) -> Drawn:
    """What an experiment's script draws from, as an earlier run left it.

    Raises:
        ValueError: If the results are not those of this experiment.
    """
    what = asked(path, quick=False)
    if isinstance(what, Records):
        return what
    if isinstance(what, Study):
        return Probes(what, results)
    store = Store(results)
    need(store.index.title == what.title, f"results of {path.name}", title=store.index.title)
    return store
