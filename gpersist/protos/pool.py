"""The private pool and the classes of its messages. It is filled while this module is imported, hence once, under Python's import lock."""

from __future__ import annotations

import importlib.resources
from typing import Final

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message


def _fill(pool: descriptor_pool.DescriptorPool) -> dict[str, type[Message] | EnumTypeWrapper]:
    """Adds protobuf's own files that ours import, then ours, which stand in the order of their imports; returns their types by short name."""
    for well_known in (any_pb2, wrappers_pb2):
        pool.AddSerializedFile(well_known.DESCRIPTOR.serialized_pb)
    data = importlib.resources.files(__package__).joinpath("descriptors.binpb").read_bytes()
    types: dict[str, type[Message] | EnumTypeWrapper] = {}
    for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
        pool.AddSerializedFile(file.SerializeToString())
        added = pool.FindFileByName(file.name)
        types |= {name: _class_of(message) for name, message in added.message_types_by_name.items()}
        types |= {name: EnumTypeWrapper(enum) for name, enum in added.enum_types_by_name.items()}
    return types


def _class_of(message: Descriptor) -> type[Message]:
    """The message's class; those nested in it are its attributes, which protobuf leaves out where it is pure Python."""
    made = message_factory.GetMessageClass(message)
    for nested in message.nested_types:
        if not hasattr(made, nested.name):
            setattr(made, nested.name, _class_of(nested))
    made.__module__ = "gpersist.protos"  # where users and pickle find it
    return made


POOL: Final = descriptor_pool.DescriptorPool()
"""Where all of gpersist's messages live."""

TYPES: Final = _fill(POOL)
"""Top-level messages (classes) and enums (wrappers) by short name; `protos/build.py` holds that no two packages share one."""
