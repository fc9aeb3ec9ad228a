"""Runs MiniStack in this process, with five of its answers brought nearer to AWS's.

Each correction is here because a test of the deployed stack needs it; README.md says what MiniStack does by
itself. A new version of MiniStack may make one needless: delete it then. What a correction takes hold of is
looked up by name, so that a version in which it has moved fails at start, and not by a wrong answer.

Environment: GATEWAY_PORT (required) and MiniStack's own variables. It listens on 127.0.0.1 only.
"""

import contextvars
import functools
import gzip
import os
import threading
import uuid
from datetime import datetime, timezone

HOST = "127.0.0.1"


def prepare_environment() -> str:
    """What MiniStack reads when it is imported. Returns the endpoint."""
    endpoint = f"http://{HOST}:{os.environ['GATEWAY_PORT']}"
    os.environ.update(BIND_HOST=HOST, MINISTACK_HOST=HOST, IOT_MTLS_ENABLED="0", SFTP_ENABLED="0")
    # MiniStack gives functions its own AWS_ENDPOINT_URL, if it has one.
    os.environ["AWS_ENDPOINT_URL"] = endpoint
    return endpoint


def let_a_function_name_its_endpoint(lambda_svc) -> None:
    """On AWS what stands in a function's environment is what it gets. MiniStack overwrites AWS_ENDPOINT_URL,
    so that no function could be sent through a proxy that fails on purpose."""
    inner = lambda_svc._provided_worker_env

    @functools.wraps(inner)
    def worker_env(config, *args, **kwargs):
        env = inner(config, *args, **kwargs)
        own = lambda_svc._runtime_env_vars(config).get("AWS_ENDPOINT_URL")
        return {**env, "AWS_ENDPOINT_URL": own} if own else env

    lambda_svc._provided_worker_env = worker_env


def send_failed_batches_again(lambda_svc) -> None:
    """A partial failure of a stream's batch means that AWS sends the records again from the first failed one.
    MiniStack takes it for success, and what failed is lost. Here the whole batch comes again: more than AWS
    sends, never less."""
    polling = threading.local()
    execute = lambda_svc._execute_function

    @functools.wraps(execute)
    def execute_function(*args, **kwargs):
        result = execute(*args, **kwargs)
        body = result.get("body")
        failures = body.get("batchItemFailures") if isinstance(body, dict) else None
        if getattr(polling, "stream", False) and failures and not result.get("error"):
            message = f"{len(failures)} record(s) reported in batchItemFailures"
            return {**result, "error": True, "body": {"errorType": "BatchItemFailures", "errorMessage": message}}
        return result

    def marked(poll):
        @functools.wraps(poll)
        def inner():
            polling.stream = True
            try:
                return poll()
            finally:
                polling.stream = False

        return inner

    lambda_svc._execute_function = execute_function
    lambda_svc._poll_kinesis = marked(lambda_svc._poll_kinesis)
    lambda_svc._poll_dynamodb_streams = marked(lambda_svc._poll_dynamodb_streams)


def compress_what_firehose_delivers(firehose) -> None:
    """CompressionFormat GZIP is accepted by MiniStack, and then plain text is written."""
    zipped = contextvars.ContextVar("zipped", default=False)
    deliver, put = firehose._deliver_to_s3, firehose._put_s3_object

    @functools.wraps(deliver)
    def deliver_to_s3(stream, dest, *args, **kwargs):
        token = zipped.set(dest["config"].get("CompressionFormat") == "GZIP")
        try:
            return deliver(stream, dest, *args, **kwargs)
        finally:
            zipped.reset(token)

    @functools.wraps(put)
    def put_s3_object(bucket, key, body):
        return put(bucket, key, gzip.compress(body) if zipped.get() else body)

    firehose._deliver_to_s3 = deliver_to_s3
    firehose._put_s3_object = put_s3_object


def say_when_a_schedule_was_due(eventbridge) -> None:
    """Scheduler puts the time in place of <aws.scheduler.scheduled-time>; MiniStack passes the words on. It
    fires within a second or so of the time that was due, and that is the time given here."""
    invoke = eventbridge._invoke_target

    @functools.wraps(invoke)
    def invoke_target(target, event, *args, **kwargs):
        given = target.get("Input")
        if event.get("Source") == "aws.scheduler" and given:
            at = datetime.fromtimestamp(int(event["Time"]), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            target = {**target, "Input": given.replace("<aws.scheduler.scheduled-time>", at)}
        return invoke(target, event, *args, **kwargs)

    eventbridge._invoke_target = invoke_target


def keep_saved_queries(provisioners) -> None:
    """MiniStack refuses a template with a saved query of Logs Insights, as a type that it does not know. Nobody asks
    the emulator for them: they get an id, and that is all."""

    def create(_logical_id, _props, _stack_name):
        query = str(uuid.uuid4())
        return query, {"QueryDefinitionId": query}

    def update(physical_id, _old_props, _new_props, _stack_name):
        return physical_id, {"QueryDefinitionId": physical_id}

    def delete(_physical_id, _props):
        pass

    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::Logs::QueryDefinition"] = {"create": create, "update": update, "delete": delete}


def main() -> None:
    prepare_environment()
    from ministack import app
    from ministack.services import eventbridge, firehose, lambda_svc
    from ministack.services.cloudformation import provisioners

    let_a_function_name_its_endpoint(lambda_svc)
    send_failed_batches_again(lambda_svc)
    compress_what_firehose_delivers(firehose)
    say_when_a_schedule_was_due(eventbridge)
    keep_saved_queries(provisioners)
    app.main()


if __name__ == "__main__":
    main()
