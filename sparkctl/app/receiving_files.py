"""The files of a delivery: purchase order, shipping notice, scans. CSV or JSON, every error with file and line."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from sparkctl.contract import strict_json
from sparkctl.errors import ContractError, UsageError
from sparkctl.inventory.problems import Problems, SourceFault, Where
from sparkctl.inventory.text_file import read_text
from sparkctl.model.printable import printable
from sparkctl.model.receiving import MOST_ROWS, NoticeRow, OrderLine, ScanRow

RowT = TypeVar("RowT", bound=BaseModel)

_DELIMITERS = (",", ";", "\t", "|")
_PO = {"po", "po_number", "purchase_order", "order", "order_number", "customer_po"}
_LINE = {"line", "po_line", "line_number", "order_line", "item", "pos", "position"}
_PART = {"part_number", "part", "part_no", "pn", "sku", "mpn", "article", "item_number", "material"}
_SERIAL = {"serial", "serial_number", "serial_no", "sn", "s_n", "serialnumber"}
_CARTON = {"carton", "carton_id", "box", "package", "sscc"}

ORDER_COLUMNS: Mapping[str, set[str]] = {
    "po": _PO,
    "line": _LINE,
    "part_number": _PART,
    "quantity": {"quantity", "qty", "ordered", "amount"},
    "product": {"product", "product_name", "smbios_product"},
    "ssd_bytes": {"ssd", "ssd_size", "storage", "drive", "ssd_bytes"},
    "memory_bytes": {"memory", "ram", "memory_bytes"},
}
NOTICE_COLUMNS: Mapping[str, set[str]] = {
    "po": _PO,
    "line": _LINE,
    "serial": _SERIAL,
    "part_number": _PART,
    "macs": {"mac", "macs", "mac_address", "mac_addresses", "ethernet_mac"},
    "carton": _CARTON,
    "shipped": {"shipped", "ship_date", "shipped_at", "date", "despatched"},
}
SCAN_COLUMNS: Mapping[str, set[str]] = {
    "serial": _SERIAL,
    "part_number": _PART,
    "mac": {"mac", "macs", "mac_address", "mac_addresses", "ethernet_mac"},
    "asset_tag": {"asset_tag", "asset", "tag", "inventory_number"},
    "carton": _CARTON,
    "codes": {"code", "codes", "raw", "scan", "barcode", "data", "label", "value"},
    "by": {"by", "scanned_by", "user", "operator"},
    "at": {"at", "scanned_at", "time", "timestamp", "date"},
}

_SEVERAL = frozenset({"mac", "macs", "codes"})
"""What several columns may hold of."""

Cells = dict[str, Any]


def read_orders(path: Path) -> list[OrderLine]:
    """The lines of a purchase order; raises UsageError for the first of its errors, and says where the others are."""
    lines, problems = _read(path, _ORDERS)
    seen: dict[tuple[str, str], str] = {}
    for line in lines:
        key = (line.po.upper(), line.line.upper())
        if key in seen:
            file, _, number = line.where.rpartition(":")
            message = f"line {line.line} of order {line.po} stands here and at {seen[key]}"
            problems.error(
                Where(file, int(number) if number.isdecimal() else None),
                message,
                "Give each line of an order a number of its own.",
            )
        seen.setdefault(key, line.where)
    return _usable(lines, problems)


def read_notices(path: Path) -> list[NoticeRow]:
    """The machines of a shipping notice; raises UsageError."""
    return _usable(*_read(path, _NOTICES))


def read_scans(path: Path) -> list[ScanRow]:
    """What was scanned, as it was read. What no serial can be read from is for the match to say; raises UsageError."""
    return _usable(*_read(path, _SCANS))


def _usable(rows: list[RowT], problems: Problems) -> list[RowT]:
    found = problems.listed()
    if not found:
        return rows
    hint = found[0].action
    if len(found) > 1:
        lines = ", ".join(str(problem.line) for problem in found[1:8])
        hint += f" {len(found) - 1:,} more, in line {lines}{' and others' * (len(found) > 8)}."
    raise UsageError(found[0].sentence, hint=hint)


@dataclass(frozen=True, slots=True)
class _Form(Generic[RowT]):
    """What rows of a file become, from which columns, and which of them must be filled."""

    make: type[RowT]
    columns: Mapping[str, set[str]]
    required: frozenset[str]
    convert: Callable[[Cells], Cells]

    def row(self, where: Where, cells: Cells, problems: Problems) -> RowT | None:
        """One row, None when something is wrong with it, which is noted."""
        try:
            named = _named(cells, self.columns)
            for key in sorted(self.required - named.keys()):
                action = f"Write the {key} into each row."
                problems.error(where._replace(key=key), "this is empty, or has no column", action)
                return None
            place = printable(f"{where.file}:{where.line}", 1000)
            return self.make.model_validate({"where": place, **self.convert(named)})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            at = where._replace(key=str(first["loc"][0])) if first["loc"] else where
            problems.error(at, printable(str(first["msg"]), 200), "Correct the cell.")
        except (TypeError, ValueError) as error:
            problems.error(where, printable(str(error), 300), "Correct the cell.")
        return None


def _read(path: Path, form: _Form[RowT]) -> tuple[list[RowT], Problems]:
    problems = Problems()
    rows: list[RowT] = []
    try:
        text = read_text(path)
        source = _json_rows(text, path) if text.lstrip()[:1] in ("[", "{") else _csv_rows(text, path)
        for number, (line, cells) in enumerate(source):
            where = Where(str(path), line)
            if number == 0:
                _require_columns(where, cells, form)
            if number >= MOST_ROWS:
                raise SourceFault(where, f"there are more than {MOST_ROWS:,} rows", "Split the file.")
            row = form.row(where, cells, problems)
            if row is not None:
                rows.append(row)
        if not rows and not problems.has_errors():
            raise SourceFault(Where(str(path)), "the file has no rows", "Name the file that was sent or scanned.")
    except SourceFault as fault:
        problems.fault(fault)
    return rows, problems


def _require_columns(where: Where, cells: Cells, form: _Form[RowT]) -> None:
    """Raise SourceFault for a header that says nothing: a file without one would be taken for rows of nothing."""
    headers = [re.sub(r"#\d+$", "", header) for header in cells]
    if not any(_column(header, form.columns) for header in headers):
        message = f"none of its columns is known: {printable(', '.join(headers), 200)}"
        action = f"Begin the file with a header; columns are: {', '.join(form.columns)}."
        raise SourceFault(where._replace(line=1), message, action)


def _column(header: str, columns: Mapping[str, set[str]]) -> str | None:
    """What a header names; `MAC 2` is a MAC, too."""
    word = re.sub(r"[^a-z0-9]+", "_", header.strip().lower()).strip("_")
    for each in (word, word.rstrip("0123456789_")):
        for name, aliases in columns.items():
            if each == name or each in aliases:
                return name
    return None


def _named(cells: Cells, columns: Mapping[str, set[str]]) -> Cells:
    """The cells by the names that we have for them; The rest is left aside."""
    found: Cells = {}
    for header, value in cells.items():
        name = _column(re.sub(r"#\d+$", "", header), columns)
        if name is None or value in (None, "") or found.get(name) == value:
            continue
        if name in found and name not in _SEVERAL:
            raise ValueError(f"two columns say {name}: {_text(found[name])} and {_text(value)}")
        found[name] = value if name not in found else f"{_text(found[name])} {_text(value)}"
    return found


def _csv_rows(text: str, path: Path) -> Iterator[tuple[int, Cells]]:
    """The rows under the header, with the lines that they begin on."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for row in reader:
            at, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in row):
                continue
            if header is None:
                header = [f"{cell.strip()}#{number}" for number, cell in enumerate(row)]
                continue
            if len(row) != len(header):
                message = f"the row has {len(row)} cells, the header {len(header)}"
                raise SourceFault(Where(str(path), at), message, "Quote cells that hold the delimiter.")
            yield at, {name: cell.strip() for name, cell in zip(header, row, strict=True)}
    except csv.Error as error:
        action = "Quote cells that hold the delimiter or a quote."
        raise SourceFault(Where(str(path), line), f"this is not valid CSV: {error}", action) from error


def _json_rows(text: str, path: Path) -> Iterator[tuple[int, Cells]]:
    """The objects of a list, or of lines; where they stand is a count of rows."""
    try:
        try:
            found = strict_json.parse(text.strip().encode())
        except ContractError:
            found = [strict_json.parse(line.encode()) for line in text.split("\n") if line.strip()]
    except ContractError as error:
        raise SourceFault(Where(str(path)), error.message, "Write a list of objects, or one object a line.") from error
    for number, row in enumerate(found if isinstance(found, list) else [found], 1):
        if not isinstance(row, dict):
            raise SourceFault(Where(str(path), number), "this is no object", "Write a list of objects.")
        yield number, row


def _text(value: Any) -> str:
    """A cell as text: JSON has whole numbers and lists, too."""
    parts = value if isinstance(value, list) else [value]
    for part in parts:
        if isinstance(part, bool) or not isinstance(part, str | int):
            raise TypeError(f"{printable(repr(part), 60)} is neither text nor a whole number")
    return " ".join(map(str, parts))


def _words(cells: Cells, *names: str) -> Cells:
    return {name: _text(cells[name]).strip() for name in names if name in cells}


def _order_cells(cells: Cells) -> Cells:
    quantity = _text(cells["quantity"]).strip()
    if not re.fullmatch(r"[0-9]{1,7}(\.0+)?", quantity):
        raise ValueError(f"the quantity is no whole number: {quantity}")
    found = _words(cells, "po", "line", "part_number", "product") | {"quantity": int(quantity.partition(".")[0])}
    for name, kilo in (("ssd_bytes", 1000), ("memory_bytes", 1024)):
        if name in cells:
            found[name] = _size(_text(cells[name]), kilo)
    return found


def _size(text: str, kilo: int) -> int:
    """A size as it is sold, `4 TB` or `128 GB`, in bytes; memory is sold in powers of 1024."""
    match = re.fullmatch(r"([0-9]{1,20}(?:[.,][0-9]{1,3})?)\s*([KMGT]?)(I?)B?", text.strip().upper())
    if match is None:
        raise ValueError(f"{text.strip()} is no size: write 4 TB, 128 GB, or bytes")
    power = " KMGT".index(match[2] or " ")
    return int(float(match[1].replace(",", ".")) * float((1024 if match[3] else kilo) ** power))


def _notice_cells(cells: Cells) -> Cells:
    found = _words(cells, "po", "line", "serial", "part_number", "carton", "shipped")
    if "macs" in cells:
        found["macs"] = [word for word in re.split(r"[\s,;|]+", _text(cells["macs"])) if word]
    return found


def _scan_cells(cells: Cells) -> Cells:
    """What a scanner read may hold control characters, which separate fields: they are shown as words."""
    found: Cells = {name: _shown(value) for name, value in _words(cells, *SCAN_COLUMNS).items()}
    if "codes" in found:
        found["codes"] = [found["codes"]]
    return found


def _shown(text: str) -> str:
    marked = text[:2000].replace("\x1d", "<GS>").replace("\x1e", "<RS>").replace("\x04", "<EOT>")
    return printable(re.sub(r"[\r\n\t]+", "|", marked), 1000)


_ORDERS = _Form(OrderLine, ORDER_COLUMNS, frozenset({"po", "line", "part_number", "quantity"}), _order_cells)
_NOTICES = _Form(NoticeRow, NOTICE_COLUMNS, frozenset({"po", "serial"}), _notice_cells)
_SCANS = _Form(ScanRow, SCAN_COLUMNS, frozenset(), _scan_cells)
