"""Names of other libraries for what is here: `gpersist.compat.v1` is TensorFlow 1's `tf`.

The modules beside `v1` own what only that face has: its logging, its flags and its switches.
"""

__all__: list[str] = []
