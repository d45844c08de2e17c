#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks one linked image of the firmware against the rules of docs/firmware/rules.md, and prints its figures:

    check_image.py IMAGE.elf --flash-max BYTES --ram-max BYTES [--calls TABLE] [--usage FOLDER]

Stack: the call graph is read from the disassembly of the linked image, libraries included, so that it is of what runs and not of
what was compiled. A frame is the sum of all that a function's instructions push or subtract from the stack pointer, which is never
too little. Calls through pointers are listed in TABLE, with all they can reach; a caller that is not there, and a function whose address is kept but
reachable through none, is an error, and so is recursion. On top of the deepest chain from the reset comes one interrupt with its
exception frame, and one fault in that interrupt: no interrupt interrupts another.

The compiler's own figures (FOLDER with .su files) must not be larger, and no frame may be of variable size."""

import argparse
import collections
import os
import re
import subprocess
import sys

EXCEPTION = 32 + 4 + 4  # eight words, alignment, and the odd word that a handler may leave below it
HEAP = {"malloc", "free", "calloc", "realloc", "_malloc_r", "_free_r", "_sbrk", "_sbrk_r", "sbrk"}
FLOAT = re.compile(r"^__aeabi_(f|d|ui2[fd]|i2[fd]|ul2[fd]|l2[fd])")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Function:
    def __init__(self, name):
        self.name = name
        self.frame = 0
        self.calls = set()  # addresses
        self.indirect = False


def registers(text):
    """How many registers a list like {r4, r6-r8, lr} names."""
    count = 0
    for part in text.strip("{} ").split(","):
        ends = part.strip().split("-")
        count += int(ends[1][1:]) - int(ends[0][1:]) + 1 if len(ends) == 2 else 1
    return count


def look(function, operation, operands, address):
    """Adds to a function what one instruction does to the stack and whom it calls."""
    operation = operation.removesuffix(".w").removesuffix(".n")
    if operation == "push":
        function.frame += 4 * registers(operands)
    elif operation in ("stmdb", "stmfd") and operands.startswith("sp!"):
        function.frame += 4 * registers(operands.split(",", 1)[1])
    elif operation == "str" and (match := re.search(r"\[sp, #-(\d+)\]!", operands)):
        function.frame += int(match[1])
    elif operation == "strd" and (match := re.search(r"\[sp, #-(\d+)\]!", operands)):
        function.frame += int(match[1])
    elif operation in ("sub", "subw") and (match := re.match(r"sp, (?:sp, )?#(\d+)", operands)):
        function.frame += int(match[1])
    elif operation in ("sub", "add") and re.match(r"sp, (?:sp, )?[rl]", operands) and "r7" not in operands:
        raise SystemExit(f"{function.name}: a frame of variable size at {address}")
    elif operation == "blx" and re.match(r"(r\d+|ip|lr)", operands):
        function.indirect = True
    elif operation == "bx" and operands != "lr":
        function.indirect = True
    elif re.match(r"(bl|b)(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?$|cbn?z$|blx$", operation):
        target = re.search(r"(?:^|, )([0-9a-f]+) <([^>+]+)(\+0x[0-9a-f]+)?>", operands)
        if target:
            function.calls.add(int(target[1], 16))


def disassemble(elf):
    """{address: Function} of the whole image; a jump into a function counts as a call of it."""
    functions, here = {}, None
    for line in run("arm-none-eabi-objdump", "-d", "--no-show-raw-insn", elf).splitlines():
        if match := re.match(r"([0-9a-f]+) <([^>]+)>:", line):
            here = functions.setdefault(int(match[1], 16), Function(match[2]))
        elif here and (match := re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*([^;@]*)", line)):
            look(here, match[2], match[3].strip(), match[1])
    starts = sorted(functions)
    for function in functions.values():
        inside = set()
        for address in function.calls:
            start = max((s for s in starts if s <= address), default=None)
            if start is not None and functions[start] is not function:  # else a loop; self_calls() looks after the rest
                inside.add(start)
        function.calls = inside
    return functions


def self_calls(elf):
    """Functions that call themselves: `bl` to their own beginning."""
    found, here = set(), ""
    for line in run("arm-none-eabi-objdump", "-d", "--no-show-raw-insn", elf).splitlines():
        if match := re.match(r"[0-9a-f]+ <([^>]+)>:", line):
            here = match[1]
        elif re.search(rf"\sbl\s+[0-9a-f]+ <{re.escape(here)}>", line):
            found.add(here)
    return found


def plain(name):
    """Without what the compiler adds to the name of a part or a variant of a function."""
    return re.sub(r"\.(isra|part|constprop|cold)\.?\d*", "", name)


def read_table(path, stored):
    """Lines `caller caller...: callee @group...` and `@group: callee callee...`. @rest is what is stored and has no line."""
    table, groups = {}, {}
    for line in open(path) if path else []:
        line = line.split("#")[0].strip()
        if not line:
            continue
        left, right = line.split(":")
        callees = set()
        for word in right.split():
            callees |= groups[word] if word in groups else {word}
        for caller in left.split():
            (groups if caller.startswith("@") else table).setdefault(caller, set()).update(callees)
    rest = stored - set().union(*table.values()) if table else set()
    return {caller: callees - {"@rest"} | (rest if "@rest" in callees else set()) for caller, callees in table.items()}


def contents(elf, section):
    """The bytes of a section, b"" when there is none."""
    text = subprocess.run(["arm-none-eabi-objdump", "-s", "-j", section, elf], capture_output=True, text=True).stdout
    lines = (re.match(r" [0-9a-f]+ ((?:[0-9a-f]{2,8} ){1,4})", line) for line in text.splitlines())
    return bytes.fromhex("".join(match[1].replace(" ", "") for match in lines if match))


def taken(elf, functions, handlers):
    """Functions whose address is kept somewhere, so that a pointer may hold it; the vector table does not count."""
    words = collections.Counter()
    for section in (".text", ".data"):
        data = contents(elf, section)
        words.update(int.from_bytes(data[i:i + 4], "little") for i in range(0, len(data) - 3, 4))
    words.subtract(handler | 1 for handler in handlers)
    return {functions[word - 1].name for word, count in words.items() if count > 0 and word - 1 in functions}


def apply_table(functions, path, stored, problems):
    names = {}
    for address, function in functions.items():
        names.setdefault(plain(function.name), set()).add(address)
    stored = {plain(name) for name in stored}
    table = read_table(path, stored)
    for name in sorted(stored - set().union(*table.values())):
        problems.append(f"the address of {name} is kept, and no row of the table has it")
    for function in functions.values():
        if not function.indirect:
            continue
        callees = table.get(plain(function.name))
        if callees is None:
            problems.append(f"{function.name} calls through a pointer and is not in the table")
            continue
        for callee in callees:
            function.calls |= names.get(callee, set())  # not every image has every callee
        if not any(callee in names for callee in callees) and "-" not in callees:
            problems.append(f"{function.name}: no callee of the table is in this image")


def depth(functions, address, chain, known, problems):
    """(bytes, names) of the deepest chain from a function."""
    function = functions[address]
    if address in chain:
        problems.append("recursion: " + " > ".join(functions[a].name for a in chain[chain.index(address):] + [address]))
        return 0, []
    if address not in known:
        below = [depth(functions, callee, chain + [address], known, problems) for callee in sorted(function.calls)]
        size, names = max(below, default=(0, []), key=lambda entry: entry[0])
        known[address] = (function.frame + size, [f"{function.name} {function.frame}"] + names)
    return known[address]


def symbols(elf):
    table = {}
    for line in run("arm-none-eabi-nm", elf).splitlines():
        value, _, name = line.rpartition(" ")
        table[name] = int(value.split()[0], 16) if value.split()[0:1] and len(value.split()) == 2 else 0
    return table


def vectors(elf, table):
    """Addresses of the handlers in the vector table, which every image begins with; the reset first."""
    size = next(int(line.split()[1], 16) for line in run("arm-none-eabi-nm", "-S", elf).splitlines() if line.endswith(" fw_vectors"))
    assert table["fw_vectors"] == table["fw_image_start"]
    data = contents(elf, ".text")
    return [int.from_bytes(data[i:i + 4], "little") & ~1 for i in range(4, size, 4)]


def check_usage(functions, folder, problems):
    """The compiler's figure of a function with a name of its own must not exceed ours."""
    mine, theirs = {}, {}
    for function in functions.values():
        mine.setdefault(function.name, []).append(function.frame)
    for path, _, files in os.walk(folder):
        for name in files:
            if not name.endswith(".su"):
                continue
            for line in open(os.path.join(path, name)):
                where, size, kind = line.rstrip().split("\t")
                if kind != "static":
                    problems.append(f"{where}: a frame that is {kind}")
                theirs.setdefault(where.rsplit(":", 1)[1], set()).add(int(size))
    compared = 0
    for name, frames in mine.items():
        if len(frames) == 1 and len(theirs.get(name, ())) == 1:
            compared += 1
            if frames[0] < min(theirs[name]):
                problems.append(f"{name}: {frames[0]} bytes here, {theirs[name]} by the compiler")
    return compared


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("elf")
    parser.add_argument("--flash-max", type=int, required=True)
    parser.add_argument("--ram-max", type=int, required=True)
    parser.add_argument("--calls")
    parser.add_argument("--usage")
    parser.add_argument("--chain", action="store_true", help="print the deepest chain")
    options = parser.parse_args()
    if not os.path.exists(options.elf):
        print(f"SKIPPED: {options.elf} is not built; `./dev firmware` does")
        sys.exit(77)
    problems = []

    table = symbols(options.elf)
    for name in sorted(table):
        if name in HEAP:
            problems.append(f"the heap is used: {name}")
        if FLOAT.match(name):
            problems.append(f"floating point is used: {name}")

    functions = disassemble(options.elf)
    problems += [f"recursion: {name} calls itself" for name in sorted(self_calls(options.elf))]
    reset, *handlers = vectors(options.elf, table)
    apply_table(functions, options.calls, taken(options.elf, functions, [reset] + handlers), problems)
    compared = check_usage(functions, options.usage, problems) if options.usage else 0
    known = {}
    main_depth, main_chain = depth(functions, reset, [], known, problems)
    handler_depth, handler_chain = max(depth(functions, h, [], known, problems) for h in set(handlers))
    fault_depth, _ = depth(functions, table["fw_fault"] & ~1, [], known, problems)
    bound = main_depth + EXCEPTION + handler_depth + EXCEPTION + fault_depth
    stack = table["fw_stack_top"] - table["fw_stack_bottom"]

    flash = table["fw_image_end"] - table["fw_image_start"]
    ram = stack + table["fw_bss_end"] - table["fw_data_start"]
    for what, size, limit in (("flash", flash, options.flash_max), ("RAM", ram, options.ram_max), ("stack", bound, stack)):
        if size > limit:
            problems.append(f"{what}: {size} bytes, {limit} are allowed")
    print(f"{os.path.basename(options.elf)}: flash {flash} of {options.flash_max}, RAM {ram} of {options.ram_max} with a stack of "
          f"{stack}, of which at most {bound} are used (main {main_depth}, interrupt {handler_depth}); "
          f"{len(functions)} functions, {compared} frames compared with the compiler's")
    if options.chain or bound > stack:
        print("  " + " > ".join(main_chain) + "\n  interrupt: " + " > ".join(handler_chain))
    for problem in problems:
        print(f"  PROBLEM: {problem}")
    sys.exit(1 if problems else 0)


main()
