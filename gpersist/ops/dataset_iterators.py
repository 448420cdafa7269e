"""Iterators of datasets (`tf.data.Iterator`): a graph's way to their elements."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from gpersist import protos
from gpersist.dtypes import string as text
from gpersist.graph import Graph, Operation, Tensor, apply, apply_op, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops import dataset_structure as structure
from gpersist.ops.function_graph import enter, to_function_def
from gpersist.ops.nest import assert_same_structure

__all__ = ["Iterator", "get_output_classes", "get_output_shapes", "get_output_types", "make_initializable_iterator", "make_one_shot_iterator"]


class Iterator:
    """An iterator (`tf.data.Iterator`); datasets make them.

    Args:
        iterator_resource: its handle.
        initializer: the operation that has it begin; None without any.
        output_types: a nest of the types of an element's parts.
        output_shapes: of their shapes.
        output_classes: of their classes.
    """

    def __init__(self, iterator_resource: Tensor, initializer: Operation | None, output_types: Any, output_shapes: Any, output_classes: Any) -> None:
        self._fill(iterator_resource, initializer, structure.of_types(output_types, output_shapes, output_classes))

    def _fill(self, handle: Tensor, initializer: Operation | None, spec: Any) -> None:
        self._iterator_resource, self._initializer, self._spec = handle, initializer, spec
        self._string_handle = apply("IteratorToStringHandle", handle)

    @staticmethod
    def from_structure(output_types: Any, output_shapes: Any = None, shared_name: str | None = None, output_classes: Any = None) -> Iterator:
        """An iterator without a dataset, which `make_initializer` gives it."""
        spec = structure.of_types(output_types, output_shapes, output_classes)
        handle = apply(
            "IteratorV2", container=b"", shared_name=shared_name or "", output_types=structure.types(spec), output_shapes=structure.shapes(spec)
        )
        return _iterator(handle, None, spec)

    @staticmethod
    def from_string_handle(string_handle: Any, output_types: Any, output_shapes: Any = None, output_classes: Any = None) -> Iterator:
        """The iterator that a handle names, which `string_handle` has told."""
        spec = structure.of_types(output_types, output_shapes, output_classes)
        handle = convert_to_tensor(string_handle, text)
        found = apply("IteratorFromStringHandleV2", handle, output_types=structure.types(spec), output_shapes=structure.shapes(spec))
        return _iterator(found, None, spec)

    @property
    def initializer(self) -> Operation:
        """The operation that has it begin.

        Raises:
            ValueError: there is none.
        """
        if self._initializer is None:
            raise ValueError(
                "The iterator does not have an initializer. This means it was likely created using `tf.data.Dataset.make_one_shot_iterator()`. For "
                "an initializable iterator, use `tf.data.Dataset.make_initializable_iterator()` instead."
            )
        return self._initializer

    def make_initializer(self, dataset: Any, name: str | None = None) -> Operation:
        """An operation that has this iterator begin with a dataset.

        Raises:
            TypeError: its elements are of other types or shapes.
            ValueError: they are other nests.
        """
        with name_scope(name, "make_initializer") as scope:
            assert_same_structure(self.output_types, dataset.output_types)
            for ours, theirs in zip(structure.flatten(self._spec), structure.flatten(dataset.element_spec), strict=True):
                if ours.dtype != theirs.dtype:
                    raise TypeError(f"Expected output types {self.output_types!r} but got dataset with output types {dataset.output_types!r}.")
                if not ours.shape.is_compatible_with(theirs.shape):
                    raise TypeError(
                        f"Expected output shapes compatible with {self.output_shapes!r} but got dataset with output shapes {dataset.output_shapes!r}."
                    )
            with get_default_graph().colocate_with(self._iterator_resource):
                return apply_op("MakeIterator", dataset._variant_tensor, self._iterator_resource, name=scope)

    def get_next(self, name: str | None = None) -> Any:
        """The next element, whenever it is run: a nest of tensors. After the last one it raises OutOfRangeError."""
        with get_default_graph().colocate_with(self._iterator_resource):
            op = apply_op(
                "IteratorGetNext",
                self._iterator_resource,
                output_types=structure.types(self._spec),
                output_shapes=structure.shapes(self._spec),
                name=name,
            )
        return structure.values_of(self._spec, op.outputs)

    def string_handle(self, name: str | None = None) -> Tensor:
        """What names this iterator: a scalar of text."""
        return self._string_handle if name is None else apply("IteratorToStringHandle", self._iterator_resource, name=name)

    @property
    def element_spec(self) -> Any:
        """A nest of specs: the type and shape of each part of an element."""
        return self._spec

    @property
    def output_types(self) -> Any:
        """The types of an element's parts."""
        return structure.legacy_types(self._spec)

    @property
    def output_shapes(self) -> Any:
        """The shapes of an element's parts."""
        return structure.legacy_shapes(self._spec)

    @property
    def output_classes(self) -> Any:
        """The classes of an element's parts."""
        return structure.legacy_classes(self._spec)


def _iterator(handle: Tensor, initializer: Operation | None, spec: Any) -> Iterator:
    found = Iterator.__new__(Iterator)
    found._fill(handle, initializer, spec)
    return found


def make_initializable_iterator(dataset: Any, shared_name: str | None = None) -> Iterator:
    """An iterator that goes to the first element whenever its `initializer` runs (`tf.data.make_initializable_iterator`)."""
    spec = dataset.element_spec
    with get_default_graph().colocate_with(dataset._variant_tensor):
        handle = apply(
            "IteratorV2", container=b"", shared_name=shared_name or "", output_types=structure.types(spec), output_shapes=structure.shapes(spec)
        )
        initializer = apply_op("MakeIterator", dataset._variant_tensor, handle)
        return _iterator(handle, initializer, spec)


def make_one_shot_iterator(dataset: Any) -> Iterator:
    """An iterator that needs no initialisation and goes through once (`tf.data.make_one_shot_iterator`).

    Raises:
        ValueError: the dataset takes placeholders, variables or the like.
    """
    spec, graph = dataset.element_spec, get_default_graph()
    function = _factory(graph, dataset._variant_tensor)
    with graph.colocate_with(dataset._variant_tensor):
        handle = apply("OneShotIterator", dataset_factory=function, output_types=structure.types(spec), output_shapes=structure.shapes(spec))
        return _iterator(handle, None, spec)


def _factory(graph: Graph, variant: Tensor) -> protos.NameAttrList:
    """A function of the library that makes a dataset: a copy of all that it is made from, without control inputs, as TensorFlow's."""
    ops: dict[Operation, None] = {}
    waiting: list[tuple[Operation, bool]] = [(variant.op, False)]
    while waiting:
        op, is_done = waiting.pop()
        if is_done:
            ops[op] = None
        elif op not in ops:
            _check_copied(op)
            waiting.append((op, True))
            waiting += [(tensor.op, False) for tensor in reversed(op.inputs)]
    definition = to_function_def(graph, "", [], [variant], ops=list(ops))
    definition.attr["_disable_call_shape_inference"].b = True
    digest = hashlib.sha1(definition.SerializeToString(deterministic=True), usedforsecurity=False).digest()
    definition.signature.name = f"_make_dataset_{base64.b64encode(digest, b'_A').decode()[:11]}"
    definition.signature.description = "Factory function for a dataset."
    if definition.signature.name not in graph._own_functions:
        enter(graph, definition)
    return protos.NameAttrList(name=definition.signature.name)


def _check_copied(op: Operation) -> None:
    if op.type == "Placeholder":
        raise ValueError(f"Cannot capture a placeholder (name:{op.name}, type:{op.type}) by value.")
    if op.signature is not None and op.signature.is_stateful and "Dataset" not in op.type and not op.type.startswith("Dummy"):
        raise ValueError(
            f"Cannot capture a stateful node (name:{op.name}, type:{op.type}) by value.: A likely cause of this error is that the dataset for which "
            "you are calling `make_one_shot_iterator()` captures a stateful object, such as a `tf.Variable` or `tf.lookup.StaticHashTable`, which is "
            "not supported. Use `make_initializable_iterator()` instead."
        )


def get_output_types(dataset_or_iterator: Any) -> Any:
    """The types of the parts of an element (`tf.data.get_output_types`)."""
    return dataset_or_iterator.output_types


def get_output_shapes(dataset_or_iterator: Any) -> Any:
    """The shapes of the parts of an element (`tf.data.get_output_shapes`)."""
    return dataset_or_iterator.output_shapes


def get_output_classes(dataset_or_iterator: Any) -> Any:
    """The classes of the parts of an element (`tf.data.get_output_classes`)."""
    return dataset_or_iterator.output_classes
