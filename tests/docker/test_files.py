"""The files of docker/: what goes into a build, what an image is, and that the pins are those of pyproject.toml."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.docker.context import Ignored, let_in

ROOT = Path(__file__).parents[2]
DOCKERFILES = ["cpu", "cuda"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]


def instructions(kind: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile, each on one line."""
    text = (ROOT / "docker" / f"Dockerfile.{kind}").read_text()
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [(line.split()[0], " ".join(line.split()[1:])) for line in lines if line.strip()]


def of_last_stage(kind: str) -> dict[str, str]:
    everything = instructions(kind)
    last_from = max(number for number, (name, _) in enumerate(everything) if name == "FROM")
    return dict(everything[last_from:])


def pins(name: str) -> dict[str, Requirement]:
    lines = (ROOT / "docker" / f"requirements{name}.txt").read_text().splitlines()
    found = [Requirement(line) for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"==[^*]+", str(pin.specifier)) for pin in found), "exact, all of them"
    return {canonicalize_name(pin.name): pin for pin in found}


def assert_pinned(wanted: list[str], pinned: dict[str, Requirement]) -> None:
    for requirement in map(Requirement, wanted):
        pin = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(next(iter(pin.specifier)).version), f"{pin}; pyproject.toml says {requirement}"
        assert pin.extras == requirement.extras


# ---- the context -----------------------------------------------------------------------------------------------------------


def test_nothing_else_goes_into_a_build():
    docker = {"docker/healthcheck.py", "docker/train.py", *(f"docker/requirements{name}.txt" for name in ("", "-build", "-cuda12x", "-cuda13x"))}
    found = let_in(ROOT)
    package = {path for path in found if path.startswith("gpersist/")}
    assert found - package == docker | {"LICENSE", "README.md", "pyproject.toml"}
    assert {"gpersist/__init__.py", "gpersist/py.typed", "gpersist/ops/__init__.py"} <= package
    assert not [path for path in package if "__pycache__" in path or path.endswith(".pyc")]


@pytest.mark.parametrize(
    "path", [".git/config", ".venv/bin/python", ".env", "secrets/key", "run/ckpt-1.index", "docker/verify.sh", "docker/x/train.py"]
)
def test_kept_out(path):
    assert not Ignored((ROOT / ".dockerignore").read_text()).lets_in(path)


@pytest.mark.parametrize("kind", DOCKERFILES)
def test_what_is_copied_is_in_the_context(kind):
    found = let_in(ROOT)
    for name, text in instructions(kind):
        if name == "COPY" and not text.startswith("--from"):
            for source in text.split()[:-1]:
                pattern = source.replace("${CUDA}", "1[23]x")
                assert any(fnmatch.fnmatch(path, pattern) or path.startswith(f"{source}/") for path in found), source


# ---- the images ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", DOCKERFILES)
def test_an_image_is_small_and_runs_as_nobody(kind):
    assert "ADD" not in [name for name, _ in instructions(kind)]
    stages = [text for name, text in instructions(kind) if name == "FROM"]
    assert stages == ["${BASE_IMAGE} AS build", "${BASE_IMAGE}"]
    last = of_last_stage(kind)
    assert last["USER"] == "10001:10001"
    assert "pip" not in last["RUN"] and "apt-get" not in last["RUN"]
    assert instructions(kind)[0] == ("ARG", "BASE_IMAGE=python:3.13.9-slim-trixie")


@pytest.mark.parametrize("kind", DOCKERFILES)
def test_programs_are_started_without_a_shell(kind):
    last = of_last_stage(kind)
    assert json.loads(last["ENTRYPOINT"]) == ["python", "/opt/gpersist/train.py"]
    assert json.loads(last["CMD"]) == ["/data/run"]
    assert json.loads(last["HEALTHCHECK"].split(" CMD ")[1]) == ["python", "/opt/gpersist/healthcheck.py"]
    assert last["COPY"] == "docker/train.py docker/healthcheck.py /opt/gpersist/"
    assert last["STOPSIGNAL"] == "SIGTERM"


@pytest.mark.parametrize("kind", DOCKERFILES)
def test_what_is_written_goes_to_volumes(kind):
    last = of_last_stage(kind)
    assert json.loads(last["VOLUME"]) == ["/cache", "/data"]
    environment = dict(setting.split("=", 1) for setting in last["ENV"].split())
    caches = {"HOME", "XDG_CACHE_HOME"} | ({"CUPY_CACHE_DIR", "CUDA_CACHE_PATH"} if kind == "cuda" else set())
    assert {name for name, value in environment.items() if value.startswith("/cache")} == caches
    assert environment["HEARTBEAT_FILE"].startswith("/tmp/") and environment["GPUS_NEEDED"] == ("1" if kind == "cuda" else "0")


def test_the_dockerfiles_differ_by_cuda_alone():
    differing = {
        name
        for (name, cpu) in instructions("cpu")
        for (other, cuda) in instructions("cuda")
        if name == other and (name, cpu) not in instructions("cuda")
    }
    assert differing == {"COPY", "RUN", "ENV"}
    environments = [set(of_last_stage(kind)["ENV"].split()) for kind in DOCKERFILES]
    assert environments[0] - environments[1] == {"GPUS_NEEDED=0"}


# ---- the pins --------------------------------------------------------------------------------------------------------------


def test_pins_are_those_of_the_project():
    assert_pinned(PROJECT["project"]["dependencies"], pins(""))
    assert_pinned(PROJECT["build-system"]["requires"], pins("-build"))


@pytest.mark.parametrize("cuda", ["12x", "13x"])
def test_cupy_is_that_of_the_extra(cuda):
    assert_pinned(EXTRAS[f"cuda{cuda}-ctk"], pins(f"-cuda{cuda}"))
    assert not pins("").keys() & pins(f"-cuda{cuda}").keys()


# ---- compose ---------------------------------------------------------------------------------------------------------------


def test_compose():
    yaml = pytest.importorskip("ruamel.yaml")
    compose = yaml.YAML(typ="safe").load((ROOT / "docker/compose.yaml").read_text())
    services = compose["services"]
    for service in services.values():
        assert service["read_only"] and service["init"] and service["tmpfs"] == ["/tmp"] and service["stop_grace_period"] == "2m"
        assert service["volumes"] == [f"{name}:/{path}" for name, path in {"run": "data", "cache": "cache"}.items()]
        assert (ROOT / "docker" / service["build"]["context"] / service["build"]["dockerfile"]).exists()
        assert service["restart"] == "on-failure" and service["cap_drop"] == ["ALL"]
    assert services["train"]["deploy"]["resources"]["reservations"]["devices"] == [{"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}]
    assert "deploy" not in services["train-cpu"] and set(compose["volumes"]) == {"run", "cache"}


# ---- verify.sh, and when CI runs it ----------------------------------------------------------------------------------------


def test_verify_says_what_is_missing(tmp_path):
    for tool in ("bash", "dirname", "env"):
        (tmp_path / tool).symlink_to(Path("/usr/bin") / tool)
    ended = subprocess.run([ROOT / "docker/verify.sh"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("verify.sh: not tried: buildah podman crun mmdebstrap unshare missing; on Debian: apt-get install ")


@pytest.fixture
def repository(tmp_path):
    """A repository with .ci/docker and a stand-in for verify.sh, which ends with the status in the file `status`."""

    def git(*arguments, **environment):
        identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a"}
        command = ["git", "-c", "commit.gpgsign=false", *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, env={**os.environ, **identity, **environment})

    for name in (".ci", "docker"):
        (tmp_path / name).mkdir()
    (tmp_path / ".ci/docker").write_bytes((ROOT / ".ci/docker").read_bytes())
    (tmp_path / "docker/verify.sh").write_text("#!/usr/bin/env bash\necho tried\nexit $(cat status)\n")
    for name in (".ci/docker", "docker/verify.sh"):
        (tmp_path / name).chmod(0o755)
    (tmp_path / "pyproject.toml").write_text("1")
    (tmp_path / "status").write_text("0")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "old", GIT_COMMITTER_DATE="2020-01-01T00:00:00Z")
    tmp_path.joinpath("README").touch()
    git("add", ".")
    git("commit", "--quiet", "--message", "new")

    def ci(**environment):
        ended = subprocess.run([tmp_path / ".ci/docker"], capture_output=True, text=True, check=False, env={**os.environ, **environment})
        return ended.returncode, ended.stdout

    return tmp_path, git, ci


def test_ci_builds_what_has_changed_and_nothing_else(repository):
    folder, git, ci = repository
    status, said = ci()
    assert status == 0 and "the image is not built" in said and "tried" not in said
    (folder / "pyproject.toml").write_text("2")
    git("commit", "--all", "--quiet", "--message", "dependencies")
    assert ci() == (0, "tried\n")
    assert "tried" not in ci(CI_BASE="HEAD")[1]
    (folder / "status").write_text("1")
    assert ci() == (1, "tried\n")
    (folder / "status").write_text("2")
    assert ci() == (0, "tried\nthe image is not built\n")
