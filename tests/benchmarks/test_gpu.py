"""The benchmark on a CUDA device: without one it says so; on the emulated runtime all of it runs, and no figure is shown or kept."""

import pytest

from benchmarks import gpu, report


def test_without_a_device_nothing_is_measured(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "_cupy", lambda: None)
    assert gpu.main([]) == 0
    assert capsys.readouterr().out == "no CUDA device that CuPy can use: nothing was measured\n"


@pytest.mark.cuda
@pytest.mark.skipif(not gpu.IS_EMULATED, reason="on a real GPU, run make gpu-bench")
def test_on_the_emulated_runtime_it_shows_and_keeps_no_figures(tmp_path, capsys):
    before = set(report.RESULTS.iterdir()) if report.RESULTS.exists() else set()
    assert gpu.main(["--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "emulated: no figures\n"
    assert (set(report.RESULTS.iterdir()) if report.RESULTS.exists() else set()) == before
    assert not list(tmp_path.iterdir())
