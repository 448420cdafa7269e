"""Writes the golden snappy blocks with snappy itself: `python write_with_snappy.py` in an environment that has cramjam (2.14.0 was used).

snappy_vectors.bin is pairs of chunks, what went in and what came out, each chunk after its length in four little-endian bytes.
"""

import pathlib
import random
import struct

import cramjam

HERE = pathlib.Path(__file__).parent


def main() -> None:
    dice = random.Random(2)
    plain = [
        b"",
        b"a",
        b"ab" * 40,
        b"x" * 200,
        bytes(range(256)) * 3,
        dice.randbytes(59),
        dice.randbytes(60),
        dice.randbytes(61),
        dice.randbytes(300),
        b"".join(b"layer_%05d/kernel" % i for i in range(200)),
        (lambda far: far + bytes(3000) + far)(dice.randbytes(70)),
        bytes(dice.choice(b"abc") for _ in range(3000)),
    ]
    with open(HERE / "snappy_vectors.bin", "wb") as file:
        for text in plain:
            for chunk in (text, bytes(cramjam.snappy.compress_raw(text))):
                file.write(struct.pack("<I", len(chunk)) + chunk)


main()
