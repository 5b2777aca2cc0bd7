"""The armour of OpenSSH signatures (PROTOCOL.sshsig): taken off for a bundle, put on again for ssh-keygen."""

import base64

BEGIN, END = b"-----BEGIN SSH SIGNATURE-----\n", b"-----END SSH SIGNATURE-----\n"
MAGIC = b"SSHSIG"
_COLUMNS = 70


def taken_off(armoured: bytes) -> bytes:
    """The signature in what ssh-keygen wrote."""
    return base64.b64decode(armoured.removeprefix(BEGIN).removesuffix(END))


def put_on(signature: bytes) -> bytes:
    """A signature as ssh-keygen reads it."""
    text = base64.b64encode(signature)
    lines = (text[at : at + _COLUMNS] + b"\n" for at in range(0, len(text), _COLUMNS))
    return b"".join((BEGIN, *lines, END))
