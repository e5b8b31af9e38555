"""
Figures as text: the tables on the screen are the ones in docs/benchmarks.md.

Prose is written by hand in that page; only what stands between its two marks is replaced.
"""

from pathlib import Path

from benchmarks import cases

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures: begin (written by benchmarks/run.py) -->", "<!-- figures: end -->"
DASH = "–"
CORE, FREE = cases.PLACES


def render(data):
    """The whole generated part, as Markdown."""
    chosen = [case for case in cases.CASES if case.name in data["cases"]]
    parts = [where_and_when(data), ratios(data), overview(data, chosen), multiples(data, chosen)]
    parts += [detail(data, case) for case in chosen]
    parts += [start_up(data), versions(data), failures(data)]
    return "\n\n".join(part for part in parts if part) + "\n"


def publish(text):
    """Put the generated part into the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"{PAGE} lacks the marks between which figures go")
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


def section(title, heads, rows, align="---:"):
    lines = [heads, ["---"] + [align] * (len(heads) - 1), *rows]
    return f"### {title}\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def ranged(figure, scale=1.0, show=number):
    """median (lowest..highest)"""
    if figure is None:
        return DASH
    middle, low, high = (show(value / scale) for value in figure)
    return middle if low == middle == high else f"{middle} ({low}..{high})"


def bold(client):
    return f"**{client}**" if client == "requestx" else client


def scale(case):
    """Large bodies are shown in milliseconds, all else in microseconds."""
    return 1000.0 if case.size == cases.BIG else 1.0


def found(data, case, client, place):
    """The figures of one client in one case and place; empty where there are none."""
    return data["summary"].get(case.name, {}).get(client, {}).get(place, {})


def where_and_when(data):
    machine, settings, weather = data["machine"], data["settings"], data["weather"]
    lines = [
        f"Measured {data['date']} on {machine['cpu']}, {machine['cores']} cores, {machine['kernel']}.",
        f"{machine['python']} ({machine['openssl of python']}), {machine['nginx']}, requestx at {machine['commit']}.",
        f"{settings['rounds']} rounds, about {settings['seconds']} s for each run that is counted.",
    ]
    if weather:
        median, low, high = (f"{share:.0%}" for share in weather)
        lines.append(f"Other work took {median} of the machine's CPU during the median run ({low} to {high}).")
    if settings["partial"]:
        lines.append("This is a quick or partial run: do not quote it.")
    return "### Where and when\n\n" + "\n".join(lines)


def ratios(data):
    titles = {case.name: case.title for case in cases.CASES}
    rows = []
    for row in (row for row in data["ratios"] if row["case"] in data["cases"]):
        peer = row["peers"][0]
        if len(row["peers"]) > 1:
            peer = f"best of {', '.join(row['peers'])} ({row.get('best', 'none')})"
        measured = ranged(row["ratio"], show="{:.3f}".format) if "ratio" in row else row["missing"]
        reached = {True: "yes", False: "no"}.get(row.get("met"), DASH)
        rows.append([titles[row["case"]], row["place"], peer, measured, f"{row['limit']:.3f}", reached])
    heads = ["CPU a request of requestx, divided by that of …", "where", "peer", "measured", "at most", "reached"]
    return rows and section("The ratios this project has set itself", heads, rows, "---")


def overview(data, chosen):
    def cell(case, client):
        figures = found(data, case, client, CORE)
        return number(figures["cpu"][0] / scale(case)) if "cpu" in figures else "failed" if figures else DASH

    rows = [[bold(client), *(cell(case, client) for case in chosen)] for client in data["clients"]]
    heads = ["client", *(case.name for case in chosen)]
    return section("CPU a request, client and server on one core (µs; 100 MB bodies: ms)", heads, rows)


def multiples(data, chosen, subject="requestx"):
    """How many times the CPU of requestx each client takes; left out where requestx was not measured."""

    def cell(case, client):
        mine, theirs = (found(data, case, name, CORE).get("cpu") for name in (subject, client))
        return f"{theirs[0] / mine[0]:.1f}" if mine and theirs else DASH

    if not any(found(data, case, subject, CORE) for case in chosen):
        return ""
    rows = [[bold(client), *(cell(case, client) for case in chosen)] for client in data["clients"]]
    return section("The same, as multiples of requestx", ["client", *(case.name for case in chosen)], rows)


def detail(data, case):
    unit = "ms" if scale(case) > 1 else "µs"
    heads = [f"{what} {unit}, {place}" for place in (CORE, FREE) for what in ("CPU", "wall")]
    heads += ["requests/s, one core", "requests/s, free", "peak MB", "connections", "requests"]

    def cost(client):
        return found(data, case, client, CORE).get("cpu") or found(data, case, client, FREE).get("cpu") or [1e99]

    rows = [
        [bold(client), *detail_cells(case, *(found(data, case, client, place) for place in (CORE, FREE)))]
        for client in sorted(data["clients"], key=lambda client: cost(client)[0])
    ]
    return section(f"{case.name}: {case.title}", ["client", *heads], rows)


def detail_cells(case, core, free):
    if not free:
        return [DASH] * 9
    if "error" in free:
        return ["failed"] + [DASH] * 8
    times = [ranged(place.get(name), scale(case)) for place in (core, free) for name in ("cpu", "wall")]
    rates = [number(place["rate"][0]) if "rate" in place else DASH for place in (core, free)]
    rest = [number(free["peak"][0] / 2**20), str(free["connections"]), f"{free['requests']:,}"]
    return times + rates + rest


def start_up(data):
    starts = data["starts"]
    if not starts:
        return ""
    rows = []
    for client in sorted(starts, key=lambda name: starts[name].get("wall", [1e99])[0]):
        figures = [ranged(starts[client].get(name)) for name in ("wall", "cpu")]
        rows.append(["a Python that does nothing" if client == "-" else bold(client), *figures])
    title = "Start-up: a whole process that imports the client and makes its first request"
    return section(title, ["client", "wall ms", "CPU ms"], rows)


def versions(data):
    rows = []
    for client, about in data["clients"].items():
        if "error" in about:
            rows.append([bold(client), "not measured", about["error"], DASH, DASH])
            continue
        notes = " and ".join(name.lower() for name in about["worlds"])
        if about["notes"]:
            notes += "; " + about["notes"]
        rows.append([bold(client), about["version"], about["detail"] or DASH, about["handshake"], notes])
    heads = ["client", "version", "stands on", "new TLS connection", "worlds and notes"]
    return section("Versions", heads, rows, "---")


def failures(data):
    """Each failure with its reason; nothing is left out silently."""
    rows = []
    for case, clients in data["summary"].items():
        for client, places in clients.items():
            for place, figures in places.items():
                reason = figures.get("error") or figures.get("failed")
                if reason:
                    rows.append(f"- {client}, {case}, {place}: {reason}")
    for client, figures in data["starts"].items():
        if "error" in figures:
            rows.append(f"- {client}, start-up: {figures['error']}")
    return "### Failures\n\n" + "\n".join(rows) if rows else ""
