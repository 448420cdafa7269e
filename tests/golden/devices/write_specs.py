"""Writes specs.json: what real TensorFlow makes of device strings. Run with a Python that has TensorFlow (see PROVENANCE.md)."""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import tensorflow as tf

v1 = tf.compat.v1
SESSIONS = []  # kept open: TensorFlow 2.21 aborts now and then when one is closed after such an error
FIELDS = ("job", "replica", "task", "device_type", "device_index")

PARTS = [
    ["", "/job:worker", "/job:localhost", "/job:*", "/job:ps-1", "/job:", "/job"],
    ["", "/replica:0", "/replica:3", "/replica:*", "/replica:x"],
    ["", "/task:0", "/task:1", "/task:*", "/task:-1", "/task:"],
    [
        "",
        *(
            "/cpu:0",
            "/CPU:0",
            "/Cpu:0",
            "/cpu",
            "/CPU:*",
            "/cpu:*",
            "/gpu:0",
            "/GPU:12",
            "/gPu:1",
            "/gpu",
            "/GPU:*",
            "/TPU:0",
            "/tpu:1",
            "/EPU:0",
            "/CUSTOM:0",
        ),
        *("/device:CPU:0", "/device:cpu:0", "/device:CPU:1", "/device:CPU:2", "/device:CPU:*", "/device:CPU", "/device:GPU:0", "/device:gpu:3"),
        *(
            "/device:Gpu:0",
            "/device:GPU:*",
            "/device:*",
            "/device:*:*",
            "/device:*:0",
            "/device:XLA_CPU:0",
            "/device:XLA_GPU:1",
            "/device:TPU_SYSTEM:0",
        ),
        *(
            "/device:XLA_CPU_JIT:0",
            "/device:my_type:7",
            "/device:GPU:x",
            "/device:GPU:",
            "/device::0",
            "/device:GPU:-1",
            "/device:GPU:007",
            "/device:0",
        ),
        *("/XLA_GPU:0", "/xpu:0", "/gpu:x", "/gpu:", "/gpu:0:1", "/device:GPU:0:1", "/device"),
    ],
]
MORE = [
    *("gpu:0", "GPU:0", "cpu", "device:GPU:0", "job:worker/task:1", "CPU:0/job:a", "/", "//", "//gpu:0", "/gpu:0/", "/gpu:0//job:a", "/gpu:0/cpu:0"),
    *("/cpu:0/cpu:0", "/device:GPU:0/device:GPU:1", "/device:GPU:0/gpu:0", "/job:a/job:b", "/task:1/task:2", "/replica:0/replica:1", "/task:1/job:a"),
    *(
        "/device:GPU:0/job:worker",
        "/job:worker/device:GPU:0/task:1",
        "/job:a:b",
        "/Job:worker",
        "/JOB:worker",
        "/Task:0",
        "/Device:GPU:0",
        "/DEVICE:GPU:0",
    ),
    *(
        " /gpu:0",
        "/gpu:0 ",
        "/ gpu:0",
        "/task: 1",
        "/task:1_0",
        "/task:+1",
        "/task:0x1",
        "/task:1.0",
        "/task:\u0661",
        "/gpu:\u0663",
        "/gpu:1_0",
        "/gpu:+1",
    ),
    *(
        "/gpu:99999999999999999999",
        "/task:99999999999999999999",
        "/gpu:2147483647",
        "/gpu:2147483648",
        "/job:\u00e9",
        "/job:a b",
        "/job:1",
        "/job:_a",
        "/job:-",
    ),
    *(
        "gpu",
        "0",
        ":",
        "::",
        ":0",
        "/:",
        "/:0",
        "nonsense",
        "/nonsense:0",
        "/job:worker;/gpu:0",
        "/job:worker,gpu:0",
        "\\gpu:0",
        "/gpu:0\n",
        "\t",
        "/gpu:0\x00",
    ),
    *("/job:worker/replica:0/task:1/device:GPU:3", "/job:localhost/replica:0/task:0/device:CPU:0", "/job:localhost/replica:0/task:0/cpu:0"),
    *(
        "/job:ps/task:0/cpu:0",
        "/job:worker/task:5/gpu:*",
        "/job:*/replica:*/task:*/device:*",
        "/job:*/replica:*/task:*/device:CPU:*",
        "/job:tpu_worker/device:TPU:0",
    ),
    *(
        "/job:localhost/replica:0/task:1/device:CPU:0",
        "/job:localhost/replica:1/task:0/device:CPU:0",
        "/replica:0/task:0/device:CPU:1",
        "/task:0/device:CPU:2",
    ),
]


def strings() -> list[str]:
    job, replica, task, device = PARTS
    found = [*job, *replica, *task, *device]
    found += [j + d for j in job[1:4] for d in device[1:]]
    found += [j + r + t for j in job[:3] for r in replica[:4] for t in task[:4]]
    found += [t + d for t in task[1:4] for d in device[1:12]]
    return sorted(set(found + MORE))


def python_parse(text: str) -> dict[str, object]:
    answers = []
    for face in (v1.DeviceSpec, tf.DeviceSpec):
        try:
            spec = face.from_string(text)
        except ValueError as error:
            answers.append({"error": type(error).__name__})
        else:
            answers.append({"fields": [getattr(spec, field) for field in FIELDS], "string": spec.to_string()})
    assert answers[0] == answers[1], text
    return answers[0]


def function_graph() -> tuple[object, str]:
    """A graph that calls a function of one constant: only the C++ runtime reads the device of a node inside a function."""
    with v1.Graph().as_default() as graph:

        @tf.function
        def body() -> object:
            return tf.constant(1.0)

        fetch = body().name
    return graph.as_graph_def(), fetch


def runtime_answer(text: str, proto: object, fetch: str) -> str:
    """How the C++ placer takes it, in a process with /device:CPU:0 and 1: "malformed", "absent" or "placed"."""
    proto = v1.GraphDef.FromString(proto.SerializeToString())
    for node in proto.library.function[0].node_def:
        if node.op == "Const":
            node.device = text
    with v1.Graph().as_default() as graph:
        tf.import_graph_def(proto, name="")
    session = v1.Session(graph=graph, config=v1.ConfigProto(device_count={"CPU": 2}, allow_soft_placement=False))
    SESSIONS.append(session)
    try:
        session.run(fetch)
    except tf.errors.InvalidArgumentError as error:
        assert "Malformed device specification" in str(error) or "Cannot assign a device" in str(error), error
        return "malformed" if "Malformed" in str(error) else "absent"
    return "placed"


def merges() -> list[list[str]]:
    some = [
        "",
        "/gpu:0",
        "/cpu:0",
        "/device:GPU:*",
        "/job:worker",
        "/job:ps/task:1",
        "/job:*",
        "/replica:1/task:2/device:TPU:0",
        "/task:0/gpu:1",
        "/job:a/cpu:*",
    ]
    found = []
    for first in some:
        for second in some:
            merged = tf.DeviceSpec.from_string(first).make_merged_spec(tf.DeviceSpec.from_string(second))
            in_place = v1.DeviceSpec.from_string(first)
            in_place.merge_from(v1.DeviceSpec.from_string(second))
            assert merged.to_string() == in_place.to_string()
            found.append([first, second, merged.to_string()])
    return found


if __name__ == "__main__":
    v1.disable_eager_execution()
    called = function_graph()
    table = [{"text": text, **python_parse(text), "runtime": runtime_answer(text, *called)} for text in strings()]
    with open(sys.argv[1], "w", encoding="ascii") as file:
        file.write(f'{{"tensorflow": "{tf.__version__}",\n"specs": [\n')
        file.write(",\n".join(json.dumps(row) for row in table))
        file.write('],\n"merges": [\n')
        file.write(",\n".join(json.dumps(row) for row in merges()))
        file.write("]}\n")
        file.flush()
    os._exit(0)  # and the same when the interpreter closes them
