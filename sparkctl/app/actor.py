"""Who acts: the name that stands in the ledger for whoever runs a command."""

import getpass
import os
import socket

from sparkctl.model.printable import printable


def actor() -> str:
    """`user@host` of this process; `uid N@host` for a user without a name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    return printable(f"{printable(user, 60)}@{socket.gethostname()}", 120)
