"""TensorFlow's protobuf messages, in a descriptor pool of our own.

The schema is `protos/**/*.proto`, compiled to `descriptors.binpb` beside this file by `protos/build.py`; no generated code is shipped, so there is
no clash between versions of a generator and of the runtime. Messages have TensorFlow's names and numbers, and live outside protobuf's default
pool, where a second `tensorflow.GraphDef` would be an error: gpersist and TensorFlow work in one process.

Every top-level message of the packages `tensorflow` and `tensorflow.serving` is an attribute by its short name (`protos.GraphDef()`), every
top-level enum an `EnumTypeWrapper` (`protos.DataType.DT_FLOAT`, `protos.DataType.Name(1)`). They are made when first asked for: importing
this package reads no schema. Messages of other pools (TensorFlow's own) are other classes; pass bytes between the two.

Thread safety: classes and functions may be used from any thread; a message that one thread changes needs a lock, as ever in protobuf.
"""

from __future__ import annotations

from gpersist.protos.codec import parse, parse_text, to_text

__all__ = ["parse", "parse_text", "to_text"]


def __getattr__(name: str) -> object:
    if not name[:1].isupper():  # no message or enum: don't load the schema for those who probe for `__path__` or `__wrapped__`
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gpersist.protos import pool

    try:
        value = globals()[name] = pool.TYPES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}: TensorFlow has no such message, or protos/ lacks it") from None
    return value


def __dir__() -> list[str]:
    from gpersist.protos import pool

    return sorted({*globals(), *pool.TYPES})
