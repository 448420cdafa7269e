"""TensorInfo: what a signature says of a tensor (`tf.saved_model.utils`)."""

from __future__ import annotations

from typing import Any

from gpersist import protos
from gpersist.dtypes import as_dtype
from gpersist.graph import Graph, Operation, Tensor, get_default_graph, own, prepend_name_scope, shape_proto
from gpersist.ops.sparse_tensor import SparseTensor

__all__ = ["build_tensor_info", "get_tensor_from_tensor_info"]


def build_tensor_info(tensor: Any) -> protos.TensorInfo:
    """The message of a tensor, a variable or a `SparseTensor`: its name, or the names of its three tensors, with dtype and shape
    (`tf.saved_model.utils.build_tensor_info`).
    """
    info = protos.TensorInfo(dtype=as_dtype(tensor.dtype).as_datatype_enum, tensor_shape=shape_proto(tensor.get_shape()))
    if isinstance(tensor, SparseTensor):
        info.coo_sparse.values_tensor_name = tensor.values.name
        info.coo_sparse.indices_tensor_name = tensor.indices.name
        info.coo_sparse.dense_shape_tensor_name = tensor.dense_shape.name
    else:
        info.name = tensor.name
    return info


def get_tensor_from_tensor_info(tensor_info: protos.TensorInfo, graph: Graph | None = None, import_scope: str | None = None) -> Any:
    """The tensor, or `SparseTensor`, that a message names (`tf.saved_model.utils.get_tensor_from_tensor_info`).

    Args:
        tensor_info: the message.
        graph: where it is looked up; the default graph by default.
        import_scope: a scope that the names in the message have got since.

    Raises:
        KeyError: the graph has no such tensor.
        ValueError: the message names none, or one of a kind that gpersist has not.
    """
    info = own(protos.TensorInfo, tensor_info, "tensor_info")
    graph = graph or get_default_graph()

    def found(name: str) -> Tensor:
        return graph.get_tensor_by_name(prepend_name_scope(name, import_scope))

    encoding = info.WhichOneof("encoding")
    if encoding == "name":
        return found(info.name)
    if encoding == "coo_sparse":
        names = info.coo_sparse
        return SparseTensor(found(names.indices_tensor_name), found(names.values_tensor_name), found(names.dense_shape_tensor_name))
    raise ValueError(f"Invalid TensorInfo.encoding: {encoding}. Expected `coo_sparse`, or `name` for a dense tensor.")


def get_element_from_tensor_info(tensor_info: protos.TensorInfo, graph: Graph | None = None, import_scope: str | None = None) -> Operation | Tensor:
    """The operation or tensor that a message names.

    Raises:
        KeyError: the graph has none of that name.
    """
    found: Operation | Tensor = (graph or get_default_graph()).as_graph_element(prepend_name_scope(tensor_info.name, import_scope))
    return found
