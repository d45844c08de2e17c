#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The demo: a simulated rack of 16 packs with our own firmware on one RS485 line, the gateway, an inverter on CAN (slcan) and one on
# RS485.
# Everything lives in a temporary directory; nothing but the web port is visible outside. Called by ./dev demo.
set -euo pipefail

seconds=0
port=8080
while [ $# -gt 0 ]; do
	case "$1" in
	--seconds) seconds=${2:?--seconds wants a number}; shift 2 ;;
	--port) port=${2:?--port wants a number}; shift 2 ;;
	-h | --help) echo "usage: ./dev demo [--seconds N] [--port P]"; exit 0 ;;
	*) echo "demo: unknown option $1 (--seconds N, --port P)" >&2; exit 2 ;;
	esac
done

bin=${ONEPACK_BIN:-build/bin}
export ONEPACK_PROTOCOLS=${ONEPACK_PROTOCOLS:-$PWD/protocols}
dir=$(mktemp -d "${TMPDIR:-/tmp}/onepack-demo.XXXXXX")
sim= gateway=

finish() {
	[ -z "$gateway" ] || { kill "$gateway" && wait "$gateway"; } 2>/dev/null || true
	[ -z "$sim" ] || { kill "$sim" && wait "$sim"; } 2>/dev/null || true
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 0' INT TERM

# Waits up to 10 s until a command succeeds; fails with the last lines of a log.
await() {
	local what=$1 log=$2
	shift 2
	for _ in $(seq 100); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	echo "demo: $what did not start" >&2
	tail -20 "$log" >&2
	exit 1
}

"$bin/onepack" sim rack --directory "$dir" --speed 20 --inverter can/pylon-lv-1.2=can0 --inverter rs485/pylon-lv-3.3=rs485 >"$dir/sim.log" 2>&1 &
sim=$!
await "the simulated rack" "$dir/sim.log" test -S "$dir/control"

cat >"$dir/onepack.yaml" <<END
identity: {gateway: demo}
buses:
  - {name: rack, port: $dir/rack, protocol: pack/onepack, addresses: 1-16}
inverters:
  - {protocol: can/pylon-lv-1.2, port: "slcan:$dir/can0"}
  - {protocol: rs485/pylon-lv-3.3, port: $dir/rs485, baud: 9600}
battery: {packs_expected: 16, join_time_s: 2}
web: {listen: "127.0.0.1:$port", demo_control: $dir/control, password_hash: "$("$bin/onepack" password onepack-demo)"}
store: {path: $dir/history.db}
END
"$bin/onepackd" -c "$dir/onepack.yaml" >"$dir/gateway.log" 2>&1 &
gateway=$!
await "the gateway" "$dir/gateway.log" curl -fs "http://127.0.0.1:$port/healthz"

cat <<END

  OnePack demo: 16 simulated packs that run the pack firmware, on one RS485 line; one battery, two inverters.
  The gateway's configuration ($dir/onepack.yaml):

$(grep -v password_hash "$dir/onepack.yaml" | sed 's/^/    /')

    dashboard      http://127.0.0.1:$port        (demo panel password: onepack-demo)
    battery JSON   http://127.0.0.1:$port/api/v1/battery
    unplug pack 3  $bin/onepack sim tell $dir unplug 3
    plug it back   $bin/onepack sim tell $dir plug 3
    more           $bin/onepack sim tell $dir help
    logs           $dir/gateway.log, $dir/sim.log

END
if [ "$seconds" -gt 0 ]; then
	echo "  Ends by itself after $seconds s."
	sleep "$seconds" &
	wait $!
	kill -0 "$gateway" 2>/dev/null || { echo "demo: the gateway ended early" >&2; tail -20 "$dir/gateway.log" >&2; exit 1; }
else
	echo "  Ctrl-C ends it."
	wait "$gateway"
fi
