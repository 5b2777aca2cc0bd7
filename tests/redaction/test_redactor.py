"""What holds for all input: consistency, block boundaries, lengths, deadlines, the report."""

import io
import ipaddress
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparkctl.contract.outside import complaint_about
from sparkctl.redaction.known import Known
from sparkctl.redaction.redactor import Kind, Redactor, TooSlow
from sparkctl.redaction.standins import Class, Pseudonyms
from tests.redaction.trees import redacted

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
RANGES = [ipaddress.ip_network(name) for name in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")]
PEM = b"-----BEGIN PRIVATE KEY-----\n" + b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 30 + b"-----END PRIVATE KEY-----\n"
LINES = st.lists(
    st.sampled_from(
        [
            b"Accepted publickey for bela from 10.1.2.3 port 22\n",
            b"db_password=hunter2secret and more\n",
            b'{"password": "a\\"b", "n": [1, 2], "msg": "said \\u0062ela"}\n',
            b"mount UUID=ca5cb1ce-b341-4d59-84ac-4029b466948f / ext4\n",
            b"link 02:51:00:01:5a:01 fe80::51:ff:fe01:5a01 up\n",
            b"cHJpbnQgYmVsYSBoZXJlIG5vdw==\n",
            b"version 28.45.40.28 driver 580.159.03 at 000f:01:00.0 12:34:56\n",
            b"ordinary words of a log, nothing in them\n",
            PEM,
        ]
    ),
    max_size=12,
)


def made(key: bytes = KEY, block: int = 256 * 1024) -> Redactor:
    known = Known()
    known.harvest("etc/hostname", b"spark-07\n")
    known.harvest("etc/passwd", b"bela:x:1000:1000:Bela Kiss:/home/bela:/bin/bash\n")
    return Redactor(Pseudonyms(key), known, block=block)


SMALL, WHOLE, SECOND = made(block=2048), made(), made(OTHER)


@given(LINES)
@settings(deadline=None, max_examples=50)
def test_blocks_give_what_the_whole_gives(lines: list[bytes]) -> None:
    content = b"".join(lines)
    assert redacted(SMALL, "a.log", Kind.TEXT, content) == redacted(WHOLE, "a.log", Kind.TEXT, content)


@given(LINES)
@settings(deadline=None, max_examples=50)
def test_what_is_sealed_can_be_redacted_again_for_somebody_else(lines: list[bytes]) -> None:
    first = redacted(WHOLE, "a.log", Kind.TEXT, b"".join(lines))
    second = redacted(SECOND, "a.log", Kind.TEXT, first)
    for word in first.replace(b"=", b" ").split():
        if b"-x" in word or word.startswith((b"10.", b"ca5c", b"02:51")):
            assert word not in second.split()


@given(st.binary(max_size=4096), st.sampled_from(list(Kind)))
@settings(max_examples=150, deadline=None)
def test_no_bytes_break_it(content: bytes, kind: Kind) -> None:
    out = redacted(WHOLE, "x", kind, content)
    if kind is Kind.BINARY:
        assert len(out) == len(content)


@given(LINES, st.binary(max_size=64))
@settings(deadline=None, max_examples=50)
def test_binary_keeps_its_length(lines: list[bytes], noise: bytes) -> None:
    content = noise.join(lines) + b"\0bela\0" + "spark-07 bela".encode("utf-16-le")
    out = redacted(WHOLE, "x.bin", Kind.BINARY, content)
    assert len(out) == len(content)
    assert b"\0bela\0" not in out
    assert "bela".encode("utf-16-le") not in out


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_addresses_have_in_common_what_they_had(one: ipaddress.IPv4Address, other: ipaddress.IPv4Address) -> None:
    names = Pseudonyms(KEY)
    before = 32 - (int(one) ^ int(other)).bit_length()
    after = 32 - (names.ipv4(int(one)) ^ names.ipv4(int(other))).bit_length()
    assert before == after
    made_one = ipaddress.IPv4Address(names.ipv4(int(one)))
    assert [one in network for network in RANGES] == [made_one in network for network in RANGES]
    for special in ("is_loopback", "is_multicast", "is_link_local", "is_unspecified"):
        assert getattr(one, special) == getattr(made_one, special)


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [
        (Class.MAC, [b"02:51:00:01:5a:01", b"02-51-00-01-5A-01", b"025100015a01"]),
        (Class.UUID, [b"ca5cb1ce-b341-4d59-84ac-4029b466948f", b"CA5CB1CEB3414D5984AC4029B466948F"]),
    ],
)
def test_a_number_has_one_stand_in_however_it_is_written(kind: Class, spellings: list[bytes]) -> None:
    names = Pseudonyms(KEY)
    bare = {names.of(kind, one).translate(None, b":-").lower() for one in spellings}
    assert len(bare) == 1
    assert bare != {spellings[-1].lower()}
    assert [len(names.of(kind, one)) for one in spellings] == [len(one) for one in spellings]


def test_two_recipients_cannot_join_what_they_have() -> None:
    text = b"bela on spark-07 at 10.1.2.3 and 02:51:00:01:5a:01"
    one, other = redacted(WHOLE, "a", Kind.TEXT, text), redacted(SECOND, "a", Kind.TEXT, text)
    assert not {*one.split()} & {*other.split()} - {b"on", b"at", b"and"}


@pytest.mark.parametrize(
    "kept",
    [
        b"driver 580.159.03, firmware-version: 28.45.40.28 (NVD0000000087)",
        b"libcurand 10.4.0.35-1 arm64",
        b"0000000F:01:00.0 0x0000000000000001 at 12:34:56",
        b"inet 127.0.0.1/8 netmask 255.255.255.0 ::1 ff02::1 0.0.0.0",
        b'{"MESSAGE_ID": "3ed0163e868a4417ab8b9e210407a96c"}',
        b"Serial Number: To be filled by O.E.M.",
        b"passwd: files systemd",
        b"Vulkan 1.3.260.1, 10.300.1.2, 999.1.1.1/24, 010.0.0.1 and ::ffff:10.300.1.2 or 1:2:3:4:5:6:7::8:9",
        b"sha256:0898e5dcab41712c10c2e9d40d89c0ddf63980ff7e57dad517fd8db35457e132",
    ],
)
def test_what_identifies_nobody_is_kept(kept: bytes) -> None:
    assert redacted(WHOLE, "a", Kind.TEXT, kept) == kept


@given(st.lists(st.integers(0, 999), min_size=4, max_size=4), st.sampled_from(["%d", "%03d"]))
@settings(deadline=None)
def test_only_four_numbers_that_are_an_address_are_replaced(numbers: list[int], form: str) -> None:
    text = ".".join(form % number for number in numbers)
    for kind, value in ((Class.IPV4, text), (Class.IPV6, f"::ffff:{text}")):
        try:
            ipaddress.ip_address(value)
        except ValueError:
            wanted = value.encode()
        else:
            wanted = Pseudonyms(KEY).of(kind, value.encode())
        assert redacted(WHOLE, "a", Kind.TEXT, f"at {value} up\n".encode()) == b"at %s up\n" % wanted


def test_an_address_before_a_number_that_is_no_prefix_is_replaced() -> None:
    out = redacted(WHOLE, "a", Kind.TEXT, b"GET 10.1.2.3/99 and fd00::77/200")
    assert not [value for value in (b"10.1.2.3", b"fd00::77") if value in out]
    assert out.endswith(b"/200")


@pytest.mark.parametrize("path", ["etc/machine-id", "sys/class/dmi/id/product_uuid"])
def test_what_stands_in_the_place_of_a_uuid_is_none(path: str) -> None:
    known = Known()
    known.harvest(path, b"uninitialized\n")
    text = b"machine-id is uninitialized\n"
    assert redacted(Redactor(Pseudonyms(KEY), known), "a", Kind.TEXT, text) == text


def test_a_secret_across_blocks_of_an_endless_line_is_found() -> None:
    for before in range(1500, 2100, 7):
        content = b"w " * (before // 2) + b"password=hunter2secret " + b"w " * 3000
        assert b"hunter2" not in redacted(SMALL, "a", Kind.TEXT, content)


def test_json_stays_json_and_nested_json_too() -> None:
    inner = json.dumps({"serial": "S5GXNF0W1234", "user": "bela", "quoted": 'say "spark-07"'})
    content = json.dumps([{"argv": ["cat", "/home/bela/x"], "stdout": f"{inner}\n", "rc": 0}]).encode()
    (entry,) = json.loads(redacted(WHOLE, "cmd/commands.json", Kind.RECORDING, content))
    read = json.loads(entry["stdout"])
    assert read["serial"].startswith("serial-x")
    assert read["user"] in entry["argv"][1]
    assert read["quoted"].startswith('say "host-x')


def test_its_time_is_bounded_and_the_report_says_so() -> None:
    redactor = made()
    with pytest.raises(TooSlow):
        redactor.stream("var/log/bela.log", Kind.TEXT, io.BytesIO(b"10.1.2.3\n" * 1000), io.BytesIO(), seconds=-1)
    (withheld,) = redactor.report().withheld
    assert withheld.reason == "too_slow"
    assert "bela" not in withheld.artefact


def test_paths_stay_distinct_and_hold_the_stand_ins_of_contents() -> None:
    redactor = made()
    machine_id = "6ef3b305eb2c9f7a1f80fce10217f5eb"
    content = redacted(redactor, "etc/machine-id", Kind.TEXT, machine_id.encode()).decode()
    assert redactor.path(f"var/log/journal/{machine_id}/x") == f"var/log/journal/{content}/x"
    names = [f"home/{name}/x" for name in ("bela", "Bela", "BELA", "other")]
    assert len({redactor.path(name) for name in names}) == len(names)


def test_the_report_names_lines_and_no_value() -> None:
    redactor = made()
    redacted(redactor, "var/log/a.log", Kind.TEXT, b"x\nbela\nbela\nx\nx\nspark-07\n")
    report = redactor.report()
    (known,) = [rule for rule in report.rules if rule.rule == "known"]
    assert known.artefacts[0].lines == [[2, 3], [6, 6]]
    assert "bela" not in report.model_dump_json()
    assert complaint_about(report.model_dump_json().encode()) is None


def test_wtmp_keeps_its_layout() -> None:
    record = bytearray(400)
    record[0] = 7
    record[44:48], record[76:84], record[360:364] = b"bela", b"10.1.2.3", bytes((10, 1, 2, 3))
    out = redacted(WHOLE, "var/log/wtmp", Kind.BINARY, bytes(record) * 3)
    assert len(out) == 1200
    shown = out[76:332].rstrip(b"\0").decode()
    assert shown != "10.1.2.3"
    assert ipaddress.IPv4Address(shown).packed == out[360:364]
