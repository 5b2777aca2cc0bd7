"""What a visitor of a simulated node meets, seen by a plain SSH client."""

import asyncio
import re
import socket
from pathlib import Path

import asyncssh
import pytest

from sparkctl.contract.frame import unframe
from sparkctl.contract.strict_json import parse
from sparkctl.errors import ContractError
from sparkctl.lab import control
from sparkctl.lab.lies import frame
from sparkctl.lab.state import Lab
from tests.lab.client import connected, visit
from tests.lab.conftest import StartLab
from tests.lab.leftovers import eventually, processes_of

NONCE = "ab" * 16
DOCUMENT = (
    b'{"ok": true, "data": {"findings": [{"check": "a.b", "status": "pass"}, {"check": "a.c", "status": "pass"}],'
    b' "rollup": {"worst": "pass"}}, "errors": [], "meta": {"program_sha256": "%s"}}' % (b"a" * 64)
)


def test_python_on_a_node_is_the_real_one_with_the_tree_appended(start_lab: StartLab) -> None:
    lab = start_lab("healthy")
    script = "import sys; print(sys.argv[1:]); print(sys.stdin.read()); sys.stderr.write(chr(33)); sys.exit(3)"
    answer = visit(lab, "sim-01", f"python3 -I -S -c '{script}' one", b"from here")
    tree = lab.tree("sim-01").resolve()
    assert answer.stdout.decode() == f"['one', '--root', '{tree}']\nfrom here\n"
    assert (answer.stderr, answer.status) == (b"!", 3)
    as_root = visit(lab, "sim-01", "sudo -n python3 -c 'import sys; print(sys.argv[-1])'")
    assert as_root.stdout.decode() == f"{tree}-root\n"


def test_only_the_key_of_the_lab_is_let_in(tmp_path: Path, start_lab: StartLab) -> None:
    lab = start_lab("healthy", "refuses-key")
    stranger = tmp_path / "stranger"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(stranger))
    with pytest.raises(asyncssh.PermissionDenied):
        visit(lab, "sim-01", "true", key=stranger)
    with pytest.raises(asyncssh.PermissionDenied):
        visit(lab, "sim-02", "true")


def test_a_changed_host_key_is_not_the_pinned_one(start_lab: StartLab) -> None:
    lab = start_lab("changed-host-key")
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        visit(lab, "sim-01", "true")
    control.mend(lab.directory, "sim-01")
    assert visit(lab, "sim-01", "echo back").stdout == b"back\n"


def test_nodes_that_do_not_speak_ssh(start_lab: StartLab) -> None:
    lab = start_lab("down", "never-answers", "not-ssh")
    port = lab.port or 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((lab.node("sim-01").address, port), timeout=5)
    with socket.create_connection((lab.node("sim-02").address, port), timeout=5) as silent:
        silent.sendall(b"SSH-2.0-test\r\n")
        silent.settimeout(0.3)
        with pytest.raises(TimeoutError):
            silent.recv(1)
    with socket.create_connection((lab.node("sim-03").address, port), timeout=5) as other:
        assert other.recv(100).startswith(b"HTTP/1.1 400")


def test_nodes_whose_login_runs_no_program(start_lab: StartLab) -> None:
    lab = start_lab("nologin", "no-python", "old-python", "exec-refused", "killed", "sudo-refused")
    assert visit(lab, "sim-01", "true").status == 1
    missing = visit(lab, "sim-02", "python3 -c 'print(1)'")
    assert (missing.status, missing.stdout) == (127, b"")
    assert b"python3" in missing.stderr
    old = visit(lab, "sim-03", "python3 -I -S -c 'import sys; print(sys.version_info < (3, 10), sys.argv)' 5 six")
    assert old.stdout == b"True ['-c', '5', 'six']\n"
    assert visit(lab, "sim-03", "python3 --version").stdout == b"Python 3.8.10\n"
    with pytest.raises(asyncssh.ChannelOpenError):
        visit(lab, "sim-04", "true")
    assert visit(lab, "sim-05", "echo never seen") == visit(lab, "sim-05", "true")
    assert visit(lab, "sim-05", "true").signal == "KILL"
    refused = visit(lab, "sim-06", "sudo -n python3 -c 'print(1)'")
    assert (refused.status, refused.stderr) == (1, b"sudo: a password is required\n")


def test_half_answers(start_lab: StartLab) -> None:
    lab = start_lab("stalls", "closes-mid-frame", "no-exit-status", "slow")
    assert connected(lab, "sim-01", _first_bytes) == b"01234"
    half = visit(lab, "sim-02", "printf 0123456789")
    assert (half.stdout, half.status, half.connected) == (b"01234", None, False)
    whole = visit(lab, "sim-03", "printf 0123456789")
    assert (whole.stdout, whole.status, whole.connected) == (b"0123456789", None, True)
    assert connected(lab, "sim-04", _first_bytes) == b"0"


async def _first_bytes(connection: asyncssh.SSHClientConnection) -> bytes:
    """What comes at first, and that the channel stays open after it."""
    process = await connection.create_process("printf 0123456789", encoding=None)
    first = await process.stdout.read(100)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(process.wait_closed(), 0.2)
    return bytes(first)


@pytest.mark.parametrize(("character", "stream"), [("floods-stdout", "stdout"), ("floods-stderr", "stderr")])
def test_floods_go_on_until_the_visitor_leaves(start_lab: StartLab, character: str, stream: str) -> None:
    async def drink(connection: asyncssh.SSHClientConnection) -> int:
        process = await connection.create_process("true", encoding=None)
        taken = 0
        while taken < 2_000_000:
            taken += len(await getattr(process, stream).read(65536))
        return taken

    lab = start_lab(character, "healthy")
    assert connected(lab, "sim-01", drink) >= 2_000_000
    assert visit(lab, "sim-02", "echo calm").stdout == b"calm\n"


def test_noise_surrounds_a_document_that_can_still_be_found(start_lab: StartLab) -> None:
    lab = start_lab("banner-noise")
    output = _tell(lab, "sim-01")
    assert output.startswith(b"\x1b[1;32m")
    assert re.search(rb"sparkctl-frame/1 0{32} ", output)
    framed = unframe(output, NONCE)
    assert framed.document == DOCUMENT
    assert framed.noise_bytes > 100


@pytest.mark.parametrize(
    ("character", "cause"),
    [
        ("lies-wrong-digest", "frame_damaged"),
        ("lies-truncated", "frame_damaged"),
        ("lies-other-nonce", "no_document"),
        ("lies-not-utf8", "not_utf8"),
        ("lies-not-json", "not_json"),
        ("lies-duplicate-keys", "duplicate_key"),
        ("lies-not-a-number", "not_a_number"),
        ("lies-too-deep", "too_deep"),
    ],
)
def test_lies_that_the_bytes_give_away(start_lab: StartLab, character: str, cause: str) -> None:
    with pytest.raises(ContractError) as found:
        parse(unframe(_tell(start_lab(character), "sim-01"), NONCE).document)
    assert found.value.cause == cause


def test_lies_that_only_the_contents_give_away(start_lab: StartLab) -> None:
    lab = start_lab("lies-findings-missing", "lies-false-rollup", "lies-other-program", "lies-schema", "healthy")
    true = parse(DOCUMENT)
    told = [parse(unframe(_tell(lab, node.name), NONCE).document) for node in lab.nodes]
    missing, rollup, program, schema, honest = told
    assert honest == true
    assert len(missing["data"]["findings"]) < len(true["data"]["findings"])
    assert rollup["data"]["rollup"]["worst"] == "pass"
    assert "fail" in {finding["status"] for finding in rollup["data"]["findings"]}
    assert program["meta"]["program_sha256"] != true["meta"]["program_sha256"]
    assert set(schema) - set(true)


def test_a_child_dies_with_its_visitor(start_lab: StartLab) -> None:
    lab = start_lab("healthy")

    async def leave(connection: asyncssh.SSHClientConnection) -> None:
        await connection.create_process("sleep 300 & exec sleep 300")
        assert await asyncio.to_thread(eventually, lambda: len(processes_of(lab.directory)) == 3)

    connected(lab, "sim-01", leave)
    assert eventually(lambda: len(processes_of(lab.directory)) == 1)


def test_a_visitor_who_leaves_at_once_leaves_no_child(start_lab: StartLab) -> None:
    lab = start_lab("healthy")

    async def leave(connection: asyncssh.SSHClientConnection) -> None:
        await connection.create_process("sleep 300 & exec sleep 300")

    for _ in range(10):
        connected(lab, "sim-01", leave)
    assert eventually(lambda: len(processes_of(lab.directory)) == 1)


def _tell(lab: Lab, name: str) -> bytes:
    """What a node makes of a framed document that a command prints."""
    answer = visit(lab, name, "cat", frame(DOCUMENT, NONCE))
    assert answer.status == 0
    return answer.stdout
