"""Parsers of the os, ota and security facets against any text."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from diag.nodekit.accounts import parse_group, parse_passwd
from diag.nodekit.bootloader import MAX_PARAMETERS, boot_parameters, next_kernel
from diag.nodekit.firewall import parse_chains
from diag.nodekit.kernels import Kernels
from diag.nodekit.listening import parse_ss, parse_table
from diag.nodekit.ota_recipes import by_component, parse_recipe
from diag.nodekit.sshd import parse_effective

WORDS = st.text(alphabet="abcdefgh.-_", min_size=1, max_size=12)
NUMBERS = st.text(alphabet="0123456789", min_size=1, max_size=3)
HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"


@given(st.dictionaries(WORDS, st.lists(NUMBERS, min_size=1, max_size=3), max_size=20))
def test_every_boot_parameter_keeps_its_values_in_their_order(values: dict[str, list[str]]) -> None:
    line = " ".join(f"{name}={value}" for name, several in values.items() if name != "--" for value in several)
    wanted = {name: several[0] if len(several) == 1 else several for name, several in values.items() if name != "--"}
    assert boot_parameters(line) == wanted


@given(st.text(max_size=400))
def test_any_command_line_is_bounded(text: str) -> None:
    assert len(boot_parameters(text)) <= MAX_PARAMETERS + 1


def test_a_flood_of_boot_parameters_is_cut() -> None:
    assert len(boot_parameters(" ".join(f"p{at}=1" for at in range(5000)))) == MAX_PARAMETERS


@given(st.text(max_size=80), st.text(max_size=80))
def test_the_next_kernel_is_an_installed_one_or_not_known(default: str, entry: str) -> None:
    images = ("6.11.0-1014-nvidia", "6.17.0-1014-nvidia", "6.17.0-1014-nvidia-64k")
    found = Kernels(running=images[0], images=images, modules=(), initrds=())
    assert next_kernel(found, {"GRUB_DEFAULT": default}, {"saved_entry": entry})[0] in (*images, None)


def test_of_two_releases_in_a_title_the_longer_one_is_meant() -> None:
    images = ("6.17.0-1014-nvidia", "6.17.0-1014-nvidia-64k")
    found = Kernels(running=images[0], images=images, modules=(), initrds=())
    settings = {"GRUB_DEFAULT": "Advanced options for Ubuntu>Ubuntu, with Linux 6.17.0-1014-nvidia-64k"}
    assert next_kernel(found, settings, {}) == (images[1], "GRUB_DEFAULT")


@given(st.text(max_size=300))
def test_any_users_and_groups(text: str) -> None:
    assert all(user.name for user in parse_passwd(text))
    assert all(group.name for group in parse_group(text))


@given(st.ip_addresses(v=4), st.integers(0, 65535), st.integers(0, 2**31))
def test_a_port_of_ipv4_is_read_back(address: object, port: int, uid: int) -> None:
    packed = bytes(int(part) for part in str(address).split("."))[::-1].hex().upper()
    row = f"   0: {packed}:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000 {uid} 0 11 1"
    (listener,) = parse_table("tcp", f"{HEADER}\n{row}\n")
    assert (listener.name, listener.uid) == (f"tcp {address}:{port}", uid)


@given(st.text(max_size=300))
def test_any_output_of_ss_and_nft(text: str) -> None:
    assert all(name.startswith(("tcp ", "udp ")) for name in parse_ss(text))
    assert all(chain["hook"] for chain in parse_chains(text).values())


@given(st.text(max_size=300))
@example("=")
def test_only_settings_that_are_known_are_taken_from_sshd(text: str) -> None:
    policy = parse_effective(f"permitrootlogin no\nhostkey /etc/ssh/key\nsetenv SECRET=1\n{text}")
    assert policy.settings["permitrootlogin"] == "no"
    assert not {"hostkey", "setenv"} & set(policy.settings)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_recipe_of_an_unknown_form(content: bytes) -> None:
    assert parse_recipe(content).wanted is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "version"]), inner),
        max_leaves=8,
    )
)
def test_a_recipe_with_parts_of_any_shape_is_known_or_closed(part: object) -> None:
    recipe = parse_recipe(json.dumps({"metadata": {"name": "OTA1"}, "package": part}).encode())
    wanted = by_component({"1": recipe})["packages"]
    assert all(releases == ["1"] for versions in wanted.values() for releases in versions.values())
