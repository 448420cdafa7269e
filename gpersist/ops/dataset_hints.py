"""Operations that tell TensorFlow how to run a dataset and change none of its elements: graphs of its optimizer's and of Estimator's have them."""

from __future__ import annotations

from typing import Any

from gpersist.graph import Context
from gpersist.ops.dataset_ops import ONE, TYPED, make, make_with_twin
from gpersist.ops.dataset_values import DatasetValue

__all__: list[str] = []


def _same(ctx: Context, source: DatasetValue, *_: Any) -> DatasetValue:
    return source


def _first(ctx: Context, sources: list[DatasetValue]) -> DatasetValue:
    return sources[0]


def _named(ctx: Context) -> str:
    return ctx.op.name


_TOLD = "The same."

make("OptionsDataset", ONE, f"serialized_options: string, {TYPED}", _same, _TOLD)
make("ModelDataset", ONE, f"algorithm: int = 0, cpu_budget: int = 0, {TYPED}", _same, _TOLD)
make("OptimizeDataset", f"{ONE}, optimizations: string", f"{TYPED}, optimization_configs: list(string) = []", _same, _TOLD)
make(
    "OptimizeDatasetV2",
    f"{ONE}, optimizations_enabled: string, optimizations_disabled: string, optimizations_default: string",
    f"{TYPED}, optimization_configs: list(string) = []",
    _same,
    _TOLD,
)
make("RewriteDataset", f"{ONE}, rewrite_name: string", TYPED, _same, _TOLD)
make("FinalizeDataset", ONE, f"has_captured_ref: bool = false, {TYPED}", _same, _TOLD)
make(
    "PrefetchDataset",
    f"{ONE}, buffer_size: int64",
    f"{TYPED}, slack_period: int = 0, legacy_autotune: bool = true",
    _same,
    "The same: nothing is made ahead of time.",
)
make_with_twin("NonSerializableDataset", ONE, TYPED, _same, _TOLD)
make_with_twin("MaxIntraOpParallelismDataset", f"{ONE}, max_intra_op_parallelism: int64", TYPED, _same, _TOLD)
make_with_twin("PrivateThreadPoolDataset", f"{ONE}, num_threads: int64", TYPED, _same, _TOLD)
make_with_twin("ThreadPoolDataset", f"{ONE}, thread_pool: resource", TYPED, _same, _TOLD, is_stateful=True)
make_with_twin("AssertNextDataset", f"{ONE}, transformations: string", TYPED, _same, _TOLD)
make_with_twin("BytesProducedStatsDataset", f"{ONE}, tag: string", TYPED, _same, _TOLD)
make_with_twin("LatencyStatsDataset", f"{ONE}, tag: string", TYPED, _same, _TOLD)
make_with_twin(
    "ChooseFastestDataset", "input_datasets: N * variant", f"N: int >= 2, num_experiments: int, {TYPED}", _first, "The first of equal ones."
)
make_with_twin(
    "SetStatsAggregatorDataset", f"{ONE}, stats_aggregator: resource, tag: string, counter_prefix: string", TYPED, _same, _TOLD, is_stateful=True
)
_SHARED = "container: string = '', shared_name: string = ''"
make_with_twin("StatsAggregatorHandle", "", _SHARED, _named, "What would keep statistics.", outputs="handle: resource", is_stateful=True)
make_with_twin(
    "ThreadPoolHandle",
    "",
    f"num_threads: int, max_intra_op_parallelism: int = 1, display_name: string, {_SHARED}",
    _named,
    "What would stand for threads.",
    outputs="handle: resource",
    is_stateful=True,
)
