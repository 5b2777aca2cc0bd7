"""CSV inventories: one node a row under a header; a column of another name becomes a label."""

import csv
import io
import re
from collections.abc import Iterator

from sparkctl.inventory.draft import FleetDraft, GroupDraft, NodeDraft, Reference, Settings, Source
from sparkctl.inventory.problems import SourceFault, Where
from sparkctl.inventory.settings import label_fault, read_list_setting, read_setting
from sparkctl.inventory.values import LISTS
from sparkctl.model.printable import printable

NAME_COLUMNS = ("name", "node", "node_id", "hostname", "inventory_hostname")
"""Columns that may hold the node's name; the first of them that the header has is taken."""

COLUMNS = {
    "host": "ssh.host",
    "address": "ssh.host",
    "ip": "ssh.host",
    "ip_address": "ssh.host",
    "ansible_host": "ssh.host",
    "port": "ssh.port",
    "ansible_port": "ssh.port",
    "user": "ssh.user",
    "ansible_user": "ssh.user",
    "identity_files": "ssh.identity_files",
    "identity_file": "ssh.identity_files",
    "certificate_files": "ssh.certificate_files",
    "known_hosts_files": "ssh.known_hosts_files",
    "jump": "ssh.jump",
    "agent": "ssh.agent",
    "config_file": "ssh.config_file",
    "host_key_policy": "ssh.host_key_policy",
    "groups": "groups",
    "group": "groups",
    **{
        key: key
        for key in ("transport", "elevation", "site", "rack", "power_group", "state", "serial", "unit", "simulated")
    },
}
"""What each column sets. Columns of several values part them by spaces, semicolons or `|`."""

_DELIMITERS = (",", ";", "\t")
_SEVERAL = re.compile(r"[\s;|]+")


def looks_like_csv(header: str) -> bool:
    """Whether a line is the header of a CSV inventory: several columns, one of them the node's name."""
    columns = {_normalised(cell) for cell in re.split(r"[,;\t]", header)}
    return len(columns) > 1 and not columns.isdisjoint(NAME_COLUMNS)


def read_csv(text: str, source: Source, draft: FleetDraft) -> None:
    """Add the rows of a CSV file to the draft. Raises SourceFault when there is no usable header."""
    rows = _rows(text, source)
    where, header = next(rows, (source.where(1), []))
    columns = [_normalised(cell) for cell in header]
    name_column = next((column for column in NAME_COLUMNS if column in columns), None)
    if name_column is None:
        message = f"the header has no column for the node's name; it has {printable(', '.join(columns))}"
        raise SourceFault(where, message, f"Begin the file with a header that has one of {', '.join(NAME_COLUMNS)}.")
    reader = _CsvReader(source, draft, _keys(columns, name_column, where, source))
    for at, row in rows:
        reader.row(row, at)


def _normalised(cell: str) -> str:
    return re.sub(r"[\s-]+", "_", cell.strip().strip('"').lower())


def _rows(text: str, source: Source) -> Iterator[tuple[Where, list[str]]]:
    """Every row that is neither blank nor a comment, with the line it begins on."""
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            where = source.where(line)
            line = reader.line_num + 1
            if any(cell.strip() for cell in row) and not row[0].startswith("#"):
                yield where, row
    except csv.Error as error:
        message = f"this is not valid CSV: {error}"
        raise SourceFault(source.where(line), message, "Quote cells that hold the delimiter or a quote.") from error


def _keys(columns: list[str], name_column: str, where: Where, source: Source) -> list[str | None]:
    """The setting that each column stands for: `name`, `groups`, a key, or None for a column to leave aside."""
    keys: list[str | None] = []
    for number, column in enumerate(columns, start=1):
        key = "name" if column == name_column else COLUMNS.get(column) or f"labels.{column.removeprefix('label.')}"
        fault = _header_fault(number, column, key, keys)
        if fault:
            source.problems.error(where._replace(key=column or None), *fault)
        keys.append(None if fault else key)
    return keys


def _header_fault(number: int, column: str, key: str, before: list[str | None]) -> tuple[str, str] | None:
    """What is wrong with a column of the header, and what to do about it."""
    if not column:
        return f"column {number} has no header", "Name the column, or remove it."
    label = key.removeprefix("labels.")
    fault = label_fault(label) if key.startswith("labels.") else None
    if fault:
        return fault
    if key in before:
        return f"two columns set {label}", "Remove one of the columns."
    return None


class _CsvReader:
    def __init__(self, source: Source, draft: FleetDraft, keys: list[str | None]) -> None:
        self._source = source
        self._draft = draft
        self._keys = keys

    def row(self, row: list[str], where: Where) -> None:
        """Add the node of one row."""
        if len(row) != len(self._keys):
            message = f"the row has {len(row)} cells, the header {len(self._keys)}"
            self._source.problems.error(where, message, "Fill the row up, or quote cells that hold the delimiter.")
            return
        cells = {key: cell.strip() for key, cell in zip(self._keys, row, strict=True) if key and cell.strip()}
        name = cells.pop("name", None)
        if name is None:
            self._source.problems.error(where, "the row has no name", "Name the node, or remove the row.")
            return
        groups = _SEVERAL.split(cells.pop("groups", ""))
        at = where._replace(key=name)
        self._draft.add_node(NodeDraft(name, at, self._settings(cells, at)))
        for group in filter(None, groups):
            reference = Reference(name, at, literal=True)
            self._draft.add_group(GroupDraft(group, at, members=[reference]))

    def _settings(self, cells: dict[str, str], where: Where) -> Settings:
        settings: Settings = {}
        for key, cell in cells.items():
            if key in LISTS:
                setting = read_list_setting(self._source, key, [part for part in _SEVERAL.split(cell) if part], where)
            else:
                setting = read_setting(self._source, key, cell, where)
            if setting:
                settings[key] = setting
        return settings
