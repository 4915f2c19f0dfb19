"""The page of stages: its example runs, it names every stage and filter with its arguments, and its texts are stages."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from spikesim import stages
from spikesim.filters import FILTERS
from spikesim.pipelines import pipelines_from
from spikesim.stages.named import STAGES

PAGE = (Path(__file__).parents[2] / "docs" / "stages.md").read_text()


def test_its_example_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(code, {})
    printed = capsys.readouterr().out
    assert "clipped" in printed
    assert "NewtonSchulz(dtype='bfloat16')" in printed


@pytest.mark.parametrize("law", [*STAGES.values(), *FILTERS.values()], ids=lambda law: law.__name__)
def test_it_names_every_stage_and_filter_with_its_arguments(law):
    given = [set(re.findall(r"(\w+)(?:=|,|\))", text)) for text in re.findall(rf"`{law.__name__}\(([^`]*\))`", PAGE)]
    names = {f.name for f in fields(law)} - ({"of"} if law is STAGES["Filter"] else set())
    assert any(names <= found for found in given), (names, given)


def test_every_stage_is_in_the_package():
    assert {getattr(stages, name) for name in stages.__all__} == set(STAGES.values())


@pytest.mark.parametrize("text", re.findall(r'"([^"\n,#]*-> [^"\n]*)"', PAGE))
def test_its_texts_are_pipelines(text):
    assert pipelines_from([text])


def test_its_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", PAGE):
        assert (Path(__file__).parents[2] / "docs" / target).exists(), target
