"""Conversions: a trained graph to one file without variables, and checkpoints to other formats and back."""

from gpersist.convert.conversion import FORMATS, Converted, convert, source_bytes
from gpersist.convert.freezing import Frozen, freeze, output_nodes
from gpersist.convert.graphs import convert_graph
from gpersist.convert.keras_models import keras_to_frozen, keras_to_saved_model
from gpersist.convert.serving import frozen_to_saved_model
from gpersist.keras import load_keras_model

__all__ = [
    "FORMATS",
    "Converted",
    "Frozen",
    "convert",
    "convert_graph",
    "freeze",
    "frozen_to_saved_model",
    "keras_to_frozen",
    "keras_to_saved_model",
    "load_keras_model",
    "output_nodes",
    "source_bytes",
]
