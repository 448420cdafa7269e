"""Which part of a partitioned variable a variable is."""

from __future__ import annotations

from collections.abc import Sequence

from gpersist import protos
from gpersist.graph import prepend_name_scope, strip_name_scope

__all__ = ["SaveSliceInfo"]


class SaveSliceInfo:
    """Which part of a partitioned variable a variable is (`tf.Variable.SaveSliceInfo`), as its `to_proto` tells it.

    Attributes:
        full_name: the name of the whole.
        full_shape: the shape of the whole.
        var_offset: where the part begins, in each dimension.
        var_shape: the part's shape.
    """

    def __init__(
        self,
        full_name: str | None = None,
        full_shape: Sequence[int] | None = None,
        var_offset: Sequence[int] | None = None,
        var_shape: Sequence[int] | None = None,
        save_slice_info_def: protos.SaveSliceInfoDef | None = None,
        import_scope: str | None = None,
    ) -> None:
        if save_slice_info_def is not None:
            full_name = prepend_name_scope(save_slice_info_def.full_name, import_scope)
            full_shape, var_offset = list(save_slice_info_def.full_shape), list(save_slice_info_def.var_offset)
            var_shape = list(save_slice_info_def.var_shape)
        self.full_name = full_name
        self.full_shape = full_shape
        self.var_offset = var_offset
        self.var_shape = var_shape

    @property
    def spec(self) -> str:
        """The part as Saver writes it: `"10 2 0,5:0,2"`, the whole's shape and for each dimension start and length."""
        shape = " ".join(str(size) for size in self.full_shape or ())
        parts = ":".join(f"{start},{size}" for start, size in zip(self.var_offset or (), self.var_shape or (), strict=True))
        return f"{shape} {parts}"

    def to_proto(self, export_scope: str | None = None) -> protos.SaveSliceInfoDef | None:
        """The message; None for a variable outside of the scope that is exported."""
        name = self.full_name or ""
        if export_scope is not None and not name.startswith(export_scope):
            return None
        return protos.SaveSliceInfoDef(
            full_name=strip_name_scope(name, export_scope),
            full_shape=list(self.full_shape or ()),
            var_offset=list(self.var_offset or ()),
            var_shape=list(self.var_shape or ()),
        )
