"""Rules for names: of people, machines, networks and single parts."""

from sparkctl.redaction import guards
from sparkctl.redaction.rule import IPV4, LABEL, NAME, Rule
from sparkctl.redaction.standins import Class

_TOP = (
    r"(?i:com|net|org|edu|gov|mil|lan|intranet|corp|home|localdomain|internal|arpa"
    r"|de|uk|eu|fr|ch|nl|ca|jp|cn|kr|tw|us|au)"
)
_SERIAL_KEY = (
    r"(?:[a-z]{0,12}_?serial(?:[_ -]?(?:number|no|num|short|id))?|asset[_ -]?tag|service[_ -]?tag"
    r"|iSerial[ \t0-9]{0,6}|sn)"
)


def _user(name: str, pattern: str, where: str) -> Rule:
    return Rule(f"user.{name}", Class.USER, pattern, where, takes=guards.is_user)


NAMES = (
    _user("home", rf"/(?:home|Users|media|run/media)/{NAME}", "after `/home/`"),
    Rule(
        "user.named",
        Class.USER,
        rf"(?i)\b(?:user|username|logname|login|sudo_user|acct|ruser|owner|account)[\"']?[=:][ \t]?[\"']?{NAME}",
        "`user=`, `USER=`, `acct=`",
        guards.is_no_unit,
        guards.is_user,
    ),
    _user(
        "spoken",
        r"(?i)\b(?:(?:for|of|by|from) (?:invalid )?user|(?:invalid|illegal|unknown) user"
        rf"|(?:publickey|password|keyboard-interactive/pam) for) [\"'`]?{NAME}",
        "`for user`, `Accepted publickey for`",
    ),
    _user("id", rf"\b[ug]id=[0-9]{{1,10}}\({NAME}\)", "`uid=1000(name)`"),
    _user("sudo", rf"\bsudo(?:\[[0-9]{{1,8}}\])?: {{1,8}}{NAME} : ", "what sudo logs"),
    Rule(
        "user.at",
        Class.USER,
        rf"\b{NAME}@(?:{IPV4}|(?:{LABEL}\.){{1,6}}[A-Za-z]{{2,24}}\b)",
        "`name@` of a host or of mail",
        guards.is_mail,
        guards.is_user,
    ),
    Rule(
        "host.named",
        Class.HOST,
        r"(?i)\b(?:_?host_?name|nodename|rhost|host)[\"']?[ \t]{0,4}[=:][ \t]{0,4}[\"']?"
        rf"({LABEL})\b",
        "`hostname=`, `_HOSTNAME`, `rhost=`",
        guards.ends_name,
        guards.is_host,
    ),
    Rule(
        "host.spoken",
        Class.HOST,
        r"(?i)\b(?:connect(?:ing|ed|ion)?|log(?:ging|ged)? in|route) (?:to|from|with) host [\"'`]?"
        rf"({LABEL})\b",
        "`connecting to host`, `connection from host`",
        guards.ends_name,
        guards.is_host,
    ),
    Rule(
        "domain.name",
        Class.DOMAIN,
        rf"\b(?:{LABEL}\.){{1,8}}{_TOP}\b",
        "a name under a common top-level domain",
        guards.is_whole_domain,
        guards.is_domain,
    ),
    Rule(
        "serial.named",
        Class.SERIAL,
        rf"(?i)\b{_SERIAL_KEY}[\"']?[ \t]{{0,30}}[=:][ \t]{{0,8}}[\"']?([A-Za-z0-9][A-Za-z0-9_./+-]{{3,63}})",
        "`Serial Number:`, `ID_SERIAL=`, `Asset Tag:`",
        takes=guards.is_serial,
    ),
    Rule(
        "ssid.named",
        Class.SSID,
        r"(?i)\be?ssid[\"']?(?:[ \t]{0,4}[:=][ \t]{0,4}|[ \t]{1,2}[\"'])"
        r"(?:\"([^\"\n]{1,64})\"|'([^'\n]{1,64})'|([^\s\"',;()\x00]{1,64}))",
        "`SSID:`, `ssid=`",
        takes=guards.is_ssid,
    ),
    Rule(
        "ssh.key",
        Class.SSH_KEY,
        r"\b(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp[0-9]{3}|sk-[a-z0-9-]{6,30}@openssh\.com)[ \t]{1,4}"
        r"([A-Za-z0-9+/]{40,}={0,2})",
        "public keys of SSH",
    ),
    Rule("ssh.fingerprint", Class.FINGERPRINT, r"\bSHA256:([A-Za-z0-9+/]{43})", "fingerprints of SSH keys"),
)
"""Rules for words that name somebody or something in particular."""
