#!/usr/bin/env bash
# Linux nf_tables (seen on 6.18): an operation of a batch is acknowledged although the batch was refused, and nothing was applied.
#
# A batch of nfnetlink is one transaction. When its first operation fails, the kernel goes on to look at the others, to report all
# errors at once, and answers NLMSG_ERROR with error 0, "done", to every later operation that asked for an acknowledgement and would
# have been fine. Then it drops the whole batch. A client that waits for the acknowledgement of the last operation and takes it
# for that of the transaction believes that a refused transaction is in force.
#
# Seen, for a batch of two operations, the first of which adds a chain to a table that does not exist:
#   answer to operation 1: ENOENT
#   answer to operation 2 (add table late): 0
#   table late exists: False
#
# Exits with 0 while that is so, with 1 when it changed, with 2 when it cannot be tried. Needs root (a network namespace of its own) and python3.
set -euo pipefail
unshare -n true 2> /dev/null || { echo "cannot make a network namespace"; exit 2; }
unshare -n python3 - <<'PYTHON'
import errno
import socket
import struct
import sys

NETLINK_NETFILTER, NFNL_SUBSYS_NFTABLES = 12, 10
BATCH_BEGIN, BATCH_END = 0x10, 0x11
NEWTABLE, GETTABLE, NEWCHAIN = 0, 1, 3
REQUEST, ACK, CREATE = 0x1, 0x4, 0x400
NFPROTO_IPV4 = 2
NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME = 1, 1, 3


def text(kind, value):
    data = value.encode() + b"\0"
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def message(kind, flags, sequence, family=0, resource=0, payload=b""):
    body = struct.pack("=BBH", family, 0, socket.htons(resource)) + payload
    return struct.pack("=IHHII", 16 + len(body), kind, REQUEST | flags, sequence, 0) + body


def operation(kind, flags, sequence, payload):
    return message(NFNL_SUBSYS_NFTABLES << 8 | kind, flags, sequence, NFPROTO_IPV4, payload=payload)


def answers(link):
    found = {}
    while True:
        try:
            data = link.recv(65536, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return found
        while len(data) >= 16:
            length, kind, _, sequence, _ = struct.unpack_from("=IHHII", data)
            found[sequence] = struct.unpack_from("=i", data, 16)[0] if kind == 2 else None
            data = data[(length + 3) & ~3:]


link = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
link.bind((0, 0))
link.send(
    message(BATCH_BEGIN, 0, 1, resource=NFNL_SUBSYS_NFTABLES)
    + operation(NEWCHAIN, CREATE, 2, text(NFTA_CHAIN_TABLE, "missing") + text(NFTA_CHAIN_NAME, "c"))
    + operation(NEWTABLE, CREATE | ACK, 3, text(NFTA_TABLE_NAME, "late"))
    + message(BATCH_END, 0, 4, resource=NFNL_SUBSYS_NFTABLES))
batch = answers(link)
link.send(operation(GETTABLE, 0, 5, text(NFTA_TABLE_NAME, "late")))
exists = answers(link).get(5) is None
print("answer to operation 1:", errno.errorcode.get(-(batch.get(2) or 0), batch.get(2)))
print("answer to operation 2 (add table late):", batch.get(3, "none"))
print("table late exists:", exists)
sys.exit(0 if batch.get(2) == -errno.ENOENT and batch.get(3) == 0 and not exists else 1)
PYTHON
