"""Graphs to be drawn: as they are, large, malformed and hostile."""

from __future__ import annotations

import random

import gpersist.compat.v1 as tf
from gpersist import protos

HOSTILE = (
    "<script>alert(1)</script>",
    "a" * 300,
    "日本語/\u202eevil/\x00\x1b[31m",
    "/".join("ab" * 3000),
    "",
    "///",
    ']]></svg>\' onload="alert(2)"',
    "&lt;\u2028",
)


def towers(count=3):
    """A split batch, a small network for each part on its own GPU, the mean of their losses; with gradients, saver and initializers."""
    with tf.Graph().as_default() as graph:
        parts = tf.split(tf.placeholder(tf.float32, [6, 4], name="x"), count)
        losses = []
        for index, part in enumerate(parts):
            with tf.device(f"/gpu:{index}"), tf.variable_scope(f"tower_{index}"):
                losses.append(tf.reduce_mean(tf.square(tf.matmul(part, tf.get_variable("w", [4, 1])))))
        loss = tf.add_n(losses, name="loss")
        tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        tf.train.Saver()
        tf.global_variables_initializer()
    return graph.as_graph_def(add_shapes=True)


def loop():
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        found = tf.while_loop(lambda i, a: i < 10, lambda i, a: (i + 1, a * 2.0), [tf.constant(0), x])
        tf.identity(tf.cond(tf.reduce_sum(found[1]) > 3.0, lambda: found[1] + 1.0, lambda: found[1]), name="y")
    return graph.as_graph_def()


def with_functions():
    message = protos.GraphDef()
    message.node.add(name="x", op="Placeholder")
    message.node.add(name="y", op="StatefulPartitionedCall", input=["x"]).attr["f"].func.name = "outer"
    for name, inner in (("outer", "inner"), ("inner", "inner")):
        function = message.library.function.add()
        function.signature.name = name
        function.signature.input_arg.add(name="a")
        function.signature.output_arg.add(name="r")
        function.node_def.add(name="call", op=inner, input=["a"])
        function.ret["r"] = "call:o:0"
    return message


def stages(seed=0):
    """About 3,000 nodes in four stages of blocks of units."""
    choose = random.Random(seed)
    message = protos.GraphDef()
    last = message.node.add(name="x", op="Placeholder").name
    for stage in range(4):
        for block in range(choose.randint(3, 7)):
            for unit in range(choose.randint(10, 30)):
                for op in ("Conv2D", "BiasAdd", "FusedBatchNorm", "Relu", "Add", "Mul"):
                    last = message.node.add(name=f"stage{stage}/block_{block}_/unit{unit}/{op}", op=op, device=f"/gpu:{stage}", input=[last]).name
    return message


def flat(count, seed=0):
    choose = random.Random(seed)
    message = protos.GraphDef()
    for number in range(count):
        node = message.node.add(
            name=f"n{number}x", op=choose.choice(["Add", "Mul", "Relu"]), device=f"/job:worker/task:{number % 2}/device:GPU:{number % 8}"
        )
        if number:
            node.input.extend(f"n{choose.randrange(max(0, number - 20), number)}x" for _ in range(2))
    return message


def hostile():
    message = protos.GraphDef()
    for number, name in enumerate(HOSTILE):
        message.node.add(
            name=name, op=HOSTILE[-number], device=HOSTILE[number - 2], input=[HOSTILE[number - 1], "nowhere", f"^{name}", "x:y:z", "^", name]
        )
        message.node.add(name=name, op="Again", input=[HOSTILE[0]]).attr[name].s = name.encode()
    return message


def rings():
    message = protos.GraphDef()
    for number in range(300):
        message.node.add(name=f"r{number}", op="Add", input=[f"r{(number + 1) % 300}", f"r{number * 7 % 300}"])
    return message


def disconnected():
    message = protos.GraphDef()
    for number in range(200):
        message.node.add(name=f"i{number}", op="NoOp")
    return message


def random_graph(seed):
    """Scopes, devices and wires by chance, cycles included."""
    choose = random.Random(seed)
    names = [
        "/".join(choose.choice(["a", "b_1", "b_2", "b_3", "while", "c"]) for _ in range(choose.randint(1, 5))) for _ in range(choose.randint(1, 150))
    ]
    message = protos.GraphDef()
    for name in names:
        op = choose.choice(["Const", "Add", "NoOp", "VariableV2", "Placeholder", "NextIteration", "LoopCond", "SaveV2", "Switch", "Merge"])
        inputs = [choose.choice(["", "^"]) + choose.choice(names) for _ in range(choose.choice([0, 1, 2, 2, 9]))]
        message.node.add(name=name, op=op, device=choose.choice(["", "/gpu:0", "/cpu:0"]), input=inputs)
    return message


ALL = {
    "towers": towers,
    "loop": loop,
    "functions": with_functions,
    "stages": stages,
    "flat": lambda: flat(500),
    "hostile": hostile,
    "rings": rings,
    "disconnected": disconnected,
    "empty": protos.GraphDef,
    "one": lambda: protos.GraphDef(node=[protos.NodeDef(name="a", op="NoOp")]),
}
