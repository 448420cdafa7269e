"""Writes one file of a V1 checkpoint.

    file := table of
        ""               -> SavedTensorSlices with meta: name, shape, dtype and slices of every tensor, in the order of adding
        key of a slice   -> SavedTensorSlices with data: see `v1_values`

Given the same slices in the same order, the bytes are those that TensorFlow writes (`Save`, `SaveSlices`, a Saver with `write_version=V1`; these
operations order what they are given by name). Source: TensorFlow `tensor_slice_writer.cc`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpersist.bundle import strings
from gpersist.bundle.ordered_code import encode_slice_key
from gpersist.bundle.slices import TensorSlice
from gpersist.bundle.v1_values import check_size, check_writes, encode_value
from gpersist.dtypes import DType, from_numpy
from gpersist.errors import AlreadyExistsError, InvalidArgumentError
from gpersist.protos import SavedSliceMeta, SavedTensorSlices
from gpersist.shapes import Shape, element_count
from gpersist.table import TableBuilder

VERSION = 1
"""`TF_CHECKPOINT_VERSION`, as producer and as consumer."""


class _Slice(NamedTuple):
    name: str
    part: TensorSlice
    dtype: DType
    elements: NDArray[Any] | list[bytes]


class V1Writer:
    """Collects slices and writes them, sorted, when all are known; `finish` holds one encoded slice at a time.

    Arrays are kept, not copied: they must not change before `finish` has returned. Not for several threads at once.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        """Starts a file that is written through `write`, which appends bytes; what it raises passes through."""
        self._write = write
        self._message = SavedTensorSlices()
        self._message.meta.versions.producer = VERSION
        self._tensors: dict[str, tuple[Shape, DType, SavedSliceMeta]] = {}
        self._slices: dict[bytes, _Slice] = {}

    def add(self, name: str, array: NDArray[Any]) -> None:
        """Adds a whole tensor; raises as `add_slice` does."""
        self.add_slice(name, array.shape, TensorSlice.full(array.ndim), array)

    def add_slice(self, name: str, shape: Shape, part: TensorSlice, array: NDArray[Any]) -> None:
        """Adds a slice of a tensor. Nothing is added if it raises.

        Args:
            name: the tensor's.
            shape: of the whole tensor.
            part: the slice, in the form that it is to have in the file: an extent that spells out a whole dimension stays so.
            array: the slice's elements, in any layout and byte order, or what gives them as `__array__` when `finish` writes them; strings as
                `strings.elements` takes them.

        Raises:
            AlreadyExistsError: the slice was added before.
            InvalidArgumentError: slice, array and shape do not fit together, or shape or dtype differ from those of the tensor's other slices; more
                than 2 GiB, by TensorFlow's estimate; a name that UTF-8 cannot hold.
            UnimplementedError: V1 files cannot hold this dtype.
        """
        what = f"tensor {name!r}"
        dtype = from_numpy(array.dtype, what)
        check_writes(dtype, what)
        element_count(shape, f"{what}: shape")
        if part.shape_in(shape, what) != array.shape:
            raise InvalidArgumentError(f"{what}: slice '{part}' of shape {list(shape)} does not fit an array of shape {list(array.shape)}")
        known_shape, known_dtype, _ = self._tensors.get(name, (shape, dtype, None))
        if (shape, dtype) != (known_shape, known_dtype):
            raise InvalidArgumentError(
                f"{what}: slice '{part}' is of {dtype.name}{list(shape)}, the slices added before are of {known_dtype.name}{list(known_shape)}"
            )
        try:
            key = encode_slice_key(name, part)
            name.encode()
        except UnicodeEncodeError:
            raise InvalidArgumentError(f"{what}: a V1 checkpoint's names must be UTF-8; save it in the V2 format") from None
        if key in self._slices:
            raise AlreadyExistsError(f"{what}: slice '{part}' was added before")
        elements = strings.elements(array, what) if dtype.is_string else array  # which may be read only when it is written
        check_size(name, part, dtype, array.size, sum(map(len, elements)) if isinstance(elements, list) else 0, what)

        self._slices[key] = _Slice(name, part, dtype, elements)
        if name not in self._tensors:
            meta = self._message.meta.tensor.add(name=name, type=dtype.enum)
            meta.shape.SetInParent()
            for size in shape:
                meta.shape.dim.add(size=size)
            self._tensors[name] = (shape, dtype, meta)
        self._tensors[name][2].slice.append(part.to_proto())

    def finish(self) -> None:
        """Writes the file.

        REQUIRES: not called before; nothing is added afterwards.
        """
        builder = TableBuilder(self._write)
        builder.add(b"", self._message.SerializeToString(deterministic=True))
        for key in sorted(self._slices):
            name, part, dtype, elements = self._slices[key]
            builder.add(key, encode_value(name, part, dtype, elements if isinstance(elements, list) else np.asarray(elements)))
        builder.finish()
