# SPDX-License-Identifier: MIT
"""The commands of a page's boxes, as whoever copies them has them.

report-boxes.py PAGE SCENARIO Reproduce: every block of the box, one after the other.
report-boxes.py PAGE SCENARIO Fix REMEDY: the blocks of the remedy of that name; of several with it, of the first.
report-boxes.py PAGE SCENARIO Fix REMEDY what: what the page says of that remedy, in words.
"""
import signal
import sys
import xml.etree.ElementTree as tree

signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # who wants the first line reads no more


def name(element):
    return element.tag.split("}")[-1]


def text(element):
    return "".join(element.itertext())


def within(element, wanted):
    return [e for e in element.iter() if name(e) == wanted]


page, scenario, wanted, remedy, what = (sys.argv[1:] + [None, None])[:5]
for section in within(tree.parse(page).getroot(), "section"):
    if section.get("id") != "scenario-" + scenario:
        continue
    for box in within(section, "div"):
        if "box" not in box.get("class", "").split() or text(within(box, "h3")[0]) != wanted:
            continue
        if remedy:
            box = [item for item in within(box, "li") if text(within(item, "strong")[0]) == remedy][0]
        print("\n".join(text(block) for block in within(box, "p" if what else "pre")))
