"""Checkpoints that we write as users do, with a `.meta` and aligned tensors: TensorFlow restores them in each of its three ways."""

import json

import pytest

import gpersist
from gpersist.dtypes import from_numpy

from . import cases

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

TIMES = ["once", "twice"]
HOW = ["RestoreV2", "reader", "saver"]
NOT_IN_META = {*cases.SMALL, "qint16", "a name with blanks", "имя/变量"}
"""Names that TensorFlow takes for no node, and dtypes that it assigns to no variable: the Saver of our `.meta` leaves them out."""


def arrays_to_save(name):
    """Partitioned tensors in the parts of the case, all else as it is."""
    arrays = cases.wholes(name)
    for row in cases.CASES[name].rows:
        if row.shape_and_slice:
            text = row.shape_and_slice.split()[-1]
            if not isinstance(arrays[row.name], gpersist.PartitionedArray):
                arrays[row.name] = gpersist.PartitionedArray(arrays[row.name].shape, [])
            arrays[row.name].parts.append((text, row.array))
    return arrays


@pytest.fixture(scope="module")
def restored(tensorflow, tmp_path_factory):
    """What TensorFlow found, by case, times saved, and way of restoring."""
    keys, tasks = [], []
    for name in cases.SMALL_CASES:
        for times in TIMES:
            prefix = tmp_path_factory.mktemp(f"{name}_{times}") / "ckpt-1"
            options = {"shards": cases.CASES[name].shards or 1}
            if times == "twice":
                gpersist.save(prefix, {key: cases.others(array) for key, array in cases.wholes(name).items()}, **options)
            gpersist.save(prefix, arrays_to_save(name), **options)
            dtypes = {key: from_numpy(array.dtype).name for key, array in cases.wholes(name).items()}
            keys += [(name, times, how) for how in HOW]
            tasks += [{"how": how, "prefix": str(prefix), "dtypes": dtypes} for how in HOW]
    answers = json.loads(tensorflow("tensorflow_reads.py", input=json.dumps(tasks)))
    return dict(zip(keys, answers, strict=True))


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("times", TIMES)
@pytest.mark.parametrize("name", cases.SMALL_CASES)
def test_tensorflow_restores(name, times, how, restored):
    expected = {key: cases.told(array) for key, array in cases.wholes(name).items()}
    if how == "saver":
        expected = {key: told for key, told in expected.items() if key not in NOT_IN_META}
    assert restored[name, times, how] == expected
