"""OpenBLAS is held to one thread, and gets its threads back."""

from __future__ import annotations

import threading

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
    assert one_thread.most == 4
