"""Rows as a table for people, as CSV and as JSON."""

from __future__ import annotations

import csv
import json
import math
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TextIO

# A spreadsheet takes text that begins with one of these as a formula.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
CELL_MAX = 60
DIGITS_MAX = 15

Row = Sequence[object]


def plain(text: str) -> str:
    """Text on one line that cannot control a terminal."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") else c for c in text)


def cell(value: object) -> str:
    """A value as a person reads it."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}" if value.microsecond == 0 else f"{value:%Y-%m-%d %H:%M:%S.%f}"[:-3]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Decimal):
        text = f"{value:,f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    text = plain(str(value))
    return text if len(text) <= CELL_MAX else text[: CELL_MAX - 1] + "…"


def width(text: str) -> int:
    """The columns of a terminal that a text fills."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def table(out: TextIO, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Writes rows under their columns; numbers to the right."""
    texts = [[cell(value) for value in row] for row in rows]
    widths = [max([width(plain(name)), *(width(row[i]) for row in texts)]) for i, name in enumerate(columns)]
    right = [any(_is_number(row[i]) for row in rows) for i in range(len(columns))]

    def line(cells: Iterable[str]) -> str:
        padded = (
            " " * (w - width(c)) + c if to_right else c + " " * (w - width(c))
            for c, w, to_right in zip(cells, widths, right, strict=True)
        )
        return "  ".join(padded).rstrip()

    out.write(line(plain(name) for name in columns) + "\n")
    out.write("─" * (sum(widths) + 2 * (len(widths) - 1)) + "\n")
    for text in texts:
        out.write(line(text) + "\n")


def write_csv(out: TextIO, columns: Sequence[str], batches: Iterable[Sequence[Row]]) -> None:
    """Writes CSV as in RFC 4180; a spreadsheet evaluates none of its text."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_csv_cell(name) for name in columns)
    for batch in batches:
        writer.writerows([_csv_cell(value) for value in row] for row in batch)


def write_json(out: TextIO, columns: Sequence[str], batches: Iterable[Sequence[Row]]) -> None:
    """Writes one array with an object a row. Of columns with one name all but the first have a number."""
    names = unique(columns)
    separator = "[\n"
    for batch in batches:
        for row in batch:
            values = {name: _json_value(value) for name, value in zip(names, row, strict=True)}
            out.write(separator + json.dumps(values, allow_nan=False))
            separator = ",\n"
    out.write("[]\n" if separator == "[\n" else "\n]\n")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def unique(names: Sequence[str]) -> list[str]:
    """The names, each once: `a`, `a_2`."""
    found: list[str] = []
    for name in names:
        other, number = name, 1
        while other in found:
            number += 1
            other = f"{name}_{number}"
        found.append(other)
    return found


def _csv_cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int | float | date):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | dict | tuple):
        return json.dumps(_json_value(value), ensure_ascii=False)
    text = plain(str(value))
    return "'" + text if text.startswith(FORMULA) else text


def _json_value(value: object) -> object:
    if isinstance(value, Decimal):
        # Many readers of JSON keep 15 digits; a number with more is text, so that all of it arrives.
        if len(value.as_tuple().digits) > DIGITS_MAX:
            return f"{value:f}"
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        # JSON has no infinity.
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): _json_value(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(part) for part in value]
    return str(value)
