"""A model of what a power failure may leave of a folder, as harsh as POSIX allows.

`JournalFiles` does every call and writes it down; `Disk` replays the first of them and tells what may be on the disk after them:

- what a file held at its last fsync is there; what was written since may be there, or zeros, or half of it, or nothing;
- names that an fsync of their folder has confirmed are there; of all later creations, renames and removals, any may be lost and any kept, in whatever
  combination: a later rename without an earlier one, a rename without the content of its file.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from .intercepted import CHANGES, SYNCS, InterceptedFiles

LOSSES = ("nothing", "zeros", "half", "kept")
"""What may be left of the content that was not fsynced."""


class Change(NamedTuple):
    """A change of names: `path` comes to name `file` (None: nothing, -1: a folder), and `source` names nothing any more."""

    path: str
    file: int | None
    source: str | None = None


class Write(NamedTuple):
    """Content of a file."""

    file: int
    content: bytes


class Sync(NamedTuple):
    """What a file holds, or what a folder names, is on the disk."""

    file: int | None
    folder: str | None


Step = Change | Write | Sync


class JournalFiles(InterceptedFiles):
    """Does every call, and writes down what it means for the disk.

    Attributes:
        steps: so far.
    """

    def __init__(self, folder: str) -> None:
        """A journal of what happens below a folder that is empty and on the disk."""
        self.steps: list[Step] = []
        self._folder = folder
        self._names: dict[str, int] = {}
        self._contents: list[bytearray] = []
        self._descriptors: dict[int, int] = {}

    def around(self, call: str, do: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        note = getattr(self, f"_note_{call}", None)
        if call == "make_folders":
            self._make_folders(arguments[0])
            return do()
        result = do()
        if note:
            note(result, *arguments)
        return result

    def adopt(self, content: bytes, path: str) -> None:
        """Takes up a file that is there, whole and on the disk."""
        self._names[self._relative(path)] = len(self._contents)
        self._contents.append(bytearray(content))
        file = self._names[self._relative(path)]
        self.steps += [Change(self._relative(path), file), Write(file, content), Sync(file, None)]

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self._folder)

    def _note_create(self, descriptor: int, path: str, **_: Any) -> None:
        path = self._relative(path)
        file = self._descriptors[descriptor] = self._names[path] = len(self._contents)
        self._contents.append(bytearray())
        self.steps.append(Change(path, file))

    def _note_open_read(self, descriptor: int, path: str) -> None:
        self._descriptors[descriptor] = self._names[self._relative(path)]

    def _note_close(self, _: None, descriptor: int, path: str = "") -> None:
        self._descriptors.pop(descriptor, None)

    def _note_pwritev(self, _: None, descriptor: int, buffers: Sequence[Any], size_bytes: int, offset: int, path: str) -> None:
        content = self._contents[self._descriptors[descriptor]]
        content.extend(bytes(max(0, offset + size_bytes - len(content))))
        content[offset : offset + size_bytes] = b"".join(bytes(memoryview(buffer).cast("B")) for buffer in buffers)
        self._written(descriptor)

    def _note_allocate(self, _: None, descriptor: int, size_bytes: int, path: str) -> None:
        content = self._contents[self._descriptors[descriptor]]
        content.extend(bytes(max(0, size_bytes - len(content))))
        self._written(descriptor)

    def _note_truncate(self, _: None, descriptor: int, size_bytes: int, path: str) -> None:
        content = self._contents[self._descriptors[descriptor]]
        del content[size_bytes:]
        content.extend(bytes(size_bytes - len(content)))
        self._written(descriptor)

    def _written(self, descriptor: int) -> None:
        file = self._descriptors[descriptor]
        self.steps.append(Write(file, bytes(self._contents[file])))

    def _note_fsync(self, _: None, descriptor: int, path: str) -> None:
        self.steps.append(Sync(self._descriptors[descriptor], None))

    def _note_fsync_folder(self, _: None, folder: str) -> None:
        self.steps.append(Sync(None, self._relative(folder)))

    def _note_rename(self, _: None, source: str, target: str) -> None:
        source, target = self._relative(source), self._relative(target)
        self._names[target] = self._names.pop(source)
        self.steps.append(Change(target, self._names[target], source))

    def _note_remove(self, _: None, path: str) -> None:
        path = self._relative(path)
        del self._names[path]
        self.steps.append(Change(path, None))

    def _make_folders(self, path: str) -> None:
        missing = []
        while not os.path.isdir(path):
            missing.append(path)
            path = os.path.dirname(path)
        self.steps += [Change(self._relative(folder), -1) for folder in reversed(missing)]


class Killed(BaseException):
    """The process is dead. Nothing that it does on the way out has any effect."""


class DyingJournalFiles(JournalFiles):
    """Dies, when told to, before the Nth change or fsync, as far as files can tell; what was not synced is still there for the processes after it."""

    _left = -1
    """Changes and fsyncs before the death; negative: none is near."""

    def die_at(self, at: int) -> None:
        """The death comes before change or fsync `at`, from 1."""
        self._left = at

    def around(self, call: str, do: Callable[[], Any], arguments: tuple[Any, ...]) -> Any:
        self._left -= self._left > 0 and (call in CHANGES or call in SYNCS)
        if not self._left:
            raise Killed
        return super().around(call, do, arguments)

    def bury(self) -> bool:
        """Closes what the process had open, and lets another one live on; tells whether it had died."""
        died, self._left = not self._left, -1
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()
        return died


class State(NamedTuple):
    """What is on the disk: folders; and files, each with its number and its content."""

    folders: frozenset[str]
    files: frozenset[tuple[str, int, bytes]]

    def write(self, folder: str) -> None:
        """Makes it true in a new folder; files are as old as their numbers say."""
        os.mkdir(folder)
        for path in sorted(self.folders):
            if os.path.isdir(os.path.dirname(os.path.join(folder, path))):
                os.mkdir(os.path.join(folder, path))
        for path, file, content in self.files:
            path = os.path.join(folder, path)
            if os.path.isdir(os.path.dirname(path)):
                with open(path, "wb") as stream:
                    stream.write(content)
                os.utime(path, (1_700_000_000 + file, 1_700_000_000 + file))


@dataclasses.dataclass
class Disk:
    """What is on the disk for sure, and what may be."""

    names: dict[str, int] = dataclasses.field(default_factory=dict)
    pending: list[Change] = dataclasses.field(default_factory=list)
    contents: dict[int, bytes] = dataclasses.field(default_factory=dict)
    synced: dict[int, bytes] = dataclasses.field(default_factory=dict)

    def do(self, step: Step) -> None:
        """The next step happens."""
        if isinstance(step, Change):
            self.pending.append(step)
        elif isinstance(step, Write):
            self.contents[step.file] = step.content
        elif step.file is not None:
            self.synced[step.file] = self.contents.get(step.file, b"")
        else:
            _apply(self.names, [change for change in self.pending if os.path.dirname(change.path) == _base(step.folder)])
            self.pending = [change for change in self.pending if os.path.dirname(change.path) != _base(step.folder)]

    def states(self, limit: int) -> Iterator[State]:
        """What may be left if the power fails now; at most about `limit` choices among the changes of names, if there are more."""
        for kept in _choices(len(self.pending), limit):
            names = dict(self.names)
            _apply(names, [self.pending[number] for number in kept])
            files = {path: file for path, file in names.items() if file >= 0}
            folders = frozenset(path for path, file in names.items() if file < 0)
            for losses in self._losses(set(files.values())):
                yield State(folders, frozenset((path, file, self._left(file, losses.get(file, "kept"))) for path, file in files.items()))

    def _losses(self, files: set[int]) -> Iterator[dict[int, str]]:
        """What may be left of each file: the same of all, or all of all but one."""
        unsynced = [file for file in files if self.contents.get(file, b"") != self.synced.get(file)]
        yield {}
        for loss in LOSSES[:-1]:
            if unsynced:
                yield dict.fromkeys(unsynced, loss)
            if len(unsynced) > 1:
                yield from ({file: loss} for file in unsynced)

    def _left(self, file: int, loss: str) -> bytes:
        current, synced = self.contents.get(file, b""), self.synced.get(file)
        if synced == current:
            return current
        return {"nothing": synced or b"", "zeros": bytes(len(current)), "half": current[: len(current) // 2], "kept": current}[loss]


def _base(folder: str | None) -> str:
    return "" if folder in (None, os.curdir) else str(folder)


def _apply(names: dict[str, int], changes: Sequence[Change]) -> None:
    for change in changes:
        if change.source is not None:
            names.pop(change.source, None)
        if change.file is None:
            names.pop(change.path, None)
        else:
            names[change.path] = change.file


def _choices(count: int, limit: int) -> Iterator[tuple[int, ...]]:
    """Subsets of `count` numbers: all, or the extreme ones and some at random."""
    if 1 << count <= limit:
        for size in range(count + 1):
            yield from itertools.combinations(range(count), size)
        return
    everything = set(range(count))
    for number in range(count + 1):
        yield tuple(range(number))
        yield tuple(range(number, count))
    for size in (1, 2):
        for some in itertools.combinations(range(count), size):
            yield some
            yield tuple(sorted(everything - set(some)))
    chance = random.Random(count)
    for _ in range(limit):
        yield tuple(number for number in range(count) if chance.random() < 0.5)
