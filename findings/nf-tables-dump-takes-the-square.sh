#!/usr/bin/env bash
# Linux nf_tables (seen with 6.18): to list a set of five times as many elements takes the kernel eleven times as long, nft's own memory included.
#
# A dump comes in messages of at most 32 KiB, which hold some three hundred elements. For each message the kernel walks the hash table from its
# beginning and skips what it has sent before, so the whole takes time in proportion to the square of the number of elements. To ask for
# elements by key (NFT_MSG_GETSETELEM without the flag of a dump) takes time in proportion to what is asked for; for a hundred thousand elements both
# take about the same. Whoever listed a set now and then when it was small finds the kernel busy for seconds when it has grown.
#
# Seen (time in the kernel for "nft list set", nft 1.0.6, a busy machine):
#   100,000 elements: 392 ms; 500,000 elements: 4408 ms: 11 times as long for 5 times as many
#
# Exits with 0 while that is so (more than 8 times as long), with 1 when it changed, with 2 when it cannot be tried. Needs root (a network
# namespace of its own) and apt.
set -euo pipefail
version=1.0.6-2+deb12u2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for package in "nftables=$version" "libnftables1=$version"; do
  apt-get download -qq "$package" > /dev/null 2>&1 || { echo "cannot get $package"; exit 2; }
done
for file in *.deb; do dpkg -x "$file" .; done

table() { # NAME HUNDREDS: a set of so many hundred addresses
  printf 'table ip %s {\n\tset s { type ipv4_addr; elements = {\n' "$1"
  for ((i = 0; i < $2; i++)); do seq -f "10.$((i / 250)).$((i % 250)).%g," 0 99; done
  printf '}; }\n}\n'
}
table few 1000 > few.nft
table many 5000 > many.nft
cat > try.sh <<'TRY'
nft() { LD_LIBRARY_PATH=$(echo usr/lib/*-linux-gnu) usr/sbin/nft "$@"; }
TIMEFORMAT='%S'
kernel() { { time nft list set ip "$1" s > /dev/null; } 2>&1 | awk '{ printf "%d", $1 * 1000 }'; }
nft -f few.nft
few=$(kernel few)
nft delete table ip few
nft -f many.nft
many=$(kernel many)
echo "100,000 elements: $few ms; 500,000 elements: $many ms: $((many / (few > 0 ? few : 1))) times as long for 5 times as many"
[ "$many" -gt $((few * 8)) ]
TRY
unshare --net bash try.sh || exit 1
