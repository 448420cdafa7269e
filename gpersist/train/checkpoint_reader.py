"""`tf.train.NewCheckpointReader` and the functions around it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from gpersist import checkpoint, protos
from gpersist.bundle import nearest
from gpersist.dtypes import DType
from gpersist.errors import NotFoundError
from gpersist.train import checkpoint_state

__all__ = ["CheckpointReader", "NewCheckpointReader", "list_variables", "load_checkpoint", "load_variable"]

Path = str | bytes | os.PathLike[str]


class CheckpointReader:
    """An open checkpoint (what `tf.train.NewCheckpointReader` gives)."""

    def __init__(self, filepattern: Path) -> None:
        """Reads the index.

        Raises:
            NotFoundError: there is none.
            DataLossError: the file is another, or damaged.
        """
        self._reader = checkpoint.CheckpointReader(checkpoint_state.exact_prefix(os.fsdecode(filepattern)))

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """The shape of each tensor, by name."""
        return {name: list(shape) for name, shape in self._reader.shapes.items()}

    def get_variable_to_dtype_map(self) -> dict[str, DType]:
        """The element type of each tensor, by name."""
        return self._reader.dtypes

    def has_tensor(self, tensor_str: str | bytes) -> bool:
        """Whether there is a tensor of this name."""
        return _text(tensor_str) in self._reader

    def get_tensor(self, tensor_str: str | bytes) -> Any:
        """A tensor's value, a NumPy array or scalar, checked.

        Raises:
            NotFoundError: there is none of this name.
            DataLossError: damaged.
        """
        name = _text(tensor_str)
        if name not in self._reader:
            raise NotFoundError(f"Key {name} not found in checkpoint {self._reader.prefix!r}{nearest(name, self._reader)}")
        value: np.ndarray[Any, Any] = self._reader[name].read()
        return value if value.ndim else value[()]

    def debug_string(self) -> bytes:
        """A line a tensor: name, type and shape."""
        dtypes = self._reader.dtypes
        lines = (f"{name} ({protos.DataType.Name(dtypes[name].enum)}) [{','.join(map(str, shape))}]\n" for name, shape in self._reader.shapes.items())
        return "".join(lines).encode("utf-8", "surrogateescape")


def NewCheckpointReader(filepattern: Path) -> CheckpointReader:  # noqa: N802  # TensorFlow's name
    """An open checkpoint (`tf.train.NewCheckpointReader`); see `CheckpointReader`."""
    return CheckpointReader(filepattern)


def load_checkpoint(ckpt_dir_or_file: Path) -> CheckpointReader:
    """An open checkpoint: the one of a prefix, or the newest of a folder (`tf.train.load_checkpoint`).

    Raises:
        ValueError: the folder has none.
        NotFoundError: there is none.
    """
    path = newest(ckpt_dir_or_file)
    if path is None:
        raise ValueError(f"Couldn't find 'checkpoint' file or checkpoints in given directory {ckpt_dir_or_file!s}")
    return CheckpointReader(path)


def load_variable(ckpt_dir_or_file: Path, name: str) -> Any:
    """A tensor's value (`tf.train.load_variable`); see `load_checkpoint`."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def list_variables(ckpt_dir_or_file: Path) -> list[tuple[str, list[int]]]:
    """Name and shape of each tensor, in the order of names (`tf.train.list_variables`); see `load_checkpoint`."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def newest(ckpt_dir_or_file: Path) -> str | None:
    """The prefix itself, or the newest in a folder; None if that has none."""
    path = os.fsdecode(ckpt_dir_or_file)
    return checkpoint_state.latest_checkpoint(path) if os.path.isdir(path) else path


def _text(name: str | bytes) -> str:
    if not isinstance(name, (str, bytes)):
        raise TypeError(f"Expected binary or unicode string, got {name!r}")
    return name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
