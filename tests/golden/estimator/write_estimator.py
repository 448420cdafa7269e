"""Runs cases.py with real TensorFlow and writes its answers to estimator.json: `python write_estimator.py FOLDER`.

TensorFlow has no Estimator since 2.16. This takes that of the package tensorflow-estimator 2.15, unpacked into FOLDER, on TensorFlow 2.21; what the
package asks of TensorFlow that is gone (training by several processes) is replaced by nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import types
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import cases
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.saved_model.model_utils import export_output

tf.disable_v2_behavior()
tf.logging.set_verbosity("ERROR")


def provide(name: str, **attributes: object) -> None:
    module = sys.modules[name] = types.ModuleType(name)
    vars(module).update(attributes)
    parent, _, leaf = name.rpartition(".")
    if parent in sys.modules:
        setattr(sys.modules[parent], leaf, module)


importlib.import_module("tensorflow.python.distribute")
provide("tensorflow_estimator", __path__=[f"{sys.argv[1]}/tensorflow_estimator"])
provide("tensorflow_estimator.python.estimator.estimator_export", estimator_export=lambda *_, **__: lambda value: value)
provide("tensorflow.python.distribute.estimator_training", init_run_config=lambda config, _: setattr(config, "_distribute_coordinator_mode", None))

from tensorflow_estimator.python.estimator import estimator, mode_keys, model_fn, run_config
from tensorflow_estimator.python.estimator.export import export

outputs = {name: getattr(export_output, name) for name in ("ClassificationOutput", "PredictOutput", "RegressionOutput")}
receivers = ("ServingInputReceiver", "TensorServingInputReceiver", "build_parsing_serving_input_receiver_fn", "build_raw_serving_input_receiver_fn")
tf.estimator = types.SimpleNamespace(
    Estimator=estimator.Estimator,
    EstimatorSpec=model_fn.EstimatorSpec,
    ModeKeys=mode_keys.ModeKeys,
    RunConfig=run_config.RunConfig,
    export=types.SimpleNamespace(**outputs, **{name: getattr(export, name) for name in receivers}),
)
tf._saved_model_class = saved_model_pb2.SavedModel
answers = {}
for name, case in cases.CASES.items():
    tf.reset_default_graph()
    os.chdir(tempfile.mkdtemp())
    try:
        answers[name] = json.loads(json.dumps(case(tf)))
    except Exception as error:
        raise RuntimeError(f"case {name}") from error
(FOLDER / "estimator.json").write_text(json.dumps({"tensorflow": tf.__version__, "answers": answers}, indent=1) + "\n")
print(len(answers), "cases")
