"""What a verified bundle is, in words and as fields."""

from typing import Any

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
