#!/usr/bin/env bash
# Packs the libraries, and builds and runs the samples Consumer, Balancer, Watcher, RuleTests and ConntrackTop against the packages, as a stranger would use them;
# Consumer without a runtime identifier, with that of this machine, and (built only) with those of others that the packages are for.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for library in Core Kubernetes Netfilter Ipvs; do
  dotnet pack "src/KubeProxy.$library" -c Release -o "$work/feed" --nologo -v quiet
done
ls "$work/feed"
# Packages go to a cache of their own, since the version does not change. Dependencies come from the default sources, or from the cache
# of this machine when those cannot be reached.
export NUGET_PACKAGES="$work/packages"
mkdir -p "$NUGET_PACKAGES"
cache=${HOME}/.nuget/packages
if [ -d "$cache" ]; then
  for package in "$cache"/microsoft.extensions.* "$cache"/tmds.libc "$cache"/kubernetesclient "$cache"/fractions "$cache"/yamldotnet "$cache"/xunit*; do
    if [ -d "$package" ]; then ln -s "$package" "$NUGET_PACKAGES/"; fi
  done
fi

build_sample() { # NAME [RID]: into $work/out/NAME[-RID]. Outside of the repository, so that none of its settings apply.
  local directory=$1${2:+-$2} options=()
  # No program of its own: the one for another architecture is a package that a machine without internet may not have.
  if [ $# -gt 1 ]; then options=(-r "$2" --self-contained false -p:UseAppHost=false); fi
  cp -r "samples/$1" "$work/$directory"
  rm -rf "$work/$directory/bin" "$work/$directory/obj"
  (
    cd "$work/$directory"
    dotnet build -c Release -p:RestoreAdditionalProjectSources="$work/feed" -o "$work/out/$directory" --nologo -v quiet "${options[@]}"
  )
}

build_for() { # RID LIBC: that it got the implementation of libc's calls for LIBC's architecture. Nothing warns if it got none.
  build_sample Consumer "$1"
  cmp "$work/out/Consumer-$1/Tmds.LibC.dll" "$NUGET_PACKAGES"/tmds.libc/*/runtimes/"$2"/lib/netstandard2.0/Tmds.LibC.dll
}

build_sample Consumer
build_sample Balancer
build_for linux-x64 linux-x64
build_for linux-arm64 linux-arm64
build_for linux-musl-x64 linux-x64
build_sample Watcher
build_sample RuleTests
build_sample ConntrackTop
dotnet "$work/out/RuleTests/RuleTests.dll" -noColor

watch_fake_server() { # The server speaks the protocol as a real one does; the watcher has to find its Services, and to end when told.
  dotnet build tests/KubeProxy.ApiBenchmark -c Release --nologo -v quiet
  dotnet tests/KubeProxy.ApiBenchmark/bin/Release/net10.0/KubeProxy.ApiBenchmark.dll serve 3 2 0 > "$work/url" &
  local server=$! watcher result=0
  for _ in $(seq 300); do
    if [ -s "$work/url" ]; then break; fi
    sleep 0.1
  done
  cat > "$work/kubeconfig" <<KUBECONFIG
apiVersion: v1
kind: Config
current-context: fake
contexts: [{name: fake, context: {cluster: fake, user: nobody}}]
clusters: [{name: fake, cluster: {server: "$(cat "$work/url")"}}]
users: [{name: nobody, user: {token: none}}]
KUBECONFIG
  dotnet "$work/out/Watcher/Watcher.dll" "$work/kubeconfig" node1 > "$work/plans" &
  watcher=$!
  for _ in $(seq 300); do
    if grep -q "service-2" "$work/plans"; then break; fi
    sleep 0.1
  done
  kill -TERM "$watcher"
  wait "$watcher" || result=$?
  kill -KILL "$server" # It does not listen to SIGTERM.
  wait "$server" || true
  cat "$work/plans"
  [ $result = 0 ] && grep -q "default/service-2:http ClusterIP 10.0.0.2:80/tcp -> 11.0.0.4:8080, 11.0.0.5:8080" "$work/plans" && grep -q "^ended" "$work/plans"
}

watch_fake_server
if [ "$(id -u)" = 0 ] && command -v ip > /dev/null; then
  namespace=kpconsumer$$
  ip netns add "$namespace"
  trap 'ip netns delete "$namespace"; rm -rf "$work"' EXIT
  ip netns exec "$namespace" dotnet "$work/out/Consumer/Consumer.dll"
  ip netns exec "$namespace" conntrack -I -p udp -s 10.0.0.1 -d 10.96.0.10 --sport 1 --dport 53 -t 60 || true # The tool may be missing.
  ip netns exec "$namespace" dotnet "$work/out/ConntrackTop/ConntrackTop.dll" 0.1 2
  case $(uname -m) in x86_64) own=linux-x64 ;; *) own=linux-arm64 ;; esac
  ip netns exec "$namespace" dotnet "$work/out/Consumer-$own/Consumer.dll"
else
  echo "Not root: Consumer is built, but not run."
fi
if kernel=$(tests/uml/build.sh); then
  tests/uml/run.sh "$kernel" "$work/out/Balancer" tests/balancer.sh "$work/out/Balancer/Balancer.dll"
else
  echo "No kernel with IPVS: Balancer is built, but not run."
fi
