"""Revoke the access of named public keys of named users, and remove named files of tokens; nothing else is touched."""

from __future__ import annotations

import hashlib
import json
import os

from diag.nodekit.acting import ActingMachine
from diag.nodekit.controller import Argv, Asked, Controller, Refused, Seen, Verdict, holds, lacks, ready
from diag.nodekit.parameters import Pairs, Words
from diag.nodekit.revoking import MOST_BYTES, PLACE, fingerprint_in, parted
from diag.nodekit.source_text import program

USER = r"[a-z_][a-z0-9_-]{0,31}"
FINGERPRINT = r"SHA256:[A-Za-z0-9+/]{43}"
TOKEN = r"/(etc|home|opt|root|run|srv|var)(/(?!\.\.?(/|$))[A-Za-z0-9._@-]{1,100}){1,10}"
"""A file below the folders in which secrets lie; none of a program or of the kernel."""


def precheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """The users are there, and each token is the very file that is meant."""
    if not any(asked.given[name] for name in ("users", "keys", "tokens")):
        return holds("nothing is named that is to be revoked")
    if asked.given["keys"] and not asked.given["users"]:
        raise Refused("no_users", "keys are named that are to be revoked, and no users of whom")
    seen, left = _look(machine, asked)
    if not left:
        return holds("none of the keys and tokens is there", **seen)
    return ready(f"to revoke: {', '.join(left[:5])}", **seen)


def _look(machine: ActingMachine, asked: Asked) -> tuple[Seen, list[str]]:
    """What was looked at, and what is there of what is to go."""
    homes = _homes(machine)
    seen: Seen = {}
    left: list[str] = []
    for user in asked.given["users"]:
        if user not in homes:
            raise Refused("no_such_user", f"there is no user {user} in /etc/passwd", seen)
        text = machine.read_or_none(f"{homes[user]}/{PLACE}") or ""
        gone = parted(text, list(asked.given["keys"]))[1]
        seen[f"keys of {user}"] = sum(fingerprint_in(line) is not None for line in text.splitlines())
        seen[f"to revoke of {user}"] = gone
        left += [f"{gone} of {user}"] if gone else []
    for path, digest in asked.given["tokens"].items():
        found = _digest(machine, path)
        seen[path[-120:]] = found
        if found not in (None, digest):
            raise Refused("other_file", f"{path} is another file: its SHA-256 is {found}", seen)
        left += [path] if found else []
    return seen, left


def _homes(machine: ActingMachine) -> dict[str, str]:
    fields = (line.split(":") for line in machine.read("/etc/passwd").splitlines())
    return {field[0]: field[5] for field in fields if len(field) == 7 and field[5].startswith("/")}


def _digest(machine: ActingMachine, path: str) -> str | None:
    if machine.link_target(path) is not None:
        raise Refused("other_file", f"{path} is a link to {os.path.basename(str(machine.link_target(path)))}")
    try:
        return hashlib.sha256(machine.read_bytes(path, MOST_BYTES + 1)).hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None


def argv(asked: Asked) -> Argv:
    """The one command: our own few lines, since no tool takes one key out of a file."""
    given = {"users": list(asked.given["users"]), "keys": list(asked.given["keys"]), "tokens": asked.given["tokens"]}
    return (*program("revoking"), json.dumps(given, sort_keys=True))


def postcheck(machine: ActingMachine, asked: Asked) -> Verdict:
    """None of them is there."""
    seen, left = _look(machine, asked)
    if left:
        return lacks("still_there", f"still there: {', '.join(left[:5])}", **seen)
    return holds("none of the keys and tokens is there", **seen)


CONTROLLER = Controller(
    "Revoke public keys of users, and remove files of tokens",
    {
        "users": Words("whose authorized_keys are looked through", USER, required=False),
        "keys": Words("fingerprints of the keys that go, as `ssh-keygen -l` has them", FINGERPRINT, required=False),
        "tokens": Pairs("the SHA-256 that each file must have, by its path", TOKEN, r"[0-9a-f]{64}", required=False),
    },
    precheck,
    argv,
    postcheck,
    longest_s=60,
    no_undo="what was revoked is not kept; its digests are",
)
