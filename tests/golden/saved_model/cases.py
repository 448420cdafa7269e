"""Small programs about SavedModels, each giving something that JSON can hold.

`write_saved_model.py` runs them with real TensorFlow and keeps the answers in `saved_model.json`; tests/saved_model/test_golden.py runs them with
gpersist and compares. A case is a function that gets the module `tf`. The graph is new for each, and so is the working directory.
"""

from __future__ import annotations

import os
import pathlib
from typing import Any

NEWER_ATTRS = {
    ("VarHandleOp", "debug_name"),
    ("VarHandleOp", "allowed_devices"),
    ("AssignVariableOp", "validate_shape"),
    ("MatMul", "grad_a"),
    ("MatMul", "grad_b"),
}
"""Attributes that TensorFlow 2 has added to operations of 1.15, whose nodes are the yardstick."""

NEWER_OPS = {"DisableCopyOnRead"}

CASES: dict[str, Any] = {}


def case(function: Any) -> Any:
    CASES[function.__name__] = function
    return function


def failure(do: Any) -> Any:
    try:
        found = do()
    except Exception as error:
        return {"error": [kind.__name__ for kind in type(error).__mro__]}
    return ["nothing raised", type(found).__name__]


def text(message: Any) -> str:
    return " ".join(str(message).split())


def facts(meta: Any) -> dict[str, Any]:
    info = meta.meta_info_def
    nodes = []
    for node in meta.graph_def.node:
        if node.op in NEWER_OPS:
            continue
        attrs = {key: text(value) for key, value in node.attr.items() if (node.op, key) not in NEWER_ATTRS}
        attrs.pop("_has_manual_control_dependencies", None)
        nodes.append([node.name, node.op, list(node.input), node.device, attrs])
    collections = {}
    for key, collection in meta.collection_def.items():
        kind = collection.WhichOneof("kind")
        values = getattr(collection, kind).value
        collections[key] = [kind, [value.decode("latin-1") if kind == "bytes_list" else text(value) for value in values]]
    return {
        "nodes": nodes,
        "collections": collections,
        "saver": text(meta.saver_def) if meta.HasField("saver_def") else None,
        "ops": [op.name for op in info.stripped_op_list.op if op.name not in NEWER_OPS],
        "tags": list(info.tags),
        "stripped_default_attrs": info.stripped_default_attrs,
        "signatures": {key: text(value) for key, value in sorted(meta.signature_def.items())},
        "assets": len(meta.asset_file_def),
    }


def written(tf: Any, folder: str = "m") -> Any:
    """A SavedModel: its files, its graphs, and the values in its checkpoint."""
    paths = sorted(pathlib.Path(folder).rglob("*"))
    found: dict[str, Any] = {"files": [str(path) + "/" * path.is_dir() for path in paths]}
    if os.path.exists(f"{folder}/saved_model.pb"):
        model = tf._saved_model_class.FromString(pathlib.Path(folder, "saved_model.pb").read_bytes())
        found["schema"] = model.saved_model_schema_version
        found["graphs"] = [facts(meta) for meta in model.meta_graphs]
    if os.path.exists(f"{folder}/variables/variables.index"):
        reader = tf.train.NewCheckpointReader(f"{folder}/variables/variables")
        found["variables"] = {name: str(reader.get_tensor(name)) for name in sorted(reader.get_variable_to_shape_map())}
    found["assets"] = {str(path): path.read_text() for path in paths if path.is_file() and path.parent.name == "assets"}
    return found


def model(tf: Any, resource: bool = False, device: str | None = None) -> Any:
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    with tf.device(device):
        w = tf.Variable([[1.0], [2.0]], name="w", use_resource=resource)
        b = tf.Variable([0.5], name="b", use_resource=resource)
    return x, tf.add(tf.matmul(x, w), b, name="y")


def session(tf: Any) -> Any:
    sess = tf.Session(config=tf.ConfigProto(allow_soft_placement=True))
    sess.run(tf.global_variables_initializer())
    return sess


def signature(tf: Any, x: Any, y: Any) -> Any:
    return {"serving_default": tf.saved_model.signature_def_utils.predict_signature_def({"x": x}, {"y": y})}


def put(path: str, content: str) -> str:
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).write_text(content)
    return path


# ---- what is written


@case
def one_graph(tf: Any) -> Any:
    x, y = model(tf)
    sess = session(tf)
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(sess, ["serve", "cpu"], signature_def_map=signature(tf, x, y))
    path = builder.save()
    return [path.decode(), written(tf)]


@case
def resources(tf: Any) -> Any:
    x, y = model(tf, resource=True)
    sess = session(tf)
    builder = tf.saved_model.Builder("deep/er/m")
    builder.add_meta_graph_and_variables(sess, [tf.saved_model.SERVING], signature(tf, x, y), strip_default_attrs=True)
    builder.save()
    return written(tf, "deep/er/m")


@case
def shards_by_device(tf: Any) -> Any:
    found = []
    for clear in (False, True):
        tf.reset_default_graph()
        x, y = model(tf, device="/gpu:0")
        with tf.device("/cpu:0"):
            tf.Variable(4, name="near")
        sess = session(tf)
        builder = tf.saved_model.builder.SavedModelBuilder(f"m{clear:d}")
        builder.add_meta_graph_and_variables(sess, ["serve"], signature(tf, x, y), clear_devices=clear)
        builder.save()
        found.append(written(tf, f"m{clear:d}"))
    return found


@case
def several_graphs(tf: Any) -> Any:
    x, y = model(tf)
    sess = session(tf)
    sess.run(tf.global_variables()[1].assign([7.0]))
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(sess, ["train"])
    tf.reset_default_graph()
    x, y = model(tf)
    z = tf.multiply(y, 2.0, name="z")
    builder.add_meta_graph(["serve"], signature_def_map=signature(tf, x, z), clear_devices=True)
    again = failure(lambda: builder.add_meta_graph_and_variables(sess, ["more"]))
    builder.save()
    answers = []
    for tags, name in ((["serve"], "z:0"), (["train"], "y:0")):
        with tf.Graph().as_default(), tf.Session() as sess:
            meta = tf.saved_model.loader.load(sess, tags, "m")
            answers.append([sess.run(name, {"x:0": [[1.0, 1.0]]}).tolist(), sorted(meta.signature_def)])
    return [written(tf), again, answers]


@case
def as_text(tf: Any) -> Any:
    x, y = model(tf)
    put("in/vocab.txt", "a b")
    sess = session(tf)
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(sess, ["serve"], signature(tf, x, y), assets_collection=[tf.constant("in/vocab.txt")])
    path = builder.save(as_text=True)
    lines = pathlib.Path("m/saved_model.pbtxt").read_text().splitlines()
    kept = [line for line in lines if "filename" in line or "AssetFileDef" in line or "method_name" in line]
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.saved_model.loader.load(sess, ["serve"], "m")
        value = sess.run("y:0", {"x:0": [[1.0, 1.0]]}).tolist()
    return [path.decode(), kept, value, written(tf)["files"], tf.saved_model.loader.maybe_saved_model_directory("m")]


@case
def text_and_binary(tf: Any) -> Any:
    x, y = model(tf)
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(session(tf), ["serve"], signature(tf, x, y))
    return [builder.save(True).decode(), builder.save().decode(), written(tf)["files"]]


@case
def no_variables(tf: Any) -> Any:
    x = tf.placeholder(tf.float32, [2], name="x")
    y = tf.multiply(x, 2.0, name="y")
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    with tf.Session() as sess:
        builder.add_meta_graph_and_variables(sess, ["serve"], signature(tf, x, y))
    builder.save()
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.saved_model.loader.load(sess, ["serve"], "m")
        value = sess.run("y:0", {"x:0": [1.0, 2.0]}).tolist()
    return [written(tf), value]


@case
def nothing_added(tf: Any) -> Any:
    tf.saved_model.builder.SavedModelBuilder("m").save()
    found = [written(tf)]
    with tf.Session() as sess:
        found.append(failure(lambda: tf.saved_model.loader.load(sess, ["serve"], "m")))
    return found


@case
def simple(tf: Any) -> Any:
    x, y = model(tf, device="/cpu:0")
    put("in/labels.txt", "cat")
    tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, tf.constant("in/labels.txt", name="labels"))
    init = tf.group(tf.local_variables_initializer(), name="legacy_init_op")
    tf.saved_model.simple_save(session(tf), "m", inputs={"x": x}, outputs={"y": y, "twice": y + y}, legacy_init_op=init)
    return written(tf)


@case
def own_saver(tf: Any) -> Any:
    x, y = model(tf)
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    saver = tf.train.Saver({"weights": tf.global_variables()[0], "bias": tf.global_variables()[1]})
    builder.add_meta_graph_and_variables(session(tf), ["serve"], signature(tf, x, y), saver=saver)
    builder.save()
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.saved_model.loader.load(sess, ["serve"], "m")
        value = sess.run("y:0", {"x:0": [[1.0, 1.0]]}).tolist()
    return [written(tf), value]


@case
def partitioned(tf: Any) -> Any:
    with tf.variable_scope("s"):
        tf.get_variable("v", [5, 2], partitioner=tf.fixed_size_partitioner(2), initializer=tf.constant_initializer(2.0))
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(session(tf), ["serve"])
    builder.save()
    return written(tf)


@case
def tags_of_a_text(tf: Any) -> Any:
    model(tf)
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(session(tf), "ab")
    builder.save()
    with tf.Graph().as_default(), tf.Session() as sess:
        meta = tf.saved_model.loader.load(sess, ("b", "a"), "m")
    return list(meta.meta_info_def.tags)


# ---- assets and main ops


def reading(tf: Any, paths: list[str]) -> Any:
    """A graph with a text variable for each of some files, which a main op fills with the paths that it is loaded from."""
    tensors = [tf.constant(path, name=f"path{index}") for index, path in enumerate(paths)]
    kept = [tf.Variable("", name=f"kept{index}", trainable=False) for index in range(len(paths))]
    return tensors, tf.group(*[variable.assign(tensor) for variable, tensor in zip(kept, tensors, strict=True)], name="fill")


@case
def assets(tf: Any) -> Any:
    names = ["in/a.txt", "in/b.txt", "other/a.txt", "same/a.txt", "in/a.txt", "third/a.txt"]
    for name, content in zip(names, ["A", "B", "other A", "A", "A", "third A"], strict=True):
        put(name, content)
    tensors, fill = reading(tf, names)
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(session(tf), ["serve"], assets_collection=tensors, main_op=fill)
    builder.save()
    found = written(tf)
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.saved_model.loader.load(sess, ["serve"], "m")
        values = [sess.run(f"kept{index}:0").decode() for index in range(len(names))]
        outside = sess.run("path0:0").decode()
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.saved_model.loader.load(sess, ["serve"], "m", import_scope="in/scope")
        values.append(sess.run("in/scope/kept1:0").decode())
        ops = sorted(op.name for op in tf.get_default_graph().get_operations())[:6]
    return [found, values, outside, ops]


@case
def asset_that_is_not_there(tf: Any) -> Any:
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(session(tf), ["serve"], assets_collection=[tf.constant("any/where.txt"), tf.constant("./any_dir/")])
    builder.save()
    return written(tf)


@case
def assets_of_several_graphs(tf: Any) -> Any:
    put("one/a.txt", "first")
    put("two/a.txt", "second")
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(session(tf), ["one"], assets_collection=[tf.constant("one/a.txt")])
    builder.add_meta_graph(["two"], assets_collection=[tf.constant("two/a.txt")])
    builder.save()
    return written(tf)


@case
def what_is_no_asset(tf: Any) -> Any:
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    sess = session(tf)
    put("dir/x", "")
    wrong = ["text", tf.constant(1), tf.constant(["a", "b"]), tf.placeholder(tf.string), tf.constant(""), tf.constant("dir")]
    return [failure(lambda value=value: builder.add_meta_graph_and_variables(sess, ["serve"], assets_collection=[value])) for value in wrong]


@case
def main_ops(tf: Any) -> Any:
    y = model(tf)[1]
    local = tf.Variable(5, name="local", collections=[tf.GraphKeys.LOCAL_VARIABLES])
    tf.assign_add(local, 1, name="more")
    main = tf.saved_model.main_op.main_op()
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    sess = session(tf)
    builder.add_meta_graph_and_variables(sess, ["serve"], main_op=main)
    twice = failure(lambda: builder.add_meta_graph(["again"], main_op=main))
    wrong = failure(lambda: builder.add_meta_graph(["again"], main_op=y))
    builder.save()
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.saved_model.loader.load(sess, ["serve"], "m")
        values = [sess.run("local:0").tolist(), sess.run("w:0").tolist()]
    return [written(tf), values, twice, wrong]


@case
def main_op_runs_after_the_restore(tf: Any) -> Any:
    v = tf.Variable(1.0, name="v")
    add = v.assign_add(10.0)
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(session(tf), ["serve"], legacy_init_op=tf.group(add, name="legacy"))
    builder.save()
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.saved_model.loader.load(sess, ["serve"], "m")
        return [sess.run("v:0").tolist(), written(tf)["graphs"][0]["collections"]]


@case
def legacy_init_op_collection(tf: Any) -> Any:
    v = tf.Variable(1.0, name="v")
    tf.add_to_collection("legacy_init_op", tf.group(v.assign_add(10.0), name="legacy"))
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    sess = session(tf)
    refused = failure(lambda: builder.add_meta_graph_and_variables(sess, ["serve"], main_op=tf.no_op()))
    builder.add_meta_graph_and_variables(sess, ["serve"])
    builder.save()
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.saved_model.loader.load(sess, ["serve"], "m")
        return [refused, sess.run("v:0").tolist()]


@case
def two_main_ops(tf: Any) -> Any:
    tf.Variable(1.0, name="v")
    tf.add_to_collection("saved_model_main_op", tf.no_op(name="a"))
    tf.add_to_collection("saved_model_main_op", tf.no_op(name="b"))
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(session(tf), ["serve"])
    builder.save()
    with tf.Graph().as_default(), tf.Session() as sess:
        return failure(lambda: tf.saved_model.loader.load(sess, ["serve"], "m"))


@case
def main_op_with_restore(tf: Any) -> Any:
    model(tf)
    saver = tf.train.Saver()
    op = tf.saved_model.main_op.main_op_with_restore(tf.get_default_graph().get_operation_by_name(saver.saver_def.restore_op_name))
    return [op.name, [each.name for each in op.control_inputs], failure(lambda: tf.saved_model.main_op.main_op_with_restore("save/restore_all"))]


@case
def tables(tf: Any) -> Any:
    put("in/vocab.txt", "cat\ndog\n")
    path = tf.constant("in/vocab.txt", name="vocabulary")
    initializer = tf.lookup.TextFileInitializer(path, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)
    table = tf.lookup.StaticHashTable(initializer, -1, name="table")
    words = tf.placeholder(tf.string, [None], name="words")
    tf.identity(table.lookup(words), name="ids")
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(
        session(tf), ["serve"], assets_collection=tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS), main_op=tf.tables_initializer()
    )
    builder.save()
    os.remove("in/vocab.txt")
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.saved_model.loader.load(sess, ["serve"], "m")
        return [sess.run("ids:0", {"words:0": ["dog", "cow", "cat"]}).tolist(), written(tf)["assets"]]


# ---- what is refused


@case
def export_folders(tf: Any) -> Any:
    model(tf)
    os.mkdir("empty")
    put("full/x", "")
    put("file", "")
    tf.saved_model.builder.SavedModelBuilder("empty")
    return [failure(lambda folder=folder: tf.saved_model.builder.SavedModelBuilder(folder)) for folder in ("full", "file")]


@case
def order_of_calls(tf: Any) -> Any:
    model(tf)
    sess = session(tf)
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    found = [failure(lambda: builder.add_meta_graph(["serve"]))]
    with tf.Session() as other:
        found.append(failure(lambda: builder.add_meta_graph_and_variables(other, ["serve"])))
    builder.add_meta_graph_and_variables(sess, ["serve"])
    found.append(failure(lambda: builder.add_meta_graph_and_variables(sess, ["serve"])))
    return found


@case
def signatures_that_are_refused(tf: Any) -> Any:
    x, y = model(tf)
    sess = session(tf)
    info = tf.saved_model.utils.build_tensor_info
    build = tf.saved_model.signature_def_utils.build_signature_def
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    nameless, typeless = info(x), info(x)
    nameless.ClearField("name")
    typeless.ClearField("dtype")
    maps = [
        {"s": build({"x": nameless}, {"y": info(y)})},
        {"s": build({"x": info(x)}, {"y": typeless})},
        {"__saved_model_init_op": build({"x": info(x)})},
        {"__saved_model_train_op": build({"x": info(x)})},
        {"s": build()},
    ]
    return [failure(lambda each=each: builder.add_meta_graph_and_variables(sess, ["serve"], each)) for each in maps]


@case
def loading_what_is_not_there(tf: Any) -> Any:
    model(tf)
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(session(tf), ["serve"])
    builder.save()
    put("junk/saved_model.pb", "no message at all")
    put("junk_text/saved_model.pbtxt", "no message { at all")
    os.mkdir("none")
    tf.reset_default_graph()
    load = tf.saved_model.loader.load
    with tf.Session() as sess:
        found = [failure(lambda folder=folder: load(sess, ["serve"], folder)) for folder in ("missing", "none", "junk", "junk_text")]
        found += [failure(lambda tags=tags: load(sess, tags, "m")) for tags in (["train"], ["serve", "gpu"], [])]
        os.rename("m/variables", "m/elsewhere")
        found.append(failure(lambda: load(sess, ["serve"], "m")))
    maybe = tf.saved_model.loader.maybe_saved_model_directory
    return [found, [maybe(folder) for folder in ("m", "missing", "none", "junk", "junk_text")], tf.saved_model.contains_saved_model("m")]


@case
def loading_options(tf: Any) -> Any:
    x, y = model(tf, device="/gpu:0")
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(session(tf), ["serve"], signature(tf, x, y))
    builder.save()
    found = []
    for options in ({"clear_devices": True}, {"import_scope": "a", "clear_devices": True}):
        with tf.Graph().as_default() as graph, tf.Session() as sess:
            meta = tf.saved_model.loader.load(sess, ["serve"], "m", **options)
            names = [[op.name, op.device] for op in graph.get_operations() if op.type in ("VariableV2", "Placeholder")]
            name = meta.signature_def["serving_default"].outputs["y"].name
            scope = options.get("import_scope")
            prefix = f"{scope}/" if scope else ""
            value = sess.run(prefix + name, {f"{prefix}x:0": [[2.0, 3.0]]}).tolist()
            tensor = tf.saved_model.utils.get_tensor_from_tensor_info(meta.signature_def["serving_default"].inputs["x"], import_scope=scope)
            found.append([names, value, tensor.name, [v.name for v in tf.global_variables()]])
    return found


# ---- TensorInfo and SignatureDef


@case
def tensor_infos(tf: Any) -> Any:
    info = tf.saved_model.utils.build_tensor_info
    sparse = tf.sparse_placeholder(tf.int64, [3, 4], name="sp")
    unknown = tf.sparse_placeholder(tf.float32, name="su")
    values = [
        tf.placeholder(tf.float32, [None, 3], name="a"),
        tf.placeholder(tf.string, None, name="b"),
        tf.constant(1, name="c"),
        tf.Variable(1.5, name="d"),
        tf.Variable([1], name="e", use_resource=True),
        sparse,
        unknown,
    ]
    found = [text(info(value)) for value in values]
    get = tf.saved_model.utils.get_tensor_from_tensor_info
    back = get(info(sparse))
    refused = [failure(lambda: info(1)), failure(lambda: get(type(info(values[0]))())), failure(lambda: get(info(values[0]), tf.Graph()))]
    return [found, get(info(values[0])).name, [back.indices.name, back.values.name, back.dense_shape.name], refused]


@case
def composite_tensor_infos(tf: Any) -> Any:
    info, get = tf.saved_model.utils.build_tensor_info, tf.saved_model.utils.get_tensor_from_tensor_info
    rows, indices, whole = tf.constant([[1.0, 2.0]]), tf.constant([3]), tf.constant([5, 2])
    values = [
        tf.ragged.placeholder(tf.float32, 1, name="one"),
        tf.ragged.placeholder(tf.string, 2, value_shape=[3], name="two"),
        tf.RaggedTensor.from_row_splits(tf.placeholder(tf.int64, [4], name="v"), tf.constant([0, 1, 4]), validate=False),
        tf.IndexedSlices(rows, indices),
        tf.IndexedSlices(rows, indices, whole),
    ]
    found = []
    for value in values:
        back = get(info(value))
        parts = (
            [back.values, back.indices, back.dense_shape] if type(back).__name__ == "IndexedSlices" else [back.flat_values, *back.nested_row_splits]
        )
        found.append([text(info(value)), type(back).__name__, [None if part is None else part.name for part in parts]])
    x, y = model(tf)
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    signatures = {"s": tf.saved_model.signature_def_utils.predict_signature_def({"rows": values[0], "x": x}, {"y": y})}
    builder.add_meta_graph_and_variables(session(tf), ["serve"], signatures)
    return found


@case
def what_is_said(tf: Any) -> Any:
    """Texts of errors, as far as programs match on them."""

    def said(do: Any) -> str:
        try:
            do()
        except Exception as error:
            return str(error)
        return "nothing"

    x, y = model(tf)
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(session(tf), ["serve"], signature(tf, x, y))
    builder.save()
    utils, load = tf.saved_model.signature_def_utils, tf.saved_model.loader.load
    with tf.Session() as sess:
        found = [said(lambda: load(sess, ["train"], "m"))[:110], said(lambda: load(sess, [], "m"))[:104]]
    updater = utils.MethodNameUpdater("m")
    found += [said(lambda: updater.replace_method_name("none", "m"))[:87], said(lambda: updater.replace_method_name("none", "m", ["x"]))[:73]]
    found += [said(lambda: utils.regression_signature_def("text", y)), said(lambda: utils.classification_signature_def("text", None, y))[:54]]
    reserved = {f"__saved_model_{kind}_op": utils.build_signature_def() for kind in ("init", "train")}
    other = tf.saved_model.builder.SavedModelBuilder("n")
    found += [said(lambda key=key: other.add_meta_graph_and_variables(sess, ["serve"], {key: reserved[key]})) for key in reserved]
    return found


@case
def signature_defs(tf: Any) -> Any:
    utils = tf.saved_model.signature_def_utils
    info = tf.saved_model.utils.build_tensor_info
    examples = tf.placeholder(tf.string, [None], name="examples")
    numbers = tf.placeholder(tf.float32, [None], name="numbers")
    doubles = tf.placeholder(tf.float64, [None], name="doubles")
    classes = tf.placeholder(tf.string, [None, 3], name="classes")
    made = [
        utils.regression_signature_def(examples, numbers),
        utils.classification_signature_def(examples, classes, numbers),
        utils.classification_signature_def(examples, None, numbers),
        utils.classification_signature_def(examples, classes, None),
        utils.predict_signature_def({"a": examples, "b": numbers}, {"c": doubles}),
        utils.build_signature_def({"a": info(numbers)}, None, "anything"),
        utils.build_signature_def(None, {"a": info(numbers)}, "tensorflow/serving/predict"),
        utils.build_signature_def({"inputs": info(numbers)}, {"outputs": info(numbers)}, "tensorflow/serving/regress"),
        utils.build_signature_def({"inputs": info(examples)}, {"outputs": info(doubles)}, "tensorflow/serving/regress"),
        utils.build_signature_def({"input": info(examples)}, {"outputs": info(numbers)}, "tensorflow/serving/regress"),
        utils.build_signature_def({"inputs": info(examples)}, {"scores": info(numbers), "more": info(numbers)}, "tensorflow/serving/classify"),
        utils.build_signature_def({"inputs": info(examples)}, {"scores": info(classes)}, "tensorflow/serving/classify"),
        utils.build_signature_def({"inputs": info(examples)}, {}, "tensorflow/serving/classify"),
        utils.build_signature_def(),
    ]
    refused = [
        failure(lambda: utils.regression_signature_def(None, numbers)),
        failure(lambda: utils.regression_signature_def("text", numbers)),
        failure(lambda: utils.regression_signature_def(examples, None)),
        failure(lambda: utils.regression_signature_def(numbers, numbers)),
        failure(lambda: utils.regression_signature_def(examples, doubles)),
        failure(lambda: utils.classification_signature_def(None, classes, numbers)),
        failure(lambda: utils.classification_signature_def(examples, None, None)),
        failure(lambda: utils.classification_signature_def(numbers, classes, numbers)),
        failure(lambda: utils.classification_signature_def(examples, numbers, numbers)),
        failure(lambda: utils.classification_signature_def(examples, classes, doubles)),
        failure(lambda: utils.predict_signature_def({}, {"a": numbers})),
        failure(lambda: utils.predict_signature_def({"a": numbers}, None)),
        failure(lambda: utils.build_signature_def({"a": numbers})),
        failure(lambda: utils.build_signature_def(defaults={"a": numbers})),
    ]
    with_default = utils.build_signature_def({"a": info(numbers)}, defaults={"a": tf.constant([1.5])})
    return [[[text(each), utils.is_valid_signature(each)] for each in made], refused, utils.is_valid_signature(None), text(with_default)]


@case
def method_names(tf: Any) -> Any:
    x, y = model(tf)
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(session(tf), ["serve"], signature(tf, x, y))
    builder.add_meta_graph(["other"], signature(tf, x, y))
    builder.save()
    updater = tf.saved_model.signature_def_utils.MethodNameUpdater("m")
    refused = [
        failure(lambda: updater.replace_method_name("", "m")),
        failure(lambda: updater.replace_method_name("serving_default", "")),
        failure(lambda: updater.replace_method_name("missing", "m")),
        failure(lambda: updater.replace_method_name("serving_default", "m", tags="none")),
        failure(lambda: tf.saved_model.signature_def_utils.MethodNameUpdater("missing")),
    ]
    updater.replace_method_name("serving_default", "first", tags="serve")
    updater.save()
    os.mkdir("n")
    updater.replace_method_name("serving_default", "both")
    updater.save("n")
    return [refused, [[graph["signatures"] for graph in written(tf, folder)["graphs"]] for folder in ("m", "n")], written(tf, "n")["files"]]


@case
def constants(tf: Any) -> Any:
    found = {}
    for module in ("constants", "signature_constants", "tag_constants"):
        inner = getattr(tf.saved_model, module)
        found[module] = {name: getattr(inner, name) for name in dir(inner) if name.isupper()}
    return found


# ---- a program of several steps


@case
def trained_on(tf: Any) -> Any:
    x, y = model(tf)
    loss = tf.reduce_mean(tf.square(y - 1.0))
    tf.train.GradientDescentOptimizer(0.125).minimize(loss, name="train")
    sess = session(tf)
    sess.run("train", {x: [[0.5, -0.5]]})
    builder = tf.saved_model.builder.SavedModelBuilder("m")
    builder.add_meta_graph_and_variables(sess, [tf.saved_model.tag_constants.TRAINING], signature(tf, x, y))
    builder.save()
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.saved_model.loader.load(sess, [tf.saved_model.tag_constants.TRAINING], "m")
        sess.run("train", {"x:0": [[0.5, -0.5]]})
        values = [sess.run(v).tolist() for v in tf.trainable_variables()]
    return [values, [graph["collections"] for graph in written(tf)["graphs"]]]
