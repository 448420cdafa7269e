"""Writes the golden snappy table with real LevelDB: `python write_with_leveldb.py` in an environment that has plyvel (1.5.1 was used)."""

import gzip
import pathlib
import tempfile

import plyvel

HERE = pathlib.Path(__file__).parent


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = plyvel.DB(
            folder, create_if_missing=True, compression="snappy", block_size=4096, block_restart_interval=8, write_buffer_size=1 << 26
        )
        for i in range(3000):
            # Keys of one length: LevelDB appends eight bytes to each, and only so is its order the plain order of bytes.
            database.put(b"layer_%05d/kernel" % i, b"value %d " % i * (i % 9))
        database.compact_range()
        database.close()
        (table,) = pathlib.Path(folder).glob("*.ldb")
        contents = gzip.compress(table.read_bytes(), mtime=0)
    (HERE / "leveldb_snappy.ldb.gz").write_bytes(contents)
    print(len(contents))


main()
