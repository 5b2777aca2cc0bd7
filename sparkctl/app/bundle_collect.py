"""Collect evidence of many nodes: each one's bundle is sealed as soon as it has arrived."""

import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sparkctl.app.named_collectors import Reports, reports_among
from sparkctl.app.programs import program_of
from sparkctl.app.resume import asked_of
from sparkctl.app.run import Asked, RunRequest, run_fleet
from sparkctl.app.seal_pool import SEAL_SECONDS, SealPool, seal_pool
from sparkctl.app.sealing import Order
from sparkctl.app.spool import Spool
from sparkctl.app.unpacking import UNPACKED_BYTES
from sparkctl.errors import ExitCode, UsageError
from sparkctl.evidence.signers import signer_of
from sparkctl.executor.question import bring_evidence
from sparkctl.executor.receiver import Kept
from sparkctl.model.bundle import BundleEnvelope
from sparkctl.model.inventory import Node
from sparkctl.model.run import AnyEnvelope
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.report.bundles import BundleTally
from sparkctl.report.outputs import SweepOutput
from sparkctl.report.words import size
from sparkctl.store.entries import RunKind
from sparkctl.store.store import Store
from sparkctl.transport.seam import TransportError

SUFFIX = ".spark-evidence.tar.zst"
BUDGET = 50 * 2**20
"""Bytes that one node may bring, before redaction."""
ROOM = 4 * BUDGET  # bytes: what came, the same laid out, redacted, and sealed
REPORT_SEAL_SECONDS = 120.0  # what each report adds to the time that a bundle may take to seal
PROBE = 64 * 1024  # bytes
CONNECTING_S = 5.0  # of the time for a node, kept back for reaching it
DOCUMENT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleOptions:
    """The folder that bundles go to, the key to sign them with, collectors that must be asked for by name.

    `named` are those, a report perhaps with its limit of seconds (`sosreport=600`); `total_bytes` is how large the
    bundles may become together.
    """

    out: Path = Path()
    key: Path | None = None
    named: tuple[str, ...] = ()
    total_bytes: int | None = None


def collect_bundles(request: RunRequest, options: BundleOptions, output: SweepOutput) -> ExitCode:
    """Bring a bundle of each selected node.

    Raises as `run_fleet` does, and UsageError for a key or folder that cannot be used.
    """
    if options.key is not None:
        signer_of(options.key)  # now, and not when the first node has answered
    named = options.named or _named_before(request)
    reports = reports_among(named)
    _require_folder(options.out, room_for(reports))
    program_s = max(request.limits.node_s - CONNECTING_S, request.limits.program_s) + reports.seconds
    node_s = request.limits.node_s + reports.seconds
    limits = replace(request.limits, node_s=node_s, program_s=program_s, document_bytes=DOCUMENT_BYTES)
    program = program_of("bundle")
    unsealed: set[Path] = set()
    try:
        with seal_pool(SEAL_SECONDS + REPORT_SEAL_SECONDS * len(reports.names)) as pool:
            receiving = _Receiving(pool, request.places.state, options, unsealed, reports)
            question = bring_evidence(BUDGET, named)
            asked = Asked(
                RunKind.BUNDLE, program, question, BundleTally(), receiving.begin, beside=pool, require=reports.require
            )
            return run_fleet(replace(request, limits=limits), asked, output)
    finally:
        for folder in unsealed:  # the pool may have gone on to write after a spool was removed
            shutil.rmtree(folder, ignore_errors=True)


def _named_before(request: RunRequest) -> tuple[str, ...]:
    """The collectors that the run to take up was asked for by name."""
    if request.resume is None:
        return ()
    with Store.open(request.places.state, create=False) as store:
        named = asked_of(store, request.resume, RunKind.BUNDLE)
    return tuple(named.split(",")) if named else ()


def room_for(reports: Reports) -> int:
    """Bytes of disk that one bundle may need while it is made."""
    return ROOM + reports.bytes + 3 * UNPACKED_BYTES * len(reports.names)  # unpacked, redacted, and sealed


def _require_folder(out: Path, room: int) -> None:
    """Write into the folder now, and not when the first node has answered; raises UsageError where that fails."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out) as probe:
            probe.write(bytes(PROBE))
            probe.flush()
            os.fsync(probe.fileno())
        crowded = _too_full(out, room)
    except OSError as error:
        words = f"no bundle can be written into {out}: {error.strerror or error}"
        raise UsageError(words, hint="name another folder with --out") from error
    if crowded:
        raise UsageError(crowded, hint="make room, or name another folder with --out")


def _too_full(folder: Path, room: int) -> str | None:
    """In words, where a bundle as large as one may be would fill the disk; raises OSError."""
    free = shutil.disk_usage(folder).free
    if free >= room:
        return None
    return f"{folder} has {size(free)} free, and a bundle may need {size(room)} while it is made"


class _Receiving:
    """What all receivers of a run share."""

    def __init__(
        self, pool: SealPool, state: Path, options: BundleOptions, unsealed: set[Path], reports: Reports
    ) -> None:
        self.pool, self.state, self.options, self.unsealed = pool, state, options, unsealed
        self.most_bytes, self._room = BUDGET + BUDGET // 10 + reports.bytes, room_for(reports)
        self.spools = state / "spool"
        self.moment = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        self._left = options.total_bytes
        self._fresh = False

    def begin(self, node: Node, nonce: str) -> "_Receiver":
        """The receiver of one visit; raises TransportError when the bundles have their size, or the disk no room."""
        if not self._fresh:
            # The run holds the lock of this state folder: what is here was left by one that was killed.
            shutil.rmtree(self.spools, ignore_errors=True)
            self._fresh = True
        if self._left is not None and self._left <= 0:
            words = f"the bundles have reached {size(self.options.total_bytes or 0)}, as much as they may have together"
            raise TransportError(Stage.SCHEDULE, Cause.RUN_SIZE, words)
        for folder in (self.state, self.options.out):
            if crowded := _too_full(folder, self._room):
                raise TransportError(Stage.SCHEDULE, Cause.NOT_KEPT, crowded)
        return _Receiver(self, node, nonce)

    def count(self, sealed_bytes: int) -> None:
        """Take a bundle off what is left."""
        if self._left is not None:
            self._left -= sealed_bytes


class _Receiver:
    """Takes in one node's stream, and has it sealed."""

    def __init__(self, receiving: _Receiving, node: Node, nonce: str) -> None:
        self._receiving, self._node = receiving, node
        self._spool = Spool(receiving.spools / nonce, nonce, receiving.most_bytes)

    @property
    def taken_bytes(self) -> int:
        """Bytes of the stream so far, as they came."""
        return self._spool.taken_bytes

    def take(self, data: bytes) -> bytes:
        """Take what is of the stream."""
        return self._spool.take(data)

    async def finish(self, envelope: AnyEnvelope) -> Kept:
        """Seal what came."""
        assert isinstance(envelope, BundleEnvelope)  # noqa: S101 - the question decodes nothing else
        assert envelope.data is not None  # noqa: S101 - decoding refuses a document without
        self._spool.finish(envelope.data)
        shared = self._receiving
        target = shared.options.out / f"{self._node.node_id}-{shared.moment}{SUFFIX}"
        order = Order(self._spool.folder, envelope, self._node.simulated, target, shared.options.key)
        shared.unsealed.add(order.spool)
        sealed = await shared.pool.seal(order)
        shared.unsealed.discard(order.spool)
        shared.count(sealed.bytes)
        warnings = (f"withheld: {name}" for name in sealed.withheld)
        return Kept((str(sealed.path),), tuple(warnings))

    def close(self) -> None:
        """Remove the spool."""
        self._spool.close()
