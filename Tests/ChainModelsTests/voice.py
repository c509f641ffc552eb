"""The segments of speech in a WAV file, by Python's onnxruntime: what Examples/voice_activity finds."""
import json
import sys
import wave

import numpy
import onnxruntime

RATE, WINDOW, CONTEXT, THRESHOLD = 16000, 512, 64, 0.5
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
with wave.open(sys.argv[2]) as file:
    assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
    audio = numpy.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype("float32") / 32768
count = len(audio)
audio = numpy.concatenate([numpy.zeros(CONTEXT, "float32"), audio, numpy.zeros(-count % WINDOW, "float32")])
state = numpy.zeros((2, 1, 128), "float32")
segments, begin, pause = [], None, None


def finish(end):
    global begin, pause
    if end - begin >= 0.25 * RATE:
        segments.append({"from": begin / RATE, "to": end / RATE})
    begin = pause = None


for start in range(0, count, WINDOW):
    window = audio[start:start + CONTEXT + WINDOW].reshape(1, -1)
    output, state = session.run(None, {"input": window, "state": state, "sr": numpy.array(RATE, "int64")})
    speech = float(output[0, 0])
    if speech >= THRESHOLD:
        begin, pause = start if begin is None else begin, None
    elif begin is not None and speech < THRESHOLD - 0.15:
        pause = start if pause is None else pause
        if start + WINDOW - pause >= 0.1 * RATE:
            finish(pause)
if begin is not None:
    finish(count if pause is None else pause)
json.dump(segments, sys.stdout)
