"""Where a node's own identifiers stand: which file or command tells which."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator

from sparkctl.redaction import guards
from sparkctl.redaction.kept import is_placeholder
from sparkctl.redaction.linear import Pattern
from sparkctl.redaction.standins import Class

Finding = tuple[Class | None, bytes]
"""A class and a value of it; no class for the UUID of a product, which is kept."""
Told = tuple[Class | None, bytes, bool]
"""A finding, and whether it is of the node itself and not of another one that it mentions."""
Reader = Callable[[bytes], Iterable[Finding]]
MOST_BYTES = 8 * 2**20
FIRST_USER, LAST_USER = 1000, 60000
"""Numbers of people's accounts (login.defs of Debian: UID_MIN, UID_MAX)."""


def _host(content: bytes) -> Iterator[Finding]:
    name, _, domain = (content.split() or [b""])[0].partition(b".")
    yield Class.HOST, name
    if domain:
        yield Class.DOMAIN, domain


def _hosts(content: bytes) -> Iterator[Finding]:
    for line in content.splitlines():
        for name in line.partition(b"#")[0].split()[1:]:
            if not name.startswith((b"localhost", b"ip6-")):
                yield from _host(name)


def _passwd(content: bytes) -> Iterator[Finding]:
    for line in content.splitlines():
        fields = line.split(b":")
        if len(fields) < 7 or not fields[2].isdigit() or not FIRST_USER <= int(fields[2]) <= LAST_USER:
            continue
        yield Class.USER, fields[0]
        yield Class.USER, fields[5].rpartition(b"/")[2]
        for part in fields[4].split(b","):
            yield Class.PERSON, part
            yield from ((Class.PERSON, word) for word in part.split() if len(word) > 3)


def _uuid(content: bytes) -> list[Finding]:
    """A UUID; systemd writes `uninitialized` in the place of one, firmware that there is none."""
    value = content.strip()
    return [(Class.UUID, value)] if _WHOLE_UUID.fullmatch(value) is not None else []


def _serial(content: bytes) -> list[Finding]:
    value = content.strip()
    return [] if is_placeholder(value) or value.startswith(b"0x") else [(Class.SERIAL, value)]


def _release(content: bytes) -> Iterator[Finding]:
    for line in content.splitlines():
        name, _, value = line.partition(b"=")
        if name.strip() == b"DGX_SERIAL_NUMBER":
            yield from _serial(value.strip(b' "'))


def _resolv(content: bytes) -> Iterator[Finding]:
    for line in content.splitlines():
        word, *names = line.split()[:20] or [b""]
        if word in (b"search", b"domain", b"Domains="):
            yield from ((Class.DOMAIN, name) for name in names if name != b".")


def _wifi(content: bytes) -> Iterator[Finding]:
    """Names and keys of networks as NetworkManager, wpa_supplicant and netplan write them."""
    for line in content.splitlines():
        name, _, value = line.strip().partition(b"=")
        if name.strip() == b"ssid" and value:
            yield Class.SSID, value.strip(b' "')
        if name.strip() in (b"psk", b"password") and value:
            yield Class.SECRET, value.strip(b' "')
    yield from _netplan(content)


def _netplan(content: bytes) -> Iterator[Finding]:
    depth: int | None = None
    for line in content.splitlines():
        indent, text = len(line) - len(line.lstrip()), line.strip()
        if text == b"access-points:":
            depth = indent
        elif depth is not None and text and indent <= depth:
            depth = None
        elif depth is not None and text.endswith(b":") and text[:1] in b"\"'":
            yield Class.SSID, text[:-1].strip(b"\"'")
        elif depth is not None and text.startswith(b"password:"):
            yield Class.SECRET, text[9:].strip(b" \"'")


_MAC = Pattern(r"\b(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}\b", groups=False)
_SYSLOG = Pattern(
    r"(?m)^(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+Z-]{8,24}) "
    r"([A-Za-z0-9][A-Za-z0-9.-]{0,200}) [A-Za-z0-9_./()-]{1,80}(?:\[[0-9]{1,8}\])?: "
)
_PRODUCT = Pattern(
    r"fw_class[:=]?\s{0,4}[0-9a-fA-F-]{36}|\"(?:Guid|InstanceIds)\"\s{0,8}:\s{0,8}\[[0-9a-fA-F-\"\s,]{0,900}\]",
    groups=False,
)
_UUID = Pattern(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", groups=False)
_WHOLE_UUID = Pattern(r"(?:[0-9a-fA-F]-?){32}", groups=False)
_HEAD = 64 * 1024


def _macs(content: bytes) -> Iterator[Finding]:
    for first, last in _MAC.spans(content):
        if guards.stands_alone(content, first, last):
            yield Class.MAC, content[first:last]


def _syslog(content: bytes) -> Iterator[Finding]:
    """The machines that lines at the beginning of a log name; more than one where it gathers those of others."""
    head = content[:_HEAD]
    for first, last in _SYSLOG.spans(head):
        place = _SYSLOG.group(head[first:last])
        if place is not None:
            yield from _host(head[first + place[0] : first + place[1]])


def _uname(content: bytes) -> Iterator[Finding]:
    words = content.split()
    if len(words) > 2 and words[0] == b"Linux":
        yield from _host(words[1])


def _products(content: bytes) -> Iterator[Finding]:
    """UUIDs that name kinds of firmware: in the kernel's table of what can be updated, and in a vendor's recipes."""
    yield from ((None, content[first:last]) for first, last in _UUID.spans(content))


_READERS: tuple[tuple[str, Reader], ...] = (
    (r"etc/hostname|proc/sys/kernel/(?:hostname|domainname)|cmd/hostname[^/]*", _host),
    (r"etc/hosts", _hosts),
    (r"etc/passwd", _passwd),
    (r"sys/.*/dmi/id/[a-z]+_(?:serial|asset_tag)", _serial),
    (r"sys/firmware/efi/esrt/.*fw_class|opt/nvidia/.*\.json", _products),
    (r"sys/.*/dmi/id/product_uuid", _uuid),
    (r"sys/.*/(?:nvme|usb|block|scsi|mmc)[^/]*/.*serial|sys/.*/serial|proc/device-tree/serial-number", _serial),
    (r"sys/.*/net/.*address|cmd/ip[^/]*", _macs),
    (r"etc/machine-id|var/lib/dbus/machine-id|proc/sys/kernel/random/boot_id", _uuid),
    (r"etc/dgx-release", _release),
    (r"(?:etc|run)/.*resolv(?:ed)?\.conf", _resolv),
    (r"etc/(?:NetworkManager|netplan|wpa_supplicant)/.*|run/NetworkManager/.*", _wifi),
    (r"var/log/(?:syslog|auth\.log|kern\.log|messages|daemon\.log|user\.log)[^/]*", _syslog),
    (r"cmd/uname[^/]*", _uname),
)
_BY_PATH = [(Pattern(f"(?s:.*/)?(?:{path})", groups=False), reader) for path, reader in _READERS]
_OF_OTHERS = (_hosts, _syslog)
_HEADER = Pattern(r"(?m)^(?:==> (/[^\n]{1,400}) <==|(/(?:etc|run|proc|sys|var)/[^\s:]{1,300}):)$")
"""What stands between files in the output of a command that prints several."""


def harvested(path: str, content: bytes) -> Iterator[Told]:
    """What a file tells by its place, and what the files tell that a command printed one behind the other."""
    content = content[:MOST_BYTES]
    name = path.encode("utf-8", "surrogateescape").lstrip(b"/")
    if name.endswith(b"cmd/commands.json"):
        yield from _recorded(content)
        return
    yield from _of_file(name, content)
    for first, last in _PRODUCT.spans(content):
        yield from ((None, content[at:end], True) for at, end in _UUID.spans(content, first, last))
    for inner, part in _printed(content):
        yield from _of_file(inner, part)


def _of_file(name: bytes, content: bytes) -> Iterator[Told]:
    for pattern, reader in _BY_PATH:
        if pattern.fullmatch(name) is not None:
            for kind, value in reader(content):
                yield kind, value, reader not in _OF_OTHERS


def _printed(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Path and content of each file behind a header of its own."""
    headers = _HEADER.spans(content)
    ends = [first for first, _ in headers[1:]] + [len(content)]
    for (first, last), end in zip(headers, ends, strict=False):
        place = _HEADER.group(content[first:last])
        if place is not None:
            yield content[first + place[0] : first + place[1]].lstrip(b"/"), content[last:end]


def _recorded(content: bytes) -> Iterator[Told]:
    """Each recorded command: `cat FILE` as that file, all others as a file of the command's name."""
    entries: object = None
    with contextlib.suppress(ValueError, RecursionError):
        entries = json.loads(content)
    for entry in entries if isinstance(entries, list) else []:
        argv = entry.get("argv") if isinstance(entry, dict) else None
        if not isinstance(argv, list) or not argv:
            continue
        words = [str(word) for word in argv if word not in ("sudo", "-n")]
        tool = words[0].rpartition("/")[2] if words else ""
        path = words[-1] if tool == "cat" else f"cmd/{tool}"
        yield from harvested(path, str(entry.get("stdout", "")).encode("utf-8", "replace"))
