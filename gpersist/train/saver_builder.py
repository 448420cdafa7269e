"""The nodes of a Saver, under TensorFlow's names:

    save/filename/input -> save/filename -> save/Const                            the prefix, which `save` and `restore` feed
    save/SaveV2 -> save/control_dependency                                        for V1 `save/save`
    save/RestoreV2 -> save/Assign, save/Assign_1, ... -> save/restore_all

and of a sharded one, where each device has a data file of its own:

    save/StringJoin -> save/ShardedFilename -> save/SaveV2 (a shard) -> ... -> save/MergeV2Checkpoints -> save/Identity
    save/RestoreV2 (a shard) -> save/Assign -> save/restore_shard -> ... -> save/restore_all

Source: TensorFlow `saver.py` (`BaseSaverBuilder`, `BulkSaverBuilder`).
"""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import Any, ClassVar, TypeAlias

from gpersist import protos
from gpersist.devices import DeviceSpec
from gpersist.graph import Operation, Tensor, apply, get_default_graph, name_scope
from gpersist.ops import save as io_ops
from gpersist.ops.array import identity, shape_of
from gpersist.ops.constants import constant, placeholder_with_default
from gpersist.ops.control import group, with_dependencies
from gpersist.ops.partitioned_variable import PartitionedVariable
from gpersist.train import saveable as saveable_objects
from gpersist.train.saveable import set_cpu0

V1 = protos.SaverDef.V1
V2 = protos.SaverDef.V2

_Saveable: TypeAlias = saveable_objects.SaveableObject
_PerDevice = list[tuple[str, list[_Saveable]]]


class BaseSaverBuilder:
    """Makes the nodes of a Saver, with a RestoreV2 for each object. Its methods may be overridden.

    Args:
        write_version: the format to save in.
    """

    SaveSpec: ClassVar[type] = saveable_objects.SaveSpec
    SaveableObject: ClassVar[type] = saveable_objects.SaveableObject
    VariableSaveable: ClassVar[type] = saveable_objects.ReferenceVariableSaveable
    ResourceVariableSaveable: ClassVar[type] = saveable_objects.ResourceVariableSaveable

    def __init__(self, write_version: int = V2) -> None:
        self._write_version = write_version

    def save_op(self, filename_tensor: Tensor, saveables: Sequence[_Saveable]) -> Operation:
        """Makes the operation that saves objects.

        Raises:
            TypeError: there is no such format.
        """
        specs = [spec for saveable in saveables for spec in saveable.specs]
        tensors = [spec.tensor for spec in specs]
        names, slices = [spec.name for spec in specs], [spec.slice_spec for spec in specs]
        if self._write_version == V1:
            return io_ops.save_slices(filename_tensor, names, slices, tensors, name="save")
        if self._write_version == V2:
            return io_ops.save_v2(filename_tensor, names, slices, tensors)
        raise TypeError(f"Unexpected write_version: {self._write_version}")

    def bulk_restore(self, filename_tensor: Tensor, saveables: Sequence[_Saveable], preferred_shard: int, restore_sequentially: bool) -> list[Tensor]:
        """Makes the operations that read objects; gives their tensors, in order."""
        del restore_sequentially
        tensors: list[Tensor] = []
        for saveable in saveables:
            with get_default_graph().device(set_cpu0(saveable.device) if saveable.device else None):
                tensors += self.restore_op(filename_tensor, saveable, preferred_shard)
        return tensors

    def restore_op(self, filename_tensor: Tensor, saveable: _Saveable, preferred_shard: int) -> list[Tensor]:
        """Makes the operations that read one object; gives its tensors."""
        del preferred_shard
        return [io_ops.restore_v2(filename_tensor, [spec.name], [spec.slice_spec], [spec.dtype.base_dtype])[0] for spec in saveable.specs]

    def sharded_filename(self, filename_tensor: Tensor, shard: int, num_shards: Tensor) -> Tensor:
        """Makes the name of a shard."""
        return io_ops.sharded_filename(filename_tensor, shard, num_shards)

    def build(
        self,
        names_to_saveables: Any,
        reshape: bool = False,
        sharded: bool = False,
        max_to_keep: int | None = 5,
        keep_checkpoint_every_n_hours: float = 10000.0,
        name: str | None = None,
        restore_sequentially: bool = False,
        filename: str | None = "model",
    ) -> protos.SaverDef:
        """Adds the nodes.

        Args:
            names_to_saveables: variables and objects, in a dict by name, or in a list.
            reshape: whether what is read is brought into the variables' shapes.
            sharded: whether each device gets a data file.
            max_to_keep: for the message.
            keep_checkpoint_every_n_hours: for the message.
            name: of the nodes' scope; `save` by default.
            restore_sequentially: for subclasses.
            filename: the prefix where none is fed.

        Returns:
            The message that names the nodes.

        Raises:
            TypeError, ValueError: something in `names_to_saveables` can be no part of a checkpoint, or is in it twice.
        """
        if not isinstance(names_to_saveables, dict):
            names_to_saveables = saveable_objects.op_list_to_dict(names_to_saveables)
        saveables = saveable_objects.validate_and_slice_inputs(names_to_saveables)
        with name_scope(name, "save", [saveable.op for saveable in saveables]):
            filename_tensor = placeholder_with_default(filename or "model", [], name="filename")
            filename_tensor = placeholder_with_default(filename_tensor, [], name="Const")
            if sharded:
                per_device = self._group_by_devices(saveables)
                save_tensor = self._add_sharded_save_ops(filename_tensor, per_device)
                restore_op = self._add_sharded_restore_ops(filename_tensor, per_device, restore_sequentially, reshape)
            else:
                save_tensor = self._add_save_ops(filename_tensor, saveables)
                restore_op = self._add_restore_ops(filename_tensor, saveables, restore_sequentially, reshape)
        _add_wholes()
        return protos.SaverDef(
            filename_tensor_name=filename_tensor.name,
            save_tensor_name=save_tensor.name,
            restore_op_name=restore_op.name,
            max_to_keep=max_to_keep or 0,
            sharded=sharded,
            keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours,
            version=self._write_version,
        )

    # ---- saving

    def _add_save_ops(self, filename_tensor: Tensor, saveables: Sequence[_Saveable]) -> Tensor:
        saved: Tensor = with_dependencies([self.save_op(filename_tensor, saveables)], filename_tensor)
        return saved

    def _add_sharded_save_ops(self, filename_tensor: Tensor, per_device: _PerDevice) -> Tensor:
        if self._write_version == V2:
            return self._add_sharded_save_ops_v2(filename_tensor, per_device)
        graph = get_default_graph()
        num_shards = constant(len(per_device), name="num_shards")
        saves = []
        for shard, (device, saveables) in enumerate(per_device):
            with graph.device(device):
                saves.append(self._add_save_ops(self.sharded_filename(filename_tensor, shard, num_shards), saveables))
        with graph.control_dependencies([tensor.op for tensor in saves]):
            return io_ops.sharded_filespec(filename_tensor, num_shards)

    def _add_sharded_save_ops_v2(self, prefix: Tensor, per_device: _PerDevice) -> Tensor:
        """Each shard is saved as a checkpoint of its own, in a folder of its own, and all are merged into one then."""
        graph = get_default_graph()
        with graph.device("CPU"):
            is_s3 = apply("StaticRegexFullMatch", prefix, pattern="^s3://.*")
            suffix = apply("Select", is_s3, constant(".part"), constant("_temp/part"))
            temporary = apply("StringJoin", [prefix, suffix])
        num_shards = constant(len(per_device), name="num_shards")
        prefixes, saves = [], []
        for shard, (device, saveables) in enumerate(per_device):
            with graph.device(set_cpu0(device)):
                prefixes.append(self.sharded_filename(temporary, shard, num_shards))
                saves.append(self._add_save_ops(prefixes[-1], saveables))
        with graph.control_dependencies([tensor.op for tensor in saves]), graph.device(set_cpu0(per_device[-1][0])):
            merged = io_ops.merge_v2_checkpoints(prefixes, prefix, delete_old_dirs=True)
            with graph.control_dependencies([merged]):
                return identity(prefix)

    # ---- restoring

    def _add_restore_ops(
        self,
        filename_tensor: Tensor,
        saveables: Sequence[_Saveable],
        restore_sequentially: bool,
        reshape: bool,
        preferred_shard: int = -1,
        name: str = "restore_all",
    ) -> Operation:
        tensors = self.bulk_restore(filename_tensor, saveables, preferred_shard, restore_sequentially)
        assigned = []
        first = 0
        for saveable in saveables:
            shapes = [_static_shape(spec.tensor) for spec in saveable.specs] if reshape else None
            count = len(saveable.specs)
            assigned.append(saveable.restore(tensors[first : first + count], shapes))
            first += count
        return group(*assigned, name=name)

    def _add_sharded_restore_ops(self, filename_tensor: Tensor, per_device: _PerDevice, restore_sequentially: bool, reshape: bool) -> Operation:
        restored = []
        for shard, (device, saveables) in enumerate(per_device):
            with get_default_graph().device(device):
                restored.append(
                    self._add_restore_ops(filename_tensor, saveables, restore_sequentially, reshape, preferred_shard=shard, name="restore_shard")
                )
        return group(*restored, name="restore_all")

    def _group_by_devices(self, saveables: Sequence[_Saveable]) -> _PerDevice:
        """The objects of each device, in the order of the devices' names.

        Raises:
            ValueError: one is on several.
        """
        found: dict[str, list[_Saveable]] = collections.defaultdict(list)
        for saveable in saveables:
            devices = {DeviceSpec.from_string(spec.device or "").to_string() for spec in saveable.specs}
            if len(devices) != 1:
                raise ValueError(f"All tensors of a saveable object must be on the same device: {saveable.name}")
            found[devices.pop()].append(saveable)
        return sorted(found.items())


class BulkSaverBuilder(BaseSaverBuilder):
    """Makes the nodes of a Saver, with one RestoreV2 for all objects: what `Saver` uses."""

    def bulk_restore(self, filename_tensor: Tensor, saveables: Sequence[_Saveable], preferred_shard: int, restore_sequentially: bool) -> list[Tensor]:
        """Makes the operation that reads all objects; gives their tensors, in order."""
        del preferred_shard, restore_sequentially
        specs = [spec for saveable in saveables for spec in saveable.specs]
        with get_default_graph().device("cpu:0"):
            return io_ops.restore_v2(
                filename_tensor,
                [spec.name for spec in specs],
                [spec.slice_spec for spec in specs],
                [spec.dtype.base_dtype for spec in specs],
            )


def _static_shape(tensor: Tensor) -> Any:
    shape = tensor.get_shape() if hasattr(tensor, "get_shape") else tensor.shape
    return shape if shape.is_fully_defined() else shape_of(tensor)


def _add_wholes() -> None:
    """Makes the tensor of each partitioned variable in a collection, which a MetaGraphDef names."""
    graph = get_default_graph()
    for key in graph.get_all_collection_keys():
        for item in graph.get_collection(key):
            if isinstance(item, PartitionedVariable) and item.name not in graph._nodes_by_name:
                item.as_tensor()
