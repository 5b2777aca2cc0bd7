"""From the text of a setting to its value: one table of what each key accepts."""

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address
from pathlib import Path
from typing import get_args

from sparkctl.inventory.draft import ScalarValue, SettingValue
from sparkctl.inventory.problems import nearest
from sparkctl.model.base import PRINTABLE
from sparkctl.model.inventory import HostKeyPolicy, TransportName
from sparkctl.model.printable import printable
from sparkctl.model.vocabulary import Elevation

Convert = Callable[[str, Path], ScalarValue]
"""From text, and the folder that relative paths start from, to a value; raises ValueError with half a sentence."""

LABEL_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_./-]{0,118}[A-Za-z0-9])?")

_HOST = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]*")
_USER = re.compile(r"[^\s:-][^\s:]*")
_JUMP = re.compile(r"(?:[^\s@:,/-][^\s:,/]*@)?(?:\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*)(?::([0-9]{1,5}))?")
_PRINTABLE = re.compile(PRINTABLE)
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})


def _text(limit: int) -> Convert:
    def convert(text: str, _folder: Path) -> str:
        if not text or len(text) > limit or not _PRINTABLE.fullmatch(text) or _has_surrogate(text):
            raise ValueError(f"must be one printable line of 1 to {limit:,} characters")
        return text

    return convert


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text) if not text.isascii() else False


def _one_of(words: tuple[str, ...], kind: Callable[[str], str] = str) -> Convert:
    def convert(text: str, _folder: Path) -> str:
        if text not in words:
            close = nearest(text, words, 1)
            raise ValueError(f"must be one of {', '.join(words)}" + (f"; did you mean {close[0]}?" if close else ""))
        return kind(text)

    return convert


def _host(text: str, _folder: Path) -> str:
    bare = text[1:-1] if is_bracketed_ipv6(text) else text
    if len(bare) > 120 or not _HOST.fullmatch(bare):
        raise ValueError("must be a host name or an address of at most 120 characters")
    return bare


def is_bracketed_ipv6(text: str) -> bool:
    """Whether the brackets around the text are those of an IPv6 address, not of a range."""
    try:
        return text.startswith("[") and text.endswith("]") and IPv6Address(text[1:-1]) is not None
    except AddressValueError:
        return False


def _port(text: str, _folder: Path) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= 65535:
        raise ValueError("must be a whole number from 1 to 65535")
    return int(text)


def _user(text: str, _folder: Path) -> str:
    if len(text) > 120 or not _USER.fullmatch(text) or not _PRINTABLE.fullmatch(text) or _has_surrogate(text):
        raise ValueError("must be a user name without spaces and colons")
    return text


def _jump(text: str, _folder: Path) -> str:
    found = _JUMP.fullmatch(text.removeprefix("ssh://"))
    if found is None or len(text) > 120 or (found[1] and not 1 <= int(found[1]) <= 65535):
        raise ValueError("must read [user@]host[:port]")
    return found[0]


def _boolean(text: str, _folder: Path) -> bool:
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("must be true or false")
    return word in _TRUE


def _path(text: str, folder: Path) -> Path:
    if not text or len(text) > 1000 or not _PRINTABLE.fullmatch(text) or _has_surrogate(text):
        raise ValueError("must be a path of at most 1,000 printable characters")
    return Path(text) if text.startswith("~") else folder / text


WORD = _text(120)
LABEL_VALUE = _text(1000)

SCALARS: dict[str, Convert] = {
    "transport": _one_of(get_args(TransportName)),
    "elevation": _one_of(tuple(Elevation), Elevation),
    "site": WORD,
    "rack": WORD,
    "power_group": WORD,
    "state": WORD,
    "serial": WORD,
    "unit": WORD,
    "simulated": _boolean,
    "ssh.host": _host,
    "ssh.port": _port,
    "ssh.user": _user,
    "ssh.agent": _boolean,
    "ssh.config_file": _path,
    "ssh.host_key_policy": _one_of(get_args(HostKeyPolicy)),
}
"""Settings of one value."""

LISTS: dict[str, Convert] = {
    "ssh.identity_files": _path,
    "ssh.certificate_files": _path,
    "ssh.known_hosts_files": _path,
    "ssh.jump": _jump,
}
"""Settings of several values; each is converted by itself."""

DEALT = frozenset({"ssh.host", "ssh.port", "serial", "rack", "power_group", "unit"})
"""Settings whose ranges are dealt out, one value to each node of an entry that describes several."""

NODE_KEYS = frozenset(key for key in SCALARS if "." not in key) | {"ssh", "labels"}
SSH_KEYS = frozenset(key.removeprefix("ssh.") for key in (*SCALARS, *LISTS) if key.startswith("ssh."))


def convert(key: str, text: str, folder: Path) -> SettingValue:
    """Turn the text of a setting of one value, or of a label, into its value.

    Raises ValueError with a clause that follows the name of the setting.
    """
    try:
        converter = LABEL_VALUE if key.startswith("labels.") else SCALARS[key]
        return converter(text, folder)
    except ValueError as error:
        raise ValueError(f"{error}, not '{printable(text)}'") from error


def convert_list(key: str, texts: list[str], folder: Path) -> SettingValue:
    """Turn the texts of a setting of several values into a list; raises ValueError as `convert` does."""
    values: list[ScalarValue] = []
    for text in texts:
        try:
            values.append(LISTS[key](text, folder))
        except ValueError as error:
            raise ValueError(f"{error}, not '{printable(text)}'") from error
    return values
