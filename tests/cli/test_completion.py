"""Completion in real shells: bash in a pseudo-terminal, whose ESC * puts all completions into the line; zsh and fish where they are installed."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess

import pytest

from gpersist.cli.parser import build_parser

SHELLS = ("bash", "zsh", "fish")
COMMANDS = build_parser().parse_args([]).commands


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in (
        "run/checkpoint",
        *(f"run/ckpt-{step}.{tail}" for step in (7, 12) for tail in ("index", "meta", "data-00000-of-00001")),
        "graph.meta",
        "frozen.pb",
        "a b/c d.index",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def complete(run, folder):
    """All completions of a word that is typed after a line, in a bash of a user's own; `gpersist` there only says what it was given."""
    (folder / "rc").write_text(
        run("completion", "bash").out + "bind 'set enable-bracketed-paste off'\nPS1=\ngpersist() { printf '<%s>' \"$@\"; echo; exit; }\n"
    )

    def complete(line, typed=""):
        master, slave = pty.openpty()
        environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(folder)}
        shell = ["bash", "--noprofile", "--rcfile", "rc", "-i"]
        with subprocess.Popen(shell, stdin=slave, stdout=subprocess.PIPE, stderr=slave, env=environment, start_new_session=True) as program:
            os.write(master, f"{line}{typed}\x1b*\n".encode())
            said, _ = program.communicate(timeout=100)
        os.close(slave)
        os.close(master)
        *_, answer = said.decode().splitlines()
        return set(re.findall("<(.*?)>", answer)[len(line.split()) - 1 :])

    return complete


def test_commands(complete):
    assert complete("gpersist ") == {*COMMANDS, "-h", "--help", "--version"}
    assert complete("gpersist ", "d") == {name for name in COMMANDS if name.startswith("d")}


@pytest.mark.parametrize("name", COMMANDS)
def test_options(complete, name):
    _, parser = COMMANDS[name]
    assert complete(f"gpersist {name} ", "-") == {option for action in parser._actions for option in action.option_strings}


def test_a_checkpoint_is_completed_by_its_prefix(complete):
    assert complete("gpersist show ", "run/") == {"run/ckpt-7", "run/ckpt-12", "run/checkpoint"}
    assert complete("gpersist verify --quick ", "run/ckpt-1") == {"run/ckpt-12"}
    assert complete("gpersist place ", "run/ckpt-7.m") == {"run/ckpt-7.meta"}
    assert complete("gpersist diff run/ckpt-7 ", "gr") == {"graph.meta"}


def test_names_with_blanks(complete):
    assert complete("gpersist show ", "a\\ b/") == {"a b/c d"}
    assert complete("gpersist show ", "'a b/") == {"a b/c d"}


def test_values(complete):
    assert complete("gpersist show run --sort ") == {"name", "size", "device"}
    assert complete("gpersist convert a b --to ", "v") == {"v1", "v2"}
    assert complete("gpersist freeze run out.pb --meta ", "g") == {"graph.meta"}
    assert complete("gpersist completion ") == set(SHELLS)
    assert complete("gpersist diff a b --rtol ", "0") == {"0"}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_has_all(run, shell):
    script = run("completion", shell).out
    for name, (summary, parser) in COMMANDS.items():
        assert name in script and (shell == "bash" or summary in script)
        for option in (option for action in parser._actions for option in action.option_strings):
            assert option.lstrip("-") in script


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_can_be_read(run, shell, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(run("completion", shell).out)
    assert subprocess.run([shell, "-n", script], capture_output=True, text=True).stderr == ""


def test_fish(run, folder):
    if not shutil.which("fish"):
        pytest.skip("fish is not installed")
    (folder / "script").write_text(run("completion", "fish").out)

    def complete(line):
        done = subprocess.run(["fish", "--no-config", "-c", f"source script; complete -C '{line}'"], capture_output=True, text=True, check=True)
        return {found.split("\t")[0] for found in done.stdout.splitlines()}

    assert complete("gpersist ") >= set(COMMANDS)
    assert {"run/ckpt-7", "run/ckpt-12"} <= complete("gpersist show ", "run/")
    assert complete("gpersist show run --sort ") == {"name", "size", "device"}


def test_wrong_shell(capsys):
    with pytest.raises(SystemExit) as stopped:
        build_parser().parse_args(["completion", "tcsh"])
    assert stopped.value.code == 2 and "bash" in capsys.readouterr().err
