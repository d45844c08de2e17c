#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are the tests of src/core worth anything? Makes one small change to a source file at a time (an operator, a constant, a
statement that is left out), builds the core with it, and runs the tests of tests/unit/core until one fails. A change that
no test notices is a survivor: a missing test, or a change that changes nothing (those are in equivalent.txt, with the
reason). Samples by seed, so that a figure can be repeated.

    mutants.py [N] [--seed S] [--file PART] [--without TEST] [--jobs J] [--list]
"""
import argparse
import concurrent.futures
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORE = os.path.join(ROOT, "src/core")
TESTS = os.path.join(ROOT, "tests/unit/core")
FLAGS = ["-std=gnu11", "-O1", "-w", "-fPIC", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-D_GNU_SOURCE", '-DONEPACK_VERSION="0"', f'-DONEPACK_SOURCE_DIR="{ROOT}"',
         f'-DONEPACK_BINARY_DIR="{ROOT}"', "-I" + os.path.join(ROOT, "include"), "-I" + os.path.join(ROOT, "src")]
TIMEOUT_S = 30

# What is changed into what; each match of a pattern outside comments, strings and macros is one mutant or more.
OPERATORS = [
    (r"(?<![<>=!\-+*/&|])<(?![<=])", ["<="]),
    (r"(?<![<>=!\-])>(?![>=])", [">="]),
    (r"<=", ["<"]),
    (r"(?<!->)>=", [">"]),
    (r"==", ["!="]),
    (r"!=", ["=="]),
    (r"&&", ["||"]),
    (r"\|\|", ["&&"]),
    (r"(?<![!=])!(?!=)", [""]),
    (r"(?<=[\w)\]]) \+ (?=[\w(])", [" - "]),
    (r"(?<=[\w)\]]) - (?=[\w(])", [" + "]),
    (r"(?<=[\w)\]]) / (?=[\w(])", [" * "]),
    (r"(?<=[\w)\]]) \* (?=[\w(])", [" / "]),
    (r"\+=", ["-="]),
    (r"-=", ["+="]),
    (r"\|=", ["="]),
    (r"&=", ["="]),
    (r"\btrue\b", ["false"]),
    (r"\bfalse\b", ["true"]),
    (r"(?<![\w.])(\d+)(?![\w.])", ["NEXT"]),
]
STATEMENT = re.compile(r"^\t+(?!return|break|continue|case|default|goto|const|static|struct|int|bool|enum)[\w>\-.\[\]*&()+, ]+?"
                       r"(?: (?:[-+|&]?=) [^;{}]+|\([^;{}]*\)|\+\+|--);$")


def masked(text):
    """The text with comments, strings and preprocessor lines blanked out, at the same positions."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    text = re.sub(r"/\*.*?\*/|//[^\n]*", blank, text, flags=re.S)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\])\'', blank, text)
    return re.sub(r"^#(?!define \w+ +\(?\d)(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.M)


def mutants_of(path):
    text = open(path, encoding="utf-8").read()
    mask = masked(text)
    found = []
    for pattern, changes in OPERATORS:
        for match in re.finditer(pattern, mask):
            for change in changes:
                if change == "NEXT":
                    change = str(int(match.group(0)) + 1)
                found.append((path, match.start(), match.end(), change))
    offset = 0
    for line in mask.splitlines(keepends=True):
        if STATEMENT.match(line.rstrip("\n")):
            start = offset + len(line) - len(line.lstrip("\t"))
            found.append((path, start, offset + len(line.rstrip("\n")), ";"))
        offset += len(line)
    return found


def describe(mutant):
    path, start, end, change = mutant
    text = open(path, encoding="utf-8").read()
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    before = text[line_start:line_end].strip()
    after = (text[line_start:start] + change + text[end:line_end]).strip()
    return f"{os.path.relpath(path, ROOT)}:{text.count(chr(10), 0, start) + 1}: {before}  ->  {after}"


def key(mutant):
    """The same without the line number, which moves."""
    return re.sub(r":\d+: ", ": ", describe(mutant), count=1)


def sources():
    return [os.path.join(CORE, name) for name in sorted(os.listdir(CORE)) if name.endswith(".c")]


def compile_to(source, target, extra=()):
    return subprocess.run(["cc", *FLAGS, *extra, "-c", source, "-o", target], stderr=subprocess.DEVNULL).returncode == 0


class Bench:
    """The core as a shared library of object files, and the tests linked against it."""

    def __init__(self, folder, without):
        self.folder = folder
        self.objects = {}
        self.tests = []
        for source in sources():
            self.objects[source] = os.path.join(folder, os.path.basename(source)[:-2] + ".o")
            if not compile_to(source, self.objects[source]):
                sys.exit(f"{source} does not compile")
        library = os.path.join(folder, "libcore.so")
        subprocess.run(["cc", "-fsanitize=address,undefined", "-shared", "-o", library, *self.objects.values()], check=True)
        for name in sorted(os.listdir(TESTS)):
            if name.startswith("test_") and name.endswith(".c") and not (without and without in name):
                target = os.path.join(folder, name[:-2])
                subprocess.run(["cc", *FLAGS, os.path.join(TESTS, name), "-o", target, "-L" + folder, "-lcore", "-lcmocka",
                                "-Wl,-rpath,$ORIGIN"], check=True)
                self.tests.append(target)
        failed = self.first_failure(folder, self.tests)
        if failed:
            sys.exit(f"{failed} fails without any change")

    def first_failure(self, folder, tests):
        for test in tests:
            try:
                run = subprocess.run([test], env={**os.environ, "LD_LIBRARY_PATH": folder, "ASAN_OPTIONS": "detect_leaks=0"},
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TIMEOUT_S, cwd=folder)
            except subprocess.TimeoutExpired:
                return os.path.basename(test)
            if run.returncode:
                return os.path.basename(test)
        return None

    def order(self, path):
        """The test of the changed file first, the slow one last."""
        own = "test_" + os.path.basename(path)[:-2]
        return sorted(self.tests, key=lambda test: (os.path.basename(test) != own, "property" in test, "trace" in test, test))

    def try_one(self, mutant):
        """'caught', 'survived', or 'invalid' when it does not compile or is the same program."""
        path, start, end, change = mutant
        text = open(path, encoding="utf-8").read()
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            source = os.path.join(folder, os.path.basename(path))
            target = source[:-2] + ".o"
            with open(source, "w", encoding="utf-8") as file:
                file.write(text[:start] + change + text[end:])
            if not compile_to(source, target, ["-I" + CORE]):
                return mutant, "invalid"
            if same_code(target, self.objects[path]):
                return mutant, "invalid"
            others = [file for name, file in self.objects.items() if name != path]
            library = os.path.join(folder, "libcore.so")
            subprocess.run(["cc", "-fsanitize=address,undefined", "-shared", "-o", library, target, *others], check=True)
            tests = []
            for test in self.order(path):  # beside the library: the tests look for it there
                link = os.path.join(folder, os.path.basename(test))
                os.link(test, link)
                tests.append(link)
            return mutant, "caught" if self.first_failure(folder, tests) else "survived"


def same_code(a, b):
    with open(a, "rb") as first, open(b, "rb") as second:
        return first.read() == second.read()


def equivalents():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "equivalent.txt")
    if not os.path.exists(path):
        return set()
    with open(path, encoding="utf-8") as file:
        return {line.strip() for line in file if line.strip() and not line.startswith("#")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=200, help="how many changes to try (200; 0 = all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--file", default="", help="only files with this in their name")
    parser.add_argument("--without", default="", help="do not use tests with this in their name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--list", action="store_true", help="only list what would be tried")
    options = parser.parse_args()
    known = equivalents()
    every = [mutant for path in sources() if options.file in os.path.basename(path) for mutant in mutants_of(path)]
    chosen = every[:]
    random.Random(options.seed).shuffle(chosen)
    chosen = [mutant for mutant in chosen if key(mutant) not in known]
    if options.count:
        chosen = chosen[:options.count]
    if options.list:
        print("\n".join(describe(mutant) for mutant in chosen))
        return 0
    result = {"caught": 0, "survived": 0, "invalid": 0}
    survivors = []
    folder = tempfile.mkdtemp(prefix="onepack-mutants-")
    try:
        bench = Bench(folder, options.without)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for mutant, verdict in pool.map(bench.try_one, chosen):
                result[verdict] += 1
                if verdict == "survived":
                    survivors.append(mutant)
                    print("survived " + describe(mutant), flush=True)
    finally:
        shutil.rmtree(folder)
    tried = result["caught"] + result["survived"]
    print(f"{len(every)} possible changes, {tried} tried (seed {options.seed}), {result['caught']} caught = "
          f"{100 * result['caught'] / max(tried, 1):.1f} %, {result['survived']} survived, {result['invalid']} are the same program "
          f"or none; {len(known)} known to change nothing")
    return 1 if tried and result["caught"] < 0.95 * tried else 0


if __name__ == "__main__":
    sys.exit(main())
