"""What metadata of firmware names: components of our devices, their releases, and the cab of each."""

import re
from collections.abc import Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement

from sparkctl.airgap.mirrors.component_xml import components
from sparkctl.model.printable import printable

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9._~%+/@-]{1,500}")
_NAME = re.compile(r"[A-Za-z0-9._~%+@-]{1,300}")


@dataclass(frozen=True, slots=True)
class Release:
    """A version of a component: how it is called, the digest of its cab, its size in bytes, and where it is.

    `sha256` and `location` are None where the metadata names none, or two that differ.
    """

    title: str
    sha256: str | None
    size: int | None
    location: str | None


def of_devices(path: Path, devices: Collection[str]) -> list[Element]:
    """The components in metadata whose firmware is for one of these devices; raises ValueError, OSError."""
    wanted = frozenset(devices)
    return components(path, lambda component: not wanted.isdisjoint(guids(component)))


def guids(component: Element) -> set[str]:
    """The devices that a component is for."""
    found = component.findall("provides/firmware")
    return {(one.text or "").strip().lower() for one in found if one.get("type") == "flashed"}


def releases(component: Element) -> Iterator[tuple[Element, Release]]:
    """The releases of a component, with the element of each."""
    name = (component.findtext("id") or "a component without a name").strip()
    for element in component.findall("releases/release"):
        title = printable(f"{name} {element.get('version', 'of no version')}", 300)
        digests, sizes, places = set[str](), set[str](), list[str]()
        for checksum in _checksums(element):
            digests.add((checksum.text or "").strip().lower())
        for size in element.findall("size"):
            if size.get("type") == "download" and re.fullmatch(r"[0-9]{1,12}", (size.text or "").strip()):
                sizes.add((size.text or "").strip())
        for place in (*element.findall("location"), *_binaries(element, "location")):
            places.append((place.text or "").strip())
        sha256 = digests.pop() if len(digests) == 1 else ""
        yield (
            element,
            Release(
                title,
                sha256 if _SHA256.fullmatch(sha256) else None,
                int(sizes.pop()) if len(sizes) == 1 else None,
                places[0] if places else None,
            ),
        )


def address(release: Release, metadata: str, base: str | None) -> str | None:
    """Where a cab is fetched from: its own address, or its name below the base or beside the metadata.

    As fwupd does it (fwupd-remotes.d(5)): with a base, the last part of the location counts. None for what is no
    plain address.
    """
    location = release.location or ""
    if base is None and _ADDRESS.fullmatch(location):
        return location
    name = urlsplit(location).path.rsplit("/", 1)[-1] if "/" in location else location
    if not _NAME.fullmatch(name) or (base is None and name != location):
        return None
    return f"{(base or metadata.rsplit('/', 1)[0]).rstrip('/')}/{name}"


def cab_name(sha256: str) -> str:
    """What a cab is called on the mirror: two are never the same name, and no name is somebody else's."""
    return f"{sha256}.cab"


def served(component: Element, digests: Collection[str]) -> Element | None:
    """A component as the mirror serves it, with the releases whose cabs are there; None when there are none.

    A location without a slash is looked for beside the metadata (fwupd 2.0.20, libfwupd/fwupd-remote.c).
    """
    found = deepcopy(component)
    parent = found.find("releases")
    if parent is None:
        return None
    for element, release in list(releases(found)):
        if release.sha256 is None or release.sha256 not in digests:
            parent.remove(element)
            continue
        for place in (element, *element.findall("artifacts/artifact")):
            for location in place.findall("location"):
                place.remove(location)
        SubElement(element, "location").text = cab_name(release.sha256)
    return found if len(parent) else None


def of_cab(component: Element, sha256: str, size: int) -> Element:
    """The metadata of a cab, made from the component in it; of several releases, fwupd installs the first."""
    found = deepcopy(component)
    for parent in found.findall("releases"):
        for element in parent.findall("release")[1:]:
            parent.remove(element)
        for element in parent.findall("release"):
            for strange in (*_containers(element), *element.findall("location"), *element.findall("artifacts")):
                element.remove(strange)
            checksum = SubElement(element, "checksum", {"type": "sha256", "target": "container"})
            checksum.text = sha256
            SubElement(element, "size", {"type": "download"}).text = str(size)
        SubElement(element, "location").text = cab_name(sha256)
    return found


def payloads(component: Element) -> list[str]:
    """The files of a cab that a component has fwupd install (fwupd 2.0.20, src/fu-cabinet.c)."""
    found = []
    for element in component.findall("releases/release"):
        source = next((one for one in element.findall("artifacts/artifact") if one.get("type") == "source"), None)
        content = next((one for one in element.findall("checksum") if one.get("target") == "content"), None)
        if source is not None:
            name = source.findtext("filename")
        else:
            name = content.get("filename") if content is not None else None
        found.append((name or "firmware.bin").rsplit("/", 1)[-1])
    return found


def _containers(element: Element) -> list[Element]:
    return [one for one in element.findall("checksum") if one.get("target") == "container"]


def _checksums(element: Element) -> Iterator[Element]:
    """The SHA-256 of the cab of a release, in the older and the newer way of AppStream."""
    for checksum in (*_containers(element), *_binaries(element, "checksum")):
        if checksum.get("type") == "sha256":
            yield checksum


def _binaries(element: Element, tag: str) -> Iterator[Element]:
    """What the cabs of a release have by a tag; an artifact whose file is no cab tells of what is in it."""
    for artifact in element.findall("artifacts/artifact"):
        name = artifact.findtext("filename") or ".cab"
        if artifact.get("type") == "binary" and name.lower().endswith(".cab"):
            yield from artifact.findall(tag)
