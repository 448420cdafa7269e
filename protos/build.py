"""Compiles protos/**/*.proto into gpersist/protos: `descriptors.binpb` for the runtime, `__init__.pyi` for type checkers.

Run `python protos/build.py` after every change of a .proto file; with `--check` it writes nothing, and exits with 1 when a result is stale.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc
from stub import stub

PROTOS = Path(__file__).resolve().parent
PACKAGE = PROTOS.parent / "gpersist" / "protos"


def compile_all() -> FileDescriptorSet:
    """Our files in the order of their imports, without protobuf's own, which the runtime takes from the protobuf it runs with."""
    sources = sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto"))
    well_known = Path(protoc.__file__).parent / "_proto"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "set")
        status = protoc.main(["protoc", f"-I{PROTOS}", f"-I{well_known}", "--include_imports", f"--descriptor_set_out={out}", *sources])
        if status != 0:
            sys.exit(status)
        compiled = FileDescriptorSet.FromString(out.read_bytes())
    return FileDescriptorSet(file=[file for file in compiled.file if not file.name.startswith("google/")])


def check_names(files: FileDescriptorSet) -> None:
    """The face knows top-level types by short name, so no two packages may share one."""
    names = Counter(item.name for file in files.file for item in (*file.message_type, *file.enum_type))
    if twice := [name for name, count in names.items() if count > 1]:
        sys.exit(f"defined in two packages: {', '.join(twice)}")


def main() -> int:
    """Writes or compares; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    files = compile_all()
    check_names(files)
    status = 0
    for path, content in (
        (PACKAGE / "descriptors.binpb", files.SerializeToString(deterministic=True)),
        (PACKAGE / "__init__.pyi", stub(files).encode()),
    ):
        if path.is_file() and path.read_bytes() == content:
            continue
        if check:
            print(f"{path} is stale: run python protos/build.py", file=sys.stderr)
            status = 1
        else:
            path.write_bytes(content)
    return status


if __name__ == "__main__":
    sys.exit(main())
