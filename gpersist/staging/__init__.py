"""Staging: bytes between devices and files, through a fixed ring of pinned slots.

Owns the slots, the streams of a transfer, its threads, and how ranges of files are cut into work. Knows no names of files and no tensors' meaning.
"""

from gpersist.staging.crew import default_threads, run
from gpersist.staging.layout import Layout
from gpersist.staging.pulled import Pulled
from gpersist.staging.receive import UNCHECKED, Incoming, Reader, check, receive
from gpersist.staging.ring import DEFAULT_RING_BYTES, MIN_RING_BYTES, release_rings, ring_for
from gpersist.staging.scattered import Scattered, boxes
from gpersist.staging.send import Outgoing, send

__all__ = [
    "DEFAULT_RING_BYTES",
    "MIN_RING_BYTES",
    "UNCHECKED",
    "Incoming",
    "Layout",
    "Outgoing",
    "Pulled",
    "Reader",
    "Scattered",
    "boxes",
    "check",
    "default_threads",
    "receive",
    "release_rings",
    "ring_for",
    "run",
    "send",
]
