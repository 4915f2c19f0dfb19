"""The GPU's experiment without a GPU: what it compares, counts and draws, on records and devices made up for it."""

import json
import re
import sys

import numpy as np
import pytest
from harness import ROOT, script

from spikesim import benchmark

sys.path.append(str(ROOT / "experiments"))

from benchmarks import gpu_device, gpu_figure, gpu_peers, gpu_run
from benchmarks.gpu_targets import best_torch, targets

from spikesim.kernels.fills import FILLS

H100 = {"name": "A GPU", "clock": 2e9, "multiprocessors": 100, "capability": [9, 0], "driver": 12090, "runtime": 12090}


def test_a_first_job_grows_until_it_takes_long_or_fails():
    asked = []

    def measure(size):
        asked.append(size)
        if size > 64:
            raise MemoryError
        return size / 10

    assert gpu_run.begun(measure, 16) == 16
    assert gpu_run.begun(lambda size: size / 2, 1024) == 4  # the next would take four seconds
    asked.clear()
    assert gpu_run.begun(lambda size: measure(size) / 100, 1024) == 64
    assert asked == [2, 4, 8, 16, 32, 64, 128]


def test_a_contender_that_does_other_work_is_refused():
    draw = np.random.default_rng(0)
    factors = np.array([gpu_peers.ss.EMA(t).noise_factor(gpu_peers.STEPS) for t in gpu_peers.NOISE_WINDOWS])
    noise = draw.standard_normal((2, 6, 1 << 14)) * factors[:, None] ** 0.5
    gpu_peers.need_noise(noise)
    with pytest.raises(ValueError, match="need averages within 6 standard errors of the filter's variance"):
        gpu_peers.need_noise(noise * 1.03)
    found, true = (draw.normal(3.0, 0.1, (64, 4, 7)) for _ in range(2))
    found[:, 1], true[:, 1] = np.nan, np.nan
    gpu_peers.need_observables({"alignment": found}, {"alignment": true})
    with pytest.raises(ValueError, match="need alignment within 6 standard errors of spikesim's"):
        gpu_peers.need_observables({"alignment": found + 0.12}, {"alignment": true})
    assert gpu_peers.apart(np.zeros((3, 1)), np.full((3, 1), np.nan)) == np.inf
    assert gpu_peers.apart(np.ones((3, 1)), np.ones((3, 1)) * (1 + 1e-5)) < 1


def results():
    """What a run would have written: spikesim at 60 and 30 units a second, the CPU at 2 and 1, peers between."""
    rows = []
    for c in gpu_run.COMPARISONS:
        labels = {x.name: x.label for x in (gpu_run.SPIKESIM, gpu_run.CPU, *c.peers)}
        scale = 1e10 if c.work == "noise" else 1.0
        speeds = {"spikesim": 60.0, "cpu": 2.0} | {x.name: 10.0 + i for i, x in enumerate(c.peers)}
        rates = {d: {n: [scale * v, scale * v * 0.5, scale * v * 0.55] for n, v in speeds.items()} if d in c.dtypes else {}
                 for d in gpu_run.DTYPES}  # fmt: skip
        rates["float32"]["spikesim"][1] *= 1.2
        rows.append({"work": c.work, "title": c.title, "unit": c.unit, "cores": c.cores, "labels": labels, "rates": rates,
                     "notes": ["torch, SVD by gesvdj, float64: OutOfMemoryError"] if c.work == "all" else []})  # fmt: skip
    noise = {"source": "PTX", "counts": {"issue": 1}, "instructions": 47.5, "binding": "issue", "limit": 7e11, "limits": {}}
    unread = {"limit": None, "why": "RuntimeError: nothing to read"}
    laws = [{"law": law, "dtype": "float32", "most": 3.0, "usual": 1.0, "most_at_one": 2.0, "signs": 0, "count": 100,
             "held": True} for law in FILLS]  # fmt: skip
    seen = {"law": "Gaussian", "method": "stream", "dtype": "float64", "of": "pre-polar", "observable": "gap",
            "difference": 2e-7, "tolerance": 1e-5, "held": True}  # fmt: skip
    out = {
        "quick": True, "seconds": 12.3, "device": H100, "comparisons": rows,
        "problem": {"shape": [64, 128], "spikes": [6.0, 4.0], "sigma": 0.5, "windows": [1.0, 2.0], "steps": 500},
        "environment": {"cpu": "A CPU", "cores": 2, "versions": {"numpy": "2.0", "torch": None}},
        "limits": {"rates": {"copy": 3e12, "product float32": 5e13}, "noise": {"float32": noise, "float64": unread},
                   "end_to_end": {d: {"limit": 200.0} for d in gpu_run.DTYPES}},
        "verification": {"words": {"places": 100, "different": 0}, "noise": laws, "observables": [seen], "held": True,
                         "halves": {"trials": 4, "same_bits": False, "difference": 1e-16}},
    }  # fmt: skip
    return out | {"targets": [t.as_json() for t in targets(out)]}


def test_targets_are_reached_by_the_median_alone():
    found = [(t["needed"], t["measured"], t["reached"]) for t in results()["targets"]]
    assert found[0] == (0.6, pytest.approx([33 / 70, 36 / 70, 60 / 70]), False)
    assert found[1] == (100.0, pytest.approx([30.0, 30.0, 36.0]), False)
    assert found[2] == (20.0, pytest.approx([30.0, 30.0, 36.0]), True)
    assert found[3] == (2.0, pytest.approx([5.0, 5.0, 6.0]), True)
    assert best_torch(results()["comparisons"][1]) == "torch-gesvda"


def test_what_was_not_measured_is_no_target_reached():
    record = results()
    for row in record["comparisons"]:
        row["rates"]["float32"] = {"cpu": row["rates"]["float32"]["cpu"]}
    record["limits"]["noise"]["float32"] = {"limit": None, "why": "no loop"}
    assert [t.reached for t in targets(record)] == [None] * 4


@pytest.mark.usefixtures("written")
def test_the_figure_holds_every_peer_and_bar(drawn, tmp_path):
    gpu_figure.draw(results(), tmp_path)
    assert [axis["x"][:5] for axis in drawn["axes"]] == ["speed"] * 3 + ["part "]
    assert drawn["finding"].startswith("2 of 4 targets reached; not reached: noise + EMA")
    assert "A GPU beside A CPU" in drawn["above"]
    assert (tmp_path / "gpu.png").is_file()
    assert (tmp_path / "gpu.pdf").is_file()


def test_the_page_says_what_was_measured_and_else_that_nothing_was(tmp_path):
    page = "# Figures\n\n## One\n"
    assert benchmark.with_section(page, tmp_path) == page
    assert benchmark.UNMEASURED in benchmark.gpu_section(tmp_path)
    (tmp_path / "gpu.json").write_text(json.dumps(results()))
    once = benchmark.with_section(page, tmp_path)
    assert once.startswith("# Figures\n\n## One\n\n## On a GPU\n")
    assert benchmark.with_section(once, tmp_path) == once
    assert "| end to end, all observables | 2 cores of the CPU | ≥ 20× | **30×** (30 to 36) | reached |" in once
    assert "| | spikesim, CPU, 1 core | **30×** (30 to 36) <sub>1.1e+10 entry-steps/s</sub>" in once
    assert "| noise + EMA, 6 windows | 7e+11 entry-steps/s | 51.4 % | - | - |" in once
    assert "47.5 instructions an entry-step (PTX), bound by issue; float64: not read (RuntimeError: nothing to read)" in once
    assert "OutOfMemoryError" in once
    assert "All is as stated." in once


def test_the_page_names_what_failed(tmp_path):
    record = results()
    record["verification"]["observables"][0] |= {"difference": 1e-2, "held": False}
    record["verification"]["words"]["different"] = 3
    (tmp_path / "gpu.json").write_text(json.dumps(record))
    said = benchmark.gpu_section(tmp_path)
    assert "NOT as stated: gap of pre-polar, Gaussian, stream, float64; words." in said
    assert "3 of 100 random words differ" in said


def test_pages_claim_nothing_that_no_record_shows():
    """figures/gpu.json is written by a run on a GPU alone."""
    measured = (ROOT / "figures" / "gpu.json").is_file()
    (words,) = re.findall(r"On a \[GPU\].*$", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    assert ("not yet measured" in words) is not measured
    page = (ROOT / "figures" / "README.md").read_text()
    assert page.endswith(benchmark.gpu_section(ROOT / "figures"))


def test_without_a_gpu_one_line_says_so_and_nothing_is_written(monkeypatch, capsys, tmp_path):
    def none():
        raise ValueError("need a CUDA GPU for device \"cuda\" (none was found), got device='cuda'")

    monkeypatch.setattr(gpu_device, "device", none)
    assert script("gpu").main(["--figures", str(tmp_path / "figures")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("need a CUDA GPU")
    assert said.err.count("\n") == 1
    assert not (tmp_path / "figures").exists()
