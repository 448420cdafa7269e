"""What is said of a damaged table."""

from __future__ import annotations

from gpersist.errors import DataLossError


def damaged(where: str, what: str) -> DataLossError:
    """Makes the error for bytes of a file that cannot be right.

    Args:
        where: file and block: "'dir/x.index': block at byte 4096".
        what: the place within it, what was expected and what was found.
    """
    return DataLossError(f"{where}: {what}; the file is damaged: copy it again or restore another checkpoint")
