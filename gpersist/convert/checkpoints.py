"""TensorFlow's checkpoints, V2 and V1, as files to convert from and to.

Of V2, whatever is read is held against its checksum, and nothing but blocks is in memory; of V1, whose values are encoded as wholes, one tensor.
"""

from __future__ import annotations

import collections
import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gpersist import files, protos
from gpersist.bundle import index_path, meta_path
from gpersist.checkpoint import CheckpointReader, PartitionedArray, damaged_tensors, encode_meta, save, save_v1, saved_as
from gpersist.convert.tensors import Tensor, TensorFile, refuse
from gpersist.dtypes import resource
from gpersist.errors import DataLossError
from gpersist.graph import colocated_with
from gpersist.train.meta_graph import read_meta_graph_file

_LOG = logging.getLogger("gpersist")

V1_DTYPES = frozenset(
    [
        "float32",
        "float64",
        "int32",
        "uint8",
        "int16",
        "int8",
        "qint8",
        "quint8",
        "qint32",
        "uint16",
        "string",
        "complex64",
        "int64",
        "bool",
        "complex128",
        "float16",
    ]
)


class CheckpointFile(TensorFile):
    """A checkpoint of either format.

    Attributes:
        damaged: what is wrong with each tensor that is passed over, by name.
    """

    def __init__(self, path: str, *, skip_damaged: bool = False) -> None:
        """Reads the index.

        Args:
            path: of the checkpoint.
            skip_damaged: read all tensors, and pass over those that are not whole, and a `.meta` that is none.

        Raises:
            CheckpointNotFoundError, NotACheckpointError, DataLossError, UnimplementedError: see `gpersist.open`.
        """
        self._reader = CheckpointReader(path)
        super().__init__(self._reader.prefix)
        self.format = "v2" if files.active().is_file(index_path(self.path)) else "v1"
        self.damaged: Mapping[str, str] = {}
        self._skip_damaged = skip_damaged
        if skip_damaged:
            try:
                self.damaged = damaged_tensors(self.path)
            except BaseException:
                self.close()
                raise

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors; see `TensorFile`."""
        found = []
        for name, device in self._recorded().items():
            if name in self.damaged:
                continue
            stored = self._reader[name]
            if stored.dtype.is_string:
                found.append(Tensor(name, stored.dtype, stored.shape, stored.size_bytes, device, strings=stored.read))
                continue
            parts = [(part, functools.partial(stored.pull, part)) for part in stored.slices]
            found.append(Tensor(name, stored.dtype, stored.shape, stored.size_bytes, device, content=stored.pull, parts=parts))
        return found

    @property
    def total_bytes(self) -> int:
        """Bytes of all tensors, damaged ones too."""
        return sum(stored.size_bytes for stored in self._reader.values())

    def graph(self) -> protos.MetaGraphDef | None:
        """The message in its `.meta`; None where there is none, or tensors of it are passed over.

        Raises:
            DataLossError: it is damaged.
        """
        if self.damaged or not files.active().is_file(meta_path(self.path)):
            return None
        try:
            return read_meta_graph_file(meta_path(self.path))
        except DataLossError as error:
            if not self._skip_damaged:
                raise
            _LOG.warning("%s; the graph is left out", error)
            return None

    def _recorded(self) -> Mapping[str, str]:
        try:
            return self._reader.devices
        except DataLossError:
            if not self._skip_damaged:
                raise
            return dict.fromkeys(self._reader, "")

    def close(self) -> None:
        """Closes the files."""
        self._reader.close()


def write_v2(
    prefix: str, tensors: Sequence[Tensor], meta: bytes, *, in_order: bool, durable: bool, on_progress: Callable[[int], None] | None
) -> None:
    """Writes a V2 checkpoint.

    Raises:
        UnimplementedError: a dtype that no array can hold; before anything is written.
        GPersistError: the file system failed; what stood there stands.
    """
    refuse(tensors, _unsaved, "a checkpoint")
    options: dict[str, Any] = {"durable": durable, "on_progress": on_progress, "threads": 1 if in_order else None}
    save(prefix, {tensor.name: _array(tensor) for tensor in tensors}, meta=lambda: meta, **options)


def write_v1(path: str, tensors: Sequence[Tensor], meta: bytes, *, durable: bool, on_progress: Callable[[int], None] | None) -> None:
    """Writes a V1 checkpoint, of one file, and its `.meta`; see `write_v2`."""
    refuse(tensors, lambda tensor: None if tensor.dtype.name in V1_DTYPES else f"no V1 checkpoint has {tensor.dtype.name}", "the V1 format")
    arrays = {tensor.name: _array(tensor) for tensor in tensors}
    save_v1(path, arrays, durable=durable)
    files.replace(meta_path(path), meta, durable=durable)
    if on_progress:
        on_progress(sum(tensor.size_bytes for tensor in tensors))


def new_meta(tensors: Sequence[Tensor]) -> bytes:
    """The `.meta` of tensors: each a variable on its device, as `gpersist.save` records arrays."""
    ordered = sorted(tensors, key=lambda tensor: tensor.name.encode("utf-8", "surrogateescape"))
    names = [tensor.name for tensor in ordered]
    return encode_meta(names, [tensor.dtype for tensor in ordered], [tensor.shape for tensor in ordered], [tensor.device for tensor in ordered])


def changed_meta(source: CheckpointFile, to: str, *, clear_devices: bool, devices: Mapping[str, str]) -> bytes | None:
    """The graph of a checkpoint for another one of the same tensors; None where there is none.

    It loses its Saver where that is for V1 files and the new one is V2: whoever imports it gets a new Saver, which can save.

    Args:
        source: the checkpoint.
        to: the new format, "v1" or "v2".
        clear_devices: whether all nodes lose their devices.
        devices: new devices of variables, by the names of their tensors; what is colocated with them, or takes their handles, follows.

    Raises:
        DataLossError: the `.meta` is damaged.
    """
    message = source.graph()
    if message is None:
        return None
    moved = {node: devices[saved.name] for node, saved in saved_as(message).items() if saved.name in devices}
    followers = _handle_followers(message.graph_def, moved) if moved else {}
    for node in message.graph_def.node:
        if clear_devices:
            node.device = ""
        if node.device:
            node.device = followers.get(node.name, node.device)
        for name in (*colocated_with(node), node.name):
            node.device = moved.get(name, node.device)
    if (source.format, to) == ("v1", "v2"):
        message.ClearField("saver_def")
        message.collection_def.pop("savers", None)
    return message.SerializeToString(deterministic=True)


def _handle_followers(graph: protos.GraphDef, moved: Mapping[str, str]) -> dict[str, str]:
    """The devices of what takes the handles of moved resource variables, directly or passed on: TensorFlow refuses to have them elsewhere."""
    handles = {node.name: moved[node.name] for node in graph.node if node.op == "VarHandleOp" and node.name in moved}
    takers: dict[str, list[protos.NodeDef]] = collections.defaultdict(list)
    for node in graph.node:
        for tensor in node.input:
            takers[tensor.partition(":")[0]].append(node)  # "^name" of a control input is no node's name
    found: dict[str, str] = {}
    pending = list(handles.items())
    for name, device in pending:
        for node in takers[name]:
            if node.name not in found and node.name not in handles:
                found[node.name] = device
                if "T" in node.attr and node.attr["T"].type == resource.enum:
                    pending.append((node.name, device))
    return found


def _array(tensor: Tensor) -> Any:
    if tensor.strings is not None:
        return tensor.strings()
    if tensor.parts:
        return PartitionedArray(tensor.shape, [(part, content()) for part, content in tensor.parts])
    assert tensor.content is not None
    return tensor.content()


def _unsaved(tensor: Tensor) -> str | None:
    return None if tensor.dtype.numpy is not None else f"no array holds {tensor.dtype.name}"
