"""Asks real TensorFlow what operations do: `python ops_by_tensorflow.py QUESTIONS ANSWERS [--onednn]`, both GraphDefs.

QUESTIONS: each case is a node of the operation and, before it, its inputs as constants, and the constants `NAME/grad0` that gradients start with.
ANSWERS: a node of the same name, whose attributes tell for each way of giving the inputs (`MODES`) the error or the outputs' static shapes; what
a run gives, the error or the outputs as tensors; and the nodes and values of the gradients.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path
from typing import NoReturn

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1" if sys.argv[-1] == "--onednn" else "0"  # without it the plain kernels, which are those of 1.15

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

BY_ONEDNN = sys.argv[-1] == "--onednn"

MODES = ("vague", "ranked", "batch", "shaped", "const")
"""Placeholders of no known shape, of known rank, of a known shape but for the first dimension, of known shape; constants."""

MOST_SECONDS = 60
"""For one case; one that takes longer counts as a crash: some kernels never end on inputs that nobody gives."""

CONFIG = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
CONFIG.graph_options.optimizer_options.opt_level = tf.OptimizerOptions.L0
CONFIG.graph_options.rewrite_options.disable_meta_optimizer = True


def main(questions: Path, answers: Path) -> None:
    """Asks in a forked process, and in the next one after a case that has ended it: some inputs fail CHECKs in TensorFlow's kernels."""
    message = tf.GraphDef.FromString(questions.read_bytes())
    constants = {node.name: node for node in message.node if "/" in node.name}
    cases = [node for node in message.node if "/" not in node.name]
    answers.write_bytes(b"")
    while (done := len(tf.GraphDef.FromString(answers.read_bytes()).node)) < len(cases):
        process = os.fork()
        if not process:
            _answer(cases[done:], constants, answers)
        _, status = os.waitpid(process, 0)
        if not os.WIFSIGNALED(status):
            assert status == 0
            continue
        count = len(tf.GraphDef.FromString(answers.read_bytes()).node)
        crash = tf.NodeDef(name=cases[count].name, op=cases[count].op)
        crash.attr["crash"].i = os.WTERMSIG(status)
        _append(answers, crash)


def _answer(cases: list[tf.NodeDef], constants: dict[str, tf.NodeDef], answers: Path) -> NoReturn:
    status = 1
    try:
        for case in cases:
            signal.alarm(MOST_SECONDS)
            _append(answers, ask(case, constants))
        status = 0
    finally:
        if status:
            traceback.print_exc()
        os._exit(status)


def _append(answers: Path, answer: tf.NodeDef) -> None:
    with answers.open("ab") as file:  # messages one after the other are one message
        file.write(tf.GraphDef(node=[answer]).SerializeToString())


def ask(case: tf.NodeDef, constants: dict[str, tf.NodeDef]) -> tf.NodeDef:
    with tf.Graph().as_default() as graph:
        answer = imported(graph, case, constants)
        modes = reversed(MODES) if BY_ONEDNN else MODES  # oneDNN's kernels want filters to be constants
        mode = next((mode for mode in modes if mode not in answer.attr), None)
        if mode is not None:
            with tf.Session(config=CONFIG) as session:
                run(session, case, constants, mode, answer)
    if "values" in answer.attr and any(name.startswith(f"{case.name}/grad") for name in constants):
        with tf.Graph().as_default() as graph:
            gradients(graph, case, constants, answer)
    return answer


def imported(graph: tf.Graph, case: tf.NodeDef, constants: dict[str, tf.NodeDef]) -> tf.NodeDef:
    answer = tf.NodeDef(name=case.name, op=case.op)
    for mode in MODES:
        part = tf.GraphDef(versions=graph.graph_def_versions)
        for name in case.input:
            constant = constants[name]
            if mode == "const":
                part.node.append(constant)
                continue
            node = part.node.add(name=name, op="Placeholder")
            node.attr["dtype"].CopyFrom(constant.attr["dtype"])
            shape = node.attr["shape"].shape
            if mode == "vague":
                shape.unknown_rank = True
                continue
            shape.CopyFrom(constant.attr["value"].tensor.tensor_shape)
            for dim in shape.dim[: {"ranked": None, "batch": 1, "shaped": 0}[mode]]:
                dim.size = -1
        part.node.append(case)
        try:
            tf.import_graph_def(part, name=mode)
            op = graph.get_operation_by_name(f"{mode}/{case.name}")
            answer.attr[f"{mode}_shapes"].list.shape.extend([output.shape.as_proto() for output in op.outputs])
        except Exception as error:
            answer.attr[mode].s = kind(error)
            answer.attr[f"{mode}_message"].s = str(error).encode()
    return answer


def run(session: tf.Session, case: tf.NodeDef, constants: dict[str, tf.NodeDef], mode: str, answer: tf.NodeDef) -> None:
    op = session.graph.get_operation_by_name(f"{mode}/{case.name}")
    feeds = {} if mode == "const" else {f"{mode}/{name}:0": tf.make_ndarray(constants[name].attr["value"].tensor) for name in case.input}
    try:
        values = session.run(list(op.outputs) or op, feeds)
    except Exception as error:
        answer.attr["run"].s = kind(error)
        answer.attr["run_message"].s = str(error).encode()
        return
    for value, output in zip(values or (), op.outputs, strict=True):
        answer.attr["values"].list.tensor.append(tf.make_tensor_proto(value, output.dtype, getattr(value, "shape", ())))


def gradients(graph: tf.Graph, case: tf.NodeDef, constants: dict[str, tf.NodeDef], answer: tf.NodeDef) -> None:
    """Of the weighted sum of the outputs with respect to each input: nodes, and values."""
    grads = [constants[f"{case.name}/grad{index}"] for index in range(len(answer.attr["values"].list.tensor))]
    tf.import_graph_def(tf.GraphDef(versions=graph.graph_def_versions, node=[*[constants[name] for name in case.input], *grads, case]), name="")
    op = graph.get_operation_by_name(case.name)
    before = len(graph.get_operations())
    pairs = [
        (y, graph.get_tensor_by_name(f"{node.name}:0"))
        for y, node in zip(op.outputs, grads, strict=True)
        if y.dtype.is_floating or y.dtype.is_complex
    ]
    try:
        found = tf.gradients([y for y, _ in pairs], list(op.inputs), [weight for _, weight in pairs])
    except Exception as error:
        answer.attr["gradient"].s = kind(error)
        return
    found = [None if each is None else tf.convert_to_tensor(each) for each in found]
    answer.attr["gradient_nodes"].list.s.extend(op.node_def.SerializeToString() for op in graph.get_operations()[before:])
    answer.attr["gradient_names"].list.s.extend(b"" if each is None else each.name.encode() for each in found)
    try:
        with tf.Session(config=CONFIG) as session:
            values = session.run([each for each in found if each is not None])
    except Exception as error:
        answer.attr["gradient_run"].s = kind(error)
        return
    answer.attr["gradient_values"].list.tensor.extend(tf.make_tensor_proto(value) for value in values)


def kind(error: Exception) -> bytes:
    return type(error).__name__.encode()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
