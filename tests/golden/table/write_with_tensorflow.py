"""Writes the golden tables with real TensorFlow: `python write_with_tensorflow.py` in an environment that has tensorflow-cpu (2.21 was used)."""

import gzip
import os
import pathlib
import random
import tempfile

import numpy as np
import tensorflow as tf

HERE = pathlib.Path(__file__).parent


def keep(name: str, contents: bytes) -> None:
    if name.endswith(".gz"):
        contents = gzip.compress(contents, mtime=0)
    (HERE / name).write_bytes(contents)
    print(name, len(contents))


def index_of(tensors: dict[str, np.ndarray]) -> bytes:
    """The .index that SaveV2 writes."""
    with tempfile.TemporaryDirectory() as folder:
        prefix = os.path.join(folder, "model")
        tf.raw_ops.SaveV2(prefix=prefix, tensor_names=list(tensors), shape_and_slices=[""] * len(tensors), tensors=list(tensors.values()))
        return pathlib.Path(prefix + ".index").read_bytes()


def version_1(tensors: dict[bytes, np.ndarray]) -> bytes:
    """The V1 checkpoint that Save writes: the tensors themselves are values of the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.ckpt")
        tf.raw_ops.Save(filename=path, tensor_names=list(tensors), data=list(tensors.values()))
        return pathlib.Path(path).read_bytes()


def main() -> None:
    small = {
        "dense/kernel": np.arange(12, dtype=np.float32).reshape(3, 4),
        "dense/bias": np.ones(4, np.float32),
        "dense": np.float64(1.5),
        "global_step": np.int64(7),
        "empty": np.zeros((0, 3), np.int32),
        "words": np.array([b"a", b"", b"three"]),
        "x" * 300: np.uint8(1),
    }
    keep("small.index", index_of(small))
    keep("one.index", index_of({"a": np.float32(0)}))

    kinds = ("kernel", "bias", "kernel/Adam", "kernel/Adam_1", "bias/Adam", "bias/Adam_1")
    many = {f"layer_{i // 6:05d}/{kinds[i % 6]}": np.float32(i % 7) for i in range(20_000)}
    keep("many.index.gz", index_of(many))

    # Values of about a data block's size, so that nearly every key is one side of a separator in the index block.
    dice = random.Random(1)
    alphabet = b"\x00\x01ab\x7f\x80\xfe\xff"
    names = {b"a", b"ab", b"abc", b"b", b"\xff", b"\xff\xff", b"a\xff", b"a\xff\xff", b"b\x00", b"ab\xff/c", b"ac"}
    while len(names) < 60:
        names.add(bytes(dice.choice(alphabet) for _ in range(dice.randint(1, 6))))
    sizes = (65536, 65500, 40000, 1, 65536)
    blocks = {name: np.zeros(sizes[i % 5], np.float32) for i, name in enumerate(sorted(names))}
    keep("v1_blocks.ckpt.gz", version_1(blocks))


main()
