"""Read a file of sinks, strictly: every error names file, line and key, and none repeats what may be a secret."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sparkctl.app.file_fields import Fields
from sparkctl.app.file_values import lexical, matches, number, one_of, seconds, selector_word, size
from sparkctl.app.places import Places
from sparkctl.app.settings_file import examined, usable
from sparkctl.app.sink_address import BadAddress, address_of
from sparkctl.app.sink_formats import FORMATS
from sparkctl.inventory.problems import Problems, Where
from sparkctl.inventory.yaml_nodes import Mapping as YamlMapping
from sparkctl.inventory.yaml_nodes import YamlNode
from sparkctl.model.event import EventKind, EventSeverity
from sparkctl.model.inventory import Problem
from sparkctl.model.printable import printable
from sparkctl.model.sink import Address, Only, Retry, SecretFrom, SecretRef, SinkPlan, SinkSettings, Spool
from sparkctl.sinks.http import is_loopback
from sparkctl.sinks.registry import SCHEMES, Scheme

_TOP = ("version", "within", "sinks")
_COMMON = ("url", "only", "format", "retry", "spool", "batch", "timeout")
_SECRETS = ("token", "password", "secret", "key", "api_key", "apikey", "hmac_key", "authorization", "headers", "header")
_FACILITIES = ("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp")
_NAME = r"[a-z][a-z0-9-]{0,31}"
_MAIL = r"[A-Za-z0-9._+-]{1,64}(@[A-Za-z0-9.-]{1,190})?"
_WORKS_FOR_ALL = frozenset(key for scheme in SCHEMES.values() for key in scheme.keys)

Value = TypeVar("Value")


def plan_at(places: Places) -> SinkPlan:
    """The sinks that a command has: of the file that is named or found, or none at all. Raises UsageError."""
    path = places.sinks
    return SinkPlan() if path is None else read_sinks(path)


def read_sinks(path: Path) -> SinkPlan:
    """The sinks in a file. Raises UsageError for the first error in it, with file, line and key."""
    return usable(examine(path), "sparkctl sinks check")


def examine(path: Path) -> tuple[SinkPlan | None, list[Problem]]:
    """What the file says, None where that is of no use, and everything that is wrong with it."""
    file = lexical(path)
    return examined(file, "with the key `sinks`", lambda root, problems: _read(file, root, problems))


def _read(path: Path, root: YamlMapping, problems: Problems) -> SinkPlan:
    top = Fields(root, "", path, problems, _TOP)
    top.text("version", matches("1", "must be 1"), required="Write `version: 1`.")
    within_s = top.text("within", seconds)
    listed = top.entries("sinks", required="Write a name and its `url:` under `sinks:`.")
    found = (_sink(path, name, line, node, problems) for name, line, node in listed)
    sinks = {sink.name: sink for sink in found if sink is not None}
    return SinkPlan(path, 20.0 if within_s is None else float(within_s), sinks)


def _sink(path: Path, name: str, line: int, node: YamlNode, problems: Problems) -> SinkSettings | None:
    where = Where(str(path), line, f"sinks.{printable(name, 60)}")
    if not re.fullmatch(_NAME, name):
        action = "A name is of small letters, digits and hyphens, begins with a letter, and has at most 32 of them."
        problems.error(where, "this is no name of a sink", action)
        return None
    if not isinstance(node, YamlMapping):
        problems.error(where, "this must be a mapping", "Write a `url:` line under it.")
        return None
    known = (*_COMMON, *_WORKS_FOR_ALL, *_SECRETS)
    return _SinkReader(name, Fields(node, where.key or "", path, problems, known)).read()


class _SinkReader:
    def __init__(self, name: str, fields: Fields) -> None:
        self._name, self._fields = name, fields

    def read(self) -> SinkSettings | None:
        """The sink; None when it cannot be told what it is."""
        fields = self._fields
        for key in _SECRETS:
            if fields.has(key):
                action = "Take it out of this file, and change it; then name where it is: token_file, token_env or"
                fields.wrong(key, "a secret must not stand in this file", f"{action} credential.")
        address = self._address()
        if address is None:
            return None
        scheme = SCHEMES[address.scheme]
        self._keys_of(address.scheme, scheme)
        secret = self._secret()
        if secret and address.scheme.endswith("+http") and not is_loopback(address.host):
            fields.wrong("url", "a token would go there in the clear", "Use https, or a program on this machine.")
        return SinkSettings(
            name=self._name,
            address=address,
            only=self._only(scheme),
            format=fields.text("format", one_of(tuple(FORMATS))) or "event",
            retry=self._retry(),
            spool=self._spool(),
            batch=fields.text("batch", number(1, 1000)) or 100,
            timeout_s=float(fields.text("timeout", _within(1, 300)) or 10),
            secret=secret,
            **self._of_scheme(address),
        )

    def _address(self) -> Address | None:
        text = self._fields.text("url", str, required=f"Write an address; schemes are: {', '.join(SCHEMES)}.")
        try:
            return None if text is None else address_of(text)
        except BadAddress as error:
            self._fields.wrong("url", str(error), error.action)
            return None

    def _keys_of(self, name: str, scheme: Scheme) -> None:
        for key in sorted(_WORKS_FOR_ALL - scheme.keys):
            if self._fields.has(key):
                self._fields.wrong(key, f"`{key}` means nothing to {name}", "Leave it out.")
        for keys in scheme.required:
            if not any(self._fields.has(key) for key in keys):
                words = " or ".join(f"`{key}`" for key in sorted(keys))
                self._fields.wrong(None, f"{name} needs {words}", "Write it.")

    def _secret(self) -> SecretRef | None:
        found: list[SecretRef] = []
        for source in SecretFrom:
            text = self._fields.text(source.value, str)
            if text is None:
                continue
            if source is SecretFrom.FILE:
                found.append(SecretRef(source, str(lexical(self._fields.folder / text))))
            elif re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,100}", text):
                found.append(SecretRef(source, text))
            else:  # not repeated: it may be the secret itself
                self._fields.wrong(
                    source.value, "this is no name of a variable or credential", "Name it, do not give it."
                )
        if len(found) > 1:
            self._fields.wrong(found[1].source.value, "the secret is named twice", "Leave one.")
        return found[0] if found else None

    def _only(self, scheme: Scheme) -> Only:
        fields = self._fields.under("only", ("kinds", "min_severity", "selector"))
        takes = tuple(kind.value for kind in EventKind if kind in scheme.takes)
        kinds = fields.texts("kinds", one_of(takes))
        least = fields.text("min_severity", one_of(tuple(EventSeverity)))
        selector = fields.texts("selector", selector_word)
        return Only(
            kinds=frozenset(EventKind(kind) for kind in kinds) if fields.has("kinds") else scheme.kinds,
            min_severity=EventSeverity(least) if least else EventSeverity.INFO,
            selector=",".join(selector) or None,
        )

    def _retry(self) -> Retry:
        fields, usual = self._fields.under("retry", ("attempts", "max_age", "first", "longest")), Retry()
        found = Retry(
            attempts=fields.text("attempts", number(1, 10_000)) or usual.attempts,
            max_age_s=fields.text("max_age", _within(60, 366 * 86400)) or usual.max_age_s,
            first_s=fields.text("first", _within(1, 3600)) or usual.first_s,
            longest_s=fields.text("longest", _within(1, 86400)) or usual.longest_s,
        )
        if found.longest_s < found.first_s:
            fields.wrong("longest", "the longest wait is shorter than the first", "Raise it.")
        return found

    def _spool(self) -> Spool:
        fields, usual = self._fields.under("spool", ("rows", "size", "keep")), Spool()
        keep_s = fields.text("keep", _within(0, 366 * 86400))
        return Spool(
            rows=fields.text("rows", number(1, 10_000_000)) or usual.rows,
            max_bytes=fields.text("size", size) or usual.max_bytes,
            keep_s=usual.keep_s if keep_s is None else keep_s,
        )

    def _of_scheme(self, address: Address) -> dict[str, Any]:
        fields = self._fields
        rotate = fields.under("rotate", ("size", "keep"))
        read: dict[str, Any] = {key: fields.text(key, self._path) for key in ("ca_file", "cert_file", "key_file")}
        read["proxy"] = self._proxy()
        read["user"] = fields.text("user", matches(r"[A-Za-z0-9._@-]{1,120}", "must be the name of a user"))
        read["index"] = fields.text("index", matches(r"[a-z0-9][a-z0-9._-]{0,254}", "must be the name of an index"))
        read["ack"] = fields.text("ack", _yes)
        facility = fields.text("facility", one_of((*_FACILITIES, *(f"local{number}" for number in range(8)))))
        read["facility"] = _facility(facility) if facility else None
        read["sd_id"] = fields.text("sd_id", matches(r"[A-Za-z0-9_.-]{1,20}@[0-9.]{1,11}", "must be as sparkctl@32473"))
        read["message"] = fields.text("message", one_of(("summary", "payload")))
        usual = 2048 if address.scheme == "syslog+udp" else None
        read["max_bytes"] = fields.text("max_bytes", number(480, 1_000_000)) or usual
        read["rotate_bytes"] = rotate.text("size", size)
        read["rotate_keep"] = rotate.text("keep", number(1, 1000))
        read["sender"] = fields.text("from", matches(_MAIL, "must be one mail address"))
        read["to"] = tuple(fields.texts("to", matches(_MAIL, "must be a mail address"))) or None
        if read["key_file"] and not read["cert_file"]:
            fields.wrong("key_file", "a key goes with a certificate", "Name that, too: `cert_file`.")
        return {key: value for key, value in read.items() if value is not None}

    def _proxy(self) -> str | None:
        text = self._fields.text("proxy", str)
        if text is not None and not re.fullmatch(r"none|http://[A-Za-z0-9.:\[\]-]{1,260}/?", text):
            action = "Write it without a login; one with a login goes into HTTPS_PROXY."
            self._fields.wrong("proxy", "this must be http://HOST:PORT or none", action)  # not repeated
            return None
        return text

    def _path(self, text: str) -> Path:
        return lexical(Path(text).expanduser() if text.startswith("~/") else self._fields.folder / text)


def _within(low: int, high: int) -> Callable[[str], int]:
    """A duration within bounds, in seconds."""

    def convert(text: str) -> int:
        if not low <= (found := seconds(text)) <= high:
            raise ValueError(f"must be from {low}s to {high}s")
        return found

    return convert


def _yes(text: str) -> bool:
    return one_of(("true", "false"))(text) == "true"


def _facility(name: str) -> int:
    return 16 + int(name[5:]) if name.startswith("local") else _FACILITIES.index(name)
