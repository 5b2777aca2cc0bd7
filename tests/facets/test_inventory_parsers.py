"""Parsers of free text: whatever a tool prints, they answer or raise ValueError, and never let a secret through."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from diag.nodekit.apt_conf import parse_updates, settings
from diag.nodekit.apt_sources import bare_uri, parse_list, parse_preferences, parse_sources
from diag.nodekit.containers import (
    parse_docker_containers,
    parse_docker_images,
    parse_podman_containers,
    parse_podman_images,
)
from diag.nodekit.cuda import toolkit_version
from diag.nodekit.dpkg import parse_status
from diag.nodekit.esrt import entries_by_class, parse_lines
from diag.nodekit.fwupd import decode, parse_devices
from diag.nodekit.modules import parse_modules
from diag.nodekit.part_firmware import parse_ethtool, parse_gpu_rows, parse_tpm
from diag.nodekit.smbios_firmware import parse_type_45
from diag.nodekit.words import name, word
from sparkctl.model.facets.firmware import FwupdDevice
from sparkctl.model.facets.software import AptSource

JSON_PARSERS: tuple[Callable[[str], Any], ...] = (
    parse_devices, parse_docker_containers, parse_docker_images, parse_podman_containers, parse_podman_images,
    toolkit_version,
)  # fmt: skip
PARSERS: tuple[Callable[[str], Any], ...] = (
    *JSON_PARSERS, parse_status, parse_lines, parse_modules, parse_ethtool, parse_gpu_rows, parse_tpm, parse_type_45,
    parse_sources, parse_list, parse_preferences, lambda text: parse_updates([text]),
)  # fmt: skip
LINES = st.lists(
    st.sampled_from(
        (
            "Package: a",
            "Status: install ok installed",
            "Version: 1",
            "",
            " cont",
            "Types: deb",
            "URIs: http://u:p@h/",
            "}",
        )
    )
    | st.text(max_size=40),
    max_size=12,
).map("\n".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ("Name", "Plugin", "Guid", "Vendor", "Version", "UpdateState", "Flags", "DeviceId", "Names", "Image", "names", "id")
)
DEVICES = st.lists(st.dictionaries(KEYS, VALUES, max_size=8), max_size=4)


def answers(parse: Callable[[str], Any], text: str) -> None:
    with contextlib.suppress(ValueError):
        parse(text)


@pytest.mark.parametrize("parse", PARSERS)
@given(text=LINES)
def test_any_text_is_answered_or_refused(parse: Callable[[str], Any], text: str) -> None:
    answers(parse, text)


@pytest.mark.parametrize("parse", JSON_PARSERS)
@given(value=VALUES | DEVICES)
def test_any_json_is_answered_or_refused(parse: Callable[[str], Any], value: Any) -> None:
    answers(parse, json.dumps(value))
    answers(parse, json.dumps({"Devices": value}))


@pytest.mark.parametrize("parse", JSON_PARSERS)
def test_deep_json_is_refused(parse: Callable[[str], Any]) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse("[" * 100_000)


@settings_of(suppress_health_check=[HealthCheck.too_slow])
@given(devices=DEVICES)
def test_every_device_that_fwupd_may_list_fits_the_model(devices: list[dict[str, Any]]) -> None:
    found = parse_devices(json.dumps({"Devices": devices}))
    assert len(found) == len(devices)
    for device in found.values():
        shown = {key: value for key, value in device.items() if key != "shifting"}
        FwupdDevice.model_validate(shown)


@given(major=st.integers(0, 255), minor=st.integers(0, 65535), patch=st.integers(0, 255))
def test_a_version_is_decoded_for_one_vendor_only(major: int, minor: int, patch: int) -> None:
    raw = f"0x{major:02x}{minor:04x}{patch:02x}"
    assert decode(raw, "NVIDIA") == f"{major}.{minor}.{patch}"
    assert decode(raw, "Lenovo") is None
    assert decode(raw.removeprefix("0x"), "NVIDIA") is None


@given(
    user=st.text("abcXYZ019._~%-", min_size=1, max_size=12),
    password=st.text("abcXYZ019._~%-:!$", min_size=1, max_size=12),
    query=st.text("abc=&", max_size=8),
)
def test_no_credential_of_a_source_leaves_the_node(user: str, password: str, query: str) -> None:
    uri = f"https://{user}:{password}@apt.example.net/debian?{query}"
    assert bare_uri(uri) == "https://apt.example.net/debian"
    for found in (parse_list(f"deb {uri} noble main"), parse_sources(f"Types: deb\nURIs: {uri}\nSuites: noble\n")):
        assert AptSource.model_validate(found[0]).uris == ["https://apt.example.net/debian"]


@pytest.mark.parametrize("uri", ["cdrom:[Ubuntu 24.04]/", "file:/srv/mirror@site", "mirror+https://h.example.net/a@b"])
def test_a_uri_without_credentials_stays_as_it_is(uri: str) -> None:
    assert bare_uri(uri) == uri


@given(depth=st.lists(st.sampled_from(("A", "B", "C")), min_size=1, max_size=5), value=st.text("abc 019:$", max_size=9))
def test_nested_and_flat_settings_are_the_same(depth: list[str], value: str) -> None:
    flat = f'{"::".join(depth)} "{value}";'
    nested = "".join(f"{scope} {{ " for scope in depth[:-1]) + f'{depth[-1]} "{value}";' + " };" * (len(depth) - 1)
    assert list(settings(flat)) == list(settings(nested)) == [("::".join(depth), value)]


@given(texts=st.lists(st.text(max_size=140), max_size=6))
def test_keys_are_short_printable_and_different(texts: list[str]) -> None:
    found: dict[str, str] = {}
    for text in texts:
        found[name(text, found)] = text
    assert len(found) == len(texts)
    assert all(0 < len(key) <= 120 and word(key, 120) in (key, None) for key in found)


@pytest.mark.parametrize(
    "cell", ["[N/A]", "N/A", "[Not Supported]", "[Unknown Error]", "", " ", "<none>", "Not Specified"]
)
def test_what_stands_for_no_value_is_none(cell: str) -> None:
    assert word(cell) is None


def test_a_class_that_is_no_guid_and_a_version_that_is_no_number_are_refused() -> None:
    guid = "3d13c989-e6a8-4ead-95ee-921f09868f65"
    for files in (
        {"fw_class": "x"},
        {"fw_class": guid, "fw_version": "-1"},
        {"fw_class": guid, "fw_version": str(2**32)},
    ):
        with pytest.raises(ValueError, match=r"GUID|32 bits"):
            entries_by_class({"entry0": files})
