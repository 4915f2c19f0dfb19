"""Every command's help can be read by itself: a sentence, a unit and an example; one wording for one option."""

import shlex

import pytest
import typer.main

from spikesim.cli import app

GROUP = typer.main.get_command(app)
COMMANDS = GROUP.commands
OPTIONS = [(name, p) for name, command in COMMANDS.items() for p in command.params if not getattr(p, "hidden", False)]
SHARED = ["--json", "--fresh", "folder"]


def words(parameter):
    return (parameter.help or "").partition("  [default")[0]


@pytest.mark.parametrize(("command", "parameter"), OPTIONS, ids=lambda x: x if isinstance(x, str) else x.name)
def test_an_option_has_a_sentence_and_a_unit(command, parameter):
    assert words(parameter)[:1].isupper(), command
    assert words(parameter).endswith("."), command
    flag = getattr(parameter, "is_flag", False)
    assert flag or parameter.metavar, command


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_sentence_and_an_example_that_it_takes(name):
    command = COMMANDS[name]
    assert command.help.partition("\n")[0].rstrip().endswith(".")
    program, called, *arguments = shlex.split(command.epilog.removeprefix("Example: "))
    assert (program, called) == ("spikesim", name)
    command.make_context(name, arguments)  # raises UsageError for what it does not take


@pytest.mark.parametrize("shared", SHARED)
def test_one_option_is_worded_alike_by_all_commands(shared):
    found = {words(p) for _, p in OPTIONS if shared in (*p.opts, p.name)}
    assert len(found) == 1


def test_quick_means_the_same_everywhere():
    from spikesim.options import SMALL

    quick = [words(p) for _, p in OPTIONS if "--quick" in (*p.opts, *p.secondary_opts)]
    assert len(quick) == 2
    assert all(text.endswith(f" at {SMALL}.") for text in quick)


@pytest.mark.parametrize("name", COMMANDS)
def test_options_about_output_come_last(name):
    names = [p.opts[0] for p in COMMANDS[name].params]
    assert "--json" not in names or names[-1] == "--json"
    if "--quick" in names:
        assert names.index("--fresh") == names.index("--quick") + 1


def test_an_example_that_is_wrong_is_found():
    with pytest.raises(Exception, match=r"(?i)no such option"):
        COMMANDS["verify"].make_context("verify", ["--al1"])
