#!/usr/bin/env bash
# Packs the libraries, and builds and runs samples/Consumer and samples/Balancer against the packages, as a stranger would use them.
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
  for package in "$cache"/microsoft.extensions.*; do
    if [ -d "$package" ]; then ln -s "$package" "$NUGET_PACKAGES/"; fi
  done
fi

build_sample() { # NAME: into $work/out/NAME. Outside of the repository, so that none of its settings apply.
  cp -r "samples/$1" "$work/$1"
  rm -rf "$work/$1/bin" "$work/$1/obj"
  (
    cd "$work/$1"
    dotnet restore -p:RestoreAdditionalProjectSources="$work/feed" --nologo -v quiet
    dotnet build -c Release --no-restore -o "$work/out/$1" --nologo -v quiet
  )
}

build_sample Consumer
build_sample Balancer
if [ "$(id -u)" = 0 ] && command -v ip > /dev/null; then
  namespace=kpconsumer$$
  ip netns add "$namespace"
  trap 'ip netns delete "$namespace"; rm -rf "$work"' EXIT
  ip netns exec "$namespace" dotnet "$work/out/Consumer/Consumer.dll"
else
  echo "Not root: Consumer is built, but not run."
fi
if kernel=$(tests/uml/build.sh); then
  tests/uml/run.sh "$kernel" "$work/out/Balancer" tests/balancer.sh "$work/out/Balancer/Balancer.dll"
else
  echo "No kernel with IPVS: Balancer is built, but not run."
fi
