"""Tags of graphs in a SavedModel that everybody knows (`tf.saved_model.tag_constants`)."""

from __future__ import annotations

__all__ = ["EVAL", "GPU", "SERVING", "TPU", "TRAINING"]

SERVING = "serve"
TRAINING = "train"
EVAL = "eval"
GPU = "gpu"
TPU = "tpu"
