"""What the loader refuses: folders that are none, that are damaged, or that point out of themselves; and what it says then."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import gpersist.compat.v1 as tf
from gpersist import protos
from gpersist.errors import DataLossError, GPersistError, InvalidArgumentError
from gpersist.saved_model.loader import SavedModelLoader

SECRET = "out of reach"


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    tf.reset_default_graph()
    yield
    tf.reset_default_graph()


@pytest.fixture
def model() -> Path:
    """A SavedModel whose main op keeps the path of an asset."""
    Path("vocab.txt").write_text("a b")
    path = tf.constant("vocab.txt", name="path")
    text = tf.Variable("", name="text")
    tf.Variable([1.0, 2.0], name="v")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        builder = tf.saved_model.builder.SavedModelBuilder("m")
        builder.add_meta_graph_and_variables(sess, ["serve"], assets_collection=[path], main_op=tf.group(tf.assign(text, path), name="read"))
    builder.save()
    tf.reset_default_graph()
    return Path("m")


def told(sess: Any, name: str = "text:0") -> str:
    """The content of the asset whose path has been kept."""
    return Path(os.fsdecode(sess.run(name))).read_text()


def refused(folder: Path, tags: Any = ("serve",), **options: Any) -> Exception:
    """What loading raises; nothing has been added to the graph."""
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        with pytest.raises(Exception) as error:
            tf.saved_model.loader.load(sess, tags, folder, **options)
        assert not graph.get_operations()
        assert not graph.get_all_collection_keys()
    return error.value


def rewrite(folder: Path, change: Any) -> None:
    message = protos.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    change(message.meta_graphs[0])
    (folder / "saved_model.pb").write_bytes(message.SerializeToString())


def name_asset(folder: Path, name: str) -> None:
    def change(meta: Any) -> None:
        asset = protos.AssetFileDef(filename=name)
        asset.tensor_info.name = "path:0"
        meta.collection_def["saved_model_assets"].any_list.value[0].value = asset.SerializeToString()

    rewrite(folder, change)


def test_loads(model: Path) -> None:
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.saved_model.loader.load(sess, ["serve"], model)
        assert told(sess) == "a b"


@pytest.mark.parametrize("name", ["../../secret", "../saved_model.pb", "/etc/hostname", "a/../../x", "..", "link", "linked/secret", "nul\0"])
def test_assets_outside(model: Path, name: str) -> None:
    Path("secret").write_text(SECRET)
    (model / "assets/link").symlink_to("../../secret")
    (model / "assets/linked").symlink_to("../..")
    name_asset(model, name)
    error = refused(model)
    assert isinstance(error, InvalidArgumentError)
    assert SECRET not in str(error)


def test_an_asset_below_assets(model: Path) -> None:
    (model / "assets/deep").mkdir()
    (model / "assets/deep/x").write_text("deep")
    name_asset(model, "deep/../deep/x")
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.saved_model.loader.load(sess, ["serve"], model)
        assert told(sess) == "deep"


@pytest.mark.parametrize("what", ["saved_model.pb", "variables", "assets", "variables/variables.index", "variables/variables.data-00000-of-00001"])
def test_links_out_of_the_folder(model: Path, what: str) -> None:
    shutil.move(model / what, "elsewhere")
    (model / what).symlink_to(Path("elsewhere").absolute())
    error = refused(model)
    assert isinstance(error, InvalidArgumentError)
    assert "cp -rL" in str(error)


def test_links_within_and_to_the_folder(model: Path) -> None:
    (model / ".data").mkdir()
    for name in ("saved_model.pb", "variables", "assets"):
        shutil.move(model / name, model / ".data" / name)
        (model / name).symlink_to(Path(".data") / name)
    Path("link").symlink_to(model)
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.saved_model.loader.load(sess, ["serve"], "link")
        assert sess.run("v:0").tolist() == [1.0, 2.0]


def test_tags_that_are_not_there(model: Path) -> None:
    error = refused(model, ["train", "gpu"])
    assert isinstance(error, RuntimeError)
    assert "[{'serve'}]" in str(error)


def test_variables_that_are_not_there(model: Path) -> None:
    shutil.rmtree(model / "variables")
    error = refused(model)
    assert isinstance(error, ValueError)
    assert "'m/variables'" in str(error)


@pytest.mark.parametrize("content", [b"junk", b"\x08\x01\x12\xff\xff\xff\xff\x0f", b"\xff" * 100])
def test_foreign_files(model: Path, content: bytes) -> None:
    (model / "saved_model.pb").write_bytes(content)
    error = refused(model)
    assert isinstance(error, OSError)
    assert isinstance(error, GPersistError)


def test_a_frozen_graph_under_its_name(model: Path) -> None:
    with tf.Graph().as_default() as graph:
        tf.constant([1.0], name="c")
        (model / "saved_model.pb").write_bytes(graph.as_graph_def().SerializeToString())
    error = refused(model)
    assert isinstance(error, (RuntimeError, OSError))


def test_files_cut_short(model: Path) -> None:
    whole = (model / "saved_model.pb").read_bytes()
    for size in {*range(0, len(whole), 397), len(whole) - 1}:
        (model / "saved_model.pb").write_bytes(whole[:size])
        error = refused(model)
        assert isinstance(error, (OSError, RuntimeError)), size


def test_damaged_variables(model: Path) -> None:
    data = model / "variables/variables.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[-1] ^= 1
    data.write_bytes(content)
    with tf.Graph().as_default(), tf.Session() as sess:
        with pytest.raises(DataLossError):
            tf.saved_model.loader.load(sess, ["serve"], model)
        assert sorted(name.decode() for name in sess.run(tf.report_uninitialized_variables())) == ["text", "v"]


def test_damaged_collections(model: Path) -> None:
    def change(meta: Any) -> None:
        meta.collection_def["saved_model_assets"].any_list.value[0].value = b"\xff\xff"

    rewrite(model, change)
    assert isinstance(refused(model), DataLossError)


def test_several_models_in_one_graph(model: Path) -> None:
    shutil.copytree(model, "other")
    Path("other/assets/vocab.txt").write_text("c d")
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.saved_model.loader.load(sess, ["serve"], model, import_scope="one")
        tf.saved_model.loader.load(sess, ["serve"], "other", import_scope="two")
        assert [told(sess, "one/text:0"), told(sess, "two/text:0")] == ["a b", "c d"]


def test_step_by_step(model: Path) -> None:
    loader = SavedModelLoader(model)
    assert (loader.export_dir, loader.variables_path) == ("m", os.path.join("m", "variables", "variables"))
    graph = tf.Graph()
    saver, returned = loader.load_graph(graph, ["serve"], return_elements=["v"])
    assert returned[0].type == "VariableV2"
    with tf.Session(graph=graph) as sess:
        with pytest.raises(ValueError, match="a saver is required"):
            loader.restore_variables(sess, None)
        loader.restore_variables(sess, saver)
        assert sess.run("text:0") == b""
        loader.run_init_ops(sess, ["serve"])
        assert told(sess) == "a b"
