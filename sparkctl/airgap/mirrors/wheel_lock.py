"""Lock files of pip: exact releases with the digests of their files, and nothing else.

Without digests pip takes whatever an index gives, and so would a first sync that notes what came. Hence a requirement
without them is an error, not something to be trusted once.
"""

import re
from collections.abc import Iterable, Iterator

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from pydantic import ValidationError

from sparkctl.model.mirror_wheels import MAX_HASHES, MAX_PINS, WheelPin
from sparkctl.model.printable import printable

_COMMENT = re.compile(r"(^|\s+)#.*$")
_HASH = re.compile(r"\s+--hash[= ]")
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")


def pins_in(text: str) -> list[WheelPin]:
    """The requirements of a lock file; raises ValueError with the line and half a sentence."""
    pins = [_pin(number, line) for number, line in _lines(text)]
    if not pins:
        raise ValueError("line 1: there is no requirement in it")
    if len(pins) > MAX_PINS:
        raise ValueError(f"line 1: there are more than {MAX_PINS:,} requirements in it")
    return pins


def lock_text(pins: Iterable[WheelPin]) -> str:
    """A lock file of these requirements, one a line, as pip reads it."""
    return "".join(f"{_words(pin)}{''.join(f' --hash=sha256:{each}' for each in pin.sha256)}\n" for pin in pins)


def _words(pin: WheelPin) -> str:
    extras = f"[{','.join(pin.extras)}]" if pin.extras else ""
    return f"{pin.name}{extras}=={pin.version}{f' ; {pin.marker}' if pin.marker else ''}"


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Whole lines with their first number: a backslash goes on, a comment ends one."""
    whole, begun = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        whole, begun = whole + line.removesuffix("\\") + " ", begun or number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            continue
        if words := _COMMENT.sub("", whole).strip():
            yield begun, words
        whole, begun = "", 0
    if words := _COMMENT.sub("", whole).strip():
        yield begun, words


def _pin(number: int, line: str) -> WheelPin:
    words, *hashes = _HASH.split(line)
    if words.startswith("-"):
        raise ValueError(f"line {number}: an option, {printable(words, 60)}, where only requirements may be")
    try:
        requirement = Requirement(words.strip())
    except InvalidRequirement:
        raise ValueError(f"line {number}: {printable(words, 60)!r} is no requirement") from None
    named = f"line {number}: {printable(requirement.name, 60)}"
    digests = [match[1] for each in hashes if (match := _SHA256.fullmatch(each.strip()))]
    if not hashes:
        raise ValueError(f"{named} has no --hash, so that anything could come in its place")
    if len(digests) != len(hashes) or len(digests) > MAX_HASHES:
        raise ValueError(f"{named} has a --hash that is not sha256: and 64 hexadecimal digits")
    try:
        return WheelPin(
            name=canonicalize_name(requirement.name),
            version=_version(requirement),
            extras=sorted(requirement.extras),
            marker=str(requirement.marker) if requirement.marker else None,
            sha256=sorted(set(digests)),
        )
    except ValidationError:
        raise ValueError(f"{named} has a name or a marker that is none") from None
    except ValueError as error:
        raise ValueError(f"{named} {error}") from None


def _version(requirement: Requirement) -> str:
    specifiers = list(requirement.specifier)
    if requirement.url or len(specifiers) != 1 or specifiers[0].operator != "==" or "*" in specifiers[0].version:
        raise ValueError("is not pinned with one ==")
    try:
        return str(Version(specifiers[0].version))
    except InvalidVersion:
        raise ValueError("has a version that is none") from None
