"""Runs LocalStack 4.12 in this process, without Docker, on loopback.

This machine runs what LocalStack would start in a container or download as a Java archive:
functions are processes (functions.py), and a MiniStack process keeps DynamoDB's tables behind
LocalStack's own provider, which keeps streams and mappings. README.md lists the other corrections.

    python host.py prepare    # downloads LocalStack's Kinesis with npm, once, into this virtual environment
    python host.py            # runs until SIGTERM or SIGINT

Environment: GATEWAY_LISTEN (default 127.0.0.1:4566), MINISTACK (path of the `ministack` program; otherwise found on
PATH), and LocalStack's own variables. Everything it writes goes below TMPDIR.
"""

import base64
import gzip
import importlib.abc
import importlib.util
import os
import re
import shutil
import sys
import tempfile
import threading
import time
import urllib.request
import uuid

HOST = "127.0.0.1"
# In the virtual environment: it belongs to this version of LocalStack, and all runs share it.
DOWNLOADS = os.path.join(sys.prefix, "localstack-downloads")
DYNAMODB_START_SECONDS = 60


def prepare_environment() -> str:
    """Sets the environment and makes the folders that LocalStack reads on import. Returns their root."""
    root = tempfile.mkdtemp(prefix="stoop-localstack-")
    os.makedirs(DOWNLOADS, exist_ok=True)
    os.makedirs(os.path.join(root, "var/lib/localstack"))
    os.symlink(DOWNLOADS, os.path.join(root, "var/lib/localstack/lib"))
    os.environ.setdefault("GATEWAY_LISTEN", f"{HOST}:4566")
    defaults = {
        "ACTIVATE_PRO": "0",
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        "FILESYSTEM_ROOT": root,
        "LAMBDA_IGNORE_ARCHITECTURE": "1",
        "LOCALSTACK_HOST": os.environ["GATEWAY_LISTEN"],
        # Inside another container LocalStack would claim all of it.
        "OVERRIDE_IN_DOCKER": "0",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        # The other strategies return queue URLs with host names that need DNS on the internet.
        "SQS_ENDPOINT_STRATEGY": "path",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    return root


class Postponed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module without evaluating its annotations: `threading.Lock | None` is an error before 3.13."""

    name = "localstack.packages.api"

    def find_spec(self, fullname, path, target=None):
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        origin = importlib.util.find_spec(fullname).origin
        return importlib.util.spec_from_file_location(fullname, origin, loader=self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        with open(module.__spec__.origin, encoding="utf-8") as file:
            source = "from __future__ import annotations\n" + file.read()
        exec(compile(source, module.__spec__.origin, "exec"), module.__dict__)


def tolerate_older_pythons() -> None:
    """LocalStack 4.12 is written for Python 3.13; two things keep it from running on 3.11."""
    if not isinstance(threading.Lock, type):
        sys.meta_path.insert(0, Postponed())
    if sys.version_info < (3, 12):
        by_text = uuid.uuid5
        # KMS makes key IDs from bytes, which uuid5 accepts since 3.12. Any one-to-one text works.
        uuid.uuid5 = lambda space, name: by_text(space, name.hex() if isinstance(name, bytes) else name)


def keep_tables_in_ministack() -> None:
    from localstack.services.dynamodb.server import DynamodbServer
    from localstack.utils.common import TMP_THREADS
    from localstack.utils.run import ShellCommandThread

    ministack = os.environ.get("MINISTACK") or shutil.which("ministack")
    if not ministack:
        raise SystemExit("localstack/host.py: MINISTACK is not set and no `ministack` is on PATH: it keeps the tables")

    def start(server):
        variables = {"GATEWAY_PORT": str(server.port), "BIND_HOST": HOST, "LOG_LEVEL": "WARNING", "IOT_MTLS_ENABLED": "0"}
        thread = ShellCommandThread([ministack], env_vars=variables, auto_restart=False, name="dynamodb")
        TMP_THREADS.append(thread)
        thread.start()
        deadline = time.monotonic() + DYNAMODB_START_SECONDS
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://{HOST}:{server.port}/_localstack/health", timeout=1).close()
                return thread
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{ministack} did not answer on port {server.port} within {DYNAMODB_START_SECONDS} s")

    DynamodbServer.do_start_thread = start


def deliver_as_firehose_does() -> None:
    """LocalStack writes plain text whatever CompressionFormat says, and leaves `!{timestamp:...}` in the key."""
    from localstack.services.firehose.provider import FirehoseProvider
    from localstack.utils.time import timestamp

    java = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H"}

    def evaluated(prefix: str) -> str:
        def time_of(match):
            return timestamp(format=re.sub("yyyy|MM|dd|HH", lambda word: java[word[0]], match[1]))

        return re.sub(r"!\{timestamp:([^}]*)\}", time_of, prefix)

    path, put = FirehoseProvider._get_s3_object_path, FirehoseProvider._put_records_to_s3_bucket

    def object_path(self, stream_name, prefix, file_extension):
        if "!{" not in prefix:
            return path(self, stream_name, prefix, file_extension)
        stamp = timestamp(format="%Y-%m-%d-%H-%M-%S")
        return f"{evaluated(prefix)}{stream_name}-1-{stamp}-{uuid.uuid4()}{file_extension}"

    def put_records(self, stream_name, records, s3_destination_description):
        if s3_destination_description.get("CompressionFormat") == "GZIP":
            data = b"".join(base64.b64decode(record.get("Data") or record.get("data")) for record in records)
            records = [{"Data": base64.b64encode(gzip.compress(data))}]
        return put(self, stream_name, records, s3_destination_description)

    FirehoseProvider._get_s3_object_path = object_path
    FirehoseProvider._put_records_to_s3_bucket = put_records


def update_stacks() -> None:
    """LocalStack can create our stack but not update it, for two reasons.

    It models a template twice, before SAM expands it and after. The first model is only used for the
    transforms, and never ends if an alarm on a function watches that function's deployment.

    After a change of a condition, `Fn::If` evaluates both branches before and after: it fails at an attribute of a
    resource that did not exist before or no longer exists, and skips deletions."""
    from localstack.services.cloudformation.engine.v2.change_set_model import ChangeSetModel, is_nothing
    from localstack.services.cloudformation.engine.v2.change_set_model_preproc import ChangeSetModelPreproc

    model, resolve = ChangeSetModel._model, ChangeSetModelPreproc._resolve_attribute

    def without_resources(template):
        if is_nothing(template) or "Transform" not in template:
            return template
        return {**template, "Resources": {}, "Outputs": {}}

    def modelled(self, before_template, after_template):
        return model(self, without_resources(before_template), without_resources(after_template))

    def is_there(self, resource):
        """The values before and after."""
        if is_nothing(resource.condition_reference):
            return True, True
        delta = self._resolve_resource_condition_reference(resource.condition_reference)
        return bool(delta.before), bool(delta.after)

    def resolved(self, arguments, select_before):
        name = (arguments.split(".") if isinstance(arguments, str) else arguments)[0]
        for resource in self._change_set.update_model.node_template.resources.resources:
            if resource.name == name and not is_there(self, resource)[0 if select_before else 1]:
                # In the branch that is not taken. Anywhere else it is a mistake, which cfn-lint finds.
                return ""
        return resolve(self, arguments, select_before)

    def visited(self, node_resources):
        for resource in node_resources.resources:
            if any(is_there(self, resource)):
                self.visit(resource)

    ChangeSetModel._model = modelled
    ChangeSetModelPreproc._resolve_attribute = resolved
    ChangeSetModelPreproc.visit_node_resources = visited


def download() -> None:
    from localstack.services.kinesis.packages import kinesismock_package

    if not shutil.which("npm"):
        raise SystemExit("localstack/host.py: no `npm` on PATH: LocalStack's Kinesis is a Node.js package")
    kinesismock_package.install()


def main() -> None:
    root = prepare_environment()
    tolerate_older_pythons()
    if sys.argv[1:] == ["prepare"]:
        try:
            return download()
        finally:
            shutil.rmtree(root)
    # Python's compiled files must not go into the project's folder.
    sys.dont_write_bytecode = True
    import functions

    functions.install()
    keep_tables_in_ministack()
    deliver_as_firehose_does()
    update_stacks()
    from localstack.runtime.main import main as run

    run()


if __name__ == "__main__":
    main()
