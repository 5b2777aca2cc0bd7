"""Who may approve a plan, by which signature, and for how long."""

import sqlite3
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from sparkctl.app.playbook_approval import approval_by_key, approval_by_signature, approvers, require_approved
from sparkctl.app.playbook_parts import words_of
from sparkctl.app.playbook_site import APPROVALS, Site
from sparkctl.app.playbook_status import status_of
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.plan import Plan
from sparkctl.model.playbook import Risk
from sparkctl.store.store import Store
from tests.support.playbooks import NOON, plan_of


@dataclass(frozen=True)
class People:
    """Keys of people in a folder, and the file of those who may approve."""

    folder: Path

    def key(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
        return path

    def allow(self, *lines: str) -> Site:
        """A site where these may approve: `principal key-name [options]`."""
        written = []
        for line in lines:
            principal, name, *options = line.split()
            public = " ".join(self.key(name).with_suffix(".pub").read_text().split()[:2])
            written.append(" ".join([principal, *options, public]))
        (self.folder / "signers").write_text("\n".join(written) + "\n")
        return Site(allowed_signers=self.folder / "signers", approvals=dict(APPROVALS))

    def sign(self, name: str, text: str, namespace: str) -> Path:
        """A signature as people make it with nothing but OpenSSH."""
        made = subprocess.run(
            ["ssh-keygen", "-Y", "sign", "-q", "-f", str(self.key(name)), "-n", namespace],
            input=text.encode(),
            capture_output=True,
            check=True,
        )
        (path := self.folder / f"{name}.sig").write_bytes(made.stdout)
        return path


@pytest.fixture
def people(tmp_path: Path) -> People:
    return People(tmp_path)


@pytest.fixture
def plan() -> Plan:
    return plan_of(2, approvals=1)


def test_a_signature_by_somebody_who_may_counts(people: People, plan: Plan) -> None:
    site = people.allow("alice alice")
    approval = approval_by_key(plan, people.key("alice"), site, NOON)
    assert approval.principal == "alice"
    assert require_approved(plan, [approval], site, NOON) == ["alice"]


def test_a_signature_made_elsewhere_with_nothing_but_openssh_counts(people: People, plan: Plan) -> None:
    site = people.allow("alice alice")
    file = people.sign("alice", f"{plan.sha256}\n", "spark-approve-disruptive")
    assert approval_by_signature(plan, file, site, NOON).principal == "alice"


def test_somebody_who_may_not_is_refused(people: People, plan: Plan) -> None:
    site = people.allow("alice alice")
    with pytest.raises(RefusedError, match="is signed by nobody in"):
        approval_by_key(plan, people.key("mallory"), site, NOON)


@pytest.mark.parametrize("namespace", ["spark-approve-reversible", "spark-evidence", "file"])
def test_a_signature_for_another_purpose_is_refused(people: People, plan: Plan, namespace: str) -> None:
    site = people.allow("alice alice")
    file = people.sign("alice", f"{plan.sha256}\n", namespace)
    with pytest.raises(RefusedError, match="does not hold"):
        approval_by_signature(plan, file, site, NOON)


def test_a_signature_over_another_plan_is_refused(people: People, plan: Plan) -> None:
    site = people.allow("alice alice")
    other = plan_of(3, approvals=1)
    file = people.sign("alice", f"{other.sha256}\n", "spark-approve-disruptive")
    with pytest.raises(RefusedError, match="does not hold"):
        approval_by_signature(plan, file, site, NOON)
    stolen = approval_by_key(other, people.key("alice"), site, NOON)
    with pytest.raises(RefusedError, match="nobody did"):
        require_approved(plan, [stolen], site, NOON)


def test_a_key_that_may_approve_something_else_only_is_refused(people: People, plan: Plan) -> None:
    site = people.allow('alice alice namespaces="spark-approve-reversible"')
    with pytest.raises(RefusedError, match=r"does not hold|nobody in"):
        approval_by_key(plan, people.key("alice"), site, NOON)


def test_a_key_that_has_expired_approves_nothing_even_if_it_did_before(people: People, plan: Plan) -> None:
    site = people.allow('alice alice valid-before="20261202Z"')
    approval = approval_by_key(plan, people.key("alice"), site, NOON)
    late = NOON + timedelta(hours=20)
    assert approvers(plan, [approval], site, late) == []
    with pytest.raises(RefusedError, match="nobody did"):
        require_approved(plan, [approval], site, late)


def test_an_expired_plan_can_neither_be_approved_nor_run(people: People, plan: Plan) -> None:
    site = people.allow("alice alice")
    approval = approval_by_key(plan, people.key("alice"), site, NOON)
    for act in (
        lambda: approval_by_key(plan, people.key("alice"), site, plan.expires_at),
        lambda: require_approved(plan, [approval], site, plan.expires_at),
    ):
        with pytest.raises(RefusedError, match="expired at 2026-12-02 12:00 UTC"):
            act()


@pytest.mark.parametrize("name", ["alice", "alice@site,alice", "admin,alice"])
def test_two_keys_of_one_person_are_one_approval(name: str, people: People) -> None:
    plan = plan_of(2, approvals=2, risk=Risk.DESTRUCTIVE)
    site = people.allow(f"{name} alice", "alice token", "bob bob")
    mine = [approval_by_key(plan, people.key(name), site, NOON) for name in ("alice", "token")]
    with pytest.raises(RefusedError, match=r"needs the approval of 2 people: (alice|admin) did"):
        require_approved(plan, mine, site, NOON)
    both = [*mine, approval_by_key(plan, people.key("bob"), site, NOON)]
    assert require_approved(plan, both, site, NOON) == ["admin" if "admin" in name else "alice", "bob"]


def test_a_site_that_asks_for_more_than_it_did_is_heard(people: People, plan: Plan) -> None:
    site = people.allow("alice alice")
    approval = approval_by_key(plan, people.key("alice"), site, NOON)
    stricter = Site(allowed_signers=site.allowed_signers, approvals={**APPROVALS, Risk.DISRUPTIVE: 2})
    with pytest.raises(RefusedError, match="approval of 2 people"):
        require_approved(plan, [approval], stricter, NOON)
    with Store.open(people.folder / "state") as store:
        store.journals.keep_plan(plan)
        store.journals.approve(plan.run_id, approval)
        assert status_of(store, plan.run_id, site, NOON).why == "it may begin"
        told = status_of(store, plan.run_id, stricter, NOON)
    assert (told.approvals_needed, told.why) == (2, "it waits for 1 more approval")


def test_without_a_file_of_signers_nobody_approves(people: People, plan: Plan) -> None:
    with pytest.raises(UsageError, match="names no allowed signers"):
        approval_by_key(plan, people.key("alice"), Site(), NOON)


@pytest.mark.parametrize(
    "content", [b"", b"nonsense", b"\xff" * 1000, b"-----BEGIN SSH SIGNATURE-----\n", b"x" * 70_000]
)
def test_what_is_no_signature_is_refused(people: People, plan: Plan, content: bytes, tmp_path: Path) -> None:
    site = people.allow("alice alice")
    (file := tmp_path / "nonsense.sig").write_bytes(content)
    with pytest.raises((RefusedError, UsageError)):
        approval_by_signature(plan, file, site, NOON)
    with pytest.raises(UsageError, match="No such file"):
        approval_by_signature(plan, tmp_path / "nowhere", site, NOON)


def test_what_needs_no_approval_needs_no_signers(plan: Plan) -> None:
    free = plan_of(2, risk=Risk.READ_ONLY)
    assert require_approved(free, [], Site(), NOON) == []
    assert plan.approvals_needed == 1


def test_what_stands_behind_a_signature_is_not_kept(people: People, plan: Plan, tmp_path: Path) -> None:
    site = people.allow("alice alice")
    file = people.sign("alice", f"{plan.sha256}\n", "spark-approve-disruptive")
    (strange := tmp_path / "strange").write_bytes(file.read_bytes() + b"\xff\xfe")
    with pytest.raises(UsageError, match="is no armoured text"):
        approval_by_signature(plan, strange, site, NOON)
    kept = approval_by_signature(plan, file, site, NOON)
    older = kept.model_copy(update={"signature": kept.signature + "\ufffd"})
    assert set(approvers(plan, [older, kept], site, NOON)) == {"alice"}


def test_an_approval_that_was_changed_in_the_store_is_named(people: People, plan: Plan, tmp_path: Path) -> None:
    approval = approval_by_key(plan, people.key("alice"), people.allow("alice alice"), NOON)
    with Store.open(tmp_path / "state") as store:
        store.journals.keep_plan(plan)
        store.journals.approve(plan.run_id, approval)
        assert store.journals.approvals(plan.run_id) == [approval]
    raw = sqlite3.connect(tmp_path / "state" / "state.db")
    raw.execute("UPDATE approvals SET body = '{}'")
    raw.commit()
    raw.close()
    with Store.open(tmp_path / "state") as store, pytest.raises(RefusedError, match="an approval of r1 is not what"):
        store.journals.approvals(plan.run_id)


def test_a_reason_of_nothing_is_none() -> None:
    assert words_of("--why", "so\nso", 500) == "so\\u000aso"
    with pytest.raises(UsageError, match="--why must say something"):
        words_of("--why", " ", 500)
