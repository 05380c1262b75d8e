#!/usr/bin/env bash
# balancer.sh BALANCER.DLL: runs samples/Balancer in a network namespace of its own, before two servers, and looks who answers.
# Needs a kernel with IPVS.
set -euo pipefail
balancer=$1
ns=kpbalancer$$
work=$(mktemp -d)
ip netns add "$ns"
declare -A running=()
trap 'kill "${running[@]}" 2>/dev/null; wait; ip netns delete "$ns"; rm -rf "$work"' EXIT
inside() { ip netns exec "$ns" "$@"; }

inside ip link set lo up
for address in 192.0.2.1 10.0.0.1 10.0.0.2; do inside ip address add "$address/32" dev lo; done

serve() { # ADDRESS: answers every connection with its address
  ip netns exec "$ns" python3 -c '
import socket, sys
listener = socket.create_server((sys.argv[1], 8080))
while True:
    connection, _ = listener.accept()
    try:
        connection.sendall(sys.argv[1].encode() + b"\n")
    except OSError:
        pass
    connection.close()' "$1" &
  running[$1]=$!
}

ask() { # N: who answers N connections, sorted, with counts
  for _ in $(seq "$1"); do inside bash -c 'exec 3<>/dev/tcp/192.0.2.1/80; cat <&3'; done | sort | uniq -c | tr -s ' \n' ' '
}

weights() { # WEIGHTS: waits until the destinations have these, in the order of their addresses
  for _ in $(seq 300); do
    [ "$(inside ipvsadm -Sn | sort | sed -n 's/.* -w //p' | tr '\n' ' ')" = "$1 " ] && return
    sleep 0.1
  done
  echo "not $1:"
  inside ipvsadm -Ln
  return 1
}

expect() { # EXPECTED FOUND
  echo "$2"
  [ "$1" = "$2" ] || { echo "expected $1"; return 1; }
}

serve 10.0.0.1
serve 10.0.0.2
ip netns exec "$ns" dotnet "$balancer" 192.0.2.1:80 10.0.0.1:8080 10.0.0.2:8080 &
running[balancer]=$!
weights "1 1"
expect " 5 10.0.0.1 5 10.0.0.2 " "$(ask 10)"

kill "${running[10.0.0.1]}"
weights "0 1"
expect " 10 10.0.0.2 " "$(ask 10)"

serve 10.0.0.1
weights "1 1"
expect " 5 10.0.0.1 5 10.0.0.2 " "$(ask 10)"

kill "${running[balancer]}"
wait "${running[balancer]}"
unset 'running[balancer]'
expect "" "$(inside ipvsadm -Sn)"
