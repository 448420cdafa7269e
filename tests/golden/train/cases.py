"""Small training programs against TensorFlow 1's face, each giving something that JSON can hold.

`write_train.py` runs them with real TensorFlow and keeps the answers in `train.json`; tests/train/test_training.py runs them with gpersist.
A case is a function that gets the module `tf`. The graph is new for each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

NEWER_ATTRS = {("MatMul", "grad_a"), ("MatMul", "grad_b"), ("VarHandleOp", "debug_name"), ("VarHandleOp", "allowed_devices")}
NEWER_ATTRS |= {("AssignVariableOp", "validate_shape"), ("GatherV2", "bad_indices_policy"), ("ResourceGather", "bad_indices_policy")}
NEWER_ATTRS |= {("ScatterSub", "bad_indices_policy"), ("ScatterAdd", "bad_indices_policy"), ("ResourceScatterAdd", "bad_indices_policy")}
"""Attributes that TensorFlow 2 has added to operations of 1.15, whose nodes are the yardstick."""

CASES: dict[str, Any] = {}


def case(function: Any) -> Any:
    CASES[function.__name__] = function
    return function


def failure(do: Any) -> Any:
    """The classes of the error that a call raises."""
    try:
        do()
    except Exception as error:
        return {"error": [found.__name__ for found in type(error).__mro__]}
    return "nothing raised"


def nodes(tf: Any, since: int = 0) -> list[Any]:
    found = []
    for node in tf.get_default_graph().as_graph_def().node:
        attrs = {key: " ".join(str(value).split()) for key, value in node.attr.items() if (node.op, key) not in NEWER_ATTRS}
        attrs = {key: value for key, value in attrs.items() if not (node.op.startswith(("Apply", "Resource")) and key == "multiply_linear_by_lr")}
        attrs.pop("_has_manual_control_dependencies", None)
        found.append([node.name, node.op, list(node.input), node.device, attrs])
    return found[since:]


def values(session: Any, things: Any) -> list[Any]:
    return [np.asarray(value, np.float64).reshape(-1).tolist() for value in session.run(things)]


def steps(tf: Any, train: Any, count: int = 10) -> Any:
    """The values of all variables, by name, after some steps."""
    variables = sorted(tf.global_variables(), key=lambda variable: variable.name)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(count):
            session.run(train)
        return {
            variable.name: [str(variable.dtype.base_dtype.name), *value]
            for variable, value in zip(variables, values(session, variables), strict=True)
        }


def model(tf: Any, dtype: str = "float32", use_resource: bool = False) -> Any:
    """A loss of a matrix and a vector, of products alone, so that only their gradients' nodes are in the way."""
    w = tf.Variable(np.linspace(-1, 1, 6).reshape(2, 3).astype(dtype), name="layer/w", use_resource=use_resource)
    b = tf.Variable(np.array([0.5, -0.25, 1.0], dtype), name="layer/b", use_resource=use_resource)
    x = tf.constant(np.array([[1.0, 2.0], [-0.5, 0.25], [0.75, -1.5], [0.1, 0.2]], dtype), name="x")
    y = tf.add(tf.matmul(x, w), b, name="y")
    return tf.multiply(y, y, name="loss"), w, b


OPTIMIZERS: dict[str, Any] = {
    "GradientDescent": lambda tf: tf.train.GradientDescentOptimizer(0.02),
    "ProximalGradientDescent": lambda tf: tf.train.ProximalGradientDescentOptimizer(0.02, 0.3, 0.2),
    "ProximalGradientDescentL2": lambda tf: tf.train.ProximalGradientDescentOptimizer(0.02, 0.0, 0.2),
    "Momentum": lambda tf: tf.train.MomentumOptimizer(0.02, 0.9),
    "Nesterov": lambda tf: tf.train.MomentumOptimizer(0.02, 0.9, use_nesterov=True),
    "Adam": lambda tf: tf.train.AdamOptimizer(0.02),
    "AdamOther": lambda tf: tf.train.AdamOptimizer(0.01, 0.8, 0.99, 0.1, name="Mine"),
    "Adagrad": lambda tf: tf.train.AdagradOptimizer(0.1),
    "ProximalAdagrad": lambda tf: tf.train.ProximalAdagradOptimizer(0.1, 0.2, 0.3, 0.4),
    "Adadelta": lambda tf: tf.train.AdadeltaOptimizer(0.5, 0.9, 1e-3),
    "RMSProp": lambda tf: tf.train.RMSPropOptimizer(0.02, 0.8, 0.3),
    "CenteredRMSProp": lambda tf: tf.train.RMSPropOptimizer(0.02, 0.8, 0.3, centered=True),
    "Ftrl": lambda tf: tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.3, l2_regularization_strength=0.2),
    "FtrlPower": lambda tf: tf.train.FtrlOptimizer(0.1, -0.7, 0.2, accum_name="acc", linear_name="lin"),
    "FtrlShrinkage": lambda tf: tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.1, l2_shrinkage_regularization_strength=0.3),
    "AdagradDA": lambda tf: tf.train.AdagradDAOptimizer(0.1, tf.constant(3, tf.int64), 0.1, 0.2, 0.3),
}


def _optimizer_cases(name: str, make: Any) -> None:
    def dense_nodes(tf: Any) -> Any:
        loss, w, b = model(tf)
        built = len(tf.get_default_graph().get_operations())
        optimizer = make(tf)
        train = optimizer.minimize(loss)
        slots = {slot: [str(optimizer.get_slot(var, slot)) for var in (w, b)] for slot in optimizer.get_slot_names()}
        variables = [str(var) for var in optimizer.variables()]
        return [nodes(tf, built), train.name, slots, variables, optimizer.get_name(), [op.name for op in tf.get_collection("train_op")]]

    def resource_nodes(tf: Any) -> Any:
        loss, *_ = model(tf, use_resource=True)
        built = len(tf.get_default_graph().get_operations())
        make(tf).minimize(loss)
        return nodes(tf, built)

    def double_nodes(tf: Any) -> Any:
        loss, *_ = model(tf, "float64")
        built = len(tf.get_default_graph().get_operations())
        make(tf).minimize(loss)
        return nodes(tf, built)

    def ten_steps(tf: Any) -> Any:
        return steps(tf, make(tf).minimize(model(tf)[0]))

    def ten_resource_steps(tf: Any) -> Any:
        return steps(tf, make(tf).minimize(model(tf, use_resource=True)[0]))

    def ten_double_steps(tf: Any) -> Any:
        return steps(tf, make(tf).minimize(model(tf, "float64")[0]))

    def sparse(tf: Any, use_resource: bool) -> Any:
        table = tf.Variable(np.linspace(-1, 1, 12).reshape(4, 3).astype("float32"), name="table", use_resource=use_resource)
        rows = tf.gather(table, tf.constant([2, 0, 2]))
        loss = tf.multiply(rows, rows, name="loss")
        return steps(tf, make(tf).minimize(loss), 4)

    found = [dense_nodes, resource_nodes, ten_steps, ten_resource_steps]
    if not name.startswith("Proximal"):  # TensorFlow casts nothing there
        found += [double_nodes, ten_double_steps]
    for function in found:
        CASES[f"{name}_{function.__name__}"] = function
    CASES[f"{name}_sparse_steps"] = lambda tf: sparse(tf, use_resource=False)
    CASES[f"{name}_sparse_resource_steps"] = lambda tf: sparse(tf, use_resource=True)


for _name, _make in OPTIMIZERS.items():
    _optimizer_cases(_name, _make)


# ---- the operations themselves, those that no optimizer uses among them

APPLY = {
    "GradientDescent": "var | alpha delta",
    "ProximalGradientDescent": "var | alpha l1 l2 delta",
    "Momentum": "var accum | lr grad momentum | use_nesterov",
    "KerasMomentum": "var accum | lr grad momentum | use_nesterov",
    "Adam": "var m v | beta1_power beta2_power lr beta1 beta2 epsilon grad | use_nesterov",
    "AdamWithAmsgrad": "var m v vhat | beta1_power beta2_power lr beta1 beta2 epsilon grad",
    "AdaMax": "var m v | beta1_power lr beta1 beta2 epsilon grad",
    "Adagrad": "var accum | lr grad | update_slots",
    "AdagradV2": "var accum | lr epsilon grad | update_slots",
    "ProximalAdagrad": "var accum | lr l1 l2 grad",
    "AdagradDA": "var gradient_accumulator gradient_squared_accumulator | grad lr l1 l2 global_step",
    "Adadelta": "var accum accum_update | lr rho epsilon grad",
    "RMSProp": "var ms mom | lr rho momentum epsilon grad",
    "CenteredRMSProp": "var mg ms mom | lr rho momentum epsilon grad",
    "Ftrl": "var accum linear | grad lr l1 l2 lr_power",
    "FtrlV2": "var accum linear | grad lr l1 l2 l2_shrinkage lr_power",
    "AddSign": "var m | lr alpha sign_decay beta grad",
    "PowerSign": "var m | lr logbase sign_decay beta grad",
}
SCALARS = {"lr": 0.05, "alpha": 0.07, "l1": 0.1, "l2": 0.2, "momentum": 0.9, "beta1_power": 0.81, "beta2_power": 0.98, "beta1": 0.9, "beta2": 0.99}
SCALARS |= {"epsilon": 1e-3, "rho": 0.8, "lr_power": -0.5, "l2_shrinkage": 0.3, "sign_decay": 0.6, "beta": 0.7, "logbase": 1.3}
NOT_SPARSE = {"GradientDescent", "Adam", "AdamWithAmsgrad", "AdaMax", "AddSign", "PowerSign"}
ONLY_RESOURCE = {"KerasMomentum", "AdamWithAmsgrad"}


def _apply_case(name: str, is_resource: bool, is_sparse: bool, dtype: str, changes: dict[str, Any]) -> Any:
    kind = ("Resource" if is_resource else "") + ("Sparse" if is_sparse else "") + "Apply" + name
    slots, inputs, *flags = [part.split() for part in APPLY[name].split("|")]

    def run(tf: Any) -> Any:
        generator = np.random.default_rng(5)
        # what squares are summed in is positive, and a mean of squares is larger than that of what is squared
        start = {slot: generator.uniform(*((-1, 1) if slot in ("var", "m", "mom", "linear") else (0.5, 1.5)), (4, 3)) for slot in slots}
        if "mg" in start:
            start["mg"] = start["mg"] * 0.3
        variables = {slot: tf.Variable(value.astype(dtype), name=slot, use_resource=is_resource) for slot, value in start.items()}
        arguments = {slot: variable.handle if is_resource else variable._variable for slot, variable in variables.items()}
        grad = generator.uniform(-1, 1, (4, 3))
        grad[1] = 0
        for scalar in inputs:
            arguments[scalar] = tf.constant(changes.get(scalar, SCALARS.get(scalar, 0.0)), dtype)
        if "global_step" in inputs:
            arguments["global_step"] = tf.constant(4, tf.int64)
        grad_name = "delta" if "delta" in inputs else "grad"
        arguments.pop(grad_name)
        if is_sparse:
            arguments |= {"grad": tf.constant(grad[:3].astype(dtype)), "indices": tf.constant([3, 1, 3])}
        else:
            arguments[grad_name] = tf.constant(grad.astype(dtype))
        arguments |= {flag: changes[flag] for flag in (flags[0] if flags else ()) if flag in changes}
        train = getattr(tf.raw_ops, kind)(**arguments)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(train)
            session.run(train)
            return values(session, [variables[slot] for slot in slots])

    return run


for _name in APPLY:
    for _resource in (False, True):
        for _sparse in (False, True):
            if (_sparse and _name in NOT_SPARSE) or (not _resource and _name in ONLY_RESOURCE):
                continue
            _id = f"{'Resource' if _resource else ''}{'Sparse' if _sparse else ''}Apply{_name}"
            CASES[_id] = _apply_case(_name, _resource, _sparse, "float32", {})
            for _flag, _value in (("use_nesterov", True), ("update_slots", False), ("lr_power", -0.7), ("l1", 0.0)):
                if _flag in APPLY[_name].split():
                    CASES[f"{_id}_{_flag}"] = _apply_case(_name, _resource, _sparse, "float64", {_flag: _value})
            if not _resource and not _sparse and not _name.startswith(("AdagradDA", "Proximal")):
                CASES[f"{_id}_half"] = _apply_case(_name, _resource, _sparse, "float16", {})


@case
def apply_errors(tf):
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]], name="v")
    new = tf.Variable([1.0], name="new")
    raw = tf.raw_ops
    free = tf.placeholder_with_default([1.0], None)
    grads = tf.constant([[1.0, 1.0]])
    made = [
        raw.ApplyGradientDescent(var=v._variable, alpha=0.1, delta=free),
        raw.SparseApplyAdagrad(var=v._variable, accum=v._variable, lr=0.1, grad=grads, indices=[2]),
        raw.SparseApplyAdagrad(var=v._variable, accum=v._variable, lr=0.1, grad=grads, indices=[-1]),
        raw.ApplyGradientDescent(var=new._variable, alpha=0.1, delta=[1.0]),
        raw.ApplyGradientDescent(var=v._variable, alpha=tf.placeholder_with_default([1.0], None), delta=[[1.0, 1.0], [1.0, 1.0]]),
    ]
    built = [
        failure(lambda: raw.ApplyGradientDescent(var=v._variable, alpha=0.1, delta=[1.0])),
        failure(lambda: raw.ApplyGradientDescent(var=v._variable, alpha=[0.1], delta=[[1.0, 1.0], [1.0, 1.0]])),
        failure(lambda: raw.SparseApplyMomentum(var=v._variable, accum=v._variable, lr=0.1, momentum=0.1, grad=grads, indices=[0, 1])),
        failure(lambda: raw.SparseApplyMomentum(var=v._variable, accum=v._variable, lr=0.1, momentum=0.1, grad=grads, indices=0)),
        failure(lambda: raw.SparseApplyMomentum(var=v._variable, accum=v._variable, lr=0.1, momentum=0.1, grad=[[1.0]], indices=[0])),
        failure(lambda: raw.ApplyMomentum(var=v._variable, accum=new._variable, lr=0.1, grad=[[1.0, 1.0], [1.0, 1.0]], momentum=0.1)),
    ]
    with tf.Session() as session:
        session.run(v.initializer)
        return built + [failure(lambda op=op: session.run(op)) for op in made] + values(session, [v])


# ---- what minimize adds around


@case
def gradient_nodes_of_products(tf):
    loss, w, b = model(tf)
    built = len(tf.get_default_graph().get_operations())
    grads = tf.gradients(loss, [w, b])
    return [nodes(tf, built), [str(grad) for grad in grads]]


@case
def gradient_nodes_of_a_linear_fit(tf):
    x = tf.placeholder(tf.float32, [None, 1], name="x")
    wanted = tf.placeholder(tf.float32, [None, 1], name="wanted")
    w = tf.Variable([[0.5]], name="w")
    b = tf.Variable([0.1], name="b")
    loss = tf.reduce_mean(tf.square(tf.matmul(x, w) + b - wanted), name="loss")
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    data = {x: [[1.0], [2.0], [3.0]], wanted: [[2.0], [4.1], [5.9]]}
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(20):
            session.run(train, data)
        found = values(session, [w, b])
    return [nodes(tf), found]


@case
def global_steps(tf):
    found = []
    for use_resource in (False, True):
        tf.reset_default_graph()
        loss, *_ = model(tf)
        step = tf.Variable(0, name="global_step", trainable=False, dtype="int64", use_resource=use_resource)
        built = len(tf.get_default_graph().get_operations())
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step, name="go")
        found.append([nodes(tf, built)[-6:], train.name, [op.name for op in tf.get_collection("train_op")]])
        found.append(steps(tf, train, 3)["global_step:0"])
    return found


@case
def own_gradients(tf):
    _, w, b = model(tf)
    optimizer = tf.train.GradientDescentOptimizer(1.0, name="Own")
    train = optimizer.apply_gradients([(np.ones((2, 3), np.float32), w), (None, b)], name="apply")
    return [nodes(tf)[-6:], steps(tf, train, 1)]


@case
def reads_show_what_was_assigned_since(tf):
    v = tf.Variable(1.0, name="v")
    read, moved = v.value(), v.assign_add(1.0)
    with tf.control_dependencies([moved]):
        later = tf.add(v, tf.constant(10.0))
    before = tf.multiply(read, 1.0)
    with tf.control_dependencies([before]):
        other = v.assign_sub(5.0)
    with tf.Session() as session:
        session.run(v.initializer)
        return [values(session, [read, moved]), values(session, [read, later]), values(session, [read, before, other, v])]


@case
def averages_behind_a_step(tf):
    loss, *_ = model(tf)
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    average = tf.train.ExponentialMovingAverage(0.5)
    with tf.control_dependencies([train]):
        update = average.apply()
    return steps(tf, update, 3)


@case
def clipped_gradients(tf):
    loss, _, _ = model(tf)
    optimizer = tf.train.GradientDescentOptimizer(0.5)
    pairs = optimizer.compute_gradients(loss, gate_gradients=tf.train.Optimizer.GATE_GRAPH)
    train = optimizer.apply_gradients([(tf.minimum(grad, 0.1), var) for grad, var in pairs])
    return [[[str(grad), str(var)] for grad, var in pairs], steps(tf, train, 2)]


@case
def gates(tf):
    found = []
    for gate in (tf.train.Optimizer.GATE_NONE, tf.train.Optimizer.GATE_OP, tf.train.Optimizer.GATE_GRAPH):
        tf.reset_default_graph()
        loss, *_ = model(tf)
        built = len(tf.get_default_graph().get_operations())
        tf.train.GradientDescentOptimizer(0.5).minimize(loss, gate_gradients=gate)
        found.append(nodes(tf, built))
    return found


@case
def gated_rows(tf):
    table = tf.Variable(np.arange(8, dtype=np.float32).reshape(4, 2), name="table")
    scale = tf.Variable(2.0, name="scale")
    loss = tf.multiply(tf.gather(table, [1, 1, 3]), scale)
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    built = len(tf.get_default_graph().get_operations())
    train = optimizer.apply_gradients(optimizer.compute_gradients(loss, gate_gradients=optimizer.GATE_GRAPH))
    return [[name for name, *_ in nodes(tf, built) if "control_dep" in name or "tuple" in name], steps(tf, train, 2)]


@case
def colocated_gradients(tf):
    with tf.device("/cpu:0"):
        loss, *_ = model(tf)
    built = len(tf.get_default_graph().get_operations())
    tf.train.MomentumOptimizer(0.5, 0.9).minimize(loss, colocate_gradients_with_ops=True)
    return nodes(tf, built)


@case
def learning_rates_that_are_tensors(tf):
    loss, *_ = model(tf)
    step = tf.Variable(0, name="global_step", trainable=False)
    rate = tf.train.exponential_decay(0.1, step, 2, 0.5)
    train = tf.train.MomentumOptimizer(rate, lambda: 0.5).minimize(loss, step)
    return steps(tf, train, 5)


@case
def constraints(tf):
    w = tf.Variable([1.0, -2.0], name="w", constraint=lambda value: tf.maximum(value, 0.0))
    train = tf.train.GradientDescentOptimizer(0.1).minimize(w * w)
    return [nodes(tf)[-4:], steps(tf, train, 2)]


@case
def optimizers_share_a_graph(tf):
    loss, w, _ = model(tf)
    tf.train.AdamOptimizer().minimize(loss, var_list=[w])
    tf.train.AdamOptimizer().minimize(loss, var_list=[w])
    first = tf.train.MomentumOptimizer(0.1, 0.9)
    first.minimize(loss)
    first.minimize(loss)
    with tf.name_scope("outer"):
        tf.train.AdamOptimizer(name="In").minimize(loss, var_list=[w])
    return [[var.name for var in tf.global_variables()], [op.name for op in tf.get_collection("train_op")]]


@case
def optimizer_errors(tf):
    loss, w, b = model(tf)
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    other = tf.Variable(1, name="int", trainable=False)
    return [
        failure(lambda: tf.train.GradientDescentOptimizer(0.1, name="")),
        failure(lambda: optimizer.minimize(loss, var_list=[tf.Variable(1.0, name="apart")])),
        failure(lambda: optimizer.minimize(loss, var_list=[])),
        failure(lambda: optimizer.minimize(tf.constant(1))),
        failure(lambda: optimizer.compute_gradients(loss, gate_gradients=7)),
        failure(lambda: optimizer.compute_gradients(loss, var_list=["w"])),
        failure(lambda: optimizer.apply_gradients([])),
        failure(lambda: optimizer.apply_gradients([(None, w)])),
        failure(lambda: optimizer.apply_gradients([(object(), w)])),
        failure(lambda: optimizer.apply_gradients([(tf.constant(1.0), tf.constant(1.0))])),
        failure(lambda: tf.train.AdagradOptimizer(0.1, 0.0)),
        failure(lambda: tf.train.FtrlOptimizer(0.1, 0.5)),
        failure(lambda: tf.train.FtrlOptimizer(0.1, l1_regularization_strength=-1.0)),
        failure(lambda: optimizer.compute_gradients(loss, var_list=[other, w, b])[0]),
        failure(lambda: optimizer.apply_gradients([(np.ones((7,), np.float32), w)])),
    ]


@case
def slots_before_and_after(tf):
    loss, w, b = model(tf)
    optimizer = tf.train.AdamOptimizer()
    before = [optimizer.get_slot_names(), optimizer.get_slot(w, "m"), optimizer.variables()]
    optimizer.minimize(loss, var_list=[w])
    after = [optimizer.get_slot_names(), str(optimizer.get_slot(w, "v")), optimizer.get_slot(b, "v"), optimizer.get_slot(w, "none")]
    return [before, after, [[var.name, var.trainable] for var in optimizer.variables()], [v.name for v in tf.trainable_variables()]]


# ---- tf.gradients


@case
def gradients_are_summed(tf):
    x = tf.constant([1.0, 2.0], name="x")
    y = tf.multiply(x, x, name="y")
    z = tf.add(y, x, name="z")
    found = []
    for method in (None, tf.AggregationMethod.EXPERIMENTAL_TREE):
        built = len(tf.get_default_graph().get_operations())
        grads = tf.gradients([z, y], [x, y], aggregation_method=method)
        with tf.Session() as session:
            found.append([nodes(tf, built), values(session, grads)])
    return found


@case
def gradients_of_several(tf):
    x = tf.Variable(2.0, name="x", use_resource=True)
    y = tf.constant(3.0, name="y")
    a, b = tf.multiply(x, y), tf.multiply(x, x)
    grads = tf.gradients([a, b], [x, y], grad_ys=[tf.constant(2.0), None], name="own")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return [nodes(tf)[7:], [str(grad) for grad in grads], values(session, grads)]


@case
def unconnected_gradients(tf):
    x, y = tf.constant([1.0, 2.0], name="x"), tf.constant(3.0, name="y")
    v = tf.Variable([1.0, 2.0], name="v", use_resource=True)
    z = tf.multiply(x, x)
    none = tf.gradients(z, [x, y, v])
    zero = tf.gradients(z, [x, y, v], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    text = tf.gradients(z, [y], unconnected_gradients="zero")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return [[str(grad) for grad in none], [grad.op.type for grad in zero + text], values(session, zero + text)]


@case
def stopped_gradients(tf):
    a = tf.constant(2.0, name="a")
    b = tf.multiply(a, 3.0, name="b")
    c = tf.multiply(a, b, name="c")
    d = tf.multiply(tf.stop_gradient(b), a)
    grads = [
        tf.gradients(c, [a, b], stop_gradients=[a, b]),
        tf.gradients(c, [a, b]),
        tf.gradients(c, a, stop_gradients=b),
        tf.gradients(d, a),
        [c, *tf.gradients(c, c)],
    ]
    with tf.Session() as session:
        return [values(session, found) for found in grads] + [tf.gradients(tf.stop_gradient(b), a) == [None]]


@case
def gradients_and_bad_arguments(tf):
    x = tf.constant(2.0)
    y = tf.multiply(x, x)
    whole = tf.cast(x, tf.complex64)
    return [
        failure(lambda: tf.gradients(y, x, grad_ys=[None, None])),
        failure(lambda: tf.gradients(y, x, unconnected_gradients="some")),
        failure(lambda: tf.gradients(y, x, aggregation_method=9)),
        failure(lambda: tf.gradients(whole, x)),
        failure(lambda: tf.gradients(y, x, grad_ys=[tf.constant(True)])),
        failure(lambda: tf.gradients(y, None)),
        failure(lambda: tf.gradients(y, ["x"])),
        failure(lambda: tf.gradients(tf.constant("text"), x)),
        tf.gradients(tf.constant(1.0), x) == [None],
        tf.gradients(y, []) == [],
    ]


@case
def gradients_without_a_function(tf):
    x = tf.constant([1.0, 2.0])
    bits = tf.bitcast(tf.bitcast(x, tf.int32), tf.float32)
    whole = tf.cast(tf.cast(x, tf.int32), tf.float32)
    return [tf.gradients(y, x) == [None] for y in (bits, whole, tf.zeros_like(x), tf.stop_gradient(x))] + [
        failure(lambda: tf.gradients(tf.bitcast(x, tf.float16), x))
    ]


@case
def registered_gradients(tf):
    @tf.RegisterGradient("CaseSquare")
    def _square(op, grad):
        return grad * 100.0

    graph = tf.get_default_graph()
    x = tf.constant(3.0, name="x")
    with graph.gradient_override_map({"Square": "CaseSquare"}):
        y = tf.square(x, name="y")
    z = tf.square(x, name="z")
    with graph.gradient_override_map({"Square": "NobodyHasIt"}):
        w = tf.square(x, name="w")
    with tf.Session() as session:
        found = values(session, [*tf.gradients(y, x), *tf.gradients(z, x)])
    return [
        found,
        y.op.get_attr("_gradient_op_type").decode(),
        failure(lambda: z.op.get_attr("_gradient_op_type")),
        failure(lambda: tf.gradients(w, x)),
        failure(lambda: tf.RegisterGradient("Square")(_square)),
        failure(lambda: tf.RegisterGradient("CaseSquare")(_square)),
        failure(lambda: tf.RegisterGradient(7)),
        failure(lambda: tf.NotDifferentiable(7)),
        failure(lambda: graph.gradient_override_map({"Square": 7}).__enter__()),
        failure(lambda: graph.gradient_override_map([1]).__enter__()),
    ]


@case
def bad_gradient_functions(tf):
    @tf.RegisterGradient("CaseTooMany")
    def _many(op, grad):
        return [grad, grad]

    @tf.RegisterGradient("CaseWrongShape")
    def _shape(op, grad):
        return tf.constant([1.0, 2.0, 3.0])

    x = tf.constant([1.0, 2.0])
    found = []
    for name in ("CaseTooMany", "CaseWrongShape"):
        with tf.get_default_graph().gradient_override_map({"Identity": name}):
            y = tf.identity(x)
        found.append(failure(lambda y=y: tf.gradients(y, x)))
    return found


@case
def gradients_of_branches(tf):
    x, pred = tf.constant(3.0, name="x"), tf.placeholder(tf.bool, [], name="pred")
    switch = tf.raw_ops.Switch(data=x, pred=pred)
    merged = tf.raw_ops.Merge(inputs=[tf.multiply(switch[0], 2.0), tf.multiply(switch[1], switch[1])])
    built = len(tf.get_default_graph().get_operations())
    (grad,) = tf.gradients(merged[0], x)
    one = tf.raw_ops.Switch(data=x, pred=pred)[1]
    only = tf.gradients(tf.multiply(one, 5.0), x)[0]
    found = nodes(tf, built)
    with tf.Session() as session:
        return [found, [float(session.run(grad, {pred: side})) for side in (False, True)], float(session.run(only, {pred: True}))]


@case
def gradients_of_assignments(tf):
    x, v = tf.constant([1.0, 2.0]), tf.Variable([0.0, 0.0])
    return [tf.gradients(y, x) == [None] for y in (tf.assign(v, x), tf.assign_add(v, x), tf.assign_sub(v, x))]


@case
def custom_gradients(tf):
    @tf.custom_gradient
    def log1pexp(x):
        e = tf.exp(x)

        def grad(dy):
            return dy * (1 - 1 / (1 + e))

        return tf.math.log(1 + e), grad

    @tf.custom_gradient
    def two(x, y):
        def grad(dx, dy):
            return dx * 10.0, dy * 100.0

        return [x * y, x + y], grad

    x, y = tf.constant(100.0, name="x"), tf.constant(2.0, name="y")
    a, b = two(x, y)
    z = log1pexp(x)
    with tf.Session() as session:
        found = values(session, [z, *tf.gradients(z, x), a, b, *tf.gradients(a, [x, y]), *tf.gradients(b, [x, y]), *tf.gradients(a + b, [x, y])])
    return [found, z.op.type, z.name, a.name, b.name, failure(lambda: log1pexp(x=x))]


@case
def indexed_slices(tf):
    table = tf.Variable(np.arange(8, dtype=np.float32).reshape(4, 2), name="table")
    rows = tf.gather(table, [1, 1, 3])
    (grad,) = tf.gradients(rows, table)
    both = tf.gradients([rows, tf.gather(table, [0])], table)[0]
    dense = tf.gradients([rows, table * 2.0], table)[0]
    found = [isinstance(thing, tf.IndexedSlices) for thing in (grad, both, dense)]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        value = session.run(grad)
        parts = [type(value).__name__, value.values.tolist(), value.indices.tolist(), np.asarray(value.dense_shape).tolist()]
        whole = values(session, [tf.convert_to_tensor(grad), tf.convert_to_tensor(both), dense, tf.convert_to_tensor(-grad)])
    made = tf.IndexedSlices(tf.constant([[1.0]], name="v"), tf.constant([2], name="i"))
    return [
        found,
        parts,
        whole,
        str(made),
        made.name,
        str(made.dtype),
        str(made.shape),
        failure(lambda: tf.convert_to_tensor(made)),
        str(grad.dtype),
    ]


# ---- moving averages


@case
def moving_average_nodes(tf):
    v = tf.Variable(0.0, name="v")
    built = len(tf.get_default_graph().get_operations())
    average = tf.train.ExponentialMovingAverage(0.99)
    update = average.apply(tf.global_variables())
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(tf.assign(v, 10.0))
        session.run(update)
        found = [str(value) for value in session.run([v, average.average(v)])]
    return [
        nodes(tf, built),
        update.name,
        found,
        [var.name for var in tf.global_variables()],
        str(average.variables_to_restore()),
        average.average_name(v),
        [var.name for var in tf.moving_average_variables()],
        [var.name for var in tf.trainable_variables()],
    ]


@case
def moving_averages_of_resources(tf):
    v = tf.Variable([1.0, 2.0], name="v", use_resource=True)
    average = tf.train.ExponentialMovingAverage(0.9, name="Mean")
    update = average.apply([v])
    with tf.control_dependencies([update]):
        moved = v.assign_add([1.0, 1.0])
    return [average.average_name(v), steps(tf, moved, 3)]


@case
def moving_averages_by_count(tf):
    v = tf.Variable(1.0, name="v")
    step = tf.Variable(0, name="step", trainable=False)
    average = tf.train.ExponentialMovingAverage(0.9, num_updates=step)
    built = len(tf.get_default_graph().get_operations())
    update = average.apply([v])
    made = nodes(tf, built)
    with tf.control_dependencies([update]):
        train = tf.group(v.assign_add(1.0), step.assign_add(1))
    return [made, steps(tf, train, 5)]


@case
def moving_averages_of_tensors(tf):
    found = []
    for zero_debias in (False, True):
        tf.reset_default_graph()
        x = tf.constant([1.0, 3.0], name="x")
        y = tf.add(x, 1.0, name="y")
        average = tf.train.ExponentialMovingAverage(0.5, zero_debias=zero_debias)
        update = average.apply([y])
        found.append([nodes(tf), str(average.average(y)), average.average_name(y), steps(tf, update, 3)])
    return found


@case
def moving_averages_again(tf):
    v, w = tf.Variable(1.0, name="v"), tf.Variable([2.0], name="w", trainable=False)
    average = tf.train.ExponentialMovingAverage(0.5)
    names = [average.average_name(v), average.average(v)]
    average.apply([v])
    average.apply([v, w])
    other = tf.train.ExponentialMovingAverage(0.5)
    names += [other.average_name(v)]
    other.apply([v])
    names += [average.average_name(v), other.average_name(v), average.name]
    restored = [sorted((name, str(var)) for name, var in average.variables_to_restore(given).items()) for given in (None, [w])]
    return [names, restored, [var.name for var in tf.global_variables()], failure(lambda: average.apply([tf.Variable(1)]))]


# ---- learning rates


@case
def learning_rates(tf):
    rates: list[Any] = []
    for step in (0, 1, 3, 4, 10, 25):
        rates += [
            tf.train.exponential_decay(0.1, step, 4, 0.5),
            tf.train.exponential_decay(0.1, step, 4, 0.5, staircase=True),
            tf.train.natural_exp_decay(0.1, step, 4, 0.5),
            tf.train.natural_exp_decay(0.1, step, 4, 0.5, staircase=True),
            tf.train.inverse_time_decay(0.1, step, 4, 0.5),
            tf.train.inverse_time_decay(0.1, step, 4, 0.5, staircase=True),
            tf.train.polynomial_decay(0.1, step, 8, 0.01, 2.0),
            tf.train.polynomial_decay(0.1, step, 8, 0.01, 0.5, cycle=True),
            tf.train.piecewise_constant(step, [1, 4], [0.1, 0.2, 0.3]),
            tf.train.cosine_decay(0.1, step, 12, 0.1),
            tf.train.cosine_decay_restarts(0.1, step, 4),
            tf.train.cosine_decay_restarts(0.1, step, 4, 1.0, 0.5, 0.1),
            tf.train.linear_cosine_decay(0.1, step, 12),
        ]
    with tf.Session() as session:
        return values(session, rates)


@case
def learning_rate_nodes(tf):
    step = tf.Variable(0, name="global_step", trainable=False)
    built = len(tf.get_default_graph().get_operations())
    tf.train.exponential_decay(0.1, step, 100, 0.96, staircase=True)
    tf.train.exponential_decay(0.1, step, 100, 0.96, name="own")
    tf.train.polynomial_decay(0.1, step, 100)
    tf.train.inverse_time_decay(0.1, step, 100, 0.5)
    tf.train.natural_exp_decay(0.1, step, 100, 0.5)
    tf.train.cosine_decay(0.1, step, 100)
    return nodes(tf, built)


@case
def piecewise_constants(tf):
    step = tf.Variable(0, trainable=False, dtype="int64")
    wide = tf.train.piecewise_constant(step, [1, 4], [0.1, 0.2, 0.3])
    return [
        str(wide.dtype),
        failure(lambda: tf.train.piecewise_constant(step, [1.0, 4.0], [0.1, 0.2, 0.3])),
        failure(lambda: tf.train.piecewise_constant(step, [1, 4], [0.1, 0.2])),
        failure(lambda: tf.train.piecewise_constant(step, [1, 4], [0.1, 2, 0.3])),
    ]
