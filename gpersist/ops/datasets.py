"""Datasets: elements that are made as they are asked for (`tf.data.Dataset`). `dataset_iterators` has what a graph takes them with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gpersist.dtypes import as_dtype
from gpersist.dtypes import bool_ as boolean
from gpersist.graph import Tensor, apply, apply_op, convert_to_tensor, get_default_graph, name_scope
from gpersist.ops import dataset_batching as batching
from gpersist.ops import dataset_choices as choices
from gpersist.ops import dataset_grouping as grouping
from gpersist.ops import dataset_structure as structure
from gpersist.ops.arithmetic import maximum
from gpersist.ops.comparison import greater
from gpersist.ops.dataset_arguments import (
    int64_of,
    order_of,
    seeds_of,
)
from gpersist.ops.dataset_iterators import Iterator, make_initializable_iterator, make_one_shot_iterator
from gpersist.ops.dataset_tracing import Called, called
from gpersist.ops.file_contents import matching_files
from gpersist.ops.python_generators import generated
from gpersist.ops.shaping import shape
from gpersist.ops.strings import reduce_join
from gpersist.ops.type_specs import TensorSpec, TypeSpec
from gpersist.shapes import TensorShape

__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset"]

AUTOTUNE = -1
"""For TensorFlow's sake: as much as it thinks best (`tf.data.AUTOTUNE`)."""

INFINITE_CARDINALITY = -1
"""What `cardinality` gives of a dataset without an end."""

UNKNOWN_CARDINALITY = -2
"""What `cardinality` gives where nobody can tell."""


class Dataset:
    """A dataset (`tf.data.Dataset`); made by its functions, such as `from_tensor_slices`.

    An element is a nest of tensors: a tensor, a tuple or a dict. In functions' results a list counts as a tuple.
    """

    _variant_tensor: Tensor
    _kind = "DatasetV1Adapter"
    element_spec: Any
    """A nest of specs: the type and shape of each part of an element."""

    def __init__(self) -> None:
        raise NotImplementedError("a dataset is made by Dataset.from_tensor_slices and its like")

    def _fill(self, variant: Tensor, spec: Any, kind: str) -> None:
        self._variant_tensor, self.element_spec, self._kind = variant, spec, kind

    @property
    def _type_spec(self) -> structure.DatasetSpec:
        return structure.DatasetSpec(self.element_spec)

    def __repr__(self) -> str:
        return f"<{self._kind} element_spec={self.element_spec!r}>"

    def __iter__(self) -> Any:
        raise RuntimeError("`tf.data.Dataset` only supports Python-style iteration in eager mode or within tf.function.")

    def __len__(self) -> int:
        raise TypeError("`tf.data.Dataset` only supports `len` in eager mode. Use `tf.data.Dataset.cardinality()` instead.")

    def __bool__(self) -> bool:
        return True

    @property
    def output_types(self) -> Any:
        """The types of an element's parts."""
        return structure.legacy_types(self.element_spec)

    @property
    def output_shapes(self) -> Any:
        """The shapes of an element's parts."""
        return structure.legacy_shapes(self.element_spec)

    @property
    def output_classes(self) -> Any:
        """The classes of an element's parts."""
        return structure.legacy_classes(self.element_spec)

    # ---- from tensors

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """A dataset of one element."""
        spec, found = _normalized(tensors)
        return _made("TensorDataset", spec, structure.tensors_of(found), typed=False)

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """The rows of tensors.

        Raises:
            ValueError: one is a scalar, or they have different numbers of rows.
        """
        spec, found = _normalized(tensors)
        if any(leaf.shape.rank == 0 for leaf in found):
            raise ValueError("Unbatching a tensor is only supported for rank >= 1")
        if not found:
            raise ValueError("Invalid `tensors`. `tensors` should not be empty.")
        rows = found[0].shape[0] if found[0].shape.rank else None
        for leaf in found[1:]:
            if leaf.shape.rank and rows is not None and not rows.is_compatible_with(leaf.shape[0]):
                raise ValueError(f"Dimensions {rows} and {leaf.shape[0]} are not compatible")
        return _made("TensorSliceDataset", structure.unbatched(spec), structure.rows_of(found), typed=False)

    @staticmethod
    def from_generator(
        generator: Callable[..., Any],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Sequence[Any] | None = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """What a generator of Python's gives.

        Args:
            generator: called for each iteration; gives something to iterate over, of nests of arrays.
            output_types: a nest of the types of an element's parts.
            output_shapes: of their shapes.
            args: tensors whose values it is called with.
            output_signature: specs instead of types and shapes.
            name: for TensorFlow's sake.

        Raises:
            TypeError: it is no function, or no types are told.
        """
        if not callable(generator):
            raise TypeError("`generator` must be a Python callable.")
        if output_signature is None and output_types is None:
            raise TypeError(
                "To specify the output signature you need to provide either the `output_signature` argument or the `output_types` argument."
            )
        if output_signature is not None:
            for given, name_of in ((output_types, "output_types"), (output_shapes, "output_shapes")):
                if given is not None:
                    raise TypeError(f"The `{name_of}` argument can not be used together with the `output_signature` argument.")
            for leaf in structure.flatten(output_signature):
                if not isinstance(leaf, TypeSpec):
                    raise TypeError(
                        f"`output_signature` must contain objects that are subclass of `tf.TypeSpec` but found {type(leaf)} which is not."
                    )
        spec = structure.of_types(output_types, output_shapes) if output_signature is None else output_signature
        taken = [convert_to_tensor(value, name=f"args_{number}") for number, value in enumerate(args or ())]

        def flat_map_fn(unused: Tensor) -> Dataset:
            return _wrapped(generated(generator, spec, taken, unused), spec, "_GeneratorDataset")

        found = Dataset.from_tensors(np.int32(0)).flat_map(flat_map_fn)
        found._kind = "DatasetV1Adapter"
        return found

    @staticmethod
    def list_files(file_pattern: Any, shuffle: bool | None = None, seed: int | None = None, name: str | None = None) -> Dataset:
        """The names of the files that patterns fit, in another order each time unless `shuffle` is False. Without any, its initialiser fails."""
        with name_scope("list_files"):
            pattern = convert_to_tensor(file_pattern, "string", name="file_pattern")
            files = matching_files(pattern)
            is_there = greater(shape(files)[0], 0, name="match_not_empty")
            message = apply("Add", "No files matched pattern: ", reduce_join(pattern, separator=", "), name="message")
            asserted = apply_op("Assert", is_there, [message], summarize=1, name="assert_not_empty/Assert")
            with get_default_graph().control_dependencies([asserted]):
                files = apply("Identity", files)
            found = Dataset.from_tensor_slices(files)
            if shuffle is None or shuffle:
                found = found.shuffle(maximum(shape(files, out_type="int64")[0], 1), seed=seed)
        found._kind = "DatasetV1Adapter"
        return found

    @staticmethod
    def random(seed: int | None = None, rerandomize_each_iteration: bool | None = None, name: str | None = None) -> Dataset:
        """Random numbers of 32 bits, as int64, without an end."""
        return _made("RandomDataset", TensorSpec(TensorShape(()), as_dtype("int64")), inputs=seeds_of(seed))

    @staticmethod
    def range(*args: Any, **kwargs: Any) -> Dataset:
        """Numbers (`start`, `stop`, `step`), int64 unless `output_type` says something else."""
        if not 1 <= len(args) <= 3:
            raise ValueError(f"Invalid `args`. The length of `args` should be between 1 and 3 but was {len(args)}.")
        start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
        inputs = [int64_of(value, name) for value, name in ((start, "start"), (stop, "stop"), (step, "step"))]
        return _made("RangeDataset", TensorSpec(TensorShape(()), as_dtype(kwargs.get("output_type", "int64"))), inputs=inputs)

    @staticmethod
    def counter(start: Any = 0, step: Any = 1, dtype: Any = "int64", name: str | None = None) -> Dataset:
        """Numbers from `start` on, without an end."""
        with name_scope("counter"):
            first = convert_to_tensor(start, dtype, name="start")
            by = convert_to_tensor(step, dtype, name="step")
            return Dataset.from_tensors(0).repeat(None).scan(first, lambda state, _: (state + by, state))

    @staticmethod
    def choose_from_datasets(datasets: Sequence[Dataset], choice_dataset: Dataset, stop_on_empty_dataset: bool = True) -> Dataset:
        """The next element of the dataset whose number `choice_dataset` gives.

        Args:
            datasets: with elements alike.
            choice_dataset: of int64 scalars.
            stop_on_empty_dataset: whether it ends with the first that is over; else its numbers are passed over.

        Raises:
            ValueError: there are no datasets.
            TypeError: their elements differ, or `choice_dataset` is something else.
        """
        return choices.chosen(datasets, choice_dataset, stop_on_empty_dataset)

    @staticmethod
    def sample_from_datasets(
        datasets: Sequence[Dataset],
        weights: Any = None,
        seed: int | None = None,
        stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: bool | None = None,
    ) -> Dataset:
        """The next element of one of several datasets, which chance picks.

        Args:
            datasets: with elements alike.
            weights: how often each is picked, or a dataset of such vectors; all alike by default.
            seed: of the choice.
            stop_on_empty_dataset: whether it ends with the first that is over.
            rerandomize_each_iteration: for TensorFlow's sake.

        Raises:
            ValueError: there are no datasets, or another number of weights.
            TypeError: their elements differ, or the weights are no floats.
        """
        return choices.sampled(Dataset, datasets, weights, seed, stop_on_empty_dataset)

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: str | None = None) -> Dataset:
        """A nest of datasets as a dataset of nests; it ends with the shortest.

        Raises:
            TypeError: there is something else than datasets.
        """
        nest = datasets if datasets is not None else args[0] if len(args) == 1 else args
        found = structure.flatten(nest)
        for each in found:
            if not isinstance(each, Dataset):
                hint = " Python `list` is not supported and you should use `tuple` instead." if isinstance(each, list) else f" Got {type(each)}."
                raise TypeError(f"Invalid input to `zip`. Inputs are expected to be (nested) structures of `tf.data.Dataset` objects.{hint}")
        return _made("ZipDataset", structure.pack(nest, [each.element_spec for each in found]), [each._variant_tensor for each in found])

    # ---- from this dataset

    def _then(self, op_type: str, spec: Any = None, *inputs: Any, kind: str | None = None, **attrs: Any) -> Dataset:
        return _made(op_type, self.element_spec if spec is None else spec, inputs=[self._variant_tensor, *inputs], kind=kind, **attrs)

    def _rewritten(self) -> Dataset:
        """The same, as TensorFlow marks sources that all replicas share."""
        return self._then("RewriteDataset", None, "replicate_on_split", kind="_RewriteDataset")

    @staticmethod
    def _like(variant: Tensor, spec: Any) -> Dataset:
        return _wrapped(variant, spec)

    def _called(self, what: str, function: Callable[..., Any]) -> Called:
        return called(f"Dataset_{what}", function, self.element_spec, _wrapped)

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Dataset:
        """This dataset, and then another one.

        Raises:
            TypeError: its elements are of other types.
        """
        try:
            spec = structure.common(self.element_spec, dataset.element_spec)
        except ValueError:
            raise TypeError(f"Incompatible dataset elements:\n  {self.element_spec} vs.   {dataset.element_spec}") from None
        return self._then("ConcatenateDataset", spec, dataset._variant_tensor)

    def repeat(self, count: Any = None, name: str | None = None) -> Dataset:
        """The same `count` times; without it, or for -1, without an end."""
        return self._then("RepeatDataset", None, int64_of(-1 if count is None else count, "count"))

    def take(self, count: Any, name: str | None = None) -> Dataset:
        """The first elements; all of them for -1."""
        return self._then("TakeDataset", None, int64_of(count, "count"))

    def skip(self, count: Any, name: str | None = None) -> Dataset:
        """All but the first elements; none for -1."""
        return self._then("SkipDataset", None, int64_of(count, "count"))

    def shard(self, num_shards: Any, index: Any, name: str | None = None) -> Dataset:
        """Every `num_shards`-th element, from `index` on."""
        return self._then("ShardDataset", None, int64_of(num_shards, "num_shards"), int64_of(index, "index"))

    def shuffle(self, buffer_size: Any, seed: int | None = None, reshuffle_each_iteration: bool | None = None, name: str | None = None) -> Dataset:
        """Elements in another order: each is drawn from `buffer_size` of them."""
        room = int64_of(buffer_size, "buffer_size")
        is_fresh = True if reshuffle_each_iteration is None else reshuffle_each_iteration
        return self._then("ShuffleDataset", None, room, *seeds_of(seed), reshuffle_each_iteration=is_fresh)

    def cache(self, filename: Any = "", name: str | None = None) -> Dataset:
        """The same, kept in memory once it has been gone through."""
        return self._then("CacheDataset", None, convert_to_tensor(filename, "string", name="filename"), kind="CacheDataset")

    def prefetch(self, buffer_size: Any, name: str | None = None) -> Dataset:
        """The same; nothing is made ahead of time."""
        return self._then("PrefetchDataset", None, int64_of(AUTOTUNE if buffer_size is None else buffer_size, "buffer_size"), slack_period=0)

    def batch(
        self, batch_size: Any, drop_remainder: Any = False, num_parallel_calls: Any = None, deterministic: bool | None = None, name: str | None = None
    ) -> Dataset:
        """Several elements as one, along a new first axis."""
        return batching.batched(self, batch_size, drop_remainder, num_parallel_calls, deterministic)

    def padded_batch(
        self, batch_size: Any, padded_shapes: Any = None, padding_values: Any = None, drop_remainder: Any = False, name: str | None = None
    ) -> Dataset:
        """The same of elements of different sizes, each filled up.

        Args:
            batch_size: how many.
            padded_shapes: a nest of shapes, whose unknown sizes are those of the largest in each batch; by default what is known of the elements.
            padding_values: a nest of scalars to fill up with, or one for all; zeros and empty texts by default.
            drop_remainder: whether what is left over at the end is lost.
            name: for TensorFlow's sake.

        Raises:
            ValueError: the rank of a part is not known, and no shape is told.
        """
        return batching.padded(self, batch_size, padded_shapes, padding_values, drop_remainder)

    def rebatch(self, batch_size: Any, drop_remainder: Any = False, name: str | None = None) -> Dataset:
        """Batches of other sizes, several of which take turns, of the same rows.

        Raises:
            ValueError: elements are scalars.
        """
        return batching.rebatched(self, batch_size, drop_remainder)

    def ragged_batch(self, batch_size: Any, drop_remainder: Any = False, row_splits_dtype: Any = "int64", name: str | None = None) -> Dataset:
        """Several elements of one rank as one, a ragged tensor where their sizes may differ, along a new first axis.

        Raises:
            ValueError: the rank of a part is not known.
        """
        return batching.ragged(self, batch_size, drop_remainder, as_dtype(row_splits_dtype))

    def sparse_batch(self, batch_size: Any, row_shape: Any, name: str | None = None) -> Dataset:
        """Several tensors of one rank, whatever their sizes, as a sparse tensor, along a new first axis.

        Args:
            batch_size: how many.
            row_shape: the largest that there is; None for a size that the batch tells.
            name: for TensorFlow's sake.

        Raises:
            TypeError: an element is more than one tensor.
        """
        return batching.sparse(self, batch_size, row_shape)

    def window(self, size: Any, shift: Any = None, stride: Any = 1, drop_remainder: Any = False, name: str | None = None) -> Dataset:
        """Datasets of neighbouring elements."""
        inputs = [int64_of(value, name) for value, name in ((size, "size"), (size if shift is None else shift, "shift"), (stride, "stride"))]
        spec = structure.mapped(structure.DatasetSpec, self.element_spec)
        return self._then("WindowDataset", spec, *inputs, convert_to_tensor(drop_remainder, boolean, name="drop_remainder"))

    def unbatch(self, name: str | None = None) -> Dataset:
        """The rows of each element."""
        return batching.unbatched(self)

    def enumerate(self, start: Any = 0, name: str | None = None) -> Dataset:
        """Pairs of a number and an element."""
        return Dataset.zip((Dataset.range(start, np.iinfo(np.int64).max)._rewritten(), self))

    def apply(self, transformation_func: Callable[[Dataset], Any]) -> Any:
        """What a function makes of this dataset.

        Raises:
            TypeError: it is no dataset.
        """
        found = transformation_func(self)
        if not isinstance(found, Dataset):
            raise TypeError(f"`transformation_func` must return a `tf.data.Dataset` object. Got {type(found)}.")
        return found

    def with_options(self, options: Any, name: str | None = None) -> Dataset:
        """The same: options are for TensorFlow's sake."""
        return self._then("OptionsDataset", None, serialized_options=b"")

    # ---- by functions

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        synchronous: bool | None = None,
        use_unbounded_threadpool: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """What a function makes of each element."""
        made = self._called("map", map_func)
        if num_parallel_calls is None:
            return self._then("MapDataset", made.output_spec, made.captured, f=made.function)
        calls = int64_of(num_parallel_calls, "num_parallel_calls")
        return self._then(
            "ParallelMapDatasetV2",
            made.output_spec,
            made.captured,
            calls,
            f=made.function,
            deterministic=order_of(deterministic),
            kind="_ParallelMapDataset",
        )

    def map_with_legacy_function(
        self, map_func: Callable[..., Any], num_parallel_calls: Any = None, deterministic: bool | None = None, use_unbounded_threadpool: bool = False
    ) -> Dataset:
        """`map`: all functions are alike here."""
        return self.map(map_func, num_parallel_calls, deterministic)

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements for which a function gives true.

        Raises:
            ValueError: it gives something else than a boolean scalar.
        """
        made = self._called("filter", predicate)
        spec = made.output_spec
        if not (isinstance(spec, TensorSpec) and structure.is_compatible(spec, TensorSpec(TensorShape(()), boolean))):
            raise ValueError(f"Invalid `predicate`. `predicate` must return a `tf.bool` scalar tensor, but its return type is {spec!r}.")
        return self._then("FilterDataset", None, made.captured, predicate=made.function)

    def filter_with_legacy_function(self, predicate: Callable[..., Any]) -> Dataset:
        """`filter`: all functions are alike here."""
        return self.filter(predicate)

    def take_while(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements before the first for which a function gives false."""
        made = self._called("take_while", predicate)
        return self._then("TakeWhileDataset", None, made.captured, predicate=made.function)

    def flat_map(self, map_func: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements of the datasets that a function makes of each element, one dataset after the other.

        Raises:
            TypeError: it makes something else.
        """
        made = self._called("flat_map", map_func)
        return self._then("FlatMapDataset", _inner(made), made.captured, f=made.function)

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: Any = None,
        block_length: Any = None,
        num_parallel_calls: Any = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """The same, of `cycle_length` datasets at a time, `block_length` elements of each in turn.

        Raises:
            TypeError: it makes something else.
        """
        made = self._called("interleave", map_func)
        spec = _inner(made)
        cycle = int64_of(AUTOTUNE if cycle_length is None else cycle_length, "cycle_length")
        block = int64_of(1 if block_length is None else block_length, "block_length")
        if num_parallel_calls is None:
            return self._then("InterleaveDataset", spec, made.captured, cycle, block, f=made.function)
        more = (
            int64_of(AUTOTUNE, "buffer_output_elements"),
            int64_of(AUTOTUNE, "prefetch_input_elements"),
            int64_of(num_parallel_calls, "num_parallel_calls"),
        )
        how = {"deterministic": order_of(deterministic), "kind": "_ParallelInterleaveDataset"}
        return self._then("ParallelInterleaveDatasetV4", spec, made.captured, cycle, block, *more, f=made.function, **how)

    def group_by_window(
        self,
        key_func: Callable[..., Any],
        reduce_func: Callable[..., Any],
        window_size: Any = None,
        window_size_func: Callable[..., Any] | None = None,
        name: str | None = None,
    ) -> Dataset:
        """What a function makes of elements of one key, whenever there are so many of them, and of those that are left at the end.

        Args:
            key_func: tells the key of an element, a scalar int64.
            reduce_func: makes a dataset of a key and a dataset.
            window_size: how many make a window.
            window_size_func: tells it by the key, instead.
            name: for TensorFlow's sake.

        Raises:
            ValueError: both sizes are told or none, or a key is something else.
            TypeError: `reduce_func` makes no dataset.
        """
        return grouping.windows(self, key_func, reduce_func, window_size, window_size_func)

    def bucket_by_sequence_length(
        self,
        element_length_func: Callable[..., Any],
        bucket_boundaries: Sequence[int],
        bucket_batch_sizes: Sequence[int],
        padded_shapes: Any = None,
        padding_values: Any = None,
        pad_to_bucket_boundary: bool = False,
        no_padding: bool = False,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """Batches of elements of lengths alike, padded as `padded_batch` does.

        Args:
            element_length_func: tells the length of an element, a scalar int32.
            bucket_boundaries: the first length of each bucket but the first.
            bucket_batch_sizes: of each bucket; one more than boundaries.
            padded_shapes: as of `padded_batch`.
            padding_values: as of `padded_batch`.
            pad_to_bucket_boundary: whether all of a bucket become as long as its boundary less 1.
            no_padding: whether elements are all of one shape.
            drop_remainder: whether what is left over at the end is lost.
            name: for TensorFlow's sake.

        Raises:
            ValueError: the numbers of boundaries and sizes do not fit.
        """
        how = (padded_shapes, padding_values, pad_to_bucket_boundary, no_padding, drop_remainder)
        return grouping.buckets(self, element_length_func, bucket_boundaries, bucket_batch_sizes, *how)

    def unique(self, name: str | None = None) -> Dataset:
        """Every element once.

        Raises:
            TypeError: they are neither int32, int64 nor text.
        """
        for spec in structure.flatten(self.element_spec):
            if spec.dtype.name not in ("int32", "int64", "string"):
                raise TypeError(
                    f"`tf.data.Dataset.unique` does not support type {spec.dtype} -- only `tf.int32`, `tf.int64`, and `tf.string` are supported."
                )
        return self._then("UniqueDataset")

    def ignore_errors(self, log_warning: bool = False, name: str | None = None) -> Dataset:
        """The elements that raise no errors."""
        return self._then("IgnoreErrorsDataset", None, log_warning=log_warning)

    def scan(self, initial_state: Any, scan_func: Callable[..., Any], name: str | None = None) -> Dataset:
        """What a function makes of what it kept and of each element: it gives what it keeps, and an element."""
        state, found = _normalized(initial_state)
        made = called("Dataset_scan", scan_func, (state, self.element_spec), _wrapped)
        spec = made.output_spec[1]
        return self._then("ScanDataset", spec, structure.tensors_of(found), made.captured, f=made.function)

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any], name: str | None = None) -> Any:
        """What a function makes of `initial_state` and all elements, one after the other.

        Raises:
            TypeError: it makes something of another type.
        """
        with name_scope("initial_state"):
            state, found = _normalized(initial_state)
        made = called("reduce", reduce_func, (state, self.element_spec), _wrapped)
        try:
            known = structure.common(state, made.output_spec)
        except ValueError:
            expected, given = ([spec.dtype for spec in structure.flatten(nest)] for nest in (state, made.output_spec))
            raise TypeError(f"The element types for the new state must match the initial state. Expected {expected}; got {given}.") from None
        if known != state:
            state = known
            made = called("reduce", reduce_func, (state, self.element_spec), _wrapped)
        types, shapes = structure.types(state), structure.shapes(state)
        inputs = self._variant_tensor, structure.tensors_of(found), made.captured
        op = apply_op("ReduceDataset", *inputs, f=made.function, output_types=types, output_shapes=shapes)
        return structure.values_of(state, op.outputs)

    # ---- what becomes of it

    def cardinality(self) -> Tensor:
        """How many elements there are: a scalar int64; `INFINITE_CARDINALITY` or `UNKNOWN_CARDINALITY`."""
        return apply("DatasetCardinality", self._variant_tensor)

    def get_single_element(self, name: str | None = None) -> Any:
        """The one element that there is."""
        types, shapes = structure.types(self.element_spec), structure.shapes(self.element_spec)
        op = apply_op("DatasetToSingleElement", self._variant_tensor, output_types=types, output_shapes=shapes)
        return structure.values_of(self.element_spec, op.outputs)

    def make_one_shot_iterator(self) -> Iterator:
        """An iterator that needs no initialisation and goes through once."""
        return make_one_shot_iterator(self)

    def make_initializable_iterator(self, shared_name: str | None = None) -> Iterator:
        """An iterator that goes to the first element whenever its `initializer` runs."""
        return make_initializable_iterator(self, shared_name)


def _wrapped(variant: Tensor, spec: Any, kind: str = "_VariantDataset") -> Dataset:
    found = Dataset.__new__(Dataset)
    found._fill(variant, spec, kind)
    return found


def _made(op_type: str, spec: Any, *lists: Any, inputs: Sequence[Any] = (), kind: str | None = None, typed: bool = True, **attrs: Any) -> Dataset:
    """A dataset by its operation."""
    if typed:
        attrs["output_types"] = structure.types(spec)
    attrs["output_shapes"] = structure.shapes(spec)
    return _wrapped(apply(op_type, *lists, *inputs, **attrs), spec, kind or f"_{op_type}")


def _normalized(nest: Any) -> tuple[Any, list[Any]]:
    """The specs of a nest of values, and its leaves."""
    with name_scope("normalize_element"):
        found = structure.normalized(nest, "component")
    return structure.pack(nest, [structure.spec_of(leaf) for leaf in found]), found


def _inner(made: Called) -> Any:
    """The spec of the elements of the datasets that a function makes."""
    if not isinstance(made.output_spec, structure.DatasetSpec):
        raise TypeError(f"The `map_func` argument must return a `Dataset` object. Got {made.output_spec!r}.")
    return made.output_spec.element_spec
