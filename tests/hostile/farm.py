"""SSH servers that break the rules on purpose, each on a loopback port of its own, and sweeps over them."""

import asyncio
import contextlib
import hashlib
import json
import shlex
import subprocess
import tempfile
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import asyncssh

from sparkctl.contract.frame import FRAME_MAGIC, unframe
from tests.support.command import environment, json_lines, sparkctl

HEALTHY = ("well-1", "well-2")
_FULL = 256 * 1024
_AT_ONCE = 500  # packets, so that the other servers of the farm have their turns
# A server that wants a new key exchange keeps what it sends meanwhile in memory, and a flood does not wait.
_NEVER = 2**50

_MADE: list[bytes] = []  # the one document that all farms show
Handler = Callable[["Farm", Any], Awaitable[None]]


@dataclass(frozen=True)
class Tricks:
    """What a server does with its own packets, by message number (RFC 4250, section 4.1).

    `stall_at` and everything after it is never sent; packets in `drop` are never sent; after `flood_at` nothing follows
    but `flood` (message number and payload) without end, and with `deaf` nothing is read from then on.
    """

    stall_at: int | None = None
    drop: tuple[int, ...] = ()
    flood_at: int | None = None
    flood: tuple[int, bytes] = (2, b"")
    deaf: bool = False


class _Server(asyncssh.SSHServer):
    def __init__(self, tricks: Tricks, kept: list[Any]) -> None:
        self._tricks, self._kept = tricks, kept

    def connection_made(self, conn: Any) -> None:
        self._kept.append(conn)
        _play(conn, self._tricks, self._kept)

    def begin_auth(self, username: str) -> bool:
        return self._tricks.stall_at in (52, 60)  # only they need a real authentication

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: Any) -> bool:
        return True


def _play(conn: Any, tricks: Tricks, kept: list[Any]) -> None:
    original, silent = conn.send_packet, False

    def send(number: int, *parts: bytes, handler: Any = None) -> None:
        nonlocal silent
        silent = silent or number == tricks.stall_at
        if silent or number in tricks.drop:
            return
        original(number, *parts, handler=handler)
        if number == tricks.flood_at:
            silent = True
            kept.append(asyncio.get_running_loop().create_task(_pour(conn, original, tricks)))

    conn.send_packet = send


async def _pour(conn: Any, send: Callable[..., None], tricks: Tricks) -> None:
    pipe = conn._transport
    if tricks.deaf:
        pipe.pause_reading()
    while not pipe.is_closing():
        for _ in range(_AT_ONCE):
            # While keys are exchanged, the server keeps in its own memory what it sends.
            if pipe.get_write_buffer_size() >= _FULL or conn._deferred_packets or pipe.is_closing():
                break
            send(tricks.flood[0], tricks.flood[1])
        await asyncio.sleep(0.002)


class Farm:
    """Servers in a thread of their own, so that a sweep can be a process that the test waits for."""

    def __init__(self, folder: Path, stack: str = "asyncssh") -> None:
        self.folder = folder
        self.stack = stack
        self.nodes: dict[str, dict[str, Any]] = {}
        self.pins: list[str] = []
        self.key_file = folder / "key"
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(self.key_file))
        self.key_file.chmod(0o600)
        self._kept: list[Any] = []
        self._asking = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def add(self, name: str, handler: Handler | None = None, tricks: Tricks | None = None, **more: Any) -> int:
        """A new server under the node's name; its port."""
        key = asyncssh.generate_private_key("ssh-ed25519")

        async def act(process: Any) -> None:
            with contextlib.suppress(asyncssh.Error, OSError):
                await (handler or answers)(self, process)

        async def listen() -> Any:
            made = tricks or Tricks()
            return await asyncssh.listen(
                "127.0.0.1", 0, server_factory=lambda: _Server(made, self._kept), server_host_keys=[key],
                process_factory=act, encoding=None, gss_host=None, rekey_bytes=_NEVER, **more,
            )  # fmt: skip

        acceptor = self.call(listen())
        self._kept.append(acceptor)
        self.point(name, acceptor.get_port(), key.export_public_key().decode())
        return int(acceptor.get_port())

    def point(self, name: str, port: int, public_key: str = "", host: str = "127.0.0.1") -> None:
        """Let the inventory name a server for a node."""
        self.nodes[name] = {"ssh": {"host": host, "port": port}}
        if public_key:
            self.pins.append(f"[{host}]:{port} {public_key.strip()}\n")

    async def document(self, process: Any) -> tuple[str, bytes]:
        """The nonce of this visit and a document as an honest node would print it."""
        command = shlex.split(process.command)
        packed = await process.stdin.read()
        nonce = command[command.index("-c") + 5]
        async with self._asking:
            if not _MADE:
                ran = await asyncio.to_thread(
                    subprocess.run, command, input=packed, capture_output=True, env=environment(self.folder)
                )
                _MADE.append(unframe(ran.stdout, nonce).document)
        return nonce, _MADE[0]

    def sweep(self, *arguments: str, timeout: float = 8, form: str = "jsonl") -> subprocess.CompletedProcess[str]:
        """`sparkctl health` over the named nodes; without any, over all."""
        pins, fleet = self.folder / "pins", self.folder / "fleet.yaml"
        pins.write_text("".join(self.pins))
        ssh = {
            "user": "anybody", "identity_files": [str(self.key_file)], "known_hosts_files": [str(pins)],
            "agent": False, "config_file": "/dev/null",
        }  # fmt: skip
        healthy = {name: {"transport": "local"} for name in HEALTHY}
        defaults = {"transport": self.stack, "ssh": ssh}
        fleet.write_text(json.dumps({"defaults": defaults, "nodes": {**healthy, **self.nodes}}))
        return sparkctl(
            "health", *arguments, "--fleet", fleet, "--state", self.folder / "state", "--timeout", str(timeout),
            "--format", form, home=self.folder, timeout=60,
        )  # fmt: skip

    def judge(self, *arguments: str, timeout: float = 8) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
        """A sweep's records by node, and its report; the neighbours' results are whole."""
        ran = self.sweep(*arguments, timeout=timeout)
        assert ran.stdout, ran.stderr
        *records, report = json_lines(ran)
        found = {record["node_id"]: record for record in records}
        assert report["exit_code"] == ran.returncode
        for name in HEALTHY:
            assert found[name]["status"] == "ok", found[name]["failure"]
            assert found[name]["envelope"]["data"]["rollup"]["planned"] > 20
        return found, report

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        for one in self._kept:
            if isinstance(one, asyncio.Task):
                one.cancel()
            elif hasattr(one, "abort"):
                one.abort()
            else:
                one.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await asyncio.sleep(0.05)


def framed(nonce: str, document: bytes) -> bytes:
    """A document in its frame, with a true digest."""
    digest = hashlib.sha256(document).hexdigest()
    return f"{FRAME_MAGIC} {nonce} {len(document)} {digest}\n".encode() + document + b"\n"


async def answers(farm: Farm, process: Any) -> None:
    """What an honest node does."""
    process.stdout.write(framed(*await farm.document(process)))
    process.exit(0)


@cache
def quiet_peak_bytes(stack: str) -> int:
    """The memory that a sweep over three nodes needs, of which none does harm."""
    with tempfile.TemporaryDirectory(prefix="farm-") as folder, farm_in(Path(folder), stack) as farm:
        farm.add("quiet")
        _, report = farm.judge(timeout=30)
    return int(report["cost"]["peak_rss_bytes"])


@contextlib.contextmanager
def farm_in(folder: Path, stack: str = "asyncssh") -> Iterator[Farm]:
    """A farm that is visited through one of the SSH stacks, and gone afterwards."""
    environment(folder)
    with Farm(folder, stack) as farm:
        yield farm
