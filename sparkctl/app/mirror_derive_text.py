"""A derived mirror.yaml as text, which is read back and compared with what was meant before anybody gets it.

Values stand as JSON strings of ASCII, which YAML reads as they are; what comes of a node and is no value stands in a
comment, on one line.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from sparkctl.app.mirror_derive_record import Entry, Found, plain
from sparkctl.app.mirror_file import MirrorFile, mirror_file
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.mirror_apt import FLAT, AptMirror

FILL_IN = "FILL IN"
"""Stands where a person has to decide; no reader takes it."""

_PLAIN_KEY = re.compile(r"[a-z][a-z0-9-]*")
_YAML_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off"})
_TRIED_KEY = b"\xc6\x00"
"""Begins as a public key does (RFC 9580, section 4.2), for a reader that looks no further."""
_TRIED_DIGEST = hashlib.sha256(_TRIED_KEY).hexdigest()
_TRIED_SIGNER = "0" * 40


def text_of(found: Found, heading: Sequence[str], *, tried: bool = False) -> str:
    """The file; `tried` fills in what a person has to, so that a reader takes it."""
    lines = [*(f"# {plain(line)}" for line in heading), "", "version: 1", "folder: mirror"]
    lines += ["# url: http://mirror.lab.example    where the far side serves it"]
    if found.entries:
        lines += ["", "apt:"]
        for entry in found.entries:
            lines += _entry_lines(entry, tried=tried)
    if found.pins:
        lines += ["", "pins:"]
        for pin in found.pins:
            lines += [f"  {_key(pin.name)}:", f"    packages: {_value(pin.packages)}", f"    pin: {_value(pin.pin)}"]
            lines += [f"    priority: {pin.priority}"]
    if found.not_covered:
        lines += ["", "# What clients will miss; `mirror plan` tells it in capitals as long as it stands here."]
        lines += ["not_covered:", *(f"  - {_value(sentence)}" for sentence in found.not_covered)]
    for block in found.suggested:
        lines += ["", *(f"# {plain(line, 600)}" for line in block)]
    return "\n".join(lines) + "\n"


def require_meant(text: str, found: Found, heading: Sequence[str]) -> None:
    """Raise RefusedError unless YAML has exactly what was meant in the text, and the reader of mirror.yaml takes it."""
    try:
        same = yaml.safe_load(text) == _document(found, tried=False)
        with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
            read = mirror_file(_tried(Path(scratch), found, heading))
    except (yaml.YAMLError, UsageError) as error:
        raise RefusedError(f"what was made of these facts cannot be read: {error}", hint=_HINT) from error
    if not same or not _as_meant(read, found):
        raise RefusedError("what was made of these facts says something else than they do", hint=_HINT)


_HINT = "nothing was written; please report it"


def _entry_lines(entry: Entry, *, tried: bool) -> Iterator[str]:
    yield f"  {_key(entry.name)}:"
    for note in entry.notes:
        yield f"    # {plain(note)}"
    fields = _fields(entry, tried=tried)
    comments = {
        "signed_by": plain(entry.keyring.how),
        "signed_by_sha256": "" if entry.keyring.sha256 else "look at the keys (gpg --show-keys), then sha256sum",
        "sign_with": "a fingerprint of a key of yours: a flat archive is signed again",
    }
    for field, value in fields.items():
        comment = comments.get(field, "")
        yield f"    {field}: {_value(value)}" + (f"  # {comment}" if comment else "")
    if entry.flat:
        yield "    # packages: [...]    for a part of it, with what it depends on"


def _fields(entry: Entry, *, tried: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {"uri": entry.uri, "suites": list(entry.suites) or FLAT}
    if not entry.flat:
        fields["components"] = list(entry.components)
    fields["architectures"] = list(entry.architectures)
    fields["signed_by"] = entry.keyring.file
    fields["signed_by_sha256"] = _TRIED_DIGEST if tried else entry.keyring.sha256 or FILL_IN
    if entry.flat:
        fields["sign_with"] = _TRIED_SIGNER if tried else FILL_IN
    return fields


def _document(found: Found, *, tried: bool) -> dict[str, Any]:
    """What YAML should have in the file."""
    document: dict[str, Any] = {"version": 1, "folder": "mirror"}
    if found.entries:
        document["apt"] = {entry.name: _fields(entry, tried=tried) for entry in found.entries}
    if found.pins:
        document["pins"] = {
            pin.name: {"packages": pin.packages, "pin": pin.pin, "priority": pin.priority} for pin in found.pins
        }
    if found.not_covered:
        document["not_covered"] = found.not_covered
    return document


def _tried(folder: Path, found: Found, heading: Sequence[str]) -> Path:
    """The same file with everything filled in, and something at each place of a keyring."""
    for entry in found.entries:
        place = folder / entry.keyring.file
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(_TRIED_KEY)
    path = folder / "mirror.yaml"
    path.write_text(text_of(found, heading, tried=True), "ascii")
    return path


def _as_meant(read: MirrorFile, found: Found) -> bool:
    specs = [mirrored.spec for mirrored in read.mirrors.values()]
    told = [
        (spec.name, spec.uri, spec.suites, spec.components, spec.architectures)
        for spec in specs
        if isinstance(spec, AptMirror)
    ]
    meant = [
        (entry.name, entry.uri, list(entry.suites) or [FLAT], list(entry.components), list(entry.architectures))
        for entry in found.entries
    ]
    return told == meant and list(read.pins) == found.pins and list(read.not_covered) == found.not_covered


def _key(name: str) -> str:
    return name if _PLAIN_KEY.fullmatch(name) and name not in _YAML_WORDS else json.dumps(name)


def _value(value: Any) -> str:
    return json.dumps(value)
