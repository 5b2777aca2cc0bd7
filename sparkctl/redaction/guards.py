"""Whether what a pattern found is what it looks like, judged by its neighbours or by itself."""

import ipaddress

from sparkctl.redaction.kept import ACCOUNTS, COMMON, is_placeholder, is_public_name
from sparkctl.redaction.linear import Pattern

LOOK_BACK = 32
VERSION_WORDS = frozenset(
    b"""version firmware fw rev revision driver vbios bios release ver ucode nvidia-smi kernel cuda version_id fw_ver
    inforom package fwversion fw_version firmware_version driver_version firmwareversion v""".split()
)
KEPT_UUID_WORDS = (b"message_id", b"part_entry_type", b"parttype", b"partition type")
UNIT_KINDS = (
    b".service", b".socket", b".timer", b".target", b".mount", b".scope", b".slice", b".journal", b".swap", b".path",
    b".device", b".automount", b".conf",
)  # fmt: skip
NO_SECRETS = frozenset(
    b"""true false null none no yes required optional on off enabled disabled files compat systemd sss nil undefined
    empty unset default redacted * ** *** **** ***** ****** ******* ******** xxx xxxx %s %d %v is was has for from and
    locked unlocked set unset the n/a unlimited ask prompt no-password without-password
    prohibit-password sha256 sha512 yescrypt md5""".split()
)
_BLANKS = bytes.maketrans(b"\n:=\"'()[]{},;/", b" " * 14)
_ALNUM = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_HEX = frozenset(b"0123456789abcdefABCDEF")
_NEXT_PARAMETER = Pattern(r"&(?:amp$|[A-Za-z_][A-Za-z0-9_.-]{0,60}=)", groups=False)


def _before(data: bytes, start: int) -> int:
    return data[start - 1] if start else 0


def _after(data: bytes, end: int) -> int:
    return data[end] if end < len(data) else 0


def is_alnum(byte: int) -> bool:
    """A letter or a digit of ASCII."""
    return byte in _ALNUM


def whole_word(data: bytes, start: int, end: int) -> bool:
    """Neither a letter nor a digit on either side; an underscore parts words."""
    return _before(data, start) not in _ALNUM and _after(data, end) not in _ALNUM


def stands_alone(data: bytes, start: int, end: int) -> bool:
    """No longer chain of the same kind goes on to either side."""
    follows = _after(data, end)
    goes_on = follows in b":-." and (_after(data, end + 1) in _HEX or _after(data, end + 1) == follows)
    leads = _before(data, start)
    comes_from = leads in b":-." and start > 1 and (data[start - 2] in _HEX or data[start - 2] == leads)
    return not goes_on and not comes_from


def is_own_uuid(data: bytes, start: int, end: int) -> bool:  # noqa: ARG001 - as every guard
    """A UUID that is no constant named by the words before it."""
    return not data[max(0, start - LOOK_BACK) : start].lower().rstrip(b" :=\"'\t[").endswith(KEPT_UUID_WORDS)


def is_ipv4(data: bytes, start: int, end: int) -> bool:
    """An address and no version, by its neighbours and the word before it."""
    return _before(data, start) not in b".+~" and not _is_version(data, start, end)


def is_ipv4_text(value: bytes) -> bool:
    """Four numbers of a byte each, none with a zero before it; a prefix behind them may be any number."""
    octets = value.partition(b"/")[0].split(b".")
    return all(int(octet) <= 255 and (len(octet) == 1 or octet[0] != 0x30) for octet in octets)


def _is_version(data: bytes, start: int, end: int) -> bool:
    follows, next_one = _after(data, end), _after(data, end + 1)
    if follows and follows in b".+~_" and next_one in _ALNUM:
        return True
    if follows == 0x2D and next_one in _ALNUM and data.find(b".", end + 1, end + 5) < 0:
        return True  # 10.4.0.35-1 is a version of a package; 10.0.0.1-10.0.0.9 is a range
    if data[start - 1 : start] in (b"v", b"V"):
        return True
    lead = data[max(0, start - LOOK_BACK) : start].lower().rstrip(b" :=\"'\t([")
    words = lead.translate(_BLANKS).split()
    return bool(words) and (words[-1] in VERSION_WORDS or words[-1].endswith((b"version", b"firmware")))


def is_ipv6(data: bytes, start: int, end: int) -> bool:
    """No part of a longer chain, such as a name in C++."""
    before, after = _before(data, start), _after(data, end)
    return not (before in _ALNUM or before in b":_" or after in _ALNUM or after in b":_")


def is_ipv6_text(value: bytes) -> bool:
    """An address by the rules of IPv6; a prefix behind it may be any number."""
    try:
        ipaddress.IPv6Address(value.partition(b"/")[0].decode("ascii"))
    except ValueError:
        return False
    return True


def is_secret_place(data: bytes, start: int, end: int) -> bool:
    """Not the name of a file that holds the secret."""
    key = data[start : min(end, start + 64)].lower()
    return b"-file" not in key and b"_file" not in key and b"passwd:" not in key


def is_secret(value: bytes) -> bool:
    """Not a word that stands in a secret's place to say something about it; short numbers count something."""
    text = value.lower()
    if (text.isdigit() and len(text) < 6) or text.startswith((b"$", b"/")):
        return False
    return text not in NO_SECRETS and len(text) > 1 and not text.startswith(b"secret-x")


def end_of_secret(value: bytes) -> int:
    """Up to the next parameter, as in `token=...&page=2`."""
    found = _NEXT_PARAMETER.search(value, 0, len(value))
    return found.span()[0] if found is not None else len(value)


def has_digit(value: bytes) -> bool:
    """A digit is in it, as in a token and seldom in a word."""
    return any(byte in b"0123456789" for byte in value)


def has_letter_and_digit(value: bytes) -> bool:
    """Both are in it, as in hexadecimal and not in a number."""
    return has_digit(value) and not value.replace(b".", b"").isdigit()


def is_no_standin(value: bytes) -> bool:
    """No stand-in, which a rule of its own finds."""
    return not value.startswith(b"secret-x")


def is_user(value: bytes) -> bool:
    """A name that a person may have: no account of the system, no stand-in."""
    return value.lower() not in ACCOUNTS and not value.startswith(b"user-x") and len(value) > 1


def is_no_unit(data: bytes, start: int, end: int) -> bool:  # noqa: ARG001 - as every guard
    """Not `user:` before the name of a unit."""
    return not data[end : end + 8].startswith(UNIT_KINDS)


def is_mail(data: bytes, start: int, end: int) -> bool:
    """Something at a host, and no instance of a unit."""
    return not data[start:end].endswith(UNIT_KINDS) and _before(data, start) not in b"/@"


def is_host(value: bytes) -> bool:
    """A name that one machine may have: no number, no common word, no stand-in."""
    text = value.lower()
    return text not in COMMON and not text.isdigit() and not text.startswith(b"host-x") and len(text) > 1


def ends_name(data: bytes, start: int, end: int) -> bool:
    """The name is whole: `10` of an address is none."""
    follows = _after(data, end)
    leading = data[start:end].rpartition(b"=")[2].strip(b" \"':")
    return not (leading.isdigit() and follows == 0x2E) and follows not in b":/(" if follows else True


def is_domain(value: bytes) -> bool:
    """A name that belongs to somebody in particular."""
    return not is_public_name(value) and not value.lower().startswith((b"org.", b"com.", b"net."))


def is_whole_domain(data: bytes, start: int, end: int) -> bool:
    """Not part of a longer name, nor of a file's."""
    before, after = _before(data, start), _after(data, end)
    if before in b"._-":
        return False
    return not (after == 0x2E and _after(data, end + 1) in _ALNUM) and after not in b"_-" if after else True


def is_serial(value: bytes) -> bool:
    """What could number one thing: a digit is in it, and it is no filler, no path, no stand-in."""
    return (
        has_digit(value)
        and not is_placeholder(value)
        and not value.startswith((b"serial-x", b"0x"))
        and b"/" not in value
    )


def is_ssid(value: bytes) -> bool:
    """A name of a network and no word about it."""
    return value.lower() not in NO_SECRETS and not value.startswith(b"ssid-x")


def is_no_filler(value: bytes) -> bool:
    """Digits that are no filler."""
    return not is_placeholder(value)
