"""Checkpoints that TensorFlow wrote: we read them, and we write the very same bytes."""

import filecmp

import numpy as np
import pytest

import gpersist

from . import cases

pytestmark = pytest.mark.timeout(300)
SAVERS = {"saver": "saver/model-7", "saver_sharded": "saver_sharded/model-7", "saver_v1": "saver_v1/model-7"}


def save_as_tensorflow_does(prefix, case):
    arrays = {}
    for row in case.rows:
        if not row.shape_and_slice:
            arrays[row.name] = row.array
            continue
        *extents, text = row.shape_and_slice.split()
        arrays.setdefault(row.name, gpersist.PartitionedArray(tuple(map(int, extents)), [])).parts.append((text, row.array))
    gpersist.save(prefix, arrays, shards=case.shards or 1, alignment_bytes=1, write_meta=False)


def check_same_files(case, theirs, folder):
    save_as_tensorflow_does(folder / theirs.name, case)
    names = sorted(path.name for path in theirs.parent.glob(f"{theirs.name}.*") if path.suffix != ".meta")
    assert sorted(path.name for path in folder.iterdir()) == names
    assert filecmp.cmpfiles(theirs.parent, folder, names, shallow=False) == (names, [], [])


def told(arrays):
    return {name: cases.told(array) for name, array in arrays.items()}


@pytest.mark.parametrize("name", cases.SMALL_CASES)
def test_our_files_equal_theirs(name, written, tmp_path):
    check_same_files(cases.CASES[name], written / name, tmp_path)


@pytest.mark.parametrize(("saver", "shards"), [("saver", None), ("saver_sharded", cases.DEVICES_SHARDS)])
def test_our_files_equal_a_savers(saver, shards, written, tmp_path):
    check_same_files(cases.SAVED._replace(shards=shards), written / SAVERS[saver], tmp_path)


@pytest.mark.interop
@pytest.mark.parametrize("name", ["many", "many_sharded"])
def test_our_files_equal_theirs_when_the_index_has_many_blocks(name, fresh, tmp_path):
    check_same_files(cases.CASES[name], fresh / name, tmp_path)


@pytest.mark.parametrize("name", cases.SMALL_CASES)
def test_every_tensor_comes_back(name, written):
    assert told(gpersist.load(written / name)) == told(cases.wholes(name))


@pytest.mark.parametrize("saver", SAVERS)
def test_what_a_saver_wrote_comes_back(saver, written):
    assert told(gpersist.load(written / SAVERS[saver], placement="host")) == told(cases.put_together(cases.SAVED))


@pytest.mark.parametrize("saver", SAVERS)
def test_a_savers_folder_means_its_newest_checkpoint(saver, written):
    with gpersist.open(written / saver) as checkpoint:
        assert checkpoint.prefix == str(written / SAVERS[saver])


@pytest.mark.parametrize("saver", SAVERS)
def test_variables_go_where_their_nodes_say(saver, written):
    with gpersist.use_virtual_devices(2):
        arrays = gpersist.load(written / SAVERS[saver], ["dense/kernel", "dense/bias", "half", "global_step", "vocabulary"])
        places = {name: array.device.name if hasattr(array.device, "name") else "/device:CPU:0" for name, array in arrays.items()}
    assert places == {
        "dense/kernel": "/device:GPU:0",
        "dense/bias": "/device:GPU:1",
        "half": "/device:GPU:1",
        "global_step": "/device:CPU:0",
        "vocabulary": "/device:CPU:0",
    }


@pytest.mark.parametrize("saver", SAVERS)
def test_a_part_of_a_partitioned_variable_is_read_across_slices(saver, written):
    with gpersist.open(written / SAVERS[saver]) as checkpoint:
        np.testing.assert_array_equal(checkpoint["embedding"][2:9, 1:3], cases.EMBEDDING[2:9, 1:3])


def test_what_an_object_based_checkpoint_holds_comes_back(written):
    arrays = gpersist.load(written / "object_based")
    graph = arrays.pop("_CHECKPOINTABLE_OBJECT_GRAPH")
    assert b"kernel" in graph.item()
    suffix = "/.ATTRIBUTES/VARIABLE_VALUE"
    assert told(arrays) == told({"kernel" + suffix: np.array([[1, 2], [3, 4]], np.float32), "step" + suffix: np.int64(9)})
