"""`tf.lite.TFLiteConverter`: a graph as a TFLite model.

frozen graph -> inputs become placeholders -> operators (`lowering`) -> joined (`fusing`) -> weights as integers (`quantizing`) -> bytes
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import gpersist.lite.arranging  # the modules that say what nodes become
import gpersist.lite.einsum
import gpersist.lite.elementwise
import gpersist.lite.products
import gpersist.lite.reducing  # noqa: F401
from gpersist import files, protos
from gpersist.dtypes import float32
from gpersist.errors import DataLossError, NotFoundError, UnimplementedError
from gpersist.graph import (
    Graph,
    Session,
    Tensor,
    convert_variables_to_constants,
    extract_sub_graph,
    import_graph_def,
    shape_proto,
    variable_nodes,
)
from gpersist.keras import load_keras_model
from gpersist.lite.constants import TFLITE
from gpersist.lite.fusing import fuse
from gpersist.lite.lowering import check, lower, value_name
from gpersist.lite.model import Model
from gpersist.lite.options import OpsSet, Optimize, TargetSpec
from gpersist.lite.quantizing import quantize
from gpersist.saved_model.constants import ASSETS_KEY
from gpersist.saved_model.loader import SavedModelLoader
from gpersist.saved_model.signature_constants import DEFAULT_SERVING_SIGNATURE_DEF_KEY
from gpersist.saved_model.tag_constants import SERVING
from gpersist.train.meta_graph import read_message

__all__ = ["TFLiteConverter", "TocoConverter", "toco_convert"]

Path = str | os.PathLike[str]
Shapes = Mapping[str, Sequence[int | None] | None]


class TFLiteConverter:
    """Makes a TFLite model of a graph (`tf.lite.TFLiteConverter` of TensorFlow 1).

    A dimension that is not known is 1 in the model, and told in its shape signature, so that the interpreter can make it another one.

    Attributes:
        optimizations: of `Optimize`; any but EXPERIMENTAL_SPARSITY makes weights of 1024 elements and more 8-bit integers.
        post_training_quantize: whether `Optimize.DEFAULT` is among them.
        target_spec: what the model is for; only the builtin operators can be asked for.
        representative_dataset, inference_type, inference_input_type, inference_output_type, output_format, allow_custom_ops: as in TensorFlow; any
            but the defaults are refused, for all that is made are models of floats.
    """

    def __init__(
        self,
        graph_def: protos.GraphDef | None,
        input_tensors: Sequence[Tensor] | None,
        output_tensors: Sequence[Tensor] | None,
        input_arrays_with_shape: Sequence[tuple[str, Sequence[int | None] | None]] | None = None,
        output_arrays: Sequence[str] | None = None,
        experimental_debug_info_func: Any = None,
    ) -> None:
        del experimental_debug_info_func
        self._graph_def = graph_def
        self._input_tensors = input_tensors
        self._output_tensors = output_tensors
        self._input_arrays_with_shape = input_arrays_with_shape
        self._output_arrays = output_arrays
        self.optimizations: Iterable[Optimize] = set()
        self.representative_dataset: Any = None
        self.target_spec = TargetSpec()
        self.allow_custom_ops = False
        self.inference_type: Any = float32
        self.inference_input_type: Any = None
        self.inference_output_type: Any = None
        self.output_format = TFLITE

    @classmethod
    def from_session(cls, sess: Any, input_tensors: Sequence[Tensor], output_tensors: Sequence[Tensor]) -> TFLiteConverter:
        """A converter of a session's graph, its variables as they are now.

        Args:
            sess: the session.
            input_tensors: what will be fed, with the shapes that they have when `convert` is called.
            output_tensors: what is wanted.

        Raises:
            FailedPreconditionError: a variable has no value.
        """
        nodes = dict.fromkeys(tensor.op.name for tensor in (*output_tensors, *input_tensors))
        return cls(convert_variables_to_constants(sess, sess.graph_def, nodes), input_tensors, output_tensors)

    @classmethod
    def from_frozen_graph(
        cls, graph_def_file: Path, input_arrays: Iterable[str], output_arrays: Iterable[str], input_shapes: Shapes | None = None
    ) -> TFLiteConverter:
        """A converter of a frozen graph's file.

        Args:
            graph_def_file: the file, binary or text.
            input_arrays: names of tensors, without the `:0`.
            output_arrays: likewise.
            input_shapes: shapes of inputs by name, for those that the graph does not tell.

        Raises:
            IOError: there is no such file, or it is no graph.
            ValueError: the graph has variables, no such tensors, or other shapes.
        """
        path = os.fsdecode(graph_def_file)
        if not files.active().is_file(path):
            raise OSError(f"File '{path}' does not exist.")
        try:
            graph_def = read_message(protos.GraphDef, path)
        except DataLossError as error:
            raise OSError(f"Unable to parse input file '{path}'.") from error
        if variable_nodes(graph_def):
            raise ValueError("Please freeze the graph using freeze_graph.py.")
        with Graph().as_default() as graph:
            import_graph_def(graph_def, name="")
        inputs, outputs = _tensors(graph, input_arrays), _tensors(graph, output_arrays)
        _set_shapes(inputs, input_shapes)
        return cls(graph_def, inputs, outputs)

    @classmethod
    def from_saved_model(
        cls,
        saved_model_dir: Path,
        input_arrays: Iterable[str] | None = None,
        input_shapes: Shapes | None = None,
        output_arrays: Iterable[str] | None = None,
        tag_set: Iterable[str] | None = None,
        signature_key: str | None = None,
    ) -> TFLiteConverter:
        """A converter of a graph of a SavedModel; inputs and outputs come in the order of their names.

        Args:
            saved_model_dir: its folder.
            input_arrays: names of tensors, without the `:0`; by default the signature's.
            input_shapes: shapes of inputs by name, for those that the graph does not tell.
            output_arrays: names of tensors; by default the signature's.
            tag_set: all tags of the graph; by default `{"serve"}`.
            signature_key: by default `"serving_default"`.

        Raises:
            OSError: there is no SavedModel.
            RuntimeError: no graph has these tags.
            ValueError: there is no such signature, no such tensor, or there are assets.
            GPersistError: its variables cannot be restored.
        """
        tags = [SERVING] if tag_set is None else list(tag_set)
        key = DEFAULT_SERVING_SIGNATURE_DEF_KEY if signature_key is None else signature_key
        loader = SavedModelLoader(saved_model_dir)
        meta = loader.get_meta_graph_def_from_tags(tags)
        if key not in meta.signature_def:
            there = ",".join(sorted(meta.signature_def))
            raise ValueError(f"No '{key}' in the SavedModel's SignatureDefs. Possible values are '{there}'.")
        if ASSETS_KEY in meta.collection_def:
            raise ValueError("SavedModels with assets/ directory are not supported.")
        signature = meta.signature_def[key]
        with Graph().as_default() as graph, Session(graph=graph) as session:
            loader.load(session, tags)
            inputs = _signature_tensors(graph, signature.inputs, input_arrays)
            outputs = _signature_tensors(graph, signature.outputs, output_arrays)
            _set_shapes(inputs, input_shapes)
            return cls.from_session(session, inputs, outputs)

    @classmethod
    def from_keras_model_file(
        cls,
        model_file: Path,
        input_arrays: Iterable[str] | None = None,
        input_shapes: Shapes | None = None,
        output_arrays: Iterable[str] | None = None,
        custom_objects: Mapping[str, Any] | None = None,
    ) -> TFLiteConverter:
        """A converter of a Keras model's HDF5 file.

        Args:
            model_file: the file.
            input_arrays: names of tensors, without the `:0`; by default the model's inputs.
            input_shapes: shapes of inputs by name, for those that the model does not tell.
            output_arrays: names of tensors; by default the model's outputs.
            custom_objects: layers of one's own, of which there can be none.

        Raises:
            GPersistError: the file cannot be read, or has layers that are not known.
            ValueError: no such tensors.
        """
        if custom_objects:
            raise UnimplementedError(f"custom_objects has {', '.join(map(repr, custom_objects))}; only the layers of Keras itself are known")
        with Graph().as_default() as graph, Session(graph=graph) as session:
            model = load_keras_model(model_file)
            model.load_weights(session)
            inputs = _tensors(graph, sorted(input_arrays)) if input_arrays else list(model.inputs)
            outputs = _tensors(graph, sorted(output_arrays)) if output_arrays else list(model.outputs)
            _set_shapes(inputs, input_shapes)
            return cls.from_session(session, inputs, outputs)

    @property
    def post_training_quantize(self) -> bool:
        """Whether `Optimize.DEFAULT` is among the optimizations."""
        return Optimize.DEFAULT in set(self.optimizations)

    @post_training_quantize.setter
    def post_training_quantize(self, value: bool) -> None:
        self.optimizations = [Optimize.DEFAULT] if value else []

    @property
    def target_ops(self) -> Iterable[OpsSet]:
        """`target_spec.supported_ops`, under its old name."""
        return self.target_spec.supported_ops

    @target_ops.setter
    def target_ops(self, value: Iterable[OpsSet]) -> None:
        self.target_spec.supported_ops = value

    def get_input_arrays(self) -> list[str]:
        """The names of the inputs."""
        if self._input_tensors is not None and self._output_tensors:
            return [value_name(tensor) for tensor in self._input_tensors]
        return [name for name, _ in self._input_arrays_with_shape or ()]

    def get_output_arrays(self) -> list[str]:
        """The names of the outputs."""
        return [value_name(tensor) for tensor in self._output_tensors] if self._output_tensors else list(self._output_arrays or ())

    def convert(self) -> bytes:
        """The model, as the bytes of a `.tflite` file.

        Raises:
            ValueError: inputs or outputs are not told.
            UnimplementedError: nodes that TFLite has no operators for: all of them are told; or an attribute asks for what is not there.
            InvalidArgumentError: the file would be larger than 2 GB.
        """
        self._check_attributes()
        model = self._lowered()
        check(model)
        fuse(model)
        if set(self.optimizations) - {Optimize.EXPERIMENTAL_SPARSITY}:
            quantize(model)
        return model.to_bytes()

    def _lowered(self) -> Model:
        if self._input_tensors is not None and self._output_tensors:
            inputs = {value_name(tensor): (tensor.dtype.base_dtype.enum, tensor.shape) for tensor in self._input_tensors}
        elif self._input_arrays_with_shape and self._output_arrays:
            inputs = self._given_arrays()
        else:
            raise ValueError("If input_tensors and output_tensors are None, both input_arrays_with_shape and output_arrays must be defined.")
        outputs = self.get_output_arrays()
        graph_def = _cut(self._graph_def, inputs, outputs)
        with Graph().as_default() as graph:
            import_graph_def(graph_def, name="")
            if self._output_tensors:
                _refine(graph, self._output_tensors[0].graph)
            return lower(_tensors(graph, inputs), _tensors(graph, outputs))

    def _given_arrays(self) -> dict[str, tuple[int, Any]]:
        with Graph().as_default() as graph:
            import_graph_def(self._graph_def or protos.GraphDef(), name="")
            tensors = _tensors(graph, [name for name, _ in self._input_arrays_with_shape or ()])
            _set_shapes(tensors, dict(self._input_arrays_with_shape or ()))
            return {value_name(tensor): (tensor.dtype.enum, tensor.shape) for tensor in tensors}

    def _check_attributes(self) -> None:
        wrong = None
        if self.representative_dataset is not None:
            wrong = "representative_dataset is given, but activations stay floats; only weights become integers"
        elif self.output_format != TFLITE:
            wrong = f"output_format is {self.output_format}; expected lite.constants.TFLITE"
        elif any(each not in (None, float32) for each in (self.inference_type, self.inference_input_type, self.inference_output_type)):
            wrong = "inference types other than float32 are asked for"
        elif set(self.target_spec.supported_types) - {float32}:
            wrong = f"target_spec.supported_types has {', '.join(map(str, self.target_spec.supported_types))}; expected none, or float32"
        elif OpsSet.TFLITE_BUILTINS not in set(self.target_spec.supported_ops):
            wrong = f"target_spec.supported_ops has {', '.join(map(str, self.target_spec.supported_ops))}; expected OpsSet.TFLITE_BUILTINS"
        if wrong is not None:
            raise UnimplementedError(f"the converter cannot do this: {wrong}")


class TocoConverter(TFLiteConverter):
    """`TFLiteConverter` under its old name (`tf.lite.TocoConverter`)."""


def toco_convert(input_data: protos.GraphDef, input_tensors: Sequence[Tensor], output_tensors: Sequence[Tensor], *args: Any, **kwargs: Any) -> bytes:
    """The model of a frozen graph (`tf.lite.toco_convert`).

    Args:
        input_data: the graph.
        input_tensors: what will be fed.
        output_tensors: what is wanted.
        *args: none.
        **kwargs: none.

    Raises:
        UnimplementedError: other arguments; or see `TFLiteConverter.convert`.
    """
    if args or kwargs:
        raise UnimplementedError(f"toco_convert takes a graph, inputs and outputs; got {', '.join([*map(repr, args), *kwargs])} too")
    return TFLiteConverter(input_data, input_tensors, output_tensors).convert()


def _cut(graph_def: protos.GraphDef | None, inputs: Mapping[str, tuple[int, Any]], outputs: Iterable[str]) -> protos.GraphDef:
    """The part of a graph between inputs and outputs, the inputs as placeholders of their shapes."""
    cut = protos.GraphDef()
    cut.CopyFrom(graph_def or protos.GraphDef())
    for node in cut.node:
        if node.name in inputs:
            dtype, shape = inputs[node.name]
            attrs = {"dtype": protos.AttrValue(type=dtype), "shape": protos.AttrValue(shape=shape_proto(shape))}
            placeholder = protos.NodeDef(name=node.name, op="Placeholder", attr=attrs)
            node.CopyFrom(placeholder)
    for node in cut.node:
        node.device = ""
        node.attr.pop("_class", None)  # what it was colocated with may be cut off
    try:
        return extract_sub_graph(cut, dict.fromkeys(text.partition(":")[0] for text in (*outputs, *inputs)))
    except AssertionError as error:
        raise NotFoundError(f"the graph does not have all inputs and outputs: {error}") from error


def _refine(graph: Graph, original: Graph) -> None:
    """Gives tensors the shapes that are known of them where they come from (`set_shape`), which a message does not tell."""
    there = {tensor.name: tensor for op in original.get_operations() for tensor in op.outputs}
    for tensor in (tensor for op in graph.get_operations() for tensor in op.outputs):
        known = there.get(tensor.name)
        if known is not None and known.dtype.base_dtype == tensor.dtype and known.shape.is_compatible_with(tensor.shape):
            tensor.set_shape(known.shape)


def _tensors(graph: Graph, names: Iterable[str]) -> list[Tensor]:
    there = {value_name(tensor): tensor for op in graph.get_operations() for tensor in op.outputs}
    wanted = list(names)
    if missing := [name for name in wanted if name not in there]:
        raise ValueError(f"Invalid tensors '{','.join(missing)}' were found.")
    return [there[name] for name in wanted]


def _signature_tensors(graph: Graph, infos: Mapping[str, protos.TensorInfo], names: Iterable[str] | None) -> list[Tensor]:
    if given := sorted(names or ()):
        return _tensors(graph, given)
    return [graph.get_tensor_by_name(name) for name in sorted(info.name for info in infos.values())]


def _set_shapes(tensors: Iterable[Tensor], shapes: Shapes | None) -> None:
    by_name = {value_name(tensor): tensor for tensor in tensors}
    for name, shape in (shapes or {}).items():
        if name not in by_name:
            raise ValueError(f"Invalid tensor '{name}' found in tensor shapes map.")
        if shape is None:
            continue
        before = by_name[name].shape
        try:
            by_name[name].set_shape(shape)
        except ValueError as error:
            raise ValueError(f"The shape of tensor '{name}' cannot be changed from {before} to {shape}. {error}") from error
