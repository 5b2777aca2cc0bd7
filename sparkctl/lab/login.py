"""The SSH side of a simulated node: who may come in, and with what a command is run."""

import asyncio
import os
import shutil
import socket
from typing import TYPE_CHECKING

from sparkctl.lab.acted import folder_of as acts_of
from sparkctl.lab.acts import Request, answer
from sparkctl.lab.characters import behaviour_of
from sparkctl.lab.children import Children
from sparkctl.lab.keys import public_key
from sparkctl.lab.scenery import Scenery
from sparkctl.lab.state import Lab, LabNode
from sparkctl.lab.wrappers import MARK, STAND_INS, folder_of

if TYPE_CHECKING:
    from asyncssh import SSHKey, SSHServer, SSHServerConnection, SSHServerConnectionOptions, SSHServerProcess

BANNER = "This is a simulated node of a sparkctl lab.\r\n"
LOGIN_SECONDS = 60.0
LAB_TROUBLE = 255


class Gate:
    """Lets visitors in and runs their commands."""

    def __init__(self, lab: Lab, scenery: Scenery, children: Children) -> None:
        self._lab = lab
        self._scenery = scenery
        self._children = children
        self._connections: dict[SSHServerConnection, str] = {}

    async def welcome(self, node: LabNode, connection: socket.socket) -> None:
        """Serve one connection to its end."""
        import asyncssh  # noqa: PLC0415 - a third of a second, which only the server process pays

        established: SSHServerConnection | None = None
        try:
            established = await asyncssh.run_server(connection, options=self._options(node))
            self._connections[established] = node.name
            await established.wait_closed()
        except (OSError, asyncssh.Error):
            return  # whoever came went away, or was sent away
        finally:
            if established is not None:
                established.abort()
                self._connections.pop(established, None)

    async def close(self) -> None:
        """End every connection."""
        for connection in tuple(self._connections):
            connection.abort()
        await asyncio.gather(*(connection.wait_closed() for connection in self._connections), return_exceptions=True)

    def cut_off(self, name: str) -> None:
        """End every connection to a node."""
        for connection, node in tuple(self._connections.items()):
            if node == name:
                connection.abort()

    def _options(self, node: LabNode) -> "SSHServerConnectionOptions":
        import asyncssh  # noqa: PLC0415

        behaviour = behaviour_of(node.fault)
        changed = behaviour == "changed-host-key"
        key_file = self._lab.impostor_key_file if changed else self._lab.host_key_file(node.name)

        async def run(process: "SSHServerProcess[bytes]") -> None:
            await self._run(node, behaviour, process)

        return asyncssh.SSHServerConnectionOptions(
            server_factory=lambda: _make_server(public_key(self._lab.identity_file), behaviour),
            process_factory=None if behaviour == "exec-refused" else run,
            server_host_keys=[str(key_file)],
            encoding=None,
            line_editor=False,
            allow_scp=False,
            agent_forwarding=False,
            x11_forwarding=False,
            login_timeout=LOGIN_SECONDS,
            gss_host=None,
        )

    async def _run(self, node: LabNode, behaviour: str, process: "SSHServerProcess[bytes]") -> None:
        acting = asyncio.ensure_future(self._act(node, behaviour, process))
        leaving = asyncio.ensure_future(process.wait_closed())
        try:
            await asyncio.wait({acting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (acting, leaving):
                task.cancel()
            await asyncio.gather(acting, leaving, return_exceptions=True)

    async def _act(self, node: LabNode, behaviour: str, process: "SSHServerProcess[bytes]") -> None:
        command = process.command or ""
        shell = "fish" if behaviour == "fish-shell" and shutil.which("fish") else "/bin/sh"
        try:
            environment = await self._environment(node, behaviour, needs_root="sudo" in command)
            await answer(Request(process, command, environment, self._children, shell), behaviour)
        except (OSError, TimeoutError) as error:  # no room for the tree, no process to be had, or a child that stayed
            process.stderr.write(f"sparkctl lab: the simulated node cannot run this: {error}\n".encode())
            process.exit(LAB_TROUBLE)

    async def _environment(self, node: LabNode, behaviour: str, *, needs_root: bool) -> dict[str, str]:
        tree = await self._scenery.tree(node.name)
        own = folder_of(self._lab.directory, behaviour)
        path = str(own) if behaviour == "no-python" else f"{own}:/usr/local/bin:/usr/bin:/bin"
        return {
            "PATH": path,
            "HOME": "/",
            "USER": "sim",
            "LOGNAME": "sim",
            "SHELL": "/bin/sh",
            "LANG": "C.UTF-8",
            MARK: str(self._lab.directory),
            "SPARKCTL_LAB_TREE": str(tree),
            "SPARKCTL_LAB_ROOT_TREE": str(await self._scenery.root_tree(node.name)) if needs_root else "",
            STAND_INS: str(acts_of(self._lab.directory, node.name)),
            "SPARKCTL_LAB_SUDO": "refused" if behaviour == "sudo-refused" else "granted",
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108 - the usual default, handed on
        }


def _make_server(accepted: str, behaviour: str) -> "SSHServer":
    import asyncssh  # noqa: PLC0415

    class Server(asyncssh.SSHServer):
        """Accepts the lab's key for any user."""

        def connection_made(self, conn: "SSHServerConnection") -> None:
            self._connection = conn

        def begin_auth(self, username: str) -> bool:
            if behaviour == "banner-noise":
                self._connection.send_auth_banner(f"{BANNER}user {username[:40]}\r\n")
            return True

        def public_key_auth_supported(self) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return False

        def kbdint_auth_supported(self) -> bool:
            return False

        def validate_public_key(self, username: str, key: "SSHKey") -> bool:  # noqa: ARG002 - any user may come
            offered = " ".join(key.export_public_key().decode("ascii").split()[:2])
            return behaviour != "refuses-key" and offered == accepted

        def session_requested(self) -> bool:
            return False  # asked only where nothing runs commands

    return Server()
