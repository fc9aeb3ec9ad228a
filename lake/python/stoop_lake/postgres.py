"""A PostgreSQL server of our own on a free loopback port, and the star schema in it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from stoop_lake.duck import literal
from stoop_lake.errors import LakeError

# What initdb refuses to run as.
ROOT = 0
UNPRIVILEGED = ("postgres", "nobody")
# Bounds, far above what a busy machine takes.
START_SECONDS_MAX = 600
STATEMENT_SECONDS_MAX = 1_800


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    psql: Path

    def run(self, sql: str, **io: object) -> str:
        """Runs statements and returns the rows, with columns between bars."""
        command = [self.psql, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--username", "stoop", "--dbname", "star"]
        env = {"PGTZ": "UTC", "PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [*command, *where, "--command", sql],
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=STATEMENT_SECONDS_MAX,
            **io,
        )  # type: ignore[call-overload]
        if done.returncode != 0:
            raise LakeError(f"PostgreSQL: {done.stderr.strip()}\n{sql[:2000]}")
        return str(done.stdout)


def programs() -> Path | None:
    """The folder of Debian's newest PostgreSQL, or that of `initdb` in PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = debian[-1] if debian else shutil.which("initdb")
    return Path(found).parent if found else None


@contextmanager
def server() -> Iterator[Server]:
    """Starts a server with an empty database `star`, and stops it again."""
    folder = programs()
    if folder is None:
        raise LakeError("no PostgreSQL; on Debian: apt-get install postgresql")
    with tempfile.TemporaryDirectory(prefix="stoop-postgres-") as made:
        base = Path(made)
        user = _user(base)
        data = base / "data"
        _run(
            [
                folder / "initdb",
                "--pgdata",
                data,
                "--username",
                "stoop",
                "--auth",
                "trust",
                "--no-sync",
                "--encoding",
                "UTF8",
                "--locale",
                "C",
            ],
            user,
        )
        port = _free_port()
        log = (base / "log").open("wb")
        # Nothing here must survive a crash; only loopback, no socket in a shared folder.
        options = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        process = subprocess.Popen(
            [folder / "postgres", "-D", data, "-p", str(port), *options], user=user, stdout=log, stderr=log, cwd=base
        )
        try:
            _wait(process, port, base / "log")
            running = Server(port, folder / "psql")
            _run([folder / "createdb", "--host", "127.0.0.1", "--port", str(port), "--username", "stoop", "star"], user)
            yield running
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=START_SECONDS_MAX)
            log.close()


def copy(star: duckdb.DuckDBPyConnection, relations: dict[str, str], to: Server) -> dict[str, int]:
    """Copies relations (name to where DuckDB has it) into the server; returns their rows."""
    rows: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="stoop-copy-") as made:
        for name, origin in relations.items():
            schema = name.split(".")[0]
            columns = [(row[0], _type(row[1])) for row in star.execute(f"describe select * from {origin}").fetchall()]
            kept = [(column, kind) for column, kind in columns if kind is not None]
            file = Path(made) / "rows.csv"
            names = ", ".join(f'"{column}"' for column, _ in kept)
            star.execute(
                f"copy (select {names} from {origin}) to {literal(str(file))} (format csv, header, nullstr '\\N')"
            )
            definition = ", ".join(f'"{column}" {kind}' for column, kind in kept)
            to.run(f"create schema if not exists {schema}; create table {name} ({definition})")
            with file.open() as content:
                to.run(f"copy {name} ({names}) from stdin (format csv, header, null '\\N')", stdin=content)
            rows[name] = int(to.run(f"select count(*) from {name}"))
    return rows


def _type(duck: str) -> str | None:
    """PostgreSQL's name of a type; None for lists, which no test reads."""
    if duck.endswith("[]"):
        return None
    if duck.startswith("DECIMAL"):
        return duck.replace("DECIMAL", "numeric")
    return {
        "BIGINT": "bigint",
        "BLOB": "bytea",
        "BOOLEAN": "boolean",
        "DATE": "date",
        "DOUBLE": "double precision",
        "HUGEINT": "numeric",
        "INTEGER": "integer",
        "TIMESTAMP": "timestamp",
        "TIMESTAMP WITH TIME ZONE": "timestamptz",
        "VARCHAR": "text",
    }[duck]


def _user(base: Path) -> int | None:
    """The user to run the server as: not root, who may hand the folder over."""
    if os.getuid() != ROOT:
        return None
    for name in UNPRIVILEGED:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(base, user.pw_uid, user.pw_gid)
        return user.pw_uid
    raise LakeError(f"PostgreSQL does not run as root, and there is none of the users {', '.join(UNPRIVILEGED)}")


def _run(command: list[object], user: int | None) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        user=user,
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS_MAX,
        cwd="/",
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
    )
    if done.returncode != 0:
        raise LakeError(f"{command[0]}: {done.stderr.strip()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < until:
        if process.poll() is not None:
            raise LakeError(f"PostgreSQL stopped: {log.read_text()[-2000:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise LakeError(f"PostgreSQL did not start in {START_SECONDS_MAX} s: {log.read_text()[-2000:]}")
