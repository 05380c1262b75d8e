#!/usr/bin/env bash
# Linux TCP with NAT (seen on 6.18, nftables 1.0.6-2+deb12u2): a TIME-WAIT socket of a transparent connection swallows the answers of a translated one.
#
# A process of this host connects to 10.9.0.2:8080 and closes first: its end stays in TIME-WAIT for a minute. Then a connection from the
# same local port goes to 10.96.0.1:80, which a rule in output translates to 10.9.0.2:8080. Its answers come from 10.9.0.2:8080, and
# until the input hook translates them back they look like those of the first connection; tcp_early_demux looks for the socket before
# that, and finds the one in TIME-WAIT. Linux notices afterwards that the source has changed, and looks again, since 5.12 (IPv6: 6.7), but
# not when the socket that it found has IP_TRANSPARENT, which a TIME-WAIT socket inherits. Then the connection that waits for the SYN-ACK
# never sees it, and connect(2) hangs: until the TIME-WAIT is over, or for a second when the other side answers the acknowledgement
# that the TIME-WAIT socket sends with a reset that ends it (RFC 1337). With net.ipv4.tcp_early_demux=0, which is for IPv6 too, nothing is
# swallowed; and `ss -K` takes such a socket away.
#
# So a proxy with tproxy should set IP_TRANSPARENT for the sockets only that face its clients, not for those that it connects with.
#
# Seen:
#   tcp_early_demux=1, 10.96.0.1 after an ordinary connection: connected
#   tcp_early_demux=1, 10.96.0.1 after a transparent connection: hangs
#   tcp_early_demux=1, 10.96.0.1 after a transparent connection and ss -K: connected
#   tcp_early_demux=0, 10.96.0.1 after an ordinary connection: connected
#   tcp_early_demux=0, 10.96.0.1 after a transparent connection: connected
#   and the same for fd96::1
#
# Exits with 0 while that is so, with 1 when it changed, with 2 when it cannot be tried. Needs root (network namespaces of its own), apt,
# ip, ss and python3.
set -euo pipefail
version=1.0.6-2+deb12u2
unshare -n true 2> /dev/null || { echo "cannot make a network namespace"; exit 2; }
work=$(mktemp -d)
node=time-wait-node-$$
pod=time-wait-pod-$$
trap 'kill ${server:-} 2> /dev/null || true; ip netns delete $node 2> /dev/null || true; ip netns delete $pod 2> /dev/null || true; rm -rf "$work"' EXIT
cd "$work"
for package in "nftables=$version" "libnftables1=$version"; do
  apt-get download -qq "$package" > /dev/null 2>&1 || { echo "cannot get $package"; exit 2; }
done
for file in *.deb; do dpkg -x "$file" .; done

cat > table.nft <<'NFT'
table inet t {
	chain output {
		type nat hook output priority -100
		ip daddr 10.96.0.1 tcp dport 80 dnat ip to 10.9.0.2:8080
		ip6 daddr fd96::1 tcp dport 80 dnat ip6 to [fd09::2]:8080
	}
}
NFT
cat > serve.py <<'PYTHON'
import socket

with socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
    print("ready", flush=True)
    while True:
        client, _ = listener.accept()
        with client:
            client.recv(1)  # until the client has closed
PYTHON
cat > try.py <<'PYTHON'
import socket
import subprocess
import sys
import time

PATHS = ((socket.AF_INET, "10.9.0.2", "10.96.0.1"), (socket.AF_INET6, "fd09::2", "fd96::1"))
TRANSPARENT = {socket.AF_INET: (socket.IPPROTO_IP, 19), socket.AF_INET6: (socket.IPPROTO_IPV6, 75)}  # IP_TRANSPARENT, IPV6_TRANSPARENT


def connect(family, address, port, local, transparent=False):
    with socket.socket(family) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if transparent:
            client.setsockopt(*TRANSPARENT[family], 1)
        client.settimeout(2)
        client.bind(("", local))
        begun = time.monotonic()
        try:
            client.connect((address, port))
            if time.monotonic() - begun > 0.8:
                return "hangs"
            client.shutdown(socket.SHUT_WR)
            client.recv(1)  # until the server has closed too
            return "connected"
        except TimeoutError:
            return "hangs"


as_seen = True
local = 4000
for demux in (1, 0):
    with open("/proc/sys/net/ipv4/tcp_early_demux", "w") as setting:
        setting.write(str(demux))
    for family, direct, service in PATHS:
        for way in ("an ordinary connection", "a transparent connection") + (("a transparent connection and ss -K",) if demux else ()):
            local += 1
            assert connect(family, direct, 8080, local, "transparent" in way) == "connected"
            of_first = ["state", "time-wait", "src", f":{local}"]
            assert subprocess.run(["ss", "-Htn", *of_first], capture_output=True, text=True, check=True).stdout.count("\n") == 1
            if "ss -K" in way:
                subprocess.run(["ss", "-Kt", *of_first], capture_output=True, check=False)
            result = connect(family, service, 80, local)
            print(f"tcp_early_demux={demux}, {service} after {way}: {result}")
            as_seen &= result == ("hangs" if demux and way == "a transparent connection" else "connected")
sys.exit(0 if as_seen else 1)
PYTHON
for namespace in "$node" "$pod"; do
  ip netns add "$namespace"
  ip -n "$namespace" link set lo up
done
ip -n "$node" link add to-pod type veth peer name to-node netns "$pod"
ip -n "$node" link set to-pod up
ip -n "$pod" link set to-node up
ip -n "$node" address add 10.9.0.1/24 dev to-pod
ip -n "$pod" address add 10.9.0.2/24 dev to-node
ip -n "$node" address add fd09::1/64 dev to-pod nodad
ip -n "$pod" address add fd09::2/64 dev to-node nodad
ip -n "$node" route add 10.96.0.1 dev to-pod
ip -n "$node" route add fd96::1 dev to-pod
LD_LIBRARY_PATH=$(echo usr/lib/*-linux-gnu) ip netns exec "$node" usr/sbin/nft -f table.nft
ip netns exec "$pod" python3 serve.py > ready &
server=$!
until grep -q ready ready; do sleep 0.1; done
ip netns exec "$node" python3 try.py || { echo "this has changed"; exit 1; }
