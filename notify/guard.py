"""Where messages may be sent: the public internet, and the private networks that
`WHALEFALL_NOTIFY_NETWORKS` names. An address is looked at after its name was resolved, and the
connection goes to that very address: a name that answers differently the next time gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from notify.formats.base import NotSent

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Place:
    """`ip` to connect to. `is_ours`: it lies in a network that the settings name."""

    ip: str
    is_ours: bool


def place(host: str, port: int) -> Place:
    """The first permitted address of a host. Raises NotSent: for good when none is permitted."""
    addresses = _resolve(host, port)
    for address in addresses:
        if _is_ours(address):
            return Place(str(address), True)
        if _is_public(address):
            return Place(str(address), False)
    message = _(
        "%(host)s has an address in a private network (%(ip)s). WHALEFALL_NOTIFY_NETWORKS names"
        " the private networks that messages may be sent to."
    )
    raise NotSent(message % {"host": host, "ip": addresses[0]}, for_good=True)


def _resolve(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    except (OSError, ValueError) as exc:
        # The resolver's words hold nothing but the reason.
        raise NotSent(_("The name %(host)s cannot be resolved.") % {"host": host}) from exc


def _is_ours(address: Address) -> bool:
    plain = _unwrapped(address)
    networks = [ipaddress.ip_network(text, strict=False) for text in settings.NOTIFY_NETWORKS]
    return any(plain in network for network in networks if network.version == plain.version)


def _is_public(address: Address) -> bool:
    plain = _unwrapped(address)
    return plain.is_global and not plain.is_multicast


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one carries to a translator or tunnel, else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    inner = address.ipv4_mapped or address.sixtofour
    return inner or (address.teredo[1] if address.teredo else address)
