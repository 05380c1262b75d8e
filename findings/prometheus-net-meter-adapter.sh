#!/usr/bin/env bash
# prometheus-net 8.2.1: MeterAdapter exports a Counter<T> of System.Diagnostics.Metrics as a gauge, under another name.
#
# A counter named requests_total of meter Shop.Api is expected as a counter of that name, as the OpenTelemetry exporter and
# dotnet-counters show it. The adapter prefixes the meter's name and declares TYPE gauge, so that rate() over it warns, and rules and
# dashboards written for the instrument's name find nothing. ObservableCounter<T> is a gauge as well.
#
# Seen:
#   # TYPE shop_api_requests_total gauge
#   shop_api_requests_total 3
#
# Exits with 0 while that is so, with 1 when it changed, with 2 when it cannot be tried. Needs the .NET 10 SDK.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
cat > try.csproj <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings><NuGetAudit>false</NuGetAudit></PropertyGroup>
  <ItemGroup><PackageReference Include="prometheus-net" Version="[8.2.1]" /></ItemGroup>
</Project>
PROJECT
cat > Program.cs <<'CODE'
using System.Diagnostics.Metrics;
using System.Text;
using Prometheus;

using var meter = new Meter("Shop.Api");
var registry = Metrics.NewCustomRegistry();
using var adapter = MeterAdapter.StartListening(new MeterAdapterOptions { Registry = registry, MetricFactory = Metrics.WithCustomRegistry(registry) });
meter.CreateCounter<long>("requests_total").Add(3);
using var stream = new MemoryStream();
await registry.CollectAndExportAsTextAsync(stream);
var lines = Encoding.UTF8.GetString(stream.ToArray()).Split('\n').Where(line => line.Contains("requests_total")).ToList();
lines.Where(line => !line.StartsWith("# HELP")).ToList().ForEach(Console.WriteLine);
return lines.Contains("# TYPE shop_api_requests_total gauge") && lines.Contains("shop_api_requests_total 3") ? 0 : 1;
CODE
dotnet build -v q > build.log 2>&1 || { cat build.log; exit 2; }
dotnet run --no-build
