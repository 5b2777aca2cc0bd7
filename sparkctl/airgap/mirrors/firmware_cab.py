"""A cab of firmware: the components in it, and whether fwupd would take it with the trust that it is shipped with.

fwupd 2.0 installs a cab when the payload is signed by somebody in /etc/pki/fwupd or /etc/pki/fwupd-metadata, in a file
of signatures inside the cab (fwupd 2.0.20, src/fu-cabinet.c and fu_engine_check_trust). That its digest stands in
signed metadata is not enough. Later ones demand the same of the description of the component.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from cryptography import x509

from sparkctl.airgap.blobs import opened
from sparkctl.airgap.mirrors import cabinet, jcat
from sparkctl.airgap.mirrors.component_xml import component
from sparkctl.airgap.mirrors.firmware_metadata import payloads

_DESCRIPTION = ".metainfo.xml"


@dataclass(frozen=True, slots=True)
class Cab:
    """What is in a cab: its files by name, and its components by the file that describes each."""

    files: Mapping[str, bytes]
    components: Mapping[str, Element]

    def names(self) -> Iterator[str]:
        """What must be signed: payloads and descriptions, each once."""
        yield from dict.fromkeys(name for one in self.components.values() for name in payloads(one))
        yield from self.components

    def require_signed(self, names: Sequence[str], trust: Sequence[x509.Certificate]) -> None:
        """Raise ValueError, with half a sentence, unless each of these files is signed by somebody trusted."""
        listed = [item for name, content in self.files.items() if name.endswith(".jcat") for item in _items(content)]
        for name in names:
            if name not in self.files:
                raise ValueError(f"names {name}, and it is not in it")
            item = next((one for one in listed if name in one.names), None)
            if item is None:
                raise ValueError(f"has no signature of {name}")
            try:
                jcat.verified_item(item, jcat.digests_of(self.files[name]), trust)
            except ValueError as error:
                raise ValueError(f"has no signature of {name} that holds: it {error}") from None

    def payloads(self) -> list[str]:
        """The files that fwupd installs."""
        return [name for name in self.names() if name not in self.components]


def read(path: Path) -> Cab:
    """A cab; raises ValueError with half a sentence, OSError."""
    with opened(path) as file:
        content = file.read(cabinet.MAX_CAB + 1)
    if len(content) > cabinet.MAX_CAB:
        raise ValueError(f"is larger than {cabinet.MAX_CAB // 2**20} MiB")
    files = cabinet.unpacked(content)
    found = {name: component(text) for name, text in files.items() if name.endswith(_DESCRIPTION)}
    if not found:
        raise ValueError(f"describes no firmware: there is no {_DESCRIPTION} in it")
    return Cab(files, found)


def _items(content: bytes) -> list[jcat.Item]:
    try:
        return jcat.items(content)
    except ValueError as error:
        raise ValueError(f"has a file of signatures that {error}") from None
