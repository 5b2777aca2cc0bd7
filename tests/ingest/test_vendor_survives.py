"""Whatever the input, it is read or refused: never a traceback, never a character that steers a terminal."""

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sparkctl.app.ingest_said import clues_of, said_of
from sparkctl.contract.vendor import Piece, pieces, read_vendor
from sparkctl.errors import ContractError
from sparkctl.model.base import PRINTABLE
from sparkctl.model.facets.difference import leaves
from tests.ingest.documents import dmi, fork, orchestrator, report, script, tool

WORDS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.sampled_from(["N/A", "disk", "nvidia", "0000000F:01:00.0", "[10de:2e12]", "06/12/2026", "smbios_serial"]),
    st.just("x" * 130),
)  # fmt: skip
VALUES = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
DOCUMENTS: list[dict[str, Any]] = [
    tool("hardware_config", report(
        gpu=[{"pci_bus_id": "0000000F:01:00.0", "name": "x", "memory_total_mib": 1}],
        network=[{"ifname": "a", "mac": "02:00:00:00:00:01", "bus_info": "0000:01:00.0", "pci_vendor_id": "0x1"}],
        storage=[{"name": "sda", "type": "disk", "size_bytes": 1, "children": [{"name": "sda1", "type": "part"}]}],
        pci=[{"pci_addr": "0000:01:00.0", "vendor_device_id": "[10de:2e12]", "description": "(rev a1)"}],
    )),
    tool("firmware_reporter", report(
        platform_dmi=dmi(bios_date="06/12/2026"), fwupd={"devices": [{"guid": ["a"], "device_flags": ["b"]}]},
        nvme=[{"controller": "nvme0", "serial": "S"}],
    )),
    tool("os_build_identity_reporter", {
        "os": {"os_release": {"ID": "a"}, "kernel": {"uname_r": "6", "uname_a": "Linux a 6 x"}},
        "dgx": {"dgx_release": {"DGX_OTA_VERSION": "7"}},
        "baseline": {"packages": {"a": "1"}, "snaps": [{"name": "a", "rev": "1"}]},
    }),
    tool("driver_inventory_reporter", {"drivers_manifest": [{"module": "nvidia", "modinfo": {"filename": "/a"}}]}),
    tool("software_inventory_reporter", {
        "dpkg": {"packages": [{"name": "a", "version": "1", "arch": "all"}], "holds": ["a"]},
        "docker": {"containers": [{"name": "a", "image": "b"}]},
    }),
    tool("spark_updatectl", {
        "pending_reboot": {"pending": True, "indicators": ["/run/reboot-required"], "packages": ["a"]},
    }),
    tool("spark_diagctl", {"memory": {"mem_total_kb": 1}}, errors=["a", {"code": "b", "message": "c"}]),
    orchestrator(),
    script(),
    {"status": "PASS", "run_id": "20261105T092000Z", "watchdog_device_present": True,
     "watchdog_device_path": "/dev/watchdog0", "sysfs": {"timeout": "10", "nowayout": "0"}},
    fork(),
]  # fmt: skip


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(inner for key, member in members for inner in _places(member, (*place, key)))]


def _changed(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _changed(copy[place[0]], place[1:], new)
    return copy


@st.composite
def disturbed(draw: st.DrawFn) -> bytes:
    """A good document with something else in one or two places."""
    document: Any = draw(st.sampled_from(DOCUMENTS))
    for _ in range(draw(st.integers(1, 2))):
        document = _changed(document, draw(st.sampled_from(_places(document))), draw(VALUES))
    return json.dumps(document).encode()


def read(text: bytes) -> None:
    found, refusal = [], ""
    try:
        found = [(piece, read_vendor(piece.text)) for piece in pieces(text)]
    except ContractError as error:
        refusal = error.message
    assert re.fullmatch(PRINTABLE, refusal)
    for piece, one in found:
        said_of(one, piece)
        clues_of(one)
        for facet in one.taken.facets.values():
            assert all(re.fullmatch(PRINTABLE, str(value)) for _, value in leaves(facet))


@settings(max_examples=300, deadline=None)
@given(disturbed())
def test_a_disturbed_document_is_read_or_refused(text: bytes) -> None:
    read(text)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\n ABEGIN_DGX_PAYLOAD1e', max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    read(text)


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_any_json_is_read_or_refused(value: Any) -> None:
    read(json.dumps(value).encode())


def test_the_documents_that_are_disturbed_are_good() -> None:
    for document in DOCUMENTS:
        text = json.dumps(document).encode()
        assert said_of(read_vendor(text), Piece(1, text)).tool
