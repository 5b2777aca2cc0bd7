"""Rules for what opens doors: passwords, tokens, keys."""

from sparkctl.redaction import guards
from sparkctl.redaction.rule import IS, Rule
from sparkctl.redaction.standins import Class

_KEY = (
    r"(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key"
    r"|(?:access|private|auth|signing|encryption|account)[_-]?key|psk|preshared[_-]?key)"
)
_PLAIN = r"[^\s\"',;<>{}()\[\]\\\x00-\x1f]"
_WITHIN = r"[\"'][A-Za-z0-9/+_=.!@#$%^*~&-]"
"""A quote after which the word goes on, and which therefore does not end it."""
_VALUE = (
    rf'(?:"([^"\\\s,:{{}}\[\]](?:[^"\\\n]|{_WITHIN}|\\.){{0,500}})"'
    r"|'([^'\s,:{}\[\]][^'\n]{0,500})'"
    rf"|({_PLAIN}(?:{_PLAIN}|{_WITHIN}|\\[^\s\"'\\]){{0,500}}))"
)


def _token(name: str, pattern: str, where: str) -> Rule:
    return Rule(f"token.{name}", Class.SECRET, pattern, where)


SECRETS = (
    Rule(
        "url.credentials",
        Class.SECRET,
        r"://([^\s/@\"'<>\x00]{1,400})@",
        "between `://` and `@`",
        takes=guards.is_no_standin,
    ),
    Rule(
        "secret.header",
        Class.SECRET,
        rf"(?i)\b(?:proxy-)?authorization{IS}(?:(?:bearer|basic|digest|token|negotiate)[ \t]+)?"
        r"([^\s\"'\\\x00]{4,})",
        "`Authorization:`",
        takes=guards.is_no_standin,
    ),
    Rule(
        "secret.cookie",
        Class.SECRET,
        rf"(?i)\b(?:set-)?cookie{IS}([^\r\n\"\\\x00]{{4,}})",
        "`Cookie:`, `Set-Cookie:`",
    ),
    Rule(
        "secret.bearer",
        Class.SECRET,
        r"(?i)\bbearer[ \t]+([A-Za-z0-9._~+/=-]{8,})",
        "after `Bearer`",
        takes=guards.has_digit,
    ),
    Rule(
        "secret.value",
        Class.SECRET,
        rf"(?i){_KEY}[A-Za-z0-9_]{{0,20}}[\"']?[ \t]{{0,8}}[:=][ \t]{{0,8}}{_VALUE}",
        "after a key such as `password`, `token`, `secret`, `api_key`, `psk`",
        guards.is_secret_place,
        guards.is_secret,
        guards.end_of_secret,
    ),
    Rule(
        "secret.option",
        Class.SECRET,
        rf"(?i)(?:^|[\s\"'\x00])--?[a-z-]{{0,20}}{_KEY}[a-z-]{{0,20}}(?:[ \t\x00]{{1,8}}|[\"'],\s{{0,8}}){_VALUE}",
        "after an option such as `--password`",
        guards.is_secret_place,
        guards.is_secret,
        guards.end_of_secret,
    ),
    Rule(
        "secret.docker",
        Class.SECRET,
        r'"auth"\s{0,8}:\s{0,8}"([A-Za-z0-9+/=_-]{8,})"',
        "`auth` of the login to a registry",
    ),
    Rule(
        "secret.netrc",
        Class.SECRET,
        r"\blogin\s{1,8}[^\s\x00]{1,100}\s{1,8}password\s{1,8}([^\s\x00]{1,200})",
        "`login ... password ...` of a .netrc",
    ),
    Rule(
        "secret.crypt",
        Class.SECRET,
        r"\$(?:1|2[abxy]?|5|6|7|y|gy|argon2(?:i|d|id)|scrypt)\$[A-Za-z0-9./=,$+-]{8,500}",
        "hashes of passwords as in /etc/shadow",
    ),
    _token("github", r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})", "GitHub"),
    _token("gitlab", r"\bgl(?:pat|dt|rt|cbt|ptt|soat)-[A-Za-z0-9_.-]{16,}", "GitLab"),
    _token("huggingface", r"\b(?:hf|api_org)_[A-Za-z0-9]{20,}", "Hugging Face"),
    _token("nvidia", r"\bnvapi-[A-Za-z0-9_-]{20,}", "NVIDIA NGC"),
    _token("openai", r"\bsk-[A-Za-z0-9_-]{20,}", "OpenAI and others of that form"),
    _token("aws", r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b", "access keys of AWS"),
    _token("google", r"\b(?:AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,})", "Google"),
    _token("slack", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}", "Slack"),
    _token("stripe", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}", "Stripe"),
    _token("registry", r"\b(?:dckr_(?:pat|oat)_|npm_|pypi-)[A-Za-z0-9_-]{20,}", "Docker Hub, npm, PyPI"),
    _token("vault", r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}", "Vault"),
    _token("tailscale", r"\btskey-[a-z]{1,20}-[A-Za-z0-9-]{10,}", "Tailscale"),
    _token(
        "jwt",
        r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?",
        "JSON web tokens",
    ),
)
"""Rules of the class SECRET."""
