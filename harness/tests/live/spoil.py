#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Spoils copies of scenarios, for vacuous.t: `spoil.py SCENARIOS OUT [--short]` writes OUT/no-limit/NAME, whose triggers
run as their controls do, and OUT/other-cause/NAME, which predicts another cause, and prints "HOW NAME" for each. --short
leaves out cases until each trigger has one, and all remedies but the first that helps: for guests, where time is dear."""
import copy
import json
import os
import shutil
import sys

import yaml

OTHER = {"rlimit-as": "rlimit-data", "memcg-max": "system-oom", "pids-max": "threads-max"}


def cases_of(scenario, run):
    return run.get("cases", [c["name"] for c in scenario.get("cases", [])] or [None])


def as_control(scenario, run):
    """The trigger once per control that shares a case with it, with the control's environment and arguments."""
    for control in scenario["runs"]:
        shared = [c for c in cases_of(scenario, run) if c in cases_of(scenario, control)]
        if control["role"] != "control" or not shared:
            continue
        spoiled = copy.deepcopy(run)
        spoiled["name"] = f"{run['name']} like {control['name']}"
        if shared != [None]:
            spoiled["cases"] = shared
        if "when" in control:  # elsewhere it is no control
            spoiled["when"] = copy.deepcopy(control["when"])
        for key in ("environment", "arguments", "scope"):
            spoiled.pop(key, None)
            if key in control:
                spoiled[key] = copy.deepcopy(control[key])  # shared, it would be dumped as an alias
        yield spoiled


def without_limit(scenario):
    runs = []
    for run in scenario["runs"]:
        runs += list(as_control(scenario, run)) if run["role"] == "trigger" else [run]
    return {**scenario, "runs": runs}


def with_other_cause(node):
    if isinstance(node, dict):
        return {k: OTHER.get(v, "rlimit-as") if k == "cause" else with_other_cause(v) for k, v in node.items()}
    return [with_other_cause(v) for v in node] if isinstance(node, list) else node


def fewer_cases(scenario):
    """Every trigger stays, in one of its cases if it has several."""
    kept = []
    for run in scenario["runs"]:
        if run["role"] == "trigger" and not set(cases_of(scenario, run)) & set(kept):
            kept.append(cases_of(scenario, run)[0])
    if "cases" not in scenario:
        return scenario
    runs = [{**run, "cases": [c for c in cases_of(scenario, run) if c in kept]} for run in scenario["runs"]]
    return {**scenario, "cases": [c for c in scenario["cases"] if c["name"] in kept], "runs": [r for r in runs if r["cases"]]}


def shortened(scenario):
    """Only the triggers are of interest, but a manifest needs a remedy for each case."""
    runs, helped = [], set()
    for run in scenario["runs"]:
        if run["role"] == "remedy":
            new = set(cases_of(scenario, run)) - helped
            if run.get("helps", True) is False or not new or "when" in run:
                continue
            helped |= new
        runs.append(run)
    missing = set(cases_of(scenario, {})) - helped
    return scenario if missing else {**scenario, "runs": runs}


def main(source, out, short=None):
    for name in sorted(os.listdir(source)):
        manifest = os.path.join(source, name, "scenario.yaml")
        if not os.path.exists(manifest):
            continue
        with open(manifest, encoding="utf-8") as file:
            scenario = yaml.safe_load(file)
        for part in [scenario, *scenario.get("cases", [])]:
            part.pop("locate", None)  # of runs that are spoiled there is no boundary
        if short:
            scenario = shortened(fewer_cases(scenario))
        for how, spoiled in (("no-limit", without_limit(scenario)), ("other-cause", with_other_cause(scenario))):
            directory = os.path.join(out, how, name)
            shutil.copytree(os.path.join(source, name), directory)
            with open(os.path.join(directory, "scenario.yaml"), "w", encoding="utf-8") as file:
                json.dump(spoiled, file, indent=1, ensure_ascii=False)  # is YAML, and has no quotes that YAML knows in other ways
            print(how, name)


main(*sys.argv[1:])
