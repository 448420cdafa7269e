"""gpersist's answers to the programs of tests/golden/gfile, against those that real TensorFlow gave."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from gpersist.errors import UnimplementedError
from gpersist.files import gfile

_FOLDER = Path(__file__).parents[1] / "golden" / "gfile"
_SPEC = importlib.util.spec_from_file_location("gfile_cases", _FOLDER / "cases.py")
assert _SPEC is not None and _SPEC.loader is not None
_CASES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_CASES)
_ANSWERS = json.loads((_FOLDER / "gfile.json").read_text())["answers"]


@pytest.mark.parametrize("name", _ANSWERS)
def test_same_as_tensorflow(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = json.loads(json.dumps(_CASES.CASES[name](gfile, str(tmp_path))))
    differences = list(_differences(_ANSWERS[name], found, name))
    assert not differences, "\n".join(differences)


def test_all_cases_have_answers() -> None:
    assert set(_CASES.CASES) == set(_ANSWERS)


def _differences(wanted: Any, found: Any, where: str) -> Any:
    if isinstance(wanted, dict):
        if not isinstance(found, dict) or wanted["error"][0] not in found["error"]:
            yield f"{where}: wanted {wanted['error'][0]}, found {found}"
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for index, (a, b) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(a, b, f"{where}[{index}]")
    elif wanted != found:
        yield f"{where}:\n  wanted {wanted!r}\n  found  {found!r}"


def test_reading_and_writing_at_once_keeps_what_is_there(tmp_path: Path) -> None:
    """TensorFlow's "r+" empties the file at the first write."""
    path = tmp_path / "f"
    path.write_bytes(b"12345")
    with gfile.GFile(path, "r+") as file:
        assert file.read(2) == "12"
        file.write("ab")
        assert file.read() == "345"
    assert path.read_bytes() == b"ab345"
    with gfile.GFile(path, "w+") as file:
        file.write("new")
        assert file.read() == "new"


def test_both_families_of_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    gfile.makedirs("a/b")
    gfile.mkdir("c")
    with gfile.GFile(b"a/f", "w") as file:
        file.write("x")
    gfile.copy("a/f", "c/f")
    gfile.rename("c/f", "c/g")
    assert gfile.exists("c/g") and gfile.isdir("a") and gfile.listdir("c") == ["g"] and gfile.stat("c/g").length == 1
    assert gfile.glob("*/g") == ["./c/g"]
    gfile.remove("c/g")
    gfile.rmtree("a")
    assert [row[0] for row in gfile.walk(".")] == [".", "./c"]


def test_a_link_to_a_folder_is_not_followed_when_it_is_removed(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "f").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    gfile.DeleteRecursively(str(tmp_path / "link"))
    assert (tmp_path / "kept" / "f").exists() and not (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("call", ["Exists", "IsDirectory", "Glob", "ListDirectory", "MakeDirs", "MkDir", "Remove", "Stat"])
def test_other_file_systems_are_refused(call: str) -> None:
    with pytest.raises(UnimplementedError, match=r"File system scheme 'gs' not implemented \(file: 'gs://bucket/x'\)"):
        getattr(gfile, call)("gs://bucket/x")
