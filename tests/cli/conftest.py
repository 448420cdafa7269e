from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
import pytest

import gpersist
from gpersist.cli import main


class Done(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(capsys):
    """Runs the program with arguments, in this process, its output no terminal."""

    def run(*arguments):
        status = main(list(map(str, arguments)))
        return Done(status, *capsys.readouterr())

    return run


@pytest.fixture
def prefix(tmp_path):
    """A checkpoint of four tensors, two of them recorded on GPUs."""
    path = str(tmp_path / "run" / "ckpt-7")
    arrays = {
        "dense/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
        "dense/bias": np.zeros(3, np.float16),
        "step": np.int64(7),
        "words": np.array([b"one", b"\xff\xfe"], object),
    }
    gpersist.save(path, arrays, devices={"dense/kernel": "/device:GPU:0", "dense/bias": "/device:GPU:1"}, durable=False)
    return path
