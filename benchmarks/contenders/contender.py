"""What a contender is, and where each of them is found."""

from __future__ import annotations

import abc
import importlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from benchmarks.stopwatch import Stopwatch
from benchmarks.workloads import Array, Workload

Action = Callable[[Stopwatch], Mapping[str, Array] | None]
"""What is measured; returns what was loaded, if anything, to be checked."""

_CLASSES = {
    "raw": "raw:Raw",
    "gpersist": "ours:Ours",
    "SaveV2": "tensorflow_ops:SaveV2",
    "Saver": "tensorflow_saver:Saver",
    "safetensors": "formats:Safetensors",
    "torch": "formats:Torch",
    "gpersist (GPU)": "on_device:Ours",
    "safetensors (GPU)": "on_device:Safetensors",
    "torch (GPU)": "on_device:Torch",
    "torch DCP (GPU)": "on_device:TorchDistributed",
    "orbax (GPU)": "on_device:Orbax",
}


def find(name: str) -> type[Contender]:
    """The class of a contender.

    Raises:
        ImportError: this interpreter has not what it needs.
    """
    module, _, attribute = _CLASSES[name].partition(":")
    return cast(type[Contender], getattr(importlib.import_module(f"benchmarks.contenders.{module}"), attribute))


class Contender(abc.ABC):
    """Holds a workload's arrays, and does things with them.

    An action does whatever it needs before and after outside of `with stopwatch:`, and within it the one thing that is measured. What was saved is
    removed again, before the kernel comes to write it to the disk, so that savers do not pay for the writeback of those before them.
    """

    version: str
    """Of what is measured, such as `"torch 2.13.0"`."""

    def __init__(self, workload: Workload, folder: Path) -> None:
        """Makes the arrays.

        Args:
            workload: what to save and load.
            folder: exists, and is this contender's own; its other processes find there what one of them has stored.
        """
        self.workload, self.folder = workload, folder

    @abc.abstractmethod
    def actions(self) -> dict[str, dict[str, Action]]:
        """Actions by phase ("save", "load", "durable", "async") and name."""

    @abc.abstractmethod
    def store(self, folder: Path) -> None:
        """Saves the arrays into an empty folder, for loads."""

    @property
    def stored(self) -> Path:
        """The folder into which `store` has saved them; written when it is first asked for."""
        folder = self.folder / "stored"
        if not folder.exists():
            folder.mkdir()
            self.store(folder)
        return folder

    @contextmanager
    def fresh_folder(self) -> Iterator[Path]:
        """An empty folder for the duration of a `with`."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
