"""A client of emmylua_ls: opens the files of a folder, says what is wrong in them and what completes where."""

import json
import os
import pathlib
import subprocess
import threading

SECONDS = 120  # for all that one server does, on a loaded machine


class Server:
    def __init__(self, program, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.process = subprocess.Popen(
            # Without a log and a folder of resources nothing is written outside the folder of the test.
            [program, "--log-path", "none", "--resources-path", "none"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.late = threading.Timer(SECONDS, self.process.kill)
        self.late.daemon = True
        self.late.start()
        self.requests = 0
        self.versions = {}
        self.is_ready = False
        uri = self.folder.as_uri()
        self.ask("initialize", {
            "processId": os.getpid(), "rootUri": uri, "workspaceFolders": [{"uri": uri, "name": "graph"}],
            "capabilities": {
                "window": {"workDoneProgress": True}, "workspace": {"configuration": True, "workspaceFolders": True},
                "textDocument": {"diagnostic": {}, "completion": {"completionItem": {}}}}})
        self.send({"method": "initialized", "params": {}})
        # What is asked before the files are indexed is answered without them.
        while not self.is_ready:
            self.serve(self.receive())

    def end(self):
        self.late.cancel()
        self.process.kill()
        self.process.wait()

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self):
        length = None
        while line := self.process.stdout.readline().strip():
            name, value = line.split(b":", 1)
            if name.lower() == b"content-length":
                length = int(value)
        if length is None:
            raise EOFError(f"the language server ended or took longer than {SECONDS} s")
        return json.loads(self.process.stdout.read(length))

    def serve(self, message):
        """What the server tells and asks on its own."""
        if message.get("method") == "$/progress" and message["params"]["value"]["kind"] == "end":
            self.is_ready = True
        if "method" in message and "id" in message:
            items = message.get("params", {}).get("items", []) if message["method"] == "workspace/configuration" else None
            self.send({"id": message["id"], "result": None if items is None else [None for _ in items]})

    def ask(self, method, parameters):
        self.requests += 1
        own = self.requests
        self.send({"id": own, "method": method, "params": parameters})
        while True:
            message = self.receive()
            if "method" not in message and message.get("id") == own:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.serve(message)

    def uri(self, file):
        return (self.folder / file).as_uri()

    def show(self, file, text):
        """Opens a file, or changes it in the editor."""
        self.versions[file] = version = self.versions.get(file, 0) + 1
        if version == 1:
            document = {"uri": self.uri(file), "languageId": "lua", "version": version, "text": text}
            self.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        else:
            document = {"uri": self.uri(file), "version": version}
            self.send({"method": "textDocument/didChange", "params": {"textDocument": document, "contentChanges": [{"text": text}]}})

    def problems(self, file):
        """Errors and warnings: line, code, message."""
        report = self.ask("textDocument/diagnostic", {"textDocument": {"uri": self.uri(file)}})
        return sorted(
            (item["range"]["start"]["line"] + 1, str(item.get("code", "")), item["message"])
            for item in report.get("items", []) if item.get("severity", 1) <= 2)

    def completions(self, file, line, column):
        result = self.ask("textDocument/completion", {
            "textDocument": {"uri": self.uri(file)}, "position": {"line": line - 1, "character": column},
            "context": {"triggerKind": 1}})
        items = result.get("items", []) if isinstance(result, dict) else result or []
        # A method is shown with its parameters, a field of a table as `name = name,`, an optional one with a question mark.
        return {item["label"].split("(")[0].split(" = ")[0].rstrip("?") for item in items}

    def hover(self, file, line, column):
        result = self.ask("textDocument/hover", {
            "textDocument": {"uri": self.uri(file)}, "position": {"line": line - 1, "character": column}})
        return json.dumps(result["contents"] if result else None)
