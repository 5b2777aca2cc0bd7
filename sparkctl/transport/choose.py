"""The transport of a name. SSH libraries are imported here and only when asked for: they take a third of a second."""

from typing import assert_never

from sparkctl.model.inventory import TransportName
from sparkctl.transport.seam import Transport
from sparkctl.transport.settings import TransportSettings


def open_transport(name: TransportName, settings: TransportSettings) -> Transport:
    """A new transport; close it when the run ends. Raises UsageError for a malformed known_hosts file."""
    match name:
        case "asyncssh":
            from sparkctl.transport.ssh import AsyncsshTransport  # noqa: PLC0415

            return AsyncsshTransport(settings)
        case "paramiko":
            from sparkctl.transport.ssh_paramiko import ParamikoTransport  # noqa: PLC0415

            return ParamikoTransport(settings)
        case "local":
            from sparkctl.transport.local import LocalTransport  # noqa: PLC0415

            return LocalTransport()
        case _:
            assert_never(name)
