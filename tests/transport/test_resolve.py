"""Look-ups of names: shared, bounded, and waited for by nobody once they are not wanted."""

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.dial import dial
from sparkctl.transport.resolve import Resolver, resolve
from sparkctl.transport.seam import TransportError


class NameServer:
    """Stands for a system resolver that takes its time: every question is noted, and answered once `answer` is set."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer = threading.Event()

    def getaddrinfo(self, host: str, port: int, **_: Any) -> Any:
        self.asked.append(host)
        self.answer.wait(20)
        if host.startswith("unknown"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        six = (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("2001:db8::1", port, 0, 3))
        four = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("192.0.2.1", port))
        return [six, four]

    async def until_asked(self, *hosts: str) -> None:
        async with asyncio.timeout(10):
            while sorted(self.asked) != sorted(hosts):
                await asyncio.sleep(0.01)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    server = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", server.getaddrinfo)
    yield server
    server.answer.set()


async def test_one_look_up_serves_all_who_ask_and_each_gets_its_port(names: NameServer) -> None:
    asking = [asyncio.create_task(resolve("spark01", port)) for port in (22, 2222)]
    await names.until_asked("spark01")
    names.answer.set()
    found = await asyncio.gather(*asking)
    assert [[address[4] for address in one] for one in found] == [
        [("2001:db8::1", 22, 0, 3), ("192.0.2.1", 22)],
        [("2001:db8::1", 2222, 0, 3), ("192.0.2.1", 2222)],
    ]
    await resolve("spark01", 22)
    assert names.asked == ["spark01", "spark01"], "an answer is not kept for later"


async def test_who_gives_up_takes_no_look_up_from_the_others(names: NameServer) -> None:
    resolver = Resolver()
    impatient, patient = (asyncio.create_task(resolver.look_up("spark01")) for _ in range(2))
    await names.until_asked("spark01")
    impatient.cancel()
    await asyncio.wait([impatient])
    names.answer.set()
    assert len(await patient) == 2
    assert names.asked == ["spark01"]


async def test_a_look_up_that_hangs_is_joined_again_and_not_repeated(names: NameServer) -> None:
    resolver = Resolver()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await resolver.look_up("spark01")
    again = asyncio.create_task(resolver.look_up("spark01"))
    await asyncio.sleep(0)
    names.answer.set()
    assert len(await again) == 2
    assert names.asked == ["spark01"]


async def test_what_finds_no_place_waits_and_is_never_begun_when_nobody_waits_any_more(names: NameServer) -> None:
    resolver = Resolver(most=2)
    first = [asyncio.create_task(resolver.look_up(name)) for name in ("spark01", "spark02")]
    await names.until_asked("spark01", "spark02")
    gone, waiting = (asyncio.create_task(resolver.look_up(name)) for name in ("spark03", "spark04"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    names.answer.set()
    await asyncio.gather(*first, waiting)
    assert sorted(names.asked) == ["spark01", "spark02", "spark04"]
    assert len(await resolver.look_up("spark03")) == 2, "it may be asked for again"


async def test_a_name_without_answer_has_its_own_cause_within_the_deadline(names: NameServer) -> None:
    with pytest.raises(TransportError) as caught:
        await dial("spark01.example", 22, 0.2)
    error = caught.value
    assert (error.stage, error.cause, error.retryable) == (Stage.CONNECT, Cause.NAME_NOT_RESOLVED, True)
    assert "no name server answered for spark01.example within 0.2 s" in error.message


async def test_a_failure_reaches_all_who_asked(names: NameServer) -> None:
    asking = [asyncio.create_task(resolve("unknown", 22)) for _ in range(2)]
    await names.until_asked("unknown")
    names.answer.set()
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(result) for result in results] == [socket.gaierror] * 2


async def test_what_cannot_be_a_name_is_said_so() -> None:
    with pytest.raises(TransportError, match="no valid host name") as caught:
        await dial("a" * 64 + ".example", 22, 5)
    assert (caught.value.cause, caught.value.retryable) == (Cause.NAME_NOT_RESOLVED, False)


async def test_a_numeric_address_with_a_scope_takes_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    system = socket.getaddrinfo

    def noting(*arguments: Any, **more: Any) -> Any:
        threads.append(threading.get_ident())
        return system(*arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", noting)
    with pytest.raises(TransportError, match="no-such-interface"):
        await dial("fe80::1%no-such-interface", 22, 5)
    assert threads == [threading.get_ident()]


_PROGRAM = """
import asyncio, socket, sys, threading
from sparkctl.transport.resolve import resolve

begun = threading.Event()

def hang(*_, **__):
    begun.set()
    threading.Event().wait()

socket.getaddrinfo = hang

async def ask():
    asking = asyncio.create_task(resolve("spark01", 22))
    while not begun.is_set():
        await asyncio.sleep(0.01)
    asking.cancel()

asyncio.run(ask())
"""


def test_the_process_ends_while_a_look_up_hangs() -> None:
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM], cwd=root, capture_output=True, text=True, timeout=20, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
