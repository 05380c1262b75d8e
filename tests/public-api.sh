#!/usr/bin/env bash
# Writes what the packages show to others into their PublicAPI.Unshipped.txt. The build fails when the two differ, so that a change of the public
# surface is seen in the diff of a commit. At a release the lines move to PublicAPI.Shipped.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
for package in Core Kubernetes Netfilter Ipvs; do
  unshipped=src/KubeProxy.$package/PublicAPI.Unshipped.txt
  echo '#nullable enable' > "$unshipped"
  log=$(mktemp)
  dotnet build "src/KubeProxy.$package" -c Release --nologo --no-incremental -p:TreatWarningsAsErrors=false > "$log"
  symbols=$(grep -E "src/KubeProxy.$package/.*warning RS0016" "$log" | sed -E "s/.*Symbol '(.*)' is not part of the declared public API.*/\1/" | LC_ALL=C sort -u)
  printf '%s\n' "$symbols" >> "$unshipped"
  rm -f "$log"
  echo "$package: $(grep -vc '^#' "$unshipped") symbols"
done
