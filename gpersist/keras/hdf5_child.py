"""Reads one Keras HDF5 file and writes what it holds to standard output: a program of its own, that `hdf5` starts.

HDF5's library crashes on some damaged files, and never ends on others: that must not be the process of whoever opens one. This imports nothing of
gpersist, so that it starts fast.

    /                         attributes: keras_version, backend, model_config (JSON; not in files of weights only)
    /model_weights            or the root itself, in files of weights only
        attributes: layer_names, keras_version
        /<layer>              attributes: weight_names
            /<weight name>    a dataset; a name with slashes lies in groups of groups

An attribute too large for one (64 kB) is split: layer_names0, layer_names1, and so on. Nothing is read that the file does not hold itself: links,
external storage and virtual datasets are refused, and so are filters that would be loaded from plugins; a dataset's size is held against the bytes
that the file stores of it before memory is taken.

What it writes: a line of JSON, then the bytes of all arrays one after the other, little-endian.

    {"architecture": text or null, "version": text, "layers": null or [[name, [[weight, dtype, shape], ...]], ...]}
    {"error": "DataLossError" or "UnimplementedError", "message": text}
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

FILTERS = frozenset({1, 2, 3, 32000})
"""Deflate, shuffle, Fletcher's checksum, and h5py's own lzf."""

MAX_RATIO = 1100
"""More than deflate, the best of them, can shrink anything (1032)."""

BASE_BYTES = 4 << 30
"""Address space for Python, NumPy and their threads; what the file holds comes on top."""


class Refused(Exception):
    """The file is not read.

    Args:
        message: why.
        kind: the error's class in gpersist.
    """

    def __init__(self, message: str, kind: str = "DataLossError") -> None:
        super().__init__(message)
        self.kind = kind


class Content:
    """What a file holds.

    Args:
        path: of the file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._size = os.path.getsize(path)
        self.arrays: list[np.ndarray[Any, Any]] = []

    def header(self) -> dict[str, Any]:
        """The first line; the arrays are read with it."""
        with self._reading("the file"), h5py.File(self._path, "r") as root:
            group = self._member(root, "model_weights", h5py.Group) if "model_weights" in root else root
            version = next((text for node in (group, root) for text in self._texts(node, "keras_version")), "")
            return {"architecture": next(iter(self._texts(root, "model_config")), None), "version": version, "layers": self._layers(group)}

    def _layers(self, group: Any) -> list[Any] | None:
        names = self._texts(group, "layer_names")
        if not names and "layer_names" not in group.attrs:
            return None
        found = []
        for name in names:
            layer = self._member(group, name, h5py.Group)
            found.append([name, [[weight, *self._array(layer, weight)] for weight in self._texts(layer, "weight_names")]])
        return found

    def _member(self, group: Any, path: str, kind: type) -> Any:
        """What stands in a group under a path, no link on the way."""
        within = group.name
        for part in path.split("/"):
            with self._reading(f"{path!r} in {within!r}"):
                if part in ("", ".", "..") or (link := group.get(part, getlink=True)) is None:
                    raise Refused(f"{self._path!r}: {path!r} in {within!r} is missing")
                if not isinstance(link, h5py.HardLink):
                    raise Refused(f"{self._path!r}: {part!r} in {group.name!r} is a {type(link).__name__}, and links are not followed")
                group = group[part]
        if not isinstance(group, kind):
            raise Refused(f"{self._path!r}: {path!r} is a {type(group).__name__}; expected a {kind.__name__}")
        return group

    def _texts(self, node: Any, name: str) -> list[str]:
        """An attribute's texts, its parts after each other."""
        with self._reading(f"attribute {name!r} of {node.name!r}"):
            if name in node.attrs:
                return self._attribute(node, name)
            found: list[str] = []
            part = 0
            while f"{name}{part}" in node.attrs:
                found += self._attribute(node, f"{name}{part}")
                part += 1
            return found

    def _attribute(self, node: Any, name: str) -> list[str]:
        attribute = h5py.h5a.open(node.id, name.encode())
        size = math.prod(attribute.shape) * attribute.dtype.itemsize
        if size > self._size:
            raise Refused(f"{self._path!r}: attribute {name!r} of {node.name!r} has {size} bytes, more than the file")
        value = node.attrs[name]
        texts = value.reshape(-1).tolist() if isinstance(value, np.ndarray) else [value]  # none of them are an array of floats
        if not all(isinstance(text, (str, bytes)) for text in texts):
            raise Refused(f"{self._path!r}: attribute {name!r} of {node.name!r} holds {type(texts[0]).__name__}; expected texts")
        return [text.decode() if isinstance(text, bytes) else text for text in texts]

    def _array(self, layer: Any, name: str) -> tuple[str, list[int]]:
        dataset = self._member(layer, name, h5py.Dataset)
        with self._reading(f"dataset {dataset.name!r}"):
            self._check(dataset, f"{self._path!r}: dataset {dataset.name!r}")
            value = np.asarray(dataset[()])
            self.arrays.append(np.ascontiguousarray(value, value.dtype.newbyteorder("<")))
            return self.arrays[-1].dtype.str, list(value.shape)

    def _check(self, dataset: Any, what: str) -> None:
        if dataset.is_virtual or dataset.external:
            raise Refused(f"{what} lies in other files, which are not read")
        if dataset.dtype.kind not in "fiub":
            raise Refused(f"{what} has elements {dataset.dtype}; expected numbers or bools", "UnimplementedError")
        properties = dataset.id.get_create_plist()
        kinds = [properties.get_filter(index)[0] for index in range(properties.get_nfilters())]
        if unknown := sorted(set(kinds) - FILTERS):
            raise Refused(f"{what} is packed by filters {unknown}; expected only deflate, shuffle, Fletcher32 or lzf", "UnimplementedError")
        if dataset.shape is None:
            raise Refused(f"{what} has no value")
        if 0 in dataset.shape:
            return
        stored = dataset.id.get_storage_size()
        wanted = max(math.prod(part) * dataset.dtype.itemsize for part in (dataset.shape, dataset.chunks or ()))
        if stored > self._size or wanted > max(stored * (MAX_RATIO if kinds else 1), 4096 if dataset.chunks else 0):
            raise Refused(f"{what} of shape {dataset.shape} takes {wanted} bytes; the file of {self._size} bytes stores {stored} of it")

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        """Takes what h5py raises for damage."""
        try:
            yield
        except Refused:
            raise
        except Exception as error:
            raise Refused(f"{self._path!r} is damaged: {what} cannot be read: {error.args[0] if error.args else error!r}") from error


def main(path: str) -> None:
    """Reads the file and writes what it holds."""
    limit = BASE_BYTES + 2 * MAX_RATIO * min(os.path.getsize(path), 1 << 40)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    content = Content(path)
    try:
        header = content.header()
    except Refused as error:
        header, content.arrays = {"error": error.kind, "message": str(error)}, []
    output = sys.stdout.buffer
    output.write(json.dumps(header).encode() + b"\n")
    for array in content.arrays:
        output.write(array.tobytes())
    output.flush()


if __name__ == "__main__":
    main(sys.argv[1])
