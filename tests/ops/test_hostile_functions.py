"""Control flow that is wrong, and functions that never end: errors of TensorFlow's class that say where, and no hang."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

import gpersist.compat.v1 as tf
from gpersist import protos

_FLOAT = 'attr { key: "T" value { type: DT_FLOAT } }'


def _node(name: str, op: str, inputs: str = "", attrs: str = _FLOAT) -> str:
    return f'node {{ name: "{name}" op: "{op}" {" ".join(f"""input: "{each}" """ for each in inputs.split())} {attrs} }}\n'


def _constant(name: str, value: str = "1.0") -> str:
    tensor = f"tensor {{ dtype: DT_FLOAT tensor_shape {{ }} float_val: {value} }}"
    return _node(name, "Const", "", f'attr {{ key: "dtype" value {{ type: DT_FLOAT }} }} attr {{ key: "value" value {{ {tensor} }} }}')


def _enter(name: str, source: str, frame: str = "f") -> str:
    return _node(name, "Enter", source, f'{_FLOAT} attr {{ key: "frame_name" value {{ s: "{frame}" }} }}')


def _call(name: str, source: str, function: str, takes: str = "DT_FLOAT", gives: str = "DT_FLOAT") -> str:
    attrs = "".join(f'attr {{ key: "{key}" value {{ list {{ {types} }} }} }} ' for key, types in (("Tin", _list(takes)), ("Tout", _list(gives))))
    return _node(name, "PartitionedCall", source, f'{attrs} attr {{ key: "f" value {{ func {{ name: "{function}" }} }} }}')


def _list(types: str) -> str:
    return " ".join(f"type: {each}" for each in types.split())


def _function(name: str, body: str, result: str) -> str:
    arguments = 'input_arg { name: "a" type: DT_FLOAT } output_arg { name: "r" type: DT_FLOAT }'
    return f'function {{ signature {{ name: "{name}" {arguments} }} {body.replace("node {", "node_def {")} ret {{ key: "r" value: "{result}" }} }}\n'


def _run(nodes: str, fetch: str, functions: str = "", timeout_in_ms: int = 60_000) -> object:
    message = protos.parse_text(protos.GraphDef, f"{nodes} library {{ {functions} }} versions {{ producer: 1087 }}", "a graph")
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(message, name="")
        return session.run(fetch, options=tf.RunOptions(timeout_in_ms=timeout_in_ms))


_SAME = _function("same", _node("i", "Identity", "a"), "i:output:0")


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        (_constant("c") + _node("x", "Exit", "c"), "Cannot find a corresponding Enter op. 'x'"),
        (
            _constant("c") + _enter("e", "c") + _enter("e2", "c", "g") + _node("add", "Add", "e e2") + _node("x", "Exit", "add"),
            "node add.* has inputs from different frames",
        ),
        (_constant("c") + _enter("e", "c") + _node("add", "Add", "e c") + _node("x", "Exit", "add"), "has inputs from different frames"),
    ],
)
def test_loops_without_form_are_refused(nodes: str, words: str) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        _run(nodes, "x:0")


def test_a_loop_that_runs_once() -> None:
    assert _run(_constant("c") + _enter("e", "c") + _node("x", "Exit", "e"), "x:0") == 1.0


@pytest.mark.parametrize(
    ("call", "functions", "kind", "words"),
    [
        (_call("k", "c", "none"), _SAME, tf.errors.InvalidArgumentError, 'Failed to find function "none"'),
        (_call("k", "c", "f"), _function("f", _call("i", "a", "f"), "i:output:0"), tf.errors.InvalidArgumentError, "calls itself"),
        (
            _call("k", "c", "f"),
            _function("f", _call("i", "a", "g"), "i:output:0") + _function("g", _call("i", "a", "f"), "i:output:0"),
            tf.errors.InvalidArgumentError,
            "f -> g -> f",
        ),
        (_call("k", "c c", "same", takes="DT_FLOAT DT_FLOAT"), _SAME, tf.errors.InvalidArgumentError, "takes 1 arguments, and is called with 2"),
        (_call("k", "c", "same", gives="DT_FLOAT DT_FLOAT"), _SAME, tf.errors.InternalError, "Missing 1-th output"),
        (_call("k", "c", "same", gives="DT_INT32"), _SAME, tf.errors.InternalError, "does not match declared output type int32"),
        (_call("k", "c", "f"), _function("f", _node("i", "Identity", "zzz:output:0"), "i:output:0"), ValueError, "zzz:output:0"),
        (
            _call("k", "c", "f0"),
            "".join(
                _function(f"f{i}", _call("i", "a", f"f{i + 1}") + _call("j", "i:output:0", f"f{i + 1}"), "j:output:0") for i in range(40)
            ).replace('"f40"', '"same"')
            + _SAME,
            tf.errors.InvalidArgumentError,
            "comes to [0-9]+ nodes",
        ),
        (
            _call("k", "c", "f0"),
            "".join(_function(f"f{i}", _call("i", "a", f"f{i + 1}"), "i:output:0") for i in range(100)).replace('"f100"', '"same"') + _SAME,
            tf.errors.InvalidArgumentError,
            "more than [0-9]+ deep",
        ),
    ],
)
def test_functions_that_cannot_be_called_are_told(call: str, functions: str, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        _run(_constant("c") + call, "k:0", functions)


def test_a_functional_loop_without_end_runs_out_of_time() -> None:
    attrs = 'attr { key: "T" value { list { type: DT_FLOAT } } }'
    attrs += "".join(f'attr {{ key: "{key}" value {{ func {{ name: "same" }} }} }}' for key in ("cond", "body"))
    with pytest.raises(tf.errors.DeadlineExceededError):
        _run(_constant("c") + _node("k", "While", "c", attrs), "k:0", _SAME, timeout_in_ms=200)


_ENDLESS = """
import signal
import gpersist.compat.v1 as tf
signal.signal(signal.SIGINT, signal.default_int_handler)  # what a background process of a shell inherits is to ignore it
loop = tf.while_loop(lambda i: i >= 0, lambda i: i * 0, [0])
with tf.Session() as session:
    print("ready", flush=True)
    session.run(loop)
"""


@pytest.mark.skipif(os.name == "nt", reason="a console's Ctrl-C is no signal there")
def test_a_loop_without_end_can_be_interrupted() -> None:
    with subprocess.Popen([sys.executable, "-c", _ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert "KeyboardInterrupt" in errors
