"""gpersist and its peers on a CUDA device's arrays. What is measured begins and ends with an idle device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.contenders.contender import Action, Contender
from benchmarks.stopwatch import Stopwatch
from benchmarks.workloads import Array, Workload


class OnDevice(Contender):
    """A contender that saves to, and loads from, something in a folder; without fsync."""

    synchronize: Callable[[], object]

    def actions(self) -> dict[str, dict[str, Action]]:
        return {"save": {"save": self.save}, "load": {"load": self.load}}

    def save(self, stopwatch: Stopwatch) -> None:
        self.synchronize()
        with self.fresh_folder() as folder, stopwatch:
            self.store(folder)

    def load(self, stopwatch: Stopwatch) -> dict[str, Array]:
        folder = self.stored
        self.synchronize()
        with stopwatch:
            loaded = self.restore(folder)
            self.synchronize()
        return {name: self.to_host(array) for name, array in loaded.items()}

    def restore(self, folder: Path) -> dict[str, Any]:
        """Loads what `store` saved."""
        raise NotImplementedError

    def to_host(self, array: Any) -> Array:
        """A device's array as NumPy's."""
        raise NotImplementedError


class OnDeviceAsync(OnDevice):
    """One that saves in the background, too."""

    def actions(self) -> dict[str, dict[str, Action]]:
        return {**super().actions(), "async": {"save_async": self.save_async}}

    def save_async(self, stopwatch: Stopwatch) -> None:
        """Measures how long the caller is blocked."""
        self.synchronize()
        with self.fresh_folder() as folder:
            with stopwatch:
                wait = self.start(folder)
            wait()

    def start(self, folder: Path) -> Callable[[], object]:
        """Begins a save, and returns what waits for its end."""
        raise NotImplementedError


class Ours(OnDeviceAsync):
    """gpersist, from CuPy arrays and into the same ones."""

    def __init__(self, workload: Workload, folder: Path) -> None:
        import cupy

        import gpersist

        super().__init__(workload, folder)
        self.version = f"gpersist {gpersist.__version__}, cupy {cupy.__version__}"
        self.gpersist, self.synchronize, self._as_numpy = gpersist, cupy.cuda.Device().synchronize, cupy.asnumpy
        self.arrays = {name: cupy.asarray(array) for name, array in workload.make().items()}

    def store(self, folder: Path) -> None:
        self.gpersist.save(folder / "model", self.arrays, durable=False)

    def start(self, folder: Path) -> Callable[[], object]:
        handle = self.gpersist.save_async(folder / "model", self.arrays, durable=False)
        return handle.result

    def restore(self, folder: Path) -> dict[str, Any]:
        loaded: dict[str, Any] = self.gpersist.load(folder / "model", into=self.arrays)
        return loaded

    def to_host(self, array: Any) -> Array:
        host: Array = self._as_numpy(array)
        return host


class _TorchTensors(OnDevice):
    device = "cuda"

    def __init__(self, workload: Workload, folder: Path) -> None:
        import torch

        if not torch.cuda.is_available():
            raise ImportError("this torch has no CUDA device")
        super().__init__(workload, folder)
        self.torch, self.version, self.synchronize = torch, f"torch {torch.__version__}", torch.cuda.synchronize
        self.tensors = {name: torch.as_tensor(array, device=self.device) for name, array in workload.make().items()}

    def to_host(self, array: Any) -> Array:
        host: Array = array.cpu().numpy()
        return host


class Torch(_TorchTensors):
    """torch.save, and torch.load of weights only, onto the device."""

    def store(self, folder: Path) -> None:
        self.torch.save(self.tensors, folder / "model.pt")

    def restore(self, folder: Path) -> dict[str, Any]:
        loaded: dict[str, Any] = self.torch.load(folder / "model.pt", map_location=self.device, weights_only=True)
        return loaded


class Safetensors(_TorchTensors):
    """`safetensors.torch`: save_file, load_file onto the device."""

    def __init__(self, workload: Workload, folder: Path) -> None:
        import safetensors
        import safetensors.torch

        super().__init__(workload, folder)
        self.module = safetensors.torch
        self.version = f"safetensors {safetensors.__version__}, {self.version}"

    def store(self, folder: Path) -> None:
        self.module.save_file(self.tensors, folder / "model.safetensors")

    def restore(self, folder: Path) -> dict[str, Any]:
        loaded: dict[str, Any] = self.module.load_file(folder / "model.safetensors", device=self.device)
        return loaded


class TorchDistributed(_TorchTensors, OnDeviceAsync):
    """torch.distributed.checkpoint in a group of one process, into the tensors it saved; its fsync switched off."""

    def __init__(self, workload: Workload, folder: Path) -> None:
        import torch.distributed as distributed
        import torch.distributed.checkpoint as checkpoint

        super().__init__(workload, folder)
        self.checkpoint = checkpoint
        if not distributed.is_initialized():
            distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)

    def store(self, folder: Path) -> None:
        self.checkpoint.save(self.tensors, storage_writer=self._writer(folder))

    def start(self, folder: Path) -> Callable[[], object]:
        done: Callable[[], object] = self.checkpoint.async_save(self.tensors, storage_writer=self._writer(folder)).result
        return done

    def restore(self, folder: Path) -> dict[str, Any]:
        self.checkpoint.load(self.tensors, checkpoint_id=folder)
        return self.tensors

    def _writer(self, folder: Path) -> Any:
        return self.checkpoint.FileSystemWriter(folder, sync_files=False)


class Orbax(OnDeviceAsync):
    """Orbax's StandardCheckpointer, with JAX arrays, which nobody can change: it has nothing to copy before it returns."""

    platform = "gpu"

    def __init__(self, workload: Workload, folder: Path) -> None:
        import jax
        import orbax.checkpoint as orbax

        if jax.default_backend() != self.platform:
            raise ImportError("this JAX has no GPU")
        super().__init__(workload, folder)
        self.version = f"orbax-checkpoint {orbax.__version__}, jax {jax.__version__}"
        self.arrays = {name.replace("/", "."): jax.device_put(array) for name, array in workload.make().items()}
        self.names = dict(zip(self.arrays, workload.shapes, strict=True))
        self.checkpointer = orbax.StandardCheckpointer()
        self.synchronize = lambda: jax.block_until_ready(self.arrays)
        self._abstract = jax.tree.map(orbax.utils.to_shape_dtype_struct, self.arrays)
        self._wait = jax.block_until_ready

    def store(self, folder: Path) -> None:
        self.start(folder)()

    def start(self, folder: Path) -> Callable[[], object]:
        self.checkpointer.save(folder / "model", self.arrays)
        done: Callable[[], object] = self.checkpointer.wait_until_finished
        return done

    def restore(self, folder: Path) -> dict[str, Any]:
        loaded = self._wait(self.checkpointer.restore(folder / "model", self._abstract))
        return {self.names[name]: array for name, array in loaded.items()}

    def to_host(self, array: Any) -> Array:
        import numpy as np

        return np.asarray(array)
