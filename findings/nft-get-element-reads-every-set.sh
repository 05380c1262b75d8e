#!/usr/bin/env bash
# nftables 1.0.6 (Debian 1.0.6-2+deb12u2): "nft get element" asks the kernel for one element, after it has read all elements of all sets.
#
# The kernel can look up one element (NFT_MSG_GETSETELEM with a key), and nft sends that request. Before it, it fills its cache, with
# the elements of every set in every table. So to poll one element of a small set is no way to wait for something where another set is
# large: beside 100,000 elements each look takes tenths of a second of CPU.
#
# Seen (CPU time of nft, Linux 6.18, a busy machine):
#   one element of two, alone: 35 ms; beside 200,000 elements in another table: 1730 ms
#
# Exits with 0 while that is so, with 1 when it changed, with 2 when it cannot be tried. Needs root (a network namespace of its own) and apt.
set -euo pipefail
version=1.0.6-2+deb12u2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for package in "nftables=$version" "libnftables1=$version"; do
  apt-get download -qq "$package" > /dev/null 2>&1 || { echo "cannot get $package"; exit 2; }
done
for file in *.deb; do dpkg -x "$file" .; done

cat > small.nft <<'NFT'
table ip small {
	set two { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 }; }
}
NFT
{
  printf 'table ip large {\n\tset many { type ipv4_addr; elements = {\n'
  for a in {0..199}; do for b in {0..3}; do seq -f "11.$a.$b.%g," 0 249; done; done
  printf '}; }\n}\n'
} > large.nft
cat > try.sh <<'TRY'
nft() { LD_LIBRARY_PATH=$(echo usr/lib/*-linux-gnu) usr/sbin/nft "$@"; }
TIMEFORMAT='%U %S'
cpu() { { time nft get element ip small two '{ 10.0.0.1 }' > /dev/null; } 2>&1 | awk '{ printf "%d", ($1 + $2) * 1000 }'; }
nft -f small.nft
alone=$(cpu)
nft -f large.nft
beside=$(cpu)
echo "one element of two, alone: $alone ms; beside 200,000 elements in another table: $beside ms"
[ "$beside" -gt $((alone * 5 + 50)) ]
TRY
unshare --net bash try.sh || exit 1
