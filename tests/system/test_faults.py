# SPDX-License-Identifier: Apache-2.0
"""Faults injected into a running gateway: wrong bytes, silent packs, adapters pulled, clients that misbehave, a full disk."""

import os
import socket
import subprocess
import sys
import time

from racks import slave_records, small_rack
from rig import BIN, SOURCE, Gateway, Scene, run_tests, wait_for


def online(gateway, count):
    wait_for(f"{count} packs online", lambda: gateway.battery()["packs_online"] == count, 20)


def test_bad_sums_are_counted_and_never_published():
    def mangle(address, kind, answer):
        if address != 2:
            return answer
        broken = bytearray(answer)
        broken[6] ^= 0x40  # cell 1 would read 1.2 V lower
        return bytes(broken)

    with Scene() as scene:
        gateway, _ = small_rack(scene, mangle=mangle)
        online(gateway, 2)
        causes = wait_for("the bad sums of address 2",
                          lambda: [a for a in gateway.get("/api/v1/buses")[0]["addresses"] if a["address"] == 2 and a["checksum"] > 2])
        assert causes[0]["answers"] == 0
        pack = [p for p in gateway.battery()["packs"] if p["address"] == 2]
        assert not pack or pack[0]["voltage_v"] is None


def test_foreign_answers_are_not_attributed():
    def mangle(address, kind, answer):
        return bytes([3]) .join([answer[:300], answer[301:]]) if address == 2 else answer  # the acknowledge says 3

    with Scene() as scene:
        gateway, _ = small_rack(scene, mangle=mangle)
        online(gateway, 2)
        states = {p["address"]: p["state"] for p in gateway.battery()["packs"]}
        assert states.get(2, "absent") not in ("active", "held", "candidate"), states


def test_echo_padding_and_noise_do_no_harm():
    def mangle(address, kind, answer):
        register = {1: 0x1E, 2: 0x20, 3: 0x1C}[kind]
        from rig import crc16
        request = bytes([address, 0x10, 0x16, register, 0, 1, 2, 0, 0])
        echo = request + crc16(request)
        return echo + b"\x55\xaa\x00\xff" + answer[:300] + b"\0" + answer[300:] + b"\0"

    with Scene() as scene:
        gateway, _ = small_rack(scene, mangle=mangle)
        online(gateway, 3)


def test_a_silent_pack_lowers_limits_and_returns():
    with Scene() as scene:
        gateway, inverter = small_rack(scene)
        online(gateway, 3)
        full = wait_for("full limits", lambda: (lambda now: now if now > 100 else 0)(gateway.battery()["charge_current_limit_a"]))
        records = scene.packs.records.pop(2)
        wait_for("a lower limit", lambda: gateway.battery()["charge_current_limit_a"] < full - 1, 15)
        named = [reason["limit"] for reason in gateway.battery()["reasons"]]
        assert sorted(named) == ["charge_current", "charge_voltage", "discharge_current", "discharge_voltage"], named
        wait_for("pack 2 lost", lambda: gateway.battery()["packs_online"] == 2, 45)
        battery = gateway.battery()
        lost = next(pack for pack in battery["packs"] if pack["pack"] == 2)
        assert lost["state"] == "lost" and lost["voltage_v"] is None and lost["serial"], lost
        assert battery["charge_current_limit_a"] < full and "pack_lost" in battery["warnings"], battery
        assert battery["packs_total"] == 3
        assert inverter.limits()[1] <= full
        scene.packs.records[2] = records
        online(gateway, 3)
        wait_for("full limits again", lambda: gateway.battery()["charge_current_limit_a"] >= full - 1, 30)


def test_all_packs_silent_means_zero_and_frames_go_on():
    with Scene() as scene:
        gateway, inverter = small_rack(scene)
        online(gateway, 3)
        scene.packs.records.clear()
        wait_for("zero limits", lambda: inverter.limits()[1:] == (0, 0), 40)
        since = time.monotonic()
        wait_for("frames go on", lambda: inverter.limits(since), 3)
        wait_for("no data", lambda: gateway.battery()["state"] == "no_data", 60)
        assert gateway.battery()["voltage_v"] is None


def test_a_pulled_rs485_adapter_is_reopened():
    with Scene() as scene:
        gateway, _ = small_rack(scene)
        online(gateway, 3)
        line = scene.packs.line
        line.unplug()
        wait_for("the bus is shown as down", lambda: gateway.get("/api/v1/buses")[0]["link"] != "up", 10)
        line.plug()
        wait_for("the bus is up again", lambda: gateway.get("/api/v1/buses")[0]["link"] == "up", 20)
        online(gateway, 3)


def test_a_pulled_can_adapter_is_reopened():
    with Scene() as scene:
        gateway, inverter = small_rack(scene)
        online(gateway, 3)
        inverter.line.unplug()
        wait_for("the link is shown as not up", lambda: gateway.get("/api/v1/inverters")[0]["link"] != "up", 10)
        inverter.line.plug()
        since = time.monotonic()
        wait_for("frames again", lambda: inverter.limits(since), 20)
        wait_for("the link is up", lambda: gateway.get("/api/v1/inverters")[0]["link"] == "up", 5)


def test_a_silent_inverter_is_shown():
    with Scene() as scene:
        gateway, inverter = small_rack(scene)
        wait_for("the inverter is heard", lambda: gateway.get("/api/v1/inverters")[0]["present"], 15)
        inverter.heartbeat = False
        wait_for("its silence", lambda: gateway.get("/api/v1/inverters")[0]["heard_s"] > 2, 10)
        assert gateway.get("/api/v1/inverters")[0]["present"], "three seconds are no loss yet"


def can_gaps(inverter, since):
    times = [frame[0] for frame in inverter.frames if frame[1] == 0x355 and frame[0] >= since]
    return [b - a for a, b in zip(times, times[1:])]


def test_hostile_http_clients_do_not_move_the_can_period():
    with Scene() as scene:
        gateway, inverter = small_rack(scene)
        online(gateway, 3)
        since = time.monotonic()
        slow = []
        for _ in range(100):  # half a request each, kept open
            client = socket.create_connection(("127.0.0.1", gateway.port))
            client.sendall(b"GET /api/v1/battery HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
            slow.append(client)
        for request in (b"GET /../../etc/passwd HTTP/1.1\r\n\r\n", b"\0\xff\r\n\r\n", b"POST /api/v1/login HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", gateway.port)) as client:
                client.settimeout(3)
                try:
                    client.sendall(request + b"A" * 100000)
                    client.recv(1000)
                except OSError:
                    pass
        time.sleep(4)
        gaps = can_gaps(inverter, since)
        assert len(gaps) >= 3 and max(gaps) < 1.3, gaps
        for client in slow:
            client.close()
        wait_for("the page answers again", lambda: gateway.try_get("/api/v1/battery"), 20)


def test_a_broker_that_is_away_does_not_matter():
    with Scene() as scene:
        gateway, inverter = small_rack(scene, config="battery: {join_time_s: 1}\nmqtt: {host: 127.0.0.1, port: 1}")
        online(gateway, 3)
        since = time.monotonic()
        time.sleep(3.5)
        assert max(can_gaps(inverter, since)) < 1.3


def test_a_disk_that_cannot_be_written_does_not_matter():
    with Scene() as scene:
        gateway, inverter = small_rack(scene, config="battery: {join_time_s: 1}\nstore: {path: /proc/nowhere/history.db}")
        online(gateway, 3)
        assert gateway.battery()["charge_current_limit_a"] is not None


BAD_CONFIGURATIONS = [
    ("", "1:1: 'buses' is missing"),
    ("buses:\n  - {port: /dev/null, bauds: 9600}\n", "2:23: unknown key 'bauds'"),
    ("buses:\n  - {port: /dev/null, baud: 9601}\n", "2:29: 9601 is not a usual bit rate"),
    ("buses:\n  - {port: /dev/null, addresses: 0-99}\n", "2:34: addresses are"),
    ("buses:\n  - {port: /dev/null}\n  - {port: /dev/null}\n", "3:12: port '/dev/null' is already used"),
    ("buses: [{port: /dev/null, addresses: 1-15}, {port: /dev/zero, addresses: 1-2}]\n", "1:8: 17 addresses are listed"),
    ("buses: [{port: /dev/null, protocol: pack/nonsense}]\n", "1:37: there is no protocol 'pack/nonsense'"),
    ("buses: [{port: /dev/null}]\ninverters: [{protocol: can/pylon-lv-1.2, port: /dev/ttyS0}]\n", "slcan:/dev/ttyS0"),
    ("buses: [{port: /dev/null}]\ninverters: [{protocol: can/pylon-lv-1.2, port: can0, options: {pads: yes}}]\n", "pads"),
    ("buses: [{port: /dev/null}]\nbattery: {charge_target_cell_v: 9}\n", "2:33: "),
    ("buses: [\n", "not YAML"),
]


def test_a_wrong_configuration_is_refused_with_its_place():
    with Scene() as scene:
        for number, (text, complaint) in enumerate(BAD_CONFIGURATIONS):
            path = os.path.join(scene.directory, f"bad{number}.yaml")
            with open(path, "w") as out:
                out.write(text)
            run = subprocess.run([os.path.join(BIN, "onepackd"), "-c", path], capture_output=True, text=True, timeout=20,
                                 env=dict(os.environ, ONEPACK_PROTOCOLS=os.path.join(SOURCE, "protocols")))
            assert run.returncode == 2, (text, run)
            assert complaint in run.stderr, (complaint, run.stderr)
            assert run.stderr.startswith(path + ":"), run.stderr


if __name__ == "__main__":
    run_tests(sys.modules[__name__])
