#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command in a throw-away machine whose kernel has CAN, and ends with the command's exit status; 77 when there cannot be
# such a machine here (ctest calls that a skipped test). Inside, this machine's files are there read-only and the command is root.
#
#   uml   user-mode Linux: can_dev with ports made by slcan_bus.py, whose errors, bit rates and cables are emulated
#   qemu  Debian's own kernel with two SJA1000 controllers (kvaser_pci) on one bus; software emulation, no /dev/kvm needed
#
# `machine.sh fetch` gets the kernel for qemu from the Debian mirror of this machine, once. See docs/testing.md.
set -euo pipefail

here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
cache=${ONEPACK_KERNEL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/onepack/kernel}
modules=({virtio_ring,virtio,virtio_pci_modern_dev,virtio_pci_legacy_dev,virtio_pci}.ko # in the order of loading
	{netfs,fscache,9pnet,9pnet_virtio,9p}.ko {can,can-raw,can-dev,sja1000,kvaser_pci,sch_plug}.ko)
limit=150

usage() {
	echo "usage: machine.sh [-t SECONDS] uml|qemu COMMAND [ARGUMENT]... | machine.sh fetch" >&2
	exit 2
}

skip() {
	echo "SKIPPED: $*"
	exit 77
}

# --- the kernel for qemu: fetched and unpacked, never installed ---

# The current kernel's package; the lists of a fresh machine may not be there yet.
kernel_package() {
	local known='apt-cache depends linux-image-amd64'
	$known >/dev/null 2>&1 || apt-get update -qq >&2
	$known | awk '/Depends: linux-image-[0-9]/ {print $2; exit}'
}

fetch() {
	local deb work
	[ -s "$cache/initrd" ] && [ "$cache/initrd" -nt "$here/machine.sh" ] && [ "$cache/initrd" -nt "$here/initrd.sh" ] && return
	mkdir -p "$cache"
	deb=$(find "$cache" -name 'linux-image-*.deb' | head -n 1)
	if [ -z "$deb" ]; then
		(cd "$cache" && apt-get download -qq -o APT::Sandbox::User=root "$(kernel_package)") >&2 || return 1
		deb=$(find "$cache" -name 'linux-image-*.deb' | head -n 1)
	fi
	work=$(mktemp -d "$cache/unpacking.XXXXXX")
	unpack "$deb" "$work" && mv "$work/vmlinux" "$work/initrd" "$cache" || { rm -rf "$work"; return 1; }
	rm -rf "$work"
}

# The kernel uncompressed, which starts some seconds sooner in emulation, and a first file system that is just enough to reach
# the files of this machine through 9p.
unpack() {
	local deb=$1 work=$2 root=$2/root module start
	mkdir -p "$root"/{bin,modules,root}
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work" --wildcards './boot/vmlinuz-*' "${modules[@]/#/*/}"
	start=$(LC_ALL=C grep -m 1 -aboP '\xFD7zXZ\x00' "$work"/boot/vmlinuz-* | head -n 1 | cut -d : -f 1)
	{ tail -c +$((start + 1)) "$work"/boot/vmlinuz-* | xz -dc 2>/dev/null || true; } >"$work/vmlinux" # a trailer follows
	for module in "${modules[@]}"; do
		find "$work/lib" -name "$module" -exec cp {} "$root/modules/" \;
		echo "/modules/$module" >>"$root/modules/order"
	done
	cp /bin/busybox "$root/bin/"
	cp "$here/initrd.sh" "$root/init"
	(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$work/initrd"
}

# --- the two machines; both end by themselves when boot.sh is done ---

# User-mode Linux keeps its memory in a file that must be executable; in containers not every folder allows that.
executable_folder() {
	local folder
	for folder in "${TMPDIR:-/tmp}" /dev/shm /tmp /var/tmp; do
		cp /bin/true "$folder/onepack.$$" 2>/dev/null || continue
		if "$folder/onepack.$$" 2>/dev/null; then
			rm -f "$folder/onepack.$$"
			echo "$folder"
			return
		fi
		rm -f "$folder/onepack.$$"
	done
	return 1
}

run_uml() {
	local memory
	command -v linux.uml >/dev/null || skip "no user-mode Linux (Debian package user-mode-linux)"
	memory=$(executable_folder) || skip "no folder that user-mode Linux can keep its memory in"
	TMPDIR=$memory timeout -k 5 "$limit" linux.uml mem=384M rootfstype=hostfs rootflags=/ ro quiet \
		init="$here/boot.sh" machine=uml share="$share" umid="onepack$$" uml_dir="$share/uml" \
		con=null con0=null,fd:1 ssl=null </dev/null >"$share/log" 2>&1 || true
}

run_qemu() {
	command -v qemu-system-x86_64 >/dev/null || skip "no emulator (Debian package qemu-system-x86)"
	command -v cpio >/dev/null && [ -x /bin/busybox ] || skip "no Debian packages cpio and busybox-static"
	fetch || skip "no kernel for the emulated machine in $cache, and it cannot be fetched now"
	timeout -k 5 "$limit" qemu-system-x86_64 -M pc -accel tcg -cpu qemu64 -m 1024 -smp 1 \
		-nodefaults -display none -no-reboot -nic none -serial file:"$share/log" \
		-kernel "$cache/vmlinux" -initrd "$cache/initrd" \
		-append "console=ttyS0 quiet panic=-1 mitigations=off machine=qemu share=$share boot=$here/boot.sh" \
		-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
		-device virtio-9p-pci,fsdev=root,mount_tag=root \
		-fsdev local,id=share,path="$share",security_model=none \
		-device virtio-9p-pci,fsdev=share,mount_tag=share \
		-object can-bus,id=bus -device kvaser_pci,canbus=bus -device kvaser_pci,canbus=bus \
		</dev/null >"$share/emulator" 2>&1 || true
}

# --- the command and what came of it ---

write_command() {
	local name
	printf 'cd %q\n' "$PWD"
	for name in PATH LANG HOME ${!ONEPACK_*} PYTHONDONTWRITEBYTECODE; do
		[ -z "${!name+x}" ] || printf 'export %s=%q\n' "$name" "${!name}"
	done
	printf '%q ' "$@"
	echo
}

while getopts t: option; do
	case "$option" in
	t) limit=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
machine=${1:-}
[ "$machine" != fetch ] || { fetch; exit; }
[[ "$machine" =~ ^(uml|qemu)$ ]] && [ $# -ge 2 ] || usage
shift

share=$(mktemp -d "${TMPDIR:-/tmp}/onepack-machine.XXXXXX")
trap 'rm -rf "$share"' EXIT
trap 'exit 130' INT TERM
write_command "$@" >"$share/command"
"run_$machine"
[ ! -e "$share/output" ] || cat "$share/output"
[ ! -s "$share/status" ] || exit "$(cat "$share/status")"
tail -n 20 "$share/log" "$share/emulator" 2>/dev/null || true
[ -e "$share/output" ] || skip "the $machine machine does not start here"
echo "the $machine machine stopped before the command was done (limit: $limit s)"
exit 1
