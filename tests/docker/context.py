"""What .dockerignore lets into a build, by Docker's rules: the last pattern that fits a path, or a folder that it is in, decides; `!` lets it in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path


class Ignored:
    """The patterns of a .dockerignore."""

    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines()]
        self._patterns = [(_translate(line.lstrip("!").strip("/")), line.startswith("!")) for line in lines if line and not line.startswith("#")]

    def lets_in(self, path: str) -> bool:
        decided = True
        parts = path.split("/")
        for pattern, lets_in in self._patterns:
            if any(pattern.fullmatch("/".join(parts[:length])) for length in range(1, len(parts) + 1)):
                decided = lets_in
        return decided


def let_in(root: Path) -> set[str]:
    """The files of a folder that its .dockerignore lets in."""
    ignored = Ignored((root / ".dockerignore").read_text())
    return {path for path in _walk(root) if ignored.lets_in(path)}


def _walk(root: Path) -> Iterable[str]:
    for folder, folders, names in os.walk(root):
        if folder == str(root):
            folders[:] = [name for name in folders if name in (".ci", "docker", "docs", "gpersist", "tests")]  # the rest is large
        yield from (os.path.relpath(os.path.join(folder, name), root) for name in names)


def _translate(pattern: str) -> re.Pattern[str]:
    tokens = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(tokens.get(part, part if part.startswith("[") else re.escape(part)) for part in _parts(pattern)))


def _parts(pattern: str) -> list[str]:
    return [part for part in re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]*\])", pattern) if part]
