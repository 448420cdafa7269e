from __future__ import annotations

import logging

import pytest

from gpersist import ops, protos
from gpersist.devices import use_virtual
from gpersist.errors import DeviceNotFoundError, InvalidArgumentError
from gpersist.graph import Graph, Session, apply_op
from tests.graph.namespace import tf


@pytest.fixture(autouse=True)
def _graph():
    with use_virtual(2), Graph().as_default():
        yield


def _placed(*elements) -> list[str]:
    with Session() as session:
        return [session.device_of(element).name.removeprefix("/device:") for element in elements]


def test_what_nobody_placed() -> None:
    """Numbers go to the first GPU; text, and ints that only count, to the host."""
    number, text, count = ops.constant(1.0), ops.constant("a"), ops.constant(1)
    made = [number + 1.0, ops.identity(text), count + 1, ops.cast(count, "float32"), ops.constant(1, "int64"), ops.no_op()]
    assert _placed(number, text, count, *made) == ["GPU:0", "CPU:0", "CPU:0", "GPU:0", "CPU:0", "CPU:0", "GPU:0", "GPU:0", "GPU:0"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("/gpu:1", "GPU:1"),
        ("/device:GPU:*", "GPU:0"),
        ("/cpu:0", "CPU:0"),
        ("/job:localhost/replica:0/task:0/device:GPU:1", "GPU:1"),
        ("/job:localhost", "GPU:0"),
        ("/gpu", "GPU:0"),
    ],
)
def test_named(wanted: str, found: str) -> None:
    with tf.device(wanted):
        op = ops.identity(1.0)
    assert _placed(op) == [found]


def test_what_belongs_to_a_variable_is_where_it_is() -> None:
    with tf.device("/gpu:1"):
        v, w = ops.Variable([1.0], name="v"), ops.Variable([1.0], name="w", use_resource=True)
    late = ops.assign_add(v, [1.0])
    with tf.colocate_with(v):
        other = ops.no_op()
    elements = [v, v.initializer, v.value(), late, other, w, w.initializer, w.read_value().op.inputs[0], ops.is_variable_initialized(v)]
    assert _placed(*elements) == ["GPU:1"] * len(elements)


def test_added_after_the_variable_was_placed() -> None:
    with tf.device("/gpu:1"):
        v = ops.Variable([1.0], name="v")
    with Session() as session:
        session.run(v.initializer)
        late = v.assign_add([1.0])
        assert session.run(late).tolist() == [2.0]
        assert session.device_of(late).name == "/device:GPU:1"


def test_what_names_itself_wins_over_nothing() -> None:
    """A colocated node names the device; the group goes there."""
    a = ops.constant(1.0, name="a")
    with tf.colocate_with(a):
        b = ops.constant(2.0, name="b")
    b.op._set_device("/gpu:1")
    assert _placed(a, b) == ["GPU:1", "GPU:1"]


def test_a_device_that_is_not_there() -> None:
    with tf.device("/gpu:5"):
        for name in ("v1", "v2", "v3", "v4"):
            ops.Variable(1.0, name=name)
    with tf.device("/job:worker/task:1"):
        ops.no_op(name="far")
    with Session() as session, pytest.raises(InvalidArgumentError) as raised:
        session.run(ops.constant(1.0))
    text = str(raised.value)
    assert isinstance(raised.value, DeviceNotFoundError)
    assert text.startswith(
        "Cannot assign a device for operation v1/initial_value and 16 more: wanted '/device:GPU:5' by 16 nodes ('v1/initial_value', "
    )
    assert "'/job:worker/task:1' by 1 node ('far')" in text
    assert "available: /job:localhost/replica:0/task:0/device:CPU:0 (host), /job:localhost/replica:0/task:0/device:GPU:0 (virtual)" in text
    for way_out in ("clear_devices=True", "device_map=", "allow_soft_placement=True"):
        assert way_out in text
    assert "device_map={'/device:GPU:5': '/device:GPU:0'}" in text
    assert raised.value.op.name == "v1/initial_value"


def test_the_map_of_devices_that_is_offered_where_no_variable_is_lost_helps() -> None:
    """As with towers whose variables are on the host."""
    v = ops.Variable(1.0, name="v")
    with tf.device("/gpu:5"):
        ops.identity(v, name="far")
    with Session() as session, pytest.raises(DeviceNotFoundError, match=r"wanted '/device:GPU:5' by 1 node .*tf.device\(function\)") as raised:
        session.run(ops.constant(1.0))
    assert "device_map={'/device:GPU:5': '/device:GPU:0'}" in str(raised.value)


def test_text_on_a_gpu() -> None:
    with tf.device("/gpu:0"):
        ops.constant("text", name="t")
    with (
        Session() as session,
        pytest.raises(InvalidArgumentError, match=r"by 1 node \('t'\), which it cannot run; 1 node \('t'\) can only run on a CPU"),
    ):
        session.run("t:0")


def test_text_that_stays_in_the_hosts_memory() -> None:
    """As TensorFlow's GPUs have kernels of these for text too: an exported model's placeholder of examples is on the GPU beside the rest."""
    with tf.device("/gpu:0"):
        text = tf.placeholder("string", name="text")
        same, number = ops.identity(text, name="same"), ops.identity(1.0, name="number")
    with Session() as session:
        assert session.run([same, number], {text: "a"}) == [b"a", 1.0]
        assert [session.device_of(element).name for element in (text, same, number)] == ["/device:CPU:0", "/device:CPU:0", "/device:GPU:0"]
    with tf.device("/gpu:5"):
        tf.placeholder("string", name="lost")
    with Session() as session, pytest.raises(DeviceNotFoundError, match=r"wanted '/device:GPU:5' by 1 node \('lost'\); available"):
        session.run(number)


def test_soft_placement_takes_the_same_gpu_of_another_job(caplog: pytest.LogCaptureFixture) -> None:
    with tf.device("/job:worker/task:0/device:GPU:1"):
        v = ops.Variable([1.0], name="v")
    with tf.device("/job:worker/task:0/device:GPU:7"):
        far = ops.identity(1.0, name="far")
    with caplog.at_level(logging.WARNING, "gpersist"), Session(config=protos.ConfigProto(allow_soft_placement=True)) as session:
        session.run(v.initializer)
        assert [session.device_of(element).name for element in (v, far)] == ["/device:GPU:1", "/device:GPU:0"]
    assert "/job:worker/task:0/device:GPU:1 is not here, wanted by 4 nodes" in caplog.text


def test_soft_placement_takes_the_next_best_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with tf.device("/gpu:5"):
        v, text = ops.Variable([1.0], name="v"), ops.constant("a", name="text")
    with tf.device("/job:ps"):
        far = ops.identity(1.0, name="far")
    config = protos.ConfigProto(allow_soft_placement=True)
    with caplog.at_level(logging.WARNING, "gpersist"), Session(config=config) as session:
        session.run(v.initializer)
        assert session.run([v, text])[1] == b"a"
        assert [session.device_of(element).name for element in (v, text, far)] == ["/device:GPU:0", "/device:CPU:0", "/device:GPU:0"]
    assert (
        "/device:GPU:5 is not here, wanted by 4 nodes ('v/initial_value', 'v', 'v/Assign', ...); placed on /device:GPU:0 (soft placement)"
        in caplog.text
    )


def test_those_that_belong_together_name_different_devices() -> None:
    with tf.device("/gpu:0"):
        v = ops.Variable([1.0], name="v")
    read = v.value().op
    read._set_device("/gpu:1")
    with Session() as session, pytest.raises(InvalidArgumentError, match="Cannot colocate nodes 'v' and 'v/read'"):
        session.run(read)
    with Session(config=protos.ConfigProto(allow_soft_placement=True)) as session:
        assert session.device_of(read).name == "/device:GPU:0"


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize(
    ("variable", "update", "found"),
    [
        ("/gpu:1", "/gpu:0", "GPU:1"),
        ("/gpu:1", "/cpu:0", "GPU:1"),
        ("", "/gpu:1", "GPU:1"),
        ("/device:GPU:*", "/gpu:1", "GPU:1"),
        ("", "/cpu:0", "CPU:0"),
    ],
)
def test_what_changes_a_variable_goes_where_it_is(variable: str, update: str, found: str, use_resource: bool) -> None:
    with tf.device(variable):
        v = ops.Variable([1.0], name="v", use_resource=use_resource)
    with tf.device(update):
        added = v.assign_add([1.0])
    changing = next(op for op in v.graph.get_operations() if op.type in ("AssignAdd", "AssignAddVariableOp"))
    changing._set_device(update)
    assert _placed(v, changing) == [found] * 2
    with Session() as session:
        session.run(v.initializer)
        assert session.run(added).tolist() == [2.0]


def test_placement_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    ops.constant(1.0, name="c")
    with caplog.at_level(logging.INFO, "gpersist"), Session(config=protos.ConfigProto(log_device_placement=True)) as session:
        session.run("c:0")
    assert "c: (Const): /job:localhost/replica:0/task:0/device:GPU:0" in caplog.text


def test_device_count() -> None:
    config = protos.ConfigProto(device_count={"CPU": 3, "GPU": 1})
    with tf.device("/cpu:2"):
        a = ops.identity([1.0, 2.0], name="a")
    with tf.device("/gpu:1"):
        ops.identity(1.0, name="b")
    with Session(config=config) as session:
        names = [device.name.rpartition("/device:")[2] for device in session.list_devices()]
        assert names == ["CPU:0", "CPU:1", "CPU:2", "GPU:0"]
        with pytest.raises(DeviceNotFoundError, match="wanted '/device:GPU:1'"):
            session.run(a)


def test_many_names_of_the_host_compute_alike() -> None:
    with tf.device("/cpu:1"):
        v = ops.Variable([1.0], name="v")
    with tf.device("/cpu:0"):
        x = v + 1.0
    with Session(config=protos.ConfigProto(device_count={"CPU": 2})) as session:
        session.run(v.initializer)
        assert session.run(x).tolist() == [2.0]


def test_switches_go_with_the_variable() -> None:
    with tf.device("/gpu:1"):
        v = ops.Variable([1.0], name="v")
    assert _placed(apply_op("RefSwitch", v._ref(), True)) == ["GPU:1"]


def test_what_has_no_device_kernel_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    unique = apply_op("Unique", ops.constant([1.0, 2.0, 1.0]), out_idx="int32").outputs
    text = apply_op("StringLength", ops.constant("text")).outputs[0]
    with caplog.at_level(logging.INFO, "gpersist"), Session() as session:
        session.run([*unique, text])
        session.run(unique[0])
    assert [record.getMessage() for record in caplog.records] == [
        "run on the host for lack of a device kernel, their tensors copied there and back: Unique"
    ]


def test_without_a_device_nothing_is_told_of_kernels(caplog: pytest.LogCaptureFixture) -> None:
    with use_virtual(0), caplog.at_level(logging.INFO, "gpersist"), Session() as session:
        session.run(apply_op("Unique", ops.constant([1.0]), out_idx="int32").outputs[0])
    assert not caplog.records
