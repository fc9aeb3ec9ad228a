"""The tests of the star schema as dbt compiled them: plain SQL that selects the rows that are wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stoop_lake.errors import LakeError


@dataclass(frozen=True)
class Test:
    """A test of dbt's manifest."""

    name: str
    sql: str
    kind: str
    """`not_null`, `unique`, ...; `meaning` for a query of its own."""
    column: str | None
    relation: str | None
    """The table of a test of a column: `gold.dim_home`, `lake.observations` for a source."""
    reads: frozenset[str]
    """The tables that the query names."""


def load(target: Path) -> list[Test]:
    """The tests that dbt compiled last, by name."""
    manifest = json.loads((target / "target" / "manifest.json").read_text())
    nodes: dict[str, Any] = manifest["nodes"] | manifest["sources"]
    tests = []
    for node in manifest["nodes"].values():
        if node["resource_type"] != "test":
            continue
        if "compiled_code" not in node:
            raise LakeError(f"{target} is of a dbt command that compiles no tests; run lake/gold")
        sql: str = node["compiled_code"]
        names = {_name(nodes[key]): _relation(nodes[key]) for key in node["depends_on"]["nodes"]}
        for name, relation in names.items():
            # A source is a function call in DuckDB; elsewhere it is a table of the schema lake.
            sql = sql.replace(relation, name)
        generic = node.get("test_metadata") or {}
        attached = nodes.get(node.get("attached_node") or "") or _only(nodes, node)
        tests.append(
            Test(
                name=node["name"],
                sql=sql.strip(),
                kind=generic.get("name", "meaning"),
                column=node.get("column_name"),
                relation=_name(attached) if generic and attached else None,
                reads=frozenset(names),
            )
        )
    return sorted(tests, key=lambda test: test.name)


def _only(nodes: dict[str, Any], test: dict[str, Any]) -> dict[str, Any] | None:
    keys = test["depends_on"]["nodes"]
    return nodes[keys[0]] if len(keys) == 1 else None


def _name(node: dict[str, Any]) -> str:
    schema = node["source_name"] if node["resource_type"] == "source" else node["schema"]
    return f"{schema}.{node['name']}"


def _relation(node: dict[str, Any]) -> str:
    if node["resource_type"] == "source":
        return str(node["meta"]["external_location"]).format(name=node["name"])
    return str(node["relation_name"])
