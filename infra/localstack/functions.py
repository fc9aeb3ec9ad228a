"""Runs LocalStack's Lambda functions as processes of this machine, instead of containers.

An execution environment is the Lambda runtime API on a loopback port (GET next, POST response or error) and
one `bootstrap` process that uses it. LocalStack decides when there is one, how many, and what it is called with.
"""

import json
import os
import subprocess
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from localstack import config
from localstack.services.lambda_.invocation import plugins
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

HOST = "127.0.0.1"
START_SECONDS = 30
# How long the lines of a call may take from the pipe into its log after the response.
LOG_SECONDS = 0.01


def error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


class Call:
    """One invocation, from LocalStack's request to the function's answer: (payload, is_error)."""

    def __init__(self, request: dict, seconds: int):
        self.id = request["invoke-id"]
        self.deadline_ms = int((time.time() + seconds) * 1000)
        self.arn = request.get("invoked-function-arn") or ""
        self.trace = request.get("trace-id") or ""
        payload = request["payload"]
        self.payload = payload.encode() if isinstance(payload, str) else json.dumps(payload).encode()
        self.answer: Future = Future()

    def headers(self) -> dict:
        return {
            "Lambda-Runtime-Aws-Request-Id": self.id,
            "Lambda-Runtime-Deadline-Ms": str(self.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.arn,
            "Lambda-Runtime-Trace-Id": self.trace,
        }

    def finish(self, payload: bytes, is_error: bool) -> None:
        if not self.answer.done():
            self.answer.set_result((payload, is_error))


class RuntimeApi(BaseHTTPRequestHandler):
    """The runtime API for the function's process. `self.server.slot` is its execution environment."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def reply(self, status: int, body: bytes, headers: dict | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if not self.path.endswith("/runtime/invocation/next"):
            return self.reply(404, b"{}")
        call = self.server.slot.next()
        self.reply(200, call.payload, call.headers())

    def do_POST(self):
        body, parts, slot = self.body(), self.path.strip("/").split("/"), self.server.slot
        if parts[1:] == ["runtime", "init", "error"]:
            slot.could_not_start(body)
        elif parts[1:3] == ["runtime", "invocation"] and parts[-1] in ("response", "error"):
            call = slot.call
            if call is None or call.id != parts[3]:
                return self.reply(400, error("InvalidRequestID", f"{parts[3]} is not the call in hand"))
            call.finish(body, parts[-1] == "error")
        else:
            return self.reply(404, b"{}")
        self.reply(202, b"{}")


class Slot:
    """One execution environment: a `bootstrap` process, its runtime API and its log lines."""

    def __init__(self, code: str, variables: dict):
        self.call: Call | None = None
        self.started: Future = Future()
        self.lines: list[str] = []
        self.waiting = threading.Condition()
        self.offered: Call | None = None
        self.server = ThreadingHTTPServer((HOST, 0), RuntimeApi)
        self.server.daemon_threads = True
        self.server.slot = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        own = {name: str(value) for name, value in variables.items()}
        own |= {"AWS_LAMBDA_RUNTIME_API": f"{HOST}:{self.server.server_port}", "LAMBDA_TASK_ROOT": code}
        # Only the variables that any process needs, none of this process's own.
        base = {"PATH": os.environ.get("PATH", ""), "LANG": "en_US.UTF-8"}
        bootstrap = os.path.join(code, "bootstrap")
        os.chmod(bootstrap, 0o755)
        self.process = subprocess.Popen(
            [bootstrap], cwd=code, env=base | own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.decode("utf-8", "replace"))
        status = self.process.wait()
        ended = error("Runtime.ExitError", f"the function's process ended: exit status {status}")
        self.could_not_start(ended)
        if call := self.call:
            call.finish(ended, True)

    def could_not_start(self, body: bytes) -> None:
        if not self.started.done():
            self.started.set_exception(StatusErrorException("the function did not start", payload=body))

    def next(self) -> Call:
        """Blocks until there is a call. The function asks for one when it is ready."""
        if not self.started.done():
            self.started.set_result(None)
        with self.waiting:
            while self.offered is None:
                self.waiting.wait()
            call, self.offered = self.offered, None
        return call

    def run(self, call: Call, seconds: int) -> tuple[bytes, bool]:
        with self.waiting:
            self.call = self.offered = call
            self.waiting.notify()
        if self.process.poll() is not None:
            call.finish(error("Runtime.ExitError", "the function's process has ended"), True)
        try:
            return call.answer.result(seconds)
        except FutureTimeout:
            self.stop()
            return error("Sandbox.Timedout", f"RequestId: {call.id} Error: Task timed out after {seconds:.2f} seconds"), True
        finally:
            self.call = None

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.server.shutdown()
        self.server.server_close()


class ProcessExecutor(RuntimeExecutor):
    """LocalStack's port for execution environments."""

    def start(self, env_vars: dict) -> None:
        code = str(self.function_version.config.code.get_unzipped_code_location())
        self.slot = Slot(code, env_vars)
        self.slot.started.result(START_SECONDS)

    def stop(self) -> None:
        if slot := getattr(self, "slot", None):
            slot.stop()

    def invoke(self, payload: dict) -> InvocationResult:
        seconds, begin = self.function_version.config.timeout, len(self.slot.lines)
        call = Call(payload, seconds)
        body, is_error = self.slot.run(call, seconds)
        time.sleep(LOG_SECONDS)
        start = f"START RequestId: {call.id} Version: {self.function_version.id.qualifier}\n"
        logs = start + "".join(self.slot.lines[begin:]) + f"END RequestId: {call.id}\n"
        return InvocationResult(call.id, body, is_error=is_error, logs=logs)

    def get_logs(self) -> str:
        slot = getattr(self, "slot", None)
        return "".join(slot.lines) if slot else ""

    def get_address(self) -> str:
        return HOST

    def get_endpoint_from_executor(self) -> str:
        return HOST

    def get_runtime_endpoint(self) -> str:
        return f"http://{HOST}:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    @classmethod
    def prepare_version(cls, function_version) -> None:
        if code := function_version.config.code:
            code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version) -> None:
        """Does nothing: the code is in the temporary folder, and is deleted with it."""


def install() -> None:
    plugins.DockerRuntimeExecutorPlugin.load = lambda self, *_, **__: ProcessExecutor
