from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpersist.devices import Device, use_virtual
from gpersist.devices.host import HostDevice

from .contract import DeviceContract


class TestHostDevice(DeviceContract):
    backend = "host"

    @pytest.fixture
    def device(self) -> Device:
        return HostDevice()


def test_owns_no_array_of_a_virtual_device() -> None:
    with use_virtual(1) as (device,):
        array = device.empty((3,), np.dtype(np.float32))
        assert not HostDevice().owns(array)
        assert HostDevice().owns(np.asarray(array))


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 100))
def test_a_copy_is_numpys_assignment(host_offset: int, array_offset: int, size_bytes: int) -> None:
    device = HostDevice()
    host, stream, array = device.pinned(300), device.stream(), np.arange(300, dtype=np.uint16).astype(np.uint8)
    stream.copy_to_host(host, host_offset, array, array_offset, size_bytes)
    expected = np.zeros(300, np.uint8)
    expected[host_offset : host_offset + size_bytes] = array[array_offset : array_offset + size_bytes]
    assert (host.array == expected).all()
