"""Attributes of nodes: Python values here, `AttrValue` messages in files.

    kind      Python            message          kind        Python
    string    bytes             s                tensor      ndarray or TensorProto (kept as it came)
    int       int               i                func        NameAttrList
    float     float             f                list(KIND)  list of these
    bool      bool              b                (any)       AttrValue: imported as it is, encoded as it is
    type      DType             type
    shape     TensorShape       shape

A node keeps what it was given and makes messages when somebody asks for them, since most nodes are never exported.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist import protos
from gpersist.dtypes import DType, as_dtype, from_enum
from gpersist.graph import tensor_proto
from gpersist.shapes import ShapeLike, TensorShape, as_shape

_FIELDS = {"string": "s", "int": "i", "float": "f", "bool": "b", "type": "type", "shape": "shape", "tensor": "tensor", "func": "func"}


def shape_proto(shape: TensorShape) -> protos.TensorShapeProto:
    """The message of a shape; a dimension that is not known is -1."""
    sizes = shape.sizes
    if sizes is None:
        return protos.TensorShapeProto(unknown_rank=True)
    proto = protos.TensorShapeProto()
    for size in sizes:
        proto.dim.add(size=-1 if size is None else size)
    return proto


TensorShape.as_proto = shape_proto


def field_of(kind: str) -> str:
    """The field of the message that holds values of a kind."""
    return "list" if kind.startswith("list(") else _FIELDS[kind]


def encode(value: Any, kind: str | None = None) -> protos.AttrValue:
    """The message of an attribute's value.

    Args:
        value: as in the table above.
        kind: the attribute's, as in an OpDef; None to tell it by the value's class.
    """
    if isinstance(value, protos.AttrValue):
        return value
    kind = kind or _kind_of(value)
    proto = protos.AttrValue()
    if kind.startswith("list("):
        proto.list.SetInParent()
        inner = kind[5:-1]
        getattr(proto.list, _FIELDS[inner]).extend([_encoded(item, inner) for item in value])
    elif kind in ("shape", "tensor", "func"):
        getattr(proto, kind).CopyFrom(_encoded(value, kind))
    elif kind == "placeholder":
        proto.placeholder = value
    else:
        setattr(proto, _FIELDS[kind], _encoded(value, kind))
    return proto


def decode(proto: protos.AttrValue) -> Any:
    """The Python value of a message; None where it holds none. An empty list is a list of anything."""
    field = proto.WhichOneof("value")
    if field == "list":
        for name, values in proto.list.ListFields():
            return [_decoded(value, name.name) for value in values]
        return []
    return None if field is None else _decoded(getattr(proto, field), field)


def normalised(value: Any, kind: str) -> Any:
    """A caller's value as the table above has it: text becomes bytes, names of types DTypes, lists of sizes shapes.

    Raises:
        TypeError, ValueError: it is no value of the kind.
    """
    if isinstance(value, protos.AttrValue):
        return decode(value)
    if kind.startswith("list("):
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"expected a list, found {value!r}")
        return [normalised(item, kind[5:-1]) for item in value]
    return _NORMALISE[kind](value)


def _text(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8")
    if not isinstance(value, bytes):
        raise TypeError(f"expected text or bytes, found {value!r}")
    return value


def _int(value: Any) -> int:
    if isinstance(value, (str, bytes)):
        raise TypeError(f"expected an int, found {value!r}")
    return int(value)


def _float(value: Any) -> float:
    if isinstance(value, (str, bytes)):
        raise TypeError(f"expected a float, found {value!r}")
    return float(value)


def _bool(value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"expected a bool, found {value!r}")
    return bool(value)


def _shape(value: ShapeLike) -> TensorShape:
    return as_shape(value)


def _tensor(value: Any) -> Any:
    return value if isinstance(value, (protos.TensorProto, np.ndarray)) else tensor_proto.as_array(value)


def _func(value: Any) -> Any:
    return value if isinstance(value, protos.NameAttrList) else protos.NameAttrList(name=getattr(value, "name", value))


_NORMALISE = {
    "string": _text,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "type": as_dtype,
    "shape": _shape,
    "tensor": _tensor,
    "func": _func,
}


def _kind_of(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"list({_kind_of(value[0])})" if value else "list(string)"
    for classes, kind in _KINDS:
        if isinstance(value, classes):
            return kind
    raise TypeError(f"no attribute can hold a {type(value).__name__}: {value!r}")


_KINDS: list[tuple[type | tuple[type, ...], str]] = [
    ((bytes, str), "string"),
    ((bool, np.bool_), "bool"),
    ((int, np.integer), "int"),
    ((float, np.floating), "float"),
    (DType, "type"),
    (TensorShape, "shape"),
    (np.ndarray, "tensor"),
]


def _encoded(value: Any, kind: str) -> Any:
    if kind == "type":
        return as_dtype(value).enum
    if kind == "shape":
        return shape_proto(as_shape(value))
    if kind == "tensor":
        return tensor_proto.encode(value) if isinstance(value, np.ndarray) else value
    return _text(value) if kind == "string" else value


def _decoded(value: Any, field: str) -> Any:
    if field == "type":
        return as_dtype(value) if value > 100 else from_enum(value, "attribute")
    return TensorShape(value) if field == "shape" else value
