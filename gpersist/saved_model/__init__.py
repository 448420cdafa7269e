"""SavedModel: graphs, with tags and signatures, their variables and their files, in one folder, as TensorFlow Serving takes it.

Owns the folder: `saved_model.pb`, `assets`, `assets.extra`, and how they come to their place whole. Variables are `gpersist.train`'s Saver's.
"""

__all__: list[str] = []
