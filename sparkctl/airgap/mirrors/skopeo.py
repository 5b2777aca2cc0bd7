"""Drive skopeo: read manifests of a registry, bring layers of an image, put an image into a registry.

It is given certificates and a file of logins by their paths, and always told to verify TLS: what `registries.conf` of
the machine says of insecure registries does not hold here (skopeo-copy(1)).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sparkctl.airgap.mirrors.images_documents import MAX_DOCUMENT
from sparkctl.airgap.mirrors.tool import DAY_S, Ran, output, run, version
from sparkctl.errors import UsageError
from sparkctl.model.printable import printable

PACKAGE = "skopeo"
ANSWER_S = 120.0
"""How long a registry may take to answer with one document."""

_START_S, _SLOWEST = 900.0, 100_000
_MAX_LOG = 64 * 2**20
_RETRIES = "3"
_SEE = "see that the name is right, that it answers, and that a login is there if it asks for one"
_MESSAGE = re.compile(r'level=fatal msg=("(?:[^"\\]|\\.)*")')


def made_with() -> str:
    """The version of skopeo; raises UsageError where it is not here."""
    return version(["skopeo", "--version"], package=PACKAGE)


@dataclass(frozen=True, slots=True)
class Skopeo:
    """How registries are reached: a folder of certificates of CAs, a file of logins, and a log of what was said.

    Without a file of logins, those of `skopeo login` hold.
    """

    certificates: Path | None
    logins: Path | None
    log: Path

    def manifest(self, reference: str) -> bytes:
        """A manifest as the registry has it, by tag or digest; raises UsageError with what the registry says."""
        return self._inspect(reference, "--raw")

    def config(self, reference: str) -> bytes:
        """The configuration of a manifest, as the registry has it; raises UsageError."""
        return self._inspect(reference, "--raw", "--config")

    def bring(self, reference: str, folder: Path, blobs: Path, size: int) -> Ran:
        """Bring an image of `size` bytes: layers that are not there go to `blobs`, as the registry has them.

        skopeo writes its own form of the manifest beside them, and an index into `folder`.
        """
        argv = [
            "skopeo", "copy", "--remove-signatures", "--retry-times", _RETRIES, *self._access("src-"),
            "--dest-oci-accept-uncompressed-layers", "--dest-shared-blob-dir", str(blobs),
            f"docker://{reference}", f"oci:{folder.name}:image",
        ]  # fmt: skip
        largest = size + _MAX_LOG  # skopeo looks at a layer's digest when it has ended, if it ends
        return run(argv, self.log, package=PACKAGE, seconds=_allowed(size), cwd=folder.parent, largest=largest)

    def put(self, folder: Path, blobs: Path, reference: str, size: int) -> Ran:
        """Put the one document that the layout `folder` names into a registry, with its contents, digests unchanged.

        Of an index only the index itself is put. What is pushed was proven by us, which is why no policy is asked.
        """
        argv = [
            "skopeo", "--insecure-policy", "copy", "--preserve-digests", "--multi-arch", "index-only",
            "--retry-times", _RETRIES, *self._access("dest-"), "--src-shared-blob-dir", str(blobs),
            f"oci:{folder.name}", f"docker://{reference}",
        ]  # fmt: skip
        return run(argv, self.log, package=PACKAGE, seconds=_allowed(size), cwd=folder.parent)

    def _inspect(self, reference: str, *options: str) -> bytes:
        argv = ["skopeo", "inspect", *options, *self._access(""), f"docker://{reference}"]
        try:
            status, content = output(argv, package=PACKAGE, limit=MAX_DOCUMENT + 1, seconds=ANSWER_S)
        except UsageError as error:
            raise UsageError(f"{reference} cannot be read: {error.message}", hint=error.hint or _SEE) from None
        if status != 0:
            words = said(content.decode("utf-8", "replace"))
            raise UsageError(f"{reference} cannot be read from its registry: {words}", hint=_SEE)
        return content

    def _access(self, side: str) -> Sequence[str]:
        words = [f"--{side}tls-verify=true"]
        if self.certificates is not None:
            words += [f"--{side}cert-dir", str(self.certificates)]
        if self.logins is not None:
            words += [f"--{side}authfile", str(self.logins)]
        return words


def said(text: str) -> str:
    """What skopeo ended with, without what its log puts around it, printable."""
    found = _MESSAGE.findall(text)
    if not found:
        return printable(text.strip(), 300) or "it said nothing"
    try:
        return printable(str(json.loads(found[-1])), 300)
    except ValueError:
        return printable(found[-1].strip('"'), 300)


def _allowed(size: int) -> float:
    """Seconds for so many bytes, at a speed below which a line is taken for dead."""
    return min(DAY_S, _START_S + size / _SLOWEST)
