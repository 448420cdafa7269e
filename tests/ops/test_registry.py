"""Walks the registry: each operation is what TensorFlow's OpDef says, gives what its signature and its shapes promise, and has a right gradient."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import gpersist.ops  # noqa: F401  # registers the operations
import tests.ops.scenarios_batch_functions
import tests.ops.scenarios_dataset_experiments
import tests.ops.scenarios_datasets
import tests.ops.scenarios_functional
import tests.ops.scenarios_host
import tests.ops.scenarios_loops
import tests.ops.scenarios_printing
import tests.ops.scenarios_queues
import tests.ops.scenarios_ragged
import tests.ops.scenarios_random
import tests.ops.scenarios_readers
import tests.ops.scenarios_saving
import tests.ops.scenarios_slices
import tests.ops.scenarios_sparse_matrices
import tests.ops.scenarios_stateful
import tests.ops.scenarios_training
import tests.ops.scenarios_variables  # noqa: F401
from gpersist import protos
from gpersist.devices import use_virtual
from gpersist.dtypes import float32, float64
from gpersist.graph import (
    Graph,
    Operation,
    OpType,
    Sample,
    Session,
    SessionOpType,
    apply_op,
    constant_value,
    convert_to_tensor,
    find_op_type,
    get_op_type,
    op_type_names,
)
from gpersist.ops import placeholder
from tests.ops.samples import arrays_of
from tests.ops.scenarios import SCENARIOS

_OP_DEFS = protos.OpList.FromString((Path(__file__).parents[1] / "golden" / "ops" / "op_defs.binpb").read_bytes())
_GOLDEN = {op.name: op for op in _OP_DEFS.op}

_AT_INDICES = ("GatherNd", "ScatterNd", "ScatterNdNonAliasingAdd", *(f"TensorScatter{how}" for how in ("Update", "Add", "Sub", "Min", "Max")))

NEWER_THAN_1_15 = {
    **{name: {"bad_indices_policy"} for name in _AT_INDICES},
    "MatMul": {"grad_a", "grad_b"},
    **{name: {"grad_x", "grad_y"} for name in ("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3")},
    **{f"SparseSegment{kind}{tail}": {"sparse_gradient"} for kind in ("Sum", "Mean", "SqrtN") for tail in ("", "WithNumSegments")},
    "VarHandleOp": {"debug_name", "allowed_devices"},
    "AssignVariableOp": {"validate_shape"},
    "TensorListSetItem": {"resize_if_index_out_of_bounds"},
    **{f"{prefix}ScatterNd{kind}": {"bad_indices_policy"} for prefix in ("", "Resource") for kind in ("Update", "Add", "Sub", "Min", "Max")},
    "FusedBatchNorm": {"exponential_avg_factor"},
    "FusedBatchNormV2": {"exponential_avg_factor"},
    "FusedBatchNormV3": {"exponential_avg_factor"},
    **{f"{kind}Apply{name}": {"multiply_linear_by_lr"} for kind in ("", "Resource", "Sparse", "ResourceSparse") for name in ("Ftrl", "FtrlV2")},
    "CTCGreedyDecoder": {"blank_index"},
    "QuantizeV2": {"narrow_range", "axis", "ensure_minimum_range"},
    "Dequantize": {"narrow_range", "axis"},
    "QuantizeAndDequantizeV2": {"narrow_range", "axis"},
    "QuantizeAndDequantizeV3": {"narrow_range", "axis"},
    "MaxPool": {"explicit_paddings"},
    "MaxPoolGrad": {"explicit_paddings"},
    "DepthwiseConv2dNative": {"explicit_paddings"},
    "DepthwiseConv2dNativeBackpropInput": {"explicit_paddings"},
    "DepthwiseConv2dNativeBackpropFilter": {"explicit_paddings"},
    **{name: {"metadata"} for name in op_type_names() if "Dataset" in name},
    "BatchFunction": {
        "low_priority_max_batch_size",
        "low_priority_batch_timeout_micros",
        "low_priority_allowed_batch_sizes",
        "low_priority_max_enqueued_batches",
        "mixed_priority_policy",
        "batch_padding_policy",
    },
    **{name: {"ragged_keys", "ragged_value_types", "ragged_split_types"} for name in ("ParseExampleDataset", "ParseExampleDatasetV2")},
    "TensorSliceDataset": {"metadata", "is_files", "replicate_on_split"},
    "RangeDataset": {"metadata", "replicate_on_split"},
    "MapDataset": {"metadata", "force_synchronous"},
    "ParallelMapDatasetV2": {"metadata", "use_unbounded_threadpool"},
    "PrefetchDataset": {"metadata", "buffer_size_min"},
    "ModelDataset": {"ram_budget"},
    "ShuffleAndRepeatDataset": {"metadata", "reshuffle_each_iteration"},
}
"""Attributes that TensorFlow has added since 1.15, which could not read a node with them. All have defaults."""

_STATELESS = [name for name in op_type_names() if not issubclass(get_op_type(name), SessionOpType)]
_SAMPLES = [(name, sample) for name in _STATELESS for sample in get_op_type(name).samples]
_IDS = [f"{name}-{number}" for name in _STATELESS for number in range(len(get_op_type(name).samples))]
_WITH_GRADIENT = [
    pytest.param(name, sample, id=identity)
    for (name, sample), identity in zip(_SAMPLES, _IDS, strict=True)
    if get_op_type(name).gradient is not None and sample.has_gradient
]


@pytest.mark.parametrize("name", op_type_names())
def test_op_def_is_tensorflows(name: str) -> None:
    wanted = _GOLDEN[name]
    kept = [attr for attr in wanted.attr if attr.name not in NEWER_THAN_1_15.get(name, ())]
    assert all(attr.HasField("default_value") for attr in wanted.attr if attr not in kept)
    del wanted.attr[:]
    wanted.attr.extend(kept)
    wanted.ClearField("is_distributed_communication")  # newer than 1.15 as well
    assert get_op_type(name).op_def() == wanted


@pytest.mark.parametrize("name", op_type_names())
def test_is_tried(name: str) -> None:
    """An operation comes with samples, or, where it needs a session, with a scenario in tests/ops/scenarios.py."""
    assert name in SCENARIOS or (get_op_type(name).samples and not issubclass(get_op_type(name), SessionOpType))


@pytest.mark.parametrize("name", [name for name in op_type_names() if name in SCENARIOS])
@pytest.mark.parametrize("device_count", [0, 2])
def test_scenario(name: str, device_count: int) -> None:
    with use_virtual(device_count), Graph().as_default(), Session() as session:
        SCENARIOS[name](session)


_WANT_SHAPES = ("BatchToSpaceND", "ParallelConcat", "SpaceToBatchND")
"""Of inputs whose shapes are not known, no node of these can be added; so it is in TensorFlow."""


@pytest.mark.parametrize(("name", "sample"), _SAMPLES, ids=_IDS)
def test_runs_as_told(name: str, sample: Sample, xp: ModuleType) -> None:
    """Its outputs have the types and the shapes that the graph says; CuPy gives what NumPy gives."""
    op_type = get_op_type(name)
    inputs = arrays_of(sample)
    with Graph().as_default() as graph, graph.device("/device:CPU:0"):
        op = apply_op(name, *[_placeholders(value) for value in inputs], name="tried", **sample.attrs)
        unknown = [_placeholders(value, is_vague=name not in _WANT_SHAPES) for value in inputs]
        vague = apply_op(name, *unknown, name="tried", **sample.attrs)
        with Session() as session:
            outputs = session.run(op.outputs, dict(zip(op.inputs, _flat(inputs), strict=True)))
    results = _run(op_type, op, inputs, xp)
    assert len(results) == len(op.outputs)
    for result, output, tensor, unsure in zip(results, outputs, op.outputs, vague.outputs, strict=True):
        assert result.dtype == tensor.dtype.numpy
        assert tensor.shape.is_compatible_with(result.shape)
        assert unsure.shape.is_compatible_with(result.shape)
        plain = result.get() if hasattr(result, "get") else result
        plain = plain[plain.dtype.names[0]] if plain.dtype.names else plain  # a session gives the numbers of quantised types
        if plain.dtype == object:
            assert np.asarray(output, object).tolist() == plain.tolist()
        else:
            np.testing.assert_allclose(output, plain, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "sample"), _SAMPLES, ids=_IDS)
def test_changes_no_input(name: str, sample: Sample) -> None:
    inputs = arrays_of(sample)
    with Graph().as_default():
        op = apply_op(name, *[_placeholders(value) for value in inputs], name="tried", **sample.attrs)
        for array in _flat(inputs):
            array.flags.writeable = False
        _run(get_op_type(name), op, inputs, np)


@pytest.mark.parametrize(("name", "sample"), _SAMPLES, ids=_IDS)
def test_is_folded_to_what_it_gives(name: str, sample: Sample) -> None:
    """Where shape inference knows the values of outputs, they are those that running gives."""
    inputs = arrays_of(sample)
    with Graph().as_default(), Session() as session:
        op = apply_op(name, *[_constants(value) for value in inputs], name="tried", **sample.attrs)
        for output in op.outputs:
            folded = constant_value(output)
            if get_op_type(name).is_foldable:
                assert folded is not None
            if folded is not None:
                np.testing.assert_array_equal(folded, session.run(output))


@pytest.mark.parametrize(("name", "sample"), _WITH_GRADIENT)
def test_gradient_is_the_numeric_one(name: str, sample: Sample) -> None:
    """Compares the gradient with differences, in float64 where the operation takes that."""
    inputs = [_widened(name, value) for value in arrays_of(sample)]
    generator = np.random.default_rng(11)
    with Graph().as_default(), Session() as session:
        op = apply_op(name, *[_placeholders(value) for value in inputs], name="tried", **sample.attrs)
        flat = _flat(inputs)
        feeds = dict(zip(op.inputs, flat, strict=True))
        if not op.outputs or not op.outputs[0].dtype.is_floating:
            pytest.skip("its outputs are no real numbers")
        weights = [generator.uniform(0.5, 1.5, np.shape(value)).astype(value.dtype) for value in session.run(op.outputs, feeds)]
        grads = get_op_type(name).gradient(op, *[convert_to_tensor(weight) for weight in weights])
        grads = list(grads) if isinstance(grads, (list, tuple)) else [grads]
        assert len(grads) == len(op.inputs)
        for index, (tensor, grad) in enumerate(zip(op.inputs, grads, strict=True)):
            if grad is None or not tensor.dtype.is_floating:
                continue
            assert grad.dtype.base_dtype is tensor.dtype.base_dtype
            assert grad.shape.is_compatible_with(tensor.shape)
            found = session.run(convert_to_tensor(grad), feeds)
            wanted = _differences(session, op, feeds, flat, index, weights)
            tolerance = 1e-5 if tensor.dtype is float64 else 2e-2
            np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def test_of_an_unknown_name() -> None:
    assert find_op_type("NoSuchOperation") is None
    with pytest.raises(LookupError, match="Op type not registered 'NoSuchOperation'"):
        get_op_type("NoSuchOperation")


def test_names_are_taken_once() -> None:
    with pytest.raises(RuntimeError, match=r"operation 'MatMul' is defined twice: in gpersist\.ops\.matmul and in"):
        type("MatMul", (OpType,), {})


def _run(op_type: type[OpType], op: Operation, inputs: list[Any], xp: ModuleType) -> list[Any]:
    host = {arg.name for arg in op_type.signature().inputs if arg.name in op_type.host_inputs}
    values = [
        value if arg.name in host else [_on(xp, item) for item in value] if isinstance(value, list) else _on(xp, value)
        for arg, value in zip(op_type.signature().inputs, inputs, strict=True)
    ]
    if xp is not np and (op_type.is_host_only or any(array.dtype == object for array in _flat(inputs))):
        pytest.skip("stays on the host")
    result = op_type.run(xp, *values, **{name: op.attr(name) for name in op_type.run_attrs})
    return [] if not op.outputs else [result] if len(op.outputs) == 1 and not isinstance(result, (list, tuple)) else list(result)


def _on(xp: ModuleType, array: Any) -> Any:
    return array if array.dtype == object else xp.asarray(array)


def _flat(values: list[Any]) -> list[Any]:
    return list(itertools.chain.from_iterable(value if isinstance(value, list) else [value] for value in values))


def _placeholders(value: Any, *, is_vague: bool = False) -> Any:
    if isinstance(value, list):
        return [_placeholders(item, is_vague=is_vague) for item in value]
    return placeholder(value.dtype if value.dtype != object else "string", None if is_vague else value.shape)


def _constants(value: Any) -> Any:
    return [convert_to_tensor(item) for item in value] if isinstance(value, list) else convert_to_tensor(value)


def _widened(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_widened(name, item) for item in value]
    allowed = [attr.allowed for attr in get_op_type(name).signature().attrs if attr.kind == "type" and attr.allowed]
    takes_double = all(float64 in types for types in allowed if any(dtype.is_floating for dtype in types))
    args = (*get_op_type(name).signature().inputs, *get_op_type(name).signature().outputs)
    takes_double = takes_double and not any(arg.dtype is float32 for arg in args)
    return value.astype(np.float64) if value.dtype == np.float32 and takes_double else value


def _differences(session: Session, op: Operation, feeds: dict[Any, Any], flat: list[Any], index: int, weights: list[Any]) -> Any:
    array = flat[index]
    step = 1e-6 if array.dtype == np.float64 else 1e-2
    result = np.zeros(array.shape)
    for position in np.ndindex(array.shape):
        sums = []
        for change in (step, -step):
            moved = array.copy()
            moved[position] += change
            outputs = session.run(op.outputs, feeds | {op.inputs[index]: moved})
            sums.append(sum(float(np.sum(np.float64(output) * weight)) for output, weight in zip(outputs, weights, strict=True)))
        result[position] = (sums[0] - sums[1]) / (2 * step)
    return result
