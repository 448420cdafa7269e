"""TensorInfo: what a signature says of a tensor (`tf.saved_model.utils`)."""

from __future__ import annotations

from typing import Any

from gpersist import protos
from gpersist.dtypes import as_dtype
from gpersist.graph import Graph, Operation, Tensor, get_default_graph, own, prepend_name_scope, shape_proto
from gpersist.ops.indexed_slices import IndexedSlices
from gpersist.ops.ragged_tensor import RaggedTensor
from gpersist.ops.sparse_tensor import SparseTensor
from gpersist.shapes import TensorShape

__all__ = ["build_tensor_info", "get_tensor_from_tensor_info"]


def build_tensor_info(tensor: Any) -> protos.TensorInfo:
    """The message of a tensor, a variable, a `SparseTensor`, a `RaggedTensor` or `IndexedSlices`: its name, or those of the tensors that it
    consists of, with dtypes and shapes (`tf.saved_model.utils.build_tensor_info`).
    """
    if isinstance(tensor, (RaggedTensor, IndexedSlices)):
        return _composite_info(tensor)
    info = protos.TensorInfo(dtype=as_dtype(tensor.dtype).as_datatype_enum, tensor_shape=shape_proto(tensor.get_shape()))
    if isinstance(tensor, SparseTensor):
        info.coo_sparse.values_tensor_name = tensor.values.name
        info.coo_sparse.indices_tensor_name = tensor.indices.name
        info.coo_sparse.dense_shape_tensor_name = tensor.dense_shape.name
    else:
        info.name = tensor.name
    return info


def get_tensor_from_tensor_info(tensor_info: protos.TensorInfo, graph: Graph | None = None, import_scope: str | None = None) -> Any:
    """The tensor, `SparseTensor`, `RaggedTensor` or `IndexedSlices` that a message names (`tf.saved_model.utils.get_tensor_from_tensor_info`).

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
    if encoding == "composite_tensor":
        return _composite(info.composite_tensor, [found(component.name) for component in info.composite_tensor.components])
    raise ValueError(f"Invalid TensorInfo.encoding: {encoding}. Expected `coo_sparse`, or `name` for a dense tensor.")


def get_element_from_tensor_info(tensor_info: protos.TensorInfo, graph: Graph | None = None, import_scope: str | None = None) -> Operation | Tensor:
    """The operation or tensor that a message names.

    Raises:
        KeyError: the graph has none of that name.
    """
    found: Operation | Tensor = (graph or get_default_graph()).as_graph_element(prepend_name_scope(tensor_info.name, import_scope))
    return found


def _composite_info(tensor: RaggedTensor | IndexedSlices) -> protos.TensorInfo:
    info = protos.TensorInfo()
    spec = info.composite_tensor.type_spec
    state = spec.type_state.tuple_value.values
    if isinstance(tensor, RaggedTensor):
        parts = [tensor.flat_values, *tensor.nested_row_splits]
        spec.type_spec_class, spec.type_spec_class_name = spec.RAGGED_TENSOR_SPEC, "RaggedTensorSpec"
        state.add().tensor_shape_value.CopyFrom(shape_proto(tensor.shape))
        state.add().tensor_dtype_value = tensor.dtype.as_datatype_enum
        state.add().int64_value = tensor.ragged_rank
        state.add().tensor_dtype_value = tensor.row_splits.dtype.as_datatype_enum
    else:
        parts = [tensor.values, tensor.indices, *([] if tensor.dense_shape is None else [tensor.dense_shape])]
        spec.type_spec_class, spec.type_spec_class_name = spec.INDEXED_SLICES_SPEC, "IndexedSlicesSpec"
        shape = TensorShape([None]).concatenate(tensor.values.shape[1:])
        state.add().tensor_shape_value.CopyFrom(shape_proto(shape if tensor.dense_shape is None else shape.merge_with(tensor.shape)))
        state.add().tensor_dtype_value = tensor.dtype.as_datatype_enum
        state.add().tensor_dtype_value = tensor.indices.dtype.as_datatype_enum
        if tensor.dense_shape is None:
            state.add().none_value.SetInParent()
        else:
            state.add().tensor_dtype_value = tensor.dense_shape.dtype.as_datatype_enum
        state.add().tensor_shape_value.CopyFrom(shape_proto(tensor.indices.shape.merge_with(tensor.values.shape[:1])))
    spec.num_flat_components = len(parts)
    info.composite_tensor.components.extend(build_tensor_info(part) for part in parts)
    return info


def _composite(message: Any, parts: list[Tensor]) -> RaggedTensor | IndexedSlices | SparseTensor:
    spec = message.type_spec
    if spec.type_spec_class == spec.RAGGED_TENSOR_SPEC and parts:
        return RaggedTensor.from_nested_row_splits(parts[0], parts[1:], validate=False)
    if spec.type_spec_class == spec.INDEXED_SLICES_SPEC and len(parts) in (2, 3):
        return IndexedSlices(*parts)
    if spec.type_spec_class == spec.SPARSE_TENSOR_SPEC and len(parts) == 3:
        return SparseTensor(*parts)
    raise ValueError(f"The composite tensor is a {spec.type_spec_class_name or spec.type_spec_class} of {len(parts)} tensors, which is not known.")
