"""
The figures to look at: horizontal bars as SVG, written by hand so that nothing has to be installed.

One panel a case, sorted, on a linear scale: a logarithmic one would hide what the chart is there to show.
A bar with a slanted gap is cut off.
"""

from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks import cases

FILE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.svg"
PANELS = ("keepalive", "await32", "tls", "tls-new")
WIDTH, LABEL, BAR, GAP, TOP = 460, 86, 17, 6, 52
OURS, THEIRS, INK, PALE = "#c2410c", "#7c8da5", "#1f2937", "#6b7280"


def draw(data):
    """The whole chart as SVG text."""
    panels = [panel(data, case) for case in cases.CASES if case.name in PANELS]
    panels = [each for each in panels if each[1]]
    height = max((each[1] for each in panels), default=0) + 24
    width, total = 2 * WIDTH + 40, 40 + -(-len(panels) // 2) * height
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" font-family="sans-serif">',
        f'<rect width="{width}" height="{total}" fill="white"/>',
        text(20, 24, heading(data), INK, size=14, weight=600),
    ]
    for index, (body, _) in enumerate(panels):
        x, y = 20 + (index % 2) * (WIDTH + 10), 40 + (index // 2) * height
        out.append(f'<g transform="translate({x},{y})">{body}</g>')
    return "\n".join([*out, "</svg>"]) + "\n"


def heading(data):
    when, python = data["date"][:10], data["machine"]["python"]
    return f"CPU a request in µs, less is better (client and server on one core, {python}, {when})"


def panel(data, case):
    """(SVG, height) of one case; a height of 0 where nothing was measured."""
    places = data["summary"].get(case.name, {})
    values = {client: found.get(cases.PLACES[0], {}).get("cpu") for client, found in places.items()}
    values = {client: figure[0] for client, figure in values.items() if figure}
    if not values:
        return "", 0
    order = sorted(values, key=values.get)
    longest = reach([values[client] for client in order])
    bars = [bar(row, client, values[client], longest) for row, client in enumerate(order)]
    return text(0, 24, case.title, INK, weight=600) + "".join(bars), TOP + len(bars) * (BAR + GAP)


def reach(values):
    """What the longest bar stands for: one client far beyond all others is cut off, or the rest is not to be seen."""
    *others, last = values
    return others[-1] * 1.1 if others and last > 3 * others[-1] else last


def bar(row, client, value, longest):
    y, room = TOP - 12 + row * (BAR + GAP), WIDTH - LABEL - 80
    length = max(1.0, min(value, longest) / longest * room)
    colour, weight = (OURS, 600) if client == "requestx" else (THEIRS, 400)
    label = text(LABEL - 8, y + 13, client, INK, anchor="end", weight=weight)
    shape = f'<rect x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2" fill="{colour}"/>'
    if value > longest:
        x = LABEL + length - 24
        shape += f'<path d="M{x} {y + BAR} l6 -{BAR} h6 l-6 {BAR} z" fill="white"/>'
    return label + shape + text(LABEL + length + 6, y + 13, f"{value:,.0f}" if value >= 100 else f"{value:.1f}", PALE)


def text(x, y, words, colour, size=12, weight=400, anchor="start"):
    return (
        f'<text x="{x:.1f}" y="{y}" fill="{colour}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )
