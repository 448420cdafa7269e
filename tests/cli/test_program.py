from __future__ import annotations

import logging
import re
import shlex
import subprocess
import sys

import pytest

import gpersist
from gpersist.cli import main, show
from gpersist.cli.parser import build_parser
from gpersist.errors import CheckpointNotFoundError

COMMANDS = list(build_parser().parse_args([]).commands)


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    out = capsys.readouterr().out
    assert stopped.value.code == 0
    assert "exit status:" in out
    for command in COMMANDS:
        assert f"gpersist {command}" in out.split("examples:")[1] or command == "devices"
        assert f"\n  {command} " in out


@pytest.mark.parametrize("columns", ["80", "120"])
@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_examples(command, columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    out = capsys.readouterr().out
    assert stopped.value.code == 0
    assert f"  gpersist {command}" in out.split("examples:")[1]
    assert ("--json" in out) == (command != "completion")
    assert max(map(len, out.splitlines())) <= 80 or columns == "120"


@pytest.mark.parametrize("command", [[], *([command] for command in COMMANDS)])
def test_the_examples_can_be_parsed(command, capsys):
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    examples = re.findall(r"^  (?:\w+=\S+ )?gpersist (.*?)(?:  .*| [|&>].*| without .*)?$", capsys.readouterr().out, re.MULTILINE)
    assert examples
    for example in examples:
        if "--help" not in example:
            assert build_parser().parse_args(shlex.split(example)).run


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"gpersist {gpersist.__version__}\n"


def test_no_command_is_wrong_usage(run):
    done = run()
    assert done.status == 2 and not done.out and "usage: gpersist" in done.err


@pytest.mark.parametrize(
    "arguments", [["shwo"], ["show"], ["show", "a", "--sort", "colour"], ["diff", "a"], ["diff", "a", "b", "--rtol", "-1"], ["demo", "--steps", "5"]]
)
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_command_that_is_not_there(capsys):
    for wrong, told in (("shwo", "'shwo': did you mean 'show'? `gpersist"), ("xyz", "'xyz'; `gpersist")):
        with pytest.raises(SystemExit) as stopped:
            main([wrong, "run"])
        assert stopped.value.code == 2
        assert f"there is no command {told} --help` lists them" in capsys.readouterr().err


def test_an_error_is_one_line(run, tmp_path):
    done = run("show", tmp_path / "nothing")
    assert done.status == 2 and not done.out
    assert done.err.startswith("gpersist: error: there is no checkpoint ") and done.err.count("\n") == 1


def test_an_error_cannot_steer_the_terminal(run, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"line\n")
    done = run("show", path, "--values", "a\x1b[2Jb")
    assert "\x1b" not in done.err
    done = run("show", f"{tmp_path}/a\x1b[2Jb")
    assert done.status == 2 and "\x1b" not in done.err


def test_debug_shows_where(monkeypatch, tmp_path):
    monkeypatch.setenv("GPERSIST_DEBUG", "1")
    with pytest.raises(CheckpointNotFoundError):
        main(["show", str(tmp_path / "nothing")])


def test_interrupted(monkeypatch, run, prefix):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(show, "list_checkpoint", interrupt)
    assert run("show", prefix) == (130, "", "")


def test_no_memory_is_no_traceback(monkeypatch, run, prefix):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(show, "list_checkpoint", fail)
    assert run("show", prefix) == (2, "", "gpersist: error: MemoryError\n")


def test_warnings_are_lines_like_errors(run, prefix):
    with open(prefix + ".meta", "wb") as file:
        file.write(b"\xff" * 20)
    before = list(logging.getLogger("gpersist").handlers)
    done = run("show", prefix)
    assert done.status == 0 and "dense/kernel" in done.out
    assert done.err.startswith("gpersist: warning: ") and ".meta" in done.err
    assert logging.getLogger("gpersist").handlers == before


def test_whoever_reads_may_leave(tmp_path):
    prefix = str(tmp_path / "many")
    gpersist.save(prefix, {f"layer_{number}": number for number in range(5000)}, durable=False)
    program = subprocess.Popen([sys.executable, "-m", "gpersist", "show", prefix], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with program:
        program.stdout.readline()
        program.stdout.close()
        assert program.stderr.read() == b""
    assert program.returncode == 141


def test_rich_is_imported_only_for_terminals(prefix):
    code = (
        f"import sys; from gpersist.cli import main; main(['show', {prefix!r}]); sys.exit(any(name.split('.')[0] == 'rich' for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_names_that_the_output_cannot_spell(prefix):
    done = subprocess.run([sys.executable, "-m", "gpersist", "show", prefix, "--tree"], capture_output=True, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0 and b"|-- dense/  (2 tensors, 30 B)" in done.stdout
