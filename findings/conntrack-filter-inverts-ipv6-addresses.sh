#!/usr/bin/env bash
# Linux ctnetlink (seen on 6.18): a dump that is filtered by an IPv6 address leaves out just the flows that have it.
#
# CTA_FILTER (Linux 5.8) says which fields of CTA_TUPLE_ORIG or CTA_TUPLE_REPLY the kernel is to compare. For IPv4 addresses it sends the flows that
# have the address; for IPv6 addresses it takes the comparison the wrong way round, and sends all others. Whoever compares again what came, as a careful
# client does because older kernels ignore filters, finds nothing at all: a cleaner of stale UDP flows then never deletes one of IPv6. Ports, protocol and
# ICMP are compared right.
#
# Seen, with flows to fd00::10, fd00::11 and fd00::12 (10.0.0.10, ...), filtered by the first:
#   IPv4: 10.0.0.10
#   IPv6: fd00::11 fd00::12
#
# Exits with 0 while that is so, with 1 when it changed, with 2 when it cannot be tried. Needs root (a network namespace of its own) and python3.
set -euo pipefail
unshare -n true 2> /dev/null || { echo "cannot make a network namespace"; exit 2; }
unshare -n python3 - <<'PYTHON'
import socket
import struct
import sys

NETLINK_NETFILTER, SUBSYSTEM = 12, 1
NEW, GET = 0, 1
REQUEST, ACK, DUMP, CREATE = 0x1, 0x4, 0x300, 0x400
CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_STATUS, CTA_TIMEOUT, CTA_FILTER = 1, 2, 3, 7, 25
CTA_TUPLE_IP, CTA_TUPLE_PROTO = 1, 2
CTA_FILTER_ORIG_FLAGS, IP_DST = 1, 1 << 1
NLMSG_ERROR, NLMSG_DONE = 2, 3


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def nest(kind, *parts):
    return attribute(kind | 0x8000, b"".join(parts))


def ask(netlink, kind, flags, family, payload):
    body = struct.pack("=BBH", family, 0, 0) + payload
    netlink.send(struct.pack("=IHHII", 16 + len(body), SUBSYSTEM << 8 | kind, REQUEST | flags, 1, 0) + body)
    answers = []
    while True:
        datagram = netlink.recv(65536)
        while datagram:
            length, type_ = struct.unpack("=IH", datagram[:6])
            if type_ == NLMSG_ERROR and struct.unpack("=i", datagram[16:20])[0] != 0:
                print("refused:", struct.unpack("=i", datagram[16:20])[0])
                sys.exit(2)
            if type_ in (NLMSG_ERROR, NLMSG_DONE):
                return answers
            answers.append(datagram[:length])
            datagram = datagram[(length + 3) // 4 * 4:]


def direction(kind, first, source, destination):
    return nest(kind, nest(CTA_TUPLE_IP, attribute(first, source), attribute(first + 1, destination)),
                nest(CTA_TUPLE_PROTO, attribute(1, b"\x11"), attribute(2, b"\0\1"), attribute(3, b"\0\1")))


def seen(family, first, prefix):
    pack = lambda number: socket.inet_pton(family, prefix + str(number))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netlink:
        netlink.bind((0, 0))
        for number in (10, 11, 12):
            ask(netlink, NEW, ACK | CREATE, family,
                direction(CTA_TUPLE_ORIG, first, pack(1), pack(number)) + direction(CTA_TUPLE_REPLY, first, pack(number), pack(1))
                + attribute(CTA_STATUS, struct.pack(">I", 8)) + attribute(CTA_TIMEOUT, struct.pack(">I", 60)))
        flows = ask(netlink, GET, DUMP, family,
                    nest(CTA_TUPLE_ORIG, nest(CTA_TUPLE_IP, attribute(first + 1, pack(10))))
                    + nest(CTA_FILTER, attribute(CTA_FILTER_ORIG_FLAGS, struct.pack("=I", IP_DST))))
    return sorted(prefix + str(number) for number in (10, 11, 12) if any(pack(number) in flow for flow in flows))


v4, v6 = seen(socket.AF_INET, 1, "10.0.0."), seen(socket.AF_INET6, 3, "fd00::")
print("IPv4:", *v4)
print("IPv6:", *v6)
sys.exit(0 if v4 == ["10.0.0.10"] and v6 == ["fd00::11", "fd00::12"] else 1)
PYTHON
