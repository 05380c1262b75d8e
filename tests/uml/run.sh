#!/usr/bin/env bash
# run.sh KERNEL OUT COMMAND...: boots KERNEL (see build.sh) on this machine's files, runs COMMAND in there as root, in the
# present directory, and exits with its status. Everything is read-only in there except the directory OUT, which is at the same
# path and is this machine's; /tmp, /run, /var/tmp and /mnt are private, and empty except for the present directory and OUT if
# those are in them. One CPU, no network to the outside. IN_UML=1 tells COMMAND where it is.
#
#   UML_MEMORY   of the kernel (4096M), taken from this machine only as far as it is used
#   UML_SECONDS  until it is all killed (1800); the status is then 124. 125: the kernel ended without a status of COMMAND.
set -euo pipefail
kernel=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
shift 2
control=$(mktemp -d "$out/.uml.XXXXXX")
machine='' console='' watch=''

clean_up() {
  # It makes a process group of its own for all its processes.
  [ -z "$machine" ] || kill -KILL -- "-$machine" 2>/dev/null || true
  [ -z "$watch" ] || kill "$watch" 2>/dev/null || true
  [ -z "$console" ] || wait "$console" 2>/dev/null || true
  rm -rf "$control"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

{
  printf '#!/bin/bash\nout=%q control=%q directory=%q\n' "$out" "$control" "$PWD"
  cat <<'INIT'
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmpfs /dev
while read -r name major minor; do mknod -m 666 "/dev/$name" c "$major" "$minor"; done <<'NODES'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
ptmx 5 2
NODES
ln -s /proc/self/fd /dev/fd
ln -s /proc/self/fd/0 /dev/stdin
ln -s /proc/self/fd/1 /dev/stdout
ln -s /proc/self/fd/2 /dev/stderr
mkdir /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /mnt
mkdir /mnt/out /mnt/directory
mount -t hostfs none /mnt/out -o "$out"
mount -t hostfs none /mnt/directory -o "ro,$directory"
for private in /run /var/tmp /tmp; do mount -t tmpfs tmpfs "$private"; done
# The private ones hide it if it is in them; elsewhere there is nothing to make.
if mkdir -p "$directory" 2>/dev/null && [ -z "$(ls -A "$directory")" ]; then mount --bind /mnt/directory "$directory"; fi
mkdir -p "$out" 2>/dev/null
mount --bind /mnt/out "$out"
ip link set lo up
sysctl -qw net.netfilter.nf_conntrack_max=262144
INIT
  printf 'export PATH=%q HOME=%q DOTNET_CLI_HOME=/tmp DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 IN_UML=1\n' "$PATH" "${HOME:-/root}"
  printf 'cd "$directory"\n'
  printf '(exec'; printf ' %q' "$@"; printf ') < /dev/null\n'
  printf 'echo $? > "$control/status"\nsync\npoweroff -f > /dev/null 2>&1\n'
} > "$control/init"
chmod +x "$control/init"

# The memory is a file: not in a /dev/shm that is too small for it, as in some containers.
memory=${UML_MEMORY:-4096M}
[ "$(df -m --output=avail /dev/shm 2>/dev/null | tail -n 1)" -ge "${memory%M}" ] 2>/dev/null || export TMPDIR=$control

exec 3> >(exec grep --line-buffered -vE \
  '^(Core dump limits|\s+(soft|hard) - |Checking |SELinux:|mmapper_init|Failed to initialize ubd|Adding [0-9]* bytes to physical|reboot: )' || true)
console=$!
"$kernel" mem="$memory" uml_dir="$control/" root=/dev/root rootfstype=hostfs rootflags=/ ro loglevel=3 panic=-1 \
  init="$control/init" con=null con0=null,fd:1 < /dev/null >&3 2>&1 &
machine=$!
exec 3>&-
timeout "${UML_SECONDS:-1800}" tail --pid="$machine" --sleep-interval=0.1 -f /dev/null &
watch=$!
wait "$watch" || exit 124 # Not in the foreground, so that signals are heard meanwhile.
status=$(cat "$control/status" 2>/dev/null) || status=125
exit "$status"
