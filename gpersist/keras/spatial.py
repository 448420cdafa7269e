"""Keras's layers over images, sequences and volumes: what they have in common, which is where the channels are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from gpersist.errors import DataLossError
from gpersist.graph import Tensor
from gpersist.keras.layer import Layer
from gpersist.ops.arranging import transpose


class Spatial(Layer, abstract=True):
    """A layer over so many dimensions between the batch and the channels.

    What has its channels first is turned before and after: TensorFlow computes convolutions and pools on a CPU with channels last only.
    """

    count: ClassVar[int]

    def prepare(self) -> None:
        self.is_channels_first = self.get("data_format", "channels_last") == "channels_first"

    def call(self, x: Tensor) -> Any:
        if x.shape.rank != self.count + 2:
            raise DataLossError(f"takes {self.count + 2} dimensions; found an input of shape {x.shape}")
        if not self.is_channels_first:
            return self.compute(x)
        found = self.compute(transpose(x, [0, *range(2, self.count + 2), 1]))
        return transpose(found, [0, self.count + 1, *range(1, self.count + 1)]) if found.shape.rank == self.count + 2 else found

    def compute(self, x: Tensor) -> Any:
        """Its output, for an input with channels last, and with channels last."""
        raise NotImplementedError

    def padding(self) -> str:
        """As operations have it: "SAME" or "VALID"."""
        found = str(self.get("padding", "valid")).upper()
        if found not in ("SAME", "VALID"):
            raise DataLossError(f"its config has padding={self.config.get('padding')!r}")
        return found

    def pairs(self, key: str) -> list[tuple[int, int]]:
        """Two numbers for each dimension, of a config that may have one for all, or one for each."""
        value = self.get(key, 1)
        if isinstance(value, int):
            value = [value] * self.count
        elif self.count == 1 and isinstance(value, list) and all(isinstance(part, int) for part in value):
            value = [value]
        if isinstance(value, list) and len(value) == self.count:
            found = [(part, part) if isinstance(part, int) else part for part in value]
            if all(
                isinstance(part, (list, tuple)) and len(part) == 2 and all(isinstance(size, int) and size >= 0 for size in part) for part in found
            ):
                return [(int(part[0]), int(part[1])) for part in found]
        raise DataLossError(f"its config has {key}={self.config.get(key)!r}")


def around(middle: Sequence[int]) -> list[Any]:
    """Sizes, strides or rates of all dimensions, of those between batch and channels."""
    return [1, *middle, 1]
