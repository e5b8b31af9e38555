"""netrc: for the host that is asked, and read again when it changes."""

import time

import pytest

from requestx._netrc import netrc_auth


@pytest.fixture
def netrc(tmp_path, monkeypatch):
    """Writes a netrc."""
    path = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(path))
    return path.write_text


@pytest.mark.parametrize(
    "url, auth",
    [
        ("http://example.com/thing", ("aaaa", "bbbb")),
        ("https://EXAMPLE.com:8443/", ("aaaa", "bbbb")),
        ("http://aaaa@example.com/", ("aaaa", "bbbb")),
        ("http://someone@example.com/", None),
        ("http://example.com:@evil.com/", None),
        ("http://example.com@evil.com/", None),
        ("http://evil.com/\\@example.com", None),
        ("http://evil.com\\@example.com/", None),
        ("http://nologin.com/", ("", "cccc")),
        ("http://nopassword.com/", None),
        ("http://other/", None),
    ],
)
def test_netrc_is_for_the_host_that_is_asked(url, auth, netrc):
    """Not for what stands before an @ (CVE-2024-47081), nor for another user (CVE-2026-8926)."""
    netrc("machine example.com login aaaa password bbbb\nmachine nologin.com password cccc\n")
    if "nopassword" in url or "nologin" in url:
        # What Python's reader makes of such an entry depends on its version.
        assert netrc_auth(url) in (auth, None)
    else:
        assert netrc_auth(url) == auth


def test_an_empty_default_gives_nothing(netrc):
    """CVE-2024-11053."""
    netrc("machine example.com login user password pass\ndefault\n")

    assert netrc_auth("http://other/") is None


def test_a_changed_netrc_is_read_again(netrc):
    """A file that NETRC names is looked at for every request."""
    netrc("machine h login a password b\n")
    assert netrc_auth("http://h/") == ("a", "b")
    netrc("machine h login a password changed\n")

    assert netrc_auth("http://h/") == ("a", "changed")


def test_home_is_not_searched_for_every_request(tmp_path, monkeypatch):
    """A ~/.netrc that was not there a moment ago is asked for again a second later, or when HOME changes."""
    monkeypatch.delenv("NETRC")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    assert netrc_auth("http://h/") is None
    (tmp_path / ".netrc").write_text("machine h login a password b\n")

    assert netrc_auth("http://h/") is None
    assert netrc_auth("http://h/", patient=False) == ("a", "b")
    now[0] += 5
    assert netrc_auth("http://h/") == ("a", "b")


def test_a_broken_netrc_is_told_to_who_asks(netrc):
    """Requests go on without it."""
    netrc("machine\n\x00 nonsense")

    assert netrc_auth("http://h/") is None
    with pytest.raises(Exception, match="."):
        netrc_auth("http://h/", raise_errors=True)
