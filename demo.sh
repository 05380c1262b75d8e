#!/usr/bin/env bash
# A node, three pods and a client, made of network namespaces; kube-proxy on the node; real connections.
# Needs root and the .NET 10 SDK; everything it makes is gone when it ends. Takes about a minute, most of it the build.
set -euo pipefail
cd "$(dirname "$0")"
[ "$(id -u)" = 0 ] || { echo "demo.sh: run me as root (network namespaces need it)" >&2; exit 1; }

need_packages() {
  local missing=()
  command -v ip >/dev/null || missing+=(iproute2)
  command -v nft >/dev/null || missing+=(nftables)
  [ ${#missing[@]} = 0 ] && return
  echo "Installing ${missing[*]} ..."
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
}

build() {
  local proxy=artifacts/host/kube-proxy echo=artifacts/demo/echo.dll
  if [ ! -x $proxy ] || [ -n "$(find src Directory.*.props -newer $proxy -not -path '*/obj/*' -not -path '*/bin/*' -type f -print -quit)" ]; then
    echo "Building kube-proxy (a minute) ..."
    dotnet publish src/KubeProxy.Host -c Release -r linux-x64 -o artifacts/host --nologo -v quiet
  fi
  if [ ! -f $echo ] || [ samples/Echo/Program.cs -nt $echo ]; then
    dotnet build samples/Echo -c Release -o artifacts/demo --nologo -v quiet
  fi
}

id=kpdemo$$
node=$id-node client=$id-client
work=
pids=()

cleanup() {
  local status=$?
  trap - EXIT INT TERM
  if [ $status != 0 ] && [ -n "$work" ] && [ -s "$work/kube-proxy.log" ]; then
    echo "kube-proxy said:" >&2
    tail -n 40 "$work/kube-proxy.log" >&2
  fi
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  for name in node client pod1 pod2 pod3; do ip netns delete "$id-$name" 2>/dev/null || true; done
  if [ -n "$work" ]; then rm -rf "$work"; fi
  exit $status
}

inside() { # NAMESPACE COMMAND...
  local namespace=$1
  shift
  ip netns exec "$namespace" "$@"
}

make_network() {
  for name in node client pod1 pod2 pod3; do
    ip netns add "$id-$name"
    ip -n "$id-$name" link set lo up
  done
  inside "$node" sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'

  ip -n "$node" link add eth0 type veth peer name eth0 netns "$client"
  ip -n "$node" address add 192.0.2.1/24 dev eth0
  ip -n "$node" link set eth0 up
  # As on any node there has to be a route to everywhere; here it leads nowhere.
  ip -n "$node" link add uplink type veth peer name nowhere
  ip -n "$node" link set nowhere up
  ip -n "$node" link set uplink up
  ip -n "$node" route add default dev uplink
  ip -n "$client" address add 192.0.2.50/24 dev eth0
  ip -n "$client" link set eth0 up
  ip -n "$client" route add default via 192.0.2.1

  local i
  for i in 1 2 3; do
    ip -n "$node" link add "pod$i" type veth peer name eth0 netns "$id-pod$i"
    ip -n "$node" address add 10.244.1.1/32 dev "pod$i"
    ip -n "$node" link set "pod$i" up
    ip -n "$node" route add "10.244.1.1$i/32" dev "pod$i"
    ip -n "$id-pod$i" address add "10.244.1.1$i/32" dev eth0
    ip -n "$id-pod$i" link set eth0 up
    ip -n "$id-pod$i" route add 10.244.1.1/32 dev eth0
    ip -n "$id-pod$i" route add default via 10.244.1.1
    # Not by way of a function: then $! would be a shell in between.
    ip netns exec "$id-pod$i" dotnet artifacts/demo/echo.dll serve 8080 "pod$i" >/dev/null 2>&1 &
    pids+=($!)
  done
}

service() { # NAME CLUSTER-IP EXTRA-SPEC
  cat <<YAML
apiVersion: v1
kind: Service
metadata: {name: $1, namespace: demo}
spec:
  clusterIP: $2
  clusterIPs: [$2]
  ipFamilies: [IPv4]
  ports: [{port: 80, protocol: TCP$4}]
$3
---
YAML
}

slice() { # SERVICE POD-NUMBERS...
  local service=$1 endpoints='' i
  shift
  for i in "$@"; do endpoints+="{addresses: [10.244.1.1$i], nodeName: demo-node}, "; done
  cat <<YAML
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: $service-1, namespace: demo, labels: {kubernetes.io/service-name: $service}}
addressType: IPv4
ports: [{name: "", port: 8080, protocol: TCP}]
endpoints: [${endpoints%, }]
YAML
}

write() { # NAME: replaces the manifest in one step, as kubectl's users and the watcher like it
  cat > "$work/manifests/.$1.new"
  mv "$work/manifests/.$1.new" "$work/manifests/$1.yaml"
}

write_manifests() {
  mkdir "$work/manifests"
  write node <<'YAML'
apiVersion: v1
kind: Node
metadata: {name: demo-node}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
YAML
  { service web 10.96.0.10 '  type: NodePort' ', nodePort: 30080'; slice web 1 2; } | write web
  { service sticky 10.96.0.20 '  sessionAffinity: ClientIP
  sessionAffinityConfig: {clientIP: {timeoutSeconds: 600}}' ''; slice sticky 1 2 3; } | write sticky
  service empty 10.96.0.30 '' '' | write empty
  cat > "$work/config.yaml" <<'YAML'
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: 10.244.0.0/16
hostnameOverride: demo-node
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
nftables: {minSyncPeriod: 10ms}
YAML
}

start_proxy() {
  ip netns exec "$node" artifacts/host/kube-proxy --config "$work/config.yaml" --manifests "$work/manifests" > "$work/kube-proxy.log" 2>&1 &
  pids+=($!)
  inside "$node" dotnet artifacts/demo/echo.dll get http://127.0.0.1:10249/readyz 15 || { echo "demo.sh: kube-proxy did not become ready" >&2; exit 1; }
}

ask() { # LABEL ADDRESS PORT COUNT [EXPECTED-PATTERN]
  local answer
  answer=$(inside "$client" dotnet artifacts/demo/echo.dll ask "$2" "$3" "$4")
  printf '  %-34s %-18s %s\n' "$1" "$2:$3" "$answer"
  if [ -n "${5:-}" ] && ! [[ $answer =~ $5 ]]; then
    echo "demo.sh: expected $5" >&2
    exit 1
  fi
}

need_packages
build
work=$(mktemp -d)
trap cleanup EXIT INT TERM
echo "Making a node (192.0.2.1), a client (192.0.2.50) and three pods (10.244.1.11 to .13) of network namespaces."
make_network
write_manifests
start_proxy
echo "kube-proxy runs on the node. 60 connections of the client to each service, and who answered:"
echo
ask 'web, cluster IP, pods 1 and 2' 10.96.0.10 80 60 '^pod1: [0-9]+   pod2: [0-9]+$'
ask 'web, node port' 192.0.2.1 30080 60 '^pod1: [0-9]+   pod2: [0-9]+$'
ask 'sticky, session affinity' 10.96.0.20 80 60 '^pod[123]: 60$'
ask 'empty, no endpoints' 10.96.0.30 80 3 '^refused: 3$'
echo
echo "Scaling web from two pods to three by rewriting its manifest ..."
{ service web 10.96.0.10 '  type: NodePort' ', nodePort: 30080'; slice web 1 2 3; } | write web
sleep 1
ask 'web, cluster IP, pods 1 to 3' 10.96.0.10 80 60 '^pod1: [0-9]+   pod2: [0-9]+   pod3: [0-9]+$'
echo "... and down to pod 3 alone:"
{ service web 10.96.0.10 '  type: NodePort' ', nodePort: 30080'; slice web 3; } | write web
sleep 1
ask 'web, cluster IP, pod 3' 10.96.0.10 80 60 '^pod3: 60$'
echo
echo "What the kernel holds (nft list table ip kube-proxy, first lines):"
rules=$(inside "$node" nft list table ip kube-proxy)
head -n 24 <<< "$rules" | sed 's/^/  /'
echo
echo "Done; nothing is left behind."
