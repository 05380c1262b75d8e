#!/usr/bin/env bash
# Makes artifacts/kube-proxy_VERSION_ARCH.deb (needs dpkg-deb) and artifacts/kube-proxy-VERSION-linux-ARCH.tar.gz for this machine: the
# program, the unit, the manual page and the completion of shells, the last two made by the program from its flag table.
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:-$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)}
case $(uname -m) in x86_64) rid=linux-x64 arch=amd64 ;; aarch64) rid=linux-arm64 arch=arm64 ;; *) echo "package.sh: no package for $(uname -m)" >&2; exit 1 ;; esac
[ -x artifacts/host/kube-proxy ] || dotnet publish src/KubeProxy.Host -c Release -r "$rid" -o artifacts/host --nologo -v quiet
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0} # So that the same program makes the same packages.
root=$(mktemp -d)
chmod 0755 "$root"
trap 'rm -rf "$root"' EXIT
program=artifacts/host/kube-proxy
install -D -m 0755 "$program" "$root/usr/sbin/kube-proxy"
install -d "$root/usr/share/man/man8" "$root/usr/share/bash-completion/completions" "$root/usr/share/fish/vendor_completions.d" "$root/usr/share/zsh/vendor-completions" "$root/usr/share/doc/kube-proxy"
"$program" man | gzip -9n > "$root/usr/share/man/man8/kube-proxy.8.gz"
"$program" completion bash > "$root/usr/share/bash-completion/completions/kube-proxy"
"$program" completion fish > "$root/usr/share/fish/vendor_completions.d/kube-proxy.fish"
{ echo '#compdef kube-proxy'; "$program" completion zsh; } > "$root/usr/share/zsh/vendor-completions/_kube-proxy"
install -D -m 0644 deploy/kube-proxy.service "$root/usr/lib/systemd/system/kube-proxy.service"
sed -i 's:/usr/local/bin/kube-proxy:/usr/sbin/kube-proxy:' "$root/usr/lib/systemd/system/kube-proxy.service"
install -m 0644 LICENSE "$root/usr/share/doc/kube-proxy/copyright"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
mkdir -p artifacts
tar --sort=name --owner=0 --group=0 --numeric-owner -C "$root" -cf - usr | gzip -9n > "artifacts/kube-proxy-$version-linux-$arch.tar.gz"
echo "artifacts/kube-proxy-$version-linux-$arch.tar.gz"
if ! command -v dpkg-deb > /dev/null; then
    echo "package.sh: no dpkg-deb, so no .deb" >&2
    exit 0
fi
install -d "$root/DEBIAN"
cat > "$root/DEBIAN/control" <<CONTROL
Package: kube-proxy
Version: $version
Architecture: $arch
Maintainer: The KubeProxy authors <nobody@localhost>
Section: net
Priority: optional
Depends: libc6 (>= 2.34), libssl3 | libssl3t64
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Description: service proxy of a Kubernetes node
 Programs nf_tables, iptables rules or IPVS over netlink so that Kubernetes
 Services reach their endpoints, in place of the proxy that Kubernetes comes
 with: the same configuration file, flags and metrics.
CONTROL
dpkg-deb --root-owner-group --build "$root" "artifacts/kube-proxy_${version}_$arch.deb" > /dev/null
echo "artifacts/kube-proxy_${version}_$arch.deb"
if command -v lintian > /dev/null; then lintian "artifacts/kube-proxy_${version}_$arch.deb"; fi
