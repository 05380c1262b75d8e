#!/usr/bin/env python3
"""Expectations of the userspace mode: those of the nftables mode in one directory, written to another, with the one documented
difference: endpoints see the node as the source of every connection. Its consequence: answers always come back through the node, so
where a pod of another node got none from an endpoint on its own node (which answered it directly), it now does."""
import json
import pathlib
import sys

ANSWERED = {
    ("externalip-local", "rpod2 -> 198.18.10.15:80 tcp"): "rpod1:8080",
    ("lb-local", "rpod2 -> 198.18.20.17:80 tcp"): "rpod1:8080",
    ("nodeport-ipv6", "rpod2 -> [2001:db8:7::11]:30121 tcp"): "rpod1:8080",
    ("nodeport-local", "rpod2 -> 203.0.113.11:30090 tcp"): "rpod1:8080",
    ("nodeport-local-remote-only", "rpod2 -> 203.0.113.11:30100 tcp"): "rpod1:8080",
    ("nodeport-local-remote-only", "rpod2 -> 203.0.113.11:30100 udp"): "rpod1:8080",
}


def relayed(case, probe, outcome):
    if endpoint := ANSWERED.get((case, probe)):
        outcome = {key: value for key, value in outcome.items() if key != "errors"}
        outcome["endpoints"] = sorted({*outcome.get("endpoints", []), endpoint})
        outcome["sources"] = ["node"]
    if outcome.get("sources"):
        outcome = {**outcome, "sources": ["node"]}
    return outcome


source, target = map(pathlib.Path, sys.argv[1:3])
target.mkdir(parents=True, exist_ok=True)
for file in source.glob("*.json"):
    expected = json.loads(file.read_text())
    for step in expected["steps"]:
        for probe in step:
            step[probe] = relayed(expected["case"], probe, step[probe])
    (target / file.name).write_text(json.dumps(expected, indent=2))
