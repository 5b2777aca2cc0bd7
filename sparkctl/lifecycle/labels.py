"""What scanners read off labels, in the forms that exist: what a code is, what is of it, and what it may be.

Data identifiers are those of ANSI MH10.8.2 (`S` a serial number, `1P` the supplier's item, `23S` a MAC address), the
envelope that of ISO/IEC 15434 (`[)>`, format 06), application identifiers those of the GS1 General Specifications
(`21` serial, `240` and `241` item), the prefix `]xN` that of ISO/IEC 15424.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from sparkctl.model.receiving import ScanRow

SERIAL, PART, MAC, ASSET, CARTON = "serial", "part_number", "mac", "asset_tag", "carton"

_DATA_IDENTIFIERS = {"23S": MAC, "S": SERIAL, "1P": PART, "P": PART, "30P": PART, "J": CARTON}
_APPLICATION_IDENTIFIERS = {"21": SERIAL, "240": PART, "241": PART, "00": CARTON, "8004": ASSET}
_FIXED_LENGTHS = {"00": 18, "01": 14, "02": 14, "11": 6, "13": 6, "15": 6, "17": 6}
_KEYS = {
    "SN": SERIAL, "S/N": SERIAL, "SERIAL": SERIAL, "SERIALNO": SERIAL, "SERIALNUMBER": SERIAL, "SER": SERIAL,
    "PN": PART, "P/N": PART, "PART": PART, "PARTNO": PART, "PARTNUMBER": PART, "SKU": PART, "MODEL": PART, "MPN": PART,
    "MAC": MAC, "MACADDRESS": MAC, "MAC1": MAC, "MAC2": MAC, "ETH": MAC, "WLAN": MAC, "LAN": MAC,
    "ASSET": ASSET, "ASSETTAG": ASSET, "TAG": ASSET,
    "CARTON": CARTON, "CARTONID": CARTON, "BOX": CARTON, "SSCC": CARTON,
}  # fmt: skip
_KEYED = re.compile(r"\s*([A-Za-z][A-Za-z0-9 _/.-]{0,19}?)\s*[=:#]\s*(.+)", re.DOTALL)
_GS1_WORDS = re.compile(r"\((\d{2,4})\)([^(]*)")
_SYMBOLOGY = re.compile(r"^\]([A-Za-z])([0-9A-Za-z])")
_SHOWN_CONTROLS = re.compile(r"[<{](GS|RS|EOT|FNC1)[>}]|\^\]|\^\^", re.IGNORECASE)
_VALUE = re.compile(r"[A-Z0-9][A-Z0-9._/+-]{0,63}")
_MAC = re.compile(r"[0-9A-F]{12}")
MAX_CELL = 1000


@dataclass(slots=True)
class Label:
    """What a label may say: for each field, the values it may have, the likeliest first.

    `certain` are the fields whose code named itself, so that nothing of its value is guessed. `identified` says that a
    code of it bears a data identifier that cannot be anything else; `without` are values from which one was taken off.
    """

    serials: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    macs: list[str] = field(default_factory=list)
    asset_tag: str | None = None
    carton: str | None = None
    certain: set[str] = field(default_factory=set)
    identified: bool = False
    without: set[str] = field(default_factory=set)

    def take(self, name: str, text: str, *, certain: bool) -> None:
        """Take a value for a field; what cannot be one is left out."""
        if name == MAC:
            self.macs += [mac for mac in macs_in(text) if mac not in self.macs]
            return
        value = canonical(text)
        if value is None:
            return
        if name == ASSET:
            self.asset_tag = self.asset_tag or value
        elif name == CARTON:
            self.carton = self.carton or value
        else:
            values = self.serials if name == SERIAL else self.parts
            if certain and name not in self.certain:
                self.certain.add(name)
                values.clear()
            if (certain or name not in self.certain) and value not in values:
                values.append(value)


def canonical(text: str) -> str | None:
    """A serial or a part number as it is compared: upper case, without blanks; None for what cannot be one."""
    value = re.sub(r"\s+", "", text).upper().strip("*")  # which Code 39 begins and ends with
    return value if text.isascii() and _VALUE.fullmatch(value) else None


def macs_in(text: str) -> list[str]:
    """MAC addresses in a text, as `0251AABBCCDD`; several are parted by blanks, commas, semicolons or `|`."""
    found = []
    for word in re.split(r"[\s,;|]+", text.upper()):
        mac = re.sub(r"[:.-]", "", word.removeprefix("23S") if len(word) > 12 else word)
        if _MAC.fullmatch(mac) and mac not in found and mac != "0" * 12:
            found.append(mac)
    return found


def read_label(row: ScanRow) -> Label:
    """What one scanned label says, or may say."""
    label = Label()
    cells = (
        (SERIAL, row.serial),
        (PART, row.part_number),
        (MAC, row.mac),
        (ASSET, row.asset_tag),
        (CARTON, row.carton),
    )
    for name, cell in cells:
        if cell is not None:
            _read_cell(label, name, cell[:MAX_CELL])
    for code in row.codes:
        _read_cell(label, None, code[:MAX_CELL])
    if label.identified:  # then its other codes bear one, too
        label.serials.sort(key=lambda value: value not in label.without)
    return label


def _read_cell(label: Label, name: str | None, cell: str) -> None:
    """Take a cell of a column, or of none: what names itself counts for what it says, the rest for what it may be."""
    named = list(_named(cell))
    if name is None and not named:
        for code in re.split(r"[\s|;]+", cell):
            named = list(_named(code))
            if not named:
                _guess(label, None, code)
            for field_name, value in named:
                label.take(field_name, value, certain=True)
        return
    mine = [pair for pair in named if name in (None, pair[0])]
    for field_name, value in named:
        label.take(field_name, value, certain=True)
    if name is not None and not mine:
        _guess(label, name, cell)


def _guess(label: Label, name: str | None, code: str) -> None:
    """Take a bare code: as it is, and without what may be a data identifier before it."""
    if not code.isascii():  # upper case may turn what is no letter of a code into one
        return
    bare = _SYMBOLOGY.sub("", code.strip())
    upper = bare.upper().strip("*")
    if name is None and macs_in(upper):
        label.take(MAC, upper, certain=False)
        label.identified = label.identified or upper.startswith("23S")
        if len(upper) > 12:  # twelve hexadecimal digits alone may be a serial as well
            return
    wanted = (name,) if name else (SERIAL,)
    if name is None and upper.startswith(("1P", "30P")):
        wanted, label.identified = (PART,), True
    for field_name in wanted:
        label.take(field_name, bare, certain=False)
        for prefix, meaning in _DATA_IDENTIFIERS.items():
            if meaning == field_name and upper.startswith(prefix):
                label.take(field_name, upper[len(prefix) :], certain=False)
                label.without.add(upper[len(prefix) :])


def _named(cell: str) -> Iterator[tuple[str, str]]:
    """The fields in a text whose codes say what they are."""
    text = _SHOWN_CONTROLS.sub(
        lambda found: "\x1e" if found[0].upper() in ("<RS>", "{RS}", "^^") else "\x1d", cell
    ).strip()
    mark = _SYMBOLOGY.match(text)
    gs1 = mark is not None and (mark[1] + mark[2]) in ("C1", "d2", "Q3", "e0")
    text = _SYMBOLOGY.sub("", text)
    if text.startswith("[)>"):
        yield from _envelope(text)
    elif _GS1_WORDS.match(text):
        for identifier, value in _GS1_WORDS.findall(text):
            if identifier in _APPLICATION_IDENTIFIERS:
                yield _APPLICATION_IDENTIFIERS[identifier], value
    elif gs1:
        yield from _element_string(text)
    else:
        yield from _keyed(text)


def _keyed(text: str) -> Iterator[tuple[str, str]]:
    """The fields of `key=value` pairs, as a QR code or the query of an address has them."""
    if "://" in text[:12]:
        pairs = parse_qsl(text.partition("?")[2])
    else:
        found = (_KEYED.fullmatch(part) for part in re.split(r"[;,&|\n\r\t\x1d]+", text))
        pairs = [(each[1], each[2]) for each in found if each]
    for key, value in pairs:
        if (name := _field_of(key)) is not None:
            yield name, value


def _field_of(key: str) -> str | None:
    return _KEYS.get(re.sub(r"[\s_.-]+", "", key.upper()))


def _envelope(text: str) -> Iterator[tuple[str, str]]:
    """The fields of an ISO/IEC 15434 envelope in format 06; identifiers of more than one letter first."""
    for part in re.split(r"[\x1d\x1e\x04]+", text[3:]):
        for prefix in sorted(_DATA_IDENTIFIERS, key=len, reverse=True):
            if part.upper().startswith(prefix) and len(part) > len(prefix):
                yield _DATA_IDENTIFIERS[prefix], part[len(prefix) :]
                break


def _element_string(text: str) -> Iterator[tuple[str, str]]:
    """The fields of a GS1 element string: some identifiers have values of a fixed length, others end at a separator."""
    rest = text
    while rest:
        identifier = next((rest[:size] for size in (4, 3, 2) if rest[:size] in _APPLICATION_IDENTIFIERS), rest[:2])
        after = rest[len(identifier) :]
        if identifier in _FIXED_LENGTHS:
            value, rest = after[: _FIXED_LENGTHS[identifier]], after[_FIXED_LENGTHS[identifier] :].lstrip("\x1d")
        else:
            value, _, rest = after.partition("\x1d")
        if identifier in _APPLICATION_IDENTIFIERS and value:
            yield _APPLICATION_IDENTIFIERS[identifier], value
