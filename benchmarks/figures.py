"""
From runs to figures: medians with their range, and the ratios. No I/O, no clock.

A figure is (median, lowest, highest) over the rounds.
A ratio divides within each round first, since runs of one round share the same weather, and then takes the
median of those quotients.
"""

from collections import defaultdict
from statistics import median

from benchmarks import cases

MICRO = 1e6


def figure(values):
    values = list(values)
    return [median(values), min(values), max(values)] if values else None


def cpu(run):
    """Microseconds of CPU, user and system, that one request cost the client."""
    return (run["user"] + run["sys"]) / run["requests"] * MICRO


def wall(run):
    return run["wall"] / run["requests"] * MICRO


def summary(runs):
    """{case: {client: {place: figures, or {"error": reason}}}}"""
    grouped = defaultdict(list)
    for run in runs:
        grouped[run["case"], run["client"], run["place"]].append(run)
    result = {}
    for (case, client, place), group in grouped.items():
        result.setdefault(case, {}).setdefault(client, {})[place] = summarise(group)
    return result


def summarise(group):
    good = [run for run in group if "error" not in run]
    errors = sorted({run["error"] for run in group if "error" in run})
    if not good:
        return {"error": "; ".join(errors)}
    result = {
        "requests": good[0]["requests"],
        "cpu": figure(map(cpu, good)),
        "user": figure(run["user"] / run["requests"] * MICRO for run in good),
        "wall": figure(map(wall, good)),
        "rate": figure(run["requests"] / run["wall"] for run in good),
        "peak": figure(run["peak"] for run in good),
        "switches": figure(run["switches"] / run["requests"] for run in good),
        "connections": max(run["connections"] for run in good),
    }
    crashed = sorted({run["ended"] for run in good if "ended" in run})
    if crashed:
        result["failed"] = f"measured, but its process then ended with {', '.join(map(str, crashed))}"
    if errors:
        result["failed"] = f"{len(group) - len(good)} of {len(group)} runs: {'; '.join(errors)}"
    return result


def starts(runs):
    """{client: {wall, cpu} in milliseconds, or {"error": reason}}"""
    grouped = defaultdict(list)
    for run in runs:
        grouped[run["client"]].append(run)
    result = {}
    for client, group in grouped.items():
        good = [run for run in group if "error" not in run]
        result[client] = (
            {name: figure(run[name] * 1000 for run in good) for name in ("wall", "cpu")}
            if good
            else {"error": group[0]["error"]}
        )
    return result


def ratios(runs, subject="requestx"):
    """One row for each goal and place: the quotient, its range, the peer it was taken to, and the limit."""
    rows = []
    for goal in cases.GOALS:
        for place in cases.PLACES:
            row = {"case": goal.case, "place": place, "peers": goal.peers, "limit": goal.limit}
            rows.append({**row, **quotient(runs, goal, place, subject)})
    return rows


def quotient(runs, goal, place, subject):
    by_client = defaultdict(dict)
    for run in runs:
        if run["case"] == goal.case and run["place"] == place and "error" not in run:
            by_client[run["client"]][run["round"]] = cpu(run)
    peers = {peer: median(by_client[peer].values()) for peer in goal.peers if by_client.get(peer)}
    if not peers:
        return {"missing": "none of the peers was measured"}
    best = min(peers, key=peers.get)
    mine, theirs = by_client.get(subject, {}), by_client[best]
    shared = [mine[number] / theirs[number] for number in mine if number in theirs]
    if not shared:
        return {"best": best, "missing": f"{subject} was not measured"}
    ratio = figure(shared)
    return {"best": best, "ratio": ratio, "met": ratio[0] <= goal.limit}


def weather(runs):
    """The share of the machine that others used during the runs: (median, lowest, highest), or None."""
    return figure(run["others"] for run in runs if run.get("others") is not None)
