#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# First step of the emulated machine (machine.sh): loads the modules that were put beside it, mounts the files of the outer machine
# and goes on with boot.sh there.
while read -r module; do
	/bin/busybox insmod "$module"
done </modules/order
/bin/busybox mount -t 9p -o ro,version=9p2000.L,trans=virtio,msize=262144,cache=loose root /root
exec /bin/busybox chroot /root /bin/sh "$boot"
