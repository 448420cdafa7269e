"""Small products hold OpenBLAS to one thread, and give its threads back."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from gpersist.ops import blas_threads


def test_the_number_of_threads_comes_back_whoever_leaves_last() -> None:
    number = [4]
    one_thread = blas_threads._OneThread(lambda: number[0], lambda wanted: number.__setitem__(0, wanted))
    is_in, may_leave = threading.Event(), threading.Event()

    def stay() -> None:
        with one_thread:
            is_in.set()
            may_leave.wait(10)

    thread = threading.Thread(target=stay)
    with pytest.raises(KeyError), one_thread:
        thread.start()
        assert is_in.wait(10)
        raise KeyError
    assert number == [1]  # the other one is still in it
    may_leave.set()
    thread.join()
    assert number == [4]


@pytest.mark.parametrize("small", [0, 1 << 28])
def test_gives_the_product(monkeypatch: pytest.MonkeyPatch, small: int) -> None:
    monkeypatch.setattr(blas_threads, "_SMALL", small)
    a, b = np.arange(24.0).reshape(2, 3, 4), np.arange(20.0).reshape(4, 5)
    np.testing.assert_array_equal(blas_threads.matmul(np, a, b), a @ b)
    out = np.empty((2, 3, 5))
    assert blas_threads.matmul(np, a, b, out=out) is out
