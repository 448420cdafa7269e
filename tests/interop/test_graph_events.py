"""Event files of `gpersist graph --events`, read by TensorFlow."""

import json

import pytest

from gpersist.cli import main
from tests.drawing import graphs

pytestmark = pytest.mark.interop


def test_graph(tensorflow, tmp_path, capsys):
    graph_def = graphs.towers()
    (tmp_path / "graph.pb").write_bytes(graph_def.SerializeToString())
    assert main(["graph", str(tmp_path / "graph.pb"), "--events", str(tmp_path / "logs"), "--json"]) == 0
    (path,) = json.loads(capsys.readouterr().out)["written"]
    assert json.loads(tensorflow("reads_events.py", path)) == [[[node.name, node.op, node.device] for node in graph_def.node]]
