# SPDX-License-Identifier: Apache-2.0
"""Measures the running gateway against the bounds that physics sets; one JSON object a line: name, value, unit, and the bound
where there is one. Not a test: nothing here fails on a slow machine. Run by `./dev bench`."""

import json
import os
import re
import select
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "system"))
from racks import small_rack  # noqa: E402
from rig import BIN, SOURCE, Scene, wait_for  # noqa: E402
from simulated import SimulatedRack  # noqa: E402

RECORD_BYTES, REQUEST_BYTES, BITS, BAUD = 308, 11, 10, 115200
GAP_S = 0.100  # a JK pack wants 100 ms after each exchange
TURNAROUND_S = 0.010  # and starts to answer within about 10 ms


def say(name, value, unit, **more):
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit, **more}), flush=True)


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def poll_cycle(seconds):
    bound = 15 * ((RECORD_BYTES + REQUEST_BYTES) * BITS / BAUD + TURNAROUND_S + GAP_S)
    with Scene() as scene:
        rack = SimulatedRack(scene, lines=["rack=1-15"])
        wait_for("15 packs", lambda: rack.gateway.battery()["packs_online"] == 15, 60)
        cycles = {}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            bus = rack.gateway.get("/api/v1/buses")[0]
            cycles[bus["cycles"]] = bus["cycle_s"]
            time.sleep(0.3)
    cycle = statistics.median(cycles.values())
    say("poll_cycle_15_jk_packs", cycle, "s", bound=round(bound, 4), over_bound_pct=round(100 * (cycle / bound - 1), 2), aim_over_bound_pct=5)


def own_poll_cycle(baud, seconds):
    """Packs with our firmware: SYNC, then 72 words of each; before every frame the silence of 3.5 characters, 1.75 ms at least."""
    silence = max(0.00175, 39 / baud)
    bound = 16 * ((8 + 149) * BITS / baud + 2 * silence) + 23 * BITS / baud + silence
    with Scene() as scene:
        rack = SimulatedRack(scene, lines=["rack=1-16"], packs="onepack", baud=baud)
        wait_for("16 packs", lambda: rack.gateway.battery()["packs_online"] == 16, 90)
        time.sleep(5)  # the search has calmed down
        cycles = {}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            bus = rack.gateway.get("/api/v1/buses")[0]
            cycles[bus["cycles"]] = bus["cycle_s"]
            time.sleep(0.1)
    cycle = statistics.median(cycles.values())
    say(f"poll_cycle_16_own_packs_{baud}", cycle, "s", bound=round(bound, 4), over_bound_pct=round(100 * (cycle / bound - 1), 2),
        aim_over_bound_pct=5)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid, key):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith(key):
                return int(line.split()[1]) / 1024
    return 0.0


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(child) for child in listed.read().split()]


def hammer(gateway, stop):
    """A busy house: three browsers that reload and ask for history all the time."""
    while not stop.is_set():
        for path in ("/api/v1/battery", "/metrics", "/api/v1/history?from=0&to=4000000000&step=60&fields=soc_pct,power_w"):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{gateway.port}{path}", timeout=5).read()
            except OSError:
                pass
        time.sleep(0.05)


def steady_state(seconds):
    with Scene() as scene:
        rack = SimulatedRack(scene, lines=["rack-a=1-8", "rack-b=1-8"])
        gateway = rack.gateway
        wait_for("16 packs", lambda: gateway.battery()["packs_online"] == 16, 60)
        pid = gateway.process.pid
        time.sleep(2)
        cpu, start = cpu_seconds(pid), time.monotonic()
        time.sleep(seconds)
        span = time.monotonic() - start
        say("daemon_cpu_16_packs", 100 * (cpu_seconds(pid) - cpu) / span, "% of one core", aim=2)
        say("daemon_rss_16_packs", memory_mb(pid, "VmRSS"), "MB", aim=16)
        for number, child in enumerate(children(pid)):
            say(f"link_{number}_rss", memory_mb(child, "VmRSS"), "MB")


def disk_per_day():
    """A day of 16 packs written to a real file in virtual time; counted by the kernel."""
    tool = os.path.join(BIN, "..", "test", "tests", "store_day")
    if not os.path.exists(tool):
        return
    with Scene() as scene:
        run = subprocess.run([tool, scene.directory, "16", "2"], capture_output=True, text=True)
        per_day = re.findall(r"([0-9.]+) MB written", run.stdout)
        if per_day:
            say("disk_written_per_day", float(per_day[-1]), "MB/day")


def can_period(seconds):
    with Scene() as scene:
        gateway, inverter = small_rack(scene)
        wait_for("frames", lambda: inverter.limits(), 20)
        wait_for("packs", lambda: gateway.battery()["packs_online"] == 3, 20)
        stop = threading.Event()
        clients = [threading.Thread(target=hammer, args=(gateway, stop), daemon=True) for _ in range(3)]
        for client in clients:
            client.start()
        since = time.monotonic()
        time.sleep(seconds)
        stop.set()
        errors = []
        for can_id in {frame[1] for frame in inverter.frames}:
            times = [frame[0] for frame in inverter.frames if frame[1] == can_id and frame[0] >= since]
            errors += [abs(b - a - 1.0) * 1000 for a, b in zip(times, times[1:])]
        say("can_period_error_p50", percentile(errors, 0.5), "ms", samples=len(errors), aim=10)
        say("can_period_error_p99_9", percentile(errors, 0.999), "ms", samples=len(errors), aim=100)


def can_period_on_a_controller():
    """In the emulated machine of the CAN tests, because this one may have no CAN."""
    can = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "can")
    run = subprocess.run([os.path.join(can, "machine.sh"), "qemu", sys.executable, os.path.join(can, "measure.py")],
                         env=dict(os.environ, ONEPACK_BIN=os.path.abspath(BIN)), stdout=subprocess.PIPE, text=True)
    print(run.stdout, end="", flush=True, file=sys.stdout if run.returncode == 0 else sys.stderr)


def answer_to_frame(rounds):
    """From the last byte of a pack's answer that lowers a limit to the new 0x351 on the CAN bus."""
    from racks import slave_records

    with Scene() as scene:
        gateway, inverter = small_rack(scene, count=1)
        wait_for("limits", lambda: inverter.limits() and inverter.limits()[1] > 0, 20)
        latencies, stations = [], scene.packs
        answered = []
        plain = stations.send
        stations.send = lambda data: (plain(data), answered.append(time.monotonic()))
        for _ in range(rounds):
            stations.records[1] = slave_records(1, {198: b"\0\0"})  # both switches open: no current
            known = len(answered)
            wait_for("zero limits", lambda: inverter.limits()[1] == 0, 20)
            zero = next(frame[0] for frame in inverter.frames if frame[0] > answered[known - 1] and frame[1] == 0x351
                        and frame[2][2:4] == b"\0\0")
            before = [when for when in answered if when <= zero]
            latencies.append((zero - before[-1]) * 1000)
            stations.records[1] = slave_records(1)
            wait_for("limits", lambda: inverter.limits()[1] > 0, 60)
        say("pack_answer_to_can_frame_p50", statistics.median(latencies), "ms", samples=len(latencies), aim=5)
        say("pack_answer_to_can_frame_max", max(latencies), "ms", samples=len(latencies))


def questions(protocol):
    """The requests in the protocol's vectors: captured from inverters and monitors, or from vendor texts."""
    with open(os.path.join(SOURCE, "tests/vectors", protocol + ".txt")) as vectors:
        for line in vectors:
            if line.startswith("ask ~"):
                yield line[4:].strip().encode() + b"\r"
            elif re.match(r"ask [0-9A-F]{2} ", line):
                yield bytes.fromhex(line[4:])


def longest_question(protocol, battery):
    """The one with the longest answer, and that answer's length."""
    asked = list(questions(protocol))
    run = subprocess.run([os.path.join(BIN, "onepack"), "wire", "answer", protocol, "--battery", battery], text=True,
                         input="".join(one.hex() + "\n" for one in asked), capture_output=True, env=SimulatedRack.environment())
    answers = [len(line) // 2 if line != "-" else 0 for line in run.stdout.split()]
    best = max(range(len(answers)), key=answers.__getitem__)
    return asked[best], answers[best]


def time_answer(master, question, length):
    """Milliseconds from the question to the first and to the last byte of the answer; None without one."""
    start, first, got = time.monotonic(), None, 0
    os.write(master, question)
    while got < length and select.select([master], [], [], 0.5)[0]:
        got += len(os.read(master, 4096))
        first = first or (time.monotonic() - start) * 1000
    return None if got < length else (first, (time.monotonic() - start) * 1000)


def answer_latency(rounds):
    """Each RS485 profile with 16 packs of data, over a pty: the reaction without the wire time."""
    protocols = sorted("rs485/" + name[:-5] for name in os.listdir(os.path.join(SOURCE, "protocols/rs485")))
    for group in (protocols[:5], protocols[5:]):
        with Scene() as scene:
            lines = {protocol: scene.pty(protocol.replace("/", "-")) for protocol in group}
            rack = SimulatedRack(scene, inverters=(), links="".join(f"  - {{protocol: {p}, port: {line.path}}}\n"
                                                                    for p, line in lines.items()))
            wait_for("16 packs", lambda: rack.gateway.battery()["packs_online"] == 16, 60)
            battery = os.path.join(scene.directory, "battery.json")
            with open(battery, "w") as out:
                json.dump(rack.gateway.battery(), out)
            for protocol, line in lines.items():
                question, length = longest_question(protocol, battery)
                times = []
                for _ in range(rounds):
                    times += [time_answer(line.master, question, length)]
                    time.sleep(0.02)
                good = [last for _, last in filter(None, times)]
                if good:
                    say("answer_" + protocol, percentile(good, 0.5), "ms", p99=round(percentile(good, 0.99), 2),
                        answer_bytes=length, answered=len(good), asked=rounds)
                else:
                    say("answer_" + protocol, -1, "ms", answered=0, asked=rounds)


def simulated_days():
    """16 packs in virtual time, by the CPU time that the tool itself counts: with no faults and with those that seeds draw."""
    for name, faults in (("sim_rack_days_per_s", "none"), ("sim_rack_days_per_s_swarm", "swarm")):
        run = subprocess.run([os.path.join(BIN, "onepack"), "sim", "run", "--seeds", "2-6", "--packs", "16", "--faults", faults],
                             capture_output=True, text=True, env=SimulatedRack.environment())
        pace = re.search(r"([0-9.]+) rack-days in [0-9.]+ s \(([0-9.]+) s of one core", run.stdout[run.stdout.rfind("5 runs"):])
        if pace:
            say(name, float(pace[1]) / float(pace[2]), "rack-days of 16 packs per second of one core", aim=1)


def main():
    seconds = int(os.environ.get("ONEPACK_BENCH_SECONDS", "30"))
    poll_cycle(seconds)
    own_poll_cycle(115200, seconds)
    own_poll_cycle(9600, seconds)
    steady_state(seconds)
    disk_per_day()
    can_period(seconds)
    can_period_on_a_controller()
    answer_to_frame(5)
    answer_latency(200)
    simulated_days()


if __name__ == "__main__":
    main()
