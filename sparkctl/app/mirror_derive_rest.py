"""What a node has beside its sources of packages: pins, snaps, images, what pip installed, firmware."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sparkctl.app import site_values as values
from sparkctl.app.mirror_derive_record import Found, listed, plain, short_name
from sparkctl.app.mirror_derive_sources import allowed
from sparkctl.app.mirror_kinds.images import image_name
from sparkctl.model.facets.difference import Gaps
from sparkctl.model.facets.firmware import Firmware, FwupdDevice
from sparkctl.model.facets.paths import to_text
from sparkctl.model.facets.software import AptPin as NodePin
from sparkctl.model.facets.software import Image, Software
from sparkctl.model.site import AptPin

_PRIORITIES = range(-32768, 32768)
_ASKED = ("apt_sources", "apt_pins", "snaps", "python_packages", "docker_images", "podman_images")
_BY_HOST = re.compile(r'origin\s+"?([A-Za-z0-9.-]*)"?')
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LVFS = "https://cdn.fwupd.org/downloads/firmware.xml.zst"
_SNAPS_IN_A_SENTENCE = 8


def add_gaps(found: Found, document: Mapping[str, Any]) -> None:
    """Say what could not be read on the node: it may have more of that than is here."""
    for path, reason in Gaps(document).reasons.items():
        if not path or path[0] in _ASKED:
            found.lacks(f"what the node has in {to_text(path) or 'all of its software'} could not be read: {reason}")


def add_pins(found: Found, software: Software) -> None:
    """Add the pins that mean the same behind a mirror."""
    for key, pin in (software.apt_pins or {}).items():
        meant = re.sub(r"\s*,\s*", ",", " ".join((pin.pin or "").split()))
        why = _unfit(found, pin, meant)
        if why is not None:
            effect = "NEVER INSTALLED" if pin.priority < 0 else f"priority {pin.priority}"
            found.lacks(f"pin {plain(key, 50)}: {listed(pin.packages, 70)} by `{plain(meant, 70)}`, {effect}: {why}")
            continue
        name = short_name(re.sub(r"#[0-9]+$", "", key), {one.name for one in found.pins})
        found.pins.append(AptPin(name=name, packages=pin.packages, pin=meant, priority=pin.priority))
    again = [entry.name for entry in found.entries if entry.flat]
    if again and any(pin.pin.startswith("release ") for pin in found.pins):
        found.lacks(
            f"pins by release: mirrors that are signed again ({listed(again)}) may have another origin and label than"
            " their owner gave them; compare with `apt-cache policy` on a client"
        )


def _unfit(found: Found, pin: NodePin, meant: str) -> str | None:
    """Why a pin cannot be taken over, and what to do."""
    if (by_host := _BY_HOST.fullmatch(meant)) is not None:
        host = by_host[1]
        of = [entry.name for entry in found.entries if host and f"//{host}/" in entry.uri]
        of_them = f" (here: {listed(of, 40)})" if of else ""
        return f"behind a mirror all have one host{of_them}; pin by `release o=...,l=...`, as `apt-cache policy` shows"
    if pin.priority not in _PRIORITIES:
        return "no such priority can be"
    if not all(allowed(values.package_pattern, package) for package in pin.packages):
        return "names of packages in this form cannot stand in a mirror.yaml"
    if not pin.packages or not allowed(values.pin_text, meant):
        return "a pin in this form cannot stand in a mirror.yaml"
    return None


def add_snaps(found: Found, software: Software) -> None:
    """Name every snap: there is no mirror of any."""
    snaps = [f"{name} ({revision})" for name, revision in (software.snaps or {}).items()]
    for start in range(0, len(snaps), _SNAPS_IN_A_SENTENCE):
        some = listed(snaps[start : start + _SNAPS_IN_A_SENTENCE], 250)
        found.lacks(f"snaps {some}: carry each by `snap download`, or have a Snap Store Proxy of Canonical")


def add_wheels(found: Found, software: Software) -> None:
    """Say which interpreters have packages that pip installed."""
    by_python: dict[str, list[str]] = {}
    for key, version in (software.python_packages or {}).items():
        python, _, name = key.partition("/")
        by_python.setdefault(python, []).append(f"{name} {version}")
    for python, packages in by_python.items():
        found.lacks(
            f"what pip installed for {plain(python, 40)} ({listed(packages, 150)}): mirror it as `wheels`, by a lock"
            " file with digests"
        )


def add_images(found: Found, software: Software) -> None:
    """Suggest the images of the node, each by the digest that it has now; name those that no registry has."""
    images: dict[str, Image] = {**(software.docker_images or {}), **(software.podman_images or {})}
    names = {key: _image_name(key, image) for key, image in images.items()}
    pinned = sorted({name for name in names.values() if name is not None})
    if pinned:
        lines = ["images:", "  of-the-node:", "    images:", *(f"      - {json.dumps(name)}" for name in pinned)]
        found.suggested.append(
            ["Images of the node, by the digests that it has, see `sparkctl help mirrors-images`:", *lines]
        )
        found.leaves(f"{len(pinned):,} images of containers: uncomment `images:` at the end of the file")
    others = [key for key, name in names.items() if name is None]
    if others:
        found.lacks(f"images that no registry has ({listed(others, 200)}): carry them in a bundle, by `docker save`")


def _image_name(key: str, image: Image) -> str | None:
    """REGISTRY/REPOSITORY:TAG@DIGEST, as an image is named anywhere; None for one without registry or digest."""
    if image.digest is None or key.startswith("sha256:"):
        return None
    name = key.partition("@")[0]
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif not set(".:") & set(first) and first != "localhost":
        name = f"docker.io/{name}"
    whole = f"{name}@{image.digest}"
    return whole if allowed(image_name, whole) else None


def add_firmware(found: Found, document: Mapping[str, Any] | None) -> None:
    """Suggest the devices of the node whose firmware can be updated."""
    if document is None:
        found.leaves("firmware: collect the facet `firmware` too, and the devices of the node are suggested")
        return
    if document.get("data") is None:
        found.leaves("firmware: none of it could be read on the node")
        return
    firmware = Firmware.model_validate_json(json.dumps(document["data"]))
    devices = {key: device for key, device in (firmware.fwupd or {}).items() if _GUID.fullmatch(key)}
    wanted = {key: device for key, device in devices.items() if not device.flags or "updatable" in device.flags}
    wanted |= {key: FwupdDevice() for key in firmware.esrt or {} if _GUID.fullmatch(key) and key not in devices}
    if not wanted:
        found.leaves("firmware: the node has no device that fwupd could update")
        return
    lines = ["firmware:", "  lvfs:", f"    metadata: {_LVFS}", "    trust: /etc/pki/fwupd/LVFS-CA.pem", "    devices:"]
    lines += [f'      - "{key}"  # {_device(device)}' for key, device in sorted(wanted.items())]
    lines += ["    sign_cert: keys/firmware-sign.pem", "    sign_key: keys/firmware-sign.key"]
    found.suggested.append(
        ["Devices of the node whose firmware can be updated, see `sparkctl help mirrors-firmware`:", *lines]
    )
    found.leaves(f"firmware of {len(wanted):,} devices: uncomment `firmware:` at the end of the file, and complete it")


def _device(device: FwupdDevice) -> str:
    words = " ".join(word for word in (device.vendor, device.name, device.version) if word)
    return plain(words, 80) or "not known to fwupd"


ADDED: tuple[Callable[[Found, Software], None], ...] = (add_pins, add_snaps, add_wheels, add_images)
"""What is added beside sources, in the order in which it is told."""
