"""The wheel: what is in it, and that it works where nothing else is installed than what it asks for."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = """
import json, sys
import gpersist.compat.v1 as tf
with tf.Session() as sess:
    assert sess.run(tf.constant([1.0, 2.0]) * 2).tolist() == [2.0, 4.0]
json.dump(sorted({name.partition(".")[0] for name in sys.modules}), sys.stdout)
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def run(*command, cwd=None):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, cwd=cwd, env={"PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder of programs of a new environment that has the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin" / "pip", "install", "--quiet", wheel)
    return folder / "bin"


def test_it_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {PurePosixPath(name) for name in archive.namelist()}
    code = {name for name in names if name.parts[0] == "gpersist"}
    assert code == {
        PurePosixPath(path.relative_to(ROOT).as_posix())
        for path in (ROOT / "gpersist").rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".pyo")
    }
    assert {name.suffix for name in code} == {".py", ".pyi", ".typed", ".binpb", ".html", ".js"}  # those two draw graphs
    (about,) = {name.parts[0] for name in names - code}
    assert {name.relative_to(about).as_posix() for name in names - code} == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


def test_it_says_what_it_needs(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (path,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        metadata = Parser().parsestr(archive.read(path).decode())
    assert metadata["Name"] == "gpersist" and metadata["Description-Content-Type"] == "text/markdown"
    assert "# gpersist" in metadata.get_payload()
    required = [line for line in metadata.get_all("Requires-Dist") if "extra" not in line]
    assert not [line for line in required if "cupy" in line or "tensorflow" in line]


def test_it_works_alone(installed, tmp_path):
    packages = run(installed / "pip", "list", "--format=freeze").lower()
    assert "gpersist==" in packages and "pytest" not in packages and "tensorflow" not in packages
    assert "exit status:" in run(installed / "gpersist", "--help", cwd=tmp_path)
    assert run(installed / "gpersist", "--version", cwd=tmp_path).startswith("gpersist ")
    assert "complete -F _gpersist gpersist" in run(installed / "gpersist", "completion", "bash", cwd=tmp_path)
    assert "tensorflow" not in run(installed / "python", "-W", "error", "-c", PROGRAM, cwd=tmp_path)
    assert "verified ckpt-100: whole" in run(installed / "gpersist", "demo", "--steps", "100", "--dir", tmp_path / "demo", cwd=tmp_path)
    assert "ckpt-100" in run(installed / "gpersist", "verify", "demo", cwd=tmp_path)
