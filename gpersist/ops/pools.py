"""The Python functions of pooling: `tf.nn.max_pool` and its relatives."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gpersist.graph import Tensor, apply, apply_op, convert_to_tensor, name_scope
from gpersist.ops.builders import renamed_argument
from gpersist.ops.dilation import with_space_to_batch
from gpersist.ops.window_arguments import per_axis, split_padding
from gpersist.ops.window_reduction import least_number

__all__ = [
    "avg_pool",
    "avg_pool1d",
    "avg_pool3d",
    "max_pool",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_pool_v2",
    "max_pool_with_argmax",
    "pool",
]


class MaxPoolWithArgmax(NamedTuple):
    """Of each window: its largest element, and where in the flattened image that is."""

    output: Tensor
    argmax: Tensor


def max_pool(
    value: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,  # TensorFlow's names
) -> Tensor:
    """The largest element of each window of images (`tf.nn.max_pool`).

    `ksize` and `strides` are one number, one for each of height and width, or one for each axis; `padding` is "SAME", "VALID" or a pair for each
    axis.

    Raises:
        ValueError: a window of no elements, or arguments that don't go together.
    """
    value = renamed_argument("value", value, "input", input)
    with name_scope(name, "MaxPool", [value]) as scope:
        sizes = per_axis(ksize, 2, _axis(data_format, 3), "ksize")
        if 0 in sizes:
            raise ValueError(f"`ksize` cannot be zero. Received: ksize={sizes}")
        return _max_pool(value, sizes, strides, padding, data_format, scope)


def max_pool2d(input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = "NHWC", name: str | None = None) -> Tensor:
    """The largest element of each window of images (`tf.nn.max_pool2d`); arguments as in `max_pool`."""
    with name_scope(name, "MaxPool2d", [input]) as scope:
        return _max_pool(input, per_axis(ksize, 2, _axis(data_format, 3), "ksize"), strides, padding, data_format, scope)


def max_pool1d(input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = "NWC", name: str | None = None) -> Tensor:
    """The largest element of each window of sequences (`tf.nn.max_pool1d`)."""
    return _pool1d("MaxPool", "MaxPool1d", input, ksize, strides, padding, data_format, name)


def max_pool3d(input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = "NDHWC", name: str | None = None) -> Tensor:
    """The largest element of each window of volumes (`tf.nn.max_pool3d`)."""
    return _pool3d("MaxPool3D", input, ksize, strides, padding, data_format, name)


def max_pool_v2(input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = None, name: str | None = None) -> Tensor:
    """The largest element of each window of sequences, images or volumes (`tf.nn.max_pool_v2`).

    Raises:
        ValueError: the input is none of these.
    """
    rank = input.shape.rank
    if rank not in (3, 4, 5):
        raise ValueError(f"`input.shape.rank` must be 3, 4 or 5. Received: input.shape={input.shape} of rank {rank}.")
    if rank == 3:
        return max_pool1d(input, ksize, strides, padding, data_format, name)
    if rank == 4:
        return max_pool2d(input, ksize, strides, padding, data_format, name)
    axis = _axis(data_format, 4)
    sizes, steps = per_axis(ksize, 3, axis, "ksize"), per_axis(strides, 3, axis, "strides")
    return apply("MaxPool3D", input, ksize=sizes, strides=steps, padding=padding, data_format=data_format, name=name)


def max_pool_with_argmax(
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NHWC",
    Targmax: Any = None,  # noqa: N803  # TensorFlow's name
    name: str | None = None,
    output_dtype: Any = None,
    include_batch_in_index: bool = False,
) -> MaxPoolWithArgmax:
    """The largest element of each window, and where in the flattened image it is (`tf.nn.max_pool_with_argmax`).

    Raises:
        ValueError: another format than "NHWC".
    """
    if data_format != "NHWC":
        raise ValueError(f"`data_format` values other  than 'NHWC' are not supported. Received: data_format={data_format}")
    dtype = renamed_argument("Targmax", Targmax, "output_dtype", output_dtype)
    attrs = {"ksize": ksize, "strides": strides, "padding": padding, "include_batch_in_index": include_batch_in_index}
    return MaxPoolWithArgmax(*apply_op("MaxPoolWithArgmax", input, Targmax=dtype, name=name, **attrs).outputs)


def avg_pool(
    value: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """The mean of each window of images (`tf.nn.avg_pool`); arguments as in `max_pool`, but no explicit paddings."""
    with name_scope(name, "AvgPool", [value]) as scope:
        value = renamed_argument("value", value, "input", input)
        axis = _axis(data_format, 3)
        sizes, steps = per_axis(ksize, 2, axis, "ksize"), per_axis(strides, 2, axis, "strides")
        return apply("AvgPool", value, ksize=sizes, strides=steps, padding=padding, data_format=data_format or "NHWC", name=scope)


def avg_pool1d(input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = "NWC", name: str | None = None) -> Tensor:
    """The mean of each window of sequences (`tf.nn.avg_pool1d`)."""
    return _pool1d("AvgPool", "AvgPool1D", input, ksize, strides, padding, data_format, name)


def avg_pool3d(input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = "NDHWC", name: str | None = None) -> Tensor:
    """The mean of each window of volumes (`tf.nn.avg_pool3d`)."""
    return _pool3d("AvgPool3D", input, ksize, strides, padding, data_format, name)


def pool(
    input: Any,
    window_shape: Any,
    pooling_type: str,
    padding: Any,
    dilation_rate: Any = None,
    strides: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """Pooling over one, two or three spatial axes (`tf.nn.pool`): "MAX" or "AVG" of windows, with `dilation_rate` between their elements.

    Raises:
        ValueError: the arguments don't go together.
    """
    rates = renamed_argument("dilation_rate", dilation_rate, "dilations", dilations)
    with name_scope(name, f"{pooling_type.lower()}_pool", [input]) as scope:
        value = convert_to_tensor(input, name="input")
        rank = len(window_shape)
        if not 1 <= rank <= 3:
            raise ValueError(f"`len(window_shape)` must be 1, 2, or 3. Received: window_shape={window_shape} of length {rank}")
        if pooling_type not in ("MAX", "AVG"):
            raise ValueError(f"{rank}-D {pooling_type} pooling is not supported.")
        value.shape.with_rank(rank + 2)
        rates, steps = list(rates or [1] * rank), list(strides or [1] * rank)
        _check_steps(rank, rates, steps, list(window_shape), padding)
        build = _POOLS[pooling_type, rank]

        def of(batch: Tensor, inner_padding: Any) -> Tensor:
            return build(batch, list(window_shape), steps, inner_padding, data_format, scope)  # type: ignore[no-any-return]

        return with_space_to_batch(value, rates, padding, of, list(window_shape), data_format)


def _check_steps(rank: int, rates: list[int], steps: list[int], sizes: list[int], padding: Any) -> None:
    for label, values in (("dilation_rate", rates), ("strides", steps)):
        if len(values) != rank:
            raise ValueError(f"`len({label})` should be {rank}. Received: {label}={values} of length {len(values)}")
        if min(values) < 1:
            raise ValueError(f"all values of `{label}` must be positive. Received: {label}={np.array(values)}")
    if max(steps) > 1 and max(rates) > 1:
        raise ValueError(
            "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
            f"Received: strides={np.array(steps)} and dilation_rate={np.array(rates)}"
        )
    if padding == "SAME" and max(rates) > 1:
        raise ValueError(
            f"pooling with 'SAME' padding is not implemented for `dilation_rate` > 1. Received: padding={padding} and dilation_rate={np.array(rates)}"
        )
    if any(step > size for step, size in zip(steps, sizes, strict=True)):
        raise ValueError(
            "`strides` > `window_shape` not supported due to inconsistency between CPU and GPU implementations. "
            f"Received: strides={np.array(steps)} and window_shape={sizes}"
        )


def _flat_pool(op_name: str) -> Any:
    """Pooling of sequences, as `pool` makes it: over images of one row."""

    def build(value: Tensor, sizes: list[int], steps: list[int], padding: Any, data_format: str | None, scope: str) -> Tensor:
        if data_format not in (None, "NWC", "NCW"):
            raise ValueError(f"data_format must be either 'NWC' or 'NCW'. Received: data_format={data_format}")
        is_first = data_format == "NCW"
        row = 2 if is_first else 1
        images = apply("ExpandDims", value, row)
        inner = ([1, 1, 1, *sizes], [1, 1, 1, *steps]) if is_first else ([1, 1, *sizes, 1], [1, 1, *steps, 1])
        attrs = {"ksize": inner[0], "strides": inner[1], "data_format": "NCHW" if is_first else "NHWC"}
        return apply("Squeeze", apply(op_name, images, padding=padding, name=scope, **attrs), squeeze_dims=[row])

    return build


_POOLS = {
    ("MAX", 1): _flat_pool("MaxPool"),
    ("MAX", 2): max_pool,
    ("MAX", 3): max_pool3d,
    ("AVG", 1): _flat_pool("AvgPool"),
    ("AVG", 2): avg_pool,
    ("AVG", 3): avg_pool3d,
}


def _max_pool(value: Any, sizes: list[int], strides: Any, padding: Any, data_format: str | None, scope: str) -> Tensor:
    steps = per_axis(strides, 2, _axis(data_format, 3), "strides")
    if isinstance(padding, (list, tuple)):
        split_padding(padding)
        tensor = convert_to_tensor(value)
        least = least_number(np.dtype(tensor.dtype.numpy))
        pairs = [list(pair) for pair in padding]
        value, padding = apply("PadV2", tensor, pairs, least), "VALID"  # TensorFlow 1.15's operation has no explicit paddings
    return apply("MaxPool", value, ksize=sizes, strides=steps, padding=padding, data_format=data_format or "NHWC", name=scope)


def _pool1d(op_name: str, default_name: str, value: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None, name: str | None) -> Tensor:
    with name_scope(name, default_name, [value]) as scope:
        data_format = data_format or "NWC"
        axis = _axis(data_format, 2)
        sizes, steps = [1, *per_axis(ksize, 1, axis, "ksize")], [1, *per_axis(strides, 1, axis, "strides")]
        row = 1 if data_format == "NWC" else 2
        images = apply("ExpandDims", value, row)
        attrs = {"ksize": sizes, "strides": steps, "padding": padding, "data_format": "NHWC" if row == 1 else "NCHW"}
        return apply("Squeeze", apply(op_name, images, name=scope, **attrs), squeeze_dims=[row])


def _pool3d(op_name: str, value: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None, name: str | None) -> Tensor:
    with name_scope(name, op_name, [value]) as scope:
        axis = _axis(data_format, 4)
        sizes, steps = per_axis(ksize, 3, axis, "ksize"), per_axis(strides, 3, axis, "strides")
        return apply(op_name, value, ksize=sizes, strides=steps, padding=padding, data_format=data_format or "NDHWC", name=scope)


def _axis(data_format: str | None, last: int) -> int:
    return 1 if data_format is not None and data_format.startswith("NC") else last
