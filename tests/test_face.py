"""What `import gpersist` gives, and what it costs."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import gpersist

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "gpersist").rglob("*.py"))
PACKAGES = sorted(path.parent.name for path in (ROOT / "gpersist").glob("*/__init__.py"))


def public_names(module):
    return sorted(name for name, value in vars(module).items() if not name.startswith("_") and not inspect.ismodule(value))


def test_all_names_are_told():
    """Modules apart: importing a package leaves its name in the one above."""
    assert list(gpersist.__all__) == sorted(gpersist.__all__)
    assert [name for name in public_names(gpersist) if name not in gpersist.__all__] == []
    assert [name for name in gpersist.__all__ if not hasattr(gpersist, name)] == []


def test_all_errors_are_told():
    errors = importlib.import_module("gpersist.errors")
    kinds = {name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, gpersist.GPersistError)}
    assert kinds <= set(gpersist.__all__)


def test_everything_told_has_a_docstring():
    silent = [name for name in gpersist.__all__ if not name.startswith("__") and not inspect.getdoc(getattr(gpersist, name))]
    assert silent == []


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_packages_face_names_is_there(package):
    """In ruff's order, which ruff holds."""
    module = importlib.import_module(f"gpersist.{package}")
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


ROOMED = (
    "gpersist.ops.",
    "gpersist.train.",
    "gpersist.saved_model.",
    "gpersist.compat.",
    "gpersist.estimator.",
    "gpersist.feature_columns.",
    "gpersist.lite.",
    "gpersist.files.gfile",
)
"""Packages of many functions: each of their modules that has an `__all__` is a face."""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_other_packages_are_used_through_their_faces(path):
    own = path.relative_to(ROOT).parts[1]
    found = [node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom) and node.module]
    past = [name for name in found if name.startswith("gpersist.") and name.count(".") > 1 and name.split(".")[1] != own]
    assert [name for name in past if not (name.startswith(ROOMED) and hasattr(importlib.import_module(name), "__all__"))] == []


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_brings_nothing_heavy():
    loaded = set(run("import gpersist, sys; print(*sys.modules)").split())
    assert "gpersist.checkpoint" in loaded
    assert loaded & {"cupy", "pynvml", "rich", "tensorflow", "torch", "asyncio"} == set()


def test_all_works_where_cupy_is_absent(tmp_path):
    code = f"""
import sys
sys.modules["cupy"] = sys.modules["pynvml"] = None  # importing them raises ImportError
import numpy as np
import gpersist
gpersist.save({str(tmp_path / "x")!r}, {{"w": np.arange(3.0)}})
print([device.name for device in gpersist.devices()], gpersist.load({str(tmp_path / "x")!r})["w"])
"""
    assert run(code) == "['/device:CPU:0'] [0. 1. 2.]\n"


def test_arrays_come_back_where_they_lived(xp, tmp_path):
    arrays = {"w": xp.arange(6, dtype="float32").reshape(2, 3), "step": xp.asarray(7)}
    gpersist.save(tmp_path / "x", arrays)
    found = gpersist.load(tmp_path / "x")
    assert {name: type(array) for name, array in found.items()} == dict.fromkeys(arrays, xp.ndarray)
    assert {name: array.tolist() for name, array in found.items()} == {name: array.tolist() for name, array in arrays.items()}
