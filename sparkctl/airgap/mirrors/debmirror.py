"""Have debmirror bring a whole archive with suites, as its owner signed it."""

from pathlib import Path
from urllib.parse import urlsplit

from sparkctl.airgap.mirrors.debmirror_indexes import lay_out
from sparkctl.airgap.mirrors.kind import Fetched
from sparkctl.airgap.mirrors.tool import run, version
from sparkctl.errors import UsageError
from sparkctl.model.mirror_apt import AptMirror, AptServed

_FIXED = (
    "--nosource", "--i18n", "--diff=none", "--omit-suite-symlinks", "--checksums", "--rsync-extra=none",
    "--timeout=120", "--verbose", "--no-check-gpg", "--skippackages", "--slow-cpu",
)  # fmt: skip
"""debmirror fetches packages alone: what lists them was fetched and verified before, and lies where it looks for it."""

_MAX_LOG = 64 * 2**20


def fetch(spec: AptMirror, work: Path) -> Fetched:
    """Bring it; what is there by now stays.

    Raises RefusedError for a signature that does not hold, UsageError when debmirror did not end well, OSError.
    """
    made_with = version(["debmirror", "--version"], package="debmirror")
    archive, log = work / "archive", work / "debmirror.log"
    largest = lay_out(spec, work, archive)
    for stale in archive.glob("Archive-Update-in-Progress-*"):  # of a run that was killed: nobody else works here
        stale.unlink()
    log.unlink(missing_ok=True)
    settings = work / "debmirror.conf"
    settings.write_text("1;\n", "ascii")  # a Perl file that must be true: without it, those of the host would count
    ran = run(_argv(spec, settings, archive), log, package="debmirror", largest=max(largest, _MAX_LOG) + 1)
    if ran.status != 0:
        raise UsageError(
            f"debmirror did not bring {spec.name}: {ran.last_line}", hint=f"{log} has all that it said; try again"
        )
    served = AptServed(suites=spec.suites, components=spec.components, architectures=spec.architectures, key=spec.key)
    return Fetched(archive, served, [made_with])


def _argv(spec: AptMirror, settings: Path, archive: Path) -> list[str]:
    address = urlsplit(spec.uri)
    return [
        "debmirror", f"--config-file={settings}", f"--method={address.scheme}", f"--host={address.netloc}",
        f"--root={address.path.strip('/') or '.'}", f"--dist={','.join(spec.suites)}",
        f"--section={','.join(spec.components)}", f"--arch={','.join(spec.architectures)}", *_FIXED, str(archive),
    ]  # fmt: skip
