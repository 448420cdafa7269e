"""Conversions: a trained graph to one file without variables, and checkpoints to other formats and back."""

from gpersist.convert.conversion import FORMATS, Converted, convert, source_bytes
from gpersist.convert.freezing import Frozen, freeze
from gpersist.convert.serving import frozen_to_saved_model

__all__ = ["FORMATS", "Converted", "Frozen", "convert", "freeze", "frozen_to_saved_model", "source_bytes"]
