"""What is done of a point: the files say it, whatever wrote them and in whatever order."""

from itertools import chain, combinations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from spikesim.sweep import shard
from spikesim.sweep.ledger import QUARANTINE, Ledger, disjoint
from spikesim.sweep.shard import ShardName

spans = st.tuples(st.integers(0, 12), st.integers(1, 6))
fixed = settings(derandomize=True, database=None, deadline=None)


def name(first, after, digest="0"):
    return ShardName(first, after, digest * shard.DIGITS)


def numbers(trials):
    """A dataset whose values are a function of the trial alone, as a simulation's are."""
    x = np.sqrt(np.array(trials, float) + 2)
    return xr.Dataset({"x": (("trial",), x), "y": (("trial", "window"), x[:, None] * [1, 3])},
                      {"trial": np.array(trials), "window": [1.0, 2.0]}, {"model": "m"})  # fmt: skip


def overlap(some):
    taken = list(chain.from_iterable(s.trials for s in some))
    return len(taken) > len(set(taken))


@given(st.lists(spans, max_size=7, unique=True))
@fixed
def test_the_shards_used_are_disjoint_and_none_hold_more(found):
    shards = [name(first, first + length) for first, length in found]
    used = disjoint(shards)
    assert not overlap(used)
    assert used == sorted(used)
    subsets = chain.from_iterable(combinations(shards, k) for k in range(len(shards) + 1))
    most = max(sum(len(s.trials) for s in some) for some in subsets if not overlap(some))
    assert sum(len(s.trials) for s in used) == most
    assert disjoint(shards[::-1]) == used


@given(st.lists(spans, max_size=4), st.integers(0, 5), st.integers(0, 20), st.integers(1, 9))
@fixed
def test_missing_blocks_and_used_shards_are_all_trials_once(tmp_path_factory, found, start, count, size):
    ledger, trials = Ledger(tmp_path_factory.mktemp("point")), range(start, start + count)
    for first, length in found:
        shard.write(ledger.folder, numbers(range(first, first + length)))
    blocks = list(ledger.missing(trials, size))
    assert sorted(chain(*blocks, *(s.trials for s in ledger.used(trials)))) == list(trials)
    for block in blocks:
        assert 1 <= len(block) <= size
        assert block.start // size == (block.stop - 1) // size  # inside one multiple: runs of one size cut alike


def test_trials_come_back_from_any_blocks_the_same(tmp_path):
    whole = numbers(range(30))
    for size in (1, 7, 30):
        ledger = Ledger(tmp_path / str(size))
        for block in list(ledger.missing(range(30), size))[::-1]:
            shard.write(ledger.folder, numbers(block))
        assert ledger.read(range(30)).identical(whole)
        aligned = range(30 - 30 % size - size, 30 - 30 % size)
        assert ledger.read(aligned).identical(numbers(aligned))


@pytest.mark.filterwarnings("error")
def test_missing_trials_are_said_and_nothing_is_made_up(tmp_path):
    ledger = Ledger(tmp_path)
    shard.write(tmp_path, numbers(range(5)))
    with pytest.raises(ValueError, match="need all trials, got found=5, wanted=8; `spikesim run SPEC --out "):
        ledger.read(range(8))


def test_a_damaged_shard_is_set_aside_and_computed_again(tmp_path):
    ledger = Ledger(tmp_path)
    names = [shard.write(tmp_path, numbers(range(a, a + 5))) for a in (0, 5)]
    path = tmp_path / str(names[1])
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert ledger.damaged() == [names[1]]
    with pytest.raises(ValueError, match="need all trials, got found=5, wanted=10"):
        ledger.read(range(10))
    assert ledger.damaged() == [names[1]]  # reading changes nothing
    ledger.set_aside(names[1])
    assert ledger.damaged() == []
    assert ledger.left_over(range(10)) == [tmp_path / QUARANTINE / str(names[1])]
    assert list(ledger.missing(range(10), 10)) == [range(5, 10)]
    shard.write(tmp_path, numbers(range(5, 10)))
    assert ledger.read(range(10)).identical(numbers(range(10)))


def test_what_is_left_over_is_listed_and_what_is_needed_is_not(tmp_path):
    ledger = Ledger(tmp_path)
    for trials in (range(10), range(3, 6), range(20, 40)):
        shard.write(tmp_path, numbers(trials))
    (tmp_path / ".x.parquet.1.tmp").write_bytes(b"torn")
    left = [path.name[:21] for path in ledger.left_over(range(10))]
    assert left == [".x.parquet.1.tmp", "0000000003-0000000006"]  # trials 20 to 39 are for a run that asks for more
    assert Ledger(tmp_path / "none").left_over(range(10)) == []


@pytest.mark.parametrize(("trials", "size", "message"), [(range(0, 9, 2), 1, "consecutive"), (range(9), 0, "size >= 1")])
def test_bad_questions_are_refused(tmp_path, trials, size, message):
    with pytest.raises(ValueError, match=f"need {message}"):
        list(Ledger(tmp_path).missing(trials, size))


class Life(RuleBasedStateMachine):
    """Runs, kills, damage, fresh starts and cleaning in any order, against a dictionary: trials of a file -> its bytes."""

    def __init__(self):
        super().__init__()
        import tempfile
        from pathlib import Path

        self.room = tempfile.TemporaryDirectory()
        self.ledger, self.written, self.torn = Ledger(Path(self.room.name, "point")), {}, 0

    def teardown(self):
        self.room.cleanup()

    def write(self, block):
        """A block of a run: committed, unless its trials are there already."""
        if list(self.ledger.missing(block, len(block))):
            name = shard.write(self.ledger.folder, numbers(block))
            self.written[block.start, block.stop] = (self.ledger.folder / str(name)).read_bytes()

    def held(self, stop):
        """Trials that files of the model answer for: the most that can be held without a trial twice."""
        inside = [name(*span) for span in self.written if span[1] <= stop]
        return set(chain.from_iterable(s.trials for s in disjoint(inside)))

    @rule(stop=st.integers(1, 24), size=st.integers(1, 9), killed_after=st.integers(0, 4), torn=st.booleans())
    def run(self, stop, size, killed_after, torn):
        """To any end, so that later runs extend it or ask for less; killed between two blocks, or within one."""
        for block in list(self.ledger.missing(range(stop), size))[:killed_after]:
            self.write(block)
        if torn and self.ledger.folder.is_dir():
            self.torn += 1
            (self.ledger.folder / f".0000000000-0000000005-x.parquet.{self.torn}.tmp").write_bytes(b"PAR1")

    @rule(
        sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)),
        stops=st.tuples(*[st.integers(1, 24)] * 2),
        turns=st.integers(0),
    )
    def two_runs_at_once(self, sizes, stops, turns):
        """Both have planned before either writes; they take turns in any order, and come to their ends."""
        plans = [list(self.ledger.missing(range(stop), size)) for stop, size in zip(stops, sizes, strict=True)]
        while plans[0] or plans[1]:
            turns, whose = divmod(turns, 2)
            self.write(plans[whose if plans[whose] else 1 - whose].pop(0))
        assert list(self.ledger.missing(range(stops[0]), 5)) == list(self.ledger.missing(range(stops[1]), 5)) == []

    @rule(stop=st.integers(1, 24), size=st.integers(1, 9))
    def fresh(self, stop, size):
        """All trials again: nothing old answers for them."""
        for old in self.ledger.inside(range(stop)):
            self.ledger.set_aside(old)
            del self.written[old.first, old.after]
        assert list(self.ledger.missing(range(stop), stop)) == [range(stop)]
        for block in self.ledger.missing(range(stop), size):
            self.write(block)

    @rule(pick=st.randoms(use_true_random=False), read=st.booleans())
    def damage(self, pick, read):
        """Noticed by a reader, who sets aside what he meets, or by a run, which looks at all."""
        names = shard.shards(self.ledger.folder)
        if not names:
            return
        one = pick.choice(names)
        path = self.ledger.folder / str(one)
        path.write_bytes(path.read_bytes()[:-3])
        del self.written[one.first, one.after]
        if read:
            found = self.ledger.found(range(24))
            assert set(chain.from_iterable(part.trial.values.tolist() for part in found)) <= self.held(24)
        for bad in self.ledger.damaged():
            assert bad == one
            self.ledger.set_aside(bad)

    @rule(stop=st.integers(1, 24))
    def clean(self, stop):
        before = self.held(stop)
        for path in self.ledger.left_over(range(stop)):
            path.unlink()
            found = ShardName.parsed(path.name)
            if found and path.parent == self.ledger.folder:
                del self.written[found.first, found.after]
        assert self.held(stop) == before
        assert not list(self.ledger.folder.glob(".*.tmp"))
        assert not list(self.ledger.folder.glob(f"{QUARANTINE}/*"))

    @invariant()
    def the_files_are_those_of_the_dictionary_byte_by_byte(self):
        names = shard.shards(self.ledger.folder)
        assert {(s.first, s.after): (self.ledger.folder / str(s)).read_bytes() for s in names} == self.written
        assert len(names) == len(self.written)

    @invariant()
    def what_is_there_is_found_once_and_right(self):
        found = self.ledger.found(range(24))
        trials = [t for part in found for t in part.trial.values.tolist()]
        assert trials == sorted(self.held(24))
        assert sorted([*trials, *chain(*self.ledger.missing(range(24), 5))]) == list(range(24))
        for part in found:
            assert part.identical(numbers(range(part.trial.values[0], part.trial.values[-1] + 1)))

    @invariant()
    def a_finished_run_has_every_trial_once(self):
        if not list(self.ledger.missing(range(24), 5)):
            assert self.ledger.read(range(24)).identical(numbers(range(24)))


TestLife = Life.TestCase
TestLife.settings = settings(fixed, max_examples=40, stateful_step_count=12)


def test_a_shard_is_believed_only_where_it_was_written(tmp_path):
    here, there = Ledger(tmp_path / "a"), Ledger(tmp_path / "b")
    name = shard.write(here.folder, numbers(range(5)))
    content = (here.folder / str(name)).read_bytes()
    there.folder.mkdir()
    (there.folder / str(name)).write_bytes(content)  # another point's
    renamed = ShardName(5, 10, name.digest)
    (here.folder / str(renamed)).write_bytes(content)  # other trials'
    assert (here.damaged(), there.damaged()) == ([renamed], [name])
    assert here.read(range(5)).identical(numbers(range(5)))
    for ledger, trials in ((here, range(10)), (there, range(5))):
        with pytest.raises(ValueError, match="need all trials"):
            ledger.read(trials)


def test_a_folder_or_a_dangling_link_by_a_shards_name_is_damaged(tmp_path):
    ledger, good = Ledger(tmp_path), shard.write(tmp_path, numbers(range(5)))
    names = [name(5, 10), name(10, 15)]
    (tmp_path / str(names[0])).mkdir()
    (tmp_path / str(names[1])).symlink_to(tmp_path / "nothing")
    assert ledger.damaged() == names
    assert ledger.read(range(5)).identical(numbers(range(5)))
    for one in names:
        ledger.set_aside(one)
    assert shard.shards(tmp_path) == [good]
    assert list(ledger.missing(range(15), 5)) == [range(5, 10), range(10, 15)]
