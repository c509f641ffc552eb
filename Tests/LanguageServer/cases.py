"""Checks what emmylua_ls says about a folder with the annotations that `chainrun types` writes, before and after edits.

    cases.py SERVER CHAINRUN FOLDER WORK    prints each difference from what is expected, and ends with 1 if there is one
"""

import os
import shutil
import subprocess
import sys

import client

# An edit that makes a mistake: the text, what replaces it, and a part of what the server says about its line.
MISTAKES = {
    "hello": [
        ("{ name = name }", "{ nmae = name }", "`name`"),
        ("{ name = name }", "{ name = 7 }", "integer"),
        ("{ name = name }", "{}", "`name`"),
        ("self.say_hello {", "self.say_helo {", "say_helo"),
        ("self.say_hello {", "self:say_hello {", "chainlet.SayHello.input"),
        ("req.names", "req.nmaes", "nmaes"),
        ('return "Hello, " .. req.name', "return 7", "string"),
        ('return "Hello, " .. req.name', "return nil", "string"),
        ('return "Hello, " .. req.name', "return", "return"),
        ('return table.concat(lines, "\\n")', "return lines", "string[]"),
        ("chain.map(", "chain.mpa(", "mpa"),
        ("t.list(t.string)", "t.lits(t.string)", "lits"),
        ("self.say_hello { name = name }", 'self.say_hello({ name = name }, { timeout = "x" })', "chain.CallOptions"),
    ],
    "reuse": [
        ("super.run(self, req)", "super.run(self, 7)", "chainlet.Polite.input"),
        ("Loud.super.run", "Loud.super.rnu", "rnu"),
        ('require "shared.greeter"', 'require "shared.greter"', "shared.greter"),
    ],
    "stream": [
        ("emit(word)", "emit(7)", "chainlet.Words.item"),
        ("emit(word:upper())", "emit({})", "chainlet.Upper.item"),
        ('emit(word .. "!")', "emit(#word)", "chainlet.Shout.item"),
        ("  return count\n", '  return "x"\n', "integer"),
        ("self.words { text = req.text } }", "self.words { text = 7 } }", "integer"),
        ("self.upper { words = self", "self.upper { word = self", "`words`"),
        ("stream:result()", "stream:results()", "results"),
        ("longest = longest, words", "longst = longest, words", "longest"),
        ("words = stream:result()", "words = stream:result() .. '!'", "string"),
    ],
    "wordcount": [
        ("self.count_words { text", "self.count_words { txt", "`text`"),
        ("counts = total, top = req.top }", "counts = total }", "`top`"),
        ("counts = total, top = req.top }", "counts = 7, top = req.top }", "integer"),
        ("self.rank_words { counts = total, top = req.top }", 'self.count_words { text = "x" }', "Cannot assign"),
        ("return counts\n", 'return "x"\n', "string"),
        ("return { words = words, distinct", 'return { words = "x", distinct', "integer"),
        ("return { words = words, distinct = distinct,", "return { words = words,", "distinct"),
        ("self:pieces(", "self:piecse(", "piecse"),
        ("req.piece)", "req.piecee)", "piecee"),
        ("{ limit = 16 }", '{ limit = "x" }', "chain.MapOptions"),
    ],
    "search": [
        ("tokenizer:encode(req.text)", "tokenizer:encod(req.text)", "encod"),
        ("tokenizer:encode(req.text)", "tokenizer:encode(7)", "string"),
        ("tokenizer:encode(req.text)", 'tokenizer:encode(req.text, { max = "x" })', "chain.EncodeOptions"),
        ("tokens.attention_mask", "tokens.attention_msk", "attention_msk"),
        ("meanings:mean_pool", "meanings:mean_pol", "mean_pol"),
        ("self.embed { text = verse", "self.embed { txt = verse", "`text`"),
        ("tensor.stack(vectors)", "tensor.stak(vectors)", "stak"),
        ("self.known:fetch(req.text", "self.known:fecth(req.text", "fecth"),
        ("index.vectors:matmul", "index.vectors:matmull", "matmull"),
        ("index.verses[positions", "index.vreses[positions", "vreses"),
    ],
    "all-kinds": [
        ("text.chunks(req.text, { size", "text.chunks(req.text, { sise", "size"),
        ("text.sentences(req.text)", "text.sentences(7)", "string"),
        ("text.words(req.text)", "text.wrods(req.text)", "wrods"),
        ("tensor.zeros({ 2, 3 })", 'tensor.zeros("x")', "integer[]"),
        ("mean.dtype", "mean.dtpye", "dtpye"),
        ("self.words:count(req.text)", "self.words:cuont(req.text)", "cuont"),
        ("self.streams.tick()", "self.streams.tcik()", "tcik"),
        ("self.wide({ width = 3 }", "self.wide({ width = {} }", "integer"),
        ("item.n + 1", "item.m + 1", "`m`"),
        ("wide.text:upper()", "wide.txt:upper()", "txt"),
        ("json.decode(", "json.deocde(", "deocde"),
        ("self.secrets.API_KEY", "self.secrets.API_KYE", "API_KYE"),
    ],
}

# An edit with the cursor at `|`, what must be among the completions, and what must not.
HOOKS = {"init", "run", "save", "restore", "close"}
COMPLETIONS = {
    "hello": [
        ("self.say_hello { name = name }", "self.|", {"say_hello"} | HOOKS, {"name", "names"}),
        ("self.say_hello { name = name }", "self.s|", {"say_hello"}, {"names"}),
        ("req.names", "req.|", {"names"}, {"name", "say_hello"}),
        ("self.say_hello { name = name }", "self.say_hello { | }", {"name"}, {"names"}),
        ("self.say_hello { name = name }", "self.say_hello({ name = name }, { | })", {"timeout", "retries"}, {"name"}),
        ("chain.map(", "chain.|(", {"map", "each", "settle", "all", "race", "async", "stream", "try"}, set()),
        ("t.list(t.string)", "t.|(t.string)", {"string", "list", "record", "stream", "optional"}, set()),
        ("input  = { names", "| = { names", {"input", "output", "needs", "limits"}, set()),
    ],
    "reuse": [
        ('return "Good day"', "return self:|", {"greeting"} | HOOKS, set()),
        ('return "Good day"', "return self.|", {"greeting", "super"}, set()),
        ("Loud.super.run", "Loud.super.|", {"greeting", "run"}, set()),
    ],
    "stream": [("stream:result()", "stream:|", {"result", "close"}, set())],
    "wordcount": [
        ("self.count_words { text", "self.|", {"count_words", "rank_words", "pieces"}, {"text"}),
        ("self:pieces(", "self:|(", {"pieces"}, set()),
        ("req.piece)", "req.|)", {"text", "top", "piece"}, set()),
        ("{ counts = total, top = req.top }", "{ | }", {"counts", "top"}, {"text"}),
        ("{ counts = total, top = req.top }", "{ counts = total, | }", {"top"}, {"counts"}),
        ("{ limit = 16 }", "{ | }", {"limit"}, set()),
        ('{ memory = "256MB" }', "{ | }", {"memory", "cpu", "time", "depth"}, set()),
    ],
    "search": [
        ("self.tokenizer:encode(req", "self.|:encode(req", {"tokenizer", "encoder"}, {"text"}),
        ("tokenizer:encode(req.text)", "tokenizer:|(req.text)", {"encode", "decode", "count"}, {"mean_pool"}),
        ("tokens.attention_mask", "tokens.|", {"input_ids", "attention_mask", "token_type_ids"}, set()),
        ("meanings:mean_pool", "meanings:|", {"mean_pool", "normalize", "matmul"}, {"encode"}),
        ("tensor.stack(vectors)", "tensor.|(vectors)", {"stack", "concat", "zeros"}, set()),
        ("self.known:fetch(req.text", "self.known:|(req.text", {"fetch", "get", "set"}, set()),
    ],
    "all-kinds": [
        ("text.words(req.text)", "text.|(req.text)", {"words", "sentences", "chunks", "normalize"}, set()),
        ("{ size = 9, overlap = 3, tokenizer = self.words }", "{ size = 9, | }", {"tokenizer", "overlap"}, set()),
        ("mean.dtype", "mean.|", {"dtype", "shape", "rank"}, set()),
        ("a.place.x,", "a.place.|,", {"x", "y"}, set()),
        ('role = "user", roles', 'role = "|", roles', {"user", "assistant"}, set()),
        ("self.streams.tick()", "self.streams.|", {"tick", "sum"}, {"echo"}),
        ("item.n +", "item.| +", {"n"}, set()),
        ('address = { street = "s" }', "address = { | }", {"street", "number"}, set()),
        ("config.greeting ..", "config.greeting .. self.|", {"seen", "key", "mutex", "label", "secrets"}, set()),
    ],
}

# A place with the cursor at `|`, and a part of what the server shows there.
TYPES = {
    "hello": [("local |lines", "string[]"), ("self.|say_hello", "chainlet.SayHello.input"), ("function |SayHello:run", "chainlet.SayHello")],
    "stream": [("local |stream <close>", "chainlet.Words.stream"), ("for |word in stream", "chainlet.Words.item"), ("stream:|result", "chainlet.Words.result")],
    "wordcount": [("for _, |counts in ipairs(counted)", "table<string"), ("req.|piece)", "bytes of one piece")],
    "search": [
        ("local |tokens", "chain.Tokens"), ("self.|tokenizer:encode", "chain.Tokenizer"), ("self.|encoder(tokens)", "chain.Model"),
        ("local |meanings", "chain.Tensor"), ("self.|known:fetch", "chain.Store"),
    ],
    "all-kinds": [("local |parts", "string[]"), ("local |found", "string"), ("local |sum = self", "integer"), ("local |wide", "text: string")],
}


class Cases:
    def __init__(self, server, folder, name):
        self.server = server
        self.name = name
        self.failures = 0
        with open(os.path.join(folder, "graph.lua"), encoding="utf-8") as file:
            self.text = file.read()

    def fail(self, what):
        self.failures += 1
        print(f"{self.name}: {what}")

    def edited(self, old, new):
        if old not in self.text:
            sys.exit(f"{self.name}: the example no longer holds {old!r}")
        return self.text.replace(old, new, 1)

    def with_cursor(self, text):
        at = text.index("|")
        before = text[:at]
        return before + text[at + 1 :], before.count("\n") + 1, at - (before.rfind("\n") + 1)

    def correct(self, folder):
        for parent, _, names in os.walk(folder):
            for name in sorted(names):
                path = os.path.relpath(os.path.join(parent, name), folder)
                if not path.endswith(".lua"):
                    continue
                with open(os.path.join(parent, name), encoding="utf-8") as file:
                    self.server.show(path, file.read())
                for problem in self.server.problems(path):
                    self.fail(f"{path} is correct, and yet: {problem}")

    def mistakes(self):
        for old, new, expected in MISTAKES.get(self.name, []):
            self.server.show("graph.lua", self.edited(old, new))
            line = self.text[: self.text.index(old)].count("\n") + 1
            found = self.server.problems("graph.lua")
            if not any(place == line and expected in message for place, _, message in found):
                self.fail(f"line {line} with {new!r} should be marked with {expected!r}: {found}")
            if any(place != line for place, _, _ in found):
                self.fail(f"only line {line} with {new!r} is wrong: {found}")

    def completions(self):
        for old, new, wanted, unwanted in COMPLETIONS.get(self.name, []):
            text, line, column = self.with_cursor(self.edited(old, new))
            self.server.show("graph.lua", text)
            found = self.server.completions("graph.lua", line, column)
            if not wanted <= found or unwanted & found:
                self.fail(f"{new!r} completes with {sorted(found)}; missing {sorted(wanted - found)}, wrong {sorted(unwanted & found)}")

    def types(self):
        self.server.show("graph.lua", self.text)
        for place, expected in TYPES.get(self.name, []):
            _, line, column = self.with_cursor(self.edited(place.replace("|", ""), place))
            found = self.server.hover("graph.lua", line, column)
            if expected not in found:
                self.fail(f"at {place!r} it should show {expected!r}: {found}")


def main():
    program, chainrun, source, work = sys.argv[1:]
    name = os.path.basename(source)
    folder = os.path.join(work, name)
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".chainrun", ".emmyrc.json"))
    library = ["--lib", "shared=shared"] if os.path.isdir(os.path.join(folder, "shared")) else []
    subprocess.run([chainrun, "types", "graph.lua", *library], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    server = client.Server(program, folder)
    try:
        cases = Cases(server, folder, name)
        cases.correct(folder)
        cases.mistakes()
        cases.completions()
        cases.types()
    finally:
        server.end()
    sys.exit(1 if cases.failures else 0)


main()
