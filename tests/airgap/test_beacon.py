"""Beacons: what a node said of its host keys is pinned when its stick's secret proves it, and at no other time."""

import base64
import hashlib
import hmac
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import json_lines, sparkctl
from tests.support.first_boot import FirstBoot
from tests.support.seeds import make_site, seed, ssh_key

pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_site(tmp_path_factory.mktemp("beacon"))
    ran = seed(folder, "seeds", "--no-images")
    assert ran.returncode == 0, ran.stderr
    node = FirstBoot(folder / "seeds", folder / "node")
    assert node.run().returncode == 0
    (folder / "beacon.json").write_bytes((node.stick / "beacon.json").read_bytes())
    return folder


def receive(site: Path, beacon: Path, state: Path, *more: str | Path) -> "subprocess.CompletedProcess[str]":
    secret = site / "state/seed-enrolment.key"
    arguments = more or ("--enrolment", secret)
    return sparkctl(
        "receive", "beacon", beacon, "--fleet", site / "fleet.yaml", "--state", state, *arguments, home=site
    )


def test_its_keys_are_pinned_and_stay_pinned(site: Path, tmp_path: Path) -> None:
    told = json.loads((site / "beacon.json").read_text())
    fingerprints = [key["fingerprint"] for key in told["host_keys"]]
    ran = receive(site, site / "beacon.json", tmp_path / "state")
    assert ran.returncode == 0, ran.stderr
    (read,) = json_lines(ran)
    assert (read["node_id"], read["pinned"], read["known_before"]) == ("spark01", fingerprints, [])
    found = subprocess.run(
        ["ssh-keygen", "-l", "-F", "spark01", "-f", tmp_path / "state/known_hosts"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(fingerprint in found.stdout for fingerprint in fingerprints)
    before = (tmp_path / "state/known_hosts").read_bytes()
    (again,) = json_lines(receive(site, site / "beacon.json", tmp_path / "state"))
    assert (again["pinned"], again["known_before"]) == ([], fingerprints)
    assert (tmp_path / "state/known_hosts").read_bytes() == before
    entered = sparkctl(
        "receive", "pins", "spark01", "--fleet", site / "fleet.yaml", "--state", tmp_path / "state", home=site
    )
    assert entered.returncode == 0, entered.stderr


def swap_key(beacon: dict[str, Any]) -> None:
    beacon["host_keys"][0] = dict(beacon["host_keys"][1])


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda beacon: beacon.update(at="2026-01-01T00:00:00Z"), 4, "secret of its stick"),
        (swap_key, 4, "secret of its stick"),
        (lambda beacon: beacon.update(node_id="spark02"), 4, "secret of its stick"),
        (lambda beacon: beacon.update(instance_id="spark-0"), 4, "secret of its stick"),
        (lambda beacon: beacon.update(hmac=None), 4, "proves nothing"),
        (lambda beacon: beacon.update(state="waiting", errors=["late"]), 4, "late"),
        (lambda beacon: beacon.update(node_id="nobody"), 2, "no node 'nobody'"),
        (lambda beacon: beacon.update(more=1), 2, "is no beacon"),
        (lambda beacon: beacon.update(host_keys=[{"fingerprint": "x", "public_key": "y"}]), 2, "is no beacon"),
        (lambda beacon: beacon.update(errors=["\x1b[2J"]), 2, "is no beacon"),
    ],
)
def test_what_was_changed_pins_nothing(
    change: Callable[[dict[str, Any]], None], code: int, words: str, site: Path, tmp_path: Path
) -> None:
    beacon = json.loads((site / "beacon.json").read_text())
    change(beacon)
    (tmp_path / "b.json").write_text(json.dumps(beacon))
    ran = receive(site, tmp_path / "b.json", tmp_path / "state")
    assert (ran.returncode, words in ran.stderr) == (code, True), ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "state/known_hosts").exists()


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00", '{"a":1,"a":2}', "[" * 100_000])
def test_what_is_no_beacon_is_a_usage_error(text: str, site: Path, tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(text)
    ran = receive(site, tmp_path / "b.json", tmp_path / "state")
    assert (ran.returncode, "is no beacon" in ran.stderr) == (2, True), ran.stderr


def test_another_secret_proves_nothing(site: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.key"
    other.write_text("00" * 32 + "\n")
    other.chmod(0o600)
    ran = receive(site, site / "beacon.json", tmp_path / "state", "--enrolment", other)
    assert (ran.returncode, "secret of its stick" in ran.stderr) == (4, True)
    other.chmod(0o644)
    ran = receive(site, site / "beacon.json", tmp_path / "state", "--enrolment", other)
    assert (ran.returncode, "may be read by others" in ran.stderr) == (4, True)
    ran = receive(site, site / "beacon.json", tmp_path / "state", "--enrolment", tmp_path / "nowhere")
    assert ran.returncode == 2
    assert not (tmp_path / "nowhere").exists()


def test_keys_never_stand_beside_others(site: Path, tmp_path: Path) -> None:
    public = ssh_key(tmp_path / "other")
    (tmp_path / "state").mkdir()
    (tmp_path / "state/known_hosts").write_text(f"spark01 {public}\n")
    ran = receive(site, site / "beacon.json", tmp_path / "state")
    assert (ran.returncode, "its beacon does not report that key" in ran.stderr) == (4, True), ran.stderr
    assert (tmp_path / "state/known_hosts").read_text() == f"spark01 {public}\n"


def test_whoever_has_the_stick_adds_no_key_to_those_that_are_pinned(site: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert receive(site, site / "beacon.json", state).returncode == 0
    before = (state / "known_hosts").read_bytes()
    told = json.loads((site / "beacon.json").read_text())
    public = " ".join(ssh_key(tmp_path / "other").split()[:2])
    digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
    fingerprint = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
    told["host_keys"].append({"public_key": public, "fingerprint": fingerprint})
    (tmp_path / "b.json").write_text(json.dumps(proven(told, site / "seeds")))
    ran = receive(site, tmp_path / "b.json", state)
    assert (ran.returncode, "would stand beside what is pinned" in ran.stderr) == (4, True), ran.stderr
    assert (state / "known_hosts").read_bytes() == before


def proven(beacon: dict[str, Any], seeds: Path) -> dict[str, Any]:
    """A beacon as whoever has the stick of its node makes it."""
    secret = bytes.fromhex((seeds / f"nodes/{beacon['node_id']}/oemdata/enrolment.key").read_text())
    rest = {key: value for key, value in beacon.items() if key != "hmac"}
    said = json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()
    return {**rest, "hmac": hmac.new(secret, said, hashlib.sha256).hexdigest()}


def test_the_stick_of_an_older_revision_proves_nothing(site: Path, tmp_path: Path) -> None:
    folder = make_site(tmp_path / "site")
    for out, revision in (("first", 1), ("second", 2)):
        text = (folder / "site.yaml").read_text()
        (folder / "site.yaml").write_text(text.replace("version: 1\n", f"version: 1\nrevision: {revision}\n", 1))
        assert seed(folder, out, "--no-images").returncode == 0
        (folder / "site.yaml").write_text(text)
    told = json.loads((site / "beacon.json").read_text())
    for out, code, words in (("first", 4, "the last one made is"), ("second", 0, "")):
        payload = json.loads((folder / out / "nodes/spark01/oemdata/payload.json").read_text())
        beacon = proven({**told, "instance_id": payload["instance_id"]}, folder / out)
        (tmp_path / "b.json").write_text(json.dumps(beacon))
        ran = receive(folder, tmp_path / "b.json", folder / "state")
        assert (ran.returncode, words in ran.stderr) == (code, True), ran.stderr
        assert (folder / "state/known_hosts").exists() == (code == 0)


def test_a_machine_with_another_serial_is_refused(site: Path, tmp_path: Path) -> None:
    fleet = (site / "fleet.yaml").read_text().replace("1581124050001", "1581124059999")
    (tmp_path / "fleet.yaml").write_text(fleet)
    ran = receive(
        site, site / "beacon.json", tmp_path / "state", "--enrolment", site / "state/seed-enrolment.key", "--fleet",
        tmp_path / "fleet.yaml",
    )  # fmt: skip
    assert (ran.returncode, "is of serial 1581124050001" in ran.stderr) == (4, True), ran.stderr
