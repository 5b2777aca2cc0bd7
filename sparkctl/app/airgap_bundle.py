"""A transfer bundle on media: its signatures first, then what is signed, and only then what it carries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sparkctl.airgap.blobs import Reader, Sink, digest_of
from sparkctl.airgap.layout import (
    BOM,
    FILES,
    MANIFEST,
    MAX_BOM,
    MAX_MANIFEST,
    MAX_SUMS,
    SUMS,
    files_text,
    sha256,
    sums_of,
)
from sparkctl.airgap.parts import Joined
from sparkctl.app.airgap_files import Desk, parsed, read_bounded, told
from sparkctl.app.airgap_signatures import require_signed
from sparkctl.app.airgap_site import TransferSite
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.transfer import StreamPosition, TransferManifest, TransferPart

_CHANGED = "it was changed or damaged after it was signed: take it from its source again"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose signatures hold, and of which everything but the parts was checked."""

    folder: Path
    manifest: TransferManifest
    manifest_sha256: str
    files_sha256: str
    signed_by: list[str]


def signed_bundle(folder: Path, site: TransferSite) -> Bundle:
    """A bundle in a folder, without its parts. Nothing of it is parsed before enough people have signed it.

    Raises RefusedError for signatures that do not suffice or a stream that is not taken, UsageError for damage.
    """
    sums = read_bounded(folder / SUMS, MAX_SUMS)
    people = require_signed(folder, sums, site.allowed_signers, site.signatures)
    try:
        digests = sums_of(sums)
    except ValueError as error:
        raise UsageError(f"{folder / SUMS} cannot be read: {error}", hint="it was not packed by sparkctl") from error
    texts = {
        name: _signed_file(folder / name, digests.get(name), limit)
        for name, limit in ((MANIFEST, MAX_MANIFEST), (FILES, MAX_MANIFEST), (BOM, MAX_BOM))
    }
    manifest = parsed(TransferManifest, texts[MANIFEST], str(folder / MANIFEST))
    wanted = {part.name: part.sha256 for part in manifest.parts} | {name: digests[name] for name in texts}
    if digests != wanted or files_text(manifest) != texts[FILES]:
        raise UsageError(f"{folder / SUMS} and {MANIFEST} name different files", hint="it was not packed by sparkctl")
    if site.streams and manifest.stream not in site.streams:
        raise RefusedError(
            f"{manifest.name} is of the stream {manifest.stream}, which is not taken here",
            hint=f"the streams of this site are {', '.join(site.streams)}",
        )
    return Bundle(folder, manifest, digests[MANIFEST], digests[FILES], people)


def _signed_file(path: Path, wanted: str | None, limit: int) -> bytes:
    content = read_bounded(path, limit)
    if sha256(content) != wanted:
        raise UsageError(f"{path} is not what was signed", hint=_CHANGED)
    return content


def require_newer(manifest: TransferManifest, *positions: StreamPosition | None) -> None:
    """Raise RefusedError unless a bundle comes after the last one that was applied, and after what it starts from."""
    last = max((position for position in positions if position), key=lambda found: found.sequence, default=None)
    at = last.sequence if last else 0
    if last and manifest.sequence <= at:
        raise RefusedError(
            f"{manifest.name} is not newer than what is here: sequence {at} of {manifest.stream} was applied on"
            f" {last.at:%Y-%m-%d %H:%M} UTC",
            hint="an older bundle would bring back what was replaced; pack a new one",
        )
    if manifest.delta_from is not None and manifest.delta_from > at:
        raise RefusedError(
            f"{manifest.name} starts from sequence {manifest.delta_from} of {manifest.stream}, and"
            f" {f'sequence {at}' if at else 'nothing'} was applied here",
            hint="apply the bundles in their order, or have all of it packed",
        )


def require_newer_here(manifest: TransferManifest, desk: Desk) -> None:
    """The same by what this state folder knows."""
    require_newer(manifest, desk.applied(manifest.stream))


@dataclass(frozen=True, slots=True)
class PartsFound:
    """Parts that are whole by their place, and names of those that are nowhere."""

    places: list[Path]
    missing: list[str]


def find_parts(bundle: Bundle, media: Sequence[Path]) -> PartsFound:
    """Look for every part in some folders; raises UsageError for one that is cut short or changed."""
    places: list[Path] = []
    missing: list[str] = []
    for part in bundle.manifest.parts:
        here = [folder / part.name for folder in media if (folder / part.name).is_file()]
        if here:
            places.append(_whole(here, part))
        else:
            missing.append(part.name)
    return PartsFound(places, missing)


def _whole(here: Sequence[Path], part: TransferPart) -> Path:
    """The first copy of a part that is whole."""
    words = ""
    for path in here:
        with told(path):
            size = path.stat().st_size
            if size != part.size:
                words = words or f"{path} has {size:,} bytes, and {part.size:,} were packed"
            elif digest_of(path)[0] == part.sha256:
                return path
            else:
                words = words or f"{path} is not the part that was signed"
    raise UsageError(words, hint="it was cut short or changed on its way: copy this part again")


def require_all(bundle: Bundle, found: PartsFound) -> None:
    """Raise UsageError when a part is missing."""
    if found.missing:
        number, names = len(found.missing), ", ".join(found.missing[:5])
        more = f" and {number - 5:,} more" if number > 5 else ""
        raise UsageError(
            f"{number:,} of {len(bundle.manifest.parts):,} parts of {bundle.manifest.name} are missing: {names}{more}",
            hint="insert the medium that holds them and run the same command with its folder; what was read stays",
        )


ReadInto = Callable[[Sink], None]
"""Reads a content into a sink, and checks it; raises UsageError when it is not what the manifest names."""
Taker = Callable[[str, ReadInto], None]
"""Takes a content by its digest, and calls once what reads it."""


def read_contents(bundle: Bundle, places: Sequence[Path], take: Taker) -> None:
    """Read the parts, whose digests were checked, from beginning to end.

    Raises UsageError for anything in them but the contents that the manifest names.
    """
    joined = Joined(places, bundle.manifest.name)
    try:
        reader, sizes = Reader(joined, bundle.manifest.name), bundle.manifest.sizes
        for digest in bundle.manifest.carried:
            take(digest, partial(reader.content, digest, sizes[digest]))
        reader.end()
    finally:
        joined.close()


def keep_nothing(_digest: str, read: ReadInto) -> None:
    """Take a content only to see that it is what it should be."""
    read(len)
