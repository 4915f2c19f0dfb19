"""Files that fuzzing found to end in something else than a short, printable refusal."""

import pytest
from typer.testing import CliRunner

from spikesim import cli, reproduce
from spikesim.errors import LONGEST, need
from spikesim.noise import Kronecker
from spikesim.sweep.index import Index
from spikesim.sweep.run import run_spec
from spikesim.sweep.shard import digest_of
from spikesim.sweep.spec import Spec
from spikesim.sweep.store import Store
from spikesim.sweep.until import Until

SPEC = """
[model]
shape = [4, 5]
spikes = [3.0]
noise = {law = "Gaussian", sigma = 0.5}
[run]
windows = [1, 3]
trials = 2
"""


def refusal(tmp_path, text):
    path = tmp_path / "spec.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"^need ") as caught:
        Spec.from_toml(path)
    return str(caught.value)


@pytest.mark.parametrize("levels", [30, 150, 5000])
def test_a_file_of_many_levels_is_refused(tmp_path, levels):
    assert "need a TOML file of 20 levels or fewer" in refusal(tmp_path, f"x = {'[' * levels}{']' * levels}\n{SPEC}")


def test_a_number_that_no_float_holds_is_refused(tmp_path):
    assert "need numbers below 2**1023" in refusal(tmp_path, SPEC.replace("0.5", "1" + "0" * 400))


def test_a_number_too_long_to_read_is_refused(tmp_path):
    assert "need a TOML file" in refusal(tmp_path, SPEC.replace("0.5", "9" * 5000))


def test_keys_are_shown_in_print(tmp_path):
    said = refusal(tmp_path, '"\\u001b[31mred\\nnext" = 1\n' + SPEC)
    assert "\\x1b[31mred\\nnext: need a known key" in said


def test_long_values_and_many_faults_are_shown_in_part(tmp_path):
    assert len(refusal(tmp_path, SPEC.replace("3.0", f"'{'y' * 20_000}'"))) < 3 * LONGEST
    said = refusal(tmp_path, "\n".join(f"k{i} = 1" for i in range(50)) + SPEC)
    assert "got 50 faults" in said
    assert said.endswith("and 20 more")
    with pytest.raises(ValueError, match=r"x='a+\.\.\. \(402 characters\) \.\.\.a+'$"):
        need(False, "less", x="a" * 1000)


def test_spectra_whose_products_overflow_are_refused():
    with pytest.raises(ValueError, match="need a finite largest"):
        Kronecker((1e200, 1.0), (1e200, 1.0)).entry_scale((2, 2))


@pytest.mark.parametrize(
    ("name", "value"), [("identity", "../.."), ("identity", "0" * 16 + "\n"), ("trials", 0), ("trials", 10**30)]
)
def test_an_index_in_due_form_that_names_other_places_is_refused(tmp_path, name, value):
    (tmp_path / "spec.toml").write_text(SPEC)
    index = Index.of(Spec.from_toml(tmp_path / "spec.toml"), False)
    setattr(index.points[0], name, value)
    index.digest = digest_of(index.content)
    (tmp_path / "index.json").write_text(index.model_dump_json())
    with pytest.raises(ValueError, match=r"need a readable index\.json"):
        Store(tmp_path).index  # noqa: B018


@pytest.fixture
def stored(tmp_path):
    """Results, and a way to change their index, in due form."""
    (tmp_path / "spec.toml").write_text(SPEC)
    store = Store(tmp_path / "a b")
    run_spec(Spec.from_toml(tmp_path / "spec.toml"), store)

    def change(name, value):
        index = store.index
        setattr(index.points[0], name, value)
        content = index.model_copy(update={"digest": digest_of(index.content)}).model_dump_json()
        (store.folder / "index.json").write_text(content)
        return store

    return change


def told(*arguments):
    """What a command says, and its exit code."""
    done = CliRunner().invoke(cli.app, [*map(str, arguments)])
    if done.exception is None or isinstance(done.exception, SystemExit):
        return done.exit_code, done.output
    assert isinstance(done.exception, ValueError), done.exception
    return 2, str(done.exception)


@pytest.mark.parametrize("model", [{"law": "x"}, {}])
def test_a_model_that_an_index_makes_up_is_refused_in_a_line_by_whoever_needs_it(stored, tmp_path, model):
    store = stored("model", model)
    for command in (["export", store.folder, "--to", tmp_path / "x.nc"], ["report", store.folder]):
        code, said = told(*command)
        assert (code, said.count("\n")) == (2, 0)
        assert said.startswith(f"need a readable index.json, got file='{store.folder}/index.json', point='")
        assert said.endswith(f"of no known model; `spikesim run SPEC --out '{store.folder}'` writes it again")
    assert told("export", store.folder, "--to", tmp_path / "x.csv")[0] == 0
    assert told("status", store.folder, "--clean")[0] == 0
    run_spec(Spec.from_toml(tmp_path / "spec.toml"), store)
    assert told("export", store.folder, "--to", tmp_path / "x.nc")[0] == 0


@pytest.mark.parametrize(
    ("name", "until"),
    [("mean", {"mean": "x"}), ("mean", {"mean": "squares"}), ("pipeline", {"mean": "alignment", "pipeline": "x"}),
     ("window", {"mean": "alignment", "window": 2.0})],
)  # fmt: skip
def test_a_rule_to_stop_by_that_an_index_makes_up_is_refused_in_a_line(stored, tmp_path, name, until):
    store = stored("until", Until(standard_error=1.0, **until))
    for command in (["status", store.folder], ["export", store.folder, "--to", tmp_path / "x.csv"], ["report", store.folder]):
        code, said = told(*command)
        assert (code, said.count("\n")) == (2, 0)
        assert said.startswith(f"need until.{name} ")


@pytest.mark.parametrize("script", ["1/0", "def", "import nothing_of_this_name"])
def test_a_script_that_fails_is_named(tmp_path, script):
    (tmp_path / "x.py").write_text(script)
    with pytest.raises(ValueError, match=r"need a script that Python can read, got script='.*x\.py': "):
        reproduce._script(tmp_path / "x.py")
