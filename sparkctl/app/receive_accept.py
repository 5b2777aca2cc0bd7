"""The evidence that comes of our own work: host keys that are pinned, and an acceptance test that was passed."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sparkctl.app.actor import actor
from sparkctl.app.inventory import selection
from sparkctl.app.node_moves import deciding, evidence_fact
from sparkctl.app.node_states import Known, entries_of, known
from sparkctl.app.places import Places
from sparkctl.app.receive_record import FOLDER, write_document
from sparkctl.errors import RefusedError, UsageError
from sparkctl.inventory.load import load_fleet
from sparkctl.lifecycle.match_group import serial_key
from sparkctl.model.base import Record
from sparkctl.model.envelope import HealthEnvelope
from sparkctl.model.facets.difference import value_at
from sparkctl.model.inventory import Node
from sparkctl.model.ledger import EvidenceRef, LedgerEntry
from sparkctl.model.lifecycle import CUSTODY_RECEIVED, LifecycleState
from sparkctl.model.printable import printable
from sparkctl.model.receiving import Acceptance, PinnedKeys
from sparkctl.model.run import RunRecord
from sparkctl.model.vocabulary import Outcome, Status
from sparkctl.store.entries import RunKind
from sparkctl.store.store import Store
from sparkctl.transport.hostkeys import HostKeys, Pins
from sparkctl.transport.route import Router
from sparkctl.transport.seam import TransportError


@dataclass(frozen=True, slots=True)
class Provided:
    """Evidence that was made and entered; `why` says why there is none of a node."""

    node_id: str
    path: Path | None = None
    entry: LedgerEntry | None = None
    why: str | None = None


def pins(places: Places, selector: str) -> Iterator[Provided]:
    """Enter the host keys that are pinned for each selected node as its evidence; raises UsageError."""
    router, keys = Router(places.transport_settings), HostKeys()
    for node in selection(places, selector).nodes:
        if node.transport == "local":
            yield Provided(node.node_id, why="its transport is local: there is no host key to pin")
            continue
        try:
            found = _pins_of(places, node, router, keys)
        except TransportError as error:
            yield Provided(node.node_id, why=error.message)
            continue
        if not found.trusted and not found.authorities:
            why = f"nothing is pinned for {found.name}: sparkctl inventory pin {node.node_id}"
            yield Provided(node.node_id, why=why)
            continue
        document = PinnedKeys(
            node_id=node.node_id,
            at=datetime.now(UTC).replace(microsecond=0),
            name=printable(found.name, 300),
            keys={pin.fingerprint: printable(f"{pin.algorithm} {pin.file}", 500) for pin in found.trusted},
            authorities={pin.fingerprint: printable(f"{pin.algorithm} {pin.file}", 500) for pin in found.authorities},
        )
        entry, path = _provide(places, node.node_id, "host_keys.pinned", document, "host-keys")
        yield Provided(node.node_id, path, entry)


def _pins_of(places: Places, node: Node, router: Router, keys: HostKeys) -> Pins:
    endpoint, settings = router.route(node).node, places.transport_settings
    files = [*(node.ssh.known_hosts_files or settings.known_hosts_files), settings.pins_file]
    return keys.lookup(endpoint.key_host, endpoint.key_port, files)


def _provide(places: Places, node_id: str, kind: str, document: Record, name: str) -> tuple[LedgerEntry, Path]:
    """Write a document of ours, and enter it; the entry, and where the document is."""
    body = document.model_dump_json().encode() + b"\n"
    digest = hashlib.sha256(body).hexdigest()
    path = places.state / FOLDER / f"{name}-{node_id}-{digest[:8]}.json"
    fleet = load_fleet(places.fleet)
    with deciding(places.state), Store.open(places.state) as store:
        found = known(fleet, store, node_id)
        write_document(places, path, body)
        fact = evidence_fact(found, kind, EvidenceRef(name=path.name, sha256=digest), actor())
        return store.ledger.add([fact], datetime.now(UTC))[0], path


def accept(places: Places, node_id: str, run_id: str | None) -> tuple[LedgerEntry, Path]:
    """Judge the acceptance test of a received node by its newest sweep, or that of a run, and its newest collection.

    Passed is: every required check evaluated, none failed, and the machine is the one that was received. The entry and
    its document are returned. Raises RefusedError, which names everything that is not so.
    """
    with Store.open(places.state, create=False) as store:
        found = known(load_fleet(places.fleet), store, node_id)
        taken = _taken_in(store, found)
        health = _health(store, node_id, run_id)
        facts = store.newest(node_id, RunKind.COLLECT)
    faults = [*_faults_of_health(health, taken), *_faults_of_facts(facts, taken)]
    if faults:
        more = f"; and {len(faults) - 6} more" if len(faults) > 6 else ""
        raise RefusedError(
            f"{node_id} has not passed its acceptance test: {'; '.join(faults[:6])}{more}",
            hint=f"sparkctl health {node_id} && sparkctl collect {node_id}, then again; or move it to quarantined",
        )
    assert health is not None and facts is not None  # noqa: S101, PT018 - else there were faults
    return _provide(places, node_id, "acceptance.passed", _document(found, taken, health, facts), "acceptance")


def _taken_in(store: Store, found: Known) -> LedgerEntry:
    if found.standing.state is not LifecycleState.RECEIVED:
        raise RefusedError(
            f"{found.node_id} is {found.standing.state.value}: the acceptance test is of a machine that was received",
            hint=f"see: sparkctl node show {found.node_id}",
        )
    entries = entries_of(store, found.node_id)
    taken = [one for one in entries if one.kind == CUSTODY_RECEIVED and one.seq > found.standing.began and one.serial]
    if not taken:
        raise RefusedError(
            f"the ledger does not say with which serial {found.node_id} was received",
            hint="enter the delivery with: sparkctl receive record",
        )
    return taken[-1]


def _health(store: Store, node_id: str, run_id: str | None) -> RunRecord | None:
    if run_id is None:
        return store.newest(node_id, RunKind.HEALTH)
    if store.run(run_id) is None:
        raise UsageError(f"there is no run '{printable(run_id, 60)}'", hint="see: sparkctl history NODE")
    return next(iter(store.records_of(run_id, [node_id])), None)


def _faults_of_health(record: RunRecord | None, taken: LedgerEntry) -> Iterator[str]:
    if record is None:
        yield "it was not judged"
        return
    if record.outcome is not Outcome.REPORTED or not isinstance(record.envelope, HealthEnvelope):
        yield f"its sweep {record.run_id} has no report of its health ({record.status})"
        return
    if record.ts < taken.at.replace(microsecond=0):
        yield f"its sweep {record.run_id} is older than its receipt"
    data = record.envelope.data
    if data is None:
        yield f"its sweep {record.run_id} has no findings"
        return
    yield from (f"{one.check} failed: {one.summary}" for one in data.findings if one.status is Status.FAIL)
    yield from (f"{check} is required and was not evaluated" for check in data.rollup.required_unevaluated)


def _faults_of_facts(record: RunRecord | None, taken: LedgerEntry) -> Iterator[str]:
    if record is None or record.outcome is not Outcome.REPORTED or record.envelope is None:
        yield "its facts were not collected"
        return
    if record.ts < taken.at.replace(microsecond=0):
        yield f"its facts of run {record.run_id} are older than its receipt"
    serial = _serial_of(record)
    if serial is None:
        yield "it names no serial"
    elif serial_key(serial) != serial_key(taken.serial or ""):
        yield f"it says its serial is {serial}, and {taken.serial} was received"


def _serial_of(record: RunRecord) -> str | None:
    data = record.envelope.model_dump(mode="json").get("data") if record.envelope else None
    facets = data.get("facets") if isinstance(data, dict) else None
    identity = facets.get("identity") if isinstance(facets, dict) else None
    serial = value_at(identity, ("serial",)) if isinstance(identity, dict) else None
    return str(serial) if serial else None


def _document(found: Known, taken: LedgerEntry, health: RunRecord, facts: RunRecord) -> Acceptance:
    assert isinstance(health.envelope, HealthEnvelope)  # noqa: S101 - whoever calls has looked
    findings = health.envelope.data.findings if health.envelope.data else []
    return Acceptance(
        node_id=found.node_id,
        serial=taken.serial or "",
        at=datetime.now(UTC).replace(microsecond=0),
        by=actor(),
        run_id=health.run_id,
        judged_at=health.ts,
        health=_digest(health),
        identity=_digest(facts),
        required=[one.check for one in findings if one.required],
        warned=[one.check for one in findings if one.status is Status.WARN],
        simulated=health.simulated or found.simulated,
    )


def _digest(record: RunRecord) -> str:
    return hashlib.sha256(record.model_dump_json().encode()).hexdigest()
