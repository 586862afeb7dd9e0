#!/usr/bin/env python3
"""Writes the results of a script as the runner writes its own, with what ./runner --stale asks of them: the meta of the
run and the hash of each kernel's code.

    results_json.py RUNNER FILE NAME=JSON… -- COMMAND… <ROWS

NAME=JSON are members of the file, the schema among them; the last NAME, without a value, is that of the rows, which
come in a line of JSON each. RUNNER is asked for the meta and the hashes (--list --json=-), COMMAND made the file.
"""
import json
import os
import subprocess
import sys


def main():
    runner, file, *words = sys.argv[1:]
    split = words.index("--")
    members, command = words[:split], words[split + 1:]
    rows = [line.strip() for line in sys.stdin if line.strip()]
    kernels = {json.loads(row)["kernel"] for row in rows}

    listed = json.loads(subprocess.run([runner, "--list", "--json=-"], check=True, stdout=subprocess.PIPE).stdout)
    head = dict(member.split("=", 1) for member in members[:-1])
    head = {name: json.loads(text) for name, text in head.items()}
    head["meta"] = listed["meta"] | {"argv": command}
    head["code"] = {kernel["name"]: kernel["code"] for kernel in listed["kernels"] if kernel["name"] in kernels}

    # A row a line: the file is read by people and by diff, too.
    text = "{\n" + "".join(f"  {json.dumps(name)}: {json.dumps(value)},\n" for name, value in head.items())
    text += f"  {json.dumps(members[-1])}: [\n    " + ",\n    ".join(rows) + "\n  ]\n}\n"
    temporary = f"{file}.{os.getpid()}.tmp"
    with open(temporary, "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(temporary, file)


main()
