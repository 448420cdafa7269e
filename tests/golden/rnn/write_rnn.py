"""Writes rnn.json.gz: what TensorFlow 2.21 makes of programs.py, with the cells of tf_keras 2.21 (TensorFlow's own of 1.15, moved there).

TF_USE_LEGACY_KERAS=1 python write_rnn.py
"""

from __future__ import annotations

import gzip
import json
import sys
import types
from pathlib import Path

import tensorflow.compat.v1 as tf
from tf_keras.src.layers.rnn import legacy_cell_wrappers, legacy_cells

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import programs


def main() -> None:
    tf.disable_v2_behavior()
    found = {}
    for module in (legacy_cells, legacy_cell_wrappers):
        found |= {name: value for name, value in vars(module).items() if name.endswith(("Cell", "Wrapper", "Tuple")) and name[0] != "_"}
    cells = types.SimpleNamespace(**found)
    answers = {name: programs.run(tf, cells, tf.nest.flatten, name) for name in programs.PROGRAMS}
    with gzip.GzipFile(HERE / "rnn.json.gz", "wb", mtime=0) as file:
        file.write(json.dumps(answers).encode())


if __name__ == "__main__":
    main()
