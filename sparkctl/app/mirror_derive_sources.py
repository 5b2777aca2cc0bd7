"""Which sources of a node can be mirrored, and as what; of the others, what to do about them."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from sparkctl.app import site_values as values
from sparkctl.app.mirror_derive_keyring import Keyrings
from sparkctl.app.mirror_derive_record import Entry, Found, listed, plain, short_name
from sparkctl.model.facets.software import AptSource, Software

NATIVE = "arm64"
_ESM = "esm.ubuntu.com"
_PPA_SNAPSHOTS = "snapshot.ppa.launchpadcontent.net"
_SNAPSHOT_ID = re.compile(r"/[0-9]{8}T[0-9]{6}Z/?$")
_MOST = {"suites": 20, "components": 20, "architectures": 5}
"""What a mirror has room for."""


def add_sources(found: Found, software: Software, keyrings: Keyrings) -> None:
    """Add the sources of a node, by the names of their files."""
    foreign = _foreign(software)
    for key, source in sorted((software.apt_sources or {}).items()):
        if not source.enabled:
            found.leaves(f"{key}: it is not enabled on the node")
        elif "deb" not in source.types:
            found.leaves(f"{key}: it has no packages to install ({listed(source.types)})")
        elif not source.uris:
            found.leaves(f"{key}: it has no address")
        elif source.trusted and source.signed_by is None:
            found.lacks(
                f"{key}: the node takes it without a signature (trusted=yes), and a mirror is never taken so; get a key"
                " from its owner and write an entry for it"
            )
        else:
            for entry in _entries(found, key, source, keyrings, set(foreign)):
                found.entries.append(entry)
            if "deb-src" in source.types:
                found.lacks(f"{key}: packages in source (deb-src) are not mirrored")
    for architecture, packages in foreign.items():
        if not any(architecture in entry.architectures for entry in found.entries):
            found.lacks(
                f"packages of {architecture} are installed ({listed(packages, 80)}): add it to `architectures` of"
                " the mirror that has them"
            )


def _foreign(software: Software) -> dict[str, list[str]]:
    """The names of installed packages of other architectures, by architecture."""
    foreign: dict[str, list[str]] = {}
    for package in software.packages or {}:
        name, colon, architecture = package.partition(":")
        if colon and allowed(values.short_name, architecture):
            foreign.setdefault(architecture, []).append(name)
    return foreign


def _entries(found: Found, key: str, source: AptSource, keyrings: Keyrings, foreign: set[str]) -> Iterator[Entry]:
    file = _file_of(key)
    architectures = source.architectures or [NATIVE]
    kept = [one for one in architectures if one == NATIVE or one in foreign]
    if not kept:
        found.leaves(f"{key}: it is for {listed(architectures)} alone, of which the node has no package")
        return
    if kept != architectures:
        found.leaves(f"{key}: {listed([one for one in architectures if one not in kept])}: the node has none of it")
    notes = [f"{file} of the node"]
    if source.trusted:
        notes.append("the node takes it without a signature (trusted=yes); the mirror does not")
    for uri in source.uris:
        for address, suites in _archives(uri, source.suites):
            why = _unfit(address, suites, source.components, kept)
            if why is not None:
                found.lacks(f"{key}: {plain(address, 150)}: {why}")
                continue
            name = short_name(_stem(key), {entry.name for entry in found.entries})
            yield Entry(
                name=name,
                source=file,
                uri=address,
                suites=suites,
                components=source.components if suites else (),
                architectures=kept,
                keyring=keyrings.of(source, file, name),
                notes=[*notes, *_words(address)],
            )


def _archives(uri: str, suites: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Archives at a URI with their suites; a flat one, whose suite is a path with a slash at its end, has none."""
    if not suites:
        yield uri, ["(none)"]
    with_suites = [suite for suite in suites if not suite.endswith("/")]
    if with_suites:
        yield uri, with_suites
    for suite in suites:
        if suite.endswith("/"):
            path = suite.removeprefix("./").strip("/")
            yield (f"{uri.rstrip('/')}/{path}/" if path else uri), []


def _unfit(uri: str, suites: list[str], components: list[str], architectures: list[str]) -> str | None:
    """Why an archive cannot be mirrored, and what to do."""
    return _unfit_address(uri) or _unfit_names(suites, components, architectures)


def _unfit_address(uri: str) -> str | None:
    scheme, host = uri.partition(":")[0].lower(), _host(uri)
    if scheme not in ("http", "https"):
        return f"nothing over {plain(scheme, 20)}: is mirrored; carry what it has in a bundle, or name its origin"
    if not allowed(values.url, uri) or "/../" in f"{uri}/":
        return "this address cannot stand in a mirror.yaml"
    if host == _ESM:
        return (
            "ESM wants credentials of Ubuntu Pro, which have no place in this file: clients get no updates of it;"
            " Canonical has an air-gapped server of Pro for that"
        )
    if host == _PPA_SNAPSHOTS and not _SNAPSHOT_ID.search(uri):
        return (
            "this service answers for one snapshot only (ID such as 20261130T000000Z after the address), and keeps most"
            " for two weeks: name one in an entry, or mirror the archive itself at ppa.launchpadcontent.net"
        )
    return None


def _unfit_names(suites: list[str], components: list[str], architectures: list[str]) -> str | None:
    if suites and not components:
        return "it has suites and no components"
    if not all(allowed(values.suite_name, suite) and ".." not in suite for suite in suites):
        return "the name of one of its suites cannot stand in a mirror.yaml"
    if not all(allowed(values.component_name, component) and ".." not in component for component in components):
        return "the name of one of its components cannot stand in a mirror.yaml"
    counted = {"suites": suites, "components": components, "architectures": architectures}
    over = [what for what, names in counted.items() if len(names) > _MOST[what]]
    return f"it has more {over[0]} than one mirror takes: make several of it" if over else None


def _words(uri: str) -> Iterator[str]:
    if _host(uri) == _PPA_SNAPSHOTS:
        yield "one snapshot of a PPA: it never changes, and Launchpad keeps most for two weeks"


def _host(uri: str) -> str:
    try:
        return (urlsplit(uri).hostname or "").lower()
    except ValueError:
        return ""


def _file_of(key: str) -> str:
    """The file of the node that a source stands in; the second of a file is called FILE#2."""
    name = plain(re.sub(r"#[0-9]+$", "", key), 120)
    return "/etc/apt/sources.list" if name == "sources.list" else f"/etc/apt/sources.list.d/{name}"


def _stem(key: str) -> str:
    return re.sub(r"(\.sources|\.list)?(#[0-9]+)?$", "", key)


def allowed(check: Callable[[str], object], text: str) -> bool:
    """Whether a value may stand in a file of settings."""
    try:
        check(text)
    except ValueError:
        return False
    return True
