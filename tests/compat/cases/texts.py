"""What comes back: statuses, headers, codings, text, JSON, links, lines; whole and in pieces."""

import gzip
import zlib

from compat.compare import Case, answer, get, head, post

STATUSES = [
    200,
    201,
    202,
    203,
    204,
    205,
    206,
    226,
    304,
    400,
    401,
    403,
    404,
    405,
    407,
    410,
    418,
    429,
    451,
    500,
    502,
    503,
    599,
]
SHOWN = (
    [Case("status %d" % status, get(), pages={"/": answer("", status="%d Word" % status)}) for status in STATUSES]
    + [
        Case("status %r" % status, get(), pages={"/": answer("x", status=status)})
        for status in ["200", "200 ", "404 Not Found At All", "200 \xc3\xa4\xe4", "500 \xe4", "999 Far", "600 x"]
    ]
    + [Case("head with a length", head("/"), pages={"/": answer("", "Content-Length: 12", length=False)})]
)

HEADS = [
    ("X-A: 1", "X-A: 2"),
    ("x-lower: 1", "X-UPPER: 2", "eTaG: x"),
    ("X-A: ", "X-B:1", "X-C:   1  "),
    ("X-A: a,b", "X-A: c"),
    ("X-A: \xe4", "X-B: \xc3\xa4"),
    ("X-A: a:b:c",),
    ("Set-Cookie: a=1", "Set-Cookie: b=2"),
    ("WWW-Authenticate: Basic", "WWW-Authenticate: Digest"),
    tuple("X-Many-%d: %d" % (n, n) for n in range(90)),
    ("X-Long: " + "a" * 20000,),
    ("Content-Type: text/html", "Content-Type: text/plain"),
    ("Content-Length: 2",),
    ("Vary: a", "vary: b", "VARY: c"),
]
HEADERS = [
    Case(
        "fields %.60r" % (fields,),
        get(),
        pages={"/": answer("ok", *fields)},
        differs="header-space" if fields[-1].endswith(" ") else None,
    )
    for fields in HEADS
]

TYPES = [
    "",
    "text/plain",
    "text/html; charset=utf-8",
    "text/html; charset=UTF-8; x=y",
    "text/html;charset='utf-8'",
    'text/html; charset="latin-1"',
    "text/html; charset=",
    "text/html; charset=nonsense",
    "text/html; charset=utf-16",
    "text/html; CHARSET=cp1252",
    "text/html; charset=utf-8; charset=latin-1",
    "TEXT/HTML",
    "application/json",
    "application/json; charset=latin-1",
    "application/ld+json",
    "application/xml",
    "application/octet-stream",
    "image/png",
    "charset=utf-8",
    ";",
    "text/html; charset",
    "text/html; charset=undefined",
    "text/html; charset=base64",
]
DOCUMENTS = {
    "nothing": b"",
    "ascii": b"plain text\nof two lines",
    "utf-8": "gr\xfc\xdfe \u20ac \U0001f600\r\nzwei\rdrei\x0bvier\x85f\xfcnf\u2028sechs".encode("utf-8"),
    "latin-1": "gr\xfc\xdfe aus K\xf6ln, sch\xf6n".encode("latin-1"),
    "utf-8 with mark": b"\xef\xbb\xbf" + "\xe4".encode(),
    "utf-16": "\xe4bc".encode("utf-16"),
    "page": b'<html><head><meta charset="cp1251"></head>\xcf\xf0\xe8\xe2\xe5\xf2</html>',
    "bytes": bytes(range(256)),
    "half a character": b"ab\xc3",
}
TEXTS = [
    Case(
        "%s as %s" % (what, kind or "nothing"),
        get(),
        pages={"/": answer(data, "Content-Type: " + kind if kind else "Content-Type:")},
    )
    for what, data in DOCUMENTS.items()
    for kind in TYPES
]

VALUES = [
    "{}",
    '{"a": [1, 2.5, null, true, "\\u00e4"]}',
    '"text"',
    "12",
    "",
    " ",
    "{",
    "nul",
    "[1,]",
    "NaN",
    "\ufeff{}",
]
ENCODINGS = [
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "utf-32-le",
    "utf-32-be",
    "latin-1",
    "cp1252",
]
JSONS = [
    Case("json %r as %s" % (value, kind), get(), pages={"/": answer(value.encode("utf-8"), "Content-Type: " + kind)})
    for value in VALUES
    for kind in ["application/json", "text/plain", "application/octet-stream"]
] + [
    Case(
        "json in %s as %s" % (name, kind),
        get(),
        pages={"/": answer('{"name": "gr\xfc\xdfe"}'.encode(name), "Content-Type: " + kind)},
    )
    for name in ENCODINGS
    for kind in ["application/x", "application/json", "text/plain"]
]

LINKS = [
    '</a>; rel="next"',
    "<http://a.test/b>; rel=next; title='x', </c>; rel=\"prev last\"",
    "</a>",
    "</a>;rel=next,</b>;rel=next",
    "</a?b=c,d>; rel=x",
    "</a;b>; rel=x",
    "garbage",
    "",
    "<>",
    "; rel=x",
    "</a>; rel",
    "</a>; rel=a=b; title=c",
]
LINKED = [Case("link %r" % link, get(), pages={"/": answer("ok", "Link: " + link)}) for link in LINKS]

TEXT = b"line one\nline two\n" * 200
CODED = {
    "gzip": gzip.compress(TEXT, mtime=0),
    "x-gzip": gzip.compress(TEXT, mtime=0),
    "deflate": zlib.compress(TEXT),
    "raw deflate": zlib.compress(TEXT)[2:-4],
    "identity": TEXT,
    "GZIP": gzip.compress(TEXT, mtime=0),
    "gzip, gzip": gzip.compress(gzip.compress(TEXT, mtime=0), mtime=0),
    "deflate, gzip": gzip.compress(zlib.compress(TEXT), mtime=0),
    "unknown": TEXT,
    "": TEXT,
    "two members": gzip.compress(TEXT, mtime=0) * 2,
    "empty gzip": gzip.compress(b"", mtime=0),
    "nothing in gzip": b"",
}
NAMES = {"raw deflate": "deflate", "two members": "gzip", "empty gzip": "gzip", "nothing in gzip": "gzip"}


def _coded(what):
    return answer(CODED[what], "Content-Encoding: " + NAMES.get(what, what))


CODINGS = (
    [Case("coded: " + what, get(), pages={"/": _coded(what)}) for what in CODED]
    + [Case("coded, streamed: " + what, get(stream=True), pages={"/": _coded(what)}) for what in CODED]
    + [
        Case("coded: no gzip", get(), pages={"/": answer(b"no gzip", "Content-Encoding: gzip")}),
        Case("coded: no deflate", get(), pages={"/": answer(b"no deflate", "Content-Encoding: deflate")}),
        Case(
            "coded: head",
            head("/"),
            pages={"/": answer("", "Content-Encoding: gzip", "Content-Length: 10", length=False)},
        ),
        Case("coded: 204", get(), pages={"/": answer("", "Content-Encoding: gzip", status="204 x", length=False)}),
        Case("coded: 304", get(), pages={"/": answer("", "Content-Encoding: gzip", status="304 x", length=False)}),
    ]
)


def chunked(*pieces, fields=()):
    body = "".join("%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return answer(body + "0\r\n\r\n", "Transfer-Encoding: chunked", *fields, length=False)


CLOSED = "\0close"
FRAMED = [
    Case("chunked", get(), pages={"/": chunked("one", "two", "three")}),
    Case("chunked, streamed", get(stream=True), pages={"/": chunked("one", "two", "three")}),
    Case("chunked, empty", get(), pages={"/": chunked()}),
    Case(
        "chunked with trailers",
        get(),
        pages={"/": answer("3\r\none\r\n0\r\nX-T: 1\r\n\r\n", "Transfer-Encoding: chunked", length=False)},
    ),
    Case(
        "chunked with extensions",
        get(),
        pages={"/": answer("3;a=b\r\none\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=False)},
    ),
    Case("until the end", get(), pages={"/": answer("to the end", length=False) + CLOSED}),
    Case("until the end, streamed", get(stream=True), pages={"/": answer("to the end", length=False) + CLOSED}),
    Case("connection close", get(), get(), pages={"/": answer("x", "Connection: close") + CLOSED}),
    Case("HTTP/1.0", get(), get(), pages={"/": answer("x").replace("HTTP/1.1", "HTTP/1.0") + CLOSED}),
    Case("empty", get(), pages={"/": answer("")}),
    Case("long", get(), pages={"/": answer("0123456789" * 3000)}),
    Case("long, streamed", get(stream=True), pages={"/": answer("0123456789" * 3000)}),
    Case("length too long", get(), pages={"/": answer("abc", "Content-Length: 5", length=False) + CLOSED}),
    Case(
        "length too long, streamed",
        get(stream=True),
        pages={"/": answer("abc", "Content-Length: 5", length=False) + CLOSED},
    ),
    Case(
        "chunks that break off",
        get(),
        pages={"/": answer("5\r\nab", "Transfer-Encoding: chunked", length=False) + CLOSED},
    ),
    Case(
        "chunks without an end",
        get(),
        pages={"/": answer("2\r\nab\r\n", "Transfer-Encoding: chunked", length=False) + CLOSED},
    ),
    Case(
        "chunks with a wrong size",
        get(),
        pages={"/": answer("xx\r\nab\r\n", "Transfer-Encoding: chunked", length=False) + CLOSED},
    ),
    Case("100 before", get(), pages={"/": "HTTP/1.1 100 Continue\r\n\r\n" + answer("x")}),
    Case(
        "103 before",
        get(),
        pages={"/": "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + answer("x")},
        differs="early-hints",
    ),
    Case("nothing at all", get(), pages={"/": CLOSED}),
    Case("no HTTP", get(), pages={"/": "garbage\r\n\r\n" + CLOSED}),
    Case("half a head", get(), pages={"/": "HTTP/1.1 200 OK\r\nX-A: 1" + CLOSED}, differs="broken-heads"),
    Case("post answered early", post(data=b"x" * 100), pages={"/": answer("no", status="413 Too Large")}),
]

ODD = [
    ("101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n" + CLOSED),
    ("204 with a body", answer("body", status="204 x") + CLOSED),
    ("205 with a body", answer("body", status="205 x")),
    ("304 with a length", answer("", "Content-Length: 5", status="304 x", length=False)),
    ("two equal lengths", answer("12345", "Content-Length: 5")),
    ("lengths in one field", answer("12345", "Content-Length: 5, 5", length=False)),
    ("two lengths", answer("12345", "Content-Length: 3")),
    ("length +5", answer("12345", "Content-Length: +5", length=False)),
    ("length -5", answer("12345", "Content-Length: -5", length=False) + CLOSED),
    ("length 0x5", answer("12345", "Content-Length: 0x5", length=False) + CLOSED),
    ("length 5_0", answer("12345", "Content-Length: 5_0", length=False) + CLOSED),
    ("length of nothing", answer("12345", "Content-Length:", length=False) + CLOSED),
    (
        "length and chunks",
        answer("5\r\n12345\r\n0\r\n\r\n", "Transfer-Encoding: chunked", "Content-Length: 3", length=False) + CLOSED,
    ),
    ("gzip, chunked", answer("5\r\n12345\r\n0\r\n\r\n", "Transfer-Encoding: gzip, chunked", length=False) + CLOSED),
    ("CHUNKED", answer("5\r\n12345\r\n0\r\n\r\n", "Transfer-Encoding: CHUNKED", length=False)),
    ("identity", answer("12345", "Transfer-Encoding: identity", length=False) + CLOSED),
    ("chunk sizes in upper case", answer("A\r\n1234567890\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=False)),
    ("chunk sizes with zeros", answer("005\r\n12345\r\n000\r\n\r\n", "Transfer-Encoding: chunked", length=False)),
    ("chunk size with a space", answer("5 \r\n12345\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=False)),
    ("chunk size -1", answer("-1\r\n12345\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=False) + CLOSED),
    (
        "chunk without its end",
        answer("5\r\n12345678\r\n0\r\n\r\n", "Transfer-Encoding: chunked", length=False) + CLOSED,
    ),
    ("bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
    ("folded field", answer("ok", "X-A: 1\r\n  2")),
    ("field without a colon", answer("ok", "X-A")),
    ("field with a space in its name", answer("ok", "X A: 1")),
    ("field without a name", answer("ok", ": 1")),
    ("field with a NUL", answer("ok", "X-A: 1\0")),
    ("space before the colon", answer("ok", "X-A : 1")),
    ("empty lines first", "\r\n\r\n" + answer("ok")),
    ("no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"),
    ("HTTP/1.0 with keep-alive", answer("ok", "Connection: keep-alive").replace("HTTP/1.1", "HTTP/1.0")),
    ("HTTP/1.2", answer("ok").replace("HTTP/1.1", "HTTP/1.2")),
    ("HTTP/2.0", answer("ok").replace("HTTP/1.1", "HTTP/2.0")),
    ("HTTP/0.9", "just text" + CLOSED),
    ("lower case", answer("ok").replace("HTTP/1.1", "http/1.1")),
    ("status of two digits", answer("ok", status="20 OK")),
    ("status of four digits", answer("ok", status="2000 OK")),
    ("status of letters", answer("ok", status="abc OK")),
    ("status 000", answer("ok", status="000 OK")),
]
ODD_ONES_DIFFER = {
    "101": "unasked-switch",
    "lengths in one field": "lenient-heads",
    "empty lines first": "lenient-heads",
    "two lengths": "strict-heads",
    "length +5": "strict-heads",
    "length -5": "strict-heads",
    "length 0x5": "strict-heads",
    "length 5_0": "strict-heads",
    "length of nothing": "strict-heads",
    "field without a name": "strict-heads",
    "field with a NUL": "strict-heads",
    "HTTP/1.2": "strict-heads",
}
ODDITIES = [Case("odd: " + what, get(), pages={"/": text}, differs=ODD_ONES_DIFFER.get(what)) for what, text in ODD]

CASES = SHOWN + HEADERS + TEXTS + JSONS + LINKED + CODINGS + FRAMED + ODDITIES
