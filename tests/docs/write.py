"""Writes what is generated in README.md and docs/ (`make docs`), the picture too, and nothing else of them.

<!-- written: WRITER [ARGUMENT ...] -->    replaced, up to the end, by what the writer of this name says
<!-- end -->

python -m tests.docs.write            # writes
python -m tests.docs.write --check    # exits with 1, and the names of the pages, if some are stale
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import readme
from tests.docs import code, command_line, names, picture

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "placement.svg"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

WRITERS: dict[str, Callable[..., str]] = {
    "commands": command_line.commands,
    "docstring": code.docstring,
    "errors": code.errors,
    "figures": readme.figures,
    "functions": code.functions,
    "manual": command_line.manual,
    "goals": readme.goals,
    "graphs": readme.graphs,
    "members": code.members,
    "missing": names.missing,
    "operations": names.operations,
    "rooms": code.rooms,
    "section": code.section,
}

_PART = re.compile(r"^(<!-- written: (\S+)((?: \S+)*?) -->)\n.*?^<!-- end -->$", re.MULTILINE | re.DOTALL)


def fresh(text: str) -> str:
    """A page's text with its parts written anew."""

    def write(found: re.Match[str]) -> str:
        begin, writer, arguments = found.groups()
        return f"{begin}\n\n{WRITERS[writer](*arguments.split()).strip()}\n\n<!-- end -->"

    return _PART.sub(write, text)


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the pages, or says which are stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a page is stale")
    is_check = parser.parse_args(argv).check
    found = {path: path.read_text() if path.exists() else "" for path in [*PAGES, PICTURE]}
    wanted = {page: fresh(found[page]) for page in PAGES} | {PICTURE: picture.placement()}
    stale = [path for path, text in wanted.items() if found[path] != text]
    for path in stale:
        print(f"{'stale' if is_check else 'written'}: {path.relative_to(ROOT)}")
        if not is_check:
            path.write_text(wanted[path])
    return int(is_check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
