"""What is recorded is read back, at any time, and nothing that is there is overwritten unasked."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

import spikesim as ss
from spikesim.record import file_name
from spikesim.recorded import opened

G = np.random.default_rng(0).normal(size=(12, 3, 4)).astype(np.float32)


def read(path):
    with opened(path) as recording:
        taken = recording.take(range(len(recording)))
    np.testing.assert_array_equal(np.load(path), taken)
    return taken


def example(documented):
    """The block of code in a docstring."""
    block = documented.__doc__.split("\n\n")[1]
    return textwrap.dedent(block)


def test_the_example(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(example(ss.Recorder), {"Recorder": ss.Recorder, "gradients": G})
    np.testing.assert_array_equal(read("gradients/layer.0.npy"), G)


def test_the_file_is_whole_after_every_step(tmp_path):
    recorder = ss.Recorder(tmp_path)
    for i, x in enumerate(G):
        recorder.add("w", x)
        np.testing.assert_array_equal(read(recorder.paths["w"]), G[: i + 1])


@pytest.mark.parametrize("every", [1, 5, 20])
def test_every_so_many_steps(tmp_path, every):
    with ss.Recorder(tmp_path, every) as recorder:
        for x in G:
            recorder.add("a", x)
            recorder.step({"b": x, "c": 2 * x})
    expected = {"a": G[::every], "b": G[::every], "c": 2 * G[::every]}
    assert recorder.paths == {name: tmp_path / f"{name}.npy" for name in "abc"}
    for name, path in recorder.paths.items():
        np.testing.assert_array_equal(read(path), expected[name])


def test_only_the_names_that_are_wanted(tmp_path):
    with ss.Recorder(tmp_path, names=["b"]) as recorder:
        recorder.step({"a": G[0], "b": G[1]})
        with pytest.raises(ValueError, match=r"need a matrix for every name, got missing=\['b'\]"):
            recorder.step({"a": G[0]})
    assert list(recorder.paths) == ["b"]


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_become_float32(tmp_path, dtype, order):
    with ss.Recorder(tmp_path) as recorder:
        recorder.add("w", np.asarray(G[0], dtype, order=order))
    assert np.load(recorder.paths["w"]).dtype == "<f4"
    np.testing.assert_array_equal(read(recorder.paths["w"])[0], G[0].astype(dtype).astype(np.float32))


def test_a_diverging_run_is_recorded_and_refused_with_its_step(tmp_path):
    bad = G.astype(float)
    bad[7, 1, 2], bad[8, 0, 0], bad[9, 0, 0] = np.nan, np.inf, 1e300
    with ss.Recorder(tmp_path) as recorder:
        for x in bad:
            recorder.add("w", x)
    stored = np.load(recorder.paths["w"])
    np.testing.assert_array_equal(np.isfinite(stored), np.isfinite(bad) & (bad < 1e300))
    with pytest.raises(ValueError, match=r"need finite gradients, got step=7, entry=\(1, 2\), value=nan"):
        list(opened(recorder.paths["w"]).chunks())


@pytest.mark.parametrize(("matrix", "said"), [
    (G[0, :2], r"need matrices of one shape, \(3, 4\) as before, got shape=\(2, 4\), name='w'"),
    (G[0].T, r"need matrices of one shape, \(3, 4\) as before, got shape=\(4, 3\), name='w'"),
    (G, r"need a matrix \(m, n\), got shape=\(12, 3, 4\), name='w'"),
    (G[0, :0], r"need a matrix \(m, n\), got shape=\(0, 4\), name='w'"),
    (np.ones((3, 4), int), "need numbers of type .*, got dtype='int64', name='w'"),
    (G[0] * 1j, "got dtype='complex64', name='w'"),
    (np.full((3, 4), None), "got dtype='object', name='w'"),
])  # fmt: skip
def test_what_is_not_recorded(tmp_path, matrix, said):
    with ss.Recorder(tmp_path) as recorder:
        recorder.step({"w": G[0], "v": G[0]})
        with pytest.raises(ValueError, match=said):
            recorder.step({"v": G[1], "w": matrix})
        recorder.step({"w": G[2], "v": G[2]})
    for path in recorder.paths.values():  # all of a step or none
        np.testing.assert_array_equal(read(path), G[[0, 2]])


NAMES = [
    "a/b",
    "a.b",
    "a_b",
    "a%2Fb",
    "a b",
    "..",
    ".hidden",
    "%2Ehidden",
    "é",
    "C:\\x",
    "a\nb",
    "layer.0.weight",
    "~",
    "a.npy",
]


def test_different_names_have_different_files_in_the_folder(tmp_path):
    with ss.Recorder(tmp_path / "folder") as recorder:
        for i, name in enumerate(NAMES):
            recorder.add(name, G[i % 12] + i)
    for i, name in enumerate(NAMES):
        np.testing.assert_array_equal(read(recorder.paths[name])[0], G[i % 12] + i)
        assert unquote(file_name(name)) == name + ".npy"
    assert len(list((tmp_path / "folder").iterdir())) == len(NAMES)
    assert not any(path.name.startswith(".") for path in recorder.paths.values())
    assert os.listdir(tmp_path) == ["folder"]  # noqa: PTH208


def test_what_is_there_is_kept(tmp_path):
    with ss.Recorder(tmp_path) as recorder:
        recorder.add("w", G[0])
    before = recorder.paths["w"].read_bytes()
    with pytest.raises(ValueError, match=r"need a file that is not there yet, got file=.*w\.npy'; fresh=True"):
        ss.Recorder(tmp_path, names=["w"])
    with pytest.raises(ValueError, match="need a file that is not there yet"):
        ss.Recorder(tmp_path).add("w", G[0])
    assert recorder.paths["w"].read_bytes() == before


def test_fresh_begins_anew_and_who_has_the_old_file_mapped_keeps_it(tmp_path):
    with ss.Recorder(tmp_path) as recorder:
        for x in G:
            recorder.add("w", x)
    old = opened(recorder.paths["w"])
    with ss.Recorder(tmp_path, fresh=True) as again:
        again.add("w", G[3])
        again.add("w", G[4])
    np.testing.assert_array_equal(read(again.paths["w"]), G[3:5])
    np.testing.assert_array_equal(old.take(range(12)), G)


def recorded(folder, steps, **options):
    with ss.Recorder(folder, **options) as recorder:
        for x in steps:
            recorder.add("w", x)
    return recorder.paths["w"]


def test_append_goes_on(tmp_path):
    for part in G[:5], G[5:6], G[6:]:
        path = recorded(tmp_path, part, append=True)
    np.testing.assert_array_equal(read(path), G)


@pytest.mark.parametrize("torn", [1, 47, 48, 100])  # bytes of a step that is not counted; a step has 48
def test_append_goes_on_from_the_last_whole_step(tmp_path, torn):
    path = recorded(tmp_path, G[:5])
    path.write_bytes(path.read_bytes() + b"\xff" * torn)
    np.testing.assert_array_equal(read(path), G[:5])
    np.testing.assert_array_equal(read(recorded(tmp_path, G[5:], append=True)), G)


def test_append_repairs_a_count_that_is_ahead_of_the_steps(tmp_path):
    """As a machine that went down may leave it: the readers' word is that the file is cut."""
    path = recorded(tmp_path, G[:6])
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"need a whole \.npy file, got bytes_of_data=287, wanted=288"):
        opened(path)
    np.testing.assert_array_equal(read(recorded(tmp_path, G[5:], append=True)), G)


def test_append_refuses_other_files(tmp_path):
    path = tmp_path / "w.npy"
    for other in G.astype(float), np.asfortranarray(G), G[0], G[:, :2]:
        np.save(path, other)
        before = path.read_bytes()
        with pytest.raises(ValueError, match=r"need a file that a recorder wrote|need matrices of one shape"):
            recorded(tmp_path, G, append=True)
        assert path.read_bytes() == before
    path.write_bytes(b"")  # killed as it was made
    np.testing.assert_array_equal(read(recorded(tmp_path, G, append=True)), G)


def test_bad_recorders(tmp_path):
    for options, said in (
        ({"every": 0}, "need every >= 1, got every=0"),
        ({"every": 1.5}, "need every >= 1"),
        ({"fresh": True, "append": True}, "need fresh or append, not both"),
        ({"names": "w"}, "need a collection of names, got names='w'"),
        ({"names": [""]}, "need a name, got name=''"),
    ):
        with pytest.raises(ValueError, match=said):
            ss.Recorder(tmp_path, **options)
    with ss.Recorder(tmp_path) as recorder:
        pass
    with pytest.raises(ValueError, match="need an open recorder"):
        recorder.add("w", G[0])


KILLED = """
import sys, numpy as np
from spikesim.record import Recorder
recorder = Recorder(sys.argv[1])
i = 0
while True:
    recorder.add("w", np.full((64, 64), i, np.float32))
    i += 1
    if i == 20:
        print("recording", flush=True)
"""


@pytest.mark.parametrize("seconds", [0.0, 0.003, 0.02])
def test_a_recording_survives_a_kill(tmp_path, seconds):
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    words = [sys.executable, "-P", "-c", KILLED, tmp_path]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=paths) as process:
        assert process.stdout.readline() == b"recording\n"
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
    got = read(tmp_path / "w.npy")
    assert len(got) >= 20
    np.testing.assert_array_equal(got, np.broadcast_to(np.arange(len(got))[:, None, None], got.shape))


LIMITED = """
import resource, sys, numpy as np
from spikesim.record import Recorder
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
recorder = Recorder(sys.argv[1], append=True)
for i in range(10):
    recorder.add("w", np.full((3, 4), i, np.float32))
"""


@pytest.mark.parametrize("room", [0, 1, 47])  # bytes beyond five whole steps
def test_a_full_disk_leaves_the_steps_before(tmp_path, room):
    pytest.importorskip("resource", reason="needs limits of a POSIX system")
    words = [sys.executable, "-P", "-c", LIMITED, tmp_path, str(128 + 5 * 48 + room)]
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    said = subprocess.run(words, capture_output=True, text=True, env=paths)
    assert said.returncode == 1
    assert "File too large" in said.stderr
    np.testing.assert_array_equal(read(tmp_path / "w.npy")[:, 0, 0], range(5))
    assert len(read(recorded(tmp_path, G, append=True))) == 17


class Tensor:
    """What a recorder asks of a tensor."""

    def __init__(self, values, requires_grad=True):
        self.values, self.requires_grad, self.grad = np.asarray(values), requires_grad, None
        self.ndim, self.shape = self.values.ndim, self.values.shape

    def detach(self):
        return self

    cpu = detach

    def float(self):
        return Tensor(self.values.astype(np.float32))

    def numpy(self):
        return self.values


class Module:
    """What a recorder asks of a module."""

    def __init__(self, **shapes):
        self.parameters = {name.replace("_", "."): Tensor(np.zeros(shape)) for name, shape in shapes.items()}

    def named_parameters(self):
        return iter(self.parameters.items())

    def backward(self, i):
        for k, p in enumerate(self.parameters.values()):
            p.grad = Tensor(np.random.default_rng((i, k)).normal(size=p.shape))


@pytest.fixture
def module():
    return Module(a_weight=(3, 4), a_bias=(3,), b_weight=(2, 3), conv_weight=(4, 3, 2, 2))


CHOICES = {
    "all": (None, False, ["a.weight", "b.weight"]),
    "flattened": (None, True, ["a.weight", "b.weight", "conv.weight"]),
    "names": (["b.weight", "conv.weight"], True, ["b.weight", "conv.weight"]),
    "predicate": (lambda name, p: name.startswith("a") and p.ndim == 2, False, ["a.weight"]),
}


@pytest.mark.parametrize("case", CHOICES)
@pytest.mark.parametrize("every", [1, 3])
def test_chosen_parameters_are_recorded(tmp_path, module, case, every):
    parameters, flatten, expected = CHOICES[case]
    seen = {name: [] for name in expected}
    with ss.TorchRecorder(module, tmp_path, parameters, every, flatten=flatten) as recorder:
        for i in range(7):
            module.backward(i)
            recorder.step()
            for name in expected:
                grad = module.parameters[name].grad.values.astype(np.float32)
                seen[name].append(grad.reshape(len(grad), -1))
    assert list(recorder.paths) == expected
    for name, path in recorder.paths.items():
        np.testing.assert_array_equal(read(path), seen[name][::every])


def test_parameters_that_are_not_trained_are_left_out(tmp_path, module):
    module.parameters["a.weight"].requires_grad = False
    module.backward(0)
    with ss.TorchRecorder(module, tmp_path) as recorder:
        recorder.step()
    assert list(recorder.paths) == ["b.weight"]


def test_choices_that_are_refused(tmp_path, module):
    for parameters, said in (
        (["c.weight"], r"got name='c.weight', shape=None; there are a.weight, b.weight; flatten=True"),
        (["conv.weight"], r"got name='conv.weight', shape=\(4, 3, 2, 2\)"),
        ("a.weight", "need a collection of names"),
        (lambda *_: False, "need at least one trained matrix"),
        ([], "need at least one trained matrix"),
    ):
        with pytest.raises(ValueError, match=said):
            ss.TorchRecorder(module, tmp_path, parameters)
    with pytest.raises(ValueError, match="need every >= 1"):
        ss.TorchRecorder(module, tmp_path, every=0)
    with ss.TorchRecorder(module, tmp_path) as recorder:
        with pytest.raises(ValueError, match=r"step\(\) after backward\(\), got name='a.weight', gradient=None"):
            recorder.step()
        module.backward(0)
        recorder.step()
    with pytest.raises(ValueError, match="need a file that is not there yet"):
        ss.TorchRecorder(module, tmp_path)


def test_importing_spikesim_imports_no_torch(tmp_path):
    (tmp_path / "torch.py").write_text("raise RuntimeError('imported')")
    code = "import spikesim, sys; spikesim.TorchRecorder; assert 'torch' not in sys.modules"
    paths = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[1])])
    subprocess.run([sys.executable, "-P", "-c", code], check=True, env={**os.environ, "PYTHONPATH": paths})
