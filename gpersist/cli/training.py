"""The program that `gpersist demo` starts, kills, and starts again: it trains a small model and saves as it goes.

    python -m gpersist.cli.training FOLDER --steps 300 --save-every 50 [--die-in-save 200]

It starts from the newest whole checkpoint in the folder, with a line on stderr for each that it passes over; where there are checkpoints and none is
whole, it ends. The arithmetic is NumPy's, on whatever arrays the devices have (CuPy's take part in it by NumPy's own protocols); layers are spread
over the devices. What happens is told on stdout, a JSON object a line.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import gpersist
from gpersist.devices import Array, Device, PinnedBuffer, device_of

INPUTS, HIDDEN, CLASSES, BATCH = 784, 1024, 10, 16
LEARNING_RATE, MOMENTUM = 0.02, 0.9


class Mover:
    """Copies arrays to devices, from the host or from another one, through pinned memory."""

    def __init__(self) -> None:
        """A mover without memory."""
        self._streams: dict[Device, Any] = {}
        self._pinned: dict[Device, PinnedBuffer] = {}

    def to_host(self, array: Array) -> np.ndarray[Any, Any]:
        """A copy in host memory."""
        device = device_of(array)
        stream, pinned = self._tools(device, array.nbytes)
        stream.wait(device.record_current())
        stream.copy_to_host(pinned, 0, array, 0, array.nbytes)
        stream.record().synchronize()
        values: np.ndarray[Any, Any] = pinned.array[: array.nbytes].view(np.dtype(array.dtype)).reshape(array.shape)
        return values.copy()

    def to_device(self, array: Array, device: Device) -> Array:
        """The array itself, if it lives there, or a copy."""
        if device_of(array) is device:
            return array
        values = array if type(array) is np.ndarray else self.to_host(array)
        with device.activate():
            result = device.empty(values.shape, values.dtype)
            stream, pinned = self._tools(device, values.nbytes)
            pinned.array[: values.nbytes] = values.reshape(-1).view(np.uint8)
            stream.wait(device.record_current())
            stream.copy_to_device(result, 0, pinned, 0, values.nbytes)
            stream.record().synchronize()
        return result

    def _tools(self, device: Device, size_bytes: int) -> tuple[Any, PinnedBuffer]:
        if device not in self._streams:
            self._streams[device] = device.stream()
        if device not in self._pinned or self._pinned[device].array.nbytes < size_bytes:
            self._pinned[device] = device.pinned(size_bytes)
        return self._streams[device], self._pinned[device]


class Model:
    """A classifier of dense layers, trained by momentum.

    Attributes:
        arrays: all that a checkpoint must hold, by name: kernels, biases, their momenta, and the step.
    """

    def __init__(self, devices: list[Device]) -> None:
        """A model with the weights that every run begins with; layer i on device i modulo their number."""
        self._devices = devices
        self._layers = max(3, len(devices))
        self._move = Mover()
        random = np.random.default_rng(0)
        self._centres = random.standard_normal((CLASSES, INPUTS), np.float32) * np.float32(0.15)
        widths = [INPUTS, *[HIDDEN] * (self._layers - 1), CLASSES]
        self.arrays: dict[str, Array] = {"global_step": np.zeros((), np.int64)}
        for number in range(self._layers):
            shape = widths[number], widths[number + 1]
            kernel = random.standard_normal(shape, np.float32) * np.float32(np.sqrt(2 / shape[0]))
            for name, values in {"kernel": kernel, "bias": np.zeros(shape[1], np.float32)}.items():
                for suffix, array in {"": values, "/Momentum": np.zeros_like(values)}.items():
                    self.arrays[f"dense_{number}/{name}{suffix}"] = self._move.to_device(array, self._device(number))

    def train(self) -> float:
        """One step, in place; returns the loss of its batch."""
        self.arrays["global_step"] += 1
        inputs, wanted = self._batch(int(self.arrays["global_step"]))
        activations = [inputs]
        for number in range(self._layers):
            with self._device(number).activate():
                outputs = self._moved(activations[-1], number) @ self.arrays[f"dense_{number}/kernel"] + self.arrays[f"dense_{number}/bias"]
                activations.append(outputs if number == self._layers - 1 else np.maximum(outputs, 0))
        with self._device(self._layers - 1).activate():
            logits = activations[-1]
            exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
            probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
            wanted = self._moved(wanted, self._layers - 1)
            loss = float(-np.log((probabilities * wanted).sum(axis=1) + 1e-9).mean())
            gradient = (probabilities - wanted) / BATCH
        for number in reversed(range(self._layers)):
            with self._device(number).activate():
                gradient = self._moved(gradient, number)
                if number < self._layers - 1:
                    gradient = gradient * (activations[number + 1] > 0)
                kernel_gradient = self._moved(activations[number], number).T @ gradient
                bias_gradient = gradient.sum(axis=0)
                if number:
                    gradient = gradient @ self.arrays[f"dense_{number}/kernel"].T
                self._update(f"dense_{number}/kernel", kernel_gradient)
                self._update(f"dense_{number}/bias", bias_gradient)
        return loss

    def _update(self, name: str, gradient: Array) -> None:
        momentum = self.arrays[f"{name}/Momentum"]
        momentum *= MOMENTUM
        momentum += gradient
        self.arrays[name] -= LEARNING_RATE * momentum

    def _batch(self, step: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Inputs, and classes as one-hot rows; the same at the same step of every run."""
        random = np.random.default_rng([1, step])
        labels = random.integers(CLASSES, size=BATCH)
        return self._centres[labels] + random.standard_normal((BATCH, INPUTS), np.float32), np.eye(CLASSES, dtype=np.float32)[labels]

    def _moved(self, array: Array, layer: int) -> Array:
        return self._move.to_device(array, self._device(layer))

    def _device(self, layer: int) -> Device:
        return self._devices[layer % len(self._devices)]


def main(argv: list[str] | None = None) -> None:
    """Trains."""
    parser = argparse.ArgumentParser(prog="python -m gpersist.cli.training", description="The program that `gpersist demo` runs.")
    parser.add_argument("folder")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--save-every", type=int, required=True)
    parser.add_argument("--die-in-save", type=int, help="of this step: SIGKILL to itself once half of the bytes are written")
    arguments = parser.parse_args(argv)
    devices = gpersist.devices()[1:][: arguments.devices]
    tell("started", devices=[{"name": device.name, "backend": device.backend, "product": device.info().product} for device in devices])
    model = Model(devices)
    with gpersist.CheckpointManager(arguments.folder, max_to_keep=3) as manager:
        if manager.all_steps():
            resume(model, manager)
        tell("training", tensors=len(model.arrays), bytes=sum(array.nbytes for array in model.arrays.values()), placement=placement(model))
        train(model, manager, arguments.steps, arguments.save_every, arguments.die_in_save)


def resume(model: Model, manager: gpersist.CheckpointManager) -> None:
    """Takes the arrays of the newest whole checkpoint, each of them on the device where it was, in the place of the model's.

    Those passed over are warned of, a line each on stderr. Where none is whole, it is an error: nothing begins anew over what could be looked into.
    """
    started = time.perf_counter()
    model.arrays = manager.restore(placement="strict")
    seconds = time.perf_counter() - started
    step = int(model.arrays["global_step"])
    tell("resumed", prefix=os.path.join(manager.directory, f"ckpt-{step}"), step=step, duration_s=seconds)


def train(model: Model, manager: gpersist.CheckpointManager, steps: int, save_every: int, die_in_save: int | None) -> None:
    """Trains up to a step; saves go on while it does."""
    pending: tuple[int, gpersist.SaveHandle, float] | None = None
    first = int(model.arrays["global_step"]) + 1
    for step in range(first, steps + 1):
        tell("step", step=step, loss=model.train())
        if step % save_every == 0 or step == steps:
            if pending:
                tell_saved(*pending)
            on_progress = killer(step, sum(array.nbytes for array in model.arrays.values())) if step == die_in_save else None
            started = time.perf_counter()
            handle = manager.save_async(step, model.arrays, on_progress=on_progress)
            pending = step, handle, time.perf_counter() - started
    if pending:
        tell_saved(*pending)


def killer(step: int, total_bytes: int) -> Callable[[int], None]:
    """What kills this process, as hard as can be, when a save has written half of its bytes."""
    lock = threading.Lock()
    written_bytes = 0

    def on_progress(size_bytes: int) -> None:
        nonlocal written_bytes
        with lock:
            written_bytes += size_bytes
            if 2 * written_bytes >= total_bytes:
                tell("dying", step=step, written_bytes=written_bytes, total_bytes=total_bytes)
                os.kill(os.getpid(), signal.SIGKILL)

    return on_progress


def placement(model: Model) -> list[dict[str, Any]]:
    """Tensors and bytes of each device."""
    rows: dict[Device, list[int]] = {}
    for array in model.arrays.values():
        rows.setdefault(device_of(array), []).append(array.nbytes)
    return [
        {"device": device.name, "backend": device.backend, "tensors": len(sizes), "bytes": sum(sizes)}
        for device, sizes in sorted(rows.items(), key=lambda row: row[0].name)
    ]


def tell_saved(step: int, handle: gpersist.SaveHandle, held_s: float) -> None:
    """Waits for a save, and tells of it."""
    result = handle.result()
    tell("saved", step=step, prefix=result.prefix, tensors=result.num_tensors, bytes=result.total_bytes, held_s=held_s, duration_s=result.duration_s)


def tell(event: str, **facts: Any) -> None:
    """Writes one line, whole."""
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
