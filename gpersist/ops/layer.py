"""What all layers of `tf.layers` have in common: a variable scope, variables in it, and a call that makes them the first time."""

from __future__ import annotations

import inspect
import math
import re
import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from gpersist.dtypes import as_dtype
from gpersist.errors import FailedPreconditionError
from gpersist.graph import (
    Graph,
    GraphKeys,
    Operation,
    Tensor,
    convert_to_tensor,
    get_default_graph,
    get_default_session,
    name_scope,
)
from gpersist.ops import layer_arguments, nest
from gpersist.ops.array import shape_of
from gpersist.ops.casting import cast
from gpersist.ops.get_variable import get_variable
from gpersist.ops.input_spec import InputSpec, check_inputs
from gpersist.ops.partitioned_variable import PartitionedVariable
from gpersist.ops.synchronization import VariableSynchronization
from gpersist.ops.variable_lists import global_variables
from gpersist.ops.variable_scope import VariableScope, variable_scope

_ARGUMENTS = ("activity_regularizer", "autocast", "_scope", "_reuse")
_layers_of: weakref.WeakKeyDictionary[Graph, Counter[str]] = weakref.WeakKeyDictionary()
"""How many layers of a class got a name without asking for one, in each graph."""


class Layer:
    """A function with variables (`tf.layers.Layer`).

    A subclass says in `build(input_shape)` which variables there are, and in `call(inputs, ...)` what is computed.

    Args:
        trainable: whether its variables are.
        name: of its variable scope; by default the class's, in snake case, made unique.
        dtype: of its variables; by default the first input's.
        kwargs: `activity_regularizer`, a function of the output that gives a loss; `_scope`, a variable scope, or its name, to be used as it is;
            `_reuse`, whether the variables are there already.

    Attributes:
        name: the given name, or the class's with a number.
        built: whether the variables are there.
        dtype: the name of their type, or None where the first input will tell.
        input_spec: an `InputSpec`, or a nest of them: what is asked of the inputs.
        trainable: whether the variables are; may be changed.
        stateful: whether the updates run though the layer is not trained.

    Raises:
        TypeError: another keyword argument.
    """

    config_names: ClassVar[tuple[str, ...]] = ()
    """Which of its attributes are arguments that `get_config` tells of."""
    stateful = False
    dynamic = False
    supports_masking = False
    graph = None
    """Layers do not keep their graph."""

    def __init__(self, trainable: bool = True, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        for argument in kwargs:
            if argument not in _ARGUMENTS:
                raise TypeError("Keyword argument not understood:", argument)
        self.trainable = trainable
        self.built = False
        self.dtype = None if dtype is None else as_dtype(dtype).name
        self.activity_regularizer = kwargs.get("activity_regularizer")
        self._base_name = name or _snake_case(type(self).__name__)
        self._name = name or _numbered(self._base_name)
        self._input_spec: Any = None
        self._reuse = kwargs.get("_reuse")
        self._scope: VariableScope | None = None
        self._weights: list[tuple[Any, bool]] = []
        self._updates: list[tuple[Any, bool]] = []
        self._losses: list[tuple[Any, bool]] = []
        self._loss_functions: list[Callable[[], Any]] = []
        self._inputs: list[Any] = []
        if kwargs.get("_scope"):
            with variable_scope(kwargs["_scope"]) as scope:
                self._scope = scope

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def scope_name(self) -> str:
        """The name of its variable scope.

        Raises:
            ValueError: it has not been called yet.
        """
        if self._scope is None:
            raise ValueError(
                f'No name available for layer scope because the layer "{self.name}" has not been used yet. The scope name  is determined the first '
                "time the layer instance is called. You must therefore call the layer before querying `scope_name`."
            )
        return self._scope.name

    @property
    def input_spec(self) -> Any:
        """What it asks of its inputs."""
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        for spec in nest.flatten(value):
            if spec is not None and not isinstance(spec, InputSpec):
                raise TypeError(f"Layer input_spec must be an instance of InputSpec. Got: {spec}")
        self._input_spec = value

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

    @property
    def updates(self) -> list[Any]:
        """The operations that are to run with each step of training; none while it is not trained."""
        return [update for update, _ in self._updates] if self.trainable or self.stateful else []

    @property
    def losses(self) -> list[Any]:
        """The losses of its outputs, and those of its variables, which are computed anew."""
        return [loss for loss, _ in self._losses] + [function() for function in self._loss_functions]

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """The updates that some inputs lead to; for None those that no input of the layer leads to."""
        return _of_inputs(self._updates if self.updates else [], inputs)

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """The losses that some inputs lead to; for None those that were added without inputs."""
        of_variables = [function() for function in self._loss_functions]
        return _of_inputs(self._losses, inputs) + (of_variables if inputs is None else [])

    def build(self, input_shape: Any) -> None:
        """Makes the variables, by `add_weight`."""
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Computes the output."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of this shape."""
        raise NotImplementedError

    def count_params(self) -> int:
        """How many numbers its variables have.

        Raises:
            ValueError: there are none yet.
        """
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on {self.name}, but the layer isn't built. "
                f"You can build it manually via: `{self.name}.build(batch_input_shape)`."
            )
        return sum(math.prod(variable.shape.as_list()) for variable in self.weights)

    def get_weights(self) -> list[Any]:
        """The values of its variables in the default session; those that have none yet get their first ones.

        Raises:
            ValueError: there is no default session.
        """
        if not self.weights:
            return []
        session = get_default_session()
        if session is None:
            raise ValueError(f"The values of layer {self.name!r} are a session's, and there is no default session: use `with session.as_default():`")
        return [_value_in(session, variable) for variable in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Gives its variables values in the default session.

        Args:
            weights: arrays, in the order of `weights`.

        Raises:
            ValueError: there are too few or too many, one has another shape, or there is no default session.
        """
        variables = self.weights
        if len(variables) != len(weights):
            raise ValueError(
                f'You called `set_weights(weights)` on layer "{self.name}" with a weight list of length {len(weights)}, but the layer was expecting '
                f"{len(variables)} weights. Provided weights: {str(weights)[:50]}..."
            )
        for variable, value in zip(variables, weights, strict=True):
            shape = getattr(value, "shape", ())
            if not variable.shape.is_compatible_with(shape):
                raise ValueError(f"Layer weight shape {variable.shape} not compatible with provided weight shape {shape}")
        for variable, value in zip(variables, weights, strict=True):
            variable.load(value)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like it.

        Raises:
            NotImplementedError: the class has arguments of which nobody told.
        """
        parameters = inspect.signature(self.__init__).parameters.values()  # type: ignore[misc]
        names = {each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD} - {"name", "trainable", "dtype"}
        if names and not self.config_names and type(self).get_config is Layer.get_config:
            raise NotImplementedError("Layers with arguments in `__init__` must override `get_config`.")
        told = {"name": self.name, "trainable": self.trainable, "dtype": self.dtype}
        return told | {name: layer_arguments.told(getattr(self, name)) for name in self.config_names}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Layer:
        """The layer that these arguments make; it has no variables yet."""
        return cls(**config)

    def add_weight(
        self,
        name: str,
        shape: Any,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool | None = None,
        constraint: Any = None,
        use_resource: bool | None = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = None,
        partitioner: Any = None,
        **kwargs: Any,
    ) -> Any:
        """A variable of the layer; arguments as of `tf.get_variable`.

        Raises:
            TypeError: another argument.
            ValueError: a variable that is synchronized when it is read is to be trained.
        """
        for argument in kwargs:
            if argument != "experimental_autocast":
                raise TypeError("Unknown keyword argument:", argument)
        is_on_read = synchronization == VariableSynchronization.ON_READ
        if is_on_read and trainable:
            raise ValueError(
                "Synchronization value can be set to VariableSynchronization.ON_READ only for non-trainable variables. You have specified "
                "trainable=True and synchronization=VariableSynchronization.ON_READ."
            )
        is_trained = not is_on_read if trainable is None else trainable
        kind = as_dtype(dtype or self.dtype or "float32")
        self.dtype = self.dtype or kind.name
        self._enter_scope(None)
        known = set(global_variables())
        with (
            variable_scope(self._scope, reuse=self.built or self._reuse, auxiliary_name_scope=False) as scope,
            name_scope(scope.original_name_scope),
        ):
            variable = get_variable(
                name,
                shape=shape,
                dtype=kind,
                initializer=initializer,
                trainable=is_trained and self.trainable,
                constraint=constraint,
                use_resource=use_resource or scope.use_resource,
                partitioner=partitioner,
            )
            parts = list(variable) if isinstance(variable, PartitionedVariable) else [variable]
            if regularizer is not None and not known.issuperset(parts):
                for part in parts:
                    self.add_loss(_loss_of_variable(name, part, regularizer))
        self._weights.append((variable, is_trained))
        return variable

    def add_weight_of(self, name: str, shape: Any, role: str | None = None, **options: Any) -> Any:
        """A variable with the initializer, the regularizer and the constraint that the layer has for it, or for its role."""
        told = {what: getattr(self, f"{role or name}_{what}") for what in ("initializer", "regularizer", "constraint")}
        return self.add_weight(name, shape, **told, **options)

    def add_variable(self, *args: Any, **kwargs: Any) -> Any:
        """The same as `add_weight`."""
        return self.add_weight(*args, **kwargs)

    def add_update(self, updates: Any) -> None:
        """Enters operations that are to run with each step of training, or functions that make them; calls enter them in the graph's collection."""
        for value in updates if isinstance(updates, (list, tuple)) else [updates]:
            made = value() if callable(value) else value
            update = made if isinstance(made, Operation) else getattr(made, "op", made)
            self._updates.append((update, _leads_to(self._inputs, update)))

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Enters losses, or functions that compute them, also in the collection of regularization losses.

        Args:
            losses: one or several; None is none.
            inputs: of the layer, if they are losses of its output.
        """
        for loss in nest.flatten(losses):
            if callable(loss):
                self._loss_functions.append(loss)
                added = loss()
            else:
                added = loss if loss is None or isinstance(loss, Tensor) else convert_to_tensor(loss, dtype="float32")
                if added is not None:
                    self._losses.append((added, inputs is not None))
            if added is not None:
                get_default_graph().add_to_collection(GraphKeys.REGULARIZATION_LOSSES, added)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """The output for some inputs; the first call makes the variables.

        Raises:
            ValueError: the inputs are not those that `input_spec` asks for, or `call` gives None.
        """
        self._enter_scope(kwargs.pop("scope", None))
        with variable_scope(self._scope, reuse=True if self.built else self._reuse, auxiliary_name_scope=False) as scope:
            values = nest.map_structure(lambda value: value if nest.flatten(value, True) != [value] else convert_to_tensor(value), inputs)
            if "scope" in inspect.signature(self.call).parameters:
                kwargs["scope"] = scope
            check_inputs(self.input_spec, values, self.name)
            outer, self._inputs = self._inputs, nest.flatten(values, True)
            with name_scope(scope.original_name_scope):
                self._build_for(values)
                outputs = self.call(values, *args, **kwargs)
                if outputs is None:
                    raise ValueError(f"A layer's `call` method should return a Tensor or a list of Tensors, not None (layer: {self.name}).")
                self._add_activity(inputs, outputs)
            self._inputs = outer
        for update in self.updates:
            if update not in (collection := get_default_graph().get_collection_ref(GraphKeys.UPDATE_OPS)):
                collection.append(update)
        return outputs

    def apply(self, *args: Any, **kwargs: Any) -> Any:
        """The same as calling it."""
        return self(*args, **kwargs)

    def _build_for(self, values: Any) -> None:
        if self.built:
            return
        first = nest.flatten(values)[0]
        if self.dtype is None and isinstance(first, Tensor):
            self.dtype = first.dtype.base_dtype.name
        self.build(nest.map_structure(lambda value: value.shape, values))
        self.built = True

    def _add_activity(self, inputs: Any, outputs: Any) -> None:
        """The losses of the outputs, each for one example of the batch."""
        if self.activity_regularizer is None:
            return
        with name_scope("ActivityRegularizer"):
            for output in nest.flatten(outputs):
                loss = self.activity_regularizer(output)
                self.add_loss(loss / cast(shape_of(output)[0], loss.dtype), inputs)

    def _enter_scope(self, scope: Any) -> None:
        if self._scope is not None:
            return
        given = self._base_name if scope is None and self._reuse else scope
        with variable_scope(given, default_name=None if self._reuse else self._base_name) as entered:
            self._scope = entered


def _loss_of_variable(name: str, variable: Any, regularizer: Callable[[Any], Any]) -> Callable[[], Any]:
    def loss() -> Any:
        with name_scope(f"{name}/Regularizer"):
            return regularizer(variable)

    return loss


def _value_in(session: Any, variable: Any) -> Any:
    try:
        return session.run(variable)
    except FailedPreconditionError:
        session.run(variable.initializer)
        return session.run(variable)


def _leads_to(inputs: list[Any], target: Any) -> bool:
    """Whether a tensor or an operation depends on one of some tensors."""
    wanted = {id(value) for value in inputs}
    waiting, seen = [target], set()
    while waiting:
        value = waiting.pop()
        if id(value) in wanted:
            return True
        if id(value) not in seen:
            seen.add(id(value))
            waiting += [*value.inputs, *value.control_inputs] if isinstance(value, Operation) else [value.op] if isinstance(value, Tensor) else []
    return False


def _of_inputs(added: list[tuple[Any, bool]], inputs: Any) -> list[Any]:
    if inputs is None:
        return [value for value, is_conditional in added if not is_conditional]
    tensors = nest.flatten(inputs)
    return [value for value, is_conditional in added if is_conditional and _leads_to(tensors, value)]


def layer_function(kind: type[Layer], name: str) -> Any:
    """A function of `tf.layers`: its arguments are the inputs, those of the layer, and `reuse`, whether the variables are there already."""
    own = [each for each in inspect.signature(kind).parameters.values() if each.kind is not each.VAR_KEYWORD]
    inputs = inspect.Parameter("inputs", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    signature = inspect.Signature([inputs, *own, inputs.replace(name="reuse", default=None)])

    def build(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        value, reuse = given.pop("inputs"), given.pop("reuse", None)
        return kind(**given, _reuse=reuse, _scope=given.get("name"))(value)

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"What a new `{kind.__name__}` makes of some inputs (`tf.layers.{name}`); arguments as its own, and `reuse`."
    build.__signature__ = signature  # type: ignore[attr-defined]
    return build


def _numbered(name: str) -> str:
    """A name that no layer of the graph has yet, as far as nobody gave one by hand: `dense_1`, `dense_2`."""
    counts = _layers_of.setdefault(get_default_graph(), Counter())
    counts[name] += 1
    return f"{name}_{counts[name]}"


def _snake_case(name: str) -> str:
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)).lower()
