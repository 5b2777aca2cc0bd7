"""Fetch a file by curl, within bounds, going on where an earlier try stopped; what it is, is proven by a digest."""

from pathlib import Path

from sparkctl.airgap.blobs import digest_of
from sparkctl.airgap.mirrors.tool import DAY_S, run
from sparkctl.errors import UsageError
from sparkctl.model.printable import printable

_RANGE_REFUSED = (22, 33, 36)
"""Exit statuses of curl: the server does not go on where a file stopped; 22 when it is whole by now (curl(1))."""
_MAX_LOG = 64 * 2**20
_STALLED = ("--speed-limit", "1000", "--speed-time", "120", "--connect-timeout", "30")


def download(
    address: str,
    target: Path,
    log: Path,
    *,
    limit: int,
    sha256: str | None = None,
    accept: str | None = None,
    config: Path | None = None,
) -> None:
    """Have `address` at `target`: at most `limit` bytes, whole or not at all, with this digest where one is given.

    A file that is there with its digest is not fetched again; without a digest it always is. `accept` are the media
    types to ask for, `config` a private file with more options of curl, such as a token, which no argument may hold.
    Raises UsageError.
    """
    if sha256 is not None and _holds(target, sha256):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.part")
    if sha256 is None:
        partial.unlink(missing_ok=True)
    argv = _argv(address, partial, limit, accept, config)
    began = partial.exists()
    # Releases of curl before 8.4 do not stop at --max-filesize where a server tells no length.
    largest = max(limit, _MAX_LOG) + 1
    ran = run(argv, log, package="curl", seconds=DAY_S, largest=largest)
    if began and ran.status in _RANGE_REFUSED:
        partial.unlink(missing_ok=True)
        ran = run(argv, log, package="curl", seconds=DAY_S, largest=largest)
    if partial.is_file() and partial.stat().st_size > limit:
        partial.unlink()
        raise UsageError(f"{printable(address, 300)} is larger than {limit:,} bytes")
    if ran.status != 0 or not partial.is_file():
        raise UsageError(
            f"{printable(address, 300)} was not fetched: {ran.last_line}",
            hint="see that the address is right, and answers; the same command goes on where it stopped",
        )
    if sha256 is not None and digest_of(partial)[0] != sha256:
        partial.unlink()
        raise UsageError(
            f"{printable(address, 300)} is not what it should be: its digest is another",
            hint="run the same command again; if it stays so, the origin is damaged, or somebody changed the file",
        )
    partial.replace(target)


def _argv(address: str, partial: Path, limit: int, accept: str | None, config: Path | None) -> list[str]:
    protocols = "=https,http"
    first = [
        "curl",
        "--disable",  # what is in somebody's .curlrc, such as `insecure`, does not hold here
        *(("--config", str(config)) if config else ()),
        *(("--header", f"Accept: {accept}") if accept else ()),
    ]
    return [
        *first, "--fail", "--silent", "--show-error", "--location", "--max-redirs", "5", "--proto", protocols,
        "--proto-redir", protocols, "--max-filesize", str(limit), "--retry", "3", "--continue-at", "-", "--globoff",
        *_STALLED, "--output", str(partial), "--", address,
    ]  # fmt: skip


def _holds(target: Path, sha256: str) -> bool:
    try:
        return digest_of(target)[0] == sha256
    except OSError:
        return False
