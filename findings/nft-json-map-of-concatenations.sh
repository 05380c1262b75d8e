#!/usr/bin/env bash
# nftables 1.0.6 (Debian 1.0.6-2+deb12u2): JSON that nft writes of a map whose data are a concatenation cannot be loaded by nft.
#
# nft -j list prints the type of such data as one string, "ipv4_addr . inet_service", where it prints the type of the keys as a list;
# nft -j -f takes only the list, for data too, and refuses its own output. The text form of the same table loads. So a backup of
# a ruleset in JSON is not one if it has such a map.
#
# Seen:
#   "type": ["ipv4_addr", "inet_service"], ... "map": "ipv4_addr . inet_service"
#   internal:0:0-0: Error: Invalid map type 'ipv4_addr . inet_service'.
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

cat > table.nft <<'NFT'
table ip t {
	map m {
		type ipv4_addr . inet_service : ipv4_addr . inet_service
		elements = { 10.0.0.1 . 80 : 10.0.0.2 . 8080 }
	}
}
NFT
cat > try.sh <<'TRY'
nft() { LD_LIBRARY_PATH=$(echo usr/lib/*-linux-gnu) usr/sbin/nft "$@"; }
nft --version
nft -f table.nft
nft list ruleset > listed.nft
nft -j list ruleset > listed.json
grep -o '"map": "[^"]*"' listed.json
nft flush ruleset
nft -f listed.nft && echo "text: loaded"
nft flush ruleset
if nft -j -f listed.json 2> error; then echo "json: loaded"; else echo "json: refused"; cat error; fi
TRY
unshare -n bash try.sh > seen || { cat seen; exit 2; }
cat seen
grep -q '^text: loaded' seen && grep -q '^json: refused' seen && grep -q "Invalid map type 'ipv4_addr . inet_service'" seen
