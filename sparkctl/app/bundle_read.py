"""What a verified bundle is, and what was handed on of one, in words and as fields."""

from typing import Any

from sparkctl.app.bundle_disclose import Disclosed
from sparkctl.evidence.verifying import Authenticity, Verified
from sparkctl.report.words import size


def verified_lines(found: Verified) -> list[str]:
    """What was held against what, for a person."""
    about = found.about
    lines = [
        f"{found.path}: whole, every byte is as it was sealed",
        f"  {whose(found)}",
        (
            f"  node {about.node}{', simulated' if about.simulated else ''}, "
            f"collected {about.collected_at:%Y-%m-%d %H:%M:%S} UTC by {about.tool} {about.version}"
        ),
        f"  {_entries(found.entries)}, {size(found.bytes)}; {found.missing_count} not collected",
    ]
    if about.disclosed_to:
        lines.append(f"  redacted again for {about.disclosed_to}")
    if found.withheld:
        lines.append(f"  a part of a bundle: {_entries(found.withheld)} withheld")
    return lines


def _entries(number: int) -> str:
    return f"{number:,} {'entry' if number == 1 else 'entries'}"


def whose(found: Verified) -> str:
    """Whose word it is that the bundle gives."""
    if found.signed_by is not None:
        principal, key = found.signed_by.principal, found.signed_by.fingerprint
        return f"signed by {principal} ({key})" if principal else f"signed by {key}"
    if found.authenticity is Authenticity.NOT_CHECKED:
        return "signed, but by whom was not checked: name --allowed-signers or --public-key"
    return "not signed: anybody may have made it"


def verified_fields(found: Verified) -> dict[str, Any]:
    """The same for programs."""
    signed_by = found.signed_by
    return {
        "file": str(found.path),
        "authenticity": found.authenticity.value,
        "signed_by": {"principal": signed_by.principal, "fingerprint": signed_by.fingerprint} if signed_by else None,
        "about": found.about.model_dump(mode="json"),
        "entries": found.entries,
        "bytes": found.bytes,
        "withheld": found.withheld,
        "missing": found.missing_count,
        "merkle_root": found.merkle_root,
        "manifest_sha256": found.manifest_sha256,
    }


def disclosed_lines(made: Disclosed, recipient: str | None) -> list[str]:
    """What was handed on for whom, and what that gives away, for a person."""
    source = made.source
    lines = [
        f"{made.out}: {_entries(made.entries)} of {source.path}, {size(made.bytes)}",
        f"  the source: {whose(source)}",
    ]
    if recipient is None:
        lines += [
            "  verbatim: the bytes and the signature are those of the source",
            "  its stand-ins are those of the source, too: whoever has another part of it can join the two",
        ]
    else:
        lines += [
            f"  for {recipient}: {made.replaced:,} values replaced again, with stand-ins that no other bundle has",
            "  times, sizes and texts that name nobody are as they were, and the same for every recipient",
        ]
    return [*lines, *(f"  withheld: {name}, not redacted in time" for name in made.withheld)]


def disclosed_fields(made: Disclosed, recipient: str | None) -> dict[str, Any]:
    """The same for programs."""
    return {
        "file": str(made.out),
        "source": verified_fields(made.source),
        "verbatim": recipient is None,
        "disclosed_to": recipient,
        "entries": made.entries,
        "bytes": made.bytes,
        "replaced": made.replaced,
        "withheld": list(made.withheld),
    }
