"""What training operations have in common: a rule that changes a variable and its slots element by element, and the operations that it is made into.

A rule says it twice: for NumPy, in place on blocks that stay in the cache, and as the body of one fused CUDA kernel. Each rule becomes up to four
operations: on references or resources, with a whole gradient or with some rows of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import Buffer, Context, Operation, SessionOpType
from gpersist.ops.host_threads import even_parts, for_each
from gpersist.ops.variables import handle_shape
from gpersist.shapes import TensorShape, unknown_shape

_BLOCK = 1 << 17
"""Elements that NumPy works on at a time: what a rule needs of them stays in a cache, and each step is long enough to be shared out."""

_NEWER = "multiply_linear_by_lr"
"""The one attribute that TensorFlow has added since 1.15."""


_IS: dict[str, Callable[[Any], Any]] = {
    "positive": lambda value: value > 0,
    "non-negative": lambda value: value >= 0,
    "non-positive": lambda value: value <= 0,
}


class Rule:
    """How one step of an optimizer changes each element. Never instantiated; a subclass is entered as operations `Apply<its name>` and so on.

    Attributes:
        inputs: the signature of the operation on references; those that are references change, `gradient` is the input of their shape.
        gradient: the name of that input.
        flags: attributes besides the type and `use_locking`; `update` gets them by name.
        kinds: the operations that TensorFlow has of it.
        limits: what scalars have to be, "positive" and the like, if not all will do.
        row_limits: the same, for the operations on rows alone.
        needs_columns: whether those don't take rows of nothing.
        kernel: the rule in CUDA C++, of one element; inputs and flags by name.
    """

    inputs: ClassVar[str]
    gradient: ClassVar[str] = "grad"
    flags: ClassVar[str] = ""
    kinds: ClassVar[tuple[str, ...]] = ("Apply", "ResourceApply", "SparseApply", "ResourceSparseApply")
    limits: ClassVar[Mapping[str, str]] = {}
    row_limits: ClassVar[Mapping[str, str]] = {}
    needs_columns: ClassVar[bool] = False
    kernel: ClassVar[str]

    variables: ClassVar[tuple[str, ...]]
    scalars: ClassVar[tuple[str, ...]]
    names: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        args = [arg.split(": ") for arg in cls.inputs.split(", ")]
        cls.names = tuple(name for name, _ in args)
        cls.variables = tuple(name for name, kind in args if kind == "Ref(T)")
        cls.scalars = tuple(name for name, _ in args if name not in cls.variables and name != cls.gradient)
        for kind in cls.kinds:
            _define(cls, kind)

    @staticmethod
    def update(*arrays: Any, **flags: Any) -> None:
        """Changes the arrays of the variables in place; takes all inputs in the order of `inputs`, scalars as NumPy scalars."""
        raise NotImplementedError


class _Apply(SessionOpType, abstract=True):
    """An operation made of a rule."""

    rule: ClassVar[type[Rule]]
    is_sparse: ClassVar[bool]
    flag_names: ClassVar[tuple[str, ...]]

    @classmethod
    def shapes(cls, op: Operation) -> list[TensorShape]:
        names = [arg.name for arg in cls.signature().inputs]
        tensors = dict(zip(names, op._inputs, strict=True))
        shape = _variable_shape(op, 0)
        for index in range(1, len(cls.rule.variables)):
            shape = shape.merge_with(_variable_shape(op, index))
        for name in cls.rule.scalars:
            if tensors[name].shape.rank not in (None, 0):
                raise ValueError(f"Shape must be rank 0 but is rank {tensors[name].shape.rank}")
        grad = tensors[cls.rule.gradient].shape if op.output_types else unknown_shape()  # that of a resource is held against it when it runs
        if not cls.is_sparse:
            shape = shape.merge_with(grad)
        else:
            rows = tensors["indices"].shape
            if rows.rank not in (None, 1):
                raise ValueError(f"Shape must be rank 1 but is rank {rows.rank}")
            if shape.sizes is not None and grad.sizes is not None:
                TensorShape([*(rows.sizes or [None]), *shape.sizes[1:]]).merge_with(grad)
        return [shape] if op.output_types else []

    @classmethod
    def run(cls, ctx: Context, *inputs: Any) -> Buffer | None:
        rule = cls.rule
        if ctx.op.has_attr(_NEWER) and ctx.op.attr(_NEWER):
            raise UnimplementedError(f"{_NEWER}=True, which TensorFlow 2's Keras sets; build the step with tf.train.FtrlOptimizer")
        values = dict(zip((arg.name for arg in cls.signature().inputs), inputs, strict=True))
        flags = {name: ctx.op.attr(name) for name in cls.flag_names}
        grad = values[rule.gradient]
        for name in rule.scalars:
            if np.shape(values[name]):
                raise InvalidArgumentError(f"{name} is not a scalar: it has shape {_shown(np.shape(values[name]))}")
        for name, wanted in {**rule.limits, **(rule.row_limits if cls.is_sparse else {})}.items():
            if not _IS[wanted.partition(" ")[0]](values[name]):
                what = f"{name} regularization strength" if name in ("l1", "l2") else name
                raise InvalidArgumentError(f"{what} is not a {wanted.replace(' ', ' scalar ', 1) if ' ' in wanted else f'{wanted} scalar'}: []")
        buffers: list[Buffer] = [values[name] for name in rule.variables]
        with ExitStack() as locks:
            for buffer in buffers:
                locks.enter_context(buffer.lock)
            wanted = buffers[0].read().shape
            for buffer in buffers[1:]:
                if buffer.read().shape != wanted:
                    raise _mismatch(buffers[0].name, buffer.name, wanted, buffer.read().shape)
            if not cls.is_sparse and np.shape(grad) != wanted:
                raise _mismatch(buffers[0].name, rule.gradient, wanted, np.shape(grad))
            if cls.is_sparse:
                _check_rows(buffers[0], grad, values["indices"])
                if rule.needs_columns and 0 in wanted[1:]:
                    raise InvalidArgumentError("Inner dimension should be greater than zero.")
            values.update((name, buffer.writable()) for name, buffer in zip(rule.variables, buffers, strict=True))
            if cls.is_sparse:
                _apply_rows(ctx.xp, rule, values, flags)
            else:
                _apply(ctx.xp, rule, values, flags)
        return buffers[0] if ctx.op.outputs else None


def _define(rule: type[Rule], kind: str) -> None:
    """Makes the operation of a rule and a kind, and registers it."""
    is_sparse, is_resource = "Sparse" in kind, "Resource" in kind
    inputs = rule.inputs.replace("Ref(T)", "resource") if is_resource else rule.inputs
    if is_sparse:
        inputs = inputs.replace("delta: T", "grad: T").replace("grad: T", "grad: T, indices: Tindices")
    indices = "Tindices: {int32, int64}, " if is_sparse else ""
    members = {
        "__doc__": rule.__doc__,
        "__module__": rule.__module__,
        "inputs": inputs,
        "outputs": "" if is_resource else "out: Ref(T)",
        "attrs": f"T: numbertype, {indices}use_locking: bool = false" + (f", {rule.flags}" if rule.flags else ""),
        "is_stateful": is_resource,
        "host_inputs": ("indices",) if is_sparse else (),
        "rule": rule if not (is_sparse and rule.gradient != "grad") else _with_gradient(rule),
        "is_sparse": is_sparse,
        "flag_names": tuple(flag.partition(":")[0] for flag in rule.flags.split(", ") if flag),
    }
    type(f"{kind}{rule.__name__}", (_Apply,), members)


def _with_gradient(rule: type[Rule]) -> type[Rule]:
    """The rule, its gradient named as the operation on rows names it."""
    members = {"gradient": "grad", "inputs": rule.inputs.replace(f"{rule.gradient}: T", "grad: T"), "kinds": ()}
    return type(rule.__name__, (rule,), {**members, "kernel": rule.kernel.replace(rule.gradient, "grad")})


def _apply(xp: ModuleType, rule: Any, values: dict[str, Any], flags: dict[str, Any]) -> None:
    """Changes arrays of one shape in place."""
    if xp is not np:
        _fuse(xp, rule, values, flags)
        return
    whole = [*rule.variables, rule.gradient]
    if not all(values[name].flags.c_contiguous for name in rule.variables):
        rule.update(*[values[name] for name in rule.names], **flags)
        return
    flat = {name: np.asarray(values[name]).reshape(-1) for name in whole}

    def update(place: slice) -> None:
        part = {name: flat[name][place] for name in whole}
        rule.update(*[part.get(name, values[name]) for name in rule.names], **flags)

    for_each(update, even_parts(flat[rule.gradient].size, _BLOCK))


def _fuse(xp: ModuleType, rule: Any, values: dict[str, Any], flags: dict[str, Any]) -> None:
    """Changes arrays of a device in place, by one kernel; 16-bit numbers in 32 bits, for which CUDA C++ has the arithmetic."""
    is_short = values["var"].dtype.itemsize == 2
    if is_short:
        wide = {name: value.astype(np.float32) if value.dtype == values["var"].dtype else value for name, value in values.items()}
    else:
        wide = values
    inputs = [wide[name] for name in rule.names if name not in rule.variables]
    _kernel(rule, xp, tuple(flags))(*inputs, *flags.values(), *[wide[name] for name in rule.variables])
    if is_short:
        for name in rule.variables:
            values[name][...] = wide[name]


def _apply_rows(xp: ModuleType, rule: type[Rule], values: dict[str, Any], flags: dict[str, Any]) -> None:
    """Changes some rows; one that is named twice is changed twice, in order."""
    indices, grad = values["indices"], values[rule.gradient]
    order = np.arange(len(indices))
    while len(order):
        _, first = np.unique(indices[order], return_index=True)
        chosen = order[np.sort(first)]
        rows = xp.asarray(indices[chosen])
        part = {name: values[name][rows] for name in rule.variables}
        part[rule.gradient] = grad if len(chosen) == len(grad) else grad[xp.asarray(chosen)]
        _apply(xp, rule, values | part, flags)
        for name in rule.variables:
            values[name][rows] = part[name]
        order = np.setdiff1d(order, chosen)


@functools.cache
def _kernel(rule: Any, xp: ModuleType, flags: Sequence[str]) -> Any:
    """The rule as one fused kernel, compiled when it is first run."""
    types = dict(arg.split(": ") for arg in rule.inputs.split(", "))
    inputs = [f"{types[name]} {name}" for name in rule.names if name not in rule.variables]
    inputs += [f"bool {name}" for name in flags]
    name = f"gpersist_{rule.__name__.lower()}"
    return xp.ElementwiseKernel(", ".join(inputs), ", ".join(f"T {target}" for target in rule.variables), rule.kernel, name)


def _variable_shape(op: Operation, index: int) -> TensorShape:
    tensor = op._inputs[index]
    return tensor.shape if tensor.dtype.enum > 100 else handle_shape(tensor)


def _check_rows(var: Buffer, grad: Any, indices: Any) -> None:
    shape = var.read().shape
    if not shape:
        raise InvalidArgumentError("var must be at least 1 dimensional")
    if np.shape(indices) != np.shape(grad)[:1]:
        raise InvalidArgumentError(f"grad must be the same size as indices in the first dimension: {np.shape(grad)}, {np.shape(indices)}")
    if np.shape(grad)[1:] != shape[1:]:
        raise _mismatch(var.name, "grad", shape, np.shape(grad))
    for offset in np.flatnonzero((indices < 0) | (indices >= shape[0]))[:1]:
        raise InvalidArgumentError(f"Index {indices[offset]} at offset {offset} in indices is out of range: {var.name!r} has {shape[0]} rows")


def _mismatch(var: str, other: str, wanted: Any, found: Any) -> InvalidArgumentError:
    return InvalidArgumentError(f"var and {other} do not have the same shape: {var!r} has {_shown(wanted)}, {other!r} has {_shown(found)}")


def _shown(shape: Any) -> str:
    return f"[{','.join(map(str, shape))}]"
