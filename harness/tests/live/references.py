#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""references.py SCENARIOS REFERENCE...: has each reference exactly the scenarios, cases and runs of the manifests, as they are for
its kernel? What differs is printed, a line each; nothing where all is well. The manifests are read here once more, and their
`when` is judged by other code than the harness's own."""
import json
import operator
import pathlib
import re
import sys

import yaml

RELATIONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def version(text):
    return tuple(int(n) for n in re.match(r"(\d+)\.(\d+)", text).groups())


def fits(terms, kernel):
    for term in (terms or "").split():
        relation, number = re.match(r"([<>]=?)(.*)", term).groups()
        if not RELATIONS[relation](version(kernel), version(number)):
            return False
    return True


def planned(manifest, kernel, cgroup):
    """The runs that exist where the memory controller, or that of the scenario, has this version."""
    runs = set()
    for case in manifest.get("cases", [{"name": None}]):
        for run in manifest["runs"]:
            when = run.get("when", {})
            if "cases" in run and case["name"] not in run["cases"]:
                continue
            if fits(when.get("kernel"), kernel) and when.get("cgroup", cgroup) == cgroup:
                runs.add((case["name"], run["name"], run["role"]))
    return runs


def main(directory, *references):
    manifests = {}
    for path in pathlib.Path(directory).glob("*/scenario.yaml"):
        manifests[path.parent.name] = yaml.safe_load(path.read_text(encoding="utf-8"))
    for reference in references:
        result = json.loads(pathlib.Path(reference).read_text(encoding="utf-8"))
        kernel = result["host"]["kernel"]
        made = {s["name"]: s for s in result["scenarios"]}
        for name in sorted(set(manifests) ^ set(made)):
            print(f"{kernel}: {name}: only in the {'manifests' if name in manifests else 'reference'}")
        for name in sorted(set(manifests) & set(made)):
            needs = manifests[name].get("needs", {})
            if not made[name]["runs"] and (not fits(needs.get("kernel"), kernel) or needs.get("cgroup") == "v1"):
                continue  # skipped as a whole: the kernel is another one, or has v1 for no controller any more
            of_v1 = planned(manifests[name], kernel, "v1")
            wanted = of_v1 if needs.get("cgroup") == "v1" else planned(manifests[name], kernel, "v2")
            there = {(r.get("case"), r["name"].removeprefix(f"{r.get('case')}: "), r["role"]) for r in made[name]["runs"]}
            # A guest with v1 makes those that ask for it, where the kernel has it.
            for case, run, role in sorted((wanted ^ there) - (there & of_v1), key=str):
                where = "manifest" if (case, run, role) in wanted else "reference"
                print(f"{kernel}: {name}/{case}: {role} '{run}': only in the {where}")


main(*sys.argv[1:])
