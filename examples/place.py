"""Saves from four devices and restores on two, in each way to say where arrays go. The devices are virtual: no GPU is used."""

import logging
import tempfile
from pathlib import Path

import numpy as np

import gpersist


def show(title: str, arrays: dict[str, np.ndarray]) -> None:
    print(f"{title:28}", *(f"{name} on {getattr(array.device, 'name', array.device)}" for name, array in arrays.items()), sep="  ")


def main() -> None:
    logging.basicConfig(format="    (%(message)s)")  # warnings tell what could not be done as recorded
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder) / "model"
        with gpersist.use_virtual_devices(4) as gpus:
            arrays = {f"layer{number}": gpu.empty((256, 64 * (number + 1)), np.dtype(np.float32)) for number, gpu in enumerate(gpus)}
            for array in arrays.values():
                array[...] = 1
            gpersist.save(prefix, arrays)
            show("saved from", arrays)

        with gpersist.use_virtual_devices(2):
            show("recorded, or the next best", gpersist.load(prefix))
            show("balanced", gpersist.load(prefix, placement="balanced"))
            show("by pattern", gpersist.load(prefix, placement={"layer[01]": "/gpu:0", "*": "/gpu:1"}))
            show("host", gpersist.load(prefix, placement="host"))
            try:
                gpersist.load(prefix, placement="strict")
            except gpersist.DeviceNotFoundError as error:
                print(f"strict: {error}")


if __name__ == "__main__":
    main()
