"""For each operation of an optimizer: a step from the same values, with the first two rows for those on rows; the formulas are tested elsewhere.

Here a step must come to the same on each device, and leave a value alone that somebody holds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gpersist import ops
from gpersist.graph import Session, apply_op, get_op_type, op_type_names
from tests.ops.scenarios import SCENARIOS

_VALUE = np.linspace(0.5, 1.5, 6, dtype=np.float32).reshape(3, 2)


def _step(name: str) -> Any:
    def run(session: Session) -> None:
        op_type: Any = get_op_type(name)
        rule = op_type.rule
        is_resource = name.startswith("Resource")
        variables = {slot: ops.Variable(_VALUE + index, name=slot, use_resource=is_resource) for index, slot in enumerate(rule.variables)}
        inputs: list[Any] = []
        expected = {slot: _VALUE + index for index, slot in enumerate(rule.variables)}
        for arg in op_type.signature().inputs:
            if arg.name in variables:
                inputs.append(variables[arg.name].handle if is_resource else variables[arg.name])
            elif arg.name == "indices":
                inputs.append([0, 1])
            elif arg.name == rule.gradient:
                inputs.append((_VALUE[:2] if op_type.is_sparse else _VALUE) - 1.0)
            else:
                inputs.append(ops.constant(2, "int64") if arg.name == "global_step" else ops.constant(-0.5 if arg.name == "lr_power" else 0.5))
        step = apply_op(name, *inputs)
        session.run([variable.initializer for variable in variables.values()])
        held = session.variables.hold(rule.variables)
        before = {slot: _plain(array).copy() for slot, array in held.arrays.items()}
        session.run(step)
        for slot, array in held.arrays.items():
            np.testing.assert_array_equal(_plain(array), before[slot])
        held.release()
        grad = (_VALUE[:2] if op_type.is_sparse else _VALUE) - np.float32(1)
        part = {slot: value[: len(grad)].copy() for slot, value in expected.items()}
        numbers = {"global_step": np.int64(2), "lr_power": np.float32(-0.5)}
        scalars = {scalar: numbers.get(scalar, np.float32(0.5)) for scalar in rule.scalars}
        values = part | scalars | {rule.gradient: grad}
        flags = {flag: step.get_attr(flag) for flag in op_type.flag_names}
        rule.update(*[values[name] for name in rule.names], **flags)
        for slot, variable in variables.items():
            expected[slot][: len(grad)] = part[slot]
            np.testing.assert_allclose(session.run(variable), expected[slot], rtol=1e-5)

    return run


def _plain(array: Any) -> Any:
    return array.get() if hasattr(array, "get") else array


for _name in op_type_names():
    if hasattr(get_op_type(_name), "rule"):
        SCENARIOS[_name] = _step(_name)
