# SPDX-License-Identifier: Apache-2.0
"""Makes Promela of a transition table: the words (states in capitals, since `active` is a keyword of Promela), `meet(state, event)` which picks any row of the state, `apply(state, event)`
for a given event, and MISSING(event).   python3 generate.py NAME.table > NAME.h"""

import sys


def read(path):
    events, rows = {}, []
    with open(path) as lines:
        for line in lines:
            words = line.split("#")[0].split()
            if not words:
                continue
            if words[0] == "event":
                name, comes, kind = words[1:]
                assert comes in ("quiet", "answer", "any") and kind in ("missing", "news"), line
                events[name] = kind
            else:
                start, event, end = words
                assert event in events, line
                rows.append((start, event, end))
    assert len({row[:2] for row in rows}) == len(rows), f"{path}: a state has two ends for one event"
    assert {row[2] for row in rows} <= {row[0] for row in rows}, f"{path}: a state without a way on"
    return events, rows


def main():
    events, rows = read(sys.argv[1])
    rows = [(start.upper(), event, end.upper()) for start, event, end in rows]
    states = list(dict.fromkeys(row[0] for row in rows))
    print(f"/* made by generate.py from {sys.argv[1].rsplit('/', 1)[-1]} */")
    print(f"mtype:state = {{ {', '.join(states)} }};")
    print(f"mtype:event = {{ {', '.join(events)} }};")
    missing = " || ".join(f"(e) == {name}" for name, kind in events.items() if kind == "missing")
    print(f"#define MISSING(e) ({missing})")
    print("inline meet(s, e) {\n\tif")
    for start, event, end in rows:
        print(f"\t:: s == {start} -> e = {event}; s = {end}")
    print("\tfi\n}")
    print("inline apply(s, e) {\n\tif")
    for start, event, end in rows:
        print(f"\t:: s == {start} && e == {event} -> s = {end}")
    print("\tfi\n}")


if __name__ == "__main__":
    main()
