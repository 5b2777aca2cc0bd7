"""The first stage: the few lines that a node runs to receive the program.

They read exactly as many bytes as announced, check their digest, unpack and run them. They are one line without single
quotes, backslashes or `!`, so that every login shell in use (sh, bash, dash, zsh, fish, csh) passes them on unchanged,
and old enough in style to say so clearly where Python is too old.
"""

import hashlib
import re

from sparkctl.probes.program import Program

EXIT_TOO_OLD = 96
EXIT_DAMAGED = 97
MAGIC = "sparkctl-stage1/1"

STAGE_ONE = ";".join(
    (
        "import sys,hashlib,zlib",
        "a=sys.argv",
        "old=sys.version_info<(3,10)",
        'packed=b"" if old else sys.stdin.buffer.read(int(a[1]))',
        "seen=hashlib.sha256(packed).hexdigest()",
        'why="python-too-old "+sys.version.split()[0] if old else "" if seen==a[2] else "program-damaged "+seen',
        f'why and sys.stdout.write("{MAGIC} "+a[4]+" "+why+chr(10))',
        f"why and sys.exit({EXIT_TOO_OLD} if old else {EXIT_DAMAGED})",
        'sys.argv=["spark_diagctl","--nonce",a[4],"--program-sha256",a[3]]+a[5:]',
        'exec(compile(zlib.decompress(packed),"<program>","exec"),{"__name__":"__main__"})',
    )
)

_COMPLAINT = re.compile(MAGIC.encode() + rb" ([0-9a-f]+) (python-too-old|program-damaged) ([!-~]{1,80})")


def argv(program: Program, nonce: str, arguments: tuple[str, ...], *, as_root: bool = False) -> tuple[str, ...]:
    """The command line that starts the program on a node."""
    packed = program.packed
    announced = (str(len(packed)), hashlib.sha256(packed).hexdigest(), program.sha256, nonce)
    python = ("python3", "-I", "-S", "-c", STAGE_ONE, *announced, *arguments)
    return ("sudo", "-n", *python) if as_root else python


def complaint(stdout: bytes, nonce: str) -> tuple[str, str] | None:
    """What stage one had to say instead of running the program: the kind and its detail, or None."""
    for match in _COMPLAINT.finditer(stdout):
        if match[1] == nonce.encode():
            return match[2].decode(), match[3].decode("ascii")
    return None
