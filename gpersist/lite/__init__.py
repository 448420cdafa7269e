"""TFLite: graphs as models for the interpreter on small devices (`tf.lite`).

Owns the schema of its files and what each node becomes; needs the package `flatbuffers` (the extra `lite`).
"""

from gpersist.lite.conversion import ConvertedToLite, to_tflite
from gpersist.lite.converter import TFLiteConverter, TocoConverter
from gpersist.lite.options import OpsSet, Optimize, RepresentativeDataset, TargetSpec

__all__ = ["ConvertedToLite", "OpsSet", "Optimize", "RepresentativeDataset", "TFLiteConverter", "TargetSpec", "TocoConverter", "to_tflite"]
