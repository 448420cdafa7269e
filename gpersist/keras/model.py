"""A Keras model from its file: its graph, for prediction, and the values of its variables."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gpersist.errors import DataLossError, InvalidArgumentError, UnimplementedError
from gpersist.graph import BaseSession, Tensor, get_default_session
from gpersist.keras import (  # noqa: F401  # these register their layers
    attention_layers,
    convolution_layers,
    core_layers,
    encoding_layers,
    merge_layers,
    normalization_layers,
    pooling_layers,
    recurrent_layers,
    shape_layers,
)
from gpersist.keras.hdf5 import Stored, read_keras_file
from gpersist.keras.layer import Building, Flow, Layer, Slot
from gpersist.keras.networks import Network
from gpersist.keras.operations import is_operation
from gpersist.keras.wrapper_layers import made
from gpersist.ops.resource_variable import ResourceVariable

_MAX_TOLD = 20


@dataclasses.dataclass(frozen=True, eq=False)
class KerasModel:
    """A model in a graph.

    Attributes:
        name: of the model.
        inputs: its placeholders.
        outputs: its results.
        input_names: names of the inputs, as Keras has them; keys of a signature.
        output_names: names of the outputs likewise.
        values: the arrays that the file gives to the variables, by these.
    """

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    values: Mapping[ResourceVariable, Any]

    @property
    def input(self) -> Tensor | tuple[Tensor, ...]:
        """The one input, or all of them."""
        return self.inputs[0] if len(self.inputs) == 1 else self.inputs

    @property
    def output(self) -> Tensor | tuple[Tensor, ...]:
        """The one output, or all of them."""
        return self.outputs[0] if len(self.outputs) == 1 else self.outputs

    @property
    def weights(self) -> tuple[ResourceVariable, ...]:
        """The variables."""
        return tuple(self.values)

    def load_weights(self, session: BaseSession | None = None) -> None:
        """Gives the variables the file's values in a session, by default the default one.

        Raises:
            InvalidArgumentError: there is no session.
        """
        session = session or get_default_session()
        if session is None:
            raise InvalidArgumentError("load_weights needs a session: give one, or call it within `with session.as_default()`")
        if self.values:
            feeds = {variable.initializer.inputs[1]: value for variable, value in self.values.items()}
            session.run([variable.initializer for variable in self.values], feeds)


def load_keras_model(path: str | os.PathLike[str], architecture: str | os.PathLike[str] | None = None) -> KerasModel:
    """Builds a Keras model's graph for prediction, in the default graph, from an HDF5 file of Keras 2 or 3.

    Nodes have Keras's names: a scope for each layer, a placeholder for each input, variables as the file has them. The variables' initializers give
    zeros, so that no weight lies in the graph: `KerasModel.load_weights(session)` gives them their values. Recurrent layers begin at zero in each
    run, also those with `stateful=True`.

    Args:
        path: the file, of `model.save("x.h5")` or `model.save_weights("x.h5")`.
        architecture: for files of weights only: the model's JSON (`model.to_json()`), or the file that has it.

    Raises:
        CheckpointNotFoundError: there is no such file.
        NotACheckpointError: it is no HDF5 file.
        DataLossError: it is damaged, or architecture and weights don't go together.
        InvalidArgumentError: it has no architecture, and none is given.
        UnimplementedError: layers are not known, all of which are listed; or one is set to something that is not read. Code in a file is never run.
        FailedPreconditionError: h5py is not installed.
    """
    file = read_keras_file(path)
    text = file.architecture if architecture is None else _text(architecture)
    if text is None:
        raise InvalidArgumentError(
            f"{file.path!r} holds weights and no model: give the model's JSON (model.to_json()) as architecture, or save it with model.save()"
        )
    spec = _parsed(text, file.path if architecture is None else "the architecture")
    version = file.version or (str(spec.get("keras_version", "")) if isinstance(spec, Mapping) else "")
    if file.layers is None:
        raise DataLossError(f"{file.path!r} holds no Keras weights: it has no attribute 'layer_names'; files of `.weights.h5` are of another kind")
    _check_known(spec, file.path)
    major = int(version[0]) if version[:1].isdigit() else 2
    if major < 2:
        raise UnimplementedError(f"{file.path!r} was written by Keras {version}; expected 2 or 3: load it with Keras 2 and save it again")
    building = Building(major)
    model = made(spec, building)
    if not isinstance(model, Network):
        raise DataLossError(f"{file.path!r} holds a {type(model).__name__}; expected a model")
    _share_out(model, file.layers, file.path)
    with model.located():
        inputs = model.placeholders()
        flows = model.flow([Flow(tensor) for tensor in inputs])
    return KerasModel(
        name=model.name,
        inputs=tuple(inputs),
        outputs=tuple(flow.tensor for flow in flows),
        input_names=tuple(_unique(model.input_names)),
        output_names=tuple(_unique(model.output_names * (len(flows) if len(model.output_names) == 1 else 1))),
        values=building.values,
    )


def _text(architecture: str | os.PathLike[str]) -> str:
    if isinstance(architecture, str) and architecture.lstrip().startswith("{"):
        return architecture
    path = os.fsdecode(architecture)
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise DataLossError(f"{path!r} is no JSON: {error}") from error


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataLossError(f"{where!r} holds a model that is no JSON: {error}") from error


def _check_known(spec: Any, path: str) -> None:
    """Finds all layers that cannot be read, before anything is made."""
    unknown = [f"{name!r} ({kind})" for kind, name in _classes(spec) if kind not in Layer.kinds]
    lambdas = [name for kind, name in _classes(spec) if kind == "Lambda"]
    if unknown:
        more = f" and {len(unknown) - _MAX_TOLD} more" if len(unknown) > _MAX_TOLD else ""
        raise UnimplementedError(f"{path!r} has layers that are not known: {', '.join(unknown[:_MAX_TOLD])}{more}")
    if lambdas:
        raise UnimplementedError(
            f"{path!r} has Lambda layers: {', '.join(map(repr, lambdas[:_MAX_TOLD]))}; they hold Python code, and code in a file is never run: build "
            "the model without them, from layers that say what they do"
        )


def _classes(spec: Any) -> Iterator[tuple[str, str]]:
    """Classes and names of all layers of a model, those within others too."""
    waiting = [spec]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, Mapping) or not isinstance(part.get("class_name"), str):
            raise DataLossError("the file has something that is no layer: expected an object with class_name and config")
        config = part.get("config")
        if is_operation(part):
            continue
        name = str(config.get("name")) if isinstance(config, Mapping) else str(part.get("name"))
        yield part["class_name"], name
        inner = config.get("layers", []) if isinstance(config, Mapping) else config if isinstance(config, list) else []
        if isinstance(inner, list):
            waiting += reversed(inner)
        if isinstance(config, Mapping):
            waiting += [config[key] for key in ("layer", "backward_layer") if isinstance(config.get(key), Mapping)]


def _share_out(model: Network, stored: Sequence[tuple[str, list[Stored]]], path: str) -> None:
    """Gives the layers their weights: by the layers' names where the file has these, else in order, as Keras does."""
    wanting = [(layer.name, slots) for layer in model.layers if (slots := layer.slots())]
    found = dict(stored)
    if len(found) < len(stored) or not {name for name, _ in wanting} <= set(found):
        if len(wanting) != len(stored):
            missing = [name for name, _ in wanting if name not in found]
            raise DataLossError(
                f"{path!r} has weights of {len(stored)} layers, and the model {len(wanting)} layers with weights"
                + (f"; missing are those of {', '.join(map(repr, missing[:_MAX_TOLD]))}" if missing else "")
            )
        found = {name: weights for (name, _), (_, weights) in zip(wanting, stored, strict=True)}
    faults = []
    for name, slots in wanting:
        if len(slots) != len(found[name]):
            faults.append(f"{name!r} takes {len(slots)} ({_listed(slots)}), has {len(found[name])}")
            continue
        for slot, weight in zip(slots, found[name], strict=True):
            slot.layer.stored[slot.name] = weight
    if faults:
        raise DataLossError(f"{path!r} has other weights than its layers take: {'; '.join(faults[:_MAX_TOLD])}")


def _listed(slots: Sequence[Slot]) -> str:
    return ", ".join(slot.name for slot in slots[:_MAX_TOLD])


def _unique(names: Sequence[str]) -> list[str]:
    """The names, repeated ones with numbers, as Keras has them."""
    return [name if name not in names[:index] else f"{name}_{list(names[:index]).count(name)}" for index, name in enumerate(names)]
