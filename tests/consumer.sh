#!/usr/bin/env bash
# Packs the libraries and builds and runs samples/Consumer against the packages, as a stranger would use them.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for library in Core Netfilter Ipvs; do
  dotnet pack "src/KubeProxy.$library" -c Release -o "$work/feed" --nologo -v quiet
done
ls "$work/feed"
# Outside of the repository, so that none of its settings apply; packages go to a cache of their own, since the version does not change.
cp -r samples/Consumer "$work/Consumer"
rm -rf "$work/Consumer/bin" "$work/Consumer/obj"
# Dependencies come from the default sources, or from the cache of this machine when those cannot be reached.
export NUGET_PACKAGES="$work/packages"
mkdir -p "$NUGET_PACKAGES"
cache=${HOME}/.nuget/packages
if [ -d "$cache" ]; then
  for package in "$cache"/microsoft.extensions.*; do
    if [ -d "$package" ]; then ln -s "$package" "$NUGET_PACKAGES/"; fi
  done
fi
cd "$work/Consumer"
dotnet restore -p:RestoreAdditionalProjectSources="$work/feed" --nologo -v quiet
dotnet build -c Release --no-restore -o "$work/out" --nologo -v quiet
if [ "$(id -u)" = 0 ] && command -v ip > /dev/null; then
  namespace=kpconsumer$$
  ip netns add "$namespace"
  trap 'ip netns delete "$namespace"; rm -rf "$work"' EXIT
  ip netns exec "$namespace" dotnet "$work/out/Consumer.dll"
  cd "$root"
else
  echo "Not root: built, but not run."
fi
