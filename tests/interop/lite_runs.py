"""Runs TFLite models in the interpreter of ai-edge-litert, or in TensorFlow's: `lite_runs.py FOLDER`.

Of each `NAME.tflite` with its inputs in `NAME.in.npz` (arg_0, arg_1, ...) the outputs go to `NAME.out.npz`; if it fails, the text to `NAME.error`.
"""

import os
import sys
from pathlib import Path

import numpy as np

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    import tensorflow

    Interpreter = tensorflow.lite.Interpreter


def run(model: Path) -> list[np.ndarray]:
    interpreter = Interpreter(model_content=model.read_bytes())
    with np.load(model.with_suffix(".in.npz")) as file:
        arrays = [file[f"arg_{index}"] for index in range(len(file.files))]
    for detail, array in zip(interpreter.get_input_details(), arrays, strict=True):
        if tuple(detail["shape"]) != array.shape:
            interpreter.resize_tensor_input(detail["index"], array.shape)
    interpreter.allocate_tensors()
    for detail, array in zip(interpreter.get_input_details(), arrays, strict=True):
        interpreter.set_tensor(detail["index"], array)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


for path in sorted(Path(sys.argv[1]).glob("*.tflite")):
    try:
        np.savez(path.with_suffix(".out.npz"), *run(path))
    except Exception as error:
        path.with_suffix(".error").write_text(f"{type(error).__name__}: {error}")
