"""Scenarios of saving and restoring as operations."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

import gpersist
from gpersist import ops
from gpersist.errors import InvalidArgumentError, NotFoundError, PermissionDeniedError, UnimplementedError
from gpersist.graph import Graph, Session, apply, apply_op, import_graph_def
from tests.ops.scenarios import scenario


@scenario("SaveV2", "RestoreV2", "MergeV2Checkpoints")
def bundles(session: Session) -> None:
    v = ops.Variable(np.arange(4.0).reshape(2, 2), name="v")
    session.run(v.initializer)
    with tempfile.TemporaryDirectory() as folder:
        prefix, part, merged = (os.path.join(folder, name) for name in ("m", "part/m", "merged"))
        session.run(apply_op("SaveV2", prefix, ["v", "s"], ["", ""], [v, [b"x", b"yz"]]))
        session.run(apply_op("SaveV2", part, ["w", "w"], ["2 2 0,1:-", "2 2 1,1:-"], [v[:1], v[1:]]))
        read = apply_op("RestoreV2", prefix, ["s", "v"], ["", "2 2 -:1,1"], dtypes=["string", "float64"]).outputs
        texts, column = session.run(read)
        assert texts.tolist() == [b"x", b"yz"]
        assert column.tolist() == [[1.0], [3.0]]
        session.run(apply_op("MergeV2Checkpoints", [prefix, part], merged))
        assert sorted(os.listdir(folder)) == ["merged.data-00000-of-00002", "merged.data-00001-of-00002", "merged.index"]
        (whole,) = session.run(apply_op("RestoreV2", merged, ["w"], [""], dtypes=["float64"]).outputs)
        assert whole.tolist() == [[0.0, 1.0], [2.0, 3.0]]
        with pytest.raises(NotFoundError, match=r"Key nix not found in checkpoint\n.*\n?"):
            session.run(apply_op("RestoreV2", merged, ["nix"], [""], dtypes=["float64"]).outputs)
        with pytest.raises(InvalidArgumentError, match="'gone'"):
            session.run(apply_op("MergeV2Checkpoints", [merged, "gone"], prefix))


@scenario("Save", "SaveSlices", "Restore", "RestoreSlice")
def first_format(session: Session) -> None:
    v = ops.Variable(np.arange(4, dtype=np.int32).reshape(2, 2), name="v")
    session.run(v.initializer)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "m")
        session.run(apply_op("Save", path, ["v"], [v]))
        assert session.run(apply("Restore", path, "v", dt="int32")).tolist() == [[0, 1], [2, 3]]
        session.run(apply_op("SaveSlices", path, ["v", "w"], ["", "2 2 1,1:-"], [v, v[1:]]))
        assert session.run(apply("RestoreSlice", path, "w", "2 2 1,1:0,1", dt="int32")).tolist() == [[2]]
        with pytest.raises(NotFoundError, match=r"the folder '.*/gone' does not exist"):
            session.run(apply_op("Save", os.path.join(folder, "gone/m"), ["v"], [v]))


@scenario("GenerateVocabRemapping", "LoadAndRemapMatrix")
def words_of_another_list(session: Session) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "old").write_text("ant\nbee\ncat\n")
        Path(folder, "new").write_text("cat\nfox\nant\n")
        path = str(Path(folder, "model"))
        gpersist.save(path, {"words": np.arange(6, dtype=np.float32).reshape(3, 2)})
        places, count = apply_op("GenerateVocabRemapping", f"{folder}/new", f"{folder}/old", new_vocab_offset=0, num_new_vocab=3).outputs
        assert session.run(places).tolist() == [2, -1, 0]
        assert session.run(count) == 2
        none = np.zeros(0, np.int64)
        rows = apply("LoadAndRemapMatrix", path, "words", places, none, np.array([7, 8], np.float32), num_rows=3, num_cols=2)
        assert session.run(rows).tolist() == [[4, 5], [7, 8], [0, 1]]
        both = apply("LoadAndRemapMatrix", path, "words", [1], [1, -1, 0], np.array([9], np.float32), num_rows=1, num_cols=3)
        assert session.run(both).tolist() == [[3, 9, 2]]
        with pytest.raises(InvalidArgumentError, match="initializing_values contained 0 elements"):
            session.run(apply("LoadAndRemapMatrix", path, "words", places, none, np.zeros(0, np.float32), num_rows=3, num_cols=2))
        with pytest.raises(UnimplementedError, match="Old ID 1 is mapped to several"):
            session.run(apply("LoadAndRemapMatrix", path, "words", [1, 1], none, np.zeros(0, np.float32), num_rows=2, num_cols=2))
        with pytest.raises(NotFoundError):
            session.run(apply("LoadAndRemapMatrix", path, "letters", [1], none, np.zeros(0, np.float32), num_rows=1, num_cols=2))


@scenario("ImmutableConst")
def a_file_as_a_constant(session: Session) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "numbers")
        path.write_bytes(np.arange(6, dtype=np.float32).tobytes())
        found = apply("ImmutableConst", dtype="float32", shape=[2, 3], memory_region_name=str(path))
        assert found.shape.as_list() == [2, 3]
        assert session.run(found).tolist() == [[0, 1, 2], [3, 4, 5]]
        with pytest.raises(InvalidArgumentError, match="holds 24 bytes, of 28"):
            session.run(apply("ImmutableConst", dtype="float32", shape=[7], memory_region_name=str(path)))
        graph = session.graph.as_graph_def()
    with Graph().as_default(), Session() as other:
        import_graph_def(graph, name="")
        with pytest.raises(PermissionDeniedError, match="touches"):
            other.run("ImmutableConst:0")
