"""The one way in which bundles of ours write an entry of their tar (POSIX.1-2017, pax).

A header follows from path, size and moment alone. A reader that knows these compares bytes instead of parsing them, so
that links, devices, owners, sparse files and all that a tar can say besides have no place to stand.
"""

BLOCK = 512
END = bytes(2 * BLOCK)
MAX_PLAIN_SIZE = 8**11 - 1  # bytes; the eleven octal digits of a header hold no more, a pax record does
_NAME, _PREFIX = 100, 155
_REGULAR, _PAX = b"0", b"x"


def header(path: str, size: int, moment: int) -> bytes:
    """What stands before the content of a file: one block, or three and more where it has no room for path or size."""
    raw = path.encode()
    parts, plain_size = _parts(raw), size <= MAX_PLAIN_SIZE
    if parts is not None and plain_size:
        return _block(*parts, size=size, moment=moment, kind=_REGULAR)
    records = b"" if parts is not None else _record(b"path", raw)
    if not plain_size:
        records += _record(b"size", str(size).encode())
    # The name for a reader that knows no pax stands for nothing.
    short = parts or (b"pax/" + str(len(raw)).encode(), b"")
    return (
        _block(b"pax/header", b"", size=len(records), moment=moment, kind=_PAX)
        + records
        + padding(len(records))
        + _block(*short, size=size if plain_size else 0, moment=moment, kind=_REGULAR)
    )


def padding(size: int) -> bytes:
    """What follows a content of `size` bytes up to the next block."""
    return bytes(-size % BLOCK)


def size_in(block: bytes) -> int:
    """The size that the first block of a header announces; raises ValueError when that is no number."""
    return _octal(block[124:136])


def moment_in(block: bytes) -> int:
    """The moment that the first block of a header bears, in seconds since 1970; raises ValueError."""
    return _octal(block[136:148])


def name_in(block: bytes) -> str:
    """The name in a header, for a message."""
    return block[:_NAME].split(b"\0", 1)[0].decode("utf-8", "replace")


KINDS = {
    b"0": "a file",
    b"1": "a hard link",
    b"2": "a link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a folder",
    b"6": "a pipe",
}


def kind_in(block: bytes) -> str:
    """What a header announces, for a message."""
    return KINDS.get(block[156:157], "something else")


def _octets(number: int, width: int) -> bytes:
    return b"%0*o\0" % (width - 1, number)


def _octal(field: bytes) -> int:
    digits = field[:-1]
    if field[-1:] != b"\0" or not all(0x30 <= digit <= 0x37 for digit in digits):
        raise ValueError("no octal number")
    return int(digits, 8)


def _parts(raw: bytes) -> tuple[bytes, bytes] | None:
    """Name and prefix of a path that a plain header holds; the name is as long as it can be."""
    if not raw.isascii():
        return None
    if len(raw) <= _NAME:
        return raw, b""
    cut = raw.find(b"/", len(raw) - _NAME - 1)
    if cut == -1 or cut > _PREFIX:
        return None
    return raw[cut + 1 :], raw[:cut]


def _record(key: bytes, value: bytes) -> bytes:
    """A record of a pax header, which counts its own length."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest)
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


def _block(name: bytes, prefix: bytes, *, size: int, moment: int, kind: bytes) -> bytes:
    fields = (
        name.ljust(_NAME, b"\0"),
        _octets(0o644, 8) + _octets(0, 8) + _octets(0, 8),  # mode, owner, group
        _octets(size, 12),
        _octets(moment, 12),
        b" " * 8,  # the checksum counts itself as blanks
        kind,
        bytes(100),
        b"ustar\x0000",
        bytes(64),  # no names of owner and group
        _octets(0, 8) * 2,  # no device
        prefix.ljust(_PREFIX, b"\0"),
        bytes(12),
    )
    block = b"".join(fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]
