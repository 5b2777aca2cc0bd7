"""Nodes that break the SSH protocol or the frame: the right stage and cause, bounded memory, unharmed neighbours."""

import asyncio
import contextlib
import socket
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from asyncssh.packet import Boolean, String, UInt32

from tests.hostile.farm import Farm, Tricks, answers, farm_in, framed, quiet_peak_bytes
from tests.transport.wire import tcp_server

pytestmark = pytest.mark.slow
MIB = 2**20
ACCEPT, PK_OK, SUCCESS, EXEC_TAKEN, ADJUST = 6, 60, 52, 99, 93


FLOODS: dict[str, tuple[Tricks, str]] = {
    "ignore-early": (Tricks(flood_at=ACCEPT, flood=(2, String(b"x" * 1000))), "authenticate."),
    "debug-early": (
        Tricks(flood_at=ACCEPT, flood=(4, Boolean(True) + String("\x1b[2J" * 200) + String(""))),
        "authenticate.",
    ),
    "extensions-early": (
        Tricks(flood_at=ACCEPT, flood=(7, UInt32(50) + (String("no@such") + String("x" * 20)) * 50)),
        "authenticate.",
    ),
    "ignore-late": (Tricks(flood_at=EXEC_TAKEN, flood=(2, String(b"x" * 1000))), "run."),
    "debug-late": (Tricks(flood_at=EXEC_TAKEN, flood=(4, Boolean(True) + String("x" * 900) + String(""))), "run."),
    "requests-late": (
        Tricks(flood_at=EXEC_TAKEN, flood=(80, String("no@such") + Boolean(True) + b"x" * 900)),
        "run.",
    ),
    # the command's output, far beyond the window that was granted, and data of a kind that nobody knows
    "output-late": (Tricks(flood_at=EXEC_TAKEN, flood=(94, UInt32(0) + String("x" * 30_000))), "run."),
    "extended-late": (Tricks(flood_at=EXEC_TAKEN, flood=(95, UInt32(0) + UInt32(7) + String("x" * 30_000))), "run."),
    "requests-deaf": (Tricks(flood_at=EXEC_TAKEN, flood=(80, String("a") + Boolean(True)), deaf=True), "run."),
}


@pytest.mark.parametrize(
    ("stack", "when"),
    [
        ("asyncssh", "early"),
        ("asyncssh", "late"),
        ("asyncssh", "deaf"),  # what we do about it is done for asyncssh alone
        ("paramiko", "early"),
        pytest.param("paramiko", "late", marks=pytest.mark.thorough),
        pytest.param("paramiko", "deaf", marks=pytest.mark.thorough),
    ],
)
def test_a_flood_of_packets_that_mean_nothing_costs_time_and_no_memory(stack: str, when: str, tmp_path: Path) -> None:
    floods = {name: flood for name, flood in FLOODS.items() if name.endswith(when)}
    seconds = {"early": 20, "late": 12, "deaf": 14}[when]  # what piles up grows with time
    peak = quiet_peak_bytes(stack)
    with farm_in(tmp_path, stack) as farm:
        farm.add("quiet")
        for name, (tricks, _) in floods.items():
            farm.add(name, tricks=tricks)
        found, report = farm.judge(timeout=seconds)
    for name, (_, stage) in floods.items():
        assert found[name]["status"].startswith(stage)
        assert found[name]["failure"]["cause"] in ("timeout", "protocol_error", "connection_lost", "stdout_limit")
        assert found[name]["duration_ms"] < 2000 * seconds
    assert report["cost"]["peak_rss_bytes"] - peak < 8 * MIB * len(floods)
    assert found["quiet"]["status"] == "ok"


def greets_without_end(sock: socket.socket) -> None:
    while True:
        sock.sendall(b"x" * 65536)


def claims_a_huge_packet(sock: socket.socket) -> None:
    sock.sendall(b"SSH-2.0-OpenSSH_9.6\r\n" + 0x7FFFFFFC.to_bytes(4, "big"))
    greets_without_end(sock)


def test_a_greeting_or_a_packet_that_never_ends_costs_no_memory(tmp_path: Path, stack: str) -> None:
    expected = {"greeting": "connect.not_ssh", "packet": "host_key.protocol_error"}
    with (
        farm_in(tmp_path, stack) as farm,
        tcp_server(greets_without_end) as one,
        tcp_server(claims_a_huge_packet) as two,
    ):
        farm.add("quiet")
        farm.point("greeting", one)
        farm.point("packet", two)
        found, report = farm.judge(timeout=30)
    assert {name: found[name]["status"] for name in expected} == expected
    assert [found[name]["failure"]["attempts"] for name in expected] == [1, 1]
    assert report["cost"]["peak_rss_bytes"] - quiet_peak_bytes(stack) < 8 * MIB * len(expected)
    assert found["quiet"]["status"] == "ok"


def drips(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            sock.sendall(b".")
            time.sleep(1)


async def drips_document(farm: Farm, process: Any) -> None:
    whole = framed(*await farm.document(process))
    head = whole.index(b"\n") + 1
    process.stdout.write(whole[:head])
    for at in range(head, len(whole)):
        await asyncio.sleep(1)
        process.stdout.write(whole[at : at + 1])


async def cut(process: Any) -> None:
    await process.stdout.drain()
    await asyncio.sleep(0.2)
    pipe = process.channel.get_connection()._transport
    pipe.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    pipe.abort()


async def resets_in_frame(farm: Farm, process: Any) -> None:
    whole = framed(*await farm.document(process))
    process.stdout.write(whole[: len(whole) // 2])
    await cut(process)


async def status_first(farm: Farm, process: Any) -> None:
    whole = framed(*await farm.document(process))
    process.channel._send_request(b"exit-status", UInt32(0))
    process.stdout.write(whole)
    process.stdout.write_eof()
    process.close()


async def status_first_then_reset(farm: Farm, process: Any) -> None:
    whole = framed(*await farm.document(process))
    process.channel._send_request(b"exit-status", UInt32(0))
    process.stdout.write(whole[: len(whole) // 2])
    await cut(process)


async def second_frame(farm: Farm, process: Any) -> None:
    nonce, document = await farm.document(process)
    process.stdout.write(framed(nonce, document) + framed(nonce, document.replace(b'"pass"', b'"fail"')))
    process.exit(0)


STALLS = {
    "version": (20, "connect.timeout"),
    "kexinit": (31, "host_key.timeout"),
    "newkeys": (ACCEPT, "authenticate.timeout"),
    "service": (SUCCESS, "authenticate.timeout"),
    "in-auth": (PK_OK, "authenticate.timeout"),
}


def stalls_of(stack: str) -> dict[str, tuple[int, str]]:
    """Where a server stalls, by the number of the message, and what becomes of it.

    A stall at the answer to a key offer needs authentication; without it, the first success is never sent. paramiko
    signs at once, and asks for no answer to an offer that the server could hold back.
    """
    return {name: stall for name, stall in STALLS.items() if (stack, name) != ("paramiko", "in-auth")}


LATE = {
    "drips-banner": "connect.timeout",
    "drips-document": "run.timeout",
    "reset": "run.connection_lost",
    "status-first": "ok",
    "status-first-reset": "run.connection_lost",
    "no-window": "run.timeout",
}


@cache
def visited_late(stack: str) -> dict[str, dict[str, Any]]:
    """One sweep over all that stall, and all whose answer comes late, twice or in part."""
    quiet_peak_bytes(stack)  # by then there is a document to send, which may take a while
    with (
        tempfile.TemporaryDirectory(prefix="farm-") as folder,
        farm_in(Path(folder), stack) as farm,
        tcp_server(drips) as port,
    ):
        for name, (number, _) in stalls_of(stack).items():
            farm.add(name, tricks=Tricks(stall_at=number))
        farm.point("drips-banner", port)
        farm.add("drips-document", drips_document)
        farm.add("reset", resets_in_frame)
        farm.add("status-first", status_first)
        farm.add("status-first-reset", status_first_then_reset)
        farm.add("no-window", answers, Tricks(drop=(ADJUST,)), window=4096)
        farm.add("second-frame", second_frame)
        found, _ = farm.judge(timeout=10)
    return found


def test_a_key_exchange_or_login_that_stalls_after_each_of_its_steps(stack: str) -> None:
    steps, found = stalls_of(stack), visited_late(stack)
    assert {name: found[name]["status"] for name in steps} == {name: status for name, (_, status) in steps.items()}
    assert all(found[name]["duration_ms"] < 20_000 for name in steps)


def test_what_arrives_late_twice_or_in_part(stack: str) -> None:
    found = visited_late(stack)
    assert {name: found[name]["status"] for name in LATE} == LATE
    assert found["no-window"]["failure"]["attempts"] == 1
    # the first frame is the document; whatever follows it is counted as noise and read by nobody
    twice = found["second-frame"]
    assert twice["status"] == "ok"
    assert twice["visit"]["noise_bytes"] > 1000
    assert twice["envelope"]["data"] == found["status-first"]["envelope"]["data"]
