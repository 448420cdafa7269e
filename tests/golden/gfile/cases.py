"""Small programs about `tf.gfile`, each giving something that JSON can hold.

`write_gfile.py` runs them with real TensorFlow and keeps the answers in `gfile.json`; tests/files/test_gfile.py runs them with gpersist and compares.
A case is a function that gets the module `gfile` and an empty folder, which is the working folder, too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

CASES: dict[str, Any] = {}


def case(function: Any) -> Any:
    CASES[function.__name__] = function
    return function


def failure(do: Any) -> Any:
    try:
        found = do()
    except Exception as error:
        return {"error": [kind.__name__ for kind in type(error).__mro__]}
    return ["nothing raised", told(found)]


def told(value: Any) -> Any:
    if isinstance(value, bytes):
        return ["bytes", value.decode("latin-1")]
    if isinstance(value, (list, tuple)):
        return [told(item) for item in value]
    return value if isinstance(value, (str, int, float, type(None))) else type(value).__name__


def tree(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            Path(name).mkdir(exist_ok=True)
        else:
            Path(name).write_bytes(name.encode())


@case
def write_and_read(gfile, folder):
    found = []
    with gfile.GFile("a.txt", "w") as file:
        found.append([file.name, file.mode, failure(lambda: file.write("one\nzwö\n")), failure(lambda: file.write(b"bytes\n")), file.tell()])
        found.append(failure(file.flush))
        found.append(file.size())
    with gfile.GFile("a.txt") as file:
        found.append([file.mode, file.size(), file.readline(), file.tell(), file.read(2), file.read(), file.read(), file.readline()])
    with gfile.GFile("a.txt", "rb") as file:
        found.append(told([file.readline(), file.read(3), file.readlines()]))
    with gfile.FastGFile("a.txt", "r") as file:
        found.append([list(file), list(file)])
    with gfile.Open("a.txt", "r") as file:
        found.append([file.readlines(), file.seekable()])
    found.append(Path("a.txt").read_bytes().decode())
    return found


@case
def modes(gfile, folder):
    found = []
    for mode in ("r", "w", "a", "rb", "wb", "ab", "x", "U", "", "rw", "rt", "b"):
        Path("m").write_bytes(b"12345")
        file = None

        def make(mode=mode):
            nonlocal file
            file = gfile.GFile("m", mode)
            return file

        made = failure(make)
        row = [mode, made if isinstance(made, dict) else "made"]
        if file is not None:
            row += [failure(lambda file=file: file.read(2)), failure(lambda file=file: file.write("ab")), failure(lambda file=file: file.read())]
            row.append(failure(file.close))
            row.append(Path("m").read_bytes().decode())
        found.append(row)
    return [*found, *[gfile.GFile("m", mode).mode for mode in ("r+", "w+", "a+", "rb+", "wb+", "ab+", "r+b")]]


@case
def opened_late(gfile, folder):
    file = gfile.GFile("missing", "r")
    found = [failure(file.read), failure(file.size), failure(file.readline), failure(lambda: list(file)), failure(file.close)]
    found.append(failure(lambda: gfile.GFile("missing/below", "w").write("a")))
    written = gfile.GFile("new", "w")
    found.append(os.path.exists("new"))
    written.write("x")
    found.append([os.path.exists("new"), failure(written.close), failure(written.close)])
    tree("folder/")
    found.append([failure(lambda: gfile.GFile("folder", "r").read()), failure(lambda: gfile.GFile("folder", "w").write("a"))])
    found.append(
        [failure(lambda: gfile.GFile("new").read("a")), failure(lambda: gfile.GFile("new", "w").write(3)), failure(lambda: gfile.GFile(None).read())]
    )
    return found


@case
def positions(gfile, folder):
    Path("p").write_bytes(b"0123456789")
    file = gfile.GFile("p", "rb")
    found = [file.tell(), file.seek(3), file.tell(), told(file.read(2)), file.seek(-1, 1), told(file.read(1)), file.seek(-2, 2), told(file.read())]
    found += [
        failure(lambda: file.seek(1, 5)),
        failure(lambda: file.seek(100)),
        told(file.read()),
        failure(lambda: file.seek(-5)),
        failure(lambda: file.seek()),
    ]
    found += [failure(lambda: file.seek(offset=2, whence=0)), told(file.read(1)), told(file.read(0)), failure(lambda: file.read(-1))]
    file.close()
    with gfile.GFile("p", "a") as file:
        found.append([file.tell(), file.write("ab"), file.tell()])
    with gfile.GFile("p", "r") as file:
        found.append([next(file), failure(lambda: next(file)), file.size()])
    return found


@case
def what_is_there(gfile, folder):
    tree("d/a.txt", "d/b.txt", "d/e/c.txt", "x[1].txt", "empty/")
    found = [[gfile.Exists(name) for name in ("d", "d/", "d/a.txt", "no", "d/a.txt/x", "")]]
    found.append([gfile.IsDirectory(name) for name in ("d", "d/", "d/a.txt", "no", "")])
    found.append([sorted(gfile.ListDirectory("d")), sorted(gfile.ListDirectory("d/")), gfile.ListDirectory("empty")])
    found.append([failure(lambda: gfile.ListDirectory("no")), failure(lambda: gfile.ListDirectory("d/a.txt"))])
    patterns = ["d/*.txt", "*/*", "d/?.txt", "d/[ab].txt", "no*", "d/**", "*.txt", os.path.join(folder, "d", "a*"), "d/a.txt", "no"]
    found.append([sorted(name.replace(folder, "F") for name in gfile.Glob(pattern)) for pattern in patterns])
    found.append(sorted(gfile.Glob(["d/a*", "d/b*", "d/a.txt"])))
    return found


@case
def stats(gfile, folder):
    tree("d/a.txt")
    stat = gfile.Stat("d/a.txt")
    found = [stat.length, stat.is_directory, stat.mtime_nsec == os.stat("d/a.txt").st_mtime_ns, gfile.Stat("d").is_directory]
    return [*found, failure(lambda: gfile.Stat("no")), failure(lambda: gfile.Stat("d/a.txt/b"))]


@case
def folders(gfile, folder):
    found = [
        gfile.MkDir("a"),
        failure(lambda: gfile.MkDir("a")),
        failure(lambda: gfile.MkDir("no/b")),
        gfile.MakeDirs("b/c/d"),
        gfile.MakeDirs("b/c/d"),
    ]
    tree("f")
    found += [failure(lambda: gfile.MakeDirs("f")), failure(lambda: gfile.MakeDirs("f/g")), failure(lambda: gfile.MkDir("f"))]
    tree("b/c/file")
    found += [failure(lambda: gfile.Remove("b")), failure(lambda: gfile.DeleteRecursively("b")), sorted(os.listdir())]
    found += [failure(lambda: gfile.DeleteRecursively("no")), failure(lambda: gfile.DeleteRecursively("f")), failure(lambda: gfile.Remove("no"))]
    found += [failure(lambda: gfile.Remove("a")), sorted(os.listdir())]
    return found


@case
def moves(gfile, folder):
    tree("a", "b", "d/x")
    found = [failure(lambda: gfile.Copy("a", "b")), failure(lambda: gfile.Copy("a", "c")), failure(lambda: gfile.Copy("a", "b", overwrite=True))]
    found += [Path("b").read_bytes().decode(), failure(lambda: gfile.Copy("no", "c2")), failure(lambda: gfile.Copy("a", "no/c"))]
    found += [failure(lambda: gfile.Copy("d", "d2")), failure(lambda: gfile.Copy("a", "d"))]
    found += [
        failure(lambda: gfile.Rename("a", "b")),
        failure(lambda: gfile.Rename("a", "b", overwrite=True)),
        failure(lambda: gfile.Rename("no", "z")),
    ]
    found += [failure(lambda: gfile.Rename("d", "e")), failure(lambda: gfile.Rename("b", "no/z")), [os.path.exists(name) for name in "abcde"]]
    return found


@case
def walks(gfile, folder):
    tree("t/a", "t/u/b", "t/u/v/c", "t/w/")
    plain = [[top, sorted(folders), sorted(files)] for top, folders, files in gfile.Walk("t")]
    back = [[top, sorted(folders), sorted(files)] for top, folders, files in gfile.Walk("t", in_order=False)]
    return [
        sorted(plain),
        sorted(back),
        plain[0][0],
        back[-1][0],
        list(gfile.Walk("no")),
        list(gfile.Walk("t/a")),
        next(gfile.Walk("t/"))[0],
    ]


@case
def damaged_text(gfile, folder):
    Path("t").write_bytes(b"ok\n\xff\xfe\n")
    with gfile.GFile("t") as file:
        return [file.readline(), failure(file.readline), failure(lambda: gfile.GFile("t").read())]
