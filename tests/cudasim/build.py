#!/usr/bin/env python3
"""Builds the emulated CUDA runtime, and a virtual environment whose CuPy runs on it.

    python tests/cudasim/build.py [DIR]      # DIR: .cudasim in the repository's root
    DIR/python -m pytest -m cuda

The environment is for the Python that runs this script. Needed besides: g++ and PyPI. NVIDIA's CUDA 13 headers are taken from the
folder in CUDA_HEADERS, from an installed toolkit, or from PyPI (always from there with --no-toolkit). Each step is done again only
when what it is made of has changed, so that a second call returns at once.

    python tests/cudasim/build.py --tsan [DIR]

instead compiles the runtime and tests/tsan.cpp with ThreadSanitizer and runs them; no environment is made.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "src"
REPOSITORY = HERE.parents[1]

CUPY = "14.2.0"
CUPY_TOOLS = ["cython==3.2.*", "setuptools", "wheel"]  # as CuPy's own pyproject.toml asks
HEADERS = [f"nvidia-cuda-{part}==13.0.*" for part in ("runtime", "crt", "cccl", "profiler-api")]
REQUIREMENTS = [
    "numpy>=2.0",
    "protobuf>=5.29.5",
    "ml_dtypes>=0.5.1",
    "google-re2>=1.1",
    "absl-py>=2.1",
    "nvidia-ml-py>=12.535",
    "crc32c>=2.7.1",
    "rich>=13.7",
    "pytest>=8",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.6",
    "hypothesis>=6.100",
]

RUNTIME = [
    "settings",
    "faults",
    "devices",
    "memory",
    "streams",
    "events",
    "runtime_devices",
    "runtime_memory",
    "runtime_streams",
    "driver",
    "control",
]
LIBRARY_FLAGS = ["-std=c++17", "-g", "-Wall", "-Wextra", "-fPIC", "-fvisibility=hidden", "-pthread"]
# -fno-gnu-unique: every kernel's library has its own copy of what device.h keeps, and can be unloaded
KERNEL_FLAGS = ["-std=gnu++17", "-O1", "-fpermissive", "-w", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique", "-ftls-model=global-dynamic"]

# What a function that is not emulated does. It returns cudaErrorNotSupported or CUBLAS_STATUS_NOT_SUPPORTED.
STUB = """#include <cstdio>
#define NOT_SUPPORTED(name)                                                \\
  extern "C" __attribute__((visibility("default"))) int name() {{            \\
    std::fputs("[cudasim, emulated] " #name " is not supported\\n", stderr); \\
    return {status};                                                       \\
  }}
"""
NOT_SUPPORTED = {"cuda": STUB.format(status=801), "cublas": STUB.format(status=15)}

PIP = ["-m", "pip", "--quiet", "--disable-pip-version-check"]


def run(*command: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Runs a command; its output is shown only if it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"cudasim: this failed with status {done.returncode}:\n  {' '.join(words)}\n{done.stdout}")
    return done.stdout


def digest(*parts: object) -> str:
    """One name for files (by their contents) and strings."""
    total = hashlib.sha256()
    for part in parts:
        total.update((part.read_bytes() if isinstance(part, Path) else str(part).encode()) + b"\0")
    return total.hexdigest()[:16]


class Builder:
    """Builds into one folder. `steps/NAME` there holds the digest of what step NAME was last made of."""

    def __init__(self, out: Path, use_toolkit: bool) -> None:
        self.out = out
        self.library = out / "lib"
        self.cupy_runtime = out / "cupy-runtime.o"
        self.python = out / "venv" / "bin" / "python"
        self.headers = find_headers(use_toolkit) or self.fetched_headers()
        self.interpreter = f"{platform.python_implementation()} {platform.python_version()} {sys.base_prefix}"

    def step(self, name: str, made_of: str, make: Callable[[], None]) -> None:
        stamp = self.out / "steps" / name
        if stamp.exists() and stamp.read_text() == made_of:
            return
        print(f"cudasim: {name} ...", flush=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.unlink(missing_ok=True)
        make()
        stamp.write_text(made_of)

    def build(self) -> None:
        environment = digest(self.interpreter, CUPY, *CUPY_TOOLS, *REQUIREMENTS)
        sources = digest(Path(__file__), *sorted(SOURCES.iterdir()), str(self.headers), environment)
        self.step("environment", environment, self.make_environment)
        self.step("cupy", digest(environment, CYTHONIZE, str(self.headers)), self.compile_cupy)
        self.step("libraries", sources, lambda: self.make_libraries(sources))
        self.step("wrapper", digest(Path(__file__), str(self.headers), str(REPOSITORY)), self.write_wrapper)

    def fetched_headers(self) -> Path:
        target = self.out / "headers"

        def fetch() -> None:
            shutil.rmtree(target, ignore_errors=True)
            run(sys.executable, *PIP, "install", "--no-deps", "--target", target, *HEADERS)

        self.step("headers", digest(*HEADERS), fetch)
        return target / "nvidia" / "cu13" / "include"

    def make_environment(self) -> None:
        run(sys.executable, "-m", "venv", "--clear", self.out / "venv")
        self.pip("install", f"cupy-cuda13x=={CUPY}", *REQUIREMENTS, *CUPY_TOOLS)

    def pip(self, *arguments: str | Path, env: dict[str, str] | None = None) -> None:
        run(self.python, *PIP, *arguments, env=env)

    def site(self) -> Path:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.out / "venv" / "lib" / version / "site-packages"

    def make_libraries(self, build: str) -> None:
        fresh = self.out / "lib.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        for name in ("device.h", "kernel.h", "prelude.h"):
            shutil.copy(SOURCES / name, fresh)
        cupy_include = self.site() / "cupy" / "_core" / "include"
        cccl = cupy_include / "cupy" / "_cccl"
        includes = [f"-I{folder}" for folder in (cccl / "cub", cccl / "thrust", cccl / "libcudacxx", cupy_include, self.headers)]
        defines = [
            f'-DCUDASIM_BUILD="{build}"',
            f'-DCUDASIM_KERNEL_FLAGS="{" ".join(KERNEL_FLAGS)}"',
            f'-DCUDASIM_CUDA_INCLUDE="{self.headers}"',
        ]
        compile_object = ["g++", *LIBRARY_FLAGS, "-isystem", self.headers, "-c"]
        commands = [
            ["g++", "-x", "c++-header", *KERNEL_FLAGS, *includes, fresh / "prelude.h", "-o", fresh / "prelude.h.gch"],
            [*compile_object, "-O3", SOURCES / "cublas.cpp", "-o", fresh / "cublas.o"],
            [*compile_object, "-O1", *defines, SOURCES / "nvrtc.cpp", "-o", fresh / "nvrtc.o"],
            *([*compile_object, "-O2", SOURCES / f"{name}.cpp", "-o", fresh / f"{name}.o"] for name in RUNTIME),
        ]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda command: run(*command), commands))

        objects = [fresh / f"{name}.o" for name in RUNTIME]
        backends = self.site() / "cupy_backends" / "cuda"
        self.link_library(fresh, "libcudart.so.13", objects, self.cupy_runtime, "cuda")
        self.link_library(fresh, "libcublas.so.13", [fresh / "cublas.o", fresh / "libcudart.so.13"], one(backends.glob("libs/cublas.*.so")), "cublas")
        run("g++", "-shared", "-Wl,-soname,libnvrtc.so.13", fresh / "nvrtc.o", "-ldl", "-o", fresh / "libnvrtc.so.13")
        (fresh / "libcuda.so.1").symlink_to("libcudart.so.13")
        (fresh / "empty.cpp").write_text("")  # CuPy loads cuBLASLt before cuBLAS, and never calls it
        run("g++", "-shared", "-Wl,-soname,libcublasLt.so.13", fresh / "empty.cpp", "-o", fresh / "libcublasLt.so.13")
        for leftover in [*fresh.glob("*.o"), *fresh.glob("*.cpp"), *fresh.glob("*.map")]:
            leftover.unlink()
        shutil.rmtree(self.library, ignore_errors=True)
        fresh.rename(self.library)

        module = one(backends.glob("api/runtime.*.so"))
        linked = module.with_suffix(".new")
        run("g++", "-shared", self.cupy_runtime, f"-Wl,-rpath,{self.library}", self.library / "libcudart.so.13", "-o", linked)
        linked.replace(module)

    def link_library(self, fresh: Path, name: str, objects: list[Path], client: Path, family: str) -> None:
        """Links a library that has every function of its family that the client needs; those not emulated say so."""
        wanted = symbols(family, "--undefined-only", client)
        missing = sorted(wanted - symbols(family, "--defined-only", *objects))
        stubs = fresh / f"{family}_not_supported.cpp"
        stubs.write_text(NOT_SUPPORTED[family] + "".join(f"NOT_SUPPORTED({function})\n" for function in missing))
        versions = fresh / f"{family}.map"
        versions.write_text(f"{name} {{ global: *; }};\n" if family == "cublas" else "{ global: cu*; local: *; };\n")
        run(
            *("g++", *LIBRARY_FLAGS, "-shared", f"-Wl,-soname,{name}", f"-Wl,--version-script,{versions}", "-Wl,-rpath,$ORIGIN"),
            *(*objects, stubs, "-ldl", "-o", fresh / name),
        )

    def compile_cupy(self) -> None:
        """Compiles CuPy's own, unchanged runtime.pyx, to be linked to our runtime: in the wheel it is linked to NVIDIA's, statically."""
        work = self.out / "work"
        shutil.rmtree(work, ignore_errors=True)
        source = self.fetch_cupy_source(work)
        run(self.python, "-c", CYTHONIZE, cwd=source)
        numpy_include = run(self.python, "-c", "import numpy; print(numpy.get_include())").strip()
        include = ["-I", self.headers, "-I", sysconfig.get_paths()["include"], "-I", numpy_include]
        defines = ["-D_FORCE_INLINES=1", '-DCYTHON_EXTERN_C=extern "C"', "-DNPY_TARGET_VERSION=NPY_2_0_API_VERSION", "-DCUPY_CACHE_KEY=emulated"]
        generated = source / "cupy_backends" / "cuda" / "api" / "runtime.cpp"
        run("g++", "-O1", "-fPIC", "-w", *defines, *include, "-c", generated, "-o", self.cupy_runtime)
        shutil.rmtree(work)

    def fetch_cupy_source(self, work: Path) -> Path:
        """The sdist of CuPy. pip has no "download and leave it": we let it unpack the sdist and keep what it leaves behind."""
        unpacked = work / "unpacked"
        unpacked.mkdir(parents=True)
        environment = {**os.environ, "TMPDIR": str(unpacked), "CUPY_INSTALL_USE_STUB": "1"}
        what = ["--no-clean", "--no-binary=cupy", "--no-deps", "--no-build-isolation", f"cupy=={CUPY}"]
        with contextlib.suppress(SystemExit):  # how far its metadata step comes without the CUDA libraries does not matter
            self.pip("download", *what, "-d", work / "sdist", env=environment)
        found = [setup.parent for setup in unpacked.glob("*/*/setup.py") if (setup.parent / "cupy_backends").is_dir()]
        if not found:
            raise SystemExit(f"cudasim: pip left no source of CuPy; try: {self.python} -m pip download {' '.join(what)}")
        return found[0]

    def write_wrapper(self) -> None:
        wrapper = self.out / "python"
        fresh = self.out / "python.new"
        fresh.write_text(
            f"""#!/bin/sh
# Python whose CuPy runs on the emulated CUDA runtime. CUDASIM_* are described in tests/cudasim/README.md.
export LD_LIBRARY_PATH="{self.library}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
export PYTHONPATH="{REPOSITORY}${{PYTHONPATH:+:$PYTHONPATH}}"
export CUDA_PATH="{self.headers.parent}"
export CUPY_ACCELERATORS=
export CUPY_CACHE_DIR="${{CUPY_CACHE_DIR:-{self.out}/kernel-cache}}"
export CUDASIM_LIBRARY="{self.library}/libcudart.so.13"
exec "{self.python}" "$@"
"""
        )
        fresh.chmod(0o755)
        fresh.replace(wrapper)


# The compile-time environment is the one of CuPy's own build for CUDA 13.
CYTHONIZE = """
import Cython
from Cython.Build import cythonize
from setuptools import Extension

name = "cupy_backends.cuda.api.runtime"
cythonize(
    [Extension(name, [name.replace(".", "/") + ".pyx"], language="c++")],
    force=True,
    language_level=3,
    compile_time_env={
        "CUPY_USE_CUDA_PYTHON": False,
        "CUPY_CUFFT_STATIC": False,
        "CUPY_CYTHON_VERSION": Cython.__version__,
        "CUPY_CUDA_VERSION": 13000,
        "CUPY_HIP_VERSION": 0,
    },
    compiler_directives={
        "embedsignature": True,
        "c_api_binop_methods": True,
        "binding": False,
        "warn.deprecated.IF": False,
        "freethreading_compatible": True,
    },
)
"""


def find_headers(use_toolkit: bool) -> Path | None:
    """The folder of CUDA 13's cuda.h on this machine, or None."""
    if given := os.environ.get("CUDA_HEADERS"):
        if not is_cuda_13(Path(given)):
            raise SystemExit(f"cudasim: CUDA_HEADERS={given} holds no cuda.h of CUDA 13")
        return Path(given)
    if not use_toolkit:
        return None
    nvcc = shutil.which("nvcc")
    candidates = [Path(nvcc).resolve().parents[1] / "include"] if nvcc else []
    candidates += [Path(os.environ[name]) / "include" for name in ("CUDA_PATH", "CUDA_HOME") if os.environ.get(name)]
    candidates.append(Path("/usr/local/cuda/include"))
    return next((folder.resolve() for folder in candidates if is_cuda_13(folder)), None)


def is_cuda_13(folder: Path) -> bool:
    header = folder / "cuda.h"
    return header.is_file() and re.search(r"^#define CUDA_VERSION 13\d{3}$", header.read_text(errors="replace"), re.MULTILINE) is not None


def symbols(family: str, kind: str, *files: Path) -> set[str]:
    """The functions of a family that these objects define or need."""
    listed = "".join(run("nm", *(["-D"] if ".so" in file.name else []), kind, file) for file in files)
    return set(re.findall(rf" [TU] ({family}[A-Z]\w*)", listed))


def one(paths: Iterable[Path]) -> Path:
    found = list(paths)
    if len(found) != 1:
        raise SystemExit(f"cudasim: expected one file, found {found}")
    return found[0]


def check_threads(builder: Builder) -> None:
    """Runs tests/tsan.cpp on a runtime built with ThreadSanitizer."""
    program = builder.out / "tsan"
    sources = [HERE / "tests" / "tsan.cpp", *(SOURCES / f"{name}.cpp" for name in RUNTIME)]
    flags = ["-std=c++17", "-O1", "-g", "-Wall", "-Wextra", "-fsanitize=thread", "-pthread", "-I", SOURCES, "-isystem", builder.headers]
    run("g++", *flags, *sources, "-ldl", "-o", program)
    print(run(program, env={**os.environ, "TSAN_OPTIONS": "halt_on_error=1", "CUDASIM_DEVICES": "2"}), end="")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", nargs="?", type=Path, default=REPOSITORY / ".cudasim", metavar="DIR")
    parser.add_argument("--no-toolkit", action="store_true", help="take the headers from PyPI even where a toolkit is installed")
    parser.add_argument("--tsan", action="store_true", help="check the runtime with ThreadSanitizer instead")
    options = parser.parse_args()
    out = options.dir.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with (out / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two callers at once: the second finds all done
        builder = Builder(out, not options.no_toolkit)
        if options.tsan:
            check_threads(builder)
            return
        builder.build()
    print(f"emulated CUDA: {out / 'python'}")


if __name__ == "__main__":
    main()
