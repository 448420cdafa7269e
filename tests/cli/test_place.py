"""`gpersist place`: the plan that it shows is the one that a restore follows; and the drawing, whatever is in a checkpoint's names."""

from __future__ import annotations

import itertools
import json
import pathlib
import random
import shutil
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import gpersist
from gpersist import dtypes
from gpersist.checkpoint import TensorSpec
from gpersist.checkpoint import place as plan_of
from gpersist.cli import main, place, placement_svg
from gpersist.devices import DeviceInfo, DeviceSpec, MemoryInfo, VirtualDevice, device_of, devices
from gpersist.protos import MetaGraphDef
from tests.cli.test_terminal import in_terminal, plain

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "four_gpus" / "model"
FLOAT32 = dtypes.from_name("float32")
SVG = "{http://www.w3.org/2000/svg}"
MIB = 2**20


def test_table(run):
    done = run("place", GOLDEN, "--devices", "4x16GiB")
    assert done.status == 0 and not done.err
    lines = done.out.splitlines()
    assert lines[0].split("  ")[0] == "device" and "of free" in lines[0] and lines[0].endswith("of total")
    assert lines[1].startswith("/device:CPU:0  host ")
    assert lines[2].split() == ["/device:GPU:0", "planned", "for", "4", "128", "B", "<1", "%", "of", "16.0", "GiB", "<1", "%", "of", "16.0", "GiB"]
    assert "/device:GPU:3  █" + "░" * 39 + "  <1 % of free" in lines
    assert any(line.split() == ["/device:GPU:2", "tower_2/weights", "float32", "[3,", "4]", "48", "B"] for line in lines)
    assert lines[-2:] == [f"{GOLDEN}: 17 tensors, 520 B", "planned for 4 GPUs that need not be here; the host is this one"]
    assert "moved to" not in done.out


def test_json(run):
    found = run("place", GOLDEN, "--devices", "2x1KiB,1×3MB", "--clear-devices", "--json").json
    assert list(found) == ["source", "fits", "error", "num_tensors", "total_bytes", "devices", "moves", "tensors"]
    assert (found["source"], found["fits"], found["error"], found["num_tensors"], found["total_bytes"]) == (str(GOLDEN), True, None, 17, 520)
    assert [(device["name"], device["backend"], device["total_bytes"]) for device in found["devices"]] == [
        ("/device:GPU:0", "planned for", 1024),
        ("/device:GPU:1", "planned for", 1024),
        ("/device:GPU:2", "planned for", 3_000_000),
    ]
    first, idle, _ = found["devices"]
    assert (first["tensors"], first["size_bytes"], first["free_bytes"], first["fits"]) == (17, 520, 1024, True)
    assert first["largest"][0] == {"name": "tower_0/weights", "size_bytes": 48}
    assert (idle["tensors"], idle["size_bytes"], idle["largest"]) == (0, 0, [])
    assert found["moves"][0] == {"recorded": "/device:CPU:0", "device": "/device:GPU:0", "why": "devices were cleared", "tensors": ["global_step"]}
    bias = {"name": "tower_1/bias", "dtype": "float32", "shape": [4], "size_bytes": 16, "recorded": "/device:GPU:1", "device": "/device:GPU:0"}
    assert bias in found["tensors"]


POLICIES = ["recorded", "strict", "balanced", "sequential", "single", "host", "/gpu:2", {"tower_1/*": "host", "*/bias": "/gpu:0"}]


@pytest.mark.parametrize("policy", POLICIES, ids=str)
@pytest.mark.parametrize("clear", [False, True])
def test_a_restore_follows_the_plan(run, policy, clear):
    options = [f"--map={pattern}={device}" for pattern, device in policy.items()] if isinstance(policy, dict) else ["--policy", policy]
    found = run("place", GOLDEN, "--virtual", "4x600B", "--json", *options, *["--clear-devices"] * clear).json
    with gpersist.use_virtual_devices(4, 600):
        arrays = gpersist.load(GOLDEN, placement=policy, clear_devices=clear)
    assert {tensor["name"]: tensor["device"] for tensor in found["tensors"]} == {name: device_of(array).name for name, array in arrays.items()}
    assert {device["backend"] for device in found["devices"]} <= {"host", "virtual"}


def test_a_meta_alone_is_enough(run, tmp_path):
    shutil.copy(f"{GOLDEN}.meta", tmp_path / "alone.meta")
    expected, found = (run("place", path, "--devices", "4x1GiB", "--json").json for path in (GOLDEN, tmp_path / "alone.meta"))
    for each in (expected, found):
        each["devices"][0]["free_bytes"] = 0  # of the host: it changes
    assert found == expected | {"source": str(tmp_path / "alone.meta")}


def test_real_metas_alone_tell_what_their_checkpoints_hold(run, models, tmp_path):
    prefixes = [path.with_suffix("") for path in models.glob("*/*.meta") if path.with_suffix(".index").exists()]
    if not prefixes:
        pytest.skip(f"{models} holds no checkpoint with a .meta")
    for prefix in prefixes:
        shutil.copy(f"{prefix}.meta", tmp_path / "alone.meta")
        expected, found = (run("place", path, "--devices", "2x1GiB", "--json").json["tensors"] for path in (prefix, tmp_path / "alone.meta"))
        assert found == expected, prefix


def test_a_meta_of_ours_alone(run, prefix, tmp_path):
    shutil.copy(f"{prefix}.meta", tmp_path / "alone.meta")
    found = run("place", tmp_path / "alone.meta", "--virtual", "2", "--json").json
    assert {tensor["name"]: (tensor["size_bytes"], tensor["device"]) for tensor in found["tensors"]} == {
        "dense/bias": (6, "/device:GPU:1"),
        "dense/kernel": (24, "/device:GPU:0"),
        "step": (8, "/device:CPU:0"),
        "words": (0, "/device:CPU:0"),
    }


def test_shapes_that_a_meta_does_not_tell_are_told(run, tmp_path):
    meta = MetaGraphDef()
    for name in ("a", "b", "c", "d"):
        attributes = meta.graph_def.node.add(name=name, op="VarHandleOp").attr
        attributes["dtype"].type = 1
        attributes["shape"].shape.unknown_rank = True
    (tmp_path / "x.meta").write_bytes(meta.SerializeToString())
    done = run("place", tmp_path / "x.meta", "--virtual", "1", "--json")
    assert done.json["total_bytes"] == 0 and done.json["num_tensors"] == 4
    assert "does not tell the shape of 4 variables, which count for nothing here: 'a', 'b', 'c', ..." in done.err


@pytest.mark.parametrize(
    ("name", "content", "status", "words"),
    [("x.meta", b"\xff" * 20, 1, "MetaGraphDef"), ("x.index.gone", b"", 2, "x.index.gone"), ("x.data-00000-of-00001", b"a", 2, "missing")],
)
def test_what_cannot_be_planned(run, tmp_path, name, content, status, words):
    (tmp_path / name).write_bytes(content)
    done = run("place", tmp_path / name)
    assert (done.status, done.out) == (status, "") and words in done.err


def test_a_damaged_meta_costs_the_devices_but_strict_refuses(run, prefix):
    pathlib.Path(f"{prefix}.meta").write_bytes(b"\xff" * 20)
    done = run("place", prefix, "--virtual", "2", "--json")
    assert done.status == 0 and ".meta" in done.err
    assert {tensor["recorded"] for tensor in done.json["tensors"]} == {None}
    done = run("place", prefix, "--virtual", "2", "--policy", "strict")
    assert (done.status, done.out) == (1, "") and ".meta" in done.err


def test_what_does_not_fit_is_shown_with_status_1(run):
    done = run("place", GOLDEN, "--devices", "1x100B,1x1GiB,2x100B")
    assert done.status == 1
    lines = done.out.splitlines()
    assert "/device:GPU:0  " + "!" * 40 + "  28 B too much" in lines
    assert "/device:GPU:1  █" + "░" * 39 + "  <1 % of free" in lines
    assert any(line.endswith("▒ in use already, █ this, ░ stays free, ! no room") for line in lines)
    assert "128 % of 100 B" in done.out
    assert done.err.startswith("gpersist: does not fit: ") and "/device:GPU:3 (planned for) has 100 B free (100 bytes)" in done.err
    done = run("place", GOLDEN, "--devices", "1x100B", "--policy", "single", "--json")
    assert done.status == 1 and done.json["fits"] is False and done.json["error"] in done.err
    assert [device["fits"] for device in done.json["devices"]] == [False]


def test_strict_is_one_error_with_status_1(run):
    done = run("place", GOLDEN, "--devices", "1x1GiB", "--placement", "strict")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("gpersist: missing: 12 of 17 tensors were recorded on devices that are not here: '/device:GPU:1'")
    assert "available: /device:CPU:0, /device:GPU:0 (planned for); ways out: --clear-devices puts all" in done.err
    assert "; --map /gpu:1=/gpu:0, --map 'layer1/*=host' or a --placement ('balanced', " in done.err and "=True" not in done.err


def test_what_was_moved_and_why(run):
    done = run("place", GOLDEN, "--devices", "2x1GiB")
    row = next(line for line in done.out.splitlines() if line.startswith("/device:GPU:0  4: tower_2/bias, "))
    assert row.endswith("...  there is no such device here  1: /device:GPU:2")
    assert "8 of 17 tensors" in done.err
    lines = run("place", GOLDEN, "--devices", "2x1GiB", "--policy", "single").out.splitlines()
    row = next(line for line in lines if line.startswith("/device:GPU:0  13: global_step, "))
    assert row.endswith("placement 'single'  4: /device:CPU:0, /device:GPU:1, /device:GPU:2, ...")


def test_a_map_in_a_file_comes_after_those_of_the_command_line(run, tmp_path):
    (tmp_path / "map.json").write_text(json.dumps({"tower_0/bias": "/gpu:3", "tower_0/*": "/gpu:2", "tower_1/*": "host"}))
    options = ["--virtual", "4", "--json", "--placement", tmp_path / "map.json"]
    found = {tensor["name"]: tensor["device"] for tensor in run("place", GOLDEN, *options, "--map", "tower_0/bias=/gpu:1").json["tensors"]}
    assert [found[f"tower_{name}"] for name in ("0/bias", "0/weights", "1/bias", "3/bias")] == [
        "/device:GPU:1",
        "/device:GPU:2",
        "/device:CPU:0",
        "/device:GPU:3",
    ]


def test_a_map_beside_a_policy(run):
    done = run("place", GOLDEN, "--virtual", "4", "--json", "--map", "tower_*=host", "--placement", "single")
    assert {tensor["name"][:6]: tensor["device"] for tensor in done.json["tensors"] if tensor["dtype"] != "string"} == {
        "global": "/device:GPU:0",
        "tower_": "/device:CPU:0",
    }
    done = run("place", GOLDEN, "--devices", "2x1GiB", "--map", "tower_[0-2]/*=/gpu:1", "--placement", "strict")
    assert done.status == 1 and "4 of 5 tensors were recorded on devices that are not here: '/device:GPU:3'" in done.err


@pytest.mark.parametrize("text", ["[1]", '{"a": 1}', "{", "[" * 100_000, "\xff"])
def test_a_file_that_is_no_map(run, tmp_path, text):
    (tmp_path / "map.json").write_text(text, "latin-1")
    done = run("place", GOLDEN, "--policy", tmp_path / "map.json")
    assert done.status == 2 and "map.json'" in done.err and "Traceback" not in done.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--policy", "balance"], "'balanced'"),
        (["--policy", "/gpu:9", "--devices", "1x1GiB"], "available: /device:CPU:0, /device:GPU:0 (planned for)"),
        (["--map", "a=host", "--policy", "balance"], "did you mean 'balanced'"),
        (["--policy", "gone.json"], "gone.json"),
        (["--svg", "/proc/no/such/folder/x.svg"], "/proc/no/such/folder/x.svg"),
    ],
)
def test_options_that_make_no_sense(run, options, words):
    done = run("place", GOLDEN, *options)
    assert (done.status, done.out) == (2, "") and words in done.err


@pytest.mark.parametrize(
    "options",
    [
        ["--devices", "4"],
        ["--devices", "4x"],
        ["--devices", "0x1GiB"],
        ["--devices", "4x16"],
        ["--devices", "5000x1GiB"],
        ["--devices", "3000x1GiB,3000x1GiB"],
        ["--devices", "1x1GiB,"],
        ["--devices", "٤x1GiB"],
        ["--virtual", "x"],
        ["--virtual", "0"],
        ["--virtual", "1", "--devices", "1x1GiB"],
        ["--map", "a"],
        ["--map", "=host"],
        ["--map", "a="],
    ],
)
def test_wrong_usage(options, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["place", str(GOLDEN), *options])
    assert stopped.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_help_tells_of_it(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "\n  place " in (out := capsys.readouterr().out) and "gpersist place run " in out
    with pytest.raises(SystemExit):
        main(["place", "--help"])
    assert "--json" in capsys.readouterr().out


class _Untouched(VirtualDevice):
    """A GPU of which only NVML may be asked."""

    backend = "cuda"

    def info(self):
        return DeviceInfo(self.name, "cuda", "NVIDIA H100", MemoryInfo(60 * MIB, 80 * MIB))

    def memory(self):
        raise AssertionError("the device was asked")


@pytest.mark.parametrize("policy", ["recorded", "sequential"])
def test_devices_that_are_here_are_not_touched(run, monkeypatch, policy):
    host = devices()[0]
    monkeypatch.setattr(place, "devices", lambda: [host, _Untouched(0)])
    done = run("place", GOLDEN, "--policy", policy)
    assert done.status == 0
    assert any(line.split()[:2] == ["/device:GPU:0", "cuda"] and "of 60.0 MiB" in line for line in done.out.splitlines())
    assert "/device:GPU:0  ▒▒▒▒▒▒▒▒▒▒█" in done.out
    assert "planned for" not in done.out


def test_no_gpu_and_nothing_to_place(run, tmp_path, monkeypatch):
    host = devices()[0]
    monkeypatch.setattr(place, "devices", lambda: [host])
    gpersist.save(tmp_path / "empty", {}, durable=False)
    done = run("place", tmp_path / "empty", "--svg", tmp_path / "x.svg")
    assert done.status == 0 and "/device:CPU:0" in done.out and "0 tensors, 0 B" in done.out
    ElementTree.parse(tmp_path / "x.svg")


def test_in_a_terminal(tmp_path):
    arrays = {f"layer_{index}/some/rather/long/scope/weights/of/a/tensor": np.zeros(10, np.float32) for index in range(8)}
    gpersist.save(tmp_path / "c", arrays, durable=False, devices={name: f"/device:GPU:{index}" for index, name in enumerate(arrays)})
    status, text = in_terminal(80, "place", tmp_path / "c", "--devices", "1x40B,1x50B")
    lines = plain(text)
    assert status == 1 and "\x1b[36m" in text and "\x1b[31m" in text
    table = lines[next(number for number, line in enumerate(lines) if line.startswith("device")) :]
    table = [line for line in table if "gpersist: does not fit" not in line][: table.index("") + 5]
    assert max(map(len, table)) <= 80
    assert any(line.startswith("/device:GPU:0  " + "!" * 40) for line in table)


def test_ascii_where_the_output_can_do_no_more(tmp_path):
    status, text = in_terminal(80, "place", GOLDEN, "--devices", "4x256B", PYTHONIOENCODING="ascii")
    assert status == 0 and "/device:GPU:0  ####################...................." in plain(text)[8]


# ---- the drawing


def spec(name, size_bytes, recorded=""):
    return TensorSpec(name, (size_bytes // 4,), FLOAT32, size_bytes, recorded)


def drawn(tensors, gpus, memory_bytes, placement="recorded", title="t"):
    available = [devices()[0], *(VirtualDevice(index, memory_bytes) for index in range(gpus))]
    return placement_svg.draw(plan_of(tensors, placement, available=available), title)


def texts(document):
    return [element.text or "" for element in ElementTree.fromstring(document).iter(f"{SVG}text")]


# Advance widths of the characters from blank to ~ in DejaVu Sans, which is wider than Helvetica, Arial and Liberation Sans; 1000 to the em.
REGULAR = """
318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636 636 636 337 337 838 838 838 531 1000 684 686
698 770 632 575 775 752 295 295 656 557 863 748 787 603 787 695 635 611 732 684 989 685 611 685 390 337 390 838 500 500 613 635 550 635 615
352 635 634 278 278 579 278 974 634 612 635 635 411 521 392 634 592 818 592 592 525 636 337 636 838"""
BOLD = """
348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696 696 696 696 696 696 400 400 838 838 838 580 1000 774
762 734 830 683 683 821 837 372 372 775 637 995 837 850 733 850 770 720 682 812 774 1103 771 724 725 457 365 457 838 500 500 675 716 593 716
678 435 716 712 343 343 665 343 1042 712 687 716 716 493 595 478 712 652 924 645 652 582 712 365 712 838"""
WIDTHS = {
    weight: {chr(32 + number): int(width) for number, width in enumerate(widths.split())} | {"…": 1000}
    for weight, widths in ((None, REGULAR), ("bold", BOLD))
}


def text_width(element):
    widths = WIDTHS[element.get("font-weight")]
    return sum(widths.get(char, 1000) for char in element.text or "") * int(element.get("font-size")) / 1000


NAMES = ["W" * 300, "rrrtttfff" * 30, "m@%&<>" * 40, "日本語" * 60, "a/b" * 99, "\x1b[31m\ud800\x00" * 20, "x", "OQDGN" * 50, "'\"&lt;]]>" * 30]


@pytest.mark.parametrize("gpus", [0, 1, 4, 16])
def test_no_text_leaves_its_place(gpus):
    generator = random.Random(gpus)
    tensors = [spec(f"{name}{index}/w", generator.randrange(1, 60) * MIB, f"/gpu:{name}") for index in range(3) for name in NAMES]
    for placement in ("recorded", "balanced", "single"):
        root = ElementTree.fromstring(drawn(tensors, gpus, 100 * MIB, placement, title="WMmr" * 99))
        width, height = float(root.get("width")), float(root.get("height"))
        assert width == 1000
        rows: dict[str, list[tuple[float, float]]] = {}
        for element in root.iter(f"{SVG}text"):
            x, y, end = float(element.get("x")), float(element.get("y")), float(element.get("x")) + text_width(element)
            assert x >= 0 and end <= width and 0 < y < height, element.text
            rows.setdefault(element.get("y"), []).append((x, end))
        for spans in rows.values():
            spans.sort()
            assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans)), "texts run into each other"
        for element in root.iter(f"{SVG}rect"):
            assert float(element.get("width")) >= 0
            assert float(element.get("x", 0)) + float(element.get("width")) <= width
            assert float(element.get("y", 0)) + float(element.get("height")) <= height


def segments(document):
    """(what, width) of the rectangles that say what they are."""
    rectangles = ElementTree.fromstring(document).iter(f"{SVG}rect")
    return [(title.text, float(element.get("width"))) for element in rectangles if (title := element.find(f"{SVG}title")) is not None]


def test_segments_are_scopes_to_scale_the_largest_first():
    tensors = [spec("dense/a", 10 * MIB), spec("dense/b", 10 * MIB), spec("conv/a", 50 * MIB), *(spec(f"s{index}/x", MIB) for index in range(10))]
    found = dict(segments(drawn(tensors, 1, 160 * MIB)))
    assert [text for text in found if text.startswith(("conv", "dense", "s0", "other"))] == [
        "conv: 50.0 MiB, 62 %",
        "dense: 20.0 MiB, 25 %",
        "s0: 1.0 MiB, 1 %",
        "other (4 scopes): 4.0 MiB, 5 %",
    ]
    assert found["conv: 50.0 MiB, 62 %"] == pytest.approx(560 * 50 / 160, abs=0.01)
    assert found["dense: 20.0 MiB, 25 %"] == pytest.approx(560 * 20 / 160, abs=0.01)


def test_a_scope_that_holds_everything_is_taken_apart():
    tensors = [spec(f"net/block_{index}/w", 10 * MIB) for index in range(4)] + [spec("step", 8)]
    assert [text.partition(":")[0] for text, _ in segments(drawn(tensors, 1, 100 * MIB))][1:5] == [f"net/block_{index}" for index in range(4)]
    assert [text.partition(":")[0] for text, _ in segments(drawn([spec("net/a/b/c/d", 40)], 1, 100))][1:] == ["net"]


def test_a_bar_that_overflows_says_by_how_much():
    document = drawn([spec("a/w", 150 * MIB, "/gpu:0"), spec("b/w", 50 * MIB, "/gpu:1")], 2, 100 * MIB)
    assert "50.0 MiB too much" in texts(document) and "150.0 MiB for 100.0 MiB free" in texts(document)
    assert "does not fit on 1 device" in texts(document) and "no room for it" in texts(document)
    assert sum(text.startswith("no room for it") for text, _ in segments(document)) == 1
    assert "no room for it" not in drawn([spec("a/w", MIB)], 1, 100 * MIB)


def test_legend_and_moves():
    found = texts(drawn([spec("a/w", 30 * MIB, "/gpu:5"), spec("b/w", 10 * MIB, "/gpu:0")], 2, 100 * MIB, title="ckpt-7"))
    assert found[0] == "ckpt-7"
    assert "2 tensors, 40.0 MiB, on 2 virtual devices; each bar is its device's whole memory" in found
    assert {"a: 30.0 MiB, 75 %", "b: 10.0 MiB, 25 %", "in use already", "stays free"} <= set(found)
    assert found[-2:] == ["Moved: 1 of 2 tensors", "1 tensor to GPU:1: there is no such device here; recorded on /gpu:5"]


def test_moves_by_where_they_go():
    tensors = [spec(f"t{index}", 4, f"/gpu:{index}") for index in range(40)]
    available = [devices()[0], *(VirtualDevice(index, MIB) for index in range(20))]
    plan = plan_of(tensors, "balanced", available=available)
    found = placement_svg.arrivals(plan)
    assert [arrival.device.spec for arrival in found] == [DeviceSpec(device_type="GPU", device_index=index) for index in range(20)]
    assert sum(len(arrival.names) for arrival in found) == sum(len(move.names) for move in plan.moves())
    assert texts(placement_svg.draw(plan, "t"))[-1] == "and 4 more such lines"


def test_the_same_plan_is_drawn_the_same(run, tmp_path):
    for name in ("a.svg", "b.svg"):
        done = run("place", GOLDEN, "--devices", "4x1KiB", "--placement", "balanced", "--svg", tmp_path / name)
        assert done.out.endswith(f"drawn in {tmp_path / name}\n")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    document = (tmp_path / "a.svg").read_text("utf-8")
    assert "planned for 4 GPUs" in document and "http" not in document.replace("http://www.w3.org/2000/svg", "") and "@font-face" not in document
