"""For each operation that needs a session: a small program, and what it gives on any device."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gpersist import ops
from gpersist.errors import FailedPreconditionError, InvalidArgumentError
from gpersist.graph import Session, apply, apply_op

SCENARIOS: dict[str, Callable[[Session], None]] = {}


def scenario(*op_names: str) -> Callable[[Callable[[Session], None]], Callable[[Session], None]]:
    def enter(program: Callable[[Session], None]) -> Callable[[Session], None]:
        SCENARIOS.update(dict.fromkeys(op_names, program))
        return program

    return enter


def _equal(found: Any, wanted: Any) -> None:
    np.testing.assert_array_equal(found, wanted)


@scenario("Placeholder")
def placeholder(session: Session) -> None:
    x = ops.placeholder("float32", [None, 2], name="x")
    _equal(session.run(x + 1.0, {x: [[1, 2]]}), [[2, 3]])
    with pytest.raises(InvalidArgumentError, match=r"You must feed a value for placeholder tensor 'x' with dtype float and shape \[\?,2\]"):
        session.run(x + 1.0)


@scenario("PlaceholderV2")
def placeholder_of_2016(session: Session) -> None:
    x = apply("PlaceholderV2", dtype="float32", shape=[], name="x")
    assert x.shape.as_list() == []
    assert session.run(x + 1.0, {x: 2.0}) == 3
    with pytest.raises(InvalidArgumentError, match="You must feed a value for placeholder tensor 'x'"):
        session.run(x)


@scenario("VariableV2", "Assign", "AssignAdd", "AssignSub", "IsVariableInitialized")
def reference_variable(session: Session) -> None:
    v = ops.Variable([1.0, 2.0], name="v")
    is_set = ops.is_variable_initialized(v)
    assert not session.run(is_set)
    with pytest.raises(FailedPreconditionError, match="Attempting to use uninitialized value v"):
        session.run(v + 1.0)
    with pytest.raises(FailedPreconditionError, match="Attempting to use uninitialized value v"):
        session.run(v.assign_add([1.0, 1.0]))
    session.run(v.initializer)
    assert session.run(is_set)
    _equal(session.run(v.assign_add([1.0, 1.0])), [2, 3])
    _equal(session.run(v.assign_sub([2.0, 0.0])), [0, 3])
    _equal(session.run(v.assign([7.0, 8.0])), [7, 8])
    with pytest.raises(InvalidArgumentError, match=r"Assign requires shapes of both tensors to match. lhs shape= \[2\] rhs shape= \[3\]"):
        session.run(ops.assign(v, ops.placeholder_with_default([1.0, 2.0, 3.0], [None])))
    with pytest.raises(InvalidArgumentError, match=r"variable 'v' has shape \[2\], the value \[3\]"):
        session.run(ops.assign_add(v, ops.placeholder_with_default([1.0, 2.0, 3.0], [None])))
    _equal(session.run(v), [7, 8])
    _equal(session.run(ops.assign(v, [1.0], validate_shape=False)), [1])


@scenario("Variable")
def old_variable(session: Session) -> None:
    v = apply("Variable", shape=[], dtype="float32", name="old")
    assert v.shape.rank is None
    _equal(session.run(ops.assign(v, [1.0, 2.0])), [1, 2])


@scenario("Switch", "RefSwitch", "Merge")
def branches(session: Session) -> None:
    pred, x = ops.placeholder("bool", []), ops.constant([1.0, 2.0])
    no, yes = apply_op("Switch", x, pred).outputs
    with ops.control_dependencies([ops.identity(no)]):
        five = ops.constant([5.0, 5.0])  # there only where `no` is
    merged = apply_op("Merge", [five + 1.0, ops.negative(yes)])
    _equal(session.run(merged.outputs[0], {pred: True}), [-1, -2])
    _equal(session.run(merged.outputs[0], {pred: False}), [6, 6])
    assert session.run(merged.outputs[1], {pred: True}) == 1
    assert session.run(merged.outputs[1], {pred: False}) == 0
    with pytest.raises(InvalidArgumentError, match="a fetched tensor has no value"):
        session.run(yes, {pred: False})
    v = ops.Variable([3.0], name="v")
    ref = apply_op("RefSwitch", v._ref(), pred).outputs[1]
    chosen = apply("Merge", [ops.identity(ref), apply_op("Switch", v.initial_value * 2.0, pred).outputs[0]])
    _equal(session.run(chosen, {pred: False}), [6])  # not read, hence no error
    session.run(v.assign([4.0]))
    _equal(session.run(chosen, {pred: True}), [4])


@scenario(
    "VarHandleOp",
    "ReadVariableOp",
    "AssignVariableOp",
    "AssignAddVariableOp",
    "AssignSubVariableOp",
    "VarIsInitializedOp",
    "VariableShape",
)
def resource_variable(session: Session) -> None:
    v = ops.Variable([1.0, 2.0], name="v", use_resource=True)
    is_set = ops.is_variable_initialized(v)
    assert not session.run(is_set)
    with pytest.raises(FailedPreconditionError, match="Attempting to use uninitialized value v"):
        session.run(v + 1.0)
    session.run(v.initializer)
    assert session.run(is_set)
    _equal(session.run(v.assign_add([1.0, 1.0])), [2, 3])
    _equal(session.run(v.assign_sub([2.0, 0.0])), [0, 3])
    _equal(session.run(v.assign([7.0, 8.0])), [7, 8])
    _equal(session.run(apply("VariableShape", v.handle)), [2])
    session.run(apply_op("AssignVariableOp", v.handle, ops.placeholder_with_default([1.0, 2.0, 3.0], [None])))
    _equal(session.run(apply("ReadVariableOp", v.handle, dtype="float32")), [1, 2, 3])  # TensorFlow lets it take another shape
    with pytest.raises(InvalidArgumentError, match="variable 'v' is float32, the value int32: cast it"):
        session.run(apply_op("AssignVariableOp", v.handle, [1, 2]))


@scenario("EncodeJpeg", "EncodeJpegVariableQuality", "DecodeAndCropJpeg")
def jpeg_file(session: Session) -> None:
    pytest.importorskip("PIL")
    pytest.importorskip("simplejpeg")
    image = np.add.outer(np.arange(20) * 3, np.arange(30))[:, :, None].repeat(3, 2).astype(np.uint8)
    file = session.run(apply("EncodeJpeg", image, quality=60))
    _equal(session.run(apply("EncodeJpegVariableQuality", image, 60)) == file, True)
    whole, part = session.run([apply("DecodeJpeg", file), apply("DecodeAndCropJpeg", file, [2, 16, 5, 4])])
    assert whole.shape == (20, 30, 3) and abs(whole.astype(int) - image).max() < 20
    assert part.shape == (5, 4, 3)
    for window in ([2, 16, 50, 4], [-1, 0, 2, 2]):
        with pytest.raises(InvalidArgumentError, match="crop window"):
            session.run(apply("DecodeAndCropJpeg", file, window))


@scenario("DecodeWebP")
def webp_file(session: Session) -> None:
    images = pytest.importorskip("PIL.Image")
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    target = io.BytesIO()
    images.fromarray(image).save(target, "WEBP", lossless=True)
    _equal(session.run(apply("DecodeWebP", target.getvalue())), image[None])
    with pytest.raises(InvalidArgumentError, match="WebP"):
        session.run(apply("DecodeWebP", target.getvalue()[:30]))


@scenario("SampleDistortedBoundingBox", "SampleDistortedBoundingBoxV2")
def sampled_box(session: Session) -> None:
    boxes = np.array([[[0.1, 0.2, 0.9, 0.8]]], np.float32)
    ops_found = [
        apply_op("SampleDistortedBoundingBoxV2", [40, 57, 3], boxes, 0.5, seed=1, seed2=7),
        apply_op("SampleDistortedBoundingBox", [40, 57, 3], boxes, seed=1, seed2=7, min_object_covered=0.5),
    ]
    (begin, size, box), other = session.run([list(op.outputs) for op in ops_found])
    _equal(begin, other[0])
    np.testing.assert_allclose(np.concatenate([begin[:2], begin[:2] + size[:2]]) / [40, 57, 40, 57], box.reshape(-1), rtol=1e-6)
    with pytest.raises(InvalidArgumentError, match="No bounding boxes provided as input"):
        session.run(apply_op("SampleDistortedBoundingBoxV2", [40, 57, 3], np.zeros((1, 0, 4), np.float32), 0.5).outputs[0])


@scenario("RandomCrop")
def random_part(session: Session) -> None:
    image = np.arange(60.0, dtype=np.float32).reshape(4, 5, 3)
    part = session.run(apply("RandomCrop", image, np.array([2, 3], np.int64), seed=1))
    row, column = divmod(int(part[0, 0, 0]) // 3, 5)
    _equal(part, image[row : row + 2, column : column + 3])
    with pytest.raises(FailedPreconditionError, match="target_width"):
        session.run(apply("RandomCrop", image, np.array([2, 30], np.int64)))
