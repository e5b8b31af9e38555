"""multipart/form-data: what is on the wire, and what is in memory."""

import array
import gzip
import io
import pickle
from pathlib import PurePath

import pytest

from requestx import _multipart
from requestx._body import encode_files
from requestx.exceptions import InvalidHeader, RequestException

SIZE = _multipart.IN_MEMORY + 12345


@pytest.fixture(autouse=True)
def known_boundary(monkeypatch):
    """One boundary, so that bodies can be compared."""
    monkeypatch.setattr(_multipart, "boundary", lambda: "B")


@pytest.fixture
def large(tmp_path):
    """A file too large to be held."""
    path = tmp_path / "large.bin"
    path.write_bytes(b"0123456789abcdef" * (SIZE // 16) + b"!" * (SIZE % 16))
    return path


def part(disposition, content, *headers):
    lines = [f"--B\r\nContent-Disposition: form-data; {disposition}", *headers, "", content]
    return "\r\n".join(lines).encode() + b"\r\n"


@pytest.mark.parametrize(
    "files, expected",
    [
        ({"f": b"x"}, part('name="f"; filename="f"', "x")),
        ({"f": "é"}, part('name="f"; filename="f"', "é")),
        ({"f": ("n", b"x")}, part('name="f"; filename="n"', "x")),
        ({"f": (None, "x")}, part('name="f"', "x")),
        ({"f": ("", "x")}, part('name="f"; filename=""', "x")),
        ({"f": ("n", b"x", "a/b")}, part('name="f"; filename="n"', "x", "Content-Type: a/b")),
        ({"f": ["n", b"x", "a/b", {"X": "y"}]}, part('name="f"; filename="n"', "x", "Content-Type: a/b", "X: y")),
        ([("f", b"x"), ("f", b"y")], part('name="f"; filename="f"', "x") + part('name="f"; filename="f"', "y")),
        ({"f": None, "g": 1}, part('name="g"; filename="g"', "1")),
        ({"f": io.StringIO("é")}, part('name="f"; filename="f"', "é")),
        ({b"f": (b"n", bytearray(b"x"))}, part('name="f"; filename="n"', "x")),
        ({"é": ('a"b\r\n\\c', b"x")}, part('name="é"; filename="a%22b%0D%0A\\c"', "x")),
    ],
)
def test_files_of_all_shapes(files, expected):
    """Tuples of two, three and four; names escaped as WHATWG says (GHSA-m6qw-4cw2-hm4m)."""
    assert encode_files(files, None) == (expected + b"--B--\r\n", "multipart/form-data; boundary=B")


def test_fields_come_first():
    """Lists are several fields, None is none."""
    body, _ = encode_files({"f": b"x"}, {"a": ["1", 2, None, b"3"], b"b": "4"})
    fields = [part('name="a"', "1"), part('name="a"', "2"), part('name="a"', "3"), part('name="b"', "4")]

    assert body == b"".join(fields) + part('name="f"; filename="f"', "x") + b"--B--\r\n"


@pytest.mark.parametrize(
    "files, data",
    [({}, None), (["bad"], None), ({"f": ("n",)}, None), ({"f": (1, 2, 3, 4, 5)}, None), ({"f": b"x"}, "text")],
)
def test_other_shapes_are_valueerrors(files, data):
    """As in requests."""
    with pytest.raises(ValueError):
        encode_files(files, data)


@pytest.mark.parametrize(
    "file",
    [("n", b"x", "a/b\r\nX: y"), ("n", b"x", "a/b", {"X": "y\nZ: z"}), ("n", b"x", "a/b", {"X\r\nY": "z"})],
)
def test_nothing_ends_a_parts_header(file):
    """A media type or header with a line end is refused (CVE-2026-34514)."""
    with pytest.raises(InvalidHeader):
        encode_files({"f": file}, None)


class Silent:
    """A file that has nothing yet."""

    def read(self, amount=-1):
        return None


@pytest.mark.parametrize("file", [PurePath("/etc/hostname"), 5.5, Silent(), object()])
def test_what_is_no_content_is_a_typeerror(file):
    """A path, say, is not sent in the place of the file that it names."""
    with pytest.raises(TypeError, match="'f' of a form is bytes, str or an open file"):
        encode_files({"f": ("n", file)}, None)


@pytest.mark.parametrize("file", [array.array("B", b"ab"), memoryview(b"a-b")[::2], bytearray(b"ab")])
def test_whatever_has_bytes_is_content(file):
    """As much as it has of them."""
    assert encode_files({"f": ("n", file)}, None)[0] == part('name="f"; filename="n"', "ab") + b"--B--\r\n"


def test_boundaries_cannot_be_guessed():
    """128 bits from the system (CVE-2025-22150)."""
    seen = {encode_files({"f": b"x"}, None)[1] for _ in range(3)}
    from os import urandom  # the fixture replaced `boundary`, so ask the source of it

    assert len({urandom(16).hex() for _ in range(10_000)}) == 10_000
    assert seen == {"multipart/form-data; boundary=B"}


def test_a_large_file_is_not_read_before_it_is_sent(large):
    """Its length is known all the same, and the pieces are what would be sent at once."""
    with open(large, "rb") as file:
        body, _ = encode_files({"f": ("n", file)}, {"a": "b"})
        whole = part('name="a"', "b") + part('name="f"; filename="n"', large.read_text()) + b"--B--\r\n"

        assert isinstance(body, _multipart.Multipart)
        assert len(body) == len(whole)
        assert max(len(piece) for piece in body) <= _multipart.CHUNK
        body.rewind()
        assert b"".join(body) == whole


def test_a_file_may_be_closed_after_preparing(large):
    """Real files are read through descriptors of our own."""
    with open(large, "rb") as file:
        body, _ = encode_files({"f": file}, None)

    assert large.read_bytes() in body.read()
    assert body.read() == b""


def test_a_file_is_sent_from_where_it_stands(large):
    """And the caller's position does not matter afterwards."""
    with open(large, "rb") as file:
        file.seek(10)
        body, _ = encode_files({"f": file}, None)
        file.seek(0)

        assert part('name="f"; filename="large.bin"', large.read_text()[10:]) in body


@pytest.mark.parametrize("position", [0, 1, 50, 70_000, SIZE])
def test_reading_goes_on_from_any_position(large, position):
    """A redirect or a retry rewinds."""
    with open(large, "rb") as file:
        body, _ = encode_files({"f": file}, None)
    whole = body.read()

    assert body.seek(position) == body.tell() == position
    assert body.read(7) == whole[position : position + 7]
    assert body.read() == whole[position + 7 :]


def test_a_file_that_became_shorter_is_an_error(large):
    """The promised length cannot be sent."""
    with open(large, "rb") as file:
        body, _ = encode_files({"f": file}, None)
    large.write_bytes(b"short")

    with pytest.raises(RequestException, match="before the length it had"):
        body.read()


def test_a_large_object_without_descriptor_is_read_by_itself():
    """What can seek is streamed through its own `read`."""

    class Slow(io.BytesIO):
        largest = 0

        def read(self, amount=-1):
            Slow.largest = max(Slow.largest, amount if amount >= 0 else SIZE)
            return super().read(amount)

    body, _ = encode_files({"f": Slow(b"x" * SIZE)}, None)

    assert b"".join(body).count(b"x") == SIZE
    assert Slow.largest <= _multipart.CHUNK


def test_a_compressed_file_is_sent_as_it_reads(tmp_path):
    """Not as it lies on the disk."""
    with gzip.open(tmp_path / "f.gz", "wb") as file:
        file.write(b"x" * SIZE)
    with gzip.open(tmp_path / "f.gz", "rb") as file:
        body, _ = encode_files({"f": ("n", file)}, None)

        assert bytes(body) == part('name="f"; filename="n"', "x" * SIZE) + b"--B--\r\n"


def test_another_process_gets_the_bytes(large):
    """A streamed form pickles, compares and can be searched as the bytes it stands for."""
    with open(large, "rb") as file:
        body, _ = encode_files({"f": file}, None)
    again = pickle.loads(pickle.dumps(body))

    assert type(again) is bytes
    assert again == body and body == again
    assert b"large.bin" in body
    assert repr(body) == f"<Multipart 0 of {len(again)} bytes>"


@pytest.mark.parametrize("kind", ["file", "object"])
def test_a_form_may_be_read_in_two_places_at_once(large, kind):
    """Threads that send one request do not take each other's bytes."""
    with open(large, "rb") as file:
        body, _ = encode_files({"f": ("n", file if kind == "file" else io.BytesIO(file.read()))}, None)
    first, second = body.reader(), body.reader()
    pairs = list(zip(first, second))

    assert b"".join(piece for piece, _ in pairs) == b"".join(piece for _, piece in pairs) == bytes(body)
    assert body.tell() == 0
