"""A virtual device that forgives no missing wait: streams idle until somebody waits for them, and closing one waits for nothing, as with CUDA."""

from __future__ import annotations

import functools
import time
from types import TracebackType

from gpersist.devices import Event, Stream
from gpersist.devices.virtual import VirtualDevice


class StrictDevice(VirtualDevice):
    """`/device:GPU:0`, whose current stream, `current`, is none of the calling thread. A context manager, which ends its streams.

    A lazy one notices that nobody waits at all; one that is not lazy, but slow, that somebody begins too soon.
    """

    def __init__(self, *, is_lazy: bool = True) -> None:
        super().__init__(0, is_lazy=is_lazy)
        self.current = super().stream()
        self._closes = [self.current.close]

    def stream(self) -> Stream:
        stream = super().stream()
        self._closes.append(stream.close)
        stream.close = lambda: None  # type: ignore[method-assign]
        return stream

    def be_busy(self) -> None:
        """Gives the current stream something to do that takes a while."""
        worker = self.current._worker  # type: ignore[attr-defined]
        worker.enqueue(functools.partial(time.sleep, 0.05))

    def record_current(self) -> Event:
        return self.current.record()

    def wait_current(self, event: Event) -> None:
        self.current.wait(event)

    def __enter__(self) -> StrictDevice:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for close in self._closes:
            close()
