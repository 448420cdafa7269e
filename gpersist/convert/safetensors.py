"""safetensors files, read and written in blocks.

    file   := uint64 (bytes of the header) header data        little-endian
    header := JSON: {"__metadata__": {text: text}, name: {"dtype": text, "shape": [size], "data_offsets": [begin, end]}}, then blanks
    data   := the tensors' bytes, row-major, none left over between, before or after them; offsets count from its begin

The file has no checksums. What is written has its tensors in the order of the package `safetensors`, so that each is aligned, and the same bytes.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gpersist.bundle import ShardReader, describe
from gpersist.checkpoint import one_file
from gpersist.convert.tensors import Tensor, TensorFile, refuse
from gpersist.devices import get as get_device
from gpersist.dtypes import DType, from_name
from gpersist.errors import DataLossError, GPersistError, InvalidArgumentError, NotACheckpointError, UnimplementedError
from gpersist.shapes import Shape, element_count
from gpersist.staging import Layout, Outgoing, Pulled, send

MAX_HEADER_BYTES = 100_000_000
"""The limit of the package `safetensors`."""

METADATA = "__metadata__"
DEVICES = "gpersist.devices"
"""The metadata entry with the recorded devices: JSON, names of tensors by device."""

_ALIGNMENT = 8

# In the order in which files have them, the last first.
_DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "I16": "int16",
    "U16": "uint16",
    "F16": "float16",
    "BF16": "bfloat16",
    "I32": "int32",
    "U32": "uint32",
    "F32": "float32",
    "C64": "complex64",
    "F64": "float64",
    "I64": "int64",
    "U64": "uint64",
}
_NAMES = {ours: theirs for theirs, ours in _DTYPES.items()}
_ORDER = {name: number for number, name in enumerate(_DTYPES)}


class SafetensorsFile(TensorFile):
    """An open file, whose header has been checked: every tensor is within the file, and none overlaps another."""

    format = "safetensors"

    def __init__(self, path: str) -> None:
        """Reads the header.

        Raises:
            CheckpointNotFoundError: there is no such file.
            NotACheckpointError: it is of another kind.
            DataLossError: it is damaged.
        """
        super().__init__(path)
        self._file = ShardReader(path)
        try:
            self._begin, header = self._read_header()
            self.metadata = _metadata(header.pop(METADATA, {}), path)
            self._devices = _devices(self.metadata.get(DEVICES, ""))
            self._rows = sorted(((name, *_row(name, info, path)) for name, info in header.items()), key=lambda row: (row[3], row[4]))
            self._check_ranges()
        except BaseException:
            self.close()
            raise

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors; see `TensorFile`."""
        unknown = [(name, dtype) for name, dtype, *_ in self._rows if dtype not in _DTYPES]
        if unknown:
            name, dtype = unknown[0]
            raise UnimplementedError(f"tensor {name!r} in {self.path!r} is of {dtype}, which TensorFlow's files cannot hold, nor NumPy's arrays")
        found = []
        for name, dtype, shape, begin, end in self._rows:
            kind = from_name(_DTYPES[dtype])
            content = functools.partial(_Content, self._file, kind, shape, self._begin + begin)
            found.append(Tensor(name, kind, shape, end - begin, self._devices.get(name, ""), content))
        return found

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _read_header(self) -> tuple[int, dict[str, Any]]:
        """Where the data begin, and the header."""
        path, size = self.path, self._file.size_bytes
        head = bytearray(min(size, 512))
        if head:
            self._file.read([head], len(head), 0)
        length = int.from_bytes(head[:8], "little")
        if len(head) < 10 or head[8:9] != b"{":
            kind = describe(bytes(head), size)
            raise NotACheckpointError(f"{path!r} is {kind or 'no safetensors file: its header does not begin with a brace'}")
        if length > min(size - 8, MAX_HEADER_BYTES):
            raise DataLossError(
                f"{path!r}: its header would have {length} bytes; the file has {size}, and a header at most {MAX_HEADER_BYTES}: it is damaged"
            )
        content = bytearray(length)
        self._file.read([content], length, 8)
        try:
            header = json.loads(content, object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise DataLossError(f"{path!r}: its header is no JSON that makes sense ({str(error)[:200]!r}); the file is damaged") from error
        if not isinstance(header, dict):
            raise DataLossError(f"{path!r}: its header is no JSON object; the file is damaged")
        return 8 + length, header

    def _check_ranges(self) -> None:
        at = 0
        for name, dtype, shape, begin, end in self._rows:
            if begin != at:
                raise DataLossError(f"{self.path!r}: tensor {name!r} begins at byte {begin} of the data, expected {at}; the file is damaged")
            if dtype in _DTYPES and end - begin != element_count(shape) * from_name(_DTYPES[dtype]).size_bytes:
                raise DataLossError(f"{self.path!r}: tensor {name!r} of {dtype}{list(shape)} takes {end - begin} bytes; the file is damaged")
            at = end
        size = self._file.size_bytes - self._begin
        if at != size:
            raise DataLossError(f"{self.path!r}: its tensors take {at} bytes, but {size} are there; the file is cut short or damaged")


def write_safetensors(
    path: str,
    tensors: Sequence[Tensor],
    metadata: Mapping[str, str],
    *,
    in_order: bool,
    durable: bool,
    on_progress: Callable[[int], None] | None,
) -> None:
    """Writes a file, which takes its name when it is whole.

    Args:
        path: of the file.
        tensors: what it will hold.
        metadata: texts beside them; their devices are added.
        in_order: whether tensors have to be read from the first byte to the last.
        durable: wait for the disk.
        on_progress: called with the bytes of each piece that is written.

    Raises:
        UnimplementedError: strings, or a dtype that the format has not: all of them; before anything is written.
        InvalidArgumentError: names that are no UTF-8, or too many of them for a header.
        GPersistError: the file system failed; what stood there stands.
    """
    refuse(tensors, _unsaved, "safetensors")
    tensors = sorted(tensors, key=lambda tensor: (-_ORDER[_NAMES[tensor.dtype.name]], tensor.name.encode()))
    offsets = np.concatenate([[0], np.cumsum([tensor.size_bytes for tensor in tensors], dtype=np.int64)])
    header = _header(tensors, offsets.tolist(), metadata)
    begin = 8 + len(header)
    contents = [tensor.content() for tensor in tensors if tensor.content is not None and tensor.size_bytes]
    stored = np.flatnonzero(np.diff(offsets))
    layout = Layout(np.zeros(len(stored), np.int64), begin + offsets[stored], np.diff(offsets)[stored])
    here = get_device("/device:CPU:0")
    with one_file(path, begin + int(offsets[-1]), durable=durable) as writer:
        writer.write([len(header).to_bytes(8, "little"), header], begin, 0)
        outgoing = Outgoing([tensors[row].name for row in stored.tolist()], contents, [here] * len(contents), layout, {})
        send(outgoing, [writer], threads=1 if in_order else None, on_progress=on_progress)


def _header(tensors: Sequence[Tensor], offsets: Sequence[int], metadata: Mapping[str, str]) -> bytes:
    by_device: dict[str, list[str]] = {}
    for tensor in tensors:
        if tensor.device:
            by_device.setdefault(tensor.device, []).append(tensor.name)
    texts = {key: text for key, text in metadata.items() if key != DEVICES}
    if by_device:
        texts[DEVICES] = json.dumps(by_device, separators=(",", ":"))
    rows: dict[str, Any] = {METADATA: dict(sorted(texts.items()))} if texts else {}
    for tensor, begin, end in zip(tensors, offsets, offsets[1:], strict=False):
        rows[tensor.name] = {"dtype": _NAMES[tensor.dtype.name], "shape": list(tensor.shape), "data_offsets": [begin, end]}
    header = json.dumps(rows, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-len(header) % _ALIGNMENT)
    if len(header) > MAX_HEADER_BYTES:
        raise InvalidArgumentError(f"the header would have {len(header)} bytes; safetensors takes at most {MAX_HEADER_BYTES}: write several files")
    return header


def _unsaved(tensor: Tensor) -> str | None:
    try:
        tensor.name.encode()
    except UnicodeEncodeError:
        return "names are UTF-8 there"
    if tensor.name == METADATA:
        return "the name means something else there"
    return None if tensor.dtype.name in _NAMES else f"it has no {tensor.dtype.name}"


class _Content(Pulled):
    """The bytes of one tensor."""

    def __init__(self, file: ShardReader, dtype: DType, shape: Shape, offset: int) -> None:
        assert dtype.numpy is not None
        super().__init__(dtype.numpy, shape)
        self._file, self._offset = file, offset

    def read(self, begin: int, end: int) -> memoryview:
        content = memoryview(np.empty(end - begin, np.uint8).data)
        if content:
            self._file.read([content], len(content), self._offset + begin)
        return content


def _row(name: str, info: Any, path: str) -> tuple[str, Shape, int, int]:
    """dtype, shape, begin and end of a tensor."""
    what = f"{path!r}: tensor {name!r}"
    if not isinstance(info, dict) or not {"dtype", "shape", "data_offsets"} <= info.keys():
        raise DataLossError(f"{what}: expected an object with dtype, shape and data_offsets; the file is damaged")
    dtype, shape, offsets = info["dtype"], info["shape"], info["data_offsets"]
    if not isinstance(dtype, str) or not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise DataLossError(f"{what}: its dtype, shape or data_offsets make no sense; the file is damaged")
    try:
        element_count(shape, what)
    except GPersistError as error:
        raise DataLossError(f"{error.message}; the file is damaged") from error
    if not name or name[0] == "\0":
        raise UnimplementedError(f"{what}: TensorFlow's files, to which it is likened, have no empty names, nor names that begin with a NUL")
    return dtype, tuple(shape), offsets[0], offsets[1]


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 254 and all(type(size) is int and 0 <= size < 2**63 for size in value)


def _metadata(value: Any, path: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise DataLossError(f"{path!r}: {METADATA} is no object of texts; the file is damaged")
    return value


def _devices(text: str) -> dict[str, str]:
    """Devices by tensor, of our own entry; of one that makes no sense, none."""
    try:
        by_device = json.loads(text)
        return {name: device for device, names in by_device.items() for name in names if isinstance(name, str)}
    except (ValueError, RecursionError, AttributeError, TypeError):
        return {}


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:80]!r} is there twice")
    return found


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
