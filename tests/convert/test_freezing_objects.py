"""Variables that go into functions: SavedModels of TensorFlow 2, and graphs with calls, branches and loops, frozen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpersist.compat.v1 as tf
from gpersist import protos
from gpersist.convert import freeze
from gpersist.errors import InvalidArgumentError, NotFoundError
from gpersist.graph import inline_calls
from gpersist.saved_model.loader import parse_saved_model
from tests.saved_model.object_answers import calls, check_same, decoded

GOLDEN = Path(__file__).parents[1] / "golden" / "saved_model" / "objects"
FROZEN = [("module", "serving_default"), ("module", "halves"), ("control_flow", "serving_default"), ("control_flow", "switched")]
FROZEN += [("control_flow", "gathered")]
TWO = ["serving_half_plus_two_tf2", "scisharp_lstm_sequential", "scisharp_simple_autocompile", "tfjs_multi_signatures"]


def run(graph_def: Any, signature: Any, feeds: dict[str, Any]) -> Any:
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.import_graph_def(graph_def, name="")
        fetches = {key: info.name for key, info in signature.outputs.items()}
        return sess.run(fetches, {signature.inputs[key].name: value for key, value in feeds.items()})


def told(name: str, signature: str) -> list[Any]:
    return [call for call in calls(GOLDEN / name) if call["what"] == f"signature:{signature}"]


def definition(folder: Path, signature: str) -> Any:
    return parse_saved_model(folder).meta_graphs[0].signature_def[signature]


def ops(graph_def: Any) -> set[str]:
    functions = [node for function in graph_def.library.function for node in function.node_def]
    return {node.op for node in [*graph_def.node, *functions]}


def check(name: str, signature: str, graph_def: Any) -> None:
    for call in told(name, signature):
        feeds, wanted = decoded(call["named"]), decoded(call["result"])
        found = run(graph_def, definition(GOLDEN / name / "model", signature), feeds)
        check_same({key: np.asarray(value) for key, value in found.items()}, wanted, signature)


@pytest.mark.parametrize(("name", "signature"), FROZEN)
def test_a_saved_model_of_tensorflow_2(name: str, signature: str) -> None:
    frozen = freeze(GOLDEN / name / "model", signature=signature)
    check(name, signature, frozen.graph_def)
    assert not ops(frozen.graph_def) & {"VarHandleOp", "ReadVariableOp", "ResourceGather", "ResourceGatherNd"}
    assert not {node.op for node in frozen.graph_def.node} & {"PartitionedCall", "StatefulPartitionedCall"}
    if name == "module":
        assert not frozen.graph_def.library.function


@pytest.mark.parametrize(("name", "signature"), FROZEN)
def test_a_session_freezes_the_same(name: str, signature: str) -> None:
    folder = GOLDEN / name / "model"
    outputs = list(dict.fromkeys(info.name.partition(":")[0] for info in definition(folder, signature).outputs.values()))
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        tf.saved_model.load(sess, ["serve"], str(folder))
        found = tf.graph_util.convert_variables_to_constants(sess, graph.as_graph_def(), outputs)
    check(name, signature, found)
    assert "VarHandleOp" not in ops(found)


def test_only_some_variables() -> None:
    folder = GOLDEN / "control_flow" / "model"
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        tf.saved_model.load(sess, ["serve"], str(folder))
        (output,) = {info.name.partition(":")[0] for info in definition(folder, "serving_default").outputs.values()}
        names = [node.name for node in graph.as_graph_def().node if node.op == "VarHandleOp"]
        found = tf.graph_util.convert_variables_to_constants(sess, graph.as_graph_def(), [output], variable_names_blacklist=names[:2])
    kept = [node.name for node in found.node if node.op == "VarHandleOp"]
    assert kept
    assert set(kept) <= set(names[:2])
    with tf.Graph().as_default():
        tf.import_graph_def(found, name="")


def test_a_variable_that_is_changed() -> None:
    with pytest.raises(InvalidArgumentError, match=r"variable 'count', .* \(AssignAddVariableOp\), which does more than read it"):
        freeze(GOLDEN / "module" / "model", signature="counted")


@pytest.mark.parametrize("name", TWO)
def test_published_models(name: str, models: Path) -> None:
    folder = models / name
    inputs, outputs = np.load(folder / "inputs.npz"), np.load(folder / "outputs.npz")
    for spec in json.loads((folder / "case.json").read_text())["runs"]:
        for number, step in enumerate(spec["steps"]):
            frozen = freeze(folder / "model", signature=step["signature"])
            feeds = {key: inputs[f"{spec['id']}/{value}"] for value, key in ((value, key) for key, value in step["feeds"].items())}
            found = run(frozen.graph_def, definition(folder / "model", step["signature"]), feeds)
            for key, fetched in step["fetches"].items():
                check_same(np.asarray(found[fetched]), outputs[f"{spec['id']}/{number}/0/{key}"], key, rtol=spec["rtol"])


@pytest.mark.interop
@pytest.mark.timeout(300)
def test_tensorflow_runs_it(tensorflow_runs: Any, tmp_path: Path) -> None:
    wanted = {}
    for name, signature in FROZEN:
        if signature == "halves":  # JSON has no bfloat16
            continue
        folder = GOLDEN / name / "model"
        message = definition(folder, signature)
        for number, call in enumerate(told(name, signature)):
            stem = f"{name}-{signature}-{number}"
            feeds = {message.inputs[key].name: np.asarray(value).tolist() for key, value in decoded(call["named"]).items()}
            fetches = {key: info.name for key, info in message.outputs.items()}
            (tmp_path / f"{stem}.pb").write_bytes(freeze(folder, signature=signature).graph_def.SerializeToString())
            (tmp_path / f"{stem}.json").write_text(json.dumps({"feeds": feeds, "fetches": fetches}))
            wanted[stem] = {key: value.tolist() for key, value in decoded(call["result"]).items()}
    found = tensorflow_runs(tmp_path)
    assert found.keys() == wanted.keys()
    for stem, results in wanted.items():
        for key, value in results.items():
            np.testing.assert_allclose(found[stem][key], value, rtol=1e-5, err_msg=stem)


@pytest.fixture
def tensorflow_runs(tf_python: str) -> Any:
    import subprocess

    def runs(folder: Path) -> Any:
        script = Path(__file__).parents[1] / "interop" / "frozen_runs.py"
        done = subprocess.run([tf_python, str(script), str(folder)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    return runs


# ---- calls in graphs


def graph_of(text: str) -> Any:
    from google.protobuf import text_format

    return text_format.Parse(text, protos.GraphDef())


_CALLED = """
    library { function {
        signature { name: "f" input_arg { name: "a" type: DT_FLOAT } output_arg { name: "r" type: DT_FLOAT } output_arg { name: "s" type: DT_FLOAT } }
        node_def { name: "n" op: "Neg" input: "a" attr { key: "T" value { type: DT_FLOAT } } }
        ret { key: "r" value: "n:y:0" } ret { key: "s" value: "a" } } }
    node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } }
    node { name: "c" op: "%s" input: "x" %s }
    node { name: "d" op: "f" input: "c:1" input: "^x" }
    node { name: "y" op: "Add" input: "c" input: "d:0" input: "^d" attr { key: "T" value { type: DT_FLOAT } } }
"""
_TYPES = 'attr { key: "f" value { func { name: "f" } } } attr { key: "Tin" value { list { type: DT_FLOAT } } }'
_TYPES += ' attr { key: "Tout" value { list { type: DT_FLOAT type: DT_FLOAT } } }'


@pytest.mark.parametrize(("op", "attrs"), [("f", ""), ("PartitionedCall", _TYPES), ("StatefulPartitionedCall", _TYPES)])
def test_calls_become_their_nodes(op: str, attrs: str) -> None:
    source = graph_of(_CALLED % (op, attrs))
    before = source.SerializeToString(deterministic=True)
    found = inline_calls(source, ["y", "c"])
    assert source.SerializeToString(deterministic=True) == before
    assert [(node.name, node.op, list(node.input)) for node in found.node] == [
        ("x", "Placeholder", []),
        ("c/n", "Neg", ["x"]),
        ("d/n", "Neg", ["x", "^x"]),
        ("y", "Add", ["c/n:0", "d/n:0", "^x", "^c/n", "^d/n"]),
        ("c", "IdentityN", ["c/n:0", "x"]),
    ]
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.import_graph_def(found, name="")
        assert sess.run(["y:0", "c:0", "c:1"], {"x:0": 3}) == [-6, -3, 3]


def test_names_that_are_taken() -> None:
    source = graph_of(_CALLED % ("f", "") + 'node { name: "c/n" op: "NoOp" }')
    assert [node.name for node in inline_calls(source, ["y"]).node] == ["x", "c_/n", "d/n", "y", "c/n"]


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ('node { name: "c" op: "PartitionedCall" attr { key: "f" value { func { name: "g" } } } }', NotFoundError, "no function 'g'"),
        (
            'library { function { signature { name: "f" } node_def { name: "n" op: "f" } } } node { name: "c" op: "f" }',
            InvalidArgumentError,
            "'f' calls itself",
        ),
        ('library { function { signature { name: "f" } } } node { name: "c" op: "f" input: "x" }', InvalidArgumentError, "takes 0 arguments"),
        (
            'library { function { signature { name: "f" input_arg { name: "a" type: 1 } output_arg { name: "r" type: 1 } }'
            ' ret { key: "r" value: "a" } } }'
            'node { name: "c" op: "f" input: "c" } node { name: "y" op: "Neg" input: "c" }',
            InvalidArgumentError,
            "nothing but itself",
        ),
    ],
)
def test_calls_that_make_no_sense(text: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        inline_calls(graph_of(text))


def test_functions_that_double_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpersist.graph.inlining.MAX_NODES", 1000)
    functions = 'function { signature { name: "f0" } node_def { name: "n" op: "NoOp" } }'
    for number in range(1, 30):
        functions += f'function {{ signature {{ name: "f{number}" }} '
        functions += "".join(f'node_def {{ name: "{each}" op: "f{number - 1}" }}' for each in "ab") + "}"
    with pytest.raises(InvalidArgumentError, match="comes to more than"):
        inline_calls(graph_of(f'library {{ {functions} }} node {{ name: "c" op: "f29" }}'))
