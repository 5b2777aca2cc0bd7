"""The purge lane end to end: our program, a real systemd, a drive that behaves as scripted, a real TPM emulator."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from diag.nodekit.revoking import fingerprint_in
from sparkctl.app.certificate import make_certificate
from sparkctl.errors import RefusedError
from sparkctl.lifecycle.erase_evidence import drive_of, erase_attempt, tpm_evidence
from sparkctl.lifecycle.sanitisation import judge_drive, judge_tpm
from sparkctl.model.control import ControlData
from sparkctl.model.sanitisation import DriveJudgement, SanitiseOutcome, Technique
from tests.ledger.book import key_pair
from tests.retirement.erased import record
from tests.retirement.purge_lane import DRIVE_BYTES, SEED, SERIAL, Lane, purge_lane, software_tpm
from tests.support.systemd_box import Unavailable

pytestmark = pytest.mark.slow

DRIVE = {"device": "nvme0n1", "serial": SERIAL, "seed": SEED}
ACTS = count(1)


@pytest.fixture(scope="module")
def lane() -> Iterator[Lane]:
    folder = Path("/dev/shm") / f"sparkctl-lane-{next(ACTS)}-{datetime.now(UTC):%H%M%S%f}"
    folder.mkdir(mode=0o700)
    try:
        with purge_lane(folder) as lane:
            yield lane
    except Unavailable as why:
        pytest.skip(f"no purge lane can be made here: {why}")
    finally:
        shutil.rmtree(folder)


def marked(lane: Lane) -> None:
    applied, ended = lane.done("nvme-markers", next(ACTS), DRIVE)
    assert (applied.result.value in ("done", "started"), ended.result.value) == (True, "done"), ended
    assert lane.do("nvme-markers", "postcheck", next(ACTS), DRIVE).result.value == "holds"


def erased(lane: Lane, technique: Technique, stall: str = "900") -> tuple[DriveJudgement, ControlData, ControlData]:
    """A technique tried on the marked drive, judged; what the act came to, and the postcheck."""
    given = DRIVE | {"technique": technique.value, "stall": stall}
    started = datetime.now(UTC)
    applied, ended = lane.done("nvme-sanitize", next(ACTS), given)
    checked = lane.do("nvme-sanitize", "postcheck", next(ACTS), given)
    attempt = erase_attempt(
        technique, applied, ended, checked, started_at=started, ended_at=datetime.now(UTC), seed=SEED
    )
    drive = drive_of("nvme0n1", applied, attempt)
    return judge_drive(drive, stall=timedelta(seconds=int(stall))), ended, checked


@pytest.mark.parametrize(
    ("technique", "action"),
    [
        (Technique.SANITIZE_CRYPTO, 4),
        pytest.param(Technique.SANITIZE_BLOCK, 2, marks=pytest.mark.thorough),  # the next technique, below
        pytest.param(Technique.SANITIZE_OVERWRITE, 3, marks=pytest.mark.thorough),
    ],
)
def test_a_drive_that_does_what_it_says_is_purged(lane: Lane, technique: Technique, action: int) -> None:
    lane.reset("success")
    marked(lane)
    judged, ended, checked = erased(lane, technique)
    assert lane.calls == [f"sanitize /dev/nvme0 --sanact={action}"]
    assert (ended.result.value, checked.result.value) == ("done", "holds")
    assert judged.judgement.outcome is SanitiseOutcome.PURGED, judged
    states = [json.loads(line)["state"] for line in ended.output]
    assert (states[0], states[-1]) == (2, 1)
    assert Path(lane.drive).read_bytes() == bytes(DRIVE_BYTES)


@pytest.mark.parametrize(
    ("behaviour", "act", "reason", "outcome", "words"),
    [
        ("failed", "failed", "sanitize_failed", SanitiseOutcome.FAILED, "says that the sanitise failed"),
        ("stuck", "failed", "running", SanitiseOutcome.FAILED, "stands still at 50 %"),
        ("lies", "done", "markers_found", SanitiseOutcome.FAILED, "64 of 64 markers read back"),
        pytest.param(
            "forgets",
            "done",
            "markers_found",
            SanitiseOutcome.FAILED,
            "2 of 64 markers read back",
            marks=pytest.mark.thorough,
        ),
        ("other_action", "done", "other_action", SanitiseOutcome.UNPROVEN, "another action (2)"),
    ],
)
def test_a_drive_that_does_not(
    lane: Lane, behaviour: str, act: str, reason: str, outcome: SanitiseOutcome, words: str
) -> None:
    lane.reset(behaviour)
    marked(lane)
    judged, ended, checked = erased(lane, Technique.SANITIZE_CRYPTO, "3")
    assert (ended.result.value, checked.result.value, checked.reason) == (act, "lacks", reason)
    assert judged.judgement.outcome is outcome, judged
    assert judged.judgement.remains == [Technique.DESTROY]
    assert any(words in each for each in judged.judgement.reasons), judged


def test_a_command_that_is_refused_leaves_the_next_technique_which_then_purges(lane: Lane) -> None:
    lane.reset("refuses")
    marked(lane)
    judged, ended, _ = erased(lane, Technique.SANITIZE_CRYPTO)
    assert (ended.result.value, ended.exit_status) == ("failed", 1)
    assert judged.judgement.outcome is SanitiseOutcome.NOT_STARTED
    assert judged.judgement.remains[0] is Technique.SANITIZE_BLOCK
    lane.reset("success")
    marked(lane)
    assert erased(lane, Technique.SANITIZE_BLOCK)[0].judgement.outcome is SanitiseOutcome.PURGED
    assert lane.calls == ["sanitize /dev/nvme0 --sanact=2"]


def test_a_format_clears_at_best(lane: Lane) -> None:
    lane.reset("success")
    marked(lane)
    judged, _, checked = erased(lane, Technique.FORMAT_USER_DATA)
    assert lane.calls == ["format /dev/nvme0n1 --ses=1 --force"]
    assert checked.result.value == "holds"
    assert (judged.judgement.outcome, judged.judgement.remains) == (SanitiseOutcome.CLEARED, [Technique.DESTROY])


NOT_TO_BE_ERASED: tuple[tuple[dict[str, Any], dict[str, Any], str], ...] = (
    ({}, {"serial": "ANOTHER"}, "other_drive"),
    ({"sstat": 2}, {}, "sanitize_running"),
    ({"sstat": 3}, {}, "sanitize_failed"),
    ({"sanicap": 0b110}, {}, "unsupported"),
    ({}, {"seed": "0" * 32}, "markers_absent"),
    ({}, {"device": "sda"}, "bad_parameters"),
    ({}, {"technique": "sanitize_crypto_erase; true"}, "bad_parameters"),
)


def test_what_must_not_be_erased_is_not(lane: Lane) -> None:
    lane.reset("success")
    marked(lane)
    before = Path(lane.drive).read_bytes()
    state = json.loads((lane.folder / "nvme.json").read_text())
    for changed, given, reason in NOT_TO_BE_ERASED:
        (lane.folder / "nvme.json").write_text(json.dumps(state | {"behaviour": "stuck"} | changed))
        asked = DRIVE | {"technique": "sanitize_crypto_erase"} | given
        for phase in ("precheck", "apply"):
            refused = lane.do("nvme-sanitize", phase, next(ACTS), asked)
            assert (refused.result.value, refused.reason) == ("refused", reason), refused
    assert lane.calls == []
    assert Path(lane.drive).read_bytes() == before


def test_a_drive_that_is_mounted_is_not_touched(lane: Lane) -> None:
    lane.reset("success")
    marked(lane)
    mounted = lane.box.run("sh", "-c", "mke2fs -q -F /dev/nvme0n1 2048 && mkdir -p /run/m && mount /dev/nvme0n1 /run/m")
    assert mounted.returncode == 0, mounted.stderr
    try:
        for controller in ("nvme-markers", "nvme-sanitize"):
            given = DRIVE | ({"technique": "sanitize_crypto_erase"} if controller == "nvme-sanitize" else {})
            refused = lane.do(controller, "apply", next(ACTS), given)
            assert (refused.result.value, refused.reason) == ("refused", "in_use"), refused
    finally:
        lane.box.run("umount", "/run/m")
    assert lane.calls == []


def tpm2(tool: str, tcti: str, *words: str | Path) -> str:
    ran = subprocess.run([f"tpm2_{tool}", f"--tcti={tcti}", *words], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture
def tcti(lane: Lane) -> Iterator[str]:
    if not all(map(shutil.which, ("swtpm", "tpm2_clear"))):
        pytest.skip("swtpm and tpm2-tools are not installed")
    with software_tpm(lane.folder / f"tpm-{next(ACTS)}") as tcti:
        yield tcti


def owned(tcti: str, folder: Path) -> None:
    """Give the TPM an owner with a password, an object that persists, and an NV index."""
    context = folder / "primary.ctx"
    tpm2("changeauth", tcti, "-c", "o", "secret")
    tpm2("createprimary", tcti, "-C", "o", "-P", "secret", "-c", context, "-Q")
    tpm2("evictcontrol", tcti, "-C", "o", "-P", "secret", "-c", context, "0x81000001")
    tpm2("nvdefine", tcti, "-C", "o", "-P", "secret", "-s", "8", "0x01800001")


def test_a_tpm_forgets_its_owner(lane: Lane, tcti: str) -> None:
    owned(tcti, lane.folder)
    given = {"tcti": tcti}
    before = datetime.now(UTC)
    ready = lane.do("tpm-clear", "precheck", next(ACTS), given)
    assert (ready.result.value, ready.observed["owner_auth"], ready.observed["owner_handles"]) == ("ready", True, 1)
    assert ready.observed["owner_nv"] == 1
    applied, ended = lane.done("tpm-clear", next(ACTS), given)
    assert (ended.result.value, ended.exit_status) == ("done", 0), ended
    checked = lane.do("tpm-clear", "postcheck", next(ACTS), given)
    assert checked.result.value == "holds"
    assert "0x81000001" not in tpm2("getcap", tcti, "handles-persistent")
    assert "ownerAuthSet:              0" in tpm2("getcap", tcti, "properties-variable")
    evidence = tpm_evidence(applied, ended, checked, before=before, after=datetime.now(UTC))
    assert evidence.before is not None
    assert evidence.before.owner_auth is True
    assert evidence.manufacturer == "IBM"  # as swtpm says
    assert evidence.tool_version
    assert judge_tpm(evidence)[0] is SanitiseOutcome.CLEARED
    assert lane.do("tpm-clear", "precheck", next(ACTS), given).result.value == "holds"


def test_a_tpm_that_may_not_be_cleared(lane: Lane, tcti: str) -> None:
    owned(tcti, lane.folder)
    tpm2("changeauth", tcti, "-c", "l", "locked")
    given = {"tcti": tcti}
    refused = lane.do("tpm-clear", "apply", next(ACTS), given)
    assert (refused.result.value, refused.reason) == ("refused", "lockout_auth_set")
    assert "0x81000001" in tpm2("getcap", tcti, "handles-persistent")
    assert lane.do("tpm-clear", "postcheck", next(ACTS), given).reason == "not_cleared"
    assert lane.box.run("sh", "-c", "printf locked > /run/lockout").returncode == 0
    _, ended = lane.done("tpm-clear", next(ACTS), given | {"auth_file": "/run/lockout"})
    assert ended.result.value == "done", ended
    assert lane.do("tpm-clear", "postcheck", next(ACTS), given).result.value == "holds"
    tpm2("changeauth", tcti, "-c", "o", "secret")
    tpm2("clearcontrol", tcti, "-C", "l", "s")
    refused = lane.do("tpm-clear", "apply", next(ACTS), given)
    assert (refused.result.value, refused.reason) == ("refused", "clear_disabled")


SPARK = """set -e
mkdir -p /run/home/.ssh
printf 'spark:x:65534:65534::/run/home:/bin/sh\\n' | cat /etc/passwd - > /run/passwd
mount --bind /run/passwd /etc/passwd
printf 't0ken' > /run/token
cat "$1" "$2" > /run/home/.ssh/authorized_keys
chown -R 65534:65534 /run/home
"""


def test_access_is_revoked(lane: Lane) -> None:
    ours, theirs = (key_pair(lane.folder, name).with_suffix(".pub") for name in ("ours", "theirs"))
    made = lane.box.run("sh", "-c", SPARK, "sh", str(ours), str(theirs))
    assert made.returncode == 0, made.stderr
    token = hashlib.sha256(b"t0ken").hexdigest()
    given = {"users": ["spark"], "keys": [fingerprint_in(ours.read_text())], "tokens": {"/run/token": token}}
    refused = lane.do("revoke-access", "apply", next(ACTS), given | {"tokens": {"/run/token": "0" * 64}})
    assert (refused.result.value, refused.reason) == ("refused", "other_file")
    _, ended = lane.done("revoke-access", next(ACTS), given)
    assert ended.result.value == "done", ended
    told = [json.loads(line) for line in ended.output]
    assert [(one["of"], one["removed"]) for one in told] == [("spark", 1), ("/run/token", 1)]
    left = lane.box.run("cat", "/run/home/.ssh/authorized_keys").stdout
    assert left == theirs.read_bytes()
    assert told[0]["after"] == hashlib.sha256(left).hexdigest()
    assert lane.box.run("test", "-e", "/run/token").returncode == 1
    assert lane.do("revoke-access", "postcheck", next(ACTS), given).result.value == "holds"
    assert lane.do("revoke-access", "precheck", next(ACTS), given).result.value == "holds"


def test_from_the_lane_to_the_certificate(lane: Lane, tcti: str, tmp_path: Path) -> None:
    lane.reset("success")
    marked(lane)
    given = DRIVE | {"technique": Technique.SANITIZE_CRYPTO.value}
    started = datetime.now(UTC)
    applied, ended = lane.done("nvme-sanitize", next(ACTS), given)
    checked = lane.do("nvme-sanitize", "postcheck", next(ACTS), given)
    attempt = erase_attempt(
        Technique.SANITIZE_CRYPTO, applied, ended, checked, started_at=started, ended_at=datetime.now(UTC), seed=SEED
    )
    owned(tcti, lane.folder)
    answers = (*lane.done("tpm-clear", next(ACTS), {"tcti": tcti}),)
    after = lane.do("tpm-clear", "postcheck", next(ACTS), {"tcti": tcti})
    evidence = tpm_evidence(*answers, after, before=started, after=datetime.now(UTC))
    whole = record(drive_of("nvme0n1", applied, attempt), tpm=evidence, simulated=True)
    issued = make_certificate(tmp_path / "state", whole, tmp_path / "out", key=None, now=datetime.now(UTC))
    (medium,) = issued.certificate.media
    assert (medium.manufacturer, medium.serial, medium.tool_version) == ("Samsung", SERIAL, "2.8")
    assert (medium.method.value, medium.technique) == ("purge", "sanitize_crypto_erase")
    left = tpm_evidence(*answers, None, before=started, after=datetime.now(UTC))
    with pytest.raises(RefusedError, match="TPM"):
        make_certificate(
            tmp_path / "state", whole.model_copy(update={"tpm": left}), tmp_path / "other", key=None, now=started
        )
