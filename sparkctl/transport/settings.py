"""What every transport is told once per run."""

from dataclasses import dataclass
from pathlib import Path

IDENTITY_NAMES = ("id_ed25519", "id_ecdsa", "id_rsa")


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """Files and sockets outside the inventory; all of them may be absent, and an absent one is simply not used.

    `pins_file` is ours: `accept-new` and `inventory pin` append to it. `known_hosts_files`, `config_files` and
    `identity_files` hold for nodes that name none of their own. `agent_path` is the socket of an ssh-agent.
    """

    pins_file: Path
    known_hosts_files: tuple[Path, ...] = ()
    config_files: tuple[Path, ...] = ()
    identity_files: tuple[Path, ...] = ()
    agent_path: str | None = None

    @classmethod
    def of_home(cls, pins_file: Path, home: Path, agent_path: str | None) -> "TransportSettings":
        """The files that OpenSSH's client reads for the user whose home folder is `home`."""
        ssh = home / ".ssh"
        return cls(
            pins_file=pins_file,
            known_hosts_files=(ssh / "known_hosts", Path("/etc/ssh/ssh_known_hosts")),
            config_files=(ssh / "config", Path("/etc/ssh/ssh_config")),
            identity_files=tuple(ssh / name for name in IDENTITY_NAMES),
            agent_path=agent_path,
        )
