"""Programs whose operations name devices, for whatever devices there are: virtual ones, emulated GPUs, real ones. Two GPUs are needed."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from gpersist import ops, protos
from gpersist.errors import DeviceNotFoundError, InvalidArgumentError
from gpersist.graph import Graph, Session
from gpersist.train.meta_graph import import_meta_graph
from gpersist.train.saver import Saver
from tests.graph.namespace import tf

NAMES = ("v", "w", "r")


def places(session: Session, *elements) -> list[str]:
    return [session.device_of(element).name.removeprefix("/device:") for element in elements]


def saved(*devices: str, prefix: str = "./m") -> str:
    """A checkpoint with a `.meta` of three variables, the last one a resource, whose nodes name these devices."""
    with Graph().as_default():
        for number, (name, device) in enumerate(zip(NAMES, devices, strict=True)):
            with tf.device(device):
                ops.Variable(np.full(4, number, np.float32), name=name, use_resource=name == "r")
        saver = Saver()
        config = protos.ConfigProto(allow_soft_placement=True)  # to be saved here, wherever it belongs
        with Session(config=config) as session:
            session.run(ops.global_variables_initializer())
            return saver.save(session, prefix)


def restored(prefix: str, config=None, clear_devices: bool = False, **options) -> list[str]:
    """Where the variables of a checkpoint go; each has its value, in the memory of its device."""
    with Graph().as_default(), Session(config=config) as session:
        saver = import_meta_graph(f"{prefix}.meta", clear_devices=clear_devices)
        saver.restore(session, prefix, **options)
        elements = [session.graph.get_operation_by_name(name) for name in NAMES]
        for number, (name, op) in enumerate(zip(NAMES, elements, strict=True)):
            buffer = session.variables.find(name)
            assert buffer.device is session.device_of(op)
            assert buffer.device.owns(buffer.read())
            value = session.run("r/Read/ReadVariableOp:0" if name == "r" else f"{name}:0")
            assert value.tolist() == [number] * 4
        return places(session, *elements)


def case_restored_where_the_node_says() -> None:
    prefix = saved("/gpu:1", "/cpu:0", "/job:localhost/replica:0/task:0/device:GPU:0")
    assert restored(prefix) == ["GPU:1", "CPU:0", "GPU:0"]
    assert restored(prefix, clear_devices=True) == ["GPU:0"] * 3
    assert restored(prefix, device_map={"v": "/cpu:0", "r": "/gpu:1"}) == ["CPU:0", "CPU:0", "GPU:1"]
    assert restored(saved("", "", "")) == ["GPU:0"] * 3


def case_restored_from_a_cluster() -> None:
    """Jobs that are not here: refused, with every way out, each of which works."""
    prefix = saved("/job:worker/task:0/gpu:0", "/job:ps/task:1/cpu:0", "/job:worker/replica:0/task:3/device:GPU:7")
    with pytest.raises(DeviceNotFoundError, match=r"'/job:worker/task:0/device:GPU:0' by \d+ nodes") as raised:
        restored(prefix)
    assert isinstance(raised.value, InvalidArgumentError)
    assert "'/job:ps/task:1/device:CPU:0'" in str(raised.value)
    assert restored(prefix, clear_devices=True) == ["GPU:0"] * 3
    assert restored(prefix, device_map={"v": "/gpu:1", "w": "/cpu:0", "r": "/gpu:0"}) == ["GPU:1", "CPU:0", "GPU:0"]
    assert restored(prefix, protos.ConfigProto(allow_soft_placement=True)) == ["GPU:0", "CPU:0", "GPU:0"]


def case_colocation_chains() -> None:
    with Graph().as_default():
        with tf.device("/gpu:1"):
            a = ops.Variable([1.0], name="a")
        with tf.colocate_with(a):
            b = ops.constant(2.0, name="b")
        with tf.colocate_with(b.op), tf.device("/cpu:0"):  # the inner scope has no say: the device of a group is one
            c = ops.identity(3.0, name="c")
        assert c.op.colocation_groups() == [b"loc:@a"]
        assert c.device == "/device:GPU:1"
        with Session() as session:
            assert places(session, a, b, c, a.initializer, a.value()) == ["GPU:1"] * 5
            session.run(a.initializer)
            assert session.run(a + c).tolist() == [4.0]


def case_moved_between_devices() -> None:
    with Graph().as_default():
        with tf.device("/gpu:0"):
            x = ops.Variable([1.0, 2.0], name="x")
        with tf.device("/gpu:1"):
            y = ops.Variable([3.0, 4.0], name="y", use_resource=True)
            total = x + y
        with tf.device("/cpu:0"):
            product = total * 2.0
        update = ops.assign(x, product)
        with Session() as session:
            session.run(ops.global_variables_initializer())
            assert places(session, total, product, update, y.initializer) == ["GPU:1", "CPU:0", "GPU:0", "GPU:1"]
            assert session.run([product, update])[1].tolist() == [8.0, 12.0]
            assert session.run(total).tolist() == [11.0, 16.0]


def case_device_functions() -> None:
    def choose(op) -> str:
        return "/gpu:1" if op.type in ("VariableV2", "VarHandleOp") else "/cpu:0" if op.type == "Const" else op.device

    with Graph().as_default(), tf.device("/gpu:0"), tf.device(choose):
        v, r = ops.Variable([1.0], name="v"), ops.Variable([1.0], name="r", use_resource=True)
        with tf.device("/gpu:*"):
            z = ops.identity(v, name="z")
        with Session() as session:
            session.run([v.initializer, r.initializer])
            assert places(session, v, r, v.initializer, v.initial_value, z) == ["GPU:1", "GPU:1", "GPU:1", "CPU:0", "GPU:0"]
            assert session.run([z, r])[0].tolist() == [1.0]


def case_what_only_the_host_can(caplog: pytest.LogCaptureFixture) -> None:
    with Graph().as_default():
        with tf.device("/gpu:0"):
            text, number = ops.constant(["a"], name="text"), ops.constant(1.0, name="number")
        free, count = ops.identity(text, name="free"), ops.constant(1) + 1
        with Session() as session, pytest.raises(InvalidArgumentError, match="can only run on a CPU"):
            session.run(number)
        with caplog.at_level(logging.WARNING, "gpersist"), Session(config=protos.ConfigProto(allow_soft_placement=True)) as session:
            assert places(session, text, number, free, count) == ["CPU:0", "GPU:0", "CPU:0", "CPU:0"]
            assert session.run([free, count])[0].tolist() == [b"a"]
        assert "/device:GPU:0 cannot run 1 node ('text'); placed on /device:CPU:0 (soft placement)" in caplog.text


def case_wildcards() -> None:
    spellings = {
        "/gpu:1": "GPU:1",
        "/device:GPU:1": "GPU:1",
        "/GPU:*": "GPU:0",
        "/job:localhost/gpu:1": "GPU:1",
        "/job:*/replica:0/device:CPU:*": "CPU:0",
        "/task:0": "GPU:0",
        "": "GPU:0",
    }
    with Graph().as_default():
        made = []
        for spelling in spellings:
            with tf.device(spelling):
                made.append(ops.Variable(1.0))
        with Session() as session:
            assert places(session, *made) == list(spellings.values())


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
