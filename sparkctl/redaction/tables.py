"""The kernel's tables under /proc/net, which write addresses as numbers in hexadecimal (proc(5))."""

from collections.abc import Callable, Iterator

from sparkctl.redaction.edits import Edit
from sparkctl.redaction.linear import Pattern
from sparkctl.redaction.standins import Pseudonyms

RULE = "kernel.tables"
_WORD = Pattern(r"\b[0-9A-Fa-f]{8}\b|\b[0-9A-Fa-f]{32}\b", groups=False)
_NAME = Pattern(
    r"(?s:.*/)?proc/(?:[0-9]+/|self/)?net/(?:tcp|udp|udplite|raw|route|ipv6_route|if_inet6|icmp)6?", groups=False
)


def table_of(name: bytes) -> Callable[[bytes, int, Pseudonyms], Iterator[Edit]] | None:
    """What finds the addresses in an artefact of that name, None for all others."""
    if _NAME.fullmatch(name) is None:
        return None
    table = name.rpartition(b"/")[2]
    if table == b"route":
        return _routes
    return _big_endian if table in (b"ipv6_route", b"if_inet6") else _sockets


def _routes(data: bytes, start: int, pseudonyms: Pseudonyms) -> Iterator[Edit]:
    """Destination and gateway in the processor's byte order; the mask says where a destination has its zeros."""
    for first, last in _lines(data, start):
        words = _WORD.spans(data, first, last)
        if len(words) != 3:
            continue
        numbers = [int.from_bytes(bytes.fromhex(data[at:end].decode()), "little") for at, end in words]
        destination, gateway, mask = numbers
        for (at, end), made in zip(
            words, (pseudonyms.ipv4(destination) & mask, pseudonyms.ipv4(gateway)), strict=False
        ):
            yield Edit(at, end, made.to_bytes(4, "little").hex().upper().encode(), (RULE,))


def _big_endian(data: bytes, start: int, pseudonyms: Pseudonyms) -> Iterator[Edit]:
    """Addresses of IPv6 as they stand, each with the length of its prefix behind it in tables of routes."""
    for first, last in _lines(data, start):
        for at, end in _WORD.spans(data, first, last):
            if end - at != 32:
                continue
            number = int(data[at:end], 16)
            made = pseudonyms.ipv6(number)
            length = data[end + 1 : end + 3]
            behind = (
                (1 << max(0, 128 - int(length, 16))) - 1 if _is_hex(length) and data[end + 3 : end + 4] == b" " else 0
            )
            if behind and number & behind == 0:
                made &= ~behind
            yield Edit(at, end, b"%032x" % made, (RULE,))


def _is_hex(text: bytes) -> bool:
    return len(text) == 2 and all(byte in b"0123456789abcdef" for byte in text)


def _sockets(data: bytes, start: int, pseudonyms: Pseudonyms) -> Iterator[Edit]:
    """Both ends of each socket: words of 32 bits in the processor's byte order, a colon and the port."""
    for first, last in _lines(data, start):
        ends = [span for span in _WORD.spans(data, first, last) if data[span[1] : span[1] + 1] == b":"][:2]
        for at, end in ends:
            raw = bytes.fromhex(data[at:end].decode())
            swapped = b"".join(raw[word : word + 4][::-1] for word in range(0, len(raw), 4))
            number = int.from_bytes(swapped, "big")
            made = (pseudonyms.ipv4(number) if len(raw) == 4 else pseudonyms.ipv6(number)).to_bytes(len(raw), "big")
            back = b"".join(made[word : word + 4][::-1] for word in range(0, len(raw), 4))
            yield Edit(at, end, back.hex().upper().encode(), (RULE,))


def _lines(data: bytes, start: int) -> Iterator[tuple[int, int]]:
    while start < len(data):
        end = data.find(b"\n", start) + 1 or len(data)
        yield start, end
        start = end
