from __future__ import annotations

import numpy as np
import pytest

import gpersist

ARRAYS = {
    "dense/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
    "dense/bias": np.array([1, 2, 3], np.float16),
    "empty": np.zeros((0, 3), np.int32),
    "flags": np.array([True, False]),
    "step": np.int64(7),
    "waves": np.array([1 + 2j], np.complex64),
}
DEVICES = {"dense/kernel": "/device:GPU:0", "dense/bias": "/job:worker/task:1/device:GPU:1"}


@pytest.fixture
def prefix(tmp_path):
    """A checkpoint of several dtypes, two of its tensors recorded on GPUs."""
    path = str(tmp_path / "source" / "ckpt-7")
    gpersist.save(path, ARRAYS, devices=DEVICES, durable=False)
    return path


def same(prefix, arrays):
    """Whether a checkpoint holds just these arrays, bit for bit."""
    with gpersist.open(prefix) as reader:
        assert set(reader.names()) == set(arrays)
        for name, array in arrays.items():
            found, array = reader[name].read(), np.asarray(array)
            assert (found.dtype, found.shape) == (array.dtype, array.shape)
            assert found.tobytes() == array.tobytes() if array.dtype != object else found.tolist() == array.tolist()
    return True
