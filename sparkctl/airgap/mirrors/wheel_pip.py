"""Have pip bring wheels for another machine, each by its digest; what came is looked at, not how pip ended."""

import importlib.util
import os
import re
import ssl
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from sparkctl.airgap.mirrors.tool import Ran, run
from sparkctl.airgap.mirrors.wheel_file import MAX_WHEEL
from sparkctl.airgap.mirrors.wheel_lock import lock_text
from sparkctl.airgap.mirrors.wheel_target import Target
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.mirror_wheels import WheelPin
from sparkctl.model.printable import printable

_NO_WHEEL = re.compile(r"No matching distribution found|Could not find a version that satisfies")
_OTHER_HASH = re.compile(r"DO NOT MATCH THE HASHES|THESE PACKAGES DO NOT MATCH", re.IGNORECASE)
_NO_ANSWER = re.compile(
    r"Could not fetch URL|connection broken by|Connection refused|Name or service not known|HTTP error"
)


def download_argv(target: Target, lock: Path, folder: Path) -> list[str]:
    """Bring the wheels of a lock file for a target into a folder; nothing is built, and nothing else is chosen."""
    return [
        sys.executable, "-I", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input",
        "--no-deps", "--require-hashes", "--only-binary=:all:", "--implementation", "cp", "--python-version",
        target.python, *(f"--abi={each}" for each in target.abis()),
        *(f"--platform={each}" for each in target.platforms()), "--dest", str(folder), "--requirement", str(lock),
    ]  # fmt: skip


def bring(pin: WheelPin, target: Target, indexes: Sequence[str], work: Path, folder: Path) -> None:
    """Have pip bring the wheel of a pin from one of the indexes, and from nowhere that pip is configured for.

    Raises UsageError in one sentence when the indexes have none or do not answer, RefusedError for another content.
    """
    if importlib.util.find_spec("pip") is None:
        raise UsageError(f"{sys.executable} has no pip", hint=f"{sys.executable} -m ensurepip")
    lock = work / "pin.txt"
    lock.write_text(lock_text([pin.model_copy(update={"extras": [], "marker": None})]), encoding="ascii")
    first, *more = indexes
    # The marker was judged here, for the target; pip would judge it for the machine that it runs on.
    argv = [
        *download_argv(target, lock, folder), "--isolated", "--no-cache-dir", "--progress-bar=off", "--retries=3",
        f"--index-url={first}", *(f"--extra-index-url={each}" for each in more), *_plain(indexes), *_trusted(),
    ]  # fmt: skip
    environment = {"PIP_CONFIG_FILE": os.devnull}
    ran = run(argv, work / "pip.log", package="python3-pip", environment=environment, largest=MAX_WHEEL)
    if ran.status != 0:
        raise _fault(ran, pin, target)


def pip_version() -> str:
    """What pip calls itself; it is ours, a module of the Python that runs us."""
    try:
        return f"pip {version('pip')}"
    except PackageNotFoundError:
        return "pip"


def _plain(indexes: Sequence[str]) -> list[str]:
    """Leave to read indexes without TLS: every file has its digest from elsewhere."""
    plain = {urlsplit(each).netloc for each in indexes if each.startswith("http://")}
    return [f"--trusted-host={each}" for each in sorted(plain)]


def _trusted() -> list[str]:
    """Trust the certificates that the system trusts; older releases of pip have a store of their own."""
    stores = (ssl.get_default_verify_paths().cafile, "/etc/ssl/certs/ca-certificates.crt")
    return [f"--cert={each}" for each in stores if each and Path(each).is_file()][:1]


def _fault(ran: Ran, pin: WheelPin, target: Target) -> UsageError | RefusedError:
    if _OTHER_HASH.search(ran.tail):
        return RefusedError(
            f"what the index gives as {pin.name} {pin.version} has none of the digests that the requirements name",
            hint="a release never changes: compare the digest with another source before the requirements are changed",
        )
    silent = [line for line in ran.tail.splitlines() if _NO_ANSWER.search(line)]
    if silent or not _NO_WHEEL.search(ran.tail):
        said = printable(silent[-1].strip(), 300) if silent else ran.last_line
        return UsageError(
            f"pip did not bring {pin.name} {pin.version} for {target}: {said}",
            hint="see that the index answers, and run the same command again; what came is kept",
        )
    return UsageError(
        f"the index has no wheel of {pin.name} {pin.version} for {target} and glibc {target.glibc}",
        hint="build one on such a machine and put it on an index of the site under `extra`, or take another release",
    )
