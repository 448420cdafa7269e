"""What all layers of `tf.layers` have in common: a variable scope, variables in it, and a call that makes them the first time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from gpersist.dtypes import as_dtype
from gpersist.graph import GraphKeys, Tensor, constant_value, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops.control_flow import cond
from gpersist.ops.get_variable import get_variable
from gpersist.ops.partitioned_variable import PartitionedVariable
from gpersist.ops.variable_lists import global_variables
from gpersist.ops.variable_scope import VariableScope, variable_scope
from gpersist.shapes import TensorShape


class Layer:
    """A function with variables (`tf.layers.Layer`).

    A subclass says in `build(input_shape)` which variables there are, and in `call(inputs, ...)` what is computed.

    Args:
        trainable: whether its variables are.
        name: of its variable scope; by default the class's, in snake case, made unique.
        dtype: of its variables; by default the first input's.
        activity_regularizer: a function of the output that gives a loss.
        _scope: a variable scope, or its name, to be used as it is.
        _reuse: whether the variables are there already.
    """

    def __init__(
        self,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        activity_regularizer: Any = None,
        _scope: Any = None,
        _reuse: Any = None,
    ) -> None:
        self.trainable = trainable
        self.built = False
        self.dtype = None if dtype is None else as_dtype(dtype)
        self.activity_regularizer = activity_regularizer
        self.updates: list[Any] = []
        self.losses: list[Any] = []
        self._base_name = name or _snake_case(type(self).__name__)
        self._given_name = name
        self._reuse = _reuse
        self._scope: VariableScope | None = None
        self._weights: list[tuple[Any, bool]] = []
        if _scope:
            with variable_scope(_scope) as scope:
                self._scope = scope

    @property
    def name(self) -> str:
        """Its name; the scope's last part once it was called."""
        if self._given_name is None and self._scope is not None:
            return self._scope.name.rsplit("/", 1)[-1]
        return self._base_name

    @property
    def scope_name(self) -> str:
        """The name of its variable scope.

        Raises:
            ValueError: it has not been called yet.
        """
        if self._scope is None:
            raise ValueError(f'No name available for layer scope because the layer "{self._base_name}" has not been used yet.')
        return self._scope.name

    @property
    def variables(self) -> list[Any]:
        """Its variables, the trainable ones first."""
        return self.trainable_variables + self.non_trainable_variables

    weights = variables

    @property
    def trainable_variables(self) -> list[Any]:
        """Those that are trained."""
        return [variable for variable, is_trained in self._weights if is_trained and self.trainable]

    trainable_weights = trainable_variables

    @property
    def non_trainable_variables(self) -> list[Any]:
        """Those that are not."""
        return [variable for variable, is_trained in self._weights if not (is_trained and self.trainable)]

    non_trainable_weights = non_trainable_variables

    def build(self, input_shape: TensorShape) -> None:
        """Makes the variables, by `add_weight`."""

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Computes the output."""
        return inputs

    def add_weight(
        self,
        name: str,
        shape: Any,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Any = None,
        use_resource: bool | None = None,
        partitioner: Any = None,
    ) -> Any:
        """A variable of the layer; arguments as of `tf.get_variable`."""
        self._enter_scope(None)
        known = set(global_variables())
        with (
            variable_scope(self._scope, reuse=self.built or self._reuse, auxiliary_name_scope=False) as scope,
            name_scope(scope.original_name_scope),
        ):
            variable = get_variable(
                name,
                shape=shape,
                dtype=as_dtype(dtype or self.dtype or "float32"),
                initializer=initializer,
                trainable=trainable and self.trainable,
                constraint=constraint,
                use_resource=use_resource or scope.use_resource,
                partitioner=partitioner,
            )
            parts = list(variable) if isinstance(variable, PartitionedVariable) else [variable]
            if regularizer is not None and not known.issuperset(parts):
                for part in parts:
                    with name_scope(f"{name}/Regularizer"):
                        self.add_loss(regularizer(part))
        self._weights.append((variable, trainable))
        return variable

    add_variable = add_weight

    def add_update(self, update: Any) -> None:
        """Enters an operation that is to run with each step of training in the collection of update operations."""
        operation = getattr(update, "op", update)
        self.updates.append(operation)
        get_default_graph().add_to_collection(GraphKeys.UPDATE_OPS, operation)

    def add_loss(self, loss: Any) -> None:
        """Enters a loss in the collection of regularization losses."""
        self.losses.append(loss)
        get_default_graph().add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)

    def __call__(self, inputs: Any, *args: Any, scope: Any = None, **kwargs: Any) -> Any:
        """The output for some inputs; the first call makes the variables."""
        self._enter_scope(scope)
        with variable_scope(self._scope, reuse=True if self.built else self._reuse, auxiliary_name_scope=False) as entered:
            tensors = [convert_to_tensor(value) for value in (inputs if isinstance(inputs, (list, tuple)) else [inputs])]
            if self.dtype is None and tensors[0].dtype.is_floating:
                self.dtype = tensors[0].dtype.base_dtype
            with name_scope(entered.original_name_scope):
                if not self.built:
                    self.build(tensors[0].shape)
                    self.built = True
                outputs = self.call(tensors if isinstance(inputs, (list, tuple)) else tensors[0], *args, **kwargs)
                if self.activity_regularizer is not None:
                    with name_scope("ActivityRegularizer"):
                        self.add_loss(self.activity_regularizer(outputs))
        return outputs

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The same as calling it."""
        return self(inputs, *args, **kwargs)

    def _enter_scope(self, scope: Any) -> None:
        if self._scope is not None:
            return
        given = self._base_name if scope is None and self._reuse else scope
        with variable_scope(given, default_name=None if self._reuse else self._base_name) as entered:
            self._scope = entered


def known_size(shape: TensorShape, axis: int, layer: Layer) -> int:
    """The size of an axis of a layer's input.

    Raises:
        ValueError: it is not known.
    """
    size = None if shape.rank is None else shape.as_list()[axis]
    if size is None:
        raise ValueError(f"The channel dimension of the inputs to {layer.name!r} should be defined; found shape {shape}, axis {axis}.")
    return size


def check_rank(shape: TensorShape, rank: int, layer: Layer, *, is_least: bool = False) -> None:
    """Checks the rank of a layer's input.

    Raises:
        ValueError: it is another.
    """
    if shape.rank is None or (shape.rank < rank if is_least else shape.rank != rank):
        what = "min_ndim" if is_least else "ndim"
        raise ValueError(
            f'Input 0 of layer "{layer.name}" is incompatible with the layer: expected {what}={rank}, found ndim={shape.rank}. '
            f"Full shape received: {shape}"
        )


def known_training(training: Any) -> bool | None:
    """Whether a layer is called for training, as far as that is known now."""
    if isinstance(training, Tensor):
        value = constant_value(training)
        return None if value is None else bool(value)
    return bool(training)


def in_training(training: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
    """What a layer computes in training, or otherwise; where a tensor decides, `cond` takes one when it runs."""
    is_training = known_training(training)
    if is_training is not None:
        return then() if is_training else otherwise()
    return cond(training, then, otherwise)


def applied(layer: Callable[..., Layer], inputs: Any, args: tuple[Any, ...], reuse: Any, kwargs: dict[str, Any]) -> Tensor:
    """A new layer's output: what the functions of `tf.layers` do."""
    made = layer(*args, _reuse=reuse, _scope=kwargs.get("name"), **kwargs)
    return made(inputs)  # type: ignore[no-any-return]


def _snake_case(name: str) -> str:
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()
