"""Lay two documents beside each other whose names are stand-ins under two keys, so that another name is no change."""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sparkctl.model.canonical import canonical_json

# Each repetition is bounded and ends at a character that it cannot hold: there is nothing to go back over.
_HEX = "[0-9a-fA-F]"
_FORMS = re.compile(
    r"\b(?P<word>host|domain|user|person|serial|ssid|secret|pem)-x[a-z2-7]{10}(?:\.invalid)?"
    rf"|(?<!{_HEX})(?P<uuid>{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}|{_HEX}{{32}})(?!{_HEX})"
    rf"|(?<![:\w])(?P<mac>(?:{_HEX}{{2}}:){{5}}{_HEX}{{2}}|(?:{_HEX}{{4}}:){{3}}{_HEX}{{4}})(?![:\w])"
    r"|(?P<fingerprint>SHA256:[A-Za-z0-9+/]{43})"
    rf"|(?P<tpm>\b000b{_HEX}{{64}}\b)|(?P<wwid>\b(?:eui|naa)\.{_HEX}{{16,64}})"
    rf"|(?P<volume>\b[0-9A-F]{{4}}-[0-9A-F]{{4}}\b)"
)
_ADDRESS = re.compile(
    rf"(?<![\w.:])(?P<ipv6>(?:{_HEX}{{0,4}}:){{2,7}}{_HEX}{{0,4}})(?![\w:])"
    r"|(?<![\w.])(?P<ipv4>(?:[0-9]{1,3}\.){3}[0-9]{1,3})(?![\w.])"
)
_VERSION = re.compile(r"version|release|revision|firmware|driver|build|vbios|gsp", re.IGNORECASE)
MOST = 100_000  # characters of a text in which names are looked for


def paired(old: Any, new: Any, name: str = "") -> tuple[Any, Any]:
    """Both JSON values with the new one's names in place of the old one's, wherever nothing else is otherwise.

    `name` is the field's own: what is called a version holds no address.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return _maps(old, new)
    if isinstance(old, list) and isinstance(new, list):
        same = sorted(map(_key, old)) == sorted(map(_key, new))
        return (new, new) if same or sorted(_shapes(old, name)) == sorted(_shapes(new, name)) else (old, new)
    same = isinstance(old, str) and isinstance(new, str) and shape(old, name) == shape(new, name)
    return (new, new) if same else (old, new)


def shape(text: str, name: str = "") -> str:
    """A text with every stand-in by its class only; a hardware address keeps its maker, as its stand-in does."""
    text = _FORMS.sub(_class, text[:MOST])
    return text if _VERSION.search(name) else _ADDRESS.sub(_address, text)


def _maps(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Members under one name side by side, then those whose names are stand-ins of one form, the most alike first."""
    pairs = {name: paired(old[name], new[name], name) for name in old if name in new}
    ours, theirs = _by_shape(old, pairs), _by_shape(new, pairs)
    names = {name: name for name in pairs}
    for form, olds in ours.items():
        for before, after in _alike(olds, theirs.get(form, {})):
            pairs[before] = paired(olds[before], theirs[form][after], before)
            names[before] = after
    left = {names.get(name, name): pairs[name][0] if name in pairs else value for name, value in old.items()}
    back = {after: before for before, after in names.items()}
    right = {name: pairs[back[name]][1] if name in back else value for name, value in new.items()}
    return left, right


def _by_shape(members: Mapping[str, Any], done: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Members whose names hold a stand-in, by the form of the name."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, value in members.items():
        if name not in done and (form := shape(name)) != name:
            found[form][name] = value
    return found


def _alike(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names to be paired: those with the same content first, then as they come."""
    waiting: dict[str, list[str]] = defaultdict(list)
    for name, value in new.items():
        waiting[_shaped(value, name)].append(name)
    pairs, rest = [], []
    for name, value in old.items():
        same = waiting[_shaped(value, name)]
        if same:
            pairs.append((name, same.pop(0)))
        else:
            rest.append(name)
    free = [name for names in waiting.values() for name in names]
    return [*pairs, *zip(rest, free, strict=False)]


def _shapes(values: list[Any], name: str) -> list[str]:
    return [_shaped(value, name) for value in values]


def _shaped(value: Any, name: str = "") -> str:
    """A JSON value by its form, as text that can be compared."""
    if isinstance(value, Mapping):
        members = sorted([shape(key), _shaped(each, key)] for key, each in value.items())
        return _key(members)
    if isinstance(value, list):
        return _key(sorted(_shapes(value, name)))
    return _key(shape(value, name) if isinstance(value, str) else value)


def _key(value: Any) -> str:
    return canonical_json(value).decode()


def _class(found: re.Match[str]) -> str:
    kind = found.lastgroup
    if kind == "word":
        return f"‹{found['word']}›"
    return f"‹{kind} {found[0][:8].lower()}›" if kind == "mac" else f"‹{kind}›"


def _address(found: re.Match[str]) -> str:
    """An address by its kind, where it is one and does not mean the same everywhere."""
    try:
        address = ipaddress.ip_address(found[0])
    except ValueError:
        return found[0]
    if address.is_loopback or address.is_unspecified or address.is_multicast:
        return found[0]
    return f"‹{found.lastgroup}›"
