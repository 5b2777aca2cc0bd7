"""Mirrors of archives of Debian packages."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sparkctl.airgap.mirrors import aptly, debmirror, openpgp
from sparkctl.airgap.mirrors.apt_origin import origin
from sparkctl.airgap.mirrors.apt_proof import prove
from sparkctl.airgap.mirrors.kind import Fetched, Planned, Proven
from sparkctl.airgap.mirrors.openpgp_keys import fingerprints
from sparkctl.app import site_values as values
from sparkctl.app.airgap_files import utc_now
from sparkctl.app.file_fields import Fields
from sparkctl.app.file_values import lexical, matches
from sparkctl.model.mirror_apt import FLAT, AptMirror, AptServed

_SIGN_IT = "Write `sign_with:` and the fingerprint of a key of yours; `gpg --list-secret-keys` shows it."
_sha256 = matches(r"[0-9a-f]{64}", "must be a SHA-256 of 64 hexadecimal digits, as `sha256sum` shows it")
_fingerprint = matches(r"[0-9A-F]{40}", "must be a fingerprint of 40 signs, as `gpg --list-secret-keys` shows it")


class Apt:
    """The kind `apt`."""

    keys: tuple[str, ...] = (
        "uri", "suites", "components", "architectures", "packages", "signed_by", "signed_by_sha256", "sign_with",
    )  # fmt: skip
    clients_verify = True

    def read(self, name: str, fields: Fields) -> AptMirror | None:
        """An entry; None, with the problem noted, where it cannot be used."""
        uri = fields.text("uri", values.url, required="Write where the archive is: `uri: https://HOST/PATH`.")
        key = _key(fields)
        suites = fields.texts("suites", values.suite_name)
        components = fields.texts("components", values.component_name)
        packages = fields.texts("packages", values.package_pattern)
        sign_with = fields.text("sign_with", _fingerprint)
        flat = suites == [FLAT]
        if not suites:
            if not fields.has("suites"):
                fields.wrong(None, "`suites` is missing", "Write `suites: [noble]`, or `suites: /` for a flat archive.")
            return None
        if FLAT in suites and (not flat or components):
            fields.wrong("suites", "a flat archive has the one suite `/` and no components", "Make two mirrors of it.")
        elif not flat and not components and not fields.has("components"):
            fields.wrong(None, "`components` is missing", "Write `components: [main]`.")
        if (flat or packages) and sign_with is None and not fields.has("sign_with"):
            what = "a flat archive" if flat else "a part of an archive"
            fields.wrong(None, f"{what} cannot keep its owner's signature, and has to be signed again", _SIGN_IT)
        if uri is None or key is None:
            return None
        return AptMirror(
            name=name,
            uri=uri,
            suites=suites,
            components=components,
            architectures=fields.texts("architectures", values.short_name) or ["arm64"],
            packages=packages,
            key=key,
            sign_with=sign_with,
        )

    def origin(self, spec: AptMirror) -> list[str]:
        """Its address, with its suites."""
        return [f"{spec.uri} {suite}" for suite in spec.suites]

    def plan(self, spec: AptMirror, work: Path) -> Planned:
        """What its verified indexes list."""
        found = origin(spec, work)
        total = sum(package.size for package in found.packages.values())
        not_covered = [
            f"{suite}: its owner signs it until {moment:%Y-%m-%d %H:%M} UTC; clients refuse a snapshot after that"
            for suite, moment in found.valid_until.items()
            if spec.sign_with is None
        ]
        counts = {"suites": len(spec.suites), "indexes": len(found.indexes), "packages": len(found.packages)}
        return Planned(None if spec.packages else total, counts, not_covered)

    def fetch(self, spec: AptMirror, work: Path) -> Fetched:
        """By aptly where it is signed again, else by debmirror."""
        return debmirror.fetch(spec, work) if spec.sign_with is None else aptly.fetch(spec, work, utc_now())

    def prove(self, served: AptServed, folder: Path) -> Proven:
        """From the signature down."""
        return prove(served, folder)

    def vouchers(self, served: AptServed) -> list[str]:
        """Every key in its keyring."""
        return [f"the OpenPGP key {one}" for one in fingerprints(served.key)]

    def client(self, served: AptServed, url: str, name: str) -> dict[str, str]:
        """A source with the key in it, so that it needs no file beside it (sources.list(5), deb822)."""
        key = "".join(f" {line or '.'}\n" for line in served.key.splitlines())
        source = (
            f"Types: deb\nURIs: {url}\nSuites: {' '.join(served.suites)}\n"
            f"Components: {' '.join(served.components)}\nArchitectures: {' '.join(served.architectures)}\n"
            f"Signed-By:\n{key}"
        )
        return {f"etc/apt/sources.list.d/{name}.sources": source}


def _key(fields: Fields) -> str | None:
    """The armoured key of the owner, out of the very file that was meant."""
    ring = fields.text("signed_by", _keyring(fields.folder), required="Name the owner's keyring: `signed_by: FILE`.")
    sha256 = fields.text("signed_by_sha256", _sha256)
    if ring is None or (sha256 is None and fields.has("signed_by_sha256")):
        return None
    if sha256 is not None and sha256 != ring.sha256:
        action = "Copy it once more from where you trust it, and do not take the digest of what is here for granted."
        fields.wrong("signed_by_sha256", f"the keyring is another one, with the SHA-256 {ring.sha256}", action)
        return None
    return ring.key


@dataclass(frozen=True, slots=True)
class _Keyring:
    """A keyring as armour, and the digest of the file that it was in."""

    key: str
    sha256: str


def _keyring(folder: Path) -> Callable[[str], _Keyring]:
    """A keyring in a file beside mirror.yaml, armoured or not."""

    def convert(text: str) -> _Keyring:
        path = lexical(folder / text)
        try:
            with path.open("rb") as file:
                content = file.read(openpgp.MAX_KEYRING + 1)
        except OSError as error:
            raise ValueError(f"cannot be read ({error.strerror})") from None
        return _Keyring(openpgp.armoured(content), hashlib.sha256(content).hexdigest())

    return convert
