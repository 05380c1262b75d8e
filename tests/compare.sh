#!/usr/bin/env bash
# The program of this tree beside that of a commit of the past, in one run: starts, restarts, steady changes, outages, session affinity. Prints a line of
# JSON for each run to the standard output, and a table at the end. Needs root, gcc and libc6-dev; takes about half an hour.
#   tests/compare.sh [COMMIT]
set -euo pipefail
cd "$(dirname "$0")/.."
before=${1:-527753a}
out=$PWD/artifacts/compare
mkdir -p "$out"
publish() { # TREE DIRECTORY
  dotnet publish "$1/src/KubeProxy.Host" -c Release -r linux-x64 -o "$2" --nologo -v quiet >&2
}
if [ ! -x "$out/$before/kube-proxy" ]; then
  tree=$(mktemp -d)
  git archive "$before" | tar -x -C "$tree"
  publish "$tree" "$out/$before"
  rm -rf "$tree"
fi
publish . "$out/now"
dotnet build tests/KubeProxy.ApiBenchmark -c Release --nologo -v quiet >&2
benchmark=tests/KubeProxy.ApiBenchmark/bin/Release/net10.0/KubeProxy.ApiBenchmark
: > "$out/results.jsonl"
run() { # NAME ARGUMENTS...: the same with both programs, one after the other
  local name=$1 program
  shift
  for program in "$before" now; do
    "$benchmark" run "$out/$program/kube-proxy" "$@" | sed "s/^{/{\"run\": \"$name\", \"program\": \"$program\", /" | tee -a "$out/results.jsonl"
  done
}
run "100 x 10" 100 10
run "10,000 x 10, 200 changes a second" 10000 10 200 120
run "50,000 x 10" 50000 10
run "2,000 x 10 with affinity, 10 changes a second" 2000 10 10 20 affinity
for program in "$before" now; do
  "$benchmark" outages "$out/$program/kube-proxy" 10000 10 8 20 | tail -n 1 |
    awk -v program="$program" '{printf "{\"run\": \"outages of 20 s\", \"program\": \"%s\", \"p50_ms\": %d, \"p95_ms\": %d, \"most_ms\": %d}\n", program, $3 * 1000, $4 * 1000, $5 * 1000}' |
    tee -a "$out/results.jsonl"
done
python3 - "$out/results.jsonl" "$before" <<'PYTHON'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
print(f"| run | what | {sys.argv[2]} | now | ratio |\n| --- | --- | --- | --- | --- |")
for name in dict.fromkeys(row["run"] for row in rows):
    old, new = ([row for row in rows if row["run"] == name and (row["program"] == "now") == now][0] for now in (False, True))
    for what in old:
        if isinstance(old[what], (int, float)) and what not in ("services", "endpoints", "affinity"):
            print(f"| {name} | {what} | {old[what]:g} | {new[what]:g} | {old[what] / new[what] if new[what] else 0:.2f} |")
PYTHON
