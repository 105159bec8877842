#!/bin/sh
# The tests of the last commit on a bare Debian of another release, with the Python that it brings: `make debian` calls
# it, as root and in a namespace of its own, so that what is mounted here is gone with it.
set -eu
release=$1 root=$2
bare=python3,make,git,ca-certificates

# Whoever is not root must come in too: apt, PostgreSQL.
chmod 755 "$root"
debootstrap --variant=minbase --include="$bare" "$release" "$root" >"$root.log" || { tail "$root.log"; exit 1; }
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
# How this machine reaches others, and whom it trusts, holds there too.
cp /etc/resolv.conf "$root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
for setting in PIP_CERT NODE_EXTRA_CA_CERTS npm_config_cafile; do
    echo "export $setting=/etc/ssl/certs/ca-certificates.crt"
done >"$root/settings"
git clone --quiet . "$root/portal"
env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    "$(command -v chroot)" "$root" /bin/sh -c '. /settings; python3 --version; make -C /portal test'
