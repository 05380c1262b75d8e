#!/usr/bin/env bash
# Builds everything and runs every test: first those that need nothing, then, as root, those that need the kernel (each in network
# namespaces of its own), and those again in a second kernel, user-mode-linux, which has what this machine's may lack (see
# tests/uml). Installs missing Debian packages. Ends with the totals and exits with 1 if anything failed.
set -uo pipefail
cd "$(dirname "$0")"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
results=$PWD/artifacts/test-results

install_packages() {
  local tool package missing=()
  while read -r tool package; do
    command -v "$tool" >/dev/null || missing+=("$package")
  done <<'TOOLS'
nft nftables
iptables iptables
conntrack conntrack
gcc build-essential
ip iproute2
ipvsadm ipvsadm
strace strace
promtool prometheus
systemd-analyze systemd
python3 python3
TOOLS
  [ ${#missing[@]} = 0 ] && return
  if [ "$(id -u)" != 0 ]; then
    echo "Not installed, so some tests are skipped: ${missing[*]}"
    return
  fi
  echo "Installing ${missing[*]} ..."
  apt-get update -qq < /dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" < /dev/null > /dev/null
}

run_project() { # PROJECT [ARGUMENT...]: of dotnet test
  local project=$1
  shift
  echo "== $project"
  dotnet test "tests/$project" --no-build -c Release --logger "trx;LogFileName=$project.trx" --results-directory "$results" "$@" < /dev/null
}

# The same test program in the other kernel: what needs it (trait Kernel=uml), and the clients with a second version of the kernel.
# Without the random transactions: which errno a wrong one gets differs between versions, and memory follows the newer. Without the corpus of the
# language: that kernel has not all families and expressions. Without what of conntrack needs helpers, labels and timestamps, which it is built without.
run_in_uml() { # KERNEL
  echo "== KubeProxy.Kernel.Tests in user-mode-linux"
  tests/uml/run.sh "$1" "$results" env KUBE_PROXY="$KUBE_PROXY" \
    dotnet tests/KubeProxy.Kernel.Tests/bin/Release/net10.0/KubeProxy.Kernel.Tests.dll -noColor -parallel none \
    -namespace '*.Ipvs' -namespace '*.Rtnetlink' -namespace '*.Conntrack' -namespace '*.Nftables' -namespace '*.Netlink' \
    -class- '*.NftRandomTransactionTests' -class- '*.NftCorpusTests' -class- '*.ConntrackMonitorTests' -class- '*.FlowDetailsTests' -class- '*.FlowTextTests' \
    -trx "$results/uml.trx"
}

count() { # ATTRIBUTE: sums it over the trx files
  cat "$results"/*.trx 2>/dev/null | grep -o "<Counters [^>]*" | grep -o " $1=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{sum += $1} END {print sum + 0}'
}

install_packages
rm -rf "$results"
mkdir -p "$results"
status=0
dotnet build KubeProxy.slnx -c Release < /dev/null || exit 1
# Kernel tests run the program as it is installed.
dotnet publish src/KubeProxy.Host -c Release -r linux-x64 -o artifacts/host --nologo < /dev/null || exit 1
export KUBE_PROXY=$PWD/artifacts/host/kube-proxy
for project in tests/*.Tests; do
  name=$(basename "$project")
  [ "$name" = KubeProxy.Kernel.Tests ] || run_project "$name" || status=1
done
if kernel=$(tests/uml/build.sh); then
  # What only that kernel can run is left to it. Without it, those tests say why they are skipped.
  run_project KubeProxy.Kernel.Tests --filter "Kernel!=uml" || status=1
  run_in_uml "$kernel" || status=1
else
  run_project KubeProxy.Kernel.Tests || status=1
fi

consumer_passed=0 consumer_failed=0
echo "== packages"
if tests/consumer.sh < /dev/null; then consumer_passed=1; else consumer_failed=1 status=1; fi

passed=$(($(count passed) + consumer_passed))
failed=$(($(count failed) + $(count error) + consumer_failed))
skipped=$(($(count total) - $(count passed) - $(count failed) - $(count error)))
[ "$failed" = 0 ] || status=1
[ "$status" = 0 ] || [ "$failed" != 0 ] || failed=1 # A test run that crashed counts.
echo "$passed passed, $failed failed, $skipped skipped"
exit $status
