"""SavedModel: graphs, with tags and signatures, their variables and their files, in one folder, as TensorFlow Serving takes it.

    model = gpersist.saved_model.load("export/1")              # of TensorFlow 1 or 2
    model.signatures["serving_default"](x=array)["y"]          # device arrays in, device arrays out

Owns the folder: `saved_model.pb`, `assets`, `assets.extra`, and how they come to their place whole. Variables are `gpersist.train`'s Saver's. What is
TensorFlow 1's own (`loader.load` into a session, the builder) is in this package's modules, and in `gpersist.compat.v1.saved_model`.
"""

from gpersist.saved_model.loading import SavedModel, load
from gpersist.saved_model.signatures import Signature, Signatures

__all__ = ["SavedModel", "Signature", "Signatures", "load"]
