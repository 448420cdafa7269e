"""What a file is that is no checkpoint: told from its first bytes, with what to do about it.

A kind is a row of `_MAGICS`; what takes more than comparing bytes is one of the functions below it. A TensorFlow table (`.index`, or a V1
checkpoint) has its magic number at the end, so its head is not known here: ask `gpersist.table` first, and this module when it says no.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

HEAD_BYTES = 512
"""How much of a file `describe` wants to see: enough for every kind it knows (a tar archive's magic ends at byte 262)."""


class _Magic(NamedTuple):
    offset: int
    bytes: bytes
    words: str


_MAGICS = (
    _Magic(0, b"\x89HDF\r\n\x1a\n", "an HDF5 file (a Keras model in .h5, perhaps): make a model a graph with gpersist convert, or open it with h5py"),
    _Magic(0, b"\x93NUMPY", "a NumPy array (.npy): load it with numpy.load"),
    _Magic(0, b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "a PyTorch checkpoint of the old kind: load it with torch.load(..., weights_only=True)"),
    _Magic(0, b"\x08\x01\x12", "a SavedModel's graph (saved_model.pb): its weights are the checkpoint 'variables/variables' beside it"),
    _Magic(0, b"\x1f\x8b", "gzip-compressed: unpack it with gunzip, or tar -xzf if it is a .tar.gz"),
    _Magic(0, b"BZh", "bzip2-compressed: unpack it with bunzip2, or tar -xjf if it is a .tar.bz2"),
    _Magic(0, b"\xfd7zXZ\x00", "xz-compressed: unpack it with unxz, or tar -xJf if it is a .tar.xz"),
    _Magic(0, b"\x28\xb5\x2f\xfd", "zstd-compressed: unpack it with unzstd"),
    _Magic(0, b"\x04\x22\x4d\x18", "lz4-compressed: unpack it with unlz4"),
    _Magic(0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it with 7z x"),
    _Magic(0, b"Rar!\x1a\x07", "a RAR archive: unpack it with unrar x"),
    _Magic(257, b"ustar", "a tar archive: unpack it with tar -xf and name the checkpoint inside"),
    _Magic(0, b"version https://git-lfs", "a Git-LFS pointer, not the file itself: run `git lfs pull` where it was cloned"),
    _Magic(0, b"GGUF", "a GGUF model (llama.cpp)"),
    _Magic(4, b"TFL3", "a TensorFlow Lite model: it holds no checkpoint; convert from the model it was made of"),
    _Magic(0, b"model_checkpoint_path:", "the state file `checkpoint`, which only names checkpoints: give its folder, or a prefix that it names"),
)

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
# The first entry's name tells the kinds of zip archives apart.
_ZIP_KINDS = (
    (re.compile(rb"(.*/)?data\.pkl"), "a PyTorch checkpoint (a zip archive): load it with torch.load(..., weights_only=True)"),
    (re.compile(rb".*\.npy"), "NumPy arrays (.npz, a zip archive): load them with numpy.load, or make them a checkpoint with gpersist convert"),
    (re.compile(rb"metadata\.json|config\.json|model\.weights\.h5"), "a Keras model (.keras, a zip archive): load it with keras.models.load_model"),
)
_ONNX = re.compile(rb"\x08[\x01-\x20][\x12\x3a]")  # ir_version, then producer_name or graph
_OP_TYPE = re.compile(rb"[A-Z_][A-Za-z0-9_>]*")
_NODE_NAME = re.compile(rb"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
_TEXT_GRAPH = re.compile(rb"(node|library|versions|meta_info_def|graph_def)\s*\{")
_TEXT = re.compile(rb"[\t\n\r\x20-\x7e\x80-\xff]+")


def describe(head: bytes, size_bytes: int) -> str | None:
    """Says what kind of file begins like this, and what to do with it.

    Args:
        head: the file's first bytes, `HEAD_BYTES` of them or all that there are; more is looked at too.
        size_bytes: size of the whole file.

    Returns:
        Words that follow "the file is", or None for a file of no known kind. Bytes of the file in them are escaped and few. Never raises.
    """
    if size_bytes == 0:
        return "empty (0 bytes): a write or a download that did not get through; use another copy"
    if head and not any(head):
        return f"nothing but zero bytes, the first {len(head)} at least: a crash or a full disk lost its content; use another copy"
    for magic in _MAGICS:
        if head.startswith(magic.bytes, magic.offset):
            return magic.words
    return _zip(head) or _pickle(head) or _safetensors(head, size_bytes) or _graph(head) or _events(head) or _text(head)


def stand_in(head: bytes) -> str | None:
    """Says what a download has left in the place of a data file, which may begin with any bytes: a pointer, a page, an archive; or None."""
    if head.startswith((b"version https://git-lfs", b"<!DOCTYPE html", b"<!doctype html", b"<html", b"<?xml", b"\x1f\x8b\x08")):
        return describe(head, len(head))
    return None


def _zip(head: bytes) -> str | None:
    if not head.startswith(_ZIP):
        return None
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    for pattern, words in _ZIP_KINDS:
        if pattern.fullmatch(name):
            return words
    return "a zip archive (a PyTorch checkpoint, perhaps: load it with torch.load; else unpack it with unzip)"


def _pickle(head: bytes) -> str | None:
    if len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5:
        return "a Python pickle: loading one runs whatever code is in it, so gpersist never does; load it where you trust it and save its arrays"
    return None


def _safetensors(head: bytes, size_bytes: int) -> str | None:
    header_bytes = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and 2 <= header_bytes <= size_bytes - 8:
        return "a safetensors file: make it a checkpoint with gpersist convert"
    return None


def _graph(head: bytes) -> str | None:
    if _ONNX.match(head) and head[1] > 1:
        return "an ONNX model: open it with onnx.load"
    # GraphDef { node: { name: "..." op: "..." } }, lengths by varint; a node without a name and an op is in none.
    if head[:1] == b"\x0a" and (name := _field(head, _after_varint(head, 1), 0x0A)) and _NODE_NAME.fullmatch(name[0]):
        op = _field(head, name[1], 0x12)
        if op and _OP_TYPE.fullmatch(op[0]):
            return "a GraphDef (a frozen graph, perhaps), not a checkpoint: as a .pb, gpersist graph shows it, and tf.import_graph_def takes it"
    return None


def _after_varint(head: bytes, at: int) -> int:
    while at < len(head) and head[at] & 0x80:
        at += 1
    return at + 1


def _field(head: bytes, at: int, tag: int) -> tuple[bytes, int] | None:
    """A length-delimited field of under 128 bytes: its content, and where it ends."""
    if at + 1 < len(head) and head[at] == tag and head[at + 1] < 0x80:
        end = at + 2 + head[at + 1]
        return (head[at + 2 : end], end) if end <= len(head) else None
    return None


def _events(head: bytes) -> str | None:
    if b"brain.Event:" in head[:64]:
        return "an events file (TensorBoard's log): it holds no variables; look for 'checkpoint' in the same folder"
    return None


def _text(head: bytes) -> str | None:
    if not head.strip() or not _TEXT.fullmatch(head):
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the head may end within a character
    except UnicodeDecodeError:
        return None
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        return None
    begin = start[:64].lower()
    if begin.startswith((b"<!doctype html", b"<html", b"<head")):
        return "an HTML page (a download that needs a login or a confirmation, or a wrong link): download the file itself"
    if begin.startswith(b"<?xml"):
        return "an XML document (an object store's error message, perhaps): look into it, and download the file itself"
    if _TEXT_GRAPH.match(start):
        return "text: a graph in protobuf's format for it, and no checkpoint; look at it with gpersist graph (a MetaGraphDef under a name in .meta)"
    line = start.splitlines()[0].decode(errors="replace")
    line = line if len(line) <= 60 else line[:57] + "..."
    return f"{'JSON' if begin.startswith((b'{', b'[')) else 'text'}: its first line is {line!r}"
