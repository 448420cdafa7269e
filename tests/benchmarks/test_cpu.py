"""The benchmark on host memory runs from end to end, at sizes that take a second."""

import json
import socket

import pytest

from benchmarks import cpu


@pytest.fixture(autouse=True)
def _no_peers(monkeypatch):
    for name in ("GPERSIST_TF_PYTHON", "GPERSIST_PEERS_PYTHON"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.slow
def test_a_quick_run_measures_every_action_and_keeps_figures_without_names_of_the_machine(tmp_path, capsys):
    output = tmp_path / "results.json"
    arguments = ["--quick", "--rounds", "1", "--workload", "layers", "--workload", "scalars", "--folder", str(tmp_path), "--output", str(output)]
    assert cpu.main(arguments) == 0
    text = output.read_text()
    results = json.loads(text)
    for name in ("layers", "scalars"):
        measured = results["workloads"][name]["measured"]
        ours = {key for key in measured if key.startswith(("raw:", "gpersist:"))}
        assert ours == {
            "raw: write", "raw: write + crc", "raw: read", "raw: read + crc", "raw: write + fsync", "raw: memcpy",
            "gpersist: save first", "gpersist: save repeated", "gpersist: save durable", "gpersist: save_async",
            "gpersist: load into", "gpersist: load new",
        }  # fmt: skip
        assert all(figures["median_s"] > 0 for figures in measured.values())
        assert measured["gpersist: save first"]["peak_extra_bytes"] >= 0
    assert results["workloads"]["layers"]["tensors"] == 150
    assert "left out: SaveV2: no interpreter is named for it" in capsys.readouterr().out
    assert socket.gethostname() not in text and str(tmp_path) not in text
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]
