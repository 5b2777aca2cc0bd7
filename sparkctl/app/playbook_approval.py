"""Approvals: OpenSSH signatures over the hash of a plan, in a namespace of its class of risk."""

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sparkctl.app.playbook_site import Site, signers_of
from sparkctl.errors import RefusedError, UsageError
from sparkctl.evidence import ssh_signatures
from sparkctl.evidence.ssh_signatures import MAX_SIGNATURE, Signatory
from sparkctl.model.plan import Approval, Plan, signed_text


def approval_by_key(plan: Plan, key: Path, site: Site, now: datetime) -> Approval:
    """Approve a plan with a key, of which an agent may hold the private part.

    Raises UsageError where it cannot sign, RefusedError where its signature would not count.
    """
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        (place := Path(scratch) / "plan").write_bytes(signed_text(plan.sha256))
        signature = ssh_signatures.sign(place, key, plan.risk.namespace).read_bytes()
    return _approval(plan, signature, site, now)


def approval_by_signature(plan: Plan, file: Path, site: Site, now: datetime) -> Approval:
    """Approve a plan with a signature that was made elsewhere, by `ssh-keygen -Y sign`."""
    try:
        with file.open("rb") as opened:
            signature = opened.read(MAX_SIGNATURE + 1)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    if len(signature) > MAX_SIGNATURE:
        raise UsageError(f"{file} is no signature: it is larger than {MAX_SIGNATURE // 1024} KiB")
    return _approval(plan, signature, site, now)


def _approval(plan: Plan, signature: bytes, site: Site, now: datetime) -> Approval:
    _require_current(plan, now)
    if not signature.isascii():
        raise UsageError(
            f"the signature of the plan {plan.run_id} is no armoured text",
            hint="name the file that `ssh-keygen -Y sign` wrote, as it is",
        )
    who = _signatory(plan, signature, signers_of(site), now)
    return Approval(
        plan_sha256=plan.sha256,
        fingerprint=who.fingerprint,
        principal=who.principal,
        at=now,
        signature=signature.decode("ascii"),
    )


def approvers(plan: Plan, approvals: Sequence[Approval], site: Site, now: datetime) -> list[str]:
    """The people whose signatures over this plan count now, each once, whatever the number of their keys."""
    found: list[Signatory] = []
    for approval in approvals:
        try:
            found.append(_signatory(plan, approval.signature.encode(), signers_of(site), now))
        except RefusedError:
            continue  # the key has expired, or is no longer among those who are allowed
    return ssh_signatures.people(found)


def approvals_needed(plan: Plan, site: Site) -> int:
    """How many people must approve a plan: as many as when it was planned, or as the site wants now, if more."""
    return max(plan.approvals_needed, site.approvals[plan.risk])


def require_approved(plan: Plan, approvals: Sequence[Approval], site: Site, now: datetime) -> list[str]:
    """Who approved a plan; raises RefusedError unless they are enough and it has not expired."""
    _require_current(plan, now)
    needed = approvals_needed(plan, site)
    if not needed:
        return []
    found = approvers(plan, approvals, site, now)
    if len(found) < needed:
        have = f"{', '.join(found)} did" if found else "nobody did"
        raise RefusedError(
            f"{plan.run_id} needs the approval of {needed} {'person' if needed == 1 else 'people'}: {have}",
            hint=f"sparkctl playbook approve {plan.run_id} --key KEY; the hash of the plan is {plan.sha256}",
        )
    return found


def _require_current(plan: Plan, now: datetime) -> None:
    if now >= plan.expires_at:
        raise RefusedError(
            f"the plan {plan.run_id} expired at {plan.expires_at:%Y-%m-%d %H:%M} UTC",
            hint=f"make another: sparkctl playbook plan {plan.playbook} {plan.selector}",
        )


def _signatory(plan: Plan, signature: bytes, signers: Path, now: datetime) -> Signatory:
    with tempfile.TemporaryDirectory(prefix="sparkctl-") as scratch:
        (place := Path(scratch) / "signature").write_bytes(signature)
        return ssh_signatures.signatory(
            signed_text(plan.sha256),
            place,
            named=f"the plan {plan.run_id}",
            allowed_signers=signers,
            namespace=plan.risk.namespace,
            at=now,
        )
