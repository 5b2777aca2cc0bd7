"""The parsers of the hardware, network and storage facets on text that nobody foresaw."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diag.nodekit.cores import by_processors, parse_cpuinfo, parse_size, parse_spans, spans
from diag.nodekit.disks import properties
from diag.nodekit.file_systems import parse_df, parse_swaps, without_password
from diag.nodekit.gpu_rows import parse_rows
from diag.nodekit.ip_addresses import parse_ip
from diag.nodekit.proxies import parse_apt, parse_environment, proxy_host
from diag.nodekit.routing import parse_resolv, parse_v4, parse_v6

PARSERS: tuple[Callable[[str], Any], ...] = (
    parse_cpuinfo, parse_size, parse_spans, parse_df, parse_swaps, parse_rows, parse_ip, parse_apt, parse_environment,
    parse_resolv, parse_v4, parse_v6,
)  # fmt: skip
WORDS = st.sampled_from(
    [
        "processor", ":", "CPU part", "0xd87", "0", "-", ",", "\n", "\t", " ", "64K", "enP7s7", "nameserver", '"', "{",
        "}", ";", "Acquire::http::Proxy", "http_proxy=", "http://", "@", "00000000", "0003", "[N/A]",
        "0000000F:01:00.0", "\x00", "é", "9" * 40,
    ]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
ADDRESS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("local", "prefixlen", "scope", "dynamic", "temporary", "valid_life_time"), LEAVES)
)
LINK = st.fixed_dictionaries(
    {"ifname": st.text(max_size=8)},
    optional={
        "addr_info": LEAVES | st.lists(ADDRESS | LEAVES, max_size=3),
        "altnames": LEAVES | st.lists(LEAVES, max_size=3),
        "linkinfo": LEAVES | st.fixed_dictionaries({"info_kind": LEAVES, "info_data": LEAVES}),
        "permaddr": LEAVES,
        "link": LEAVES,
    },
)


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.__name__)
@given(st.lists(WORDS, max_size=40).map("".join) | st.text(max_size=80))
def test_nonsense_is_a_value_error_or_nothing(parser: Callable[[str], Any], text: str) -> None:
    try:
        parser(text)
    except ValueError:
        return


@given(st.lists(LINK | LEAVES, max_size=4))
def test_an_answer_of_ip_in_another_shape_is_a_value_error_or_nothing(answer: list[Any]) -> None:
    try:
        found = parse_ip(json.dumps(answer))
    except ValueError:
        return
    assert set(found) == {entry["ifname"] for entry in answer if isinstance(entry, dict)}


@given(st.sets(st.integers(min_value=0, max_value=500)))
def test_a_kernel_list_can_be_read_back(numbers: set[int]) -> None:
    assert parse_spans(spans(numbers)) == sorted(numbers)


@given(st.dictionaries(st.integers(min_value=0, max_value=63), st.integers(min_value=0, max_value=3)))
def test_values_by_processors_lose_none(values: dict[int, int]) -> None:
    assert {cpu: one for cpus, one in by_processors(values).items() for cpu in parse_spans(cpus)} == values


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1), st.sampled_from(["http://", ""]))
def test_no_password_of_a_proxy_gets_out(password: str, scheme: str) -> None:
    url = f"{scheme}user:{password}@proxy.example.net:3128/"
    assert proxy_host(url) == "proxy.example.net"
    assert without_password(f"user:{password}@host:/x") == "host:/x"


def test_blanks_that_udev_wrote_as_escapes_are_blanks_again() -> None:
    assert properties("E:NAME=EFI\\x20System\nS:disk\nE:NO", "E:") == {"NAME": "EFI System"}
