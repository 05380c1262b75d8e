#!/usr/bin/env bash
# The benchmarks (docs/performance.md) as native code, which is what the program is. Arguments are those of the benchmark program. Needs
# root, and gcc with libc6-dev.
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet publish tests/KubeProxy.Benchmarks -c Release -r linux-x64 -o artifacts/benchmarks --nologo -v quiet
exec artifacts/benchmarks/KubeProxy.Benchmarks "$@"
