#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# First process of the test machine (machine.sh): mounts what a program expects, loads the CAN modules, runs the command of the
# folder $share, leaves its output and status there and switches off. $machine and $share come from the kernel's command line.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null # user-mode Linux has done that
mkdir -p /dev/pts /dev/shm
mount -t devpts -o mode=620,ptmxmode=666 pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mkdir /run/tmp
if [ "$machine" = uml ]; then
	modules=/usr/lib/uml/modules/$(uname -r)/kernel
	for module in drivers/net/can/dev/can-dev net/can/can net/can/can-raw drivers/net/can/slcan/slcan net/sched/sch_plug; do
		insmod "$modules/$module.ko"
	done
	mount -t hostfs none "$share" -o "$share"
else
	mount -t 9p -o version=9p2000.L,trans=virtio,msize=262144,cache=none share "$share"
fi
ip link set lo up
TMPDIR=/run/tmp ONEPACK_MACHINE=$machine bash "$share/command" </dev/null >"$share/output" 2>&1
echo $? >"$share/status"
sync
echo o >/proc/sysrq-trigger
sleep 10
