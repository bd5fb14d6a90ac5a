"""Who sends a request: whether a proxy passed it on, and whom the rate limit counts."""

import ipaddress
from collections.abc import Iterable

# What proxies add to a request. nginx adds none of them unless it is told to.
PROXY_HEADERS = frozenset(
    (b"forwarded", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto")
) | {b"x-real-ip"}
# The first bits of an IPv6 address, which a subscriber is given with all addresses below them.
N_BITS_OF_SUBSCRIBER = 64


def is_forwarded(header_names: Iterable[bytes]) -> bool:
    """Whether a proxy passed a request on, so that it comes from who knows where.

    Anybody can send these headers too: to have sent one is no advantage.
    """
    return not PROXY_HEADERS.isdisjoint(header_names)


def counted_client(address: str) -> str:
    """Whom the rate limit counts: an IPv4 address, or the network of an IPv6 address.

    Example:
        >>> counted_client("192.0.2.7"), counted_client("::ffff:192.0.2.7")
        ('192.0.2.7', '192.0.2.7')
        >>> counted_client("2001:db8:1:2:aaaa::1") == counted_client("2001:db8:1:2:bbbb::2")
        True
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(int(parsed) >> (parsed.max_prefixlen - N_BITS_OF_SUBSCRIBER))
