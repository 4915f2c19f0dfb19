"""The GPU's experiment without a GPU: what it compares, counts and draws, on records and devices made up for it."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from harness import ROOT, script

from spikesim import benchmark

sys.path.append(str(ROOT / "experiments"))

from benchmarks import gpu_device, gpu_figure, gpu_limits, gpu_noise, gpu_peers, gpu_run, gpu_verify
from benchmarks.assembly import Loop, innermost
from benchmarks.gpu_targets import best_torch, targets
from benchmarks.workloads import Problem

from spikesim.kernels.fills import FILLS

H100 = {"name": "A GPU", "clock": 2e9, "multiprocessors": 100, "capability": [9, 0], "driver": 12090, "runtime": 12090}


FACTORS = ("-766435501", "-845247145")
MIX = ["xor.b32 %r3, %r1, %r2;", "xor.b32 %r4, %r1, %r2;"]
DRAW = [line for i in range(10) for line in (*(f"mul.wide.u32 %rd{i}, %r1, {k};" for k in FACTORS), *MIX)]
"""Ten rounds of Philox in PTX: two products each, and two sums by exclusive or."""
PTX = "\n".join([
    ".visible .entry kernel()", "{", "mov.u32 %r1, 0;", *DRAW[:4],
    "$L__BB0_1:",
    *DRAW[4:],                                            # 9 rounds of the first draw: the first one stands before the loop
    "$L__OUTER_NO_LOOP:",
    "mov.u32 %r9, %r8;", "cvt.u32.u64 %r9, %rd9;", "and.b64 %rd1, %rd2, 4294967295;", "shr.u64 %rd1, %rd2, 32;",
    "setp.lt.u32 %p1, %r3, 65536;",
    "@%p1 bra $L__COLD;",
    "bra.uni $L__WARM;",
    "$L__COLD:", *DRAW, "add.f64 %fd1, %fd2, %fd3;", "$L__WARM:",
    "@%p2 bra $L__KEPT_NOT;",
    "st.global.f32 [%rd7], %f1;", "add.s64 %rd7, %rd7, 4;",
    "$L__KEPT_NOT:",
    "@%p3 bra $L__LAST;",
    "fma.rn.f32 %f1, %f2, %f1, %f3;", "fma.rn.f32 %f1, %f2, %f1, %f3;",
    "$L__LAST:",
    "cvt.rn.f32.u32 %f4, %r3;", "fma.rn.f32 %f1, %f2, %f1, %f4;",
    "mul.lo.s32 %r5, %r5, 3;",
    "@%p4 bra $L__BB0_1;",
    "ret;", "}",
])  # fmt: skip
SASS = "\n".join([
    "        /*0000*/                   MOV R1, c[0x0][0x28] ;",
    ".L_x_0:",
    *[f"        /*{16 * (i + 1):04x}*/                   IMAD.WIDE.U32 R2, R{i}, {k}, RZ ;"
      for i, k in enumerate(["-0x2daee0ad", "0xcd9e8d57"] * 10)],
    "        /*0200*/                   LOP3.LUT R4, R2, R3, R5, 0x96, !PT ;",
    "        /*0210*/                   MUFU.SQRT R4, R4 ;",
    "        /*0220*/                   FFMA R4, R4, R5, R6 ;",
    "        /*0230*/              @!P0 BRA `(.L_x_0) ;",
    "        /*0240*/                   EXIT ;",
])  # fmt: skip


def python(code, **variables):
    """What code prints in a process of its own."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "experiments"), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path, **variables}
    return subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=env, check=True).stdout


def test_a_trip_is_what_most_trips_take():
    loop = innermost(PTX)
    assert loop.products == 18  # not those before the loop, nor of the cold block
    assert loop.entry_steps == 4
    assert loop.counts == {"multiply": 19, "integer": 19, "branch": 4 + 1, "float": 3, "special": 1}


def test_a_loop_of_sass_is_read_with_labels_or_addresses():
    expected = Loop({"multiply": 20, "integer": 1, "special": 1, "float": 1, "branch": 1}, 20)
    assert innermost(SASS) == expected
    by_address = SASS.replace("`(.L_x_0)", "0x10").replace(".L_x_0:\n", "")
    assert innermost(by_address) == expected
    held = re.sub("-0x2daee0ad|0xcd9e8d57", "R7", SASS)  # the factors may wait in registers
    assert innermost(held) == expected


def test_rounds_that_are_a_loop_of_their_own_are_refused():
    with pytest.raises(ValueError, match="need a loop with 12 products of Philox"):
        innermost("\n".join(["$L__BB0_1:", *DRAW[:4], "@%p1 bra $L__BB0_1;"]))


def test_a_real_kernel_is_read():
    """Philox, compiled by numba-cuda for a device that is not there."""
    pytest.importorskip("numba_cuda", reason="comes with the extras for GPUs")
    code = """
from types import SimpleNamespace
from numba import cuda, float32, int64, types, uint32, uint64
from numba.cuda import dispatcher
dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=(9, 0))
from spikesim.kernels.philox import unmasked
from spikesim.kernels.retarget import retargeted
draw = retargeted(unmasked, {}, cuda.jit(device=True), {})
def kernel(out, steps, trial, k0, k1):
    a = float32(0)
    for s in range(steps):
        a = float32(0.5) * a + float32(uint32(draw(uint64(cuda.grid(1)), uint64(s), trial, uint64(0), k0, k1)[0]))
    out[cuda.grid(1)] = a
print(cuda.compile_ptx(kernel, (float32[::1], int64, uint64, uint64, uint64), cc=(9, 0))[0])
"""
    loop = innermost(python(code))
    assert 12 <= loop.products <= 20
    assert loop.entry_steps == 4
    assert loop.counts["float"] == 1


def test_limits_of_noise_by_hand():
    loop = Loop({"multiply": 40, "integer": 60, "float": 60}, 40)  # two draws: 8 entry-steps
    assert gpu_limits.noise_limits(loop, H100) == {
        "issue": 100 * 2e9 * 128 * 8 / 160, "multiply": 100 * 2e9 * 64 * 8 / 40, "integer": 100 * 2e9 * 64 * 8 / 60,
    }  # fmt: skip
    assert gpu_limits.lanes((8, 0))["double"] == 32
    assert gpu_limits.lanes((8, 6))["double"] == 2


def test_work_of_a_trial_by_hand():
    problem = Problem(shape=(3, 6), spikes=(1.0,), windows=(1.0, 2.0), steps=10)
    takes = gpu_limits.work(problem, "float32")
    each = 4 * 9 * 6 + (4 / 3 + 2) * 27 + 2 * 2 * 18
    assert takes == {"entry_steps": 180, "operations": 10 * each, "bytes": 10 * (5 * 18 + 4 * 9) * 4}
    assert gpu_limits.work(Problem(shape=(6, 3), spikes=(1.0,), windows=(1.0, 2.0), steps=10), "float32") == takes
    rates = {"copy": 1e3, "product float32": 1e2}
    assert gpu_limits.end_to_end(problem, "float32", None, rates)["limit"] == pytest.approx(1e2 / (10 * each))
    assert gpu_limits.end_to_end(problem, "float32", 2.0, rates)["limit"] == pytest.approx(1 / (90 + each / 10))
    assert gpu_limits.end_to_end(problem, "float32", None, {**rates, "copy": 1.0})["limit"] == pytest.approx(1 / 5040)


def test_units_in_the_last_place():
    one = np.float32(1.0)
    after = np.nextafter(one, np.float32(2))
    before = np.nextafter(one, np.float32(0))
    found = np.array([after, before, -one, np.inf, np.nan, np.nan, 0.0, 1e-40])
    true = np.array([one, one, one, np.inf, np.nan, 1.0, -0.0, 0.0])
    expected = [1, 0.5, 2 / 2**-23, 0, 0, np.inf, 0, 1e-40 / 2.0**-149]  # below the normal numbers spacing is constant
    np.testing.assert_allclose(gpu_noise.ulps(found, true, np.float32), expected, rtol=1e-6)
    np.testing.assert_allclose(gpu_noise.ulps([0.25 + 2**-30], [0.25], np.float32), [2**-30 / 2**-25])
    np.testing.assert_allclose(gpu_noise.ulps([0.25 + 2**-30], [0.25], np.float32, 1.0), [2**-30 / 2**-23])


def test_every_fill_has_a_law_and_equals_itself():
    assert {law: noise.fill for law, noise in gpu_noise.LAWS.items()} == {law: law for law in FILLS}
    for law in ("gaussian", "rademacher", "arch"):
        found = gpu_noise.noise_apart(law, "float32", "cpu", 1, 16)
        assert (found.most, found.usual, found.signs, found.held) == (0, 0, 0, True)


@pytest.mark.parametrize(
    ("law", "change", "held"),
    [
        ("rademacher", lambda x: x * (1 + 2.0**-22), False),   # nothing may differ
        ("laplace", lambda x: x * (1 + 2.0**-22), True),       # two units, as stated
        ("laplace", lambda x: x * (1 + 2.0**-20), False),      # eight: not for 99.9 %
        ("laplace", lambda x: -x, False),
    ],
)  # fmt: skip
def test_noise_that_is_off_is_seen(law, change, held):
    true = gpu_noise.drawn(law, "float32", "cpu", 1, 16)
    found = gpu_noise.apart(law, "float32", change(true).astype(np.float32), true)
    assert found.held is held
    one_sign = true.copy()
    one_sign.flat[7] *= -1
    assert gpu_noise.apart(law, "float32", one_sign, true).signs == 1
    assert not gpu_noise.apart(law, "float32", one_sign, true).held


def test_random_words_of_a_kernel_in_the_simulator():
    code = """
import numpy as np
from benchmarks.gpu_words import device_words
from spikesim import rng
entries = np.append(np.arange(20, dtype=np.uint64), np.uint64(2**33 - 1))
steps = entries // np.uint64(5)
for draw in range(6):
    found = device_words(np, 2**63 + 5, rng.NOISE, 2**32 - 1, steps, entries, draw)
    true = rng.words(2**63 + 5, rng.NOISE, 2**32 - 1, steps, entries, draw)
    assert np.array_equal(found, true), draw
    assert not np.array_equal(found, rng.words(2**63 + 4, rng.NOISE, 2**32 - 1, steps, entries, draw))
"""
    python(code, NUMBA_ENABLE_CUDASIM="1")


def test_a_word_that_differs_is_counted(monkeypatch):
    def wrong_once(_, *where):
        words = gpu_noise.rng.words(*where)
        words[3] ^= where[-1] == 5
        return words

    monkeypatch.setattr(gpu_device, "namespace", lambda: np)
    monkeypatch.setattr(gpu_noise, "device_words", wrong_once)
    assert gpu_noise.words_apart(range(2), 64) == {"places": 2 * 6 * 64, "different": 2}


def test_the_cpu_agrees_with_itself_and_a_change_is_seen(monkeypatch):
    monkeypatch.setattr(gpu_verify, "METHODS", {"collapsed": ("pre-polar", "polar-only")})
    monkeypatch.setattr(gpu_verify, "SHAPE", (8, 12))
    rows = list(gpu_verify.observables_apart("cpu", 3, 20))
    assert {row["of"] for row in rows} == {"pre-polar", "polar-only", "buffer"}
    assert all(row["difference"] == 0 and row["held"] for row in rows)
    assert gpu_verify.halves_apart("cpu", 4)["same_bits"]

    run = gpu_verify.run

    def off(law, device, *arguments, **options):
        data = run(law, "cpu", *arguments, **options)
        if device == "off":
            data["gap"][0, 1, 0] *= 1 + 1e-2
        return data

    monkeypatch.setattr(gpu_verify, "run", off)
    seen = [(row["of"], row["observable"]) for row in gpu_verify.observables_apart("off", 3, 20) if not row["held"]]
    assert seen == [("polar-only", "gap")] * 2  # both dtypes


def test_differences_are_beside_the_largest_value_and_undefined_ones_must_agree():
    assert gpu_verify.difference("gap", [2.0, 4.0], [2.0, 5.0]) == pytest.approx(0.2)
    assert gpu_verify.difference("residual", [2e-16], [1e-16]) == pytest.approx(1e-16)
    assert gpu_verify.difference("gap", [np.nan, 1.0], [np.nan, 1.0]) == 0
    assert gpu_verify.difference("gap", [np.nan, 1.0], [0.0, 1.0]) == np.inf
    assert gpu_verify.difference("gap", [0.0, 1.0], [np.nan, 1.0]) == np.inf


def test_a_first_job_grows_until_it_takes_long_or_fails():
    asked = []

    def measure(size):
        asked.append(size)
        if size > 64:
            raise MemoryError
        return size / 10

    assert gpu_run.begun(measure, 16) == 16
    assert gpu_run.begun(lambda size: float(size), 1024) == 4  # the next would take eight seconds
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
    (row,) = re.findall(r"^\| On a GPU.*$", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    assert ("not yet measured" in row) is not measured
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
