"""Devices that fail: a save is given up, its files are gone, the last good checkpoint stands, and the next call says what is wrong."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import gpersist
from gpersist.devices import Device
from gpersist.errors import UnavailableError
from tests.cuda.gpus import (
    GPUS,
    IS_EMULATED,
    cupy,
    emulated_only,
    error_of,
    files,
    hold,
    in_process,
    nothing_leaks,
    numbers,
    several_gpus,
    stored,
    stream_of,
)
from tests.devices.contract import assert_same_bytes, put, take

if IS_EMULATED:
    from tests.cudasim import control

pytestmark = pytest.mark.cuda

LOST = "the CUDA context is lost, so that this process must be started again"
LAUNCH_FAILURE, ILLEGAL_ADDRESS, ECC = 719, 700, 214
RING = {"ring_bytes": 1 << 16, "threads": 3}


@pytest.fixture
def good(device: Device, prefix: str) -> str:
    """A checkpoint that must outlive whatever happens next."""
    gpersist.save(prefix, {"x": put(device, numbers(0))})
    return prefix


def assert_stands(good: str, tmp_path: Path, before: list[str]) -> None:
    assert files(tmp_path) == before
    assert_same_bytes(stored(good)["x"], numbers(0))
    assert gpersist.verify(good)


@emulated_only
class TestACallThatFails:
    @pytest.mark.parametrize("way", ["save", "save_async"])
    @pytest.mark.parametrize(
        "fault",
        [
            *(f"cudaMemcpyAsync.DtoH:{nth}:1" for nth in (1, 2, 5)),
            *(f"cudaEventRecord:{nth}:1" for nth in (1, 2, 3, 4)),
            *(f"cudaEventCreateWithFlags:{nth}:2" for nth in (1, 3)),
            *(f"cudaEventSynchronize:{nth}:1" for nth in (1, 2)),
            *(f"cudaStreamWaitEvent:{nth}:1" for nth in (1, 2)),
            *(f"cudaStreamCreateWithPriority:{nth}:2" for nth in (1, 2)),
        ],
    )
    def test_leaves_no_trace_of_the_save(self, device: Device, good: str, tmp_path: Path, way: str, fault: str) -> None:
        before, array, stream = files(tmp_path), put(device, numbers(9)), stream_of("non-blocking")
        with nothing_leaks():
            error = ""
            with stream, control.faults(fault):
                try:
                    if way == "save":
                        gpersist.save(f"{good}-2", {"x": array}, **RING)
                    else:
                        gpersist.save_async(f"{good}-2", {"x": array}, **RING).result()
                except UnavailableError as caught:
                    error = str(caught)
                stream.synchronize()
            if not error:  # there are not so many such calls in this way of saving
                assert_same_bytes(stored(f"{good}-2")["x"], numbers(9))
                return
            assert re.search("/device:GPU:0: cudaError", error)
            assert LOST not in error
            assert_stands(good, tmp_path, before)
        gpersist.save(f"{good}-2", {"x": array}, **RING)
        assert_same_bytes(stored(f"{good}-2")["x"], numbers(9))

    @pytest.mark.parametrize("fault", ["cudaMemcpyAsync.DtoH:1:1", "cudaMemcpyAsync.DtoH:3:1", "cudaEventSynchronize:2:1"])
    def test_names_the_tensor(self, device: Device, prefix: str, fault: str) -> None:
        with control.faults(fault), pytest.raises(UnavailableError, match=r"^/device:GPU:0: cudaErrorInvalidValue.*\(while saving tensor 'x'\)$"):
            gpersist.save(prefix, {"x": put(device, numbers(0))}, **RING)

    def test_of_a_second_save_to_one_prefix_leaves_the_first(self, device: Device, good: str, tmp_path: Path) -> None:
        before, array = files(tmp_path), put(device, numbers(9))
        with control.faults("cudaMemcpyAsync.DtoH:2:1"), pytest.raises(UnavailableError):
            gpersist.save(good, {"x": array}, **RING)
        assert_stands(good, tmp_path, before)
        gpersist.save(good, {"x": array}, **RING)
        assert_same_bytes(stored(good)["x"], numbers(9))

    @pytest.mark.parametrize("is_into", [False, True])
    @pytest.mark.parametrize("fault", ["cudaMemcpyAsync.HtoD:1:1", "cudaMemcpyAsync.HtoD:3:1", "cudaEventRecord:3:1", "cudaStreamWaitEvent:1:1"])
    def test_of_a_load_keeps_nothing(self, device: Device, good: str, fault: str, is_into: bool) -> None:
        into = {"x": put(device, numbers(3))} if is_into else None
        with nothing_leaks():
            with control.faults(fault):
                error = error_of(UnavailableError, lambda: gpersist.load(good, into=into, **RING))
            assert re.search(r"/device:GPU:0: cudaErrorInvalidValue.*\(while loading tensor 'x'\)", error)
        found = gpersist.load(good, into=into, **RING)
        assert_same_bytes(take(device, found["x"]), numbers(0))


@emulated_only
@pytest.mark.parametrize("code", [LAUNCH_FAILURE, ILLEGAL_ADDRESS, ECC])
class TestALostDevice:
    @pytest.mark.parametrize("nth", [1, 4])
    @pytest.mark.parametrize("way", ["save", "save_async"])
    def test_by_a_copy_out(self, device: Device, good: str, tmp_path: Path, way: str, nth: int, code: int) -> None:
        before, array = files(tmp_path), put(device, numbers(9))

        def save() -> None:
            if way == "save":
                gpersist.save(f"{good}-2", {"x": array}, **RING)
            else:
                gpersist.save_async(f"{good}-2", {"x": array}, **RING).result()

        with nothing_leaks():
            with control.faults(f"async/cudaMemcpyAsync.DtoH:{nth}:{code}"):
                for _ in range(3):
                    assert re.search(rf"/device:GPU:0: cudaError.*{LOST}", error_of(UnavailableError, save))
                    assert_stands(good, tmp_path, before)
                assert LOST in error_of(UnavailableError, lambda: gpersist.load(good))
                gpersist.save(f"{good}-host", {"x": numbers(1)})  # what needs no device goes on
                assert_same_bytes(stored(f"{good}-host")["x"], numbers(1))
            gpersist.release_memory()

    def test_by_work_of_the_callers_own(self, device: Device, good: str, tmp_path: Path, code: int) -> None:
        before, array = files(tmp_path), put(device, numbers(9))
        with control.faults(f"async/cudaLaunchHostFunc:1:{code}"), stream_of("non-blocking") as stream:
            stream.launch_host_func(lambda _: None, None)
            for _ in range(2):
                with pytest.raises(UnavailableError, match=LOST):
                    gpersist.save_async(f"{good}-2", {"x": array}).result()
        assert_stands(good, tmp_path, before)

    def test_under_a_held_stream(self, device: Device, good: str, tmp_path: Path, request: pytest.FixtureRequest, code: int) -> None:
        before, array = files(tmp_path), put(device, numbers(9))
        request.getfixturevalue("no_room")
        with control.faults(f"async/cudaMemcpyAsync.DtoH:3:{code}"), stream_of("non-blocking") as stream:
            handle = gpersist.save_async(f"{good}-2", {"x": array}, **RING)
            with pytest.raises(UnavailableError, match=LOST):
                handle.result(20)
            with pytest.raises(cupy.cuda.runtime.CUDARuntimeError):
                stream.synchronize()  # returns: the hold is over
        assert_stands(good, tmp_path, before)

    def test_by_a_copy_in(self, device: Device, good: str, code: int) -> None:
        with nothing_leaks():
            with control.faults(f"async/cudaMemcpyAsync.HtoD:2:{code}"):
                assert re.search(rf"/device:GPU:0: cudaError.*{LOST}", error_of(UnavailableError, lambda: gpersist.load(good, **RING)))
            gpersist.release_memory()

    def test_is_told_by_the_managers_next_call(self, device: Device, tmp_path: Path, code: int) -> None:
        array = put(device, numbers(0))
        with gpersist.CheckpointManager(tmp_path, max_to_keep=2) as manager:
            manager.save(1, {"x": array})
            with control.faults(f"async/cudaMemcpyAsync.DtoH:2:{code}"):
                manager.save_async(2, {"x": array}, **RING)
                with pytest.raises(UnavailableError, match=LOST):
                    manager.save_async(3, {"x": array}, **RING)
                with pytest.raises(UnavailableError, match=LOST):
                    manager.wait()  # for the third, which has begun all the same
                assert manager.all_steps() == [1]
                assert str(manager.latest()).endswith("-1")
            gpersist.release_memory()
        assert not [name for name in files(tmp_path) if "-2" in name or "-3" in name or "temp" in name]

    @several_gpus
    def test_is_named_among_others(self, prefix: str, tmp_path: Path, code: int) -> None:
        arrays = {gpu.name: put(gpu, numbers(0)) for gpu in GPUS}
        with GPUS[-1].activate(), control.faults(f"async/cudaLaunchHostFunc:1:{code}"):
            hold(cupy.cuda.Stream.null).set()
            assert f"{GPUS[-1].name}: cudaError" in error_of(UnavailableError, lambda: gpersist.save_async(prefix, arrays).result())
        assert files(tmp_path) == []


@emulated_only
def test_no_destructor_says_a_word(prefix: str) -> None:
    program = f"""
x = cupy.zeros(100_000, np.float32)
try:
    gpersist.save_async({prefix!r}, {{"x": x}}, ring_bytes=65536, threads=3).result()
except gpersist.UnavailableError as error:
    print(error)
gpersist.release_memory()
"""
    assert LOST in in_process(program, CUDASIM_FAIL="async/cudaMemcpyAsync.DtoH:2:719")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
class TestFork:
    PRELUDE = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12's, of forking a process that has threads
def in_child(work):
    child = os.fork()
    if child == 0:
        try:
            print(work(), flush=True)
        except gpersist.FailedPreconditionError as error:
            assert "CUDA was initialised in process" in str(error) and "'spawn'" in str(error), error
            print("refused", flush=True)
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""

    def test_after_cuda_was_used_is_refused(self, prefix: str) -> None:
        program = f"""{self.PRELUDE}
x = cupy.arange(5)
gpersist.save({prefix!r}, {{"x": x}})
handle = gpersist.save_async({prefix!r}, {{"x": x}})
handle.result()
in_child(lambda: gpersist.save({prefix + "-2"!r}, {{"x": x}}))
in_child(lambda: gpersist.save_async({prefix + "-2"!r}, {{"x": x}}).result())
in_child(lambda: gpersist.load({prefix!r}))
in_child(lambda: gpersist.load({prefix!r}, into={{"x": x}}))
in_child(lambda: gpersist.devices()[1].info())
print(gpersist.load({prefix!r})["x"])
"""
        assert in_process(program) == "refused\n" * 5 + "[0 1 2 3 4]"
        assert [name for name in files(Path(prefix).parent) if "-2" in name] == []

    def test_what_needs_no_device_works_in_the_child(self, prefix: str) -> None:
        program = f"""{self.PRELUDE}
x = cupy.arange(5)
gpersist.save({prefix!r}, {{"x": x}})
in_child(lambda: gpersist.load({prefix!r}, placement="host")["x"])
in_child(lambda: gpersist.save({prefix + "-2"!r}, {{"x": np.arange(3)}}).num_tensors)
in_child(lambda: gpersist.verify({prefix!r}).num_tensors)
"""
        assert in_process(program).splitlines()[:2] == ["[0 1 2 3 4]", "1"]
