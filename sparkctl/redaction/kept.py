"""What carries meaning and identifies nobody: such values are kept as they are."""

MESSAGE_IDS = """
    0027229ca0644181a76c4e92458afa2e 0e4284a0caca4bfc81c0bb6786972673 1675d7f172174098b1108bf8c7dc8f5d
    1b3bb94037f04bbf81028e135a12d293 1c0454c1bd2241e0ac6fefb4bc631433 1dee0369c7fc4736b7099b38ecb46ee7
    24d8d4452573402496068381a6312df2 3354939424b4456d9802ca8333ed424a 36db2dfa5a9045e1bd4af5f93e1cf057
    39f53479d3a045ac8e11786248231fbf 3f7d5ef3e54f4302b4f0b143bb270cab 45f82f4aef7a4bbf942ce861d1f20990
    4d4408cfd0d144859184d1e65d7c8a65 50876a9db00f4c40bde1a2ad381c3a1b 58432bd3bace477cb514b56381b8a758
    5aadd8e954dc4b1a8c954d63fd9e1137 5eb03494b6584870a536b337290809b3 641257651c1b4ec9a8624d7a40a9e1e7
    6bbd95ee977941e497c48be27c254128 7ad2d189f7e94e70a38c781354912448 7b05ebc668384222baa8881179cfda54
    7c8a41f37b764941a0e1780b1be2f037 7d4958e842da4a758f6c1cdc7b36dcc5 8811e6df2a8e40f58a94cea26f8ebf14
    8d45620c1a4348dbb17410da57c60c66 98268866d1d54a499c4e98921d93bc40 98e322203f7a4ed290d09fe03c09fe15
    9d1aaa27d60140bd96365438aad20286 a596d6fe7bfa4994828e72309e95d61e ae8f7b866b0347b9af31fe1c80b127c0
    b07a249cd024414a82dd00cd181378ff b480325f9c394a7b802c231e51a2752c b61fdac612e94b9182285b998843061f
    be02cf6855d2428ba40df7e9d022f03d c14aaf76ec284a5fa1f105f88dfb061c c7a787079b354eaaa9e77b371893cd27
    d34d037fff1847e6ae669a370e694725 d93fb3c9c24d451a97cea615ce59c00b d9b373ed55a64feb8242e02dbe79a49c
    de5b426a63be47a7b6ac3eaac82e2f6f e7852bfe46784ed0accde04bc864c2d5 e9bf28e6e834481bb6f48f548ad13606
    ec387f577b844b8fa948f33cad9a75e6 eed00a68ffd84e31882105fd973abdd1 f77379a8490b408bbe5f6940505a777b
    fc2e22bc6ee647b6b90729ab34a250b1 fcbefc5da23d428093f97c82a9290f7b fe6faa94e7774663a0da52717891d8ef
"""
"""Kinds of message of systemd 255, from its catalogue."""

PARTITION_TYPES = """
    c12a7328-f81f-11d2-ba4b-00a0c93ec93b 0fc63daf-8483-4772-8e79-3d69d8477de4 0657fd6d-a4ab-43c4-84e5-0933c84b4f4f
    e6d6d379-f507-44c2-a23c-238f2a3df928 b921b045-1df0-41c3-af44-4c6f280d3fae 69dad710-2ce4-4e3c-b16c-21a1d49abed3
    21686148-6449-6e6f-744e-656564454649 ebd0a0a2-b9e5-4433-87c0-68b6b72699c7 e3c9e316-0b5c-4db8-817d-f92df00215ae
    de94bba4-06d1-4d40-a16a-bfd50179d6ac bc13c2ff-59e6-4262-a352-b275fd6f7172 a19d880f-05fc-4d3b-a006-743f0f84911e
"""
"""Types of GPT partitions (UEFI specification 2.10 section 5.3.3, Discoverable Partitions Specification)."""

EFI_VARIABLES = """
    8be4df61-93ca-11d2-aa0d-00e098032b8c d719b2cb-3d3a-4596-a3bc-dad00e67656f 605dab50-e046-4300-abb6-3dd810dd8b23
    4a67b082-0a4c-41cf-b6c7-440b29bb8c4f 8cf2644b-4b0b-428f-9387-6d876050dc67 eb9d2d30-2d88-11d3-9a16-0090273fc14d
    eb9d2d31-2d88-11d3-9a16-0090273fc14d eb9d2d32-2d88-11d3-9a16-0090273fc14d f2fd1544-9794-4a2c-992e-e5bbcf20e394
    8868e871-e4f1-11d3-bc22-0080c73c8881 b122a263-3661-4f68-9929-78f8b0d62180 dcfa911d-26eb-469f-a220-38b7dc461220
    cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0 ee4e5898-3914-4259-9d6e-dc7bd79403cf 24b73556-2197-4702-82a8-3e1337dafbf2
"""
"""Owners of EFI variables and tables (UEFI specification 2.10 sections 3.3, 4.6, 8.2; Linux include/linux/efi.h)."""

UUIDS = frozenset(
    bytes.fromhex(word.replace("-", "")) for word in (MESSAGE_IDS + PARTITION_TYPES + EFI_VARIABLES).split()
)
"""Constants that look like a machine's own UUID."""

PLACEHOLDERS = frozenset(
    b"""default string|to be filled by o.e.m.|to be filled by oem|not specified|not applicable|n/a|none|unknown|invalid
|system serial number|chassis serial number|base board serial number|board serial number|no asset information|o.e.m.
|asset tag|no asset tag|default|empty|null|not available|not present|unspecified|uninitialized|[n/a]|123456789
|0123456789|01234567|xxxxxxxx""".replace(b"\n", b"").split(b"|")
)
"""Fillers that firmware holds where nobody wrote a serial; lower case."""

COMMON = frozenset(
    b"""
    root admin administrator user users ubuntu debian nvidia docker spark dgx guest test nobody daemon system service
    localhost localdomain local lan home default none null true false yes no node host server client linux kernel main
    data tmp var etc usr bin dev sys run opt boot proc systemd journal message error warning info debug status simulated
    name type model serial version driver device network wifi ethernet internal external static dynamic example invalid
    master worker head login sudo ssh sshd git www mail backup operator staff public private group shared
    com net org edu gov www1 gpu cpu mem memory disk nvme eth0 wlan0 lo the and for from not with unknown
    gb10 grace blackwell arm64 aarch64 x86_64 nvidia-dgx dgx-spark nvidia_dgx_spark
    health check checks finding value summary locator unit reason reset time address id names image state command
    labels report facts rules artefact count lines cost errors data meta title serials drives link route memory
    argv stdout stderr denied euid now rc delay_s
    """.split()
)
"""Words that are too common to be replaced wherever they stand; a user of such a name is known by what stands by."""

ACCOUNTS = frozenset(
    b"""
    root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc nobody _apt messagebus sshd
    systemd-network systemd-resolve systemd-timesync syslog uuidd tcpdump landscape fwupd-refresh usbmux dnsmasq gdm
    avahi colord geoclue pulse rtkit saned whoopsie kernoops polkitd tss gnome-initial-setup hplip nm-openvpn speech-
    dispatcher cups-pk-helper sssd pollinate _chrony chrony ntp ntpsec nvidia-persistenced docker containerd lxd reboot
    shutdown runlevel wtmp login invalid user unknown none null true false the a an uid gid
    """.split()
)
"""Accounts that the system itself has, and words that stand where a name could: they name no person."""

SERVICES = (
    b"nvidia.com", b"nvcr.io", b"ubuntu.com", b"canonical.com", b"debian.org", b"kernel.org", b"launchpad.net",
    b"snapcraft.io", b"docker.com", b"docker.io", b"github.com", b"githubusercontent.com", b"ghcr.io", b"gitlab.com",
    b"huggingface.co", b"hf.co", b"pypi.org", b"pythonhosted.org", b"python.org", b"freedesktop.org", b"gnu.org",
    b"w3.org", b"mozilla.org", b"google.com", b"googleapis.com", b"cloudflare.com", b"amazonaws.com", b"microsoft.com",
    b"letsencrypt.org", b"ntp.org", b"apache.org", b"openssh.com", b"libssh.org", b"openssl.org", b"json-schema.org",
    b"kubernetes.io", b"k8s.io", b"gcr.io", b"quay.io", b"fwupd.org", b"tailscale.com", b"anaconda.org", b"quic.tech",
    b"mellanox.com", b"asus.com", b"dell.com", b"lenovo.com", b"msi.com", b"gigabyte.com", b"hp.com", b"acer.com",
)  # fmt: skip
"""Public services and makers: to name one says nothing about whose machine this is."""


def is_placeholder(value: bytes) -> bool:
    """Whether a value is a filler: known words, or one character over and over."""
    text = value.strip().lower()
    return text in PLACEHOLDERS or len(set(text) - set(b"-:. ")) <= 1


def is_public_name(name: bytes) -> bool:
    """Whether a domain belongs to a public service."""
    text = name.lower().rstrip(b".")
    return any(text == service or text.endswith(b"." + service) for service in SERVICES)
