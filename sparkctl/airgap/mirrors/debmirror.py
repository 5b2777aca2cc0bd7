"""Have debmirror bring a whole archive with suites, as its owner signed it."""

import shutil
from pathlib import Path
from urllib.parse import urlsplit

from sparkctl.airgap.mirrors import openpgp
from sparkctl.airgap.mirrors.apt_origin import require_signed
from sparkctl.airgap.mirrors.kind import Fetched
from sparkctl.airgap.mirrors.tool import run, version
from sparkctl.errors import UsageError
from sparkctl.model.mirror_apt import AptMirror, AptServed

_FIXED = (
    "--nosource", "--i18n", "--diff=none", "--omit-suite-symlinks", "--checksums", "--rsync-extra=none",
    "--timeout=120", "--verbose", "--ignore-release-gpg",
)  # fmt: skip
"""debmirror wants both forms of a signature to hold, and caches on the way give the one that apt does not read from
another day. We verify what apt reads, before and after."""


def fetch(spec: AptMirror, work: Path) -> Fetched:
    """Bring it; what is there by now stays.

    Raises RefusedError for a signature that does not hold, UsageError when debmirror did not end well, OSError.
    """
    made_with = version(["debmirror", "--version"], package="debmirror")
    require_signed(spec, work)
    archive, log = work / "archive", work / "debmirror.log"
    for stale in archive.glob("Archive-Update-in-Progress-*"):  # of a run that was killed: nobody else works here
        stale.unlink()
    shutil.rmtree(archive / ".temp", ignore_errors=True)
    log.unlink(missing_ok=True)
    keyring, settings = work / "keyring.gpg", work / "debmirror.conf"
    keyring.write_bytes(openpgp.keyring(spec.key))
    settings.write_text("1;\n", "ascii")  # a Perl file that must be true: without it, those of the host would count
    argv = _argv(spec, keyring, settings, archive)
    ran = run(argv, log, package="debmirror", environment={"GNUPGHOME": str(work / "no-keys")})
    if ran.status != 0:
        raise UsageError(
            f"debmirror did not bring {spec.name}: {ran.last_line}", hint=f"{log} has all that it said; try again"
        )
    served = AptServed(
        suites=[_folder_of(archive, suite) for suite in spec.suites],
        components=spec.components,
        architectures=spec.architectures,
        key=spec.key,
    )
    return Fetched(archive, served, [made_with])


def _argv(spec: AptMirror, keyring: Path, settings: Path, archive: Path) -> list[str]:
    address = urlsplit(spec.uri)
    return [
        "debmirror", f"--config-file={settings}", f"--method={address.scheme}", f"--host={address.netloc}",
        f"--root={address.path.strip('/') or '.'}", f"--dist={','.join(spec.suites)}",
        f"--section={','.join(spec.components)}", f"--arch={','.join(spec.architectures)}", f"--keyring={keyring}",
        *_FIXED, str(archive),
    ]  # fmt: skip


def _folder_of(archive: Path, suite: str) -> str:
    """What a suite is called in the mirror: debmirror takes its code name, unless the archive is Ubuntu's."""
    if (archive / "dists" / suite / "InRelease").is_file():
        return suite
    named = [
        path.parent.relative_to(archive / "dists").as_posix()
        for path in sorted((archive / "dists").rglob("Release"))
        if f"\nSuite: {suite}\n" in "\n" + path.read_text("utf-8", "replace")
    ]
    if len(named) != 1:
        raise UsageError(
            f"debmirror brought no suite {suite}", hint="name it by its code name, or mirror the archive with sign_with"
        )
    return named[0]
