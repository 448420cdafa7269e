"""The program in a terminal: a pseudo-terminal of a given width."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import numpy as np
import pytest

import gpersist


def in_terminal(columns, *arguments, **environment):
    """What the program writes to a terminal, and its exit status."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TERM", "CI")}
    program = subprocess.Popen(
        [sys.executable, "-m", "gpersist", *map(str, arguments)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**clean, "TERM": "xterm-256color", **environment},
    )
    os.close(slave)
    written = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # EIO: the program has closed it
            break
        if not piece:
            break
        written += piece
    os.close(master)
    return program.wait(), written.decode()


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r\n", "\n").splitlines()


@pytest.fixture
def long_names(tmp_path):
    arrays = {
        f"tower_{number}/inception_resnet_v2/repeat_1/block17_{number}/conv2d_1x1/weights/Adam_1": np.zeros((1, 1, 3, number), np.float32)
        for number in range(3)
    }
    gpersist.save(tmp_path / "c", arrays, durable=False, devices=dict.fromkeys(arrays, "/job:localhost/replica:0/task:0/device:GPU:0"))
    return tmp_path / "c", list(arrays)


def test_80_columns_fold_and_leave_out(long_names):
    path, names = long_names
    status, text = in_terminal(80, "show", path)
    lines = plain(text)
    lines = lines[: lines.index("")]
    assert status == 0 and max(map(len, lines)) <= 80
    assert lines[0].split() == ["tensor", "dtype", "shape", "size", "device"]
    width = lines[0].index("dtype")
    assert "".join(line[:width].strip() for line in lines[1:]).startswith("".join(names))  # folded, not cut
    assert "\x1b[36m" in text


def test_200_columns_show_all(long_names):
    path, names = long_names
    lines = plain(in_terminal(200, "show", path)[1])
    assert lines[0].split()[-2:] == ["shard", "crc32c"]
    assert [line.split()[0] for line in lines[1:4]] == names


def test_no_colour_if_told_so(prefix):
    assert "\x1b[36m" not in in_terminal(80, "show", prefix, NO_COLOR="1")[1]


def test_markup_and_escapes_in_names(tmp_path):
    gpersist.save(tmp_path / "c", {"a[red]b[/red]\x1b[31mc": 1}, durable=False)
    text = in_terminal(80, "show", tmp_path / "c")[1]
    assert "a[red]b[/red]\\x1b[31mc" in text and "\x1b[31m" not in text


def test_a_bar_with_a_rate_that_goes_away(tmp_path):
    gpersist.save(tmp_path / "c", {"a": np.zeros(72 << 20, np.uint8)}, durable=False)
    status, text = in_terminal(120, "verify", tmp_path / "c")
    assert status == 0 and f"verifying {tmp_path}/c" in text and "━" in text
    assert "\x1b[2K" in text  # erased
    assert re.search(r"c: whole, read in \d+\.\d\d s, \d+\.\d\d GB/s; 1 tensor, 72\.0 MiB", plain(text)[-1])


def test_an_error_and_its_status(tmp_path):
    status, text = in_terminal(80, "verify", tmp_path / "nothing")
    assert status == 2 and text.startswith("gpersist: error: there is no checkpoint")
