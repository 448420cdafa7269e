"""Paths that a SavedModel names, which have to stay inside of its folder: it may come from anybody."""

from __future__ import annotations

import os

from gpersist.errors import InvalidArgumentError

__all__ = ["contained"]


def contained(folder: str, name: str) -> str:
    """A path below a folder.

    Args:
        folder: which may itself be reached through links.
        name: what stands below it; may be in folders there.

    Raises:
        InvalidArgumentError: with `..`, as an absolute path, or through a link, it leads out of the folder.
    """
    path = os.path.join(folder, name)
    try:
        root, real = os.path.realpath(folder), os.path.realpath(path)
    except ValueError:  # a NUL in it
        raise InvalidArgumentError(f"{path!r} is no path") from None
    if real != root and not real.startswith(root.rstrip(os.sep) + os.sep):
        raise InvalidArgumentError(
            f"{path!r} leads to {real!r}, out of the folder {root!r}: what a model needs has to be inside of its folder; "
            "if you trust it, copy the folder with its links followed (cp -rL)"
        )
    return path
