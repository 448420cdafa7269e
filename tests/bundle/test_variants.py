"""gpersist.bundle.variants against a tensor that TensorFlow wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

import gpersist
from gpersist.bundle import Entry, encode_index, variants
from gpersist.dtypes import variant
from gpersist.errors import DataLossError
from gpersist.table import unmask

# SaveV2 of TensorFlow 2.21: tf.stack of an empty TensorList of floats, and one whose only element is 2.5.
LIST = b"\n\x16tensorflow::TensorList\x12\x0c\x00\x01" + b"\xff" * 9 + b"\x01"
WRITTEN = b"&" + LIST + b"?M\xff\xae" + b"2" + LIST + b"\x1a\n\x08\x01\x12\x00*\x04\x00\x00 @" + b"\xc2o\xdf\xfd"
CRC = 0xEAD8B206  # masked, from its index


def test_what_tensorflow_wrote() -> None:
    variants.check(WRITTEN, 2, unmask(CRC), "v")
    variants.check(b"", 0, 0, "nothing")


@pytest.mark.parametrize("at", range(0, len(WRITTEN), 7))
def test_every_flipped_bit_is_noticed(at: int) -> None:
    with pytest.raises(DataLossError):
        variants.check(WRITTEN[:at] + bytes([WRITTEN[at] ^ 4]) + WRITTEN[at + 1 :], 2, unmask(CRC), "v")


@pytest.mark.parametrize(
    ("data", "count", "crc", "message"),
    [
        (WRITTEN, 1, unmask(CRC), "v: variants take 43 bytes, found 98"),
        (WRITTEN, 3, unmask(CRC), "v"),
        (WRITTEN[:-1], 2, unmask(CRC), "v: variant 1 takes bytes 44 to 98, of 97"),
        (WRITTEN, 2, 1, "v: crc32c: expected 0x00000001"),
        (b"\xff" * 9 + b"\x01", 1 << 40, 0, "v: variant 0 takes bytes"),
    ],
)
def test_damage_is_told(data: bytes, count: int, crc: int, message: str) -> None:
    with pytest.raises(DataLossError, match=message):
        variants.check(data, count, crc, "v")


def test_a_checkpoint_with_one_is_whole_though_no_array_holds_it(tmp_path: Path) -> None:
    """Estimators, and tf.train.Checkpoint, keep the state of a tf.data iterator so."""
    (tmp_path / "x.index").write_bytes(encode_index([(b"v", Entry(variant, (2,), 0, 0, len(WRITTEN), CRC))], 1))
    (tmp_path / "x.data-00000-of-00001").write_bytes(WRITTEN)
    assert gpersist.verify(tmp_path / "x").total_bytes == len(WRITTEN)
    (tmp_path / "x.data-00000-of-00001").write_bytes(WRITTEN[:-1] + b"\0")
    with pytest.raises(DataLossError, match=r"tensor 'v' in '.*' at byte 0: crc32c of variant 1 does not match"):
        gpersist.verify(tmp_path / "x")
