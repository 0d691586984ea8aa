# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Tables as CSV (RFC 4180), as office programs write and read them.

Read: UTF-8 with or without a byte order mark, UTF-16 with one, else Windows-1252; comma,
semicolon or tab. Written: UTF-8 with a byte order mark, so that office programs show it
right, and no cell that they would take for a formula.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .errors import Rejected

MAX_BYTES = 5_000_000
MAX_ROWS = 50_000
MAX_CELL = 1_000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
SEPARATORS = ",;\t"


@dataclass(frozen=True)
class Row:
    """A row of the table.

    :param line: its line in the file, from 1
    :param cells: text by column; unknown columns are left out
    """

    line: int
    cells: dict[str, str]


def read(data: bytes, columns: Sequence[str], required: Sequence[str]) -> list[Row]:
    """Return the rows of a file; empty ones are left out.

    :param columns: names of the known columns, in lower case with underscores
    :param required: those the header must have
    :raises Rejected: ``file_too_large``, ``file_encoding``, ``file_header``,
        ``file_rows``, ``file_format``
    """
    if len(data) > MAX_BYTES:
        raise Rejected(
            f"The file has more than {MAX_BYTES:,} bytes; import it in parts.",
            code="file_too_large",
        )
    text = _decoded(data)
    lines = csv.reader(
        io.StringIO(text, newline=""), delimiter=_separator(text), strict=True
    )
    try:
        header = [_name(cell) for cell in next(lines, [])]
        _check_header(header, columns, required)
        return _rows(lines, header, columns)
    except csv.Error as error:
        raise Rejected(
            f"Line {lines.line_num}: the file is no CSV ({error}).", code="file_format"
        ) from None


def _rows(lines, header: Sequence[str], columns: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) == MAX_ROWS:
            raise Rejected(
                f"The file has more than {MAX_ROWS:,} rows; import it in parts.",
                code="file_rows",
            )
        named = zip(header, cells, strict=False)
        rows.append(
            Row(
                lines.line_num,
                {name: _plain(cell) for name, cell in named if name in columns},
            )
        )
    return rows


def _decoded(data: bytes) -> str:
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return _decode(data, encoding)
    try:
        return _decode(data, "utf-8")
    except Rejected:
        return _decode(data, "cp1252")


def _decode(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise _no_text() from None
    if "\0" in text:  # no database takes it, whatever the encoding
        raise _no_text()
    return text


def _no_text() -> Rejected:
    return Rejected(
        "The file is no text in UTF-8, UTF-16 or Windows-1252.", code="file_encoding"
    )


def _separator(text: str) -> str:
    """Return what separates the columns of the header."""
    header = text.lstrip("\r\n").partition("\n")[0]
    return max(SEPARATORS, key=header.count)


def _name(cell: str) -> str:
    return cell.strip().lower().replace(" ", "_")


def _check_header(
    header: Sequence[str], columns: Sequence[str], required: Sequence[str]
) -> None:
    missing = [name for name in required if name not in header]
    if missing:
        raise Rejected(
            f"The first line must name the columns; it lacks {', '.join(missing)}."
            f" Known columns: {', '.join(columns)}.",
            code="file_header",
        )
    known = [name for name in header if name in columns]
    if len(known) != len(set(known)):
        raise Rejected("A column is there twice.", code="file_header")


def _plain(cell: str) -> str:
    """Return a cell as it was meant: without the quote that kept it from being a formula."""
    cell = cell.strip()
    if cell.startswith("'") and cell[1:].startswith(FORMULA):
        return cell[1:]
    return cell


def write(columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> bytes:
    """Return a file; cells that an office program would run get a quote before them."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _safe(cell: str | None) -> str:
    text = cell or ""
    return f"'{text}" if text.startswith(FORMULA) else text
