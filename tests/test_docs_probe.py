"""What docs/probe.md says runs, as it stands there."""

import re
from pathlib import Path

TEXT = (Path(__file__).parents[1] / "docs" / "probe.md").read_text()


def test_its_examples_run_one_after_the_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    there: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL):
        exec(code, there)
    assert "beta = " in capsys.readouterr().out
    assert (tmp_path / "gradients" / "layer.png").stat().st_size > 10_000
    assert 0.8 < there["found"].advice.momentum < 0.95  # S8's best window is 10


def test_its_limits_are_those_of_the_code():
    from spikesim.probe import plan

    assert f"needs {plan.LEAST} T gradients" in TEXT
    assert f"At least {plan.FEWEST} are needed" in TEXT
    assert f"the next {plan.AHEAD} steps" in TEXT
