"""`tf.TensorArray`: an array of tensors that loops write and read, and its gradients."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gpersist.dtypes import DType, as_dtype
from gpersist.graph import Operation, Tensor, apply, apply_op, constant_value, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops import tensor_array_ops
from gpersist.ops.casting import cast
from gpersist.ops.passing import identity
from gpersist.ops.sequences import range as range_
from gpersist.ops.shaping import shape as shape_of
from gpersist.shapes import ShapeLike, TensorShape, as_shape

__all__ = ["TensorArray"]

_LOG = logging.getLogger("gpersist")


class TensorArray:
    """An array of tensors (`tf.TensorArray`). What writes gives a new one, to go on with: its `flow` is there once that is written.

    Args:
        dtype: of the elements.
        size: how many there are, int32[].
        dynamic_size: whether there are more once a later one is written.
        clear_after_read: whether an element can be read but once.
        tensor_array_name: for what goes wrong.
        handle, flow: of one that is there.
        infer_shape: whether all elements have one shape.
        element_shape: that shape.
        colocate_with_first_write_call: whether it goes to the device of what is written first.
        name: of the scope.

    Raises:
        ValueError: arguments that exclude each other.
        TypeError: the handle is no tensor.
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Tensor | None = None,
        flow: Tensor | None = None,
        infer_shape: bool = True,
        element_shape: ShapeLike = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        given = {
            "tensor_array_name": tensor_array_name or None,
            "size": size,
            "element_shape": element_shape,
            "dynamic_size": dynamic_size,
            "clear_after_read": clear_after_read,
        }
        if handle is not None:
            if not isinstance(handle, Tensor):
                raise TypeError(f"Expected `handle` to be a Tensor, but got `{handle}` of type `{type(handle)}` instead.")
            for argument, value in given.items():
                if value is not None:
                    raise ValueError(f"Cannot provide both `handle` and `{argument}` arguments at the same time.")
        elif size is None:
            raise ValueError("Argument `size` must be provided if handle is not provided.")
        self._dtype = as_dtype(dtype).base_dtype
        self._dynamic_size = bool(dynamic_size)
        self._size = size
        self._infer_shape = infer_shape
        self._shape = [as_shape(element_shape)]  # shared with those that it becomes
        self._first_written: list[Any] | None = [] if colocate_with_first_write_call else None
        with name_scope(name, "TensorArray", [value for value in (handle, size, flow) if value is not None]) as scope:
            if handle is not None:
                if flow is None:
                    raise ValueError("flow must not be None if handle is not None.")
                self._handle, self._flow = handle, flow
                return
            attrs = {
                "dtype": self._dtype,
                "element_shape": as_shape(element_shape),
                "identical_element_shapes": infer_shape,
                "dynamic_size": self._dynamic_size,
                "clear_after_read": clear_after_read is None or clear_after_read,
                "tensor_array_name": tensor_array_name or "",
            }
            graph = get_default_graph()
            if colocate_with_first_write_call:
                with graph.device(None), graph.colocate_with(None, ignore_existing=True):
                    made = apply_op("TensorArrayV3", size, name=scope, **attrs)
            else:
                made = apply_op("TensorArrayV3", size, name=scope, **attrs)
            self._handle, self._flow = made.outputs

    @property
    def flow(self) -> Tensor:
        """A tensor that is there once all is written."""
        return self._flow

    @property
    def dtype(self) -> DType:
        """Of the elements."""
        return self._dtype

    @property
    def handle(self) -> Tensor:
        """The reference to it."""
        return self._handle

    @property
    def element_shape(self) -> TensorShape:
        """What is known of the shape of each element."""
        return self._shape[0]

    @property
    def dynamic_size(self) -> bool:
        """Whether it grows."""
        return self._dynamic_size

    def with_flow(self, flow: Tensor) -> TensorArray:
        """The same array at another moment."""
        made = TensorArray(self._dtype, handle=self._handle, flow=flow, infer_shape=self._infer_shape, colocate_with_first_write_call=False)
        made._dynamic_size, made._size, made._shape, made._first_written = self._dynamic_size, self._size, self._shape, self._first_written
        return made

    def identity(self) -> TensorArray:
        """The same array, there when what is in effect here has run."""
        return self.with_flow(identity(self._flow))

    def grad(self, source: str, flow: Tensor | None = None, name: str | None = None) -> TensorArray:
        """The array of the gradients of its elements; for each source another one."""
        flow = self._flow if flow is None else flow
        with name_scope(name, "TensorArrayGrad", [self._handle]), self._handle.graph.colocate_with(self._handle):
            handle = apply_op("TensorArrayGradV3", self._handle, flow, source=source, name=name).outputs[0]
            with handle.graph.control_dependencies([handle]):
                flow = identity(flow, name="gradient_flow")
            made = TensorArray(self._dtype, handle=handle, flow=flow, infer_shape=self._infer_shape, colocate_with_first_write_call=False)
            made._shape = self._shape
            return made

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """An element."""
        value = apply("TensorArrayReadV3", self._handle, index, self._flow, dtype=self._dtype, name=name)
        value.set_shape(self.element_shape)
        return value

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array, with an element set.

        Raises:
            ValueError: the value is of another shape than the elements.
        """
        with name_scope(name, "TensorArrayWrite", [self._handle, index, value]):
            tensor = self._element(value)
            self._check_shape(tensor.shape)
            with self._colocated(tensor):
                return self.with_flow(apply("TensorArrayWriteV3", self._handle, index, tensor, self._flow, name=name))

    def stack(self, name: str | None = None) -> Tensor:
        """All elements as one tensor, along a new first axis."""
        with self._handle.graph.colocate_with(self._handle), name_scope(name, "TensorArrayStack", [self._handle]):
            value = self.gather(range_(0, self.size()), name=name)
            if not self._dynamic_size and self._size is not None:
                size = constant_value(self._size) if isinstance(self._size, Tensor) else self._size
                value.set_shape(TensorShape([None if size is None else int(size)]).concatenate(self.element_shape))
            return value

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """Some elements as one tensor, along a new first axis."""
        attrs = {"dtype": self._dtype, "element_shape": self.element_shape}
        value = apply("TensorArrayGatherV3", self._handle, indices, self._flow, name=name, **attrs)
        value.set_shape(TensorShape([None]).concatenate(self.element_shape))
        return value

    def concat(self, name: str | None = None) -> Tensor:
        """All elements as one tensor, one behind the other."""
        shape = self.element_shape
        attrs = {"dtype": self._dtype, "element_shape_except0": shape[1:]}
        value = apply_op("TensorArrayConcatV3", self._handle, self._flow, name=name, **attrs).outputs[0]
        if shape.rank is not None:
            rows = None
            if self._infer_shape:
                size = constant_value(self.size())
                rows = None if size is None or shape.sizes is None or shape.sizes[0] is None else int(size) * shape.sizes[0]
            value.set_shape(TensorShape([rows]).concatenate(shape[1:]))
        return value

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """The array, with its elements set to the rows of a tensor."""
        with name_scope(name, "TensorArrayUnstack", [self._handle, value]):
            count = shape_of(value)[0]
            return self.scatter(range_(0, count), value, name=name)

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array, with some elements set to the rows of a tensor."""
        with name_scope(name, "TensorArrayScatter", [self._handle, value, indices]):
            tensor = self._element(value)
            self._check_shape(tensor.shape[1:])
            with self._colocated(tensor):
                return self.with_flow(apply("TensorArrayScatterV3", self._handle, indices, tensor, self._flow, name=name))

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """The array, with its elements set to parts of a tensor, of so many rows each."""
        with name_scope(name, "TensorArraySplit", [self._handle, value, lengths]):
            tensor = convert_to_tensor(value, self._dtype, name="value")
            with self._colocated(tensor):
                counts = cast(lengths, "int64")
                known = constant_value(counts)
                if tensor.shape.rank is not None and known is not None and known.shape and known.max() == known.min():
                    self._check_shape(TensorShape([int(known[0])]).concatenate(tensor.shape[1:]))
                return self.with_flow(apply("TensorArraySplitV3", self._handle, tensor, counts, self._flow, name=name))

    def size(self, name: str | None = None) -> Tensor:
        """How many elements there are."""
        if not self._dynamic_size and self._size is not None:
            return convert_to_tensor(self._size, "int32")
        return apply("TensorArraySizeV3", self._handle, self._flow, name=name)

    def close(self, name: str | None = None) -> Operation:
        """An operation that drops the elements."""
        return apply_op("TensorArrayCloseV3", self._handle, name=name)

    def _element(self, value: Any) -> Tensor:
        tensor = convert_to_tensor(value, preferred_dtype=self._dtype, name="value")
        if tensor.dtype.base_dtype is not self._dtype:
            _LOG.error("Error: Input value %s has dtype %s, but expected dtype %s.", tensor, tensor.dtype, self._dtype)
        return tensor

    def _check_shape(self, shape: TensorShape) -> None:
        if not shape.is_compatible_with(self.element_shape):
            raise ValueError(f"Inconsistent shapes: saw {shape} but expected {self.element_shape} ")
        if self._infer_shape:
            self._shape[0] = self.element_shape.merge_with(shape)

    @contextmanager
    def _colocated(self, value: Tensor) -> Iterator[None]:
        if self._first_written is None:
            yield
            return
        if not self._first_written:
            self._first_written.append(value)
        with value.graph.colocate_with(self._first_written[0]):
            yield


# ---- gradients: beside the class, which they are made with


def _gradients(op: Operation, of: Tensor, flow: Tensor, dtype: DType) -> TensorArray:
    """The array of the gradients of the array that an operation works on."""
    array = TensorArray(dtype, handle=op.inputs[0], flow=flow, colocate_with_first_write_call=False)
    return array.grad(_source(of), flow=flow)


def _source(tensor: Tensor) -> str:
    """The scope of the call of `tf.gradients` that a tensor is made by."""
    parts = tensor.name.split("/")
    places = [place for place, part in enumerate(parts) if part.startswith("gradients")]
    if not places:
        raise ValueError(
            f"Expected op/tensor name to start with gradients (excluding scope), got: {tensor.name}. This means that a tf.gradients op with this op "
            "in its dependency path has a custom name that does not start with 'gradients'. Please make sure all calls to tf.gradients that have "
            "non-empty `name` arguments use names that start with 'gradients'."
        )
    return "/".join(parts[: places[-1] + 1])


def _of_read(op: Operation, grad: Tensor) -> list[Tensor | None]:
    flow = op.inputs[2]
    return [None, None, _gradients(op, grad, flow, op.attr("dtype")).write(op.inputs[1], grad).flow]


def _of_gather(op: Operation, grad: Tensor) -> list[Tensor | None]:
    flow = op.inputs[2]
    return [None, None, _gradients(op, grad, flow, op.attr("dtype")).scatter(op.inputs[1], grad).flow]


def _of_concat(op: Operation, grad: Tensor, _: Any) -> list[Tensor | None]:
    flow = op.inputs[1]
    return [None, _gradients(op, grad, flow, op.attr("dtype")).split(grad, op.outputs[1]).flow]


def _behind(op: Operation, flow: Tensor) -> tuple[TensorArray, Tensor]:
    """The array of gradients, read after all that the operation has written is there."""
    with op.graph.control_dependencies([identity(op.outputs[0], "flow_out")]):
        barrier = identity(flow, "write_barrier")
    array = TensorArray(op.attr("T"), handle=op.inputs[0], flow=barrier, colocate_with_first_write_call=False)
    return array.grad(_source(flow), flow=barrier), barrier


def _of_write(op: Operation, flow: Tensor) -> list[Tensor | None]:
    gradients, barrier = _behind(op, flow)
    return [None, None, gradients.read(op.inputs[1]), barrier]


def _of_scatter(op: Operation, flow: Tensor) -> list[Tensor | None]:
    gradients, barrier = _behind(op, flow)
    return [None, None, gradients.gather(op.inputs[1]), barrier]


def _of_split(op: Operation, flow: Tensor) -> list[Tensor | None]:
    gradients, barrier = _behind(op, flow)
    return [None, gradients.concat(), None, barrier]


tensor_array_ops.TensorArrayReadV3.gradient = staticmethod(_of_read)
tensor_array_ops.TensorArrayGatherV3.gradient = staticmethod(_of_gather)
tensor_array_ops.TensorArrayConcatV3.gradient = staticmethod(_of_concat)
tensor_array_ops.TensorArrayWriteV3.gradient = staticmethod(_of_write)
tensor_array_ops.TensorArrayScatterV3.gradient = staticmethod(_of_scatter)
tensor_array_ops.TensorArraySplitV3.gradient = staticmethod(_of_split)
