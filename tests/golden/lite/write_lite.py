"""Asks TensorFlow's converter what it makes of the cases, and writes lite.json; run with an interpreter that has TensorFlow (2.21 wrote it).

For each case the operators in order: name, version, options that are not 0, and the type, shape and shape signature of what they take and
give, the values of constants left out; the names of inputs and outputs; or the error's class.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import tensorflow.compat.v1 as tf
from cases import CASES, QUANTIZED, Inputs
from tensorflow.lite.python import schema_py_generated as schema

tf.disable_v2_behavior()
warnings.simplefilter("ignore")

OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
TYPES = {code: name for name, code in vars(schema.TensorType).items() if not name.startswith("_")}


def converted(make: Any, name: str, quantized: bool) -> dict[str, Any]:
    tf.reset_default_graph()
    inputs = Inputs(tf, name)
    outputs = make(inputs)
    with tf.Session() as session:
        converter = tf.lite.TFLiteConverter.from_session(session, [x for x, _ in inputs.fed], outputs if isinstance(outputs, list) else [outputs])
        if quantized:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        try:
            return described(converter.convert())
        except Exception as error:
            return {"error": type(error).__name__, "text": str(error)[:200]}


def described(content: bytes) -> dict[str, Any]:
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    graph = model.subgraphs[0]

    def tensor(index: int) -> Any:
        if index < 0:
            return None
        found = graph.tensors[index]
        parts = [TYPES[found.type], [] if found.shape is None else [int(size) for size in found.shape]]
        if found.shapeSignature is not None and len(found.shapeSignature):
            parts.append([int(size) for size in found.shapeSignature])
        if found.quantization is not None and found.quantization.scale is not None:
            parts.append(f"{len(found.quantization.scale)} scales of axis {found.quantization.quantizedDimension}")
        return parts

    def options(operator: Any) -> dict[str, Any]:
        given = vars(operator.builtinOptions) if operator.builtinOptions is not None else {}
        return {name: value if not hasattr(value, "tolist") else value.tolist() for name, value in given.items() if value and name != "potScaleInt16"}

    return {
        "inputs": [graph.tensors[index].name.decode() for index in graph.inputs],
        "outputs": [graph.tensors[index].name.decode() for index in graph.outputs],
        "operators": [
            {
                "op": OPERATORS[max(code.builtinCode, code.deprecatedBuiltinCode)] + (f" {code.customCode}" if code.customCode else ""),
                "version": code.version,
                "options": options(operator),
                "takes": [tensor(index) for index in operator.inputs],
                "gives": [tensor(index) for index in operator.outputs],
            }
            for operator in graph.operators
            for code in [model.operatorCodes[operator.opcodeIndex]]
        ],
    }


def main() -> None:
    found = {
        "cases": {name: converted(make, name, False) for name, make in CASES.items()},
        "quantized": {name: converted(make, name, True) for name, make in QUANTIZED.items()},
    }
    lines = [f'"{kind}": {{\n' + ",\n".join(f'"{name}": {json.dumps(case)}' for name, case in cases.items()) + "\n}" for kind, cases in found.items()]
    (HERE / "lite.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
