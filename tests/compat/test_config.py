"""gpersist.compat.config and its like; the values without a GPU are TensorFlow 2.21's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import gpersist.compat.v1 as tf
from gpersist.compat import config
from gpersist.devices import use_virtual
from gpersist.errors import InvalidArgumentError, UnimplementedError
from gpersist.graph import set_default_config


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings = config._Settings()
    for room in ("config", "config_experimental"):
        monkeypatch.setattr(f"gpersist.compat.{room}._SETTINGS", settings)
    tf.reset_default_graph()
    yield
    set_default_config(None)


def test_devices() -> None:
    assert repr(tf.config.list_physical_devices()) == "[PhysicalDevice(name='/physical_device:CPU:0', device_type='CPU')]"
    assert tf.config.list_physical_devices("GPU") == tf.config.list_physical_devices("cpu") == []
    with use_virtual(2):
        assert [device.name for device in tf.config.experimental.list_physical_devices("GPU")] == ["/physical_device:GPU:0", "/physical_device:GPU:1"]
        assert [device.name for device in tf.config.list_logical_devices()] == ["/device:CPU:0", "/device:GPU:0", "/device:GPU:1"]
        assert tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])["device_name"].startswith("virtual")


def test_soft_placement_of_sessions_without_a_config() -> None:
    with tf.device("/gpu:0"):
        found = tf.constant(1.0) + tf.placeholder_with_default(1.0, [])
    with tf.Session() as session, pytest.raises(InvalidArgumentError):
        session.run(found)
    tf.config.set_soft_device_placement(True)
    assert tf.config.get_soft_device_placement()
    with tf.Session() as session:
        assert session.run(found) == 2.0
    with tf.Session(config=tf.ConfigProto()) as session, pytest.raises(InvalidArgumentError):
        session.run(found)


def test_visible_devices() -> None:
    with use_virtual(2):
        gpus = tf.config.list_physical_devices("GPU")
        tf.config.set_visible_devices(gpus[0], "GPU")
        assert [device.name for device in tf.config.list_logical_devices()] == ["/device:CPU:0", "/device:GPU:0"]
        assert [device.name[-5:] for device in tf.Session().list_devices()] == ["CPU:0", "GPU:0"]
        tf.config.set_visible_devices([], "GPU")
        assert tf.config.get_visible_devices() == tf.config.list_physical_devices("CPU")
        assert len(tf.Session().list_devices()) == 1
        with pytest.raises(UnimplementedError, match="CUDA_VISIBLE_DEVICES"):
            tf.config.set_visible_devices(gpus[1:], "GPU")
        for wrong in (3, tf.config.PhysicalDevice("/physical_device:GPU:7", "GPU")):
            with pytest.raises(ValueError, match="Unrecognized device"):
                tf.config.set_visible_devices(wrong)
        with pytest.raises(ValueError, match="Unrecognized device"):
            tf.config.set_visible_devices(gpus, "CPU")


def test_visible_device_list() -> None:
    def count(listed: str) -> int:
        with tf.Session(config=tf.ConfigProto(gpu_options=tf.GPUOptions(visible_device_list=listed))) as session:
            return len(session.list_devices())

    assert count("3") == 1
    with use_virtual(2):
        assert [count("0"), count("0,1"), count("")] == [2, 3, 3]
        with pytest.raises(InvalidArgumentError, match="invalid Device id '2' but visible device count is 2"):
            count("0,2")
        with pytest.raises(InvalidArgumentError, match="Could not parse entry in 'visible_device_list': 'x'"):
            count("x")
        with pytest.raises(UnimplementedError, match="CUDA_VISIBLE_DEVICES=1"):
            count("1")


def test_memory() -> None:
    cpu = tf.config.list_physical_devices()[0]
    with pytest.raises(ValueError, match="Cannot set memory growth on non-GPU"):
        tf.config.experimental.set_memory_growth(cpu, True)
    with use_virtual(1):
        gpu = tf.config.list_physical_devices("GPU")[0]
        tf.config.experimental.set_memory_growth(gpu, True)
        assert tf.config.experimental.get_memory_growth(gpu)
        limit = tf.config.LogicalDeviceConfiguration(memory_limit=1024)
        tf.config.experimental.set_virtual_device_configuration(gpu, [limit])
        assert tf.config.get_logical_device_configuration(gpu) == [limit]
        with pytest.raises(UnimplementedError, match="virtual devices"):
            tf.config.set_logical_device_configuration(gpu, [limit, limit])
    assert tf.config.get_logical_device_configuration(cpu) is None
    assert tf.config.experimental.get_device_details(cpu) == {}


def test_what_is_only_kept() -> None:
    assert [tf.config.threading.get_inter_op_parallelism_threads(), tf.config.threading.get_intra_op_parallelism_threads()] == [0, 0]
    assert tf.config.optimizer.get_jit() == ""
    assert tf.config.optimizer.get_experimental_options() == {"disable_meta_optimizer": False, "disable_model_pruning": False}
    assert not tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(False)


def test_names_of_later_programs() -> None:
    assert tf.compat.v1 is tf
    assert tf.compat.v1.train.Saver is tf.train.Saver

    @tf.autograph.experimental.do_not_convert
    def function() -> int:
        return 3

    @tf.autograph.experimental.do_not_convert()
    def other() -> int:
        return 4

    assert function() + other() == 7
