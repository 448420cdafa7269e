"""What a loaded graph may not do: touch files that its caller has not named, call Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpersist import ops, protos
from gpersist.errors import InvalidArgumentError, NotFoundError, PermissionDeniedError
from gpersist.graph import Graph, Session, apply, apply_op, import_graph_def
from gpersist.graph.permissions import check_allowed, path_arguments
from gpersist.ops.file_contents import matching_files, read_file, write_file
from gpersist.ops.python_functions import py_func, py_function
from gpersist.ops.save import restore_v2, save_v2, sharded_filename
from gpersist.ops.strings import string_join


def loaded(build: Any) -> Graph:
    """A graph as it comes from somebody else."""
    with Graph().as_default() as theirs:
        build()
    graph = Graph()
    with graph.as_default():
        import_graph_def(theirs.as_graph_def(), name="")
    return graph


def test_what_a_program_adds_itself_is_its_own_business(tmp_path: Path) -> None:
    with Graph().as_default() as graph, Session(graph=graph) as session:
        session.run(write_file(str(tmp_path / "file"), "text"))
        assert session.run(read_file(str(tmp_path / "file"))) == b"text"


@pytest.mark.parametrize("kind", ["WriteFile", "ReadFile", "MatchingFiles", "SaveV2", "RestoreV2", "PrintV2", "PyFunc", "EagerPyFunc"])
def test_a_loaded_graph_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "file"

    def build() -> None:
        text = str(path)
        makers = {
            "WriteFile": lambda: write_file(text, "text", name="it"),
            "ReadFile": lambda: read_file(text, name="it"),
            "MatchingFiles": lambda: matching_files(text, name="it"),
            "SaveV2": lambda: save_v2(text, ["a"], [""], [ops.constant(1.0)], name="it"),
            "RestoreV2": lambda: restore_v2(text, ["a"], [""], ["float32"], name="it"),
            "PrintV2": lambda: apply_op("PrintV2", "text", output_stream=f"file://{text}", name="it"),
            "PyFunc": lambda: py_func(lambda: path.write_text("text"), [], "int64", name="it"),
            "EagerPyFunc": lambda: py_function(lambda: path.write_text("text"), [], "int64", name="it"),
        }
        makers[kind]()

    graph = loaded(build)
    with Session(graph=graph) as session:
        with pytest.raises(PermissionDeniedError, match=f"{kind} node 'it' of a graph that was loaded .* nothing was run.*allow_ops") as caught:
            session.run(graph.get_operation_by_name("it"))
        assert caught.value.op is graph.get_operation_by_name("it")
        assert not list(tmp_path.iterdir())
        graph.allow_ops(kind)
        try:
            session.run(graph.get_operation_by_name("it"))
        except (NotFoundError, InvalidArgumentError):
            assert kind in ("ReadFile", "RestoreV2", "PyFunc", "EagerPyFunc")


def test_a_path_that_is_fed_may_be_used(tmp_path: Path) -> None:
    def build() -> None:
        prefix = ops.placeholder("string", [], name="prefix")
        parts = string_join([prefix, "_temp/part"])
        save_v2(sharded_filename(parts, 0, 1), ["a"], [""], [ops.constant([1.0, 2.0])], name="save")

    graph = loaded(build)
    with Session(graph=graph) as session:
        session.run("save", {"prefix:0": str(tmp_path / "model")})
    assert (tmp_path / "model_temp").is_dir()


@pytest.mark.parametrize("rest", ["/../../elsewhere", None])
def test_a_path_that_leads_out_of_what_is_fed_is_refused(rest: str | None) -> None:
    def build() -> None:
        prefix = ops.placeholder("string", [], name="prefix")
        more = ops.placeholder_with_default(b"/../elsewhere", []) if rest is None else rest
        write_file(string_join([prefix, more]), "text", name="it")

    graph = loaded(build)
    with Session(graph=graph) as session, pytest.raises(PermissionDeniedError, match="touches a file"):
        session.run("it", {"prefix:0": "folder"})


def function(name: str, *, is_nested: bool) -> protos.FunctionDef:
    """A function of a path: it reads the file, or calls another that does."""
    found = protos.FunctionDef()
    found.signature.name = name
    found.signature.input_arg.add(name="number", type=protos.DataType.DT_FLOAT)
    found.signature.input_arg.add(name="path", type=protos.DataType.DT_STRING)
    found.signature.output_arg.add(name="text", type=protos.DataType.DT_STRING)
    same = found.node_def.add(name="same", op="Identity", input=["path"])
    same.attr["T"].type = protos.DataType.DT_STRING
    if is_nested:
        call = found.node_def.add(name="it", op="PartitionedCall", input=["number", "same:output:0"])
        call.attr["f"].func.name = "inner"
        call.attr["Tin"].list.type.extend([protos.DataType.DT_FLOAT, protos.DataType.DT_STRING])
        call.attr["Tout"].list.type.append(protos.DataType.DT_STRING)
        found.ret["text"] = "it:output:0"
    else:
        found.node_def.add(name="it", op="ReadFile", input=["same:output:0"])
        found.ret["text"] = "it:contents:0"
    return found


@pytest.mark.parametrize("is_nested", [False, True])
def test_paths_are_followed_into_functions(is_nested: bool, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    message = protos.GraphDef()
    with Graph().as_default() as theirs:
        ops.constant(str(tmp_path / "file"), name="path")
        ops.constant(np.float32(1), name="number")
    message.CopyFrom(theirs.as_graph_def())
    call = message.node.add(name="call", op="PartitionedCall", input=["number", "path"])
    call.attr["f"].func.name = "outer" if is_nested else "inner"
    call.attr["Tin"].list.type.extend([protos.DataType.DT_FLOAT, protos.DataType.DT_STRING])
    call.attr["Tout"].list.type.append(protos.DataType.DT_STRING)
    message.library.function.append(function("inner", is_nested=False))
    if is_nested:
        message.library.function.append(function("outer", is_nested=True))
    with Graph().as_default() as graph, Session(graph=graph) as session:
        import_graph_def(message, name="")
        with pytest.raises(PermissionDeniedError, match=r"gives function '(inner|outer)' a path, '.*file'"):
            session.run("call:0")
        assert session.run("call:0", {"path:0": str(tmp_path / "file")}) == b"text"
        graph.allow_ops("PartitionedCall")
        assert session.run("call:0") == b"text"


def test_a_long_chain_of_functions_is_followed() -> None:
    message = protos.GraphDef()
    with Graph().as_default() as theirs:
        ops.constant("file", name="path")
    message.CopyFrom(theirs.as_graph_def())
    for number in range(1500):
        found = message.library.function.add()
        found.signature.name = f"f{number}"
        found.signature.input_arg.add(name="path", type=protos.DataType.DT_STRING)
        found.node_def.add(name="it", op=f"f{number + 1}" if number < 1499 else "ReadFile", input=["path"])
    message.node.add(name="call", op="f0", input=["path"])
    message.library.function[3].node_def.add(name="again", op="f0", input=["path"])  # one that calls itself
    with Graph().as_default() as graph:
        import_graph_def(message, name="")
        assert path_arguments(graph, "f0") == {0}
        assert path_arguments(graph, "f1499") == {0}
        assert path_arguments(graph, "none") == frozenset()


@pytest.mark.parametrize("kind", ["Identity", "Select"])
def test_a_long_way_to_a_path_is_followed(kind: str) -> None:
    def build() -> None:
        prefix: Any = ops.placeholder("string", [], name="prefix")
        part: Any = ops.constant("part")
        for _ in range(1500):
            if kind == "Identity":
                prefix = apply_op("Identity", prefix).outputs[0]
            else:
                part = apply_op("Select", True, part, part).outputs[0]
        write_file(string_join([prefix, part]), "text", name="it")

    graph = loaded(build)
    check_allowed([graph.get_operation_by_name("it")], {graph.get_tensor_by_name("prefix:0")})
    with pytest.raises(PermissionDeniedError, match="touches a file"):
        check_allowed([graph.get_operation_by_name("it")], set())


@pytest.mark.parametrize("version", ["", "V2"])
def test_a_reader_may_not_take_names_of_files_from_a_queue_that_was_loaded(version: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")

    def build() -> None:
        queue = apply(f"FIFOQueue{version}", component_types=["string"], shapes=[[]], name="queue")
        apply_op(f"QueueEnqueue{version}", queue, [str(tmp_path / "file")], name="enqueue")
        apply_op(f"ReaderRead{version}", apply(f"WholeFileReader{version}"), queue, name="it")

    graph = loaded(build)
    with Session(graph=graph) as session:
        session.run("enqueue")
        with pytest.raises(PermissionDeniedError, match=f"ReaderRead{version} node 'it'"):
            session.run("it:1")
        graph.allow_ops(f"ReaderRead{version}")
        assert session.run("it:1") == b"text"
