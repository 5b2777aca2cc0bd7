"""Read a folder of seeds that was made here or elsewhere: nothing of it counts that its signature does not cover."""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from sparkctl.airgap.blobs import opened
from sparkctl.airgap.seed_render import InstallerNode
from sparkctl.app.seed import MANIFEST
from sparkctl.app.seed_secret import allowed_signers
from sparkctl.contract import strict_json
from sparkctl.errors import ContractError, RefusedError, UsageError
from sparkctl.evidence.files import chunks_of, files_below
from sparkctl.evidence.ssh_signatures import MAX_SIGNATURE, Signatory, signatory, signature_of
from sparkctl.model.printable import printable
from sparkctl.model.seed import SEED_NAMESPACE, SeedManifest, SeedPayload

_MAX_MANIFEST = 64 * 2**20
_MAX_ANSWERS = 16 * 2**20  # bytes of one file that is read whole: user-data holds at most some files of a site
_CHANGED = "make the seeds again, and find out who changed them"


@dataclass(frozen=True, slots=True)
class SeededNode:
    """A node, and what an installer is told of it: `user-data` and `meta-data`, by name."""

    node: InstallerNode
    answers: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class SeedFolder:
    """The nodes of a folder that holds, who signed it, and the digest of its manifest."""

    nodes: list[SeededNode]
    signed_by: Signatory
    manifest_sha256: str


def read_seeds(folder: Path, key: Path) -> SeedFolder:
    """Verify a folder of seeds with the key that signed it, or its public half.

    Every file must be there as the manifest says, and no other. Raises RefusedError when something was changed or is
    not there, UsageError when it is no folder of seeds.
    """
    content = _bounded(folder / MANIFEST, _MAX_MANIFEST)
    by = _signatory(folder, content, key)
    try:
        strict_json.parse(content)
        manifest = SeedManifest.model_validate_json(content)
    except (ContractError, ValidationError):
        raise UsageError(f"{folder / MANIFEST} is not one that sparkctl writes", hint=_CHANGED) from None
    wanted = {name for node in manifest.nodes for name in _wanted(node)}
    kept = _held_against(folder, manifest, wanted)
    return SeedFolder(
        [_node(node, kept, folder) for node in sorted(manifest.nodes)], by, hashlib.sha256(content).hexdigest()
    )


def _signatory(folder: Path, content: bytes, key: Path) -> Signatory:
    place = signature_of(folder / MANIFEST)
    signature = _bounded(place, MAX_SIGNATURE)
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        (signers := Path(scratch) / "signers").write_text(allowed_signers(key), "utf-8")
        (copy := Path(scratch) / "manifest.sig").write_bytes(signature)
        try:
            return signatory(
                content, copy, named=str(folder / MANIFEST), allowed_signers=signers, namespace=SEED_NAMESPACE
            )
        except RefusedError as error:
            raise RefusedError(
                f"{folder / MANIFEST} was not signed by {key}, or was changed since", hint=_CHANGED
            ) from error


def _wanted(node: str) -> tuple[str, ...]:
    return (
        f"http/{node}/user-data", f"http/{node}/meta-data", f"nodes/{node}/network-config",
        f"nodes/{node}/oemdata/payload.json",
    )  # fmt: skip


def _held_against(folder: Path, manifest: SeedManifest, wanted: set[str]) -> dict[str, bytes]:
    """The wanted files, as they were when their digests were taken. Raises RefusedError."""
    there = files_below(folder)
    named = manifest.files.keys() | {MANIFEST, f"{MANIFEST}.sig"}
    for name in sorted(named ^ there.keys()):
        what = "is missing" if name in named else "is there, and its manifest does not name it"
        raise RefusedError(f"{printable(name)} of {folder} {what}", hint=_CHANGED)
    kept: dict[str, bytes] = {}
    for name, file in sorted(manifest.files.items()):
        keep = name in wanted and file.size <= _MAX_ANSWERS
        try:
            digest, content = _digest(there[name], keep=keep)
        except OSError as error:
            raise UsageError(f"{there[name]} cannot be read: {error.strerror}") from None
        if digest != file.sha256:
            raise RefusedError(f"{printable(name)} of {folder} is not what was signed", hint=_CHANGED)
        kept[name] = content
    return kept


def _digest(path: Path, *, keep: bool) -> tuple[str, bytes]:
    """The digest of a file, and its first bytes if they are to be kept: more would be of another digest."""
    digest, content = hashlib.sha256(), bytearray()
    for chunk in chunks_of(path):
        digest.update(chunk)
        if keep and len(content) <= _MAX_ANSWERS:
            content += chunk
    return digest.hexdigest(), bytes(content)


def _node(node: str, kept: dict[str, bytes], folder: Path) -> SeededNode:
    answers, meta, network, payload = (kept.get(name, b"") for name in _wanted(node))
    try:
        mac = yaml.safe_load(network)["ethernets"]["primary"]["match"]["macaddress"]
        serial = SeedPayload.model_validate_json(payload).serial
        if not answers or not meta:
            raise KeyError(node)
    except (yaml.YAMLError, LookupError, TypeError, ValidationError):
        raise UsageError(
            f"{folder} holds no seed of {node} as sparkctl makes one", hint="make the seeds again with this version"
        ) from None
    return SeededNode(InstallerNode(node, str(mac), serial), {"user-data": answers, "meta-data": meta})


def _bounded(path: Path, limit: int) -> bytes:
    try:
        with opened(path) as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="name a folder that `sparkctl airgap seed` made"
        ) from None
    if len(content) > limit:
        raise UsageError(f"{path} is larger than {limit:,} bytes", hint=_CHANGED)
    return content
