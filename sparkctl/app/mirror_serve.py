"""What serves mirrors, and what clients write down to take them: files, never a command."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sparkctl.airgap.mirrors.shelf import Shelf, shared
from sparkctl.airgap.templates import Templates
from sparkctl.app.mirror_file import MirrorFile
from sparkctl.app.mirror_kinds.catalogue import KINDS
from sparkctl.app.mirror_shelf import snapshot_of
from sparkctl.errors import UsageError
from sparkctl.model.evidence_path import relative_path
from sparkctl.resources import shipped

PINS = "etc/apt/preferences.d/site"


@dataclass(frozen=True, slots=True)
class Tls:
    """Files of the web server, as it finds them: its certificate, and the key of that."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Client:
    """The files of a client by their path below `/`, and the mirrors that it takes unproven from whoever answers."""

    files: Mapping[str, str]
    unproven: Sequence[str]


def nginx(file: MirrorFile, listen: Sequence[str], tls: Tls | None) -> str:
    """A server block of nginx for all rings; raises UsageError where the address and the certificate do not fit."""
    address = urlsplit(_url(file))
    if (address.scheme == "https") != (tls is not None):
        raise UsageError(
            f"the url of the file is {file.url}, and {'no' if tls is None else 'a'} certificate is named",
            hint="name --certificate and --certificate-key for https, and none for http",
        )
    port = address.port or (443 if tls else 80)
    return _templates().text(
        "mirrors/nginx.conf.j2",
        listen=list(listen) or [str(port), f"[::]:{port}"],
        host=address.hostname or "_",
        certificate=tls and str(tls.certificate.absolute()),
        certificate_key=tls and str(tls.key.absolute()),
        rings=str((file.folder / "rings").absolute()),
        place=f"{address.path.rstrip('/')}/",
    )


def client_of(file: MirrorFile, shelf: Shelf, ring: str) -> Client:
    """What a client of a ring needs; raises UsageError where the ring has nothing yet."""
    file.require_ring(ring)
    mirrors = shelf.rings().get(ring, {})
    if not mirrors:
        raise UsageError(
            f"the ring {ring} has no snapshot yet",
            hint=f"give it one: sparkctl airgap mirror promote FILE NAME --ring {ring}",
        )
    address = _url(file)
    by_http = urlsplit(address).scheme == "http"
    files: dict[str, str] = {}
    unproven = []
    for mirror, stamp in mirrors.items():
        served = snapshot_of(shelf, mirror, stamp).served
        kind = KINDS[served.kind]
        if by_http and not kind.clients_verify:
            unproven.append(mirror)
        for path, content in kind.client(served, f"{address}/{ring}/{mirror}", mirror).items():
            if files.setdefault(relative_path(path), content) != content:
                raise UsageError(f"two mirrors want to write /{path} in other ways", hint="name clients of them apart")
    if file.pins:
        files[PINS] = _templates().text("apt-pins.j2", pins=file.pins)
    return Client(files, unproven)


def written(files: Mapping[str, str], out: Path) -> None:
    """Write files into a folder that is made for them, whole or not at all; raises UsageError, OSError.

    Everybody may read them, whatever our umask is: nodes do not read what only root may.
    """
    if os.path.lexists(out):
        raise UsageError(f"{out} is there already", hint="name a folder that is not there yet")
    if not out.parent.is_dir():
        raise UsageError(f"there is no folder {out.parent}", hint="make it, or name another --out")
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as scratch:
        made = Path(scratch) / "tree"
        for path, content in files.items():
            place = made / path
            shared(place.parent)
            place.write_text(content, "utf-8")
            place.chmod(0o644)
        made.rename(out)


def _url(file: MirrorFile) -> str:
    if file.url is None:
        raise UsageError("the file does not say where mirrors are served", hint="write `url: https://HOST`")
    return file.url


def _templates() -> Templates:
    return Templates(shipped("cloud-init"))
