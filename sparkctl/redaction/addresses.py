"""Addresses of IP under a key: what two addresses have in common at their front, their stand-ins have in common too.

The idea is Crypto-PAn's (Xu, Fan, Ammar, Moon 2002): each bit is turned over, or not, by a keyed function of the bits
before it. Here no bit is turned whose turning would move an address into or out of a range that has a meaning.
"""

import ipaddress

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# RFC 6890 and the registries it made; what stands in one of these stays in it.
RANGES = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "224.0.0.0/3",
    "::/16", "64:ff9b::/96", "2000::/3", "fc00::/8", "fd00::/8", "fe80::/64", "ff00::/8",
)  # fmt: skip
KEPT = ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/16", "ff00::/8")
"""Ranges whose addresses are the same everywhere: this network, loopback, multicast, reserved, broadcast."""
BLOCK = 16


def _networks(names: tuple[str, ...], bits: int) -> tuple[tuple[int, int], ...]:
    parsed = (ipaddress.ip_network(name) for name in names)
    return tuple((int(one.network_address), one.prefixlen) for one in parsed if one.max_prefixlen == bits)


class AddressMap:
    """One-to-one maps of IPv4 and of IPv6 onto themselves; `key` has 32 bytes."""

    def __init__(self, key: bytes) -> None:
        # ECB of one block each: a keyed function of the bits before, not the hiding of a text.
        self._cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - see above
        self._ranges = {bits: _networks(RANGES, bits) for bits in (32, 128)}
        self._kept = {bits: _networks(KEPT, bits) for bits in (32, 128)}

    def of(self, address: int, bits: int) -> int:
        """The stand-in of an address of 32 or 128 bits."""
        if any(_inside(address, network, bits) for network in self._kept[bits]):
            return address
        turned = self._turns(address, bits) & ~self._fixed(address, bits)
        return address ^ turned

    def is_kept(self, address: int, bits: int) -> bool:
        """Whether an address is its own stand-in because it means the same everywhere."""
        return any(_inside(address, network, bits) for network in self._kept[bits])

    def _turns(self, address: int, bits: int) -> int:
        """A mask of the bits to turn: bit i by the first bit of a function of the i bits before it."""
        blocks = bytearray()
        for length in range(bits):
            before = address >> (bits - length) if length else 0
            blocks += bytes((bits, length)) + before.to_bytes(BLOCK, "big")[-(BLOCK - 2) :]
        encryptor = self._cipher.encryptor()
        sealed = encryptor.update(bytes(blocks))
        mask = 0
        for length in range(bits):
            mask = mask << 1 | sealed[length * BLOCK] >> 7
        return mask

    def _fixed(self, address: int, bits: int) -> int:
        """A mask of the bits that stay: those at which a range parts from the bits before."""
        mask = 0
        for network, length in self._ranges[bits]:
            common = bits - (address ^ network).bit_length()
            # Up to and with the bit where the address leaves the range, or the whole prefix of the range.
            stays = min(common + 1, length)
            mask |= ((1 << stays) - 1) << (bits - stays)
        return mask


def _inside(address: int, network: tuple[int, int], bits: int) -> bool:
    return address >> (bits - network[1]) == network[0] >> (bits - network[1])
