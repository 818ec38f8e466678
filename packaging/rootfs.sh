#!/usr/bin/env bash
# Makes the root file system of the image: one program, the certificates it trusts, one account, one folder to write to.
#
#   packaging/rootfs.sh FOLDER PROGRAM
#
# A static program needs nothing else; of another one the libraries come along, so that the tests need no static build.
set -euo pipefail
[ $# -eq 2 ] || { sed -n '2,6p' "$0" >&2; exit 2; }
root=$1 program=$2
# Root certificates of this machine: Tagwarden has none of its own, and without any it speaks to no registry.
certificates=/etc/ssl/certs/ca-certificates.crt
[ -e "$certificates" ] || { echo "rootfs.sh: $certificates is missing; install ca-certificates" >&2; exit 1; }
[ ! -e "$root" ] || { echo "rootfs.sh: $root is there already" >&2; exit 1; }

umask 022
mkdir -p "$root"/{etc/ssl/certs,usr/bin,var/lib/tagwarden}
install -m 755 "$program" "$root/usr/bin/tagwarden"
install -m 644 "$certificates" "$root$certificates"
echo 'tagwarden:x:65532:65532:Tagwarden:/var/lib/tagwarden:/sbin/nologin' >"$root/etc/passwd"
echo 'tagwarden:x:65532:' >"$root/etc/group"

# `name => /path (address)`, and the loader as `/path (address)`; of a static program ldd says so and fails.
libraries=$(ldd "$program" 2>/dev/null | grep -o '/[^ ]*' || true)
for library in $libraries; do
    install -D -m 755 "$(realpath "$library")" "$root$library"
done
