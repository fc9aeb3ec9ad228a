"""Runs MiniStack in this process, with five corrections towards AWS's behaviour.

A test of the deployed stack needs each correction; README.md describes MiniStack's own behaviour. Delete a
correction when a new version of MiniStack makes it needless. Each patches a function by name, so that a version
that moved it fails at start instead of giving wrong answers.

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
    """Sets the environment that MiniStack reads on import. Returns the endpoint."""
    endpoint = f"http://{HOST}:{os.environ['GATEWAY_PORT']}"
    os.environ.update(BIND_HOST=HOST, MINISTACK_HOST=HOST, IOT_MTLS_ENABLED="0", SFTP_ENABLED="0")
    # MiniStack passes its own AWS_ENDPOINT_URL to functions, if it has one.
    os.environ["AWS_ENDPOINT_URL"] = endpoint
    return endpoint


def let_a_function_name_its_endpoint(lambda_svc) -> None:
    """On AWS a function gets its configured environment. MiniStack overwrites AWS_ENDPOINT_URL, so that no function
    could use a proxy that fails on purpose."""
    inner = lambda_svc._provided_worker_env

    @functools.wraps(inner)
    def worker_env(config, *args, **kwargs):
        env = inner(config, *args, **kwargs)
        own = lambda_svc._runtime_env_vars(config).get("AWS_ENDPOINT_URL")
        return {**env, "AWS_ENDPOINT_URL": own} if own else env

    lambda_svc._provided_worker_env = worker_env


def send_failed_batches_again(lambda_svc) -> None:
    """After a partial failure of a stream's batch, AWS sends the records again from the first failed one. MiniStack
    treats it as success and loses the failed records. This sends the whole batch again: more than AWS, never less."""
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
    """MiniStack accepts CompressionFormat GZIP and writes plain text."""
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


def pass_the_due_time_of_schedules(eventbridge) -> None:
    """Scheduler replaces <aws.scheduler.scheduled-time> by the time; MiniStack does not. It fires within about a second
    of the due time, and this passes the due time."""
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
    """MiniStack refuses saved queries of Logs Insights as an unknown type. The tests do not use them, so each only gets
    an ID."""

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
    pass_the_due_time_of_schedules(eventbridge)
    keep_saved_queries(provisioners)
    app.main()


if __name__ == "__main__":
    main()
