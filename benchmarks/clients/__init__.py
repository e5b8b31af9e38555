"""
One module a client, each with a class `Blocking`, a class `Awaited`, or both.

A module that lacks one of the two has no such world, and the table shows a dash.
Every adapter does what its client's documentation shows for a reused client, and nothing else:
`get(url)` reads the whole body, `stream(url)` in pieces: of 64 KiB where the client lets one ask.
Both answer (status, number of body bytes), so that the worker can check every single answer.

`in_flight` is how many requests will be under way at once; it is given to the client's pool limit
where that limit is lower by default, because a pool that closes connections would measure something else.
`ca` is the path of the authority to trust, or None for plain http, where the client's own defaults apply.
`PACKAGE` is the distribution's name, `detail()` says what it stands on, `NOTES` what a reader should know.
"""

PIECE = 65536
