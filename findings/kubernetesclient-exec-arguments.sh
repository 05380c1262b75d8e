#!/usr/bin/env bash
# KubernetesClient 21.0.8: the arguments of a kubeconfig's exec plugin are joined with blanks and taken apart again.
#
# args of users[].user.exec is a list (client.authentication.k8s.io/v1), and kubectl gives its items to the plugin as they are. The
# client puts them into one string, so that an argument with a blank arrives as two, and an empty one not at all.
#
# Seen, for args: ["get-token", "--role", "read only", ""]:
#   arguments that the plugin got: 4: get-token --role read only
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
  <ItemGroup><PackageReference Include="KubernetesClient" Version="[21.0.8]" /></ItemGroup>
</Project>
PROJECT
cat > plugin.sh <<'PLUGIN'
#!/bin/sh
{ printf '%s\n' "$#"; for argument; do printf '%s\n' "$argument"; done; } > "$(dirname "$0")/arguments"
echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t"}}'
PLUGIN
chmod +x plugin.sh
cat > kubeconfig.yaml <<YAML
apiVersion: v1
kind: Config
current-context: c
clusters: [{name: k, cluster: {server: "https://192.0.2.1:6443"}}]
contexts: [{name: c, context: {cluster: k, user: u}}]
users:
- name: u
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1
      command: $work/plugin.sh
      args: ["get-token", "--role", "read only", ""]
      interactiveMode: Never
YAML
cat > Program.cs <<'CODE'
var configuration = k8s.KubernetesClientConfiguration.BuildConfigFromConfigFile("kubeconfig.yaml");
if (configuration.TokenProvider is { } provider) await provider.GetAuthenticationHeaderAsync(default);
var lines = File.ReadAllLines("arguments");
Console.WriteLine($"arguments that the plugin got: {lines[0]}: {string.Join(' ', lines[1..])}");
return lines is ["4", "get-token", "--role", "read", "only"] ? 0 : 1;
CODE
dotnet build -v q > build.log 2>&1 || { cat build.log; exit 2; }
dotnet run --no-build
