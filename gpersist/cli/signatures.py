"""`gpersist show --signatures`: what a SavedModel's graphs offer to callers, and what these give and get (`saved_model_cli show --all`)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gpersist import protos
from gpersist.cli.model_file import choose_graph, read_model
from gpersist.cli.output import Column, printable, write_json, write_line, write_table
from gpersist.dtypes import from_enum
from gpersist.errors import GPersistError, InvalidArgumentError

_COLUMNS = (Column(""), Column("key", folds=True), Column("dtype"), Column("shape"), Column("tensor", folds=True, style="cyan"))
_OF_LOADING = ("__saved_model_init_op", "__saved_model_train_op")


def show_signatures(path: str, tag_set: str | None, as_json: bool) -> int:
    """Writes the signatures of all graphs of a SavedModel, or of the one with some tags.

    Raises:
        CheckpointNotFoundError: there is no model.
        InvalidArgumentError: it is one of another kind.
        NotFoundError: no graph has these tags.
    """
    file, metas = read_model(path)
    if not os.path.basename(file).startswith("saved_model."):
        raise InvalidArgumentError(f"{file!r} is no SavedModel, and signatures are what SavedModels have; expected the folder of one")
    chosen = metas if tag_set is None else [choose_graph(file, metas, tag_set)]
    if as_json:
        write_json({"file": file, "graphs": [_to_json(meta) for meta in chosen]})
        return 0
    for meta in chosen:
        write_line(f"graph {printable(','.join(meta.meta_info_def.tags))!r}: {_counted(meta)}")
        for name in _names(meta):
            signature = meta.signature_def[name]
            write_line()
            write_line(f"{printable(name)}  {printable(signature.method_name) or 'without a method'}")
            write_table(_COLUMNS, [(kind, *row) for kind, row in _rows(signature)])
    write_line()
    write_line(f"{printable(file)}: {'one graph' if len(metas) == 1 else f'{len(metas)} graphs'}")
    return 0


def _names(meta: protos.MetaGraphDef) -> list[str]:
    return [name for name in sorted(meta.signature_def) if name not in _OF_LOADING]


def _counted(meta: protos.MetaGraphDef) -> str:
    count = len(_names(meta))
    return "no signatures" if not count else "one signature" if count == 1 else f"{count} signatures"


def _rows(signature: protos.SignatureDef) -> Iterator[tuple[str, tuple[str, str, str, str]]]:
    for kind, infos in (("input", signature.inputs), ("output", signature.outputs)):
        for key, name, dtype, shape in _tensors(infos):
            yield kind, (printable(key), dtype, "unknown" if shape is None else _shown(shape), printable(name))


def _tensors(infos: Mapping[str, protos.TensorInfo]) -> Iterator[tuple[str, str, str, list[int] | None]]:
    """Key, tensor, dtype and shape of each; parts of sparse and composite ones have theirs behind the key."""
    for key in sorted(infos):
        info = infos[key]
        encoding = info.WhichOneof("encoding")
        if encoding == "coo_sparse":
            parts = [(f"{key}.{field.name.removesuffix('_tensor_name')}", value) for field, value in info.coo_sparse.ListFields()]
            yield from ((part, name, _dtype(info) if part.endswith(".values") else "int64", None) for part, name in parts)
        elif encoding == "composite_tensor":
            for number, component in enumerate(info.composite_tensor.components):
                yield f"{key}.{number}", component.name, _dtype(component), _shape(component)
        else:
            yield key, info.name, _dtype(info), _shape(info)


def _dtype(info: protos.TensorInfo) -> str:
    try:
        return str(from_enum(info.dtype, "a signature").name)
    except GPersistError:
        return f"dtype {info.dtype}"


def _shape(info: protos.TensorInfo) -> list[int] | None:
    return None if info.tensor_shape.unknown_rank else [int(dim.size) for dim in info.tensor_shape.dim]


def _shown(shape: Sequence[int]) -> str:
    return f"[{', '.join('?' if size < 0 else str(size) for size in shape)}]"


def _to_json(meta: protos.MetaGraphDef) -> dict[str, Any]:
    return {
        "tags": list(meta.meta_info_def.tags),
        "signatures": {
            name: {
                "method": meta.signature_def[name].method_name,
                **{
                    kind: {key: {"tensor": tensor, "dtype": dtype, "shape": shape} for key, tensor, dtype, shape in _tensors(infos)}
                    for kind, infos in (("inputs", meta.signature_def[name].inputs), ("outputs", meta.signature_def[name].outputs))
                },
            }
            for name in _names(meta)
        },
    }
