"""What an index offers of the releases that a lock file names: how much it would be, and what has no wheel."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sparkctl.airgap.mirrors.download import download
from sparkctl.airgap.mirrors.kind import Planned
from sparkctl.airgap.mirrors.wheel_file import named
from sparkctl.airgap.mirrors.wheel_target import Target, needed, tags_of, targets_of
from sparkctl.errors import UsageError
from sparkctl.model.mirror_wheels import WheelPin, WheelsMirror

_MAX_PAGE = 128 * 2**20
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"


@dataclass(frozen=True, slots=True)
class Offered:
    """A file of an index; `size` in bytes, None where the index does not say."""

    file: str
    sha256: str
    size: int | None


def plan_wheels(mirror: WheelsMirror, work: Path) -> Planned:
    """What a mirror would bring; only the pages of its distributions are fetched. Raises UsageError, OSError."""
    names = sorted({pin.name for target in targets_of(mirror) for pin in needed(mirror.pins, target)})
    pages = {name: _offered(name, mirror.indexes, work / "pages") for name in names}
    chosen: dict[str, Offered] = {}
    missing = []
    for target in targets_of(mirror):
        for pin in needed(mirror.pins, target):
            best = _best(pages[pin.name], pin, target)
            if best is None:
                missing.append(f"THERE IS NO WHEEL OF {pin.name.upper()} {pin.version} for {target}: sync would refuse")
            else:
                chosen[best.sha256] = best
    sizes = [offered.size for offered in chosen.values()]
    known = [size for size in sizes if size is not None]
    return Planned(
        bytes=sum(known) if len(known) == len(sizes) else None,
        counts={"distributions": len(pages), "wheels": len(chosen)},
        not_covered=missing,
    )


def _best(offered: Sequence[Offered], pin: WheelPin, target: Target) -> Offered | None:
    """The wheel that an installer would choose on a target."""
    ranked = []
    for each in offered:
        if each.sha256 not in pin.sha256:
            continue
        try:
            name, version, tags = named(each.file)
        except ValueError:
            continue
        ranks = [tags_of(target)[tag] for tag in tags if tag in tags_of(target)]
        if ranks and (name, version) == (pin.name, pin.version):
            ranked.append((min(ranks), each.file, each))
    return min(ranked, key=lambda one: one[:2])[2] if ranked else None


def _offered(name: str, indexes: Sequence[str], pages: Path) -> list[Offered]:
    """The files of a distribution on all indexes; raises UsageError when none of them has it."""
    found: list[Offered] = []
    fault: UsageError | None = None
    answered = False
    for number, index in enumerate(indexes):
        page = pages / f"{name}.{number}"
        try:
            download(f"{index.rstrip('/')}/{name}/", page, pages / "curl.log", limit=_MAX_PAGE, accept=_ACCEPT)
        except UsageError as error:
            fault = fault or error
            continue
        answered = True
        found += _files(page.read_bytes())
    if fault is not None and not answered:
        raise fault
    return found


def _files(page: bytes) -> Iterator[Offered]:
    """The files of a page in JSON (PEP 691), or in HTML (PEP 503), which says no sizes."""
    try:
        document = json.loads(page)
    except (ValueError, RecursionError):
        yield from _links(page.decode("utf-8", "replace"))
        return
    files = document.get("files") if isinstance(document, dict) else None
    for each in files if isinstance(files, list) else []:
        if isinstance(each, dict) and (offered := _entry(each)):
            yield offered


def _entry(entry: Mapping[str, Any]) -> Offered | None:
    file, hashes, size = entry.get("filename"), entry.get("hashes"), entry.get("size")
    sha256 = hashes.get("sha256") if isinstance(hashes, dict) else None
    if not isinstance(file, str) or not isinstance(sha256, str):
        return None
    return Offered(file, sha256, size if type(size) is int and size >= 0 else None)


class _Links(HTMLParser):
    """The addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where a link leads."""
        self.found += [value for key, value in attrs if tag == "a" and key == "href" and value]


def _links(text: str) -> Iterator[Offered]:
    parser = _Links()
    with contextlib.suppress(AssertionError):  # so it ends where a page is none
        parser.feed(text)
    for address in parser.found:
        try:
            parts = urlsplit(address)
        except ValueError:
            continue
        if parts.fragment.startswith("sha256="):
            yield Offered(unquote(parts.path.rsplit("/", 1)[-1]), parts.fragment.removeprefix("sha256="), None)
