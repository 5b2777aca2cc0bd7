"""What is handed on: a proven part as it is, or all of it under other names, in which nothing leads to another part."""

import base64
import json
import struct
import uuid
from pathlib import Path
from typing import Any

import pytest

from sparkctl.app.redaction_again import added
from sparkctl.evidence.reading import opened
from sparkctl.evidence.trust import PublicKey
from sparkctl.evidence.verifying import verify
from sparkctl.model.evidence import EntryFacts, EntryKind, Missing, PathSource
from sparkctl.model.redaction import ArtefactReplacements, RedactionReport, RuleReplacements
from sparkctl.model.vocabulary import UnknownReason
from tests.bundle.made import entry_of, facts, made
from tests.evidence.making import allowed, openssh_key
from tests.support.command import sparkctl
from tests.support.facts import identity

HOST, USER, SERIAL = b"host-xabcdefghij", b"user-xklmnopqrst", b"serial-xuvwxyz2345"
MAC, UUID, IPV6 = b"48:b0:2d:12:ab:9f", b"49ca97c4-cd22-4f09-b047-cd7818e8a81b", b"2001:db8:7:9::5af3"
TAILS = [word.partition(b"-x")[2] for word in (HOST, USER, SERIAL)]
FORMS = [
    *TAILS, MAC, MAC.replace(b":", b""), bytes.fromhex(MAC.decode().replace(":", "")), UUID, UUID.replace(b"-", b""),
    IPV6, *(base64.b64encode(tail) for tail in TAILS), b"user-xkl", USER.decode().encode("utf-16-le"),
]  # fmt: skip
LOGIN = struct.pack("<hxxi32s4s32s256s", 7, 1, b"pts/0", b"", USER, HOST).ljust(384, b"\0")
TEXT = b" ".join((HOST, USER, SERIAL, MAC, UUID, IPV6, b"10.20.30.40", UUID.replace(b"-", b""))) + b"\n"
ENCODED = base64.b64encode(b"hostname=" + HOST + b"\n") + b"\n"
CONTENTS = {
    "tree/etc/hostname": HOST + b"\n",
    "tree/etc/passwd": USER + b":x:1000:1000:,,,:/home/" + USER + b":/bin/bash\n",
    "tree/sys/class/net/eth0/address": MAC + b"\n",
    "tree/sys/class/dmi/id/product_uuid": UUID + b"\n",
    "tree/var/log/wtmp": LOGIN * 3,
    "tree/proc/net/if_inet6": b"fe800000000000004ab02dfffe12ab9f 02 40 20 80     eth0\n",
    f"tree/var/log/journal/{UUID.replace(b'-', b'').decode()}/note": b"kept\n",
    "judged/facts.json": facts(identity=identity(hostname=HOST.decode(), serial=SERIAL.decode())),
}
ARTEFACTS = {
    "log/text.txt": TEXT * 2000,
    "log/encoded.txt": ENCODED,
    "log/wide.bin": USER.decode().encode("utf-16-le") + bytes(7) + bytes.fromhex(MAC.decode().replace(":", "")),
    "log/cut.bin": b"\0\0\1user-xkl\0\0\2",
    "kernel/modules.txt": b"nvidia 1\n",
}
GAP = Missing(name="log/rest", reason=UnknownReason.TIMEOUT, words=f"not read within 5 s on {HOST.decode()}")


def source(folder: Path, **parts: Any) -> Path:
    whose = EntryFacts(
        path="artefacts/log/text.txt",
        kind=EntryKind.ARTEFACT,
        source=PathSource(path=f"/home/{USER.decode()}/text"),
        words=f"the end of {HOST.decode()} is left out",
    )
    return made(
        folder / "a.zst",
        **{"artefacts": ARTEFACTS, "contents": CONTENTS, "facts_of": [whose], "missing": [GAP], **parts},
    )


def disclose(bundle: Path, out: Path, *options: str | Path, recipient: str = "vendor, case 4711") -> dict[str, Any]:
    ran = sparkctl("bundle", "disclose", bundle, "--out", out, "--for", recipient, *options, home=out.parent)
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def everything(bundle: Path) -> dict[str, bytes]:
    """Every entry of a bundle, and its manifest."""
    with opened(bundle) as reading:
        return {entry.path: b"".join(content) for entry, content in reading.stream()} | {
            "manifest": reading.head.content
        }


def standins(contents: dict[str, bytes]) -> dict[str, bytes]:
    """What the bundle calls the user and the serial by now."""
    host, user, serial, mac, number, address, *_ = contents["artefacts/log/text.txt"].split(b"\n")[0].split()
    return {"host": host, "user": user, "serial": serial, "mac": mac, "uuid": number, "ipv6": address}


def test_no_stand_in_of_the_source_or_of_another_recipient_is_in_it(tmp_path: Path) -> None:
    bundle = source(tmp_path)
    disclose(bundle, tmp_path / "one.zst")
    disclose(bundle, tmp_path / "two.zst", recipient="another")
    one, two = everything(tmp_path / "one.zst"), everything(tmp_path / "two.zst")
    for contents in (one, two):
        assert not [(path, form) for path, content in contents.items() for form in FORMS if form in content]
        assert not [(path, form) for path in contents for form in FORMS if form in path.encode()]
    first, second = standins(one), standins(two)
    assert not {*first.values()} & {*second.values()}
    assert b"another" not in b"".join(one.values())
    assert b"case 4711" not in b"".join(two.values())


def test_things_are_still_the_same_things(tmp_path: Path) -> None:
    disclose(source(tmp_path), tmp_path / "one.zst")
    now = everything(tmp_path / "one.zst")
    names = standins(now)
    assert now["tree/etc/hostname"].strip() == names["host"]
    assert now["tree/etc/passwd"].count(names["user"]) == 2
    assert now["tree/sys/class/net/eth0/address"].strip() == names["mac"]
    assert base64.b64decode(now["artefacts/log/encoded.txt"]) == b"hostname=" + names["host"] + b"\n"
    assert names["user"].decode().encode("utf-16-le") in now["artefacts/log/wide.bin"]
    assert bytes.fromhex(names["mac"].decode().replace(":", "")) in now["artefacts/log/wide.bin"]
    assert now["tree/var/log/wtmp"].count(names["user"]) == 3
    assert names["serial"] in now["judged/facts.json"]
    assert now["artefacts/kernel/modules.txt"] == b"nvidia 1\n"


def test_it_says_for_whom_and_of_which_stand_in(tmp_path: Path) -> None:
    told = disclose(source(tmp_path), tmp_path / "one.zst")
    names = standins(everything(tmp_path / "one.zst"))
    found = verify(tmp_path / "one.zst", None)
    assert (found.about.disclosed_to, found.about.node) == ("vendor, case 4711", names["host"].decode())
    assert found.missing[0].words == f"not read within 5 s on {names['host'].decode()}"
    assert told["disclosed_to"] == "vendor, case 4711"
    assert told["source"]["authenticity"] == "unsigned"
    with opened(tmp_path / "one.zst") as reading:
        entry = next(one for one in reading.entries() if one.path == "artefacts/log/text.txt")
    assert entry.source == PathSource(path=f"/home/{names['user'].decode()}/text")
    assert entry.words == f"the end of {names['host'].decode()} is left out"


def test_the_accounts_of_both_redactions_are_added(tmp_path: Path) -> None:
    before = RedactionReport.model_validate_json(entry_of(source(tmp_path), "redaction.json"))
    disclose(tmp_path / "a.zst", tmp_path / "one.zst")
    now = {
        one.rule: one.count
        for one in RedactionReport.model_validate_json(entry_of(tmp_path / "one.zst", "redaction.json")).rules
    }
    assert [one.rule for one in before.rules] == ["ipv4"]
    assert now["ipv4"] == before.rules[0].count + 2000
    assert now["again.serial"] > 0


def test_counts_add_up_and_lines_are_joined() -> None:
    def report(*places: tuple[str, int, list[list[int]]]) -> RedactionReport:
        artefacts = [ArtefactReplacements(artefact=name, count=count, lines=lines) for name, count, lines in places]
        rule = RuleReplacements(rule="known", count=sum(count for _, count, _ in places), artefacts=artefacts)
        return RedactionReport(artefacts=1, bytes_read=5, rules=[rule], withheld=[])

    both = added(report(("a", 2, [[1, 2], [9, 9]]), ("b", 1, [[4, 4]])), report(("a", 3, [[3, 5], [20, 21]])))
    assert both.rules[0].count == 6
    assert [(one.artefact, one.count, one.lines) for one in both.rules[0].artefacts] == [
        ("a", 5, [[1, 5], [9, 9], [20, 21]]),
        ("b", 1, [[4, 4]]),
    ]


def test_a_part_says_that_it_is_one_and_tells_nothing_of_the_rest(tmp_path: Path) -> None:
    disclose(source(tmp_path), tmp_path / "one.zst", "--group", "kernel", "--entry", "log/enc*")
    now = everything(tmp_path / "one.zst")
    assert set(now) == {"artefacts/kernel/modules.txt", "artefacts/log/encoded.txt", "redaction.json", "manifest"}
    assert b"wtmp" not in now["redaction.json"] + now["manifest"]
    assert b"entries of the bundle were not handed on" in now["manifest"]


def test_it_is_signed_by_whoever_discloses(tmp_path: Path) -> None:
    theirs, ours = openssh_key(tmp_path, "theirs"), openssh_key(tmp_path, "ours")
    bundle = source(tmp_path, key=theirs)
    signers = allowed(tmp_path, theirs, principal="collector")
    told = disclose(bundle, tmp_path / "one.zst", "--allowed-signers", signers, "--sign", ours)
    assert told["source"]["signed_by"]["principal"] == "collector"
    assert verify(tmp_path / "one.zst", PublicKey(ours.with_suffix(".pub"))).signed_by is not None


def test_a_stand_in_that_would_be_left_is_found_and_nothing_is_written(tmp_path: Path) -> None:
    stray = uuid.UUID("1f0a7c52-9d3b-4e6a-8c11-5b2e94d7f603")  # of no file of the node, so that nobody looks for it raw
    bundle = source(tmp_path, artefacts={"log/text.txt": f"volume {stray}\n".encode(), "log/raw.bin": stray.bytes * 2})
    ran = sparkctl("bundle", "disclose", bundle, "--out", tmp_path / "one.zst", "--for", "x", home=tmp_path)
    assert ran.returncode == 4, ran.stderr
    assert "artefacts/log/raw.bin" in ran.stderr
    assert not (tmp_path / "one.zst").exists()


def test_a_verbatim_part_stands_on_the_same_signature(tmp_path: Path) -> None:
    key = openssh_key(tmp_path)
    bundle = source(tmp_path, key=key)
    options = ("--verbatim", "--group", "kernel", "--public-key", f"{key}.pub", "--format", "human")
    ran = sparkctl("bundle", "disclose", bundle, "--out", tmp_path / "one.zst", *options, home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "can join the two" in ran.stdout
    found = verify(tmp_path / "one.zst", PublicKey(key.with_suffix(".pub")))
    assert (found.entries, found.withheld) == (1, verify(bundle, None).entries - 1)
    assert entry_of(tmp_path / "one.zst", "artefacts/kernel/modules.txt") == b"nvidia 1\n"


def test_a_verbatim_part_can_be_redacted_again(tmp_path: Path) -> None:
    bundle = source(tmp_path, key=openssh_key(tmp_path))
    part = tmp_path / "part.zst"
    ran = sparkctl("bundle", "disclose", bundle, "--out", part, "--verbatim", "--group", "log", home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    disclose(part, tmp_path / "one.zst")
    now = everything(tmp_path / "one.zst")
    assert b"entries of the bundle were not handed on" in now["manifest"]
    shown = sparkctl("bundle", "show", tmp_path / "one.zst", "--format", "human", home=tmp_path).stdout
    assert "redacted again for vendor, case 4711" in shown
    assert not [(path, tail) for path, content in now.items() for tail in TAILS if tail in content]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ([], 2, "say for whom"),
        (["--verbatim"], 2, "--entry or --group"),
        (["--verbatim", "--for", "x", "--group", "kernel"], 2, "neither --for nor --sign"),
        (["--verbatim", "--group", "kernel"], 2, "is not signed"),
        (["--for", "x", "--group", "kernels"], 2, "the groups are: judged, kernel, log, redaction, tree"),
        (["--for", "x", "--entry", "*.gif"], 2, "names no entry"),
        (["--for", "x\n"], 2, "one line"),
        (["--for", ""], 2, "one line"),
        (["--for", "x", "--public-key", "{key}.pub"], 4, "is not signed"),
        (["--for", "x", "--sign", "/nowhere"], 2, "/nowhere"),
    ],
)
def test_mistakes_write_nothing(options: list[str], code: int, words: str, tmp_path: Path) -> None:
    key = openssh_key(tmp_path)
    given = [option.format(key=key) for option in options]
    ran = sparkctl("bundle", "disclose", source(tmp_path), "--out", tmp_path / "one.zst", *given, home=tmp_path)
    assert (ran.returncode, ran.stdout) == (code, ""), ran.stderr
    assert words in ran.stderr
    assert not (tmp_path / "one.zst").exists()


def test_what_does_not_verify_is_not_disclosed(tmp_path: Path) -> None:
    bundle = source(tmp_path)
    content = bytearray(bundle.read_bytes())
    content[-20] ^= 1
    bundle.write_bytes(content)
    ran = sparkctl("bundle", "disclose", bundle, "--out", tmp_path / "one.zst", "--for", "x", home=tmp_path)
    assert ran.returncode == 2
    assert not (tmp_path / "one.zst").exists()
