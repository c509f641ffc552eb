"""Runs a model by Python's onnxruntime: a JSON object of inputs by name comes in, one of outputs goes out."""
import json
import sys

import numpy
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
given = json.load(sys.stdin)
inputs = {name: numpy.array(one["data"], dtype=one["dtype"]).reshape(one["shape"]) for name, one in given.items()}
outputs = session.run(None, inputs)
json.dump(
    {one.name: {"shape": list(value.shape), "data": value.astype("float64").ravel().tolist()} for one, value in zip(session.get_outputs(), outputs)},
    sys.stdout)
