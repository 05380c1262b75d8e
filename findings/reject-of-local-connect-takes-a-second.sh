#!/usr/bin/env bash
# Linux TCP with nf_tables (seen on 6.18, nftables 1.0.6-2+deb12u2): a rejected connect(2) of a process of this host fails only after a second.
#
# "reject" answers with ICMP (or ICMPv6) port unreachable unless it is told otherwise, for TCP too. When the client is a process of the same host, that
# message comes while connect still holds the socket, inside its own transmission of the SYN. The kernel then takes the error for a
# passing one, and only the next SYN, sent a second later by a timer, ends the attempt with ECONNREFUSED. It does not matter whether
# the rule is in the output or the input hook. "reject with tcp reset" refuses at once.
#
# Seen:
#   127.0.0.1 output reject: Connection refused after 1.0 s
#   127.0.0.1 output reject with tcp reset: Connection refused after 0.0 s
#   127.0.0.1 input reject: Connection refused after 1.0 s
#   127.0.0.1 input reject with tcp reset: Connection refused after 0.0 s
#   and the same for ::1
#
# Exits with 0 while that is so, with 1 when it changed, with 2 when it cannot be tried. Needs root (a network namespace of its own), apt,
# ip and python3.
set -euo pipefail
version=1.0.6-2+deb12u2
unshare -n true 2> /dev/null || { echo "cannot make a network namespace"; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for package in "nftables=$version" "libnftables1=$version"; do
  apt-get download -qq "$package" > /dev/null 2>&1 || { echo "cannot get $package"; exit 2; }
done
for file in *.deb; do dpkg -x "$file" .; done

cat > table.nft <<'NFT'
table inet t {
	chain output {
		type filter hook output priority filter
		tcp dport 1001 reject
		tcp dport 1002 reject with tcp reset
	}
	chain input {
		type filter hook input priority filter
		tcp dport 1003 reject
		tcp dport 1004 reject with tcp reset
	}
}
NFT
cat > try.py <<'PYTHON'
import socket
import sys
import time

WAYS = {1001: "output reject", 1002: "output reject with tcp reset", 1003: "input reject", 1004: "input reject with tcp reset"}
as_seen = True
for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
    for port, way in WAYS.items():
        with socket.socket(family) as client:
            begun = time.monotonic()
            try:
                client.connect((host, port))
                result = "connected"
            except OSError as error:
                result = error.strerror
            took = time.monotonic() - begun
        print(f"{host} {way}: {result} after {took:.1f} s")
        as_seen &= result == "Connection refused" and (took < 0.5 if "reset" in way else 0.8 < took < 2.5)
sys.exit(0 if as_seen else 1)
PYTHON
cat > try.sh <<'TRY'
ip link set lo up
LD_LIBRARY_PATH=$(echo usr/lib/*-linux-gnu) usr/sbin/nft -f table.nft
exec python3 try.py
TRY
unshare -n bash -e try.sh || { echo "this has changed"; exit 1; }
