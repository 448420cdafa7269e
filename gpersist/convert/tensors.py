"""What is converted: tensors of an open file, whose bytes are read when they are written to the other one."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np

from gpersist.bundle import TensorSlice
from gpersist.dtypes import DType
from gpersist.errors import UnimplementedError
from gpersist.shapes import Shape
from gpersist.staging import Pulled

BLOCK_BYTES = 1 << 20
"""Read at once, where one after the other is written."""


@dataclasses.dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of an open file.

    Attributes:
        name, dtype, shape: the tensor's.
        size_bytes: what it takes in its file.
        device: the device recorded for it, or empty.
        content: gives its bytes; None for strings.
        strings: gives the elements of a tensor of strings, in an array that `gpersist.bundle.strings.elements` takes; else None.
        parts: of a partitioned tensor, its slices and the bytes of each.
    """

    name: str
    dtype: DType
    shape: Shape
    size_bytes: int
    device: str
    content: Callable[[], Pulled] | None = None
    strings: Callable[[], np.ndarray[Any, Any]] | None = None
    parts: Sequence[tuple[TensorSlice, Callable[[], Pulled]]] = ()


class TensorFile(abc.ABC):
    """An open file of tensors. A context manager.

    Attributes:
        path: of the file, or the prefix of a checkpoint.
        format: "v1", "v2", "safetensors" or "npz".
        in_order: whether the bytes of a tensor have to be read one after the other.
        metadata: texts by name that stand beside the tensors.
    """

    format: str
    in_order = False

    def __init__(self, path: str) -> None:
        self.path = path
        self.metadata: Mapping[str, str] = {}

    @property
    @abc.abstractmethod
    def tensors(self) -> list[Tensor]:
        """All tensors.

        Raises:
            DataLossError: the file is damaged.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Closes it; calling it again does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def blocks(content: Pulled) -> Iterator[memoryview]:
    """All bytes of an array, in order."""
    for begin in range(0, content.nbytes, BLOCK_BYTES):
        yield content.read(begin, min(begin + BLOCK_BYTES, content.nbytes))


def refuse(tensors: Sequence[Tensor], why: Callable[[Tensor], str | None], format_name: str) -> None:
    """Refuses, before anything is written, tensors that a format cannot hold.

    Args:
        tensors: all of them.
        why: says why it can't hold one, or None.
        format_name: of the format.

    Raises:
        UnimplementedError: names them and the ways out.
    """
    found = [(tensor.name, reason) for tensor in tensors if (reason := why(tensor)) is not None]
    if found:
        lines = "".join(f"\n  {name!r}: {reason}" for name, reason in found[:10]) + (f"\n  and {len(found) - 10} more" if len(found) > 10 else "")
        raise UnimplementedError(
            f"{format_name} cannot hold {len(found)} of the {len(tensors)} tensors:{lines}\nways out: another format; or leave them out, by a "
            "renaming to nothing: '^NAME$='"
        )
