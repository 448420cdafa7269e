from __future__ import annotations

import io
import pathlib
import re
import sys

import pytest

from gpersist.cli import output
from gpersist.cli.output import Column, amount, counted, printable, progress, rate, write_table

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536 << 20, "1.5 GiB"), (3 << 40, "3.0 TiB"), (5000 << 40, "5000.0 TiB")]
)
def test_amount(size, text):
    assert amount(size) == text


def test_rate_and_counted():
    assert rate(3_000_000_000, 2) == "1.50 GB/s"
    assert rate(0, 0) == "0.00 GB/s"
    assert (counted(1, "tensor"), counted(0, "tensor"), counted(12345, "tensor")) == ("1 tensor", "0 tensors", "12,345 tensors")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("dense/kernel", "dense/kernel"), ("größe", "größe"), ("a\x1bb\nc", "a\\x1bb\\nc"), ("\udcff", "\\udcff"), ("\u202ex", "\\u202ex")],
)
def test_printable(text, shown):
    assert printable(text) == shown


def test_a_table_that_is_piped_cuts_nothing(capsys):
    name = "scope/" * 100
    write_table([Column("name", folds=True), Column("size", is_number=True), Column("note", is_extra=True)], [(name, "5 B", "x"), ("a", "10 B", "")])
    assert capsys.readouterr().out == f"{'name':<600}  size  note\n{name}   5 B  x\n{'a':<600}  10 B\n"


class _Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_long_table_is_written_without_rich(monkeypatch):
    monkeypatch.setattr(sys, "stdout", terminal := _Terminal())
    monkeypatch.setattr(output, "_write_rich", None)
    write_table([Column("n")], [("1",)] * 501)
    assert terminal.getvalue().count("\n") == 502


def test_no_bar_without_a_terminal(capsys):
    with progress("reading", 1 << 40) as on_progress:
        assert on_progress is None
    assert capsys.readouterr() == ("", "")


def test_no_bar_for_what_is_short(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := _Terminal())
    with progress("reading", 1 << 20) as on_progress:
        assert on_progress is None
    assert terminal.getvalue() == ""


def test_what_the_library_says_in_pythons_words_is_said_in_options(capsys):
    sources = "".join(path.read_text() for layer in ("checkpoint", "convert") for path in (ROOT / "gpersist" / layer).glob("*.py"))
    said = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', sources))
    assert [python for python in output._OPTIONS if python not in said] == []
    output.write_error("error", "clear_devices=True, and placement='recorded'")
    assert capsys.readouterr().err == "gpersist: error: --clear-devices, and --placement recorded\n"
