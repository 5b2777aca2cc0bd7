"""Make seeds: from the inventory and one site file to a signed folder of files and images, whole or not at all."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sparkctl.airgap import cloud_init_check, images
from sparkctl.airgap.seed_render import Hook, node_secret, render_grub, render_node
from sparkctl.airgap.templates import Templates
from sparkctl.app.inventory import selection
from sparkctl.app.places import Places
from sparkctl.app.private_folder import private_folder
from sparkctl.app.seed_instances import note_instances
from sparkctl.app.seed_nodes import node_seeds
from sparkctl.app.seed_secret import allowed_signers, master_secret
from sparkctl.app.site_file import read_site
from sparkctl.atomic_file import sync_folder
from sparkctl.errors import RefusedError, UsageError
from sparkctl.evidence.ssh_signatures import sign_files, signatory, signature_of
from sparkctl.model.printable import printable
from sparkctl.model.seed import SEED_NAMESPACE, NodeSeed, PlacedEntry, SeedFile, SeedManifest, SeedPayload, SeedReport
from sparkctl.model.site import Site
from sparkctl.resources import shipped

MAX_PLACED = 64 * 2**20
"""Bytes of all files that a stick brings: what is larger belongs on a mirror or in a transfer bundle."""

MANIFEST = "manifest.json"
_CIDATA = ("user-data", "meta-data", "network-config")


@dataclass(frozen=True, slots=True)
class SeedRequest:
    """What to make: for which nodes, from which site, where to, and by which key. `images` are sticks and disks."""

    selector: str
    site_file: Path
    out: Path
    key: Path
    enrolment: Path | None
    images: bool = True


@dataclass(slots=True)
class _Work:
    """A folder that is being made."""

    folder: Path
    templates: Templates
    site: Site
    nodes: list[NodeSeed]
    hook: Hook
    master: bytes
    placed: dict[str, bytes]  # by target
    template_digest: str

    def put(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        return path


def make_seeds(places: Places, request: SeedRequest) -> SeedReport:
    """Make the seeds of the selected nodes in a folder that is not there yet.

    Raises UsageError and RefusedError, and leaves nothing then.
    """
    out = request.out.absolute()
    if os.path.lexists(out):
        raise RefusedError(f"{out} is there already", hint="name a new folder: seeds are never mixed with older ones")
    site = read_site(request.site_file)
    nodes = node_seeds(selection(places, request.selector).nodes, site)
    signers = allowed_signers(request.key)
    master = master_secret(places, request.enrolment, make=True)
    cloud_init = shipped("cloud-init")
    hook = Hook(
        (cloud_init / "first-boot/spark_first_boot.py").read_text("utf-8"),
        (cloud_init / "first-boot/spark-first-boot.service").read_text("utf-8"),
        signers,
    )
    placed, digest = _placed(site), _digest_of_folder(cloud_init)
    try:
        with private_folder(within=out.parent) as making:
            work = _Work(making, Templates(cloud_init), site, nodes, hook, master, placed, digest)
            report = _fill(work, request, out)
            note_instances(places, {node.node_id: node.instance_id for node in nodes})
            making.rename(out)
            sync_folder(out.parent)
    except OSError as error:
        raise UsageError(
            f"{out} was not made: {error.strerror}", hint="is there room on the disk, and may you write there?"
        ) from None
    return report


def _fill(work: _Work, request: SeedRequest, out: Path) -> SeedReport:
    checked: list[Path] = []
    for node in work.nodes:
        for name, text in render_node(work.templates, work.site, node, work.hook).items():
            path = work.put(name, text.encode())
            checked += [path] if path.name == "user-data" else []
    grub = render_grub(work.templates, work.site, work.nodes)
    if grub is not None:
        work.put("boot/grub/grub.cfg", grub.encode())
    checker = cloud_init_check.version()
    if checker is not None:
        cloud_init_check.check(checked)
    sign_files([_payload(work, node) for node in work.nodes], request.key, SEED_NAMESPACE)
    if request.images:
        for node in work.nodes:
            _images(work, node)
    return _sealed(work, request, out, checker)


def _sealed(work: _Work, request: SeedRequest, out: Path, checker: str | None) -> SeedReport:
    signers = work.put("allowed_signers", work.hook.allowed_signers.encode())
    files = {str(path.relative_to(work.folder)): path for path in sorted(work.folder.rglob("*")) if path.is_file()}
    manifest = SeedManifest(
        nodes={node.node_id: node.instance_id for node in work.nodes},
        templates=work.template_digest,
        files={name: _seed_file(path) for name, path in files.items()},
    )
    content = manifest.model_dump_json(indent=2).encode() + b"\n"
    path = work.put(MANIFEST, content)
    sign_files([path], request.key, SEED_NAMESPACE)
    by = signatory(content, signature_of(path), named=MANIFEST, allowed_signers=signers, namespace=SEED_NAMESPACE)
    for made in work.folder.rglob("*"):  # whatever the umask, and whatever tools made of it
        made.chmod(0o700 if made.is_dir() else 0o600)
    return SeedReport(
        folder=printable(str(out), 1000),
        nodes=[node.node_id for node in work.nodes],
        files=len(files) + 2,
        bytes_written=sum(one.size for one in manifest.files.values()) + len(content),
        manifest_sha256=hashlib.sha256(content).hexdigest(),
        signed_by=by.fingerprint,
        checked_by=checker,
        images=request.images,
    )


def _payload(work: _Work, node: NodeSeed) -> Path:
    """Lay out what the stick of a node holds, but for the signature; the file that is to be signed."""
    secret = node_secret(work.master, node.node_id, node.instance_id).encode() + b"\n"
    entries, home = [], f"nodes/{node.node_id}/oemdata"
    for place in sorted(work.site.files, key=lambda one: one.target):
        content = work.placed[place.target]
        digest = hashlib.sha256(content).hexdigest()
        source = f"files/{digest[:32]}"
        entries.append(
            PlacedEntry(source=source, target=place.target, mode=place.mode, sha256=digest, size=len(content))
        )
        if not (work.folder / home / source).exists():
            work.put(f"{home}/{source}", content)
    work.put(f"{home}/enrolment.key", secret)
    payload = SeedPayload(
        node_id=node.node_id,
        instance_id=node.instance_id,
        serial=node.serial,
        enrolment=hashlib.sha256(secret).hexdigest(),
        files=entries,
    )
    return work.put(f"{home}/payload.json", payload.model_dump_json(indent=2).encode() + b"\n")


def _images(work: _Work, node: NodeSeed) -> None:
    folder, home = work.folder / "images", work.folder / "nodes" / node.node_id
    folder.mkdir(mode=0o700, exist_ok=True)
    cidata = {name: (home / name).read_bytes() for name in _CIDATA}
    images.cidata_iso(cidata, folder / f"{node.node_id}-cidata.iso")
    images.cidata_fat(cidata, folder / f"{node.node_id}-cidata.img")
    stick = home / "oemdata"
    oemdata = {str(path.relative_to(stick)): path.read_bytes() for path in stick.rglob("*") if path.is_file()}
    images.oemdata_ext4(oemdata, folder / f"{node.node_id}-oemdata.img")


def _placed(site: Site) -> dict[str, bytes]:
    """The files that a stick brings, by where they go. Raises UsageError."""
    found: dict[str, bytes] = {}
    left = MAX_PLACED
    for place in site.files:
        try:
            with place.source.open("rb") as file:
                content = file.read(left + 1)
        except OSError as error:
            raise UsageError(f"{place.source} cannot be read: {error.strerror}", hint="correct `files`") from None
        left -= len(content)
        if left < 0:
            raise UsageError(
                f"the files of a stick are more than {MAX_PLACED // 2**20} MiB", hint="put large ones on a mirror"
            )
        found[place.target] = content
    return found


def _seed_file(path: Path) -> SeedFile:
    with path.open("rb") as file:
        return SeedFile(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size=path.stat().st_size)


def _digest_of_folder(folder: Path) -> str:
    """One digest over the templates, so that a manifest tells which ones were used."""
    names: Sequence[Path] = sorted(
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    lines = (f"{path.relative_to(folder)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in names)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
