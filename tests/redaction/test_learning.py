"""What one artefact tells by its context is replaced in every other, whole and in every spelling."""

import base64
import io
import json
import urllib.parse

import pytest

from sparkctl.redaction.known import MOST_LEARNED, Known
from sparkctl.redaction.learning import Learner
from sparkctl.redaction.redactor import Kind, Redactor
from sparkctl.redaction.standins import Class, Pseudonyms
from tests.redaction.trees import KEY, SECONDS, redacted

HARD = 'p"BAkh7fBY/+&'
KEYFILE = (
    "==> /etc/NetworkManager/system-connections/lab.nmconnection <==\n[wifi-security]\npsk=correct horse 7Stable!\n"
)
LINE = "MIIEvQ7BADANBgkqhkiG9w0BAQEFAASCzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
PEM = f"-----BEGIN PRIVATE KEY-----\n{LINE}\n-----END PRIVATE KEY-----\n"  # gitleaks:allow

TOLD = [
    ("Authorization: Bearer 7hZuK5WFm33Ufc\n", "7hZuK5WFm33Ufc"),
    (f"Authorization: Basic {base64.b64encode(b'bela:hunter2-6YC').decode()}\n", "hunter2-6YC"),
    ("GET https://bela:hunter2-6YC@mirror.local/x\n", "hunter2-6YC"),
    ("GET https://bela:hunter2%2F6YC@mirror.local/x\n", "hunter2/6YC"),
    (f"vllm: password={HARD}\n", HARD),
    (f"vllm --api-key {HARD} --port 80\n", HARD),
    (json.dumps({"Env": [f"DB_PASSWORD={HARD}"]}), HARD),
    (json.dumps({"message": json.dumps({"password": HARD})}), HARD),
    (f"GET /login?token={urllib.parse.quote(HARD, safe='')}&page=2\n", HARD),
    (KEYFILE, "correct horse 7Stable!"),
    (PEM, LINE),
    (base64.b64encode(PEM.encode()).decode() + "\n", LINE),
    ("lookup of vault-5990.corp-5990.internal\n", "vault-5990"),
    ("lookup of vault-5990.corp-5990.internal\n", "corp-5990"),
    ("Invalid user tess-4711 from 10.1.2.3\n", "tess-4711"),
]
"""What tells a value by its context, and the value."""


def knowing(*told: str) -> Known:
    known = Known()
    learner = Learner(known)
    for number, text in enumerate(told):
        learner.read(f"var/log/{number}.log", Kind.TEXT, io.BytesIO(text.encode()), seconds=SECONDS)
    return known


def spellings(value: str) -> list[str]:
    coded = json.dumps(value)[1:-1].replace("/", "\\/")
    return [
        value,
        coded,
        json.dumps(coded)[1:-1],
        urllib.parse.quote(value, safe=""),
        *(base64.b64encode(b"." * before + b" " + value.encode() + b" .").decode() for before in range(3)),
    ]


@pytest.mark.parametrize(("told", "value"), TOLD)
def test_a_value_is_replaced_where_nothing_stands_beside_it(told: str, value: str) -> None:
    redactor = Redactor(Pseudonyms(KEY), knowing(told))
    for spelling in spellings(value):
        for text in (f"saw {spelling} there\n", f'{{"value": "{spelling}"}}\n'):
            assert spelling not in redacted(redactor, "a.log", Kind.TEXT, text.encode()).decode()
        assert spelling not in redactor.path(f"var/log/{spelling.replace('/', '_')}.log") or "/" in spelling


@pytest.mark.parametrize(("told", "value"), TOLD)
def test_it_stays_where_nothing_told_it(told: str, value: str) -> None:
    text = f"saw {value} there\n".encode()
    assert redacted(Redactor(Pseudonyms(KEY), Known()), "a.log", Kind.TEXT, text) == text


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (f"password={HARD} and more", " and more"),
        (f'{{"cmd": "--password={HARD}", "n": 1}}', '", "n": 1}'),
        (f"[--password={HARD}]", "]"),
        (f"?token={HARD}page=2", "&page=2"),
    ],
)
def test_a_secret_ends_where_it_ends(told: str, left: str) -> None:
    out = redacted(Redactor(Pseudonyms(KEY), Known()), "a.log", Kind.TEXT, told.encode()).decode()
    assert out.endswith(left)
    assert "BAkh" not in out


@pytest.mark.parametrize(
    "text",
    [
        "user=postgres owner=builder\n",
        "scsi host: scsi0 host=ahci1\n",
        "token: refresh password: required secret=kubernetes.io/service-account\n",
        "-----BEGIN CERTIFICATE-----\n" + "MIIEvQ7BADANBgkqhkiG9w0BAQEFAASC\n" * 3 + "-----END CERTIFICATE-----\n",
        "https://docs.nvidia.com/dgx/x at cdn77.ubuntu.com\n",
    ],
)
def test_ordinary_words_are_not_learned(text: str) -> None:
    assert list(knowing(text)) == []


def test_a_known_value_that_a_longer_secret_begins_with_does_not_hide_it() -> None:
    known = Known()
    known.add(Class.HOST, b"ghp")
    token = b"ghp_" + b"a7Bc" * 9
    out = redacted(Redactor(Pseudonyms(KEY), known), "a.log", Kind.TEXT, b"saw " + token + b" there\n")
    assert b"a7Bc" not in out


def test_more_secrets_than_fit_are_counted_and_displace_no_name_of_the_node() -> None:
    told = "".join(f"token=a7Bc-{number:06}\n" for number in range(MOST_LEARNED + 30))
    known = knowing(told)
    for number in range(MOST_LEARNED + 30):
        known.add(Class.HOST, b"spark-own-%d" % number)
    assert len(known) == 2 * MOST_LEARNED + 30
    redactor = Redactor(Pseudonyms(KEY), known)
    assert redactor.report().known_left_out == 30


@pytest.mark.parametrize("first", [0, 1])
def test_a_number_of_the_node_that_stands_behind_a_key_keeps_its_form(first: int) -> None:
    boot = b"9303911fb37f43adaf3bcd4baf79548a"
    known = Known()
    ways = [(known.add, Class.UUID), (known.learn, Class.SECRET)]
    for tell, kind in (ways[first], ways[1 - first]):
        tell(kind, boot)
    out = redacted(Redactor(Pseudonyms(KEY), known), "a.log", Kind.TEXT, b"boot " + boot + b" began")
    assert out.split()[1] != boot
    assert int(out.split()[1], 16)


def test_a_uuid_that_names_a_kind_of_firmware_stays_wherever_it_stands() -> None:
    guid, known = b"3c184433-fc51-520a-a290-304f9c582789", Known()
    known.harvest("cmd/grep", b"/sys/firmware/efi/esrt/entries/entry0/fw_class:" + guid + b"\n")
    known.learn(Class.HEX, guid)
    assert known.keeps(guid)
    assert known.get(guid) is None
    assert (Class.HEX, guid) not in list(known)
