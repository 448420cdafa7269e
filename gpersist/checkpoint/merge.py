"""Several checkpoints made one: their data files are renamed, and their indexes merged. What a sharded save of TensorFlow's graph ends with.

Source: TensorFlow `tensor_bundle.cc` (`MergeBundles`).
"""

from __future__ import annotations

import dataclasses
import operator
import os
from collections.abc import Sequence

from gpersist import files
from gpersist.bundle import Entry, data_path, encode_index, encode_slice_key, index_path, read_index
from gpersist.checkpoint.state import replace_file
from gpersist.errors import GPersistError, InvalidArgumentError


def merge(prefixes: Sequence[str], target: str, *, delete_old_dirs: bool = True, allow_missing_files: bool = False) -> None:
    """Makes one checkpoint of several, which are gone then.

    Args:
        prefixes: of the checkpoints, each of tensors of its own, or of other slices of one tensor.
        target: the prefix of the new one.
        delete_old_dirs: remove the folders that the old ones were in, if they are empty now.
        allow_missing_files: pass over prefixes that aren't there, unless that is all of them.

    Raises:
        InvalidArgumentError: a prefix isn't there, or two have one tensor.
        DataLossError: an index is damaged.
    """
    system = files.active()
    merged: dict[str, Entry] = {}
    slices: list[tuple[bytes, Entry]] = []
    data: list[str] = []
    missing = [prefix for prefix in prefixes if not system.is_file(index_path(prefix))]
    if missing and (not allow_missing_files or len(missing) == len(prefixes)):
        raise InvalidArgumentError(f"cannot merge into {target!r}: there is no checkpoint {missing[0]!r}")
    standing = [prefix for prefix in prefixes if prefix not in missing]
    for prefix in standing:
        index = read_index(prefix)
        first = len(data)
        for name in index:
            entry = index.entry(name)
            moved = dataclasses.replace(entry, shard=first + entry.shard)
            for part in entry.slices:
                stored = index.slice_entry(name, part)
                slices.append((encode_slice_key(name, part), dataclasses.replace(stored, shard=first + stored.shard)))
            before = merged.get(name)
            if before is None:
                merged[name] = moved
            elif not before.slices or not entry.slices or (before.dtype, before.shape) != (entry.dtype, entry.shape):
                raise InvalidArgumentError(f"tensor {name!r} is in two of the checkpoints to merge into {target!r}, {prefix!r} the second of them")
            else:
                merged[name] = dataclasses.replace(before, slices=before.slices + entry.slices)
        data += [data_path(prefix, shard, index.num_shards) for shard in range(index.num_shards)]
    entries = [(name.encode("utf-8", "surrogateescape"), entry) for name, entry in merged.items()]
    content = encode_index(sorted(slices + entries, key=operator.itemgetter(0)), len(data))
    for number, path in enumerate(data):
        if system.is_file(path) or not allow_missing_files:
            system.rename(path, data_path(target, number, len(data)))
    replace_file(index_path(target), content, durable=False)
    for prefix in standing:
        system.remove(index_path(prefix))
    for folder in {os.path.dirname(prefix) for prefix in standing} if delete_old_dirs else ():
        try:
            system.remove_folder(folder)
        except GPersistError:
            pass  # others have files there
