"""`tf.get_variable`: a variable by its name, made where it is not there yet."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Sequence
from typing import Any

from gpersist.dtypes import DType, as_dtype, float32
from gpersist.graph import GraphKeys, Tensor, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops.array import slice as slice_of
from gpersist.ops.initializers import glorot_uniform_initializer, zeros_initializer
from gpersist.ops.partitioned_variable import PartitionedVariable
from gpersist.ops.partitioners import PartitionInfo, partitions_of, parts_of
from gpersist.ops.regularization import regularize
from gpersist.ops.save_slice_info import SaveSliceInfo
from gpersist.ops.synchronization import VariableAggregation, VariableSynchronization, settled
from gpersist.ops.variable import Variable
from gpersist.ops.variable_creation import resource_variables_enabled
from gpersist.ops.variable_scope import VariableScope, get_variable_scope, variable_scope
from gpersist.shapes import TensorShape, as_shape

__all__ = ["create_partitioned_variables", "get_local_variable", "get_variable", "no_regularizer"]

_STORE_KEY = ("__variable_store",)


class VariableStore:
    """The variables of a graph that were made by `get_variable`, by name."""

    def __init__(self) -> None:
        self._variables: dict[str, Any] = {}
        self._partitioned: dict[str, PartitionedVariable] = {}

    @property
    def variables(self) -> dict[str, Any]:
        """All of them, of partitioned ones the parts, by name."""
        return dict(self._variables)

    def get_in_scope(
        self,
        scope: VariableScope,
        name: str,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        reuse: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        custom_getter: Any = None,
        constraint: Any = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
    ) -> Any:
        """The variable of a name within a scope; see `get_variable`."""
        with name_scope(None):
            if dtype is not None and initializer is not None and not callable(initializer):
                found = convert_to_tensor(initializer).dtype.base_dtype
                if found is not as_dtype(dtype):
                    raise ValueError(f"Initializer type '{found}' and explicit dtype '{dtype}' don't match.")
            name = f"{scope.name}/{name}" if scope.name else name
            getter = scope.custom_getter if custom_getter is None else custom_getter
            if getter is not None and not callable(getter):
                raise ValueError(f"Passed a custom_getter which is not callable: {getter}")
            synchronization, aggregation, trainable = settled(synchronization, aggregation, trainable, name)
            arguments = {
                "shape": shape,
                "dtype": as_dtype(scope.dtype if dtype is None else dtype).base_dtype,
                "initializer": scope.initializer if initializer is None else initializer,
                "regularizer": scope.regularizer if regularizer is None else regularizer,
                "reuse": scope.reuse if reuse is None else reuse,
                "trainable": trainable,
                "collections": collections,
                "caching_device": scope.caching_device if caching_device is None else caching_device,
                "partitioner": scope.partitioner if partitioner is None else partitioner,
                "validate_shape": validate_shape,
                "use_resource": scope.use_resource if use_resource is None else use_resource,
                "synchronization": synchronization,
                "aggregation": aggregation,
            }
            constraint = scope.constraint if constraint is None else constraint
            if getter is None:
                return self._get(name, **arguments, constraint=constraint)
            if _takes(getter, "constraint"):
                arguments["constraint"] = constraint
            return getter(getter=self._get, name=name, **arguments)

    def _get(
        self,
        name: str,
        shape: Any = None,
        dtype: Any = float32,
        initializer: Any = None,
        regularizer: Any = None,
        reuse: Any = None,
        trainable: bool | None = None,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        constraint: Any = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
    ) -> Any:
        """The variable of a whole name; what custom getters get to call."""
        made_with = {
            "trainable": trainable,
            "collections": collections,
            "caching_device": caching_device,
            "validate_shape": validate_shape,
            "use_resource": use_resource,
            "constraint": constraint,
            "synchronization": synchronization,
            "aggregation": aggregation,
        }
        dtype = as_dtype(dtype)
        is_scalar = isinstance(shape, Sequence) and not shape
        if partitioner is not None and not is_scalar:
            if not callable(partitioner):
                raise ValueError(f"Partitioner must be callable, but received: {partitioner}")
            with name_scope(None):
                return self.get_partitioned(name, shape, dtype, initializer, regularizer, reuse, partitioner, made_with)
        if reuse is True and partitioner is None and name in self._partitioned:
            return self.get_partitioned(name, shape, dtype, initializer, regularizer, reuse, None, made_with)
        if f"{name}/part_0" in self._variables:
            raise ValueError(
                f"No partitioner was provided, but a partitioned version of the variable was found: {name}/part_0. Perhaps a variable of the same "
                "name was already created with partitioning?"
            )
        return self._get_single(name, shape, dtype, initializer, regularizer, reuse, None, made_with)

    # ---- whole variables

    def _get_single(
        self,
        name: str,
        shape: Any,
        dtype: DType,
        initializer: Any,
        regularizer: Any,
        reuse: Any,
        partition_info: PartitionInfo | None,
        made_with: dict[str, Any],
    ) -> Any:
        is_value = initializer is not None and not callable(initializer)
        if shape is not None and is_value:
            raise ValueError("If initializer is a constant, do not specify shape.")
        wanted = None if shape is None else as_shape(shape)
        if name in self._variables:
            return self._shared(name, wanted, dtype, reuse)
        if reuse is True:
            raise ValueError(
                f"Variable {name} does not exist, or was not created with tf.get_variable(). Did you mean to set reuse=tf.AUTO_REUSE in VarScope?"
            )
        if initializer is None:
            if wanted is None:
                raise ValueError(f"Variable {name} did not get an initializer, so its `shape` argument must be specified.")
            initializer = _default_initializer(name, dtype)
        variable_type = None
        if not is_value:
            initializer, variable_type = _initial_value(initializer, wanted, dtype, partition_info)
        is_resource = made_with["use_resource"]
        made_with = made_with | {"use_resource": resource_variables_enabled() if is_resource is None else is_resource}
        variable = Variable(initial_value=initializer, name=name, dtype=variable_type, shape=wanted, **made_with)
        self._variables[name] = variable
        if regularizer:
            regularize(regularizer, variable, name)
        return variable

    def _shared(self, name: str, shape: TensorShape | None, dtype: DType, reuse: Any) -> Any:
        """A variable that is there, if it is what is wanted."""
        if reuse is False:
            raise ValueError(f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?")
        found = self._variables[name]
        if shape is not None and not shape.is_compatible_with(found.get_shape()):
            raise ValueError(f"Trying to share variable {name}, but specified shape {shape} and found shape {found.get_shape()}.")
        if not dtype.is_compatible_with(found.dtype):
            raise ValueError(f"Trying to share variable {name}, but specified dtype {dtype.name} and found dtype {found.dtype.name}.")
        return found

    # ---- partitioned variables

    def get_partitioned(
        self,
        name: str,
        shape: Any,
        dtype: DType,
        initializer: Any,
        regularizer: Any,
        reuse: Any,
        partitioner: Any,
        made_with: dict[str, Any],
    ) -> PartitionedVariable:
        """The partitioned variable of a whole name; `partitioner` may be None for one that is there."""
        if name in self._variables:
            raise ValueError(
                f"A partitioner was provided, but an unpartitioned version of the variable was found: {name}.  Perhaps a variable of the same name "
                "was already created without partitioning?"
            )
        whole = as_shape(shape)
        if isinstance(initializer, Tensor):
            whole = whole.merge_with(initializer.shape)
        partitions = partitions_of(partitioner, whole, dtype) if partitioner or not reuse else None
        if name in self._partitioned:
            return self._shared_partitioned(name, whole, dtype, reuse, partitions)
        if reuse is True:
            raise ValueError(
                f"PartitionedVariable {name} does not exist, or was not created with tf.get_variable(). Did you mean to set reuse=False or "
                "reuse=tf.AUTO_REUSE in VarScope?"
            )
        assert partitions is not None  # there is a partitioner, or `reuse` is True
        full_shape: Any = whole.as_list()
        parts = list(parts_of(full_shape, partitions))
        self._check_parts(name, len(parts))
        variables: list[Any] = []
        for number, (offset, part_shape) in enumerate(parts):
            part_name = f"{name}/part_{number}"
            value, value_type = initializer, dtype
            value_shape: list[int] | None = part_shape
            with name_scope(f"{part_name}/PartitionedInitializer"):
                if initializer is None:
                    value = _default_initializer(name, dtype)
                elif not callable(initializer):
                    tensor = initializer if isinstance(initializer, Tensor) else convert_to_tensor(initializer, dtype)
                    value, value_shape = slice_of(tensor, offset, part_shape), None
                    value_type = value.dtype.base_dtype
            for start, size in zip(offset, full_shape, strict=True):
                if start >= size:
                    raise ValueError(
                        f"Expected 0 <= offset < shape but found offset={start}, shape={size} for var_offset={offset}, full_shape={full_shape}"
                    )
            with name_scope(None):
                info = PartitionInfo(full_shape, offset)
                variable = self._get_single(part_name, value_shape, value_type, value, regularizer, reuse, info, made_with)
            variable._set_save_slice_info(SaveSliceInfo(name, full_shape, offset, part_shape))
            variables.append(variable)
            dtype = value_type
        made = self._partitioned[name] = PartitionedVariable(name, whole, dtype, variables, partitions)
        return made

    def _shared_partitioned(self, name: str, shape: TensorShape, dtype: DType, reuse: Any, partitions: Any) -> PartitionedVariable:
        if reuse is False:
            raise ValueError(
                f"Partitioned variable with name {name} already exists. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?"
            )
        found = self._partitioned[name]
        start = f"Trying to reuse partitioned variable {name}, but specified"
        if not shape.is_compatible_with(found.shape):
            raise ValueError(f"{start} shape {shape} and found shape {found.shape}.")
        if not dtype.is_compatible_with(found.dtype):
            raise ValueError(f"{start} dtype {dtype.name} and found dtype {found.dtype.name}.")
        if partitions is not None and found._get_partitions() != partitions:
            raise ValueError(f"{start} partitions {partitions} and found partitions {found._get_partitions()}.")
        return found

    def _check_parts(self, name: str, count: int) -> None:
        """Holds that parts which are there, of a variable that was made part by part, are as many."""
        if f"{name}/part_0" not in self._variables:
            return
        start = f"Partitioner returned a different partitioning than what was already found.  Partitioner returned {count} shards, and shard"
        if f"{name}/part_{count - 1}" not in self._variables:
            raise ValueError(f"{start} {name}/part_0 was found, but {name}/part_{count - 1} was not.")
        if f"{name}/part_{count}" in self._variables:
            raise ValueError(f"{start} {name}/part_0 was found, but so was the extra shard {name}/part_{count}.")


def _default_initializer(name: str, dtype: DType) -> Any:
    if dtype.is_floating:
        return glorot_uniform_initializer()
    if dtype.is_integer or dtype.is_bool or dtype.is_string:
        return zeros_initializer()
    raise ValueError(f"An initializer for variable {name} of {dtype.base_dtype} is required")


def _initial_value(initializer: Any, shape: TensorShape | None, dtype: DType, partition_info: PartitionInfo | None) -> tuple[Any, DType | None]:
    """What gives a variable its first value, called without arguments; and the variable's type, where it is not that value's."""
    if inspect.isclass(initializer):
        initializer = initializer()
    if shape is not None and shape.is_fully_defined():
        about_part = {"partition_info": partition_info} if _takes(initializer, "partition_info", or_any=False) else {}
        return functools.partial(initializer, shape.as_list(), dtype=dtype, **about_part), dtype
    if all(parameter.default is not parameter.empty for parameter in _positional(initializer)):
        return initializer, None
    raise ValueError(
        "The initializer passed is not valid. It should be a callable with no arguments and the shape should not be provided or an instance of "
        "`tf.keras.initializers.*' and `shape` should be fully defined."
    )


def _positional(function: Any) -> list[inspect.Parameter]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a function of C, which tells nothing of itself
        return []
    return [parameter for parameter in parameters if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)]


def _takes(function: Any, name: str, *, or_any: bool = True) -> bool:
    """Whether a function takes an argument of a name; `or_any` counts `**kwargs`."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    return name in parameters or (or_any and any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()))


def default_store() -> VariableStore:
    """The variables of the default graph."""
    graph = get_default_graph()
    found = graph.get_collection(_STORE_KEY)
    if not found:
        found = [VariableStore()]
        graph.get_collection_ref(_STORE_KEY).extend(found)
    store: VariableStore = found[0]
    return store


def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool | None = None,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
) -> Any:
    """The variable of a name in the current variable scope: that which is there, or a new one, as the scope's `reuse` says (`tf.get_variable`).

    What is None is as the scope says.

    Args:
        name: within the scope.
        shape: of a new one; left out where the initializer is a value, or a function without arguments.
        dtype: element type, float32 by default.
        initializer: a function of shape, `dtype` and `partition_info`, a class of such, a function without arguments, or a value; by default
            `glorot_uniform_initializer` for real numbers, zeros for other ones, bools and text.
        regularizer: a function of the variable whose result, unless None, is added to the collection of regularization losses.
        trainable: see `tf.Variable`.
        collections: likewise.
        caching_device: likewise.
        partitioner: a function of shape and dtype that says into how many parts it is cut; the result is then a `PartitionedVariable`.
        validate_shape: see `tf.Variable`.
        use_resource: likewise.
        custom_getter: `getter(getter, name, **arguments)`, called in the place of the true getter, which it gets.
        constraint: see `tf.Variable`.
        synchronization: likewise.
        aggregation: likewise.

    Raises:
        ValueError: it is there and must not be, or the other way round; it has another shape or type; what was given doesn't go together.
    """
    arguments = {key: value for key, value in locals().items() if key != "name"}
    return get_variable_scope().get_variable(default_store(), name, **arguments)


def get_local_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = False,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
    synchronization: Any = VariableSynchronization.AUTO,
    aggregation: Any = VariableAggregation.NONE,
) -> Any:
    """`get_variable` of a local variable: not trainable, in the collection of local variables (`tf.get_local_variable`)."""
    arguments = {key: value for key, value in locals().items() if key not in ("trainable", "collections")}
    return get_variable(**arguments, trainable=False, collections=[*(collections or ()), GraphKeys.LOCAL_VARIABLES])


def no_regularizer(_: Any) -> None:
    """A regularizer that gives nothing, for where a scope has another one (`tf.no_regularizer`)."""
    return


def create_partitioned_variables(
    shape: Sequence[int],
    slicing: Sequence[int],
    initializer: Any,
    dtype: Any = float32,
    trainable: bool = True,
    collections: Any = None,
    name: str | None = None,
    reuse: Any = None,
) -> list[Any]:
    """The parts of a new partitioned variable (`tf.create_partitioned_variables`); `get_variable` with a partitioner does the same.

    Args:
        shape: of the whole.
        slicing: the number of parts for each axis; more than one for one axis only.
        initializer: see `get_variable`.
        dtype: element type.
        trainable: see `tf.Variable`.
        collections: likewise.
        name: of the variable scope that the parts are made in, `PartitionedVariable` by default.
        reuse: of that scope.

    Raises:
        ValueError: `shape` and `slicing` are not of one length, or of none.
    """
    if len(shape) != len(slicing):
        raise ValueError(f"The 'shape' and 'slicing' of a partitioned Variable must have the length: shape: {shape}, slicing: {slicing}")
    if len(shape) < 1:
        raise ValueError(f"A partitioned Variable must have rank at least 1: shape: {shape}")
    with variable_scope(name, "PartitionedVariable", reuse=reuse) as scope, name_scope(None):
        made_with = {
            "trainable": trainable,
            "collections": collections,
            "caching_device": scope.caching_device,
            "validate_shape": True,
            "use_resource": scope.use_resource,
            "constraint": scope.constraint,
            "synchronization": VariableSynchronization.AUTO,
            "aggregation": VariableAggregation.NONE,
        }
        wanted = scope.initializer if initializer is None else initializer
        parts = default_store().get_partitioned(
            scope.name, shape, as_dtype(dtype), wanted, scope.regularizer, scope.reuse, lambda **_: slicing, made_with
        )
        return list(parts)
