"""One byte of a shard changed, or any end of it cut off: said, never read as numbers, set aside, and computed again."""

import json

import numpy as np
import pytest
import survival

from spikesim.sweep import shard
from spikesim.sweep import status as states
from spikesim.sweep.contents import DamagedError
from spikesim.sweep.ledger import QUARANTINE
from spikesim.sweep.run import run_spec
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store

TRIALS = 2
SPEC = survival.table(TRIALS, [0.5], windows=[4])
SAMPLE = 60


class Patient:
    """A store of one shard, which is damaged again and again."""

    def __init__(self, folder):
        self.spec, self.store = Spec.from_dict(SPEC), Store(folder)
        run_spec(self.spec, self.store)
        self.ledger, self.table = self.store.ledger(self.spec.points[0].identity), self.store.table()
        (self.name,) = shard.shards(self.ledger.folder)
        self.content = self.path.read_bytes()
        self.found = 0

    @property
    def path(self):
        return self.ledger.folder / str(self.name)

    def suffer(self, content, read_first):
        """Other bytes under the shard's name: seen, then met by who reads or by who runs, and mended."""
        self.path.write_bytes(content)
        assert self.ledger.damaged() == [self.name]
        with pytest.raises(DamagedError):
            shard.read(self.ledger.folder, self.name)
        (point,) = states.status(self.store)
        assert (point.done, point.damaged) == (0, (self.path,))
        if read_first:
            assert self.store.table()["n"].to_pylist() == [0]
            with pytest.raises(ValueError, match="need all trials, got found=0, wanted=2"):
                self.store[0]
        self.mend(content)
        self.found += 1

    def mend(self, content):
        """A run sets it aside and computes it again, to the same numbers."""
        assert run_spec(self.spec, self.store).computed == 1
        aside = self.ledger.folder / QUARANTINE / str(self.name)
        assert aside.read_bytes() == content
        survival.assert_same(self.store.table(), self.table)
        aside.unlink()
        (new,) = shard.shards(self.ledger.folder)
        (self.ledger.folder / str(new)).unlink()  # the next patient is this one again: byte i means the same in all
        self.path.write_bytes(self.content)


@pytest.fixture
def patient(tmp_path):
    return Patient(tmp_path)


def sample(count, full_size):
    """All places, or some: the first, the last, and as many between."""
    return range(count) if full_size else sorted({*np.linspace(0, count - 1, min(SAMPLE, count)).astype(int).tolist()})


def test_any_byte_flipped_is_found_and_computed_again(patient, full_size):
    places = sample(len(patient.content), full_size)
    for number, i in enumerate(places):
        content = bytearray(patient.content)
        content[i] ^= 1 << (i % 8) if number % 3 else 0xFF
        patient.suffer(bytes(content), read_first=number % 2 == 0)
    assert patient.found == len(places)
    print(f"{patient.found} of {len(patient.content)} bytes flipped, all found and mended")


def test_any_bit_flipped_is_found(patient, full_size):
    places = [(i, bit) for i in sample(len(patient.content), full_size) for bit in range(8)]
    for i, bit in places:
        content = bytearray(patient.content)
        content[i] ^= 1 << bit
        patient.path.write_bytes(content)
        assert patient.ledger.damaged() == [patient.name]
        with pytest.raises(DamagedError):
            shard.read(patient.ledger.folder, patient.name)


def test_any_end_cut_off_is_found_and_computed_again(patient, full_size):
    lengths = sample(len(patient.content), full_size)  # from an empty file to all but the last byte
    for number, length in enumerate(lengths):
        patient.suffer(patient.content[:length], read_first=number % 2 == 0)
    assert patient.found == len(lengths)
    print(f"{patient.found} lengths of {len(patient.content)}, all found and mended")


def test_bytes_added_are_found(patient):
    for content in (patient.content + b"\0", patient.content * 2):
        patient.suffer(content, read_first=True)


def test_the_command_says_it_and_mends_it(tmp_path):
    spec, folder = survival.toml(tmp_path / "spec.toml", SPEC), tmp_path / "store"
    patient = Patient(folder)
    patient.path.write_bytes(patient.content[:-1] + bytes([patient.content[-1] ^ 1]))
    said = survival.command("status", folder, "--json")
    assert said.returncode == 1
    (point,) = json.loads(said.stdout)["points"]
    assert (point["done"], point["damaged"]) == (0, [patient.path.name])
    assert survival.command("run", spec, "--out", folder).returncode == 0
    survival.assert_same(patient.store.table(), patient.table)
    said = survival.command("status", folder, "--clean")
    assert said.returncode == 0
    assert f"left over: {patient.path.name}" in said.stdout
    assert sorted(p.suffix for p in folder.rglob("*") if p.is_file()) == [".json", ".parquet", ".toml"]
