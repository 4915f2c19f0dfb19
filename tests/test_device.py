"""Asking for a device: one clear error where there is none."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

import spikesim as ss
from spikesim.devices import cuda
from spikesim.devices import named as module
from spikesim.devices.cpu import CPU
from spikesim.devices.cuda import CUDA
from spikesim.devices.named import device

MODEL = ss.SpikedModel((4, 5), 3.0, ss.Gaussian())


def installed(monkeypatch, *names):
    """As if of the packages that a GPU needs, these were installed."""
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: name if name in names else None)


def cupy_that(available):
    return SimpleNamespace(__version__="14.0", cuda=SimpleNamespace(is_available=available))


def test_the_cpu_is_always_there():
    assert type(device("cpu")) is CPU
    assert device("cpu") is device("cpu")
    assert ss.simulate(MODEL, windows=[2], trials=1, steps=8).attrs["device"].startswith("cpu (")


@pytest.mark.parametrize("name", ["gpu", "CUDA", "cuda:1", "", None, 0])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match=r"need device in \('cpu', 'cuda'\), got device="):
        ss.simulate(MODEL, windows=[2], trials=1, device=name)


@pytest.mark.parametrize(("there", "missing"), [((), "CuPy"), (("numba_cuda",), "CuPy"), (("cupy",), "numba-cuda")], ids=str)
def test_what_is_missing_is_named_with_the_extras_that_bring_it(monkeypatch, there, missing):
    installed(monkeypatch, *there)
    with pytest.raises(ValueError, match=rf"^need {missing} for device \"cuda\", got device='cuda'; .*gpu-cu12.*gpu-cu13"):
        ss.simulate(MODEL, windows=[2], trials=1, device="cuda")


def broken():
    raise OSError("libcuda.so.1: cannot open shared object file")


@pytest.mark.parametrize(
    ("available", "why"),
    [(lambda: False, "CuPy 14.0 sees no device"), (broken, "OSError: libcuda.so.1: cannot open")],
    ids=["no device", "no driver"],
)
def test_a_machine_without_a_gpu_is_told_so(monkeypatch, available, why):
    installed(monkeypatch, "cupy", "numba_cuda")
    monkeypatch.setitem(sys.modules, "cupy", cupy_that(available))
    with pytest.raises(ValueError, match=rf"^need a CUDA GPU for device \"cuda\", got device='cuda'; none was found: {why}"):
        ss.simulate(MODEL, windows=[2], trials=1, device="cuda")


def test_the_command_line_ends_without_a_traceback(tmp_path):
    spec = tmp_path / "spec.toml"
    spec.write_text(
        'title = "x"\n[model]\nshape = [4, 5]\nspikes = [3.0]\nnoise = { law = "Gaussian" }\n'
        '[run]\nwindows = [2]\ntrials = 2\nsteps = 8\ndevice = "cuda"\n'
    )
    # no CuPy in this process, whatever is installed
    code = (
        "import sys; sys.modules['cupy'] = None\nimport importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'cupy' else find(name, *rest)\n"
        "from spikesim.cli import main; main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, "run", str(spec), "--out", str(tmp_path / "out")], capture_output=True, text=True
    )
    assert run.returncode == 2
    assert 'need CuPy for device "cuda"' in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr


def test_results_of_a_gpu_say_so_and_what_ran_on_the_cpu_instead(monkeypatch):
    """Attributes alone: a method that a GPU is no use for never touches it."""

    class Elsewhere(CUDA):
        def __init__(self):
            pass

        def __getattribute__(self, name):
            return (lambda: None) if name == "check" else pytest.fail(name)

    monkeypatch.setitem(module._MADE, "cuda", Elsewhere())
    options = {"windows": [4], "trials": 2, "steps": 40, "device": "cuda", "joint": False}
    for method, names in (("banded", ["alignment"]), ("scalars", ["noise_fro"])):
        data = ss.simulate(MODEL, method=method, pipelines=["pre-polar"], observables=names, **options)
        assert data.attrs["device"].startswith("cpu (")
        assert "a GPU was asked for, but this method has no form for one" in data.attrs["device"]
        host = ss.simulate(MODEL, method=method, pipelines=["pre-polar"], observables=names, **(options | {"device": "cpu"}))
        assert data[names[0]].equals(host[names[0]])


def test_another_gpu_than_the_first_is_refused_and_who_to_start_instead_is_said(monkeypatch):
    class Second(CUDA):
        def __init__(self):
            pass

    monkeypatch.setitem(module._MADE, "cuda", Second())
    runtime = SimpleNamespace(getDevice=lambda: 1)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    with pytest.raises(ValueError, match=r"need the first GPU that the process sees, got gpu=1; .*CUDA_VISIBLE_DEVICES"):
        ss.simulate(MODEL, windows=[2], trials=1, device="cuda")


def test_tf32_is_refused(monkeypatch):
    installed(monkeypatch, "cupy", "numba_cuda")
    monkeypatch.setenv("CUPY_TF32", "1")
    with pytest.raises(ValueError, match=r"need CUPY_TF32 unset for device .*, got CUPY_TF32='1'"):
        ss.simulate(MODEL, windows=[2], trials=1, device="cuda")


class Flow:
    """A stream that remembers whether it was waited for."""

    done = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def synchronize(self):
        self.done = True


SHORT = ["CUDA_ERROR_OUT_OF_MEMORY", "cudaErrorMemoryAllocation: out of memory", "CUSOLVER_STATUS_ALLOC_FAILED"]


@pytest.mark.parametrize("message", SHORT)
def test_every_way_of_being_short_of_memory_is_a_memory_error(monkeypatch, message):
    monkeypatch.setitem(sys.modules, "cupyx", SimpleNamespace(errstate=lambda **_: Flow()))
    with pytest.raises(MemoryError, match=message), cuda.on(Flow()):
        raise RuntimeError(message)
    with pytest.raises(RuntimeError, match="illegal address"), cuda.on(Flow()):
        raise RuntimeError("an illegal address")
    flow = Flow()
    with cuda.on(flow):
        assert not flow.done
    assert flow.done


def test_a_package_that_is_there_in_name_only_gives_one_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(__spec__=None))
    monkeypatch.setitem(sys.modules, "numba_cuda", SimpleNamespace(__spec__=None))
    with pytest.raises(ValueError, match=r"^need a CUDA GPU for device .*none was found: AttributeError"):
        ss.simulate(MODEL, windows=[2], trials=1, device="cuda")
