#!/usr/bin/env bash
# build.sh: prints the path of the test kernel, a user-mode-linux with kernel.config, and builds it first if it is not in the
# cache (UML_CACHE, by default ~/.cache/kube-proxy-uml) yet. It is built from Debian's packaged kernel source, once for each
# content of kernel.config and version of that source; 4 to 9 minutes on 2 cores. Installs packages, which takes root, only if
# it has to build and they are missing. Everything but the path goes to standard error.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${UML_CACHE:-$HOME/.cache/kube-proxy-uml}
source=linux-source-6.1
packages=("$source" build-essential flex bison bc xz-utils)
config=$(grep -E '^CONFIG_' "$here/kernel.config")

installed() { # PACKAGE: prints its version, or fails
  local status version
  read -r status version < <(dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null) && [ "$status" = installed ] && echo "$version"
}

source_version() {
  installed "$source" || apt-cache policy "$source" 2>/dev/null | sed -n 's/^ *Candidate: //p' | grep -v none
}

install_packages() {
  local package missing=()
  for package in "${packages[@]}"; do
    installed "$package" > /dev/null || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  if [ "$(id -u)" != 0 ]; then
    echo "The test kernel needs packages that only root can install: ${missing[*]}"
    return 1
  fi
  echo "Installing ${missing[*]} ..."
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
}

build() { # KERNEL
  local work missing option
  rm -rf "$cache"/build.* # Of builds that were killed: we hold the lock.
  work=$(mktemp -d "$cache/build.XXXXXX")
  trap "rm -rf '$work'" EXIT # As it is now: the variable is gone by then.
  tar -C "$work" -xf "/usr/src/$source.tar.xz"
  cd "$work/$source"
  make -s ARCH=um tinyconfig > /dev/null
  echo "$config" > "$work/wanted"
  ./scripts/kconfig/merge_config.sh -m .config "$work/wanted" > /dev/null
  make -s ARCH=um olddefconfig
  missing=$(while read -r option; do
    case $option in
      *=n) ! grep -q "^${option%n}" .config ;;
      *) grep -qxF "$option" .config ;;
    esac || echo "$option"
  done < "$work/wanted")
  [ -z "$missing" ] || { echo "This kernel does not accept:" $missing; return 1; }
  make -s ARCH=um -j"$(nproc)" linux > "$work/log" 2>&1 || { tail -n 30 "$work/log"; return 1; }
  strip -o "$work/linux" linux
  mv "$work/linux" "$1"
}

kernel_of() { # VERSION
  echo "$cache/linux-${1//[^A-Za-z0-9.+-]/_}-$(sha256sum <<< "$config" | cut -c1-12)"
}

mkdir -p "$cache"
exec 9> "$cache/lock" 3>&1 1>&2 < /dev/null
flock 9
version=$(source_version || true)
if [ -z "$version" ] || [ ! -x "$(kernel_of "$version")" ]; then
  install_packages
  version=$(source_version)
  kernel=$(kernel_of "$version")
  [ -x "$kernel" ] || { echo "Building the test kernel from $source $version ..." && build "$kernel"; }
fi
kernel_of "$version" >&3
