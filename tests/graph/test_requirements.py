"""Operations that gpersist has not are named before anything runs; quirks of old files are taken as they are."""

from __future__ import annotations

import pytest
from google.protobuf import text_format

import gpersist.ops  # noqa: F401  # registers the operations
from gpersist import protos
from gpersist.errors import NotFoundError
from gpersist.graph import Graph, Session, import_graph_def, requirements

_STRANGE = """
node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } }
node { name: "a" op: "Strange" input: "x" attr { key: "T" value { type: DT_FLOAT } } }
node { name: "b" op: "Strange" input: "a" attr { key: "T" value { type: DT_FLOAT } } }
node { name: "c" op: "Stranger" input: "b" attr { key: "T" value { type: DT_FLOAT } } }
node { name: "d" op: "Identity" input: "c" attr { key: "T" value { type: DT_FLOAT } } }
node { name: "e" op: "f" input: "x" }
node { name: "g" op: "StatelessIf" input: "p" input: "x" attr { key: "Tcond" value { type: DT_BOOL } }
  attr { key: "Tin" value { list { type: DT_FLOAT } } } attr { key: "Tout" value { list { type: DT_FLOAT } } }
  attr { key: "then_branch" value { func { name: "f" } } } attr { key: "else_branch" value { func { name: "h" } } } }
node { name: "p" op: "Placeholder" attr { key: "dtype" value { type: DT_BOOL } } }
library {
  function {
    signature { name: "f" input_arg { name: "v" type: DT_FLOAT } output_arg { name: "w" type: DT_FLOAT } }
    node_def { name: "n" op: "Strange" input: "v" attr { key: "T" value { type: DT_FLOAT } } }
    node_def { name: "idle" op: "Strangest" input: "v" attr { key: "T" value { type: DT_FLOAT } } }
    ret { key: "w" value: "n:output:0" }
  }
  function {
    signature { name: "h" input_arg { name: "v" type: DT_FLOAT } output_arg { name: "w" type: DT_FLOAT } }
    node_def { name: "n" op: "Neg" input: "v" attr { key: "T" value { type: DT_FLOAT } } }
    ret { key: "w" value: "n:y:0" }
  }
}
"""


def _graph_def(text: str) -> protos.GraphDef:
    return text_format.Parse(text, protos.GraphDef())


def test_missing_operations_are_named_with_nodes_and_counts() -> None:
    with Graph().as_default(), Session() as session:
        import_graph_def(_graph_def(_STRANGE), name="")
        with pytest.raises(
            NotFoundError, match=r"Op type not registered 'Strange': 2 nodes, the first of them 'a'; 'Stranger': node 'c'\. gpersist"
        ) as caught:
            session.run("d:0", {"x:0": 1.0})
        assert caught.value.op.name == "a"
        with pytest.raises(NotFoundError, match=r"Op type not registered 'Strange': node 'f: n'\. "):
            session.run("e:0", {"x:0": 1.0})
        assert session.run("d:0", {"c:0": 1.0}) == 1  # what is fed need not run
        assert session.run("g:0", {"x:0": 1.0, "p:0": False}) == -1  # nor a branch that is not taken


def test_requirements() -> None:
    found = {each.op: each for each in requirements(_graph_def(_STRANGE))}
    assert list(found) == ["Identity", "Neg", "Placeholder", "StatelessIf", "Strange", "Stranger", "Strangest"]
    assert found["Strange"].nodes == ("a", "b", "f: n")
    assert not found["Strange"].is_known
    assert found["Neg"].is_known
    assert found["Neg"].has_device_kernel


@pytest.mark.parametrize(("producer", "is_known"), [(0, False), (21, False), (22, True), (27, True)])
def test_placeholders_of_old_graphs_say_nothing_with_no_dimensions(producer: int, is_known: bool) -> None:
    """As TensorFlow 2.21 answers; up to version 21 a shape was left out so."""
    message = _graph_def(
        'node { name: "p" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "shape" value { shape { } } } }'
    )
    message.versions.producer = producer
    with Graph().as_default():
        (tensor,) = import_graph_def(message, return_elements=["p:0"], name="") or ()
        assert (tensor.shape.rank == 0) is is_known


def test_shapes_that_an_older_version_inferred_otherwise_are_dropped() -> None:
    text = """
      node { name: "p" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "shape" value { shape { dim { size: 3 } } } }
        attr { key: "_output_shapes" value { list { shape { dim { size: 4 } } } } } }"""
    message = _graph_def(text)
    message.versions.producer = 24
    with Graph().as_default():
        (tensor,) = import_graph_def(message, return_elements=["p:0"], name="") or ()
        assert tensor.shape.as_list() == [3]
    message.versions.producer = 134
    with Graph().as_default(), pytest.raises(ValueError, match="has an _output_shapes attribute inconsistent with the GraphDef"):
        import_graph_def(message, name="")


def test_outputs_of_what_gpersist_has_not_are_told_by_their_operation() -> None:
    with Graph().as_default() as graph:
        import_graph_def(_graph_def('node { name: "last" op: "Strangest" }'), name="")
        with pytest.raises(KeyError, match=r"only has 0 outputs\. Op type not registered 'Strangest': gpersist has no such operation"):
            graph.get_tensor_by_name("last:0")
