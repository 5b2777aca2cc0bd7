"""Rules for numbers that name one machine, known by their form."""

from sparkctl.redaction import guards
from sparkctl.redaction.rule import HEX, IPV4, Rule
from sparkctl.redaction.standins import Class

_LENGTH = r"(?:/[0-9]{1,3})?"
_IPV6 = "|".join(
    form + _LENGTH
    for form in (
        rf"(?:{HEX}{{1,4}}:){{7}}{HEX}{{1,4}}",
        rf"(?:{HEX}{{1,4}}:){{1,6}}(?::{HEX}{{1,4}}){{1,6}}",
        rf"::(?:ffff:{IPV4}|(?:{HEX}{{1,4}}:){{0,6}}{HEX}{{1,4}})",
        rf"(?:{HEX}{{1,4}}:){{1,7}}:",
    )
)

NUMBERS = (
    Rule(
        "uuid.dashed",
        Class.UUID,
        rf"(?:\b|_)({HEX}{{8}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{12}})(?:\b|_)",
        "8-4-4-4-12 hexadecimal digits",
        guards.is_own_uuid,
    ),
    Rule(
        "uuid.plain",
        Class.UUID,
        rf"(?:\b|_)({HEX}{{32}})(?:\b|_)",
        "32 hexadecimal digits: machine-id, boot id",
        guards.is_own_uuid,
    ),
    Rule(
        "uuid.volume",
        Class.HEX,
        rf"\b(?:UUID|ID_FS_UUID|ID_FS_UUID_ENC)[=: ]({HEX}{{4}}-{HEX}{{4}})\b|\bby-uuid/({HEX}{{4}}-{HEX}{{4}})\b",
        "number of a FAT volume after `UUID=`",
        takes=guards.is_no_filler,
    ),
    Rule(
        "mac.separated",
        Class.MAC,
        rf"\b{HEX}{{2}}(?:(?::{HEX}{{2}}){{5,40}}|(?:-{HEX}{{2}}){{5,40}})\b",
        "pairs of digits with `:` or `-`: MAC, GUID, MD5",
        guards.stands_alone,
    ),
    Rule(
        "mac.dotted",
        Class.MAC,
        rf"\b{HEX}{{4}}\.{HEX}{{4}}\.{HEX}{{4}}\b",
        "three groups of four digits",
        guards.stands_alone,
        guards.has_letter_and_digit,
    ),
    Rule("mac.interface", Class.MAC, r"\b(?:enx|wlx|wwx)([0-9a-f]{12})\b", "names of interfaces such as `enx...`"),
    Rule(
        "hex.named",
        Class.HEX,
        rf"(?i)\b(?:eui\.|naa\.|wwn-0x|wwn\W{{1,4}}0x|(?:nguid|eui64)\W{{1,4}}(?:0x)?)({HEX}{{16,64}})\b",
        "`eui.`, `naa.`, `wwn`, `nguid`",
        takes=guards.is_no_filler,
    ),
    Rule("hex.tpm", Class.HEX, rf"\b000b({HEX}{{64}})\b", "name of a TPM's key: algorithm 000b and a SHA-256"),
    Rule("ipv6", Class.IPV6, _IPV6, "addresses of IPv6", guards.is_ipv6, guards.is_ipv6_text),
    Rule(
        "mac.guid",
        Class.MAC,
        rf"\b{HEX}{{4}}:{HEX}{{4}}:{HEX}{{4}}:{HEX}{{4}}\b",
        "four groups of four digits: GUID of RDMA",
        guards.stands_alone,
    ),
    Rule(
        "ipv4",
        Class.IPV4,
        rf"\b{IPV4}(?:/[0-9]{{1,2}})?\b",
        "addresses of IPv4, not after words such as `version`",
        guards.is_ipv4,
        guards.is_ipv4_text,
    ),
)
"""Rules for what is recognised by its digits."""
