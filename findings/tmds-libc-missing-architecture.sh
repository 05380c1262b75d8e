#!/usr/bin/env bash
# Tmds.LibC 0.5.0: a program for an architecture that it has no assembly for builds without a word, and the assembly is not there.
#
# The package has a reference assembly, which fits everything at compile time, and one implementation each for linux-x64, linux-arm64
# and linux-arm. For any other runtime identifier (linux-riscv64, linux-s390x, linux-loongarch64) restore and build say nothing, and the
# first method that uses it throws FileNotFoundException. On musl the implementation of the architecture serves as well: musl's loader
# takes the library's name, libc.so.6, for itself.
#
# Seen:
#   linux-x64: warnings 0, Tmds.LibC.dll yes
#   linux-musl-x64: warnings 0, Tmds.LibC.dll yes
#   linux-riscv64: warnings 0, Tmds.LibC.dll no
#
# Exits with 0 while that is so, with 1 when it changed, with 2 when it cannot be tried. Needs the .NET 10 SDK.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
cat > try.csproj <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><UseAppHost>false</UseAppHost><NuGetAudit>false</NuGetAudit></PropertyGroup>
  <ItemGroup><PackageReference Include="Tmds.LibC" Version="[0.5.0]" /></ItemGroup>
</Project>
PROJECT
echo 'return Tmds.Linux.LibC.close(-1) == -1 ? 0 : 1;' > Program.cs
seen=""
for rid in linux-x64 linux-musl-x64 linux-riscv64; do
  dotnet build -r "$rid" --self-contained false -o "out/$rid" -v m > build.log 2>&1 || { cat build.log; exit 2; }
  warnings=$(grep -c ' warning ' build.log || true)
  there=no
  if [ -f "out/$rid/Tmds.LibC.dll" ]; then there=yes; fi
  echo "$rid: warnings $warnings, Tmds.LibC.dll $there"
  seen="$seen $warnings $there"
done
[ "$seen" = " 0 yes 0 yes 0 no" ]
