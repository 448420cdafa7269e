"""What an operation takes and gives: read from short text, from an OpDef, and written as one.

    inputs, outputs = arg *( "," arg )
    arg      = name ":" [ "Ref(" ] [ attr "*" ] type-or-attr [ ")" ]      ; "values: N * T", "ref: Ref(T)", "tensors: dtypes", "axis: int32"
    attrs    = attr *( "," attr )
    attr     = name ":" kind [ ">=" number ] [ "=" default ]
    kind     = "int" | "float" | "bool" | "string" | "type" | "shape" | "tensor" | "func" | "list(" kind ")" | choice | "numbertype" | ...
    choice   = "{" value *( "," value ) "}"                               ; "{float, double}" of types, "{'SAME', 'VALID'}" of texts
    default  = "true" | 1 | 1.5 | "'text'" | type | shape such as [2, ?] | "?" (unknown rank) | list of these in [ ] | TensorProto as text

The grammar of `REGISTER_OP` in TensorFlow's C++, with commas for its lines (`tensorflow/core/framework/op_def_builder.cc`).
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import re
from collections.abc import Iterator
from typing import Any

from gpersist import protos
from gpersist.dtypes import DType, from_enum, from_name
from gpersist.errors import InternalError
from gpersist.graph import attr_value
from gpersist.shapes import TensorShape

REQUIRED: Any = type("Required", (), {"__repr__": lambda _: "REQUIRED", "__slots__": ()})()
"""The default of an attribute that has none."""

MOST_TENSORS = 2**20
"""How many tensors one input or output may be: a number in a file must not choose how much memory we take."""


@dataclasses.dataclass(frozen=True, slots=True)
class Arg:
    """An input or an output: one tensor, or a list of them.

    Attributes:
        name: TensorFlow's.
        dtype: its type, where that is fixed.
        type_attr: the attribute that holds its type.
        number_attr: the attribute that holds how many tensors of one type there are.
        type_list_attr: the attribute that holds a type for each tensor.
        is_ref: whether it is a reference to a variable.
    """

    name: str
    dtype: DType | None = None
    type_attr: str = ""
    number_attr: str = ""
    type_list_attr: str = ""
    is_ref: bool = False

    @property
    def is_list(self) -> bool:
        """Whether it is a list of tensors."""
        return bool(self.number_attr or self.type_list_attr)

    def types(self, attrs: Any) -> list[DType]:
        """The type of each of its tensors, given a node's attributes.

        Raises:
            ValueError: there would be fewer than none, or more than any node has.
        """
        if self.type_list_attr:
            found: list[DType] = list(attrs[self.type_list_attr])
        else:
            count = attrs[self.number_attr] if self.number_attr else 1
            if not 0 <= count <= MOST_TENSORS:
                raise ValueError(
                    f"'{self.name}' would be {count} tensors, by attribute '{self.number_attr}': between 0 and {MOST_TENSORS} are expected"
                )
            found = [self.dtype or attrs[self.type_attr]] * count
        return [dtype.as_ref for dtype in found] if self.is_ref else found


@dataclasses.dataclass(frozen=True, slots=True)
class Attr:
    """An attribute.

    Attributes:
        name: TensorFlow's.
        kind: as in an OpDef: "int", "list(type)".
        default: its value where a caller gives none (see `gpersist.graph.attr_value`), or `REQUIRED`.
        allowed: the only values, or None for any.
        minimum: the least number, or the least length of a list; None for any.
    """

    name: str
    kind: str
    default: Any = REQUIRED
    allowed: tuple[Any, ...] | None = None
    minimum: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Signature:
    """An operation's inputs, outputs and attributes, in order, and what an OpDef says beside them."""

    name: str
    inputs: tuple[Arg, ...]
    outputs: tuple[Arg, ...]
    attrs: tuple[Attr, ...]
    is_stateful: bool = False
    is_commutative: bool = False
    is_aggregate: bool = False
    allows_uninitialized_input: bool = False
    by_name: dict[str, Attr] = dataclasses.field(init=False)
    """The attributes by name."""
    type_attrs: tuple[str, ...] = dataclasses.field(init=False)
    """The attributes that say of which types, and how many, the inputs and outputs are."""
    has_references: bool = dataclasses.field(init=False)
    """Whether an input is a reference to a variable."""
    has_lists: bool = dataclasses.field(init=False)
    """Whether an input is a list of tensors."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {attr.name: attr for attr in self.attrs})
        args = (*self.inputs, *self.outputs)
        used = {name: None for arg in args for name in (arg.type_attr, arg.number_attr, arg.type_list_attr) if name}
        object.__setattr__(self, "type_attrs", tuple(used))
        object.__setattr__(self, "has_references", any(arg.is_ref for arg in self.inputs))
        object.__setattr__(self, "has_lists", any(arg.is_list for arg in self.inputs))

    def output_types(self, attrs: Any) -> list[DType]:
        """The type of each output, given all attributes."""
        return [dtype for arg in self.outputs for dtype in arg.types(attrs)]

    def input_types(self, attrs: Any) -> list[DType]:
        """The type of each input, given all attributes."""
        return [dtype for arg in self.inputs for dtype in arg.types(attrs)]


def parse(name: str, inputs: str, outputs: str, attrs: str, **flags: Any) -> Signature:
    """Reads a signature from the texts of an `OpType`; `flags` are those of `Signature`."""
    attributes = tuple(map(_parse_attr, _split(attrs)))
    kinds = {attr.name: attr.kind for attr in attributes}
    return Signature(
        name,
        tuple(_parse_arg(text, kinds) for text in _split(inputs)),
        tuple(_parse_arg(text, kinds) for text in _split(outputs)),
        attributes,
        **flags,
    )


def from_op_def(op_def: protos.OpDef) -> Signature:
    """The signature that an OpDef states; that of a producer, say, whose operation is not ours."""
    return Signature(
        op_def.name,
        tuple(map(_arg_of, op_def.input_arg)),
        tuple(map(_arg_of, op_def.output_arg)),
        tuple(
            Attr(
                attr.name,
                attr.type,
                attr_value.normalised(attr.default_value, attr.type) if attr.HasField("default_value") else REQUIRED,
                tuple(attr_value.decode(attr.allowed_values)) if attr.HasField("allowed_values") else None,
                attr.minimum if attr.has_minimum else None,
            )
            for attr in op_def.attr
        ),
        op_def.is_stateful,
        op_def.is_commutative,
        op_def.is_aggregate,
        op_def.allows_uninitialized_input,
    )


def to_op_def(signature: Signature) -> protos.OpDef:
    """The OpDef of a signature, without descriptions, as in a `stripped_op_list`."""
    op_def = protos.OpDef(name=signature.name)
    for flag in ("is_stateful", "is_commutative", "is_aggregate", "allows_uninitialized_input"):
        if getattr(signature, flag):
            setattr(op_def, flag, True)
    for args, target in ((signature.inputs, op_def.input_arg), (signature.outputs, op_def.output_arg)):
        for arg in args:
            target.add(
                name=arg.name,
                type=arg.dtype.enum if arg.dtype else 0,
                type_attr=arg.type_attr,
                number_attr=arg.number_attr,
                type_list_attr=arg.type_list_attr,
                is_ref=arg.is_ref,
            )
    for attr in signature.attrs:
        added = op_def.attr.add(name=attr.name, type=attr.kind)
        if attr.default is not REQUIRED:
            added.default_value.CopyFrom(attr_value.encode(attr.default, attr.kind))
        if attr.allowed is not None:
            inner = attr.kind[5:-1] if attr.kind.startswith("list(") else attr.kind
            added.allowed_values.CopyFrom(attr_value.encode(list(attr.allowed), f"list({inner})"))
        if attr.minimum is not None:
            added.has_minimum, added.minimum = True, attr.minimum
    return op_def


def _arg_of(arg: protos.OpDef.ArgDef) -> Arg:
    dtype = from_enum(arg.type, "OpDef") if arg.type else None
    return Arg(arg.name, dtype, arg.type_attr, arg.number_attr, arg.type_list_attr, arg.is_ref)


def _split(text: str) -> Iterator[str]:
    """The parts between commas that stand in no bracket and no quotes."""
    depth, quoted, start = 0, False, 0
    for position, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif not quoted and letter in "{[(":
            depth += 1
        elif not quoted and letter in "}])":
            depth -= 1
        elif letter == "," and not depth and not quoted:
            yield text[start:position].strip()
            start = position + 1
    if text[start:].strip():
        yield text[start:].strip()


def _parse_arg(text: str, kinds: dict[str, str]) -> Arg:
    name, _, rest = text.partition(":")
    rest = rest.strip()
    is_ref = rest.startswith("Ref(")
    if is_ref:
        rest = rest[4:-1]
    number, _, kind = rest.rpartition("*")
    number, kind = number.strip(), kind.strip()
    if kind in kinds:
        is_types = kinds[kind] == "list(type)"
        return Arg(name, None, "" if is_types else kind, number, kind if is_types else "", is_ref)
    return Arg(name, _type_of(kind, text), "", number, "", is_ref)


_ATTR = re.compile(r"(?P<name>\w+)\s*:\s*(?P<kind>list\(.*?\)|\{.*?\}|\w+)\s*(?:>=\s*(?P<minimum>-?\d+))?\s*(?:=\s*(?P<default>.*))?", re.DOTALL)

_TYPE_SETS = {
    "realnumbertype": "float, double, int32, uint8, int16, int8, int64, bfloat16, uint16, half, uint32, uint64",
    "numbertype": "float, double, int32, uint8, int16, int8, complex64, int64, qint8, quint8, qint32, bfloat16, qint16, quint16, uint16, "
    "complex128, half, uint32, uint64",
    "quantizedtype": "qint8, quint8, qint32, qint16, quint16",
}


def _parse_attr(text: str) -> Attr:
    found = _ATTR.fullmatch(text)
    if found is None:
        raise InternalError(f"{text!r} is no attribute of an operation")
    kind, minimum, default = found["kind"], found["minimum"], found["default"]
    inner = kind[5:-1] if kind.startswith("list(") else kind
    inner = "{" + _TYPE_SETS[inner] + "}" if inner in _TYPE_SETS else inner
    allowed: tuple[Any, ...] | None = None
    if inner.startswith("{"):
        values = list(_split(inner[1:-1]))
        base = "string" if values[0].startswith("'") else "type"
        allowed = tuple(_value(value, base) for value in values)
        inner = base
    kind = f"list({inner})" if kind.startswith("list(") else inner
    return Attr(
        found["name"], kind, REQUIRED if default is None else _value(default.strip(), kind), allowed, None if minimum is None else int(minimum)
    )


def _value(text: str, kind: str) -> Any:
    if kind.startswith("list("):
        return [_value(item, kind[5:-1]) for item in _split(text[1:-1])]
    if kind == "type":
        return _type_of(text, text)
    if kind == "bool":
        return text == "true"
    if kind == "shape":
        return TensorShape(None if text == "?" else [None if size == "?" else int(size) for size in _split(text[1:-1])])
    if kind == "tensor":
        return protos.parse_text(protos.TensorProto, text, "the default of an attribute")
    value = ast.literal_eval(text)
    return value.encode("utf-8") if kind == "string" else float(value) if kind == "float" else value


@functools.cache
def _type_of(name: str, text: str) -> DType:
    try:
        return from_name(name)
    except Exception as error:
        raise InternalError(f"{text!r} in the signature of an operation: {name!r} is neither a type nor one of its attributes") from error
