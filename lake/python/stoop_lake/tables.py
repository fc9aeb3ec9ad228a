"""The tables of a folder, and their versions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from stoop_lake.bucket import is_bucket, let_in, names, storage_options
from stoop_lake.duck import connect, literal, quoted
from stoop_lake.errors import LakeError

DEFAULT = "stoop-data/tables"


@dataclass(frozen=True)
class Version:
    """A version of a table: what one commit made of it."""

    number: int
    committed_at: datetime
    operation: str
    rows_added: int | None


@dataclass(frozen=True)
class Moment:
    """Which version of each table to read: the newest, the one with a number, or the newest at a time."""

    number: int | None = None
    at: datetime | None = None

    @property
    def is_now(self) -> bool:
        """Whether this is the newest version."""
        return self.number is None and self.at is None

    def __str__(self) -> str:
        if self.at is not None:
            return f"as of {self.at:%Y-%m-%d %H:%M:%S} UTC"
        return "now" if self.number is None else str(self.number)


class Tables:
    """The Delta tables of a folder or bucket."""

    def __init__(self, place: str | Path | None = None) -> None:
        self.place = str(place or os.environ.get("STOOP_TABLES") or DEFAULT).rstrip("/")
        found = self._names_in_bucket() if is_bucket(self.place) else self._names_in_folder()
        if not found:
            raise LakeError(f"no Delta table in {self.place}; a table is a folder with a _delta_log")
        self.names: list[str] = found

    def _names_in_folder(self) -> list[str]:
        if not Path(self.place).is_dir():
            raise LakeError(f"no folder {self.place}; `stoop-lake ingest` makes it, --tables DIR names another one")
        return sorted(entry.parent.name for entry in Path(self.place).glob("*/_delta_log"))

    def _names_in_bucket(self) -> list[str]:
        with connect() as connection:
            let_in(connection)
            return names(connection, self.place)

    @property
    def folder(self) -> Path:
        """The folder, for what reads files."""
        if is_bucket(self.place):
            raise LakeError(f"this needs a folder, not {self.place}; LAKE.md says how to get one from a stack")
        return Path(self.place)

    def path(self, name: str) -> str:
        """Where a table is."""
        if name not in self.names:
            raise LakeError(f"no table {name} in {self.place}; there are {', '.join(self.names)}")
        return f"{self.place}/{name}"

    def versions(self, name: str) -> list[Version]:
        """The versions whose commits are still in the log, oldest first."""
        try:
            options = storage_options() if is_bucket(self.place) else None
            history = DeltaTable(self.path(name), storage_options=options).history()
        except DeltaError as error:
            raise LakeError(f"table {name} in {self.place} cannot be read: {error}") from error
        return [_version(commit) for commit in reversed(history)]

    def version_at(self, name: str, moment: Moment) -> int | None:
        """The number of the version to read, or None if the table has none then."""
        versions = self.versions(name)
        if moment.at is not None:
            return max((v.number for v in versions if v.committed_at <= moment.at), default=None)
        if moment.number is not None:
            return moment.number if any(v.number == moment.number for v in versions) else None
        return versions[-1].number if versions else None

    def attach(self, connection: duckdb.DuckDBPyConnection, moment: Moment = Moment()) -> dict[str, str]:
        """Makes each table a view of its name. Returns the tables left out, each with the reason."""
        missing: dict[str, str] = {}
        if is_bucket(self.place):
            let_in(connection)
        for name in self.names:
            version = ""
            if not moment.is_now:
                number = self.version_at(name, moment)
                if number is None:
                    missing[name] = self._why_missing(name)
                    continue
                version = f", version => {number}"
            scan = f"delta_scan({literal(self.path(name))}{version})"
            connection.execute(f"create view {quoted(name)} as select * from {scan}")
        return missing

    def _why_missing(self, name: str) -> str:
        versions = self.versions(name)
        if not versions:
            return "no versions are left in its log"
        ends = (versions[0], versions[-1])
        first, last = (f"{version.number} ({version.committed_at:%Y-%m-%d %H:%M:%S} UTC)" for version in ends)
        return f"versions {first} to {last}"


def parse_time(text: str) -> datetime:
    """A time of ISO 8601; without a zone in UTC, without a time of day the beginning of the day."""
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise LakeError(f"--as-of {text} is no time; write 2026-03-01 or 2026-03-01T12:30:00Z") from None


def _version(commit: dict[str, object]) -> Version:
    metrics = commit.get("operationMetrics")
    # Ours, and those of delta-rs, which may change a copy.
    names = ("numAddedRows", "num_added_rows") if isinstance(metrics, dict) else ()
    added = next((metrics[name] for name in names if name in metrics), None)
    return Version(
        number=int(str(commit["version"])),
        committed_at=datetime.fromtimestamp(int(str(commit["timestamp"])) / 1000, UTC),
        operation=str(commit.get("operation", "unknown")),
        rows_added=None if added is None else int(str(added)),
    )
