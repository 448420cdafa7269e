"""Datasets of the elements of several, each taken from the one that is chosen for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gpersist.dtypes import float32, float64, int64
from gpersist.graph import Tensor, convert_to_tensor
from gpersist.ops import dataset_structure as structure
from gpersist.ops.shaping import expand_dims, squeeze
from gpersist.ops.stateless_random import stateless_multinomial
from gpersist.ops.type_specs import TensorSpec
from gpersist.ops.unary import log
from gpersist.shapes import TensorShape

if TYPE_CHECKING:
    from gpersist.ops.datasets import Dataset

__all__: list[str] = []


def chosen(datasets: Sequence[Dataset], choice: Dataset, stop_on_empty_dataset: bool) -> Dataset:
    """What `Dataset.choose_from_datasets` does."""
    if not datasets:
        raise ValueError("Invalid `datasets`. `datasets` should not be empty.")
    if not hasattr(choice, "_variant_tensor"):
        raise TypeError(f"Invalid `choice_dataset`. `choice_dataset` should be a `tf.data.Dataset` but is {type(choice)}.")
    if not structure.is_compatible(choice.element_spec, TensorSpec(TensorShape(()), int64)):
        raise TypeError(f"Invalid `choice_dataset`. Elements of `choice_dataset` must be scalar `tf.int64` tensors but are {choice.element_spec}.")
    return _directed(choice._rewritten(), datasets, stop_on_empty_dataset)


def sampled(kind: type[Dataset], datasets: Sequence[Dataset], weights: Any, seed: int | None, stop_on_empty_dataset: bool) -> Dataset:
    """What `Dataset.sample_from_datasets` does."""
    if not datasets:
        raise ValueError("Invalid `datasets`. `datasets` should not be empty.")
    if isinstance(weights, kind):
        logits_of_each = weights.map(_logits)
        both = kind.zip((logits_of_each, kind.random(seed=seed).batch(2)))
        return _directed(both.map(_select_dataset_varying_logits), datasets, stop_on_empty_dataset)
    logits: Any = [[1.0] * len(datasets)]
    if weights is not None:
        if not isinstance(weights, Tensor):
            if len(datasets) != len(weights):
                raise ValueError(
                    f"Invalid `weights`. `weights` should have the same length as `datasets` but got `len(weights)={len(weights)}` vs. "
                    f"`len(datasets)={len(datasets)}`."
                )
            weighed = [(dataset, weight) for dataset, weight in zip(datasets, weights, strict=True) if weight > 0]
            datasets, weights = zip(*weighed, strict=True) if weighed else ([datasets[0].take(0)], [1.0])
        elif not weights.shape.is_compatible_with([len(datasets)]):
            raise ValueError(f"Invalid `weights`. The shape of `weights` should be compatible with `[len(datasets)]` but is {weights.shape}.")
        weights = convert_to_tensor(weights, name="weights")
        if weights.dtype.base_dtype not in (float32, float64):
            raise TypeError(f"Invalid `weights`. `weights` type must be either `tf.float32` or `tf.float64` but is {weights.dtype}.")
        logits = expand_dims(log(weights, name="logits"), 0)
    if len(datasets) == 1:
        return datasets[0]

    def select_dataset_constant_logits(seeds: Any) -> Tensor:
        return squeeze(stateless_multinomial(logits, 1, seed=seeds), axis=[0, 1])

    return _directed(kind.random(seed=seed).batch(2).map(select_dataset_constant_logits), datasets, stop_on_empty_dataset)


def _logits(*weights: Any) -> Tensor:
    return log(weights, name="logits")


def _select_dataset_varying_logits(logits: Any, seeds: Any) -> Tensor:
    return squeeze(stateless_multinomial(logits, 1, seed=seeds), axis=[0, 1])


def _directed(selector: Dataset, datasets: Sequence[Dataset], stop_on_empty_dataset: bool) -> Dataset:
    spec = datasets[0].element_spec
    for number, dataset in enumerate(datasets[1:]):
        try:
            spec = structure.common(spec, dataset.element_spec)
        except ValueError:
            raise TypeError(
                f"Invalid `datasets`. `datasets` must have compatible element specs.\n Dataset 0 element_spec={datasets[0].element_spec}.\n"
                f"Dataset {number + 1} element_spec={dataset.element_spec}."
            ) from None
    variants = [dataset._variant_tensor for dataset in datasets]
    return selector._then("DirectedInterleaveDataset", spec, variants, stop_on_empty_dataset=stop_on_empty_dataset)
