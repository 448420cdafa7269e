"""Run by TensorFlow's interpreter: prints the nodes of the graphs in an event file, with their devices."""

import json
import sys

import tensorflow.compat.v1 as tf

found = []
for event in tf.train.summary_iterator(sys.argv[1]):
    if event.HasField("graph_def"):
        found.append([[node.name, node.op, node.device] for node in tf.GraphDef.FromString(event.graph_def).node])
print(json.dumps(found))
