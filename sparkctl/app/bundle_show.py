"""Show one bundle: its page, and the entries in it."""

import difflib
import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from sparkctl.app.bundle_facts import first_facts
from sparkctl.app.bundle_judged import judged_in
from sparkctl.errors import UsageError
from sparkctl.evidence.files import written_new
from sparkctl.evidence.reading import OpenedBundle, drain
from sparkctl.evidence.verifying import Verified
from sparkctl.model.bundle_page import BundlePage, Group, NotWhole, Replaced, Signer
from sparkctl.model.evidence import CommandSource, Entry, EntryKind, EntryStatus
from sparkctl.model.health import roll_up
from sparkctl.model.printable import printable
from sparkctl.model.redaction import RedactionReport
from sparkctl.report.bundle_html import EntryText, write_page
from sparkctl.report.entry_text import Shown, shown

NAME = 900  # characters of a path or file that are shown
_COMPARED = 2000  # paths that a mistyped one is held against
ENTRY_BYTES, PAGE_BYTES = 64 * 1024, 8 * 2**20
"""Of one artefact and of all of them together, in a page for a browser."""


def page_of(bundle: OpenedBundle, found: Verified) -> BundlePage:
    """The page of a bundle that was verified; raises UsageError where it is another meanwhile."""
    judged = judged_in(bundle)
    findings = judged.health.data.findings if judged.health and judged.health.data else None
    return BundlePage(
        file=printable(str(found.path), NAME),
        vouching=found.authenticity.value,
        signed_by=_signer(found),
        about=found.about,
        entries=found.entries,
        bytes=found.bytes,
        withheld_entries=found.withheld,
        missing_count=found.missing_count,
        merkle_root=found.merkle_root,
        manifest_sha256=found.manifest_sha256,
        findings=findings,
        rollup=roll_up(findings) if findings is not None else None,
        transitions=judged.reset.data.transitions if judged.reset and judged.reset.data else None,
        facts=first_facts(judged.facts.data) if judged.facts and judged.facts.data else [],
        groups=groups_of(bundle.entries()),
        not_whole=[_not_whole(entry) for entry in bundle.entries() if not _is_whole(entry)],
        missing=list(bundle.missing),
        withheld=judged.redaction.withheld if judged.redaction else [],
        replaced=list(_replaced(judged.redaction)),
        unread=list(judged.unread),
    )


def groups_of(entries: Sequence[Entry]) -> list[Group]:
    """Artefacts by their group, everything else by what it is for; in the order of their names."""
    sizes: dict[tuple[bool, str], list[int]] = defaultdict(list)
    for entry in entries:
        sizes[entry.kind is not EntryKind.ARTEFACT, group_of(entry)].append(entry.size)
    return [
        Group(name=printable(name, NAME), entries=len(each), bytes=sum(each))
        for (_, name), each in sorted(sizes.items())
    ]


def group_of(entry: Entry) -> str:
    """The group of an artefact (`kernel`), or the kind of another entry (`tree`)."""
    parts = entry.path.split("/")
    return parts[1] if entry.kind is EntryKind.ARTEFACT and len(parts) > 2 else entry.kind.value


def _signer(found: Verified) -> Signer | None:
    if found.signed_by is None:
        return None
    principal, fingerprint = found.signed_by.principal, found.signed_by.fingerprint
    return Signer(principal=None if principal is None else printable(principal), fingerprint=printable(fingerprint))


def _is_whole(entry: Entry) -> bool:
    return entry.status is EntryStatus.COMPLETE and entry.truncation is None


def _not_whole(entry: Entry) -> NotWhole:
    words = entry.words or ""
    if entry.truncation is not None:
        cut = f"{entry.truncation.dropped:,} of {entry.truncation.part} left out"
        words = f"{words}; {cut}" if words else cut
    return NotWhole(path=printable(entry.path, NAME), status=entry.status, words=printable(words, NAME))


def _replaced(report: RedactionReport | None) -> Iterator[Replaced]:
    for rule in report.rules if report else ():
        yield Replaced(rule=rule.rule, count=rule.count, artefacts=len(rule.artefacts) + rule.artefacts_left_out)


def entry_named(bundle: OpenedBundle, name: str) -> Entry:
    """The entry with this path, of which `artefacts/` may be left out; raises UsageError with those like it."""
    entries = {entry.path: entry for entry in bundle.entries()}
    for path in (name, f"artefacts/{name}"):
        if path in entries:
            return entries[path]
    known = list(entries)[:_COMPARED]
    near = difflib.get_close_matches(f"artefacts/{name}", known, n=3) or difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {', '.join(map(printable, near))}?" if near else "bundle show without ENTRY names the groups"
    raise UsageError(f"{bundle.named} holds no {printable(name)}", hint=hint)


def content_of(bundle: OpenedBundle, wanted: Entry, limit: int) -> Shown:
    """The beginning of an entry, for eyes; raises UsageError where the bundle is another meanwhile."""
    for entry, content in bundle.stream():
        if entry is wanted:
            return shown(content, limit)
        drain(content)
    raise AssertionError(wanted.path)  # the stream has every entry, or ends with an error


def write_html(bundle: OpenedBundle, found: Verified, out: Path) -> None:
    """Write the page of a verified bundle as one file for a browser, which must not be there yet."""
    page = page_of(bundle, found)
    try:
        with written_new(out) as file:
            write_page(page, _texts(bundle), file)
    except OSError as error:
        raise UsageError(f"{out} was not written: {error.strerror or error}") from error


def _texts(bundle: OpenedBundle) -> Iterator[EntryText]:
    """Artefacts with the beginning of each, until the page is full; the others are named."""
    left, group = PAGE_BYTES, ""
    for entry, content in bundle.stream():
        if entry.kind is not EntryKind.ARTEFACT:
            drain(content)
            continue
        text = shown(content, min(left, ENTRY_BYTES))
        left -= min(left, ENTRY_BYTES, entry.size)
        yield EntryText(
            group=printable(group_of(entry), NAME),
            opens_group=group_of(entry) != group,
            path=printable(entry.path, NAME),
            bytes=entry.size,
            state="" if _is_whole(entry) else entry.status.value,
            source=_source(entry),
            shown=text,
        )
        group = group_of(entry)


def _source(entry: Entry) -> str:
    """The command as a shell would take it, or the path."""
    if isinstance(entry.source, CommandSource):
        status = entry.source.exit_status
        return printable(shlex.join(entry.source.argv), NAME) + (f" (exit {status})" if status else "")
    return printable(entry.source.path, NAME) if entry.source else ""
