"""Read the beacon that a first-boot hook left, prove it, and pin the host keys in it: the first contact is no leap."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sparkctl.airgap.seed_render import node_secret
from sparkctl.app.inventory import one_node
from sparkctl.app.places import Places
from sparkctl.app.seed_instances import last_instance
from sparkctl.app.seed_secret import master_secret
from sparkctl.contract import strict_json
from sparkctl.errors import ContractError, RefusedError, UsageError
from sparkctl.lifecycle.match_group import serial_key
from sparkctl.model.inventory import Node
from sparkctl.model.printable import printable
from sparkctl.model.seed import BeaconRead, SeedBeacon
from sparkctl.store.location import make_state_dir
from sparkctl.transport.hostkeys import HostKeys, Pins, PresentedKey, pin
from sparkctl.transport.route import Router
from sparkctl.transport.seam import TransportError

MAX_BYTES = 256 * 1024
_ASK_THE_MACHINE = "compare its fingerprints on its console, and pin by hand: sparkctl inventory pin"


@dataclass(frozen=True, slots=True)
class _Endpoint:
    host: str
    port: int
    pins: Pins


def read_beacon(places: Places, path: Path, enrolment: Path | None) -> BeaconRead:
    """Prove a beacon by the secret of its node's stick, and pin the host keys in it.

    Raises UsageError for what is no beacon, RefusedError for one that proves nothing, is of an older seed or another
    machine, or would have its keys stand beside others.
    """
    document = _document(path)
    beacon = _parsed(document, path)
    node = one_node(places, beacon.node_id)
    _require_proven(beacon, document, master_secret(places, enrolment, make=False))
    _require_last(places, beacon)
    _require_same_machine(beacon, node)
    keys = [_key(one.public_key, one.fingerprint) for one in beacon.host_keys]
    endpoint = _endpoint(places, node)
    known = {one.blob for one in endpoint.pins.trusted}
    fresh = [key for key in keys if key.blob not in known]
    _require_no_other(endpoint.pins, keys, fresh, node.node_id)
    _pin(places, endpoint, fresh)
    return BeaconRead(
        node_id=node.node_id,
        state=beacon.state,
        at=beacon.at,
        serial=beacon.serial,
        pinned_as=printable(endpoint.pins.name, 300),
        pinned=[key.fingerprint for key in fresh],
        known_before=[key.fingerprint for key in keys if key.blob in known],
        errors=beacon.errors,
    )


def _document(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file():
            raise UsageError(f"there is no file {path}", hint="it is beacon.json on the stick of the node")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}",
            hint='a stick is root\'s: sudo install -o "$USER" .../beacon.json . and name that',
        ) from None
    if len(content) > MAX_BYTES:
        raise UsageError(f"{path} is longer than a beacon", hint="it is beacon.json on the stick of the node")
    try:
        found = strict_json.parse(content)
    except ContractError as error:
        raise UsageError(f"{path} is no beacon: {printable(error.message)}") from None
    if not isinstance(found, dict):
        raise UsageError(f"{path} is no beacon", hint="it is beacon.json on the stick of the node")
    return found


def _parsed(document: dict[str, Any], path: Path) -> SeedBeacon:
    try:
        return SeedBeacon.model_validate_json(json.dumps(document))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{path} is no beacon: {printable(place)}: {printable(first['msg'])}") from None


def _require_proven(beacon: SeedBeacon, document: dict[str, Any], master: bytes) -> None:
    if beacon.state != "done" or beacon.hmac is None:
        why = f": {printable(beacon.errors[-1])}" if beacon.errors else ""
        raise RefusedError(
            f"the beacon of {beacon.node_id} proves nothing: its first boot is {beacon.state}{why}",
            hint="put its stick in and let it try again; it does so by itself, also after a reboot",
        )
    rest = {key: value for key, value in document.items() if key != "hmac"}
    said = json.dumps(rest, sort_keys=True, separators=(",", ":")).encode("ascii")
    secret = bytes.fromhex(node_secret(master, beacon.node_id, beacon.instance_id))
    if not hmac.compare_digest(hmac.new(secret, said, hashlib.sha256).hexdigest(), beacon.hmac):
        raise RefusedError(
            f"the beacon of {beacon.node_id} was not made with the secret of its stick, or was changed",
            hint=f"is it of another bastion's seed (--enrolment)? Else {_ASK_THE_MACHINE}",
        )


def _require_last(places: Places, beacon: SeedBeacon) -> None:
    last = last_instance(places, beacon.node_id)
    if last is not None and beacon.instance_id != last:
        raise RefusedError(
            f"the beacon of {beacon.node_id} is of the seed {beacon.instance_id}, and the last one made is {last}",
            hint="take the beacon that its newest stick holds; an older stick proves nothing any more",
        )


def _require_same_machine(beacon: SeedBeacon, node: Node) -> None:
    if node.serial is not None and serial_key(beacon.serial or "") != serial_key(node.serial):
        raise RefusedError(
            f"the beacon of {node.node_id} is of serial {beacon.serial}, and the inventory says {node.serial}",
            hint="the stick was put into another machine, or the inventory is wrong",
        )


def _key(public_key: str, fingerprint: str) -> PresentedKey:

    try:
        key = PresentedKey.of(base64.b64decode(public_key.split(" ")[1], validate=True))
    except ValueError:
        raise RefusedError("a host key in the beacon is no key", hint=_ASK_THE_MACHINE) from None
    if key.fingerprint != fingerprint or key.public_key != public_key:
        raise RefusedError("a host key in the beacon is not the one of its fingerprint", hint=_ASK_THE_MACHINE)
    return key


def _endpoint(places: Places, node: Node) -> _Endpoint:
    if node.transport == "local":
        raise UsageError(f"the transport of {node.node_id} is local: there is no host key to pin")
    settings = places.transport_settings
    try:
        end = Router(settings).route(node).node
    except TransportError as error:
        raise UsageError(error.message, hint=error.hint) from None
    files = [*(node.ssh.known_hosts_files or settings.known_hosts_files), settings.pins_file]
    return _Endpoint(end.key_host, end.key_port, HostKeys().lookup(end.key_host, end.key_port, files))


def _require_no_other(pins: Pins, keys: list[PresentedKey], fresh: list[PresentedKey], node_id: str) -> None:
    """Pin all of them or none: once something is pinned, whoever has the stick adds no key of his own to it."""
    revoked = {one.blob for one in pins.revoked}
    for key in keys:
        if key.blob in revoked:
            raise RefusedError(f"{node_id} reports {key.fingerprint}, which is revoked", hint="make it new host keys")
    reported = {key.blob for key in keys}
    for one in pins.trusted:
        if one.blob not in reported:
            raise RefusedError(
                f"{one.fingerprint} is pinned for {pins.name} in {one.file}, and its beacon does not report that key",
                hint=f"if it was installed again, remove the old line first: ssh-keygen -R '{pins.name}' -f {one.file}",
            )
    if pins.trusted and fresh:
        raise RefusedError(
            f"{fresh[0].fingerprint} in the beacon of {node_id} would stand beside what is pinned for {pins.name}",
            hint="what is pinned does for the first contact; to pin all that the beacon reports, remove the old lines"
            f" first: ssh-keygen -R '{pins.name}' -f {pins.trusted[0].file}",
        )


def _pin(places: Places, endpoint: _Endpoint, keys: list[PresentedKey]) -> None:
    make_state_dir(places.state)
    path = places.transport_settings.pins_file
    try:
        for key in keys:
            pin(path, endpoint.host, endpoint.port, key.public_key)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", hint="make it a file that you may write"
        ) from None
