"""Cases of operations for TensorFlow and us: the samples of the registry test, and each of them changed, one thing at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from gpersist import protos
from gpersist.dtypes import DType, as_dtype, bfloat16, from_name, string
from gpersist.graph import OpType, SessionOpType, get_op_type, make_tensor_proto, op_type_names
from gpersist.graph.attr_value import encode, normalised
from gpersist.graph.signature import REQUIRED
from tests.ops.samples import arrays_of

_NAMES = "half bfloat16 float double int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128 string"
_TYPES = [from_name(name) for name in _NAMES.split()]

SPECIAL_FLOATS = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 2.5, 3.0, 1e-30, 1e10, -3e38, 88.5, -104.0]


class Case(NamedTuple):
    """One operation with its inputs (an array each, or a list of arrays) and its attributes."""

    name: str
    op: str
    inputs: list[Any]
    attrs: dict[str, Any]


def op_names() -> list[str]:
    return [name for name in op_type_names() if get_op_type(name).samples and not issubclass(get_op_type(name), SessionOpType)]


def chosen_cases(name: str, count: int) -> Iterator[tuple[Case, bool]]:
    """The samples of an operation, each with True, and so many of what comes of them, from all over."""
    found = list(cases_of(name))
    samples = [case for case in found if case.name.count(".") == 1]
    others = [case for case in found if case.name.count(".") > 1]
    yield from ((case, True) for case in samples)
    for number in range(min(count, len(others))):
        yield others[number * len(others) // min(count, len(others))], False


def cases_of(name: str) -> Iterator[Case]:
    """The samples, and what comes of them."""
    op_type = get_op_type(name)
    for number, sample in enumerate(op_type.samples):
        arrays = arrays_of(sample)
        attrs = {key: normalised(value, op_type.signature().by_name[key].kind) for key, value in sample.attrs.items()}
        case = Case(f"{name}.{number}", name, arrays, attrs)
        yield case
        if number == 0:
            yield from _types(op_type, case)
            yield from _grids(op_type, case)
        yield from _values(case)
        if number < 2:
            yield from _shapes(case)
            yield from _attributes(op_type, case)


def _replaced(case: Case, what: str, place: tuple[int, int | None], value: Any) -> Case:
    inputs = list(case.inputs)
    index, inner = place
    if inner is None:
        inputs[index] = value
    else:
        inputs[index] = [value if position == inner else item for position, item in enumerate(inputs[index])]
    return case._replace(name=f"{case.name}.{what}", inputs=inputs)


def _places(case: Case) -> Iterator[tuple[tuple[int, int | None], Any]]:
    for index, value in enumerate(case.inputs):
        if isinstance(value, list):
            for inner, item in enumerate(value[:2]):
                yield (index, inner), item
        else:
            yield (index, None), value


def _types(op_type: type[OpType], case: Case) -> Iterator[Case]:
    signature = op_type.signature()
    for attr in signature.attrs:
        if attr.kind != "type":
            continue
        for dtype in _TYPES if attr.allowed is None else [found for found in _TYPES if found in attr.allowed]:
            of_type = [index for index, arg in enumerate(signature.inputs) if arg.type_attr == attr.name]
            inputs = [
                ([_cast(item, dtype) for item in value] if isinstance(value, list) else _cast(value, dtype)) if index in of_type else value
                for index, value in enumerate(case.inputs)
            ]
            attrs = case.attrs if of_type and attr.name not in case.attrs else case.attrs | {attr.name: dtype}
            if of_type or any(arg.type_attr == attr.name for arg in signature.outputs):
                yield Case(f"{case.name}.{attr.name}={dtype.name}", case.op, inputs, attrs)


def _cast(array: Any, dtype: DType) -> Any:
    """The array in another type, with some variety left."""
    array = np.asarray(array)
    if array.dtype.names:  # a quantised type
        array = array[array.dtype.names[0]]
    if dtype is string:
        found = np.empty(array.shape, object)
        found.reshape(-1)[:] = [b"%d" % number for number in range(array.size)]
        return found
    if array.dtype == object:
        array = np.arange(array.size).reshape(array.shape)
    if dtype.is_bool:
        return array.real > 0 if np.issubdtype(array.dtype, np.complexfloating) else array > 0
    if np.issubdtype(array.dtype, np.complexfloating) and not dtype.is_complex:
        array = array.real
    if dtype.is_integer:
        if array.dtype.kind not in "iub":
            array = np.round(array.astype(np.float64) * 9)
        array = np.abs(array) if dtype.is_unsigned else array
    with np.errstate(all="ignore"):  # what is out of its range becomes anything, for both
        return array.astype(dtype.numpy)


def _grids(op_type: type[OpType], case: Case) -> Iterator[Case]:
    """All pairs of special values, for operations on elements."""
    signature = op_type.signature()
    names = {arg.type_attr for arg in signature.inputs}
    if len(signature.inputs) not in (1, 2) or len(names) != 1 or "" in names or any(arg.is_list for arg in signature.inputs):
        return
    attr = signature.by_name[names.pop()]
    for dtype in _TYPES:
        if (attr.allowed is not None and dtype not in attr.allowed) or dtype is string:
            continue
        values = specials(dtype)
        if len(signature.inputs) == 1:
            yield case._replace(name=f"{case.name}.special-{dtype.name}", inputs=[values])
        else:
            yield case._replace(name=f"{case.name}.special-{dtype.name}", inputs=[np.repeat(values, len(values)), np.tile(values, len(values))])


def specials(dtype: DType) -> Any:
    if dtype.is_bool:
        return np.array([False, True])
    if dtype.is_integer:
        low, high = np.iinfo(dtype.numpy).min, np.iinfo(dtype.numpy).max
        return np.array([value for value in (0, 1, -1, 2, -2, 3, 7, -7, low, low + 1, high, high - 1, 100) if low <= value <= high], dtype.numpy)
    with np.errstate(all="ignore"):
        if dtype.is_complex:
            return np.array([0, 1, -1, 1j, -1j, 1 + 2j, -3 + 0.5j, 2 - 2j, 1e10, np.nan, np.inf], dtype.numpy)
        return np.array(SPECIAL_FLOATS).astype(dtype.numpy)


_ENDLESS = ("StatelessRandomGammaV2", "StatelessRandomGammaV3")
"""Of parameters that are no distribution's, TensorFlow's kernels draw for ever."""


def _values(case: Case) -> Iterator[Case]:
    if case.op in _ENDLESS:
        return
    for place, value in _places(case):
        where = f"{place[0]}" if place[1] is None else f"{place[0]}-{place[1]}"
        array = np.asarray(value)
        if not array.size or array.dtype == object or array.dtype == bool:
            continue
        if array.dtype.kind in "iu":
            for new in (-1, 0, 1, 4, 20, -20):
                if array.dtype.kind == "i" or new >= 0:
                    yield _replaced(case, f"{where}={new}", place, np.full_like(array, new))
            if array.size > 1:
                yield _replaced(case, f"{where}=reversed", place, array.reshape(-1)[::-1].reshape(array.shape).copy())
                mixed = array.reshape(-1).copy()
                mixed[-1] = -3 if array.dtype.kind == "i" else 77
                yield _replaced(case, f"{where}=last", place, mixed.reshape(array.shape))
        elif array.dtype.kind == "f" or array.dtype == bfloat16.numpy:
            for tag, chosen in (("nan", [np.nan, 1.0]), ("inf", [np.inf, -np.inf, 1.0, 0.0]), ("zero", [0.0]), ("half", [-0.5, 0.5, 1.5, 2.5])):
                new = np.resize(np.array(chosen), array.shape).astype(array.dtype)
                yield _replaced(case, f"{where}={tag}", place, new)


def _shapes(case: Case) -> Iterator[Case]:
    for place, value in _places(case):
        where = f"{place[0]}" if place[1] is None else f"{place[0]}-{place[1]}"
        array = np.asarray(value)
        changed = {"leading": array[None]}
        if array.ndim:
            changed["none"] = array[:0]
            changed["none-last"] = array[..., :0]
            changed["flat"] = array.reshape(-1)
            if array.size:
                changed["scalar"] = np.asarray(array.reshape(-1)[0]) if array.dtype != object else _one(array.reshape(-1)[0])
                changed["more-first"] = np.concatenate([array, array[:1]])
                changed["more-last"] = np.concatenate([array, array[..., :1]], axis=-1)
                changed["less-last"] = array[..., :-1]
                changed["less-first"] = array[:-1]
        else:
            changed["twice"] = np.stack([array, array])
            changed["none"] = np.stack([array])[:0]
        for tag, new in changed.items():
            if new.shape != array.shape:
                yield _replaced(case, f"{where}-{tag}", place, new)


def _one(text: bytes) -> Any:
    found = np.empty((), object)
    found[()] = text
    return found


def _attributes(op_type: type[OpType], case: Case) -> Iterator[Case]:
    signature = op_type.signature()
    lengths = {arg.number_attr for arg in signature.inputs}  # which follow from the inputs
    for attr in signature.attrs:
        value = case.attrs.get(attr.name, attr.default)
        if value is REQUIRED or attr.kind in ("type", "list(type)", "shape", "tensor"):
            continue
        news: list[Any] = []
        if attr.kind == "bool":
            news = [not value]
        elif attr.kind == "string" and attr.allowed:
            news = [other for other in attr.allowed if other != value]
        elif attr.kind == "int" and attr.name not in lengths:
            news = [new for new in (-1, 0, 1, 2, 3, 20, -20) if new != value]
        elif attr.kind == "float":
            news = [0.0, -1.0, float("nan"), 2.5]
        elif attr.kind == "list(int)" and value:
            news = [value[:-1], [*value, 1], [], [0] * len(value), [-1] * len(value), value[::-1], [2] * len(value)]
        for new in news:
            yield case._replace(name=f"{case.name}.{attr.name}={new!r}".replace("/", "|"), attrs=case.attrs | {attr.name: new})


def question(key: str, case: Case) -> list[protos.NodeDef]:
    """The inputs as constants, and the node."""
    signature = get_op_type(case.op).signature()
    node = protos.NodeDef(name=key, op=case.op)
    attrs: dict[str, Any] = dict(case.attrs)
    constants: list[protos.NodeDef] = []
    for arg, value in zip(signature.inputs, case.inputs, strict=True):
        items = value if isinstance(value, list) else [value]
        types = []
        for item in items:
            proto = make_tensor_proto(item)
            constant = protos.NodeDef(name=f"{key}/{len(constants)}", op="Const")
            constant.attr["dtype"].type = proto.dtype
            constant.attr["value"].tensor.CopyFrom(proto)
            constants.append(constant)
            node.input.append(constant.name)
            types.append(as_dtype(proto.dtype))
        if arg.type_attr and items:
            attrs.setdefault(arg.type_attr, types[0])
        if arg.number_attr:
            attrs[arg.number_attr] = len(items)
        if arg.type_list_attr:
            attrs[arg.type_list_attr] = types
    for attr in signature.attrs:
        value = attrs.get(attr.name, attr.default)
        if value is not REQUIRED:
            node.attr[attr.name].CopyFrom(encode(value, attr.kind))
    return [*constants, node]
