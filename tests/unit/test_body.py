"""How long a body is, and how it is sent again."""

import gzip
import io
from types import SimpleNamespace

import pytest

from requestx import _multipart
from requestx._body import encode_files, guess_filename, is_stream, rewind_body, super_len, tell, to_key_val_list
from requestx.exceptions import FileModeWarning, UnrewindableBodyError


class Weird:
    def __len__(self):
        return 5

    def tell(self):
        raise OSError


@pytest.mark.parametrize(
    "body, length",
    [
        ("é", 2),
        (b"abc", 3),
        ([1, 2], 2),
        (io.BytesIO(b"abc"), 3),
        (io.StringIO("abc"), 3),
        (SimpleNamespace(len=5), 5),
        (object(), 0),
        (iter([]), 0),
        (Weird(), 0),
    ],
)
def test_length_of_what_is_left(body, length):
    """0 is unknown."""
    assert super_len(body) == length


def test_length_counts_from_the_position():
    """What was read is not sent."""
    body = io.BytesIO(b"abcde")
    body.read(2)

    assert super_len(body) == 3


def test_length_of_a_file(tmp_path):
    """By the file system; a file in text mode warns, since its length in bytes is another."""
    (tmp_path / "f").write_bytes(b"abc")
    with open(tmp_path / "f", "rb") as file:
        assert super_len(file) == 3
    with open(tmp_path / "f") as file, pytest.warns(FileModeWarning):
        assert super_len(file) == 3


def test_length_of_a_compressed_file_is_not_that_on_the_disk(tmp_path):
    """It is unknown, or what seeking to the end tells where that is possible."""
    with gzip.open(tmp_path / "f", "wb") as file:
        file.write(b"x" * 1000)
    with gzip.open(tmp_path / "f") as file:
        assert super_len(file) in (0, 1000)


@pytest.mark.parametrize(
    "data, stream",
    [(io.BytesIO(), True), (iter([]), True), (bytearray(), True), ("", False), (b"", False), ({}, False), ([], False)],
)
def test_streams_are_what_is_iterated(data, stream):
    """Strings and collections of pairs are not."""
    assert is_stream(data) is stream


def test_rewinding_goes_to_where_the_body_stood():
    """Not to its beginning."""
    body = io.BytesIO(b"abcde")
    body.read(2)
    request = SimpleNamespace(body=body, _body_position=tell(body))
    body.read()
    rewind_body(request)

    assert body.read() == b"cde"


def _unseekable():
    return SimpleNamespace(tell=lambda: 0)


def _failing():
    def seek(position):
        raise OSError

    return SimpleNamespace(tell=lambda: 0, seek=seek)


def _lost():
    def fail():
        raise OSError

    return SimpleNamespace(tell=fail, seek=lambda position: None)


def _closed():
    file = io.BytesIO(b"abc")
    return SimpleNamespace(tell=file.tell, seek=lambda position: file.close() or file.seek(position))


@pytest.mark.parametrize("make", [_unseekable, _failing, _lost, _closed])
def test_what_cannot_be_rewound_says_so(make):
    """No `seek`, one that fails, a file that was closed meanwhile, or no position."""
    body = make()
    position = tell(body)

    assert position is not None
    request = SimpleNamespace(body=body, _body_position=position)
    with pytest.raises(UnrewindableBodyError) as caught:
        rewind_body(request)

    assert caught.value.request is request


@pytest.mark.parametrize(
    "name, guess", [("/a/b.txt", "b.txt"), (b"/a/b", b"b"), ("<stdin>", None), ("", None), (3, None)]
)
def test_file_names_are_guessed(name, guess):
    """The last part of a name that is one."""
    assert guess_filename(SimpleNamespace(name=name)) == guess


def test_pairs_of_anything_but_text():
    """A string is no sequence of pairs."""
    assert to_key_val_list({"a": 1}) == to_key_val_list((("a", 1),)) == [("a", 1)]
    assert to_key_val_list(None) is None
    for value in ("text", b"text", 1, True):
        with pytest.raises(ValueError):
            to_key_val_list(value)


def test_a_boundary_is_drawn_unless_the_program_chooses_one(monkeypatch):
    """Caches and recorders put their own `choose_boundary` into urllib3, so that equal forms are equal bytes."""
    filepost = pytest.importorskip("urllib3.filepost")
    drawn = _multipart.boundary()
    monkeypatch.setattr(filepost, "choose_boundary", lambda: "--mine--")

    assert len(bytes.fromhex(drawn)) == 16
    assert encode_files({"f": b"x"}, None)[1] == "multipart/form-data; boundary=--mine--"
