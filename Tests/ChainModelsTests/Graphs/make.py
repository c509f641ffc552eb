"""Makes the small graphs beside it that the tests run; it needs the packages of scripts/minilm/requirements.txt.

add.onnx    Y = A + B, rows of one width
fill.onnx   Y is `count` ones: as many as memory can hold, and more
opset.onnx  asks for operators of a version that no engine has
pick.onnx   Y takes from four numbers by their places: a place that is not there fails the run
turns.onnx  Y is X after so many turns of a loop: a run as long as one likes, of small nodes
"""

import pathlib

from onnx import TensorProto, helper, save

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def value(name, element, *shape):
    return helper.make_tensor_value_info(name, element, shape)


def graph(name, nodes, inputs, outputs, constants=(), opset=17):
    model = helper.make_model(
        helper.make_graph(nodes, name, inputs, outputs, list(constants)),
        opset_imports=[helper.make_opsetid("", opset)], ir_version=8, producer_name="chainrun")
    save(model, pathlib.Path(__file__).with_name(f"{name}.onnx"))


graph(
    "add", [helper.make_node("Add", ["A", "B"], ["Y"])],
    [value("A", FLOAT, "batch", "width"), value("B", FLOAT, "batch", "width")], [value("Y", FLOAT, "batch", "width")])
one = helper.make_tensor("one", FLOAT, [1], [1.0])
graph("fill", [helper.make_node("ConstantOfShape", ["count"], ["Y"], value=one)], [value("count", INT64, 1)], [value("Y", FLOAT, "n")])
graph("opset", [helper.make_node("Add", ["X", "X"], ["Y"])], [value("X", FLOAT, 1)], [value("Y", FLOAT, 1)], opset=999)
table = helper.make_tensor("table", FLOAT, [4], [10.0, 20.0, 30.0, 40.0])
graph(
    "pick", [helper.make_node("Gather", ["table", "at"], ["Y"])], [value("at", INT64, "batch", "n")],
    [value("Y", FLOAT, "batch", "n")], [table])
body = helper.make_graph(
    [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Sin", ["x"], ["sine"])], "turn",
    [value("turn", INT64), value("go", BOOL), value("x", FLOAT, "width")], [value("go_on", BOOL), value("sine", FLOAT, "width")])
graph(
    "turns", [helper.make_node("Loop", ["turns", "", "X"], ["Y"], body=body)],
    [value("turns", INT64, 1), value("X", FLOAT, "width")], [value("Y", FLOAT, "width")])
