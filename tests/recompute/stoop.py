"""Runs Stoop's program and reads its JSON."""

import json
import subprocess


class Stoop:
    def __init__(self, program, database):
        self.program, self.database = program, database

    def run(self, *arguments):
        command = [self.program, *arguments, "--db", self.database]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        if done.returncode != 0:
            raise SystemExit(f"recompute: {' '.join(arguments)} failed: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json"))

    def replay(self, map_, *files):
        self.run("replay", "--map", map_, *files)

    def markets(self, **options):
        return self.json("markets", "--limit", "1000", *pairs(options))["markets"]

    def market(self, path, **options):
        return self.json("market", path if "/" in path else path + "/", *pairs(options))

    def homes(self, path):
        return self.json("homes", path if "/" in path else path + "/", "--limit", "1000000")["homes"]


def pairs(options):
    return [part for name, value in options.items() for part in ("--" + name.replace("_", "-"), str(value))]
