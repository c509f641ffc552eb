"""The steps of Examples/search by onnxruntime, tokenizers and numpy: search.py MODEL TOKENIZER TEXT QUESTION prints the
best three verses as JSON."""

import json
import re
import sys

import numpy
import onnxruntime
import tokenizers

BATCH, BEST = 16, 3

model, tokenizer, text, question = sys.argv[1:]
tokenizer = tokenizers.Tokenizer.from_file(tokenizer)
tokenizer.enable_padding()
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def embed(texts):
    """Rows of length one: the mean of the tokens that count."""
    encodings = tokenizer.encode_batch(texts)
    ids, mask, kinds = (
        numpy.array([getattr(one, name) for one in encodings], "int64") for name in ("ids", "attention_mask", "type_ids"))
    hidden = session.run(["last_hidden_state"], {"input_ids": ids, "attention_mask": mask, "token_type_ids": kinds})[0]
    counted = mask.astype("float32")[:, :, None]
    sums = (hidden * counted).sum(axis=1) / counted.sum(axis=1)
    return sums / numpy.linalg.norm(sums, axis=1, keepdims=True)


with open(text, encoding="utf-8") as file:
    verses = re.findall(r"(\S+) ([^\n]+)", file.read())
order = sorted(range(len(verses)), key=lambda i: len(verses[i][1]))
vectors = numpy.empty((len(verses), 384), "float32")
for start in range(0, len(order), BATCH):
    some = order[start:start + BATCH]
    vectors[some] = embed([verses[i][1] for i in some])
scores = vectors @ embed([question])[0]
best = numpy.argsort(-scores, kind="stable")[:BEST]
json.dump([{"place": verses[i][0], "score": float(scores[i]), "text": verses[i][1]} for i in best], sys.stdout)
