"""What is sent: forms, files, JSON, text, bytes, streams."""

import io
import mmap
import tempfile
from collections import OrderedDict

from compat.compare import Case, delete, get, head, made, options, patch, post, put


class Sized:
    """Something with a length that is read."""

    def __init__(self, data):
        self.data = io.BytesIO(data)
        self.size = len(data)

    def __len__(self):
        return self.size

    def read(self, amount=-1):
        return self.data.read(amount)

    def __iter__(self):
        return iter([self.data.read()])


class SizedIterable:
    """Something with a length that is iterated."""

    def __len__(self):
        return 6

    def __iter__(self):
        return iter([b"abc", b"def"])


class Reader:
    """Something that can only be read."""

    def __init__(self, data):
        self.data = io.BytesIO(data)

    def read(self, amount=-1):
        return self.data.read(amount)


def opened(data, at=0, name=None):
    """A file with this content, standing at a position."""
    file = tempfile.NamedTemporaryFile() if name is None else open(name, "w+b")
    file.write(data)
    file.seek(at)
    return file


def mapped(data):
    area = mmap.mmap(-1, len(data))
    area.write(data)
    area.seek(0)
    return area


METHODS = [get, post, put, patch, delete, options, head]
BODIES = {
    "nothing": {},
    "empty bytes": {"data": b""},
    "empty str": {"data": ""},
    "empty dict": {"data": {}},
    "empty list": {"data": []},
    "bytes": {"data": b"\x00\xff bytes"},
    "str": {"data": "text"},
    "form": {"data": {"a": "1", "b": "2 3&"}},
    "json": {"json": {"a": [1, None, True, "\xfc"]}},
    "stream": {"data": made(lambda lib: io.BytesIO(b"stream"))},
    "chunks": {"data": made(lambda lib: (each for each in [b"one", b"two"]))},
}
EVERY_METHOD = [
    Case("%s with %s" % (method().method, what), method(**body)) for method in METHODS for what, body in BODIES.items()
]

FORMS = [
    Case("form of pairs", post(data=[("a", "1"), ("b", "2"), ("a", "3")])),
    Case("form of a tuple of pairs", post(data=(("a", "1"), ("b", "2")))),
    Case("form with a list", post(data={"a": ["1", "2"], "b": ("3", "4")})),
    Case("form with None", post(data={"a": None, "b": ["1", None]})),
    Case("form with an empty list", post(data={"a": [], "b": ""})),
    Case("form with numbers", post(data={"a": 1, "b": 2.5, "c": True})),
    Case("form with bytes", post(data={b"a": b"\xff1", "b": b"2"})),
    Case("form beyond ascii", post(data={"\xfc": "\u20ac", "b": ["\U0001f600"]})),
    Case("form with marks", post(data={"a b": "&=+;/?:@#%", "c": "\r\n\t"})),
    Case("form in order", post(data=OrderedDict([("z", "1"), ("a", "2")]))),
    Case("form keeps the caller's type", post(data={"a": "1"}, headers={"Content-Type": "text/x"})),
    Case("form keeps the caller's type in any case", post(data={"a": "1"}, headers={"content-TYPE": "text/x"})),
    Case("form beside json", post(data={"a": "1"}, json={"b": 2})),
    Case("empty form beside json", post(data={}, json={"b": 2})),
    Case("pairs of one", post(data=[("a",)])),
    Case("list of strings", post(data=["a=1", "b=2"])),
    Case("form of a dict of dicts", post(data={"a": {"x": 1}})),
    Case("form of lists of numbers", post(data={"a": [1, 2.5, None, True]})),
    Case("form of a nested list", post(data={"a": [["1", "2"], "3"]})),
    Case("number as data", post(data=12)),
    Case("object as data", post(data=made(lambda lib: type("Thing", (), {"__str__": lambda self: "thing"})()))),
]

JSON = [
    Case("json " + repr(value), post(json=value))
    for value in [None, {}, [], 0, False, "", "text", 1.5, {"a": {"b": [1]}}, ["\u20ac\U0001f600"], {1: 2, None: 3}]
] + [
    Case("json with NaN", post(json=float("nan"))),
    Case("json with infinity", post(json=[float("inf")])),
    Case("json of an object", post(json=made(lambda lib: object()))),
    Case("json of a set", post(json={1})),
    Case("json with a key that is none", post(json={(1, 2): 3})),
    Case("json with a lone surrogate", post(json="\ud800")),
    Case("json keeps the caller's type", post(json={}, headers={"Content-Type": "application/x+json"})),
    Case("json by get", get(json={"a": 1})),
]

TEXT = [
    Case("str beyond ascii", post(data="\u20ac text")),
    Case("str in latin-1", post(data="\xfc\xe4")),
    Case("str beyond the plane", post(data="\U0001f600" * 3)),
    Case("str with type", post(data="a,b", headers={"Content-Type": "text/csv"})),
    Case("long bytes", post(data=b"0123456789" * 20000)),
    Case("long str", post(data="\xfc123456789" * 20000)),
    Case("bytes longer than a megabyte", post(data=b"0123456789abcdef" * 100000)),
    Case("bytearray", post(data=made(lambda lib: bytearray(b"array")))),
    Case("memoryview", post(data=made(lambda lib: memoryview(b"a view")))),
]

STREAMS = [
    Case("file", post(data=made(lambda lib: opened(b"0123456789")))),
    Case("file from its position", post(data=made(lambda lib: opened(b"0123456789", 4)))),
    Case("file at its end", post(data=made(lambda lib: opened(b"0123456789", 10)))),
    Case("file beyond its end", post(data=made(lambda lib: opened(b"0123456789", 12)))),
    Case("empty file", post(data=made(lambda lib: opened(b"")))),
    Case("long file", post(data=made(lambda lib: opened(b"0123456789" * 30000, 5)))),
    Case("BytesIO from its position", post(data=made(lambda lib: _at(io.BytesIO(b"0123456789"), 3)))),
    Case("empty BytesIO", post(data=made(lambda lib: io.BytesIO()))),
    Case("StringIO in ascii", post(data=made(lambda lib: io.StringIO("text")))),
    Case("StringIO from its position", post(data=made(lambda lib: _at(io.StringIO("0123456789"), 3)))),
    Case("StringIO beyond ascii", post(data=made(lambda lib: io.StringIO("\xfc\u20ac text"))), differs="text-streams"),
    Case("mmap", post(data=made(lambda lib: mapped(b"mapped memory")))),
    Case("sized and read", post(data=made(lambda lib: Sized(b"0123456789")))),
    Case("sized and iterated", post(data=made(lambda lib: SizedIterable()))),
    Case("only read", post(data=made(lambda lib: Reader(b"only read")))),
    Case("iterator", post(data=made(lambda lib: iter([b"a", b"b", b"c"])))),
    Case("map", post(data=made(lambda lib: map(str.encode, ["a", "b"])))),
    Case("generator of nothing", post(data=made(lambda lib: (each for each in ())))),
    Case("generator with empty pieces", post(data=made(lambda lib: (each for each in [b"", b"a", b"", b"b", b""])))),
    Case("generator of str", post(data=made(lambda lib: (each for each in ["a", "bc"])))),
    Case("generator of bytearrays", post(data=made(lambda lib: (bytearray(each) for each in [b"a", b"bc"])))),
    Case(
        "generator with its length",
        post(data=made(lambda lib: (b"abc" for _ in "12")), headers={"Content-Length": "6"}),
        differs="generator-length",
    ),
    Case("stream with type", post(data=made(lambda lib: io.BytesIO(b"x")), headers={"Content-Type": "text/x"})),
    Case("stream beside files", post(data=made(lambda lib: io.BytesIO(b"x")), files={"f": b"y"})),
    Case("stream beside json", post(data=made(lambda lib: io.BytesIO(b"x")), json={"a": 1})),
]

FILES = [
    Case("files: bytes", post(files={"f": b"content"})),
    Case("files: str", post(files={"f": "content"})),
    Case("files: str beyond ascii", post(files={"f": "\u20ac"})),
    Case("files: bytearray", post(files={"f": made(lambda lib: bytearray(b"content"))})),
    Case("files: open file", post(files={"f": made(lambda lib: _named(io.BytesIO(b"content"), "/tmp/x/name.txt"))})),
    Case("files: nameless", post(files={"f": made(lambda lib: io.BytesIO(b"content"))})),
    Case("files: <stdin>", post(files={"f": made(lambda lib: _named(io.BytesIO(b"content"), "<stdin>"))})),
    Case("files: from its position", post(files={"f": made(lambda lib: _at(io.BytesIO(b"0123456789"), 4))})),
    Case("files: empty", post(files={"f": b""})),
    Case("files: with name", post(files={"f": ("name.txt", b"content")})),
    Case("files: with type", post(files={"f": ("name.txt", b"content", "text/plain")})),
    Case(
        "files: with headers", post(files={"f": ("name.txt", b"content", "text/plain", {"X-A": "1", "Expires": "0"})})
    ),
    Case("files: name None", post(files={"f": (None, b"content")})),
    Case("files: name empty", post(files={"f": ("", b"content")})),
    Case("files: name None with type", post(files={"f": (None, '{"a": 1}', "application/json")})),
    Case("files: names beyond ascii", post(files={"\xfc": ("\u20ac.txt", b"content")})),
    Case("files: names with marks", post(files={'a"b\\': ('c"d\\;e\r\n.txt', b"content")})),
    Case("files: names in bytes", post(files={b"f": (b"name.txt", b"content")})),
    Case("files: pairs, one name twice", post(files=[("f", ("a", b"1")), ("f", ("b", b"2"))])),
    Case("files: file None", post(files={"f": None, "g": b"1"})),
    Case("files: only None", post(files={"f": None})),
    Case("files: empty dict", post(files={}, data={"a": "1"})),
    Case("files: beside a form", post(files={"f": b"1"}, data={"a": "1", "b": ["2", "3"]})),
    Case("files: beside pairs", post(files={"f": b"1"}, data=[("a", "1"), ("a", "2")])),
    Case("files: beside numbers", post(files={"f": b"1"}, data={"a": 1, "b": None, "c": 2.5})),
    Case("files: beside bytes", post(files={"f": b"1"}, data={"a": b"\xff"})),
    Case("files: beside text", post(files={"f": b"1"}, data="text")),
    Case("files: beside json", post(files={"f": b"1"}, json={"a": 1})),
    Case("files: by get", get(files={"f": b"1"})),
    Case("files: caller's type", post(files={"f": b"1"}, headers={"Content-Type": "multipart/mixed"})),
    Case("files: a list as file", post(files={"f": ["name", b"content"]})),
    Case("files: too long a tuple", post(files={"f": ("a", b"b", "c", {}, "e")})),
    Case("files: a tuple of one", post(files={"f": ("a",)})),
    Case("files: number", post(files={"f": 12})),
    Case("files: text stream", post(files={"f": made(lambda lib: io.StringIO("\u20ac"))})),
    Case("files: memoryview", post(files={"f": ("a", made(lambda lib: memoryview(b"view")))})),
    Case("files: type in bytes", post(files={"f": ("a", b"b", b"text/x")}), differs="multipart-bytes"),
    Case("files: headers with its type", post(files={"f": ("a", b"b", None, {"Content-Type": "text/x"})})),
    Case("files: header in bytes", post(files={"f": ("a", b"b", "text/x", {b"X-A": b"1"})}), differs="multipart-bytes"),
    Case("files: beside a list of numbers", post(files={"f": b"1"}, data={"a": [1, 2], "b": (True,)})),
    Case("files: beside a dict of a dict", post(files={"f": b"1"}, data={"a": {"x": 1}})),
    Case("files: empty name of the field", post(files={"": b"1"})),
    Case("files: newline in a field's name", post(files={"a\nb": b"1"}, data={"c\rd": "e"})),
    Case("files: no dict", post(files="text")),
    Case(
        "files: header of the part ends its line",
        post(files={"f": ("a", b"b", "text/x\r\nEvil: 1")}),
        differs="multipart-lines",
    ),
    Case("files: longer than a megabyte", post(files={"f": ("a", b"0123456789abcdef" * 100000)})),
    Case(
        "files: open file longer than a megabyte",
        post(files={"f": ("a", made(lambda lib: io.BytesIO(b"0123456789abcdef" * 100000)))}),
        differs="multipart-memory",
    ),
]


def _at(file, position):
    file.seek(position)
    return file


def _named(file, name):
    file.name = name
    return file


CASES = EVERY_METHOD + FORMS + JSON + TEXT + STREAMS + FILES
