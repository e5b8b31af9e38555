"""What requests offers under `utils`: headers in pieces, encodings, files, URLs."""

import io
import os
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from requestx import utils
from requestx.cookies import RequestsCookieJar


@pytest.mark.parametrize(
    "header, items",
    [
        ('a="b, c", d=e', {"a": "b, c", "d": "e"}),
        ("key", {"key": None}),
        ('a="x\\"y"', {"a": 'x"y'}),
        ('nonce="abc==",qop="auth,auth-int"', {"nonce": "abc==", "qop": "auth,auth-int"}),
        ('a="', {"a": ""}),
    ],
)
def test_dict_headers(header, items):
    """Commas in quotes are none."""
    assert utils.parse_dict_header(header) == items


@pytest.mark.parametrize(
    "header, links",
    [
        ('<a>; rel="next"; t=x, <b>; rel=prev', [{"url": "a", "rel": "next", "t": "x"}, {"url": "b", "rel": "prev"}]),
        ("<a,b>;", [{"url": "a,b"}]),
        ("<a>; junk", [{"url": "a"}]),
        ("", []),
    ],
)
def test_link_headers(header, links):
    """RFC 8288, as requests reads it."""
    assert utils.parse_header_links(header) == links


def test_headers_are_read_in_linear_time():
    """Whatever a peer sends."""
    for header in ("," * 100_000, "<" * 100_000, "<a>, " * 20_000, ";" * 100_000, "<a>;x=" + " " * 100_000):
        utils.parse_header_links(header)
        utils.parse_dict_header(header)
        utils._parse_content_type_header(header)


@pytest.mark.parametrize(
    "header, encoding",
    [
        ("text/html; charset=utf-8", "utf-8"),
        ("text/html; Charset = 'utf-8'", "utf-8"),
        ("text/html; charset", "ISO-8859-1"),
        ("text/plain", "ISO-8859-1"),
        ("application/json", "utf-8"),
        ("image/png", None),
        (None, None),
    ],
)
def test_encoding_by_the_headers(header, encoding):
    """Named, or implied by the type."""
    assert utils.get_encoding_from_headers({"content-type": header} if header else {}) == encoding


def test_encodings_by_the_content():
    """HTML5, HTML4 and XML, in this order."""
    content = (
        '<?xml version="1.0" encoding="XML"?><meta charset="HTML5">'
        '<meta http-equiv="Content-type" content="text/html;charset=HTML4" />'
    )

    assert utils.get_encodings_from_content(content.replace("<meta", "\n<meta")) == ["HTML5", "HTML4", "XML"]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be", "utf-32-le"]
)
def test_json_tells_its_encoding(encoding):
    """By its BOM or its zeros."""
    assert utils.guess_json_utf('{"a": 1}'.encode(encoding)) == encoding


def test_pages_are_searched_in_linear_time():
    """However they are made."""
    for content in ("<meta" * 20_000, "<meta charset=" * 10_000, "<?xml" + " " * 100_000, "<meta " + "=" * 100_000):
        assert utils.get_encodings_from_content(content) == []


def test_json_of_no_encoding():
    """Not every heap of bytes is text."""
    assert utils.guess_json_utf(b"\0\0\0\0") is utils.guess_json_utf(b"\0") is None


@pytest.mark.parametrize("length, pieces", [(2, ["ab", "c"]), (0, ["abc"]), (-1, ["abc"]), (None, ["abc"])])
def test_slices(length, pieces):
    """No length is the whole."""
    assert list(utils.iter_slices("abc", length)) == pieces
    assert list(utils.iter_slices("", length)) == []


def test_chunks_are_decoded_across_their_borders():
    """A character may lie in two of them."""
    response = SimpleNamespace(encoding="utf-8")

    assert list(utils.stream_decode_response_unicode([b"a\xc3", b"\xa9"], response)) == ["a", "é"]
    assert list(utils.stream_decode_response_unicode([b"\xc3"], response)) == ["\ufffd"]
    response.encoding = None
    assert list(utils.stream_decode_response_unicode([b"a"], response)) == [b"a"]


def test_text_of_a_response():
    """By the headers' encoding, else with replacements."""
    headers = {"content-type": "text/plain; charset=utf-8"}

    assert utils.get_unicode_from_response(SimpleNamespace(headers=headers, content=b"\xc3\xa9")) == "é"
    assert utils.get_unicode_from_response(SimpleNamespace(headers=headers, content=b"\xff")) == "\ufffd"


@pytest.mark.parametrize(
    "url, prepended",
    [
        ("example.com/path", "http://example.com/path"),
        ("//example.com:80", "http://example.com:80"),
        ("socks5://u:p@h:1", "socks5://u:p@h:1"),
        ("u@h/x?y#z", "http://u@h/x?y#z"),
    ],
)
def test_schemes_are_prepended(url, prepended):
    """Where there is none."""
    assert utils.prepend_scheme_if_needed(url, "http") == prepended


@pytest.mark.parametrize(
    "url, bare",
    [
        ("http://u:p@h/p;x?q#f", "http://h/p;x?q"),
        ("//u@h/p", "//h/p"),
        ("h/p", "//h/p"),
        ("http://u@v@h/", "http://h/"),
    ],
)
def test_urls_lose_fragment_and_userinfo(url, bare):
    """What is not for a Referer."""
    assert utils.urldefragauth(url) == bare


def test_a_file_in_an_archive_is_taken_out(tmp_path):
    """Into a directory of our own, once (CVE-2026-25645); anything else stays what it is."""
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("certs/ca.pem", "bundle")
    inside = str(archive / "certs" / "ca.pem")
    path = utils.extract_zipped_paths(inside)

    assert Path(path).read_text() == "bundle"
    assert os.name == "nt" or os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700
    assert utils.extract_zipped_paths(inside) == path
    for other in ("/", __file__, "/no/such/file", str(archive / "none"), r"\\localhost\no\file"):
        assert utils.extract_zipped_paths(other) == other


def test_files_appear_whole(tmp_path):
    """Or not at all."""
    path = tmp_path / "f"
    with utils.atomic_open(str(path)) as file:
        file.write(b"whole")
        assert not path.exists()
    with pytest.raises(ZeroDivisionError), utils.atomic_open(str(path)) as file:
        file.write(b"half")
        raise ZeroDivisionError

    assert [other.read_bytes() for other in tmp_path.iterdir()] == [b"whole"]


def test_a_variable_is_set_for_a_while():
    """None sets nothing."""
    before = dict(os.environ)
    with utils.set_environ("no_proxy", "x"):
        assert os.environ["no_proxy"] == "x"
    with utils.set_environ("no_proxy", None):
        assert "no_proxy" not in os.environ

    assert dict(os.environ) == before


def test_bypassing_asks_what_callers_patch(monkeypatch):
    """`utils.proxy_bypass` is looked up when it is called."""
    monkeypatch.setattr(utils, "proxy_bypass", lambda host: host == "h")

    assert utils.should_bypass_proxies("http://u:p@h:80/", no_proxy=None)
    assert not utils.should_bypass_proxies("http://i/", no_proxy=None)
    assert utils.get_environ_proxies("http://h/") == {}


def test_dicts_and_jars():
    """To and fro."""
    jar = utils.add_dict_to_cookiejar(RequestsCookieJar(), {"a": "b"})

    assert utils.dict_from_cookiejar(jar) == {"a": "b"}
    assert utils.from_key_val_list([("a", 1)]) == {"a": 1}
    assert utils.from_key_val_list(None) is None
    assert list(utils.dict_to_sequence({"a": 1})) == [("a", 1)]


def test_defaults_of_a_session():
    """Four headers, in this order."""
    headers = utils.default_headers()

    assert list(headers) == ["User-Agent", "Accept-Encoding", "Accept", "Connection"]
    assert headers["user-agent"] == utils.default_user_agent()
    assert utils.default_user_agent("me").startswith("me/")
    assert os.path.exists(utils.DEFAULT_CA_BUNDLE_PATH)


@pytest.mark.parametrize("value, text", [("a", "a"), (b"a", "a")])
def test_native_strings(value, text):
    """bytes are decoded."""
    assert utils.to_native_string(value) == text
    assert utils.unicode_is_ascii("a") and not utils.unicode_is_ascii("é")


def test_lengths_and_names_are_here_too():
    """requests has them under this name."""
    assert utils.super_len(io.BytesIO(b"abc")) == 3
    assert utils.guess_filename(SimpleNamespace(name="/a/b")) == "b"
    assert utils.get_auth_from_url(b"http://u:p@h/") == ("u", "p")
    assert utils.get_auth_from_url(None) == ("", "")
