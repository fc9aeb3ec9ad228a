"""Tables in a bucket: S3, or a store that answers like it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import duckdb

from stoop_lake.duck import extension, literal
from stoop_lake.errors import LakeError

SCHEME = "s3://"


def is_bucket(place: str) -> bool:
    """Whether a place is in a bucket, and not a folder."""
    return place.startswith(SCHEME)


def endpoint() -> str | None:
    """The endpoint, if it is not AWS's own."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None


def storage_options() -> dict[str, str]:
    """What deltalake needs beside the variables that it reads itself."""
    http = {"AWS_ALLOW_HTTP": "true"} if (endpoint() or "").startswith("http://") else {}
    return {"AWS_REGION": region(), **http}


def region() -> str:
    """The region of the bucket."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def let_in(connection: duckdb.DuckDBPyConnection) -> None:
    """Gives a connection the credentials, region and endpoint that the environment names."""
    connection.execute(f"load '{extension('httpfs')}'")
    parts = ", ".join(f"{name} {literal(value)}" for name, value in _secret())
    connection.execute(f"create or replace secret stoop_lake (type s3, {parts})")


def names(connection: duckdb.DuckDBPyConnection, place: str) -> list[str]:
    """The tables below a place: folders with a log."""
    # A log loses its oldest versions after a year, never its checkpoints' pointer; a young one has only versions.
    globs = [f"{place}/*/_delta_log/_last_checkpoint", f"{place}/*/_delta_log/00000000000000000000.json"]
    try:
        rows = [row for glob in globs for row in connection.execute(f"from glob({literal(glob)})").fetchall()]
    except duckdb.Error as error:
        raise LakeError(f"{place} cannot be listed: {str(error).splitlines()[0]}") from error
    return sorted({str(path)[len(place) + 1 :].split("/")[0] for (path,) in rows})


def _secret() -> Iterator[tuple[str, str]]:
    required = {"key_id": "AWS_ACCESS_KEY_ID", "secret": "AWS_SECRET_ACCESS_KEY"}
    lacking = [variable for variable in required.values() if not os.environ.get(variable)]
    if lacking:
        raise LakeError(
            f"a bucket needs {' and '.join(lacking)} in the environment;"
            ' eval "$(aws configure export-credentials --format env)" sets them'
        )
    for name, variable in required.items():
        yield name, os.environ[variable]
    if token := os.environ.get("AWS_SESSION_TOKEN"):
        yield "session_token", token
    yield "region", region()
    if url := endpoint():
        parts = urlsplit(url)
        yield "endpoint", parts.netloc
        yield "url_style", "path"
        yield "use_ssl", "false" if parts.scheme == "http" else "true"
