"""Mirrors of firmware, as the Linux Vendor Firmware Service has it for fwupd."""

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from sparkctl.airgap.mirrors import firmware
from sparkctl.airgap.mirrors.chain import chain, loaded, subject
from sparkctl.airgap.mirrors.firmware_proof import prove
from sparkctl.airgap.mirrors.kind import Fetched, Planned, Proven
from sparkctl.app import site_values as values
from sparkctl.app.airgap_files import utc_now
from sparkctl.app.file_fields import Fields
from sparkctl.app.file_values import lexical, matches
from sparkctl.model.mirror_firmware import METADATA, FirmwareMirror, FirmwareServed, OwnCab

_MAKE = "Make one: `sparkctl airgap mirror ca firmware --out DIR`."
_LVFS = "https://cdn.fwupd.org/downloads/firmware.xml.zst"
_metadata = matches(
    r".*/[A-Za-z0-9._-]+\.xml\.(gz|xz|zst)", "must be the address of a file .xml.gz, .xml.xz or .xml.zst"
)
_guid = matches(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "must be a GUID, as `fwupdmgr get-devices --json` shows it"
)
_sha256 = matches(r"[0-9a-f]{64}", "must be a SHA-256 of 64 hexadecimal digits")

_NO_INTERNET = f"""\
# This replaces /etc/fwupd/remotes.d/lvfs.conf: there is no way to it from here, and trying it takes time.
[fwupd Remote]
Enabled=false
Title=Linux Vendor Firmware Service
MetadataURI={_LVFS}
"""


class Firmware:
    """The kind `firmware`."""

    keys: tuple[str, ...] = ("metadata", "base", "trust", "devices", "cabs", "sign_cert", "sign_key")
    clients_verify = True

    def read(self, name: str, fields: Fields) -> FirmwareMirror | None:
        """An entry; None, with the problem noted, where it cannot be used."""
        metadata = fields.text("metadata", _address, required=f"Write where the metadata is: `metadata: {_LVFS}`.")
        base = fields.text("base", values.url)
        trust = fields.texts("trust", _certificates(fields.folder))
        if not fields.has("trust"):
            fields.wrong(
                None, "`trust` is missing", "Name the origin's certificates: `trust: /etc/pki/fwupd/LVFS-CA.pem`."
            )
        devices = fields.texts("devices", lambda text: _guid(text.lower()))
        cabs = [cab for cab in (_own_cab(one) for _, one in fields.each("cabs", _CAB_KEYS, values.short_name)) if cab]
        certificate = fields.text("sign_cert", _signing(fields.folder), required=_MAKE)
        key = fields.text("sign_key", str, required=_MAKE)
        if not devices and not cabs and not fields.has("devices") and not fields.has("cabs"):
            fields.wrong(None, "it has neither `devices` nor `cabs`", "Write `devices:` and the GUIDs of your fleet.")
        if metadata is None or not trust or certificate is None or key is None:
            return None
        return FirmwareMirror(
            name=name,
            metadata=metadata,
            base=base,
            trust="".join(trust),
            devices=sorted(set(devices)),
            cabs=cabs,
            sign_cert=certificate,
            sign_key=str(lexical(fields.folder / key)),
        )

    def origin(self, spec: FirmwareMirror) -> list[str]:
        """The address of its metadata, and the cabs that came otherwise."""
        return [spec.metadata, *(f"{Path(cab.file).name}, SHA-256 {cab.sha256}" for cab in spec.cabs)]

    def plan(self, spec: FirmwareMirror, work: Path) -> Planned:
        """What the verified metadata names for the devices."""
        return firmware.plan(spec, work, utc_now())

    def fetch(self, spec: FirmwareMirror, work: Path) -> Fetched:
        """The cabs by their digests, and metadata that the site signs."""
        return firmware.fetch(spec, work, utc_now())

    def prove(self, served: FirmwareServed, folder: Path) -> Proven:
        """From the site's signature and the origin's down."""
        return prove(served, folder)

    def vouchers(self, served: FirmwareServed) -> list[str]:
        """Certificates for what the site signed, and for what the origin signed."""
        return [
            f"{subject(one)} (for {whom}, SHA-256 {one.fingerprint(hashes.SHA256()).hex()})"
            for whom, trust in (("the site", served.ca), ("the origin", served.trust))
            for one in loaded(trust)
        ]

    def client(self, served: FirmwareServed, url: str, name: str) -> dict[str, str]:
        """A remote, whom it trusts, and an end to asking LVFS itself. The trust that fwupd is shipped with stays on.

        fwupd takes a remote with `lvfs` in its name for LVFS itself, and changes its address (src/fu-remote-list.c).
        A file in /var/lib/fwupd/remotes.d goes before that of the same name in /etc, which belongs to the package.
        """
        remote = f"site-{name}".replace("lvfs", "firmware")
        files = {
            f"etc/fwupd/remotes.d/{remote}.conf": (
                "[fwupd Remote]\nEnabled=true\n"
                f"Title=Firmware of this site ({name})\nMetadataURI={url.rstrip('/')}/{METADATA}\n"
                "AutomaticReports=false\nAutomaticSecurityReports=false\nApprovalRequired=false\n"
            ),
            "var/lib/fwupd/remotes.d/lvfs.conf": _NO_INTERNET,
        }
        for number, certificate in enumerate(loaded(served.ca), 1):
            pem = certificate.public_bytes(Encoding.PEM).decode("ascii")
            last = f"{remote}-CA{'' if number == 1 else number}.pem"  # fwupd reads the first certificate of a file
            files[f"etc/pki/fwupd-metadata/{last}"] = pem
            if served.own:
                files[f"etc/pki/fwupd/{last}"] = pem
        return files


_CAB_KEYS = ("file", "sha256")


def _own_cab(fields: Fields) -> OwnCab | None:
    file = fields.text("file", str, required="Write where the cab lies: `file: FILE`.")
    sha256 = fields.text("sha256", _sha256, required="Write what `sha256sum` says of what its maker gave you.")
    return OwnCab(file=str(lexical(fields.folder / file)), sha256=sha256) if file and sha256 else None


def _address(text: str) -> str:
    return _metadata(values.url(text))


def _certificates(folder: Path) -> Callable[[str], str]:
    """Certificates in a file beside mirror.yaml, of a kind that is read here."""

    def convert(text: str) -> str:
        pem = values.certificates(lexical(folder / text))
        loaded(pem)
        return pem

    return convert


def _signing(folder: Path) -> Callable[[str], str]:
    """A signing certificate and, after it, that of its CA."""

    def convert(text: str) -> str:
        pem = values.certificates(lexical(folder / text))
        signer, *authorities = loaded(pem)
        if not authorities:
            raise ValueError("must hold the signing certificate and, after it, that of its CA")
        try:
            chain(signer, (), authorities, signer.not_valid_before_utc)
        except ValueError:
            raise ValueError(
                "must hold a certificate for signing and, after it, that of the CA that issued it"
            ) from None
        return pem

    return convert
