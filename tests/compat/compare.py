"""The same calls by requests and by requestx, and what came of them.

A case is data: the calls of one session, and the pages that the mirror (``server/mirror.py``) answers them with.
It is played three times, by requests, and by requestx in both worlds; each play gives facts, which are compared.
Facts are what a caller can see of a response or an exception, and every byte that the server saw.

What is made anew for each play (a file, a generator, an auth object) is written as ``made(lambda lib: ...)``, where
``lib`` is the module that plays.
"""

import operator
import re

from compat.differences import wanted
from worlds import World

# What hangs shall be an outcome like any other.
PATIENCE = 3

VERBS = ("get", "post", "put", "patch", "delete", "head", "options")


class made:
    """
    A value that is made for each play.
    """

    def __init__(self, make):
        self.make = make


class Call:
    """
    One call of a session: method, path (if it begins with / or ?) or URL, and keyword arguments.
    """

    def __init__(self, method, path="/", **more):
        self.method = method
        self.path = path
        self.more = more


def _verb(name):
    return lambda path="/", **more: Call(name, path, **more)


get, post, put, patch, delete, head, options = map(_verb, VERBS)


class Case:
    """
    A row of the matrix.

    Args:
        name: what it is about.
        *calls: made by one session, one after the other.
        pages: path (or ``*``) to the answer, or the list of answers, of the mirror.
        session: attributes of the session.
        environ: variables; ``NETRC`` is what the file has in it.
        differs: name of the wanted difference (see ``differences.py``).
    """

    def __init__(self, name, *calls, pages=None, session=None, environ=None, differs=None):
        self.name = name
        self.calls = calls
        self.pages = pages or {}
        self.session = session or {}
        self.environ = environ or {}
        self.differs = differs


def answer(body="ok", *fields, status="200 OK", length=True):
    """
    A response's bytes: ``fields`` are whole lines; without a Content-Type of theirs it is text/plain.
    """
    lines = ["HTTP/1.1 " + status]
    if not any(field.lower().startswith("content-type:") for field in fields):
        lines.append("Content-Type: text/plain")
    lines.extend(field for field in fields if field.lower() != "content-type:")
    if isinstance(body, bytes):
        body = body.decode("latin-1")
    if length:
        lines.append("Content-Length: %d" % len(body))
    return "\r\n".join(lines) + "\r\n\r\n" + body


def moved(status, location, *fields):
    """
    A redirect.
    """
    return answer("elsewhere", "Location: " + location, *fields, status="%d Moved" % status)


class Reference(World):
    """
    The world of requests.
    """

    awaits = False

    def __init__(self):
        import requests

        self.requestx = requests
        self.sessions = []

    def run(self, function, *arguments, **more):
        return function(*arguments, **more)

    def read(self, response):
        return response.content


def surround(case, here, elsewhere, monkeypatch, folder):
    """
    Set the case's environment.
    """
    for name, value in case.environ.items():
        value = _placed(value, places_of(here, elsewhere))
        if name == "NETRC":
            (folder / "netrc").write_text(value)
            value = str(folder / "netrc")
        monkeypatch.setenv(name, value)


def places_of(here, elsewhere):
    """
    What the marks in URLs, answers and variables stand for.
    """
    return {
        "{here}": here.url,
        "{there}": here.at("localhost"),
        "{elsewhere}": elsewhere.url,
        "{port}": str(here.port),
        "{elseport}": str(elsewhere.port),
    }


def play(case, world, here, elsewhere):
    """
    The facts of a case: one list for each call, and what the two mirrors saw.

    Args:
        case: the Case.
        world: one of ``worlds.py``, or a Reference.
        here: the mirror that calls go to.
        elsewhere: another one, on another port.
    """
    places = places_of(here, elsewhere)
    pages = {
        path: [_placed(each, places) for each in ([answers] if isinstance(answers, str) else answers)]
        for path, answers in case.pages.items()
    }
    for site in (here, elsewhere):
        site.play(pages)
    lib = world.requestx
    session = world.session(**_made(case.session, lib, places))
    facts = [_facts_of_call(call, world, session, lib, places) for call in case.calls]
    world.run(session.close)
    facts.append({"here": _normal(here.seen), "elsewhere": _normal(elsewhere.seen)})
    return facts


# Where ours may be more than theirs: an exception that is one of theirs and of others, one that knows its request, or
# the answer that led to it.
AGREE = {
    "error": lambda theirs, ours: theirs is not None and ours is not None and set(theirs) <= set(ours),
    "request": lambda theirs, ours: theirs in (None, ours),
    "response": lambda theirs, ours: theirs in (None, ours),
}


def check(case, expected, actual):
    """
    Compare two plays.

    Raises:
        AssertionError: they differ and should not, or do not and should.
    """
    differing = [
        "%s: requests %r, requestx %r" % (name, theirs.get(name), ours.get(name))
        for theirs, ours in zip(expected, actual)
        for name in _comparable(theirs, ours)
        if not AGREE.get(name, operator.eq)(theirs.get(name), ours.get(name))
    ]
    if case.differs is None:
        assert not differing, "\n".join(differing)
    else:
        assert case.differs in wanted(), "docs/from-requests.md has no row %r" % case.differs
        assert differing, "nothing differs any more"


def _comparable(theirs, ours):
    """
    What both have; if only one of them failed, that is all there is to say.
    """
    return ["error"] if ("error" in theirs) != ("error" in ours) else sorted({*theirs, *ours})


def _placed(text, places):
    for mark, place in places.items():
        text = text.replace(mark, place)
    return text


def _made(value, lib, places=None):
    if isinstance(value, made):
        return value.make(lib)
    if isinstance(value, dict):
        return {name: _made(each, lib, places) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_made(each, lib, places) for each in value)
    return _placed(value, places) if places and isinstance(value, str) else value


def _facts_of_call(call, world, session, lib, places):
    url = _placed(call.path, places) if isinstance(call.path, str) else _made(call.path, lib)
    if isinstance(call.path, str) and url[:1] in ("/", "?"):
        url = places["{here}"] + url
    try:
        response = session.request(call.method, url, **_made(dict({"timeout": PATIENCE}, **call.more), lib, places))
        world.read(response)
    except Exception as error:
        return _facts_of_error(error)
    return dict(_facts_of_response(response), session_cookies=_cookies(session.cookies))


# Their messages are urllib3's.
_OTHERS_WORDS = {"ConnectionError", "Timeout", "ChunkedEncodingError", "ContentDecodingError"}


def _facts_of_error(error):
    """
    Class, bases and, where requests chose the words itself, message.
    """
    response = getattr(error, "response", None)
    request = getattr(error, "request", None)
    facts = {
        "error": [cls.__name__ for cls in type(error).__mro__],
        "response": None if response is None else _facts_of_response(response),
        "request": None if request is None else (request.method, request.url),
    }
    if "RequestException" in facts["error"] and not _OTHERS_WORDS & set(facts["error"]):
        # What did not parse is told in urllib3's words.
        facts["message"] = re.sub("(Failed to parse|(Please check )?[Pp]roxy URL).*", "?", str(error), flags=re.S)
    return facts


def _facts_of_response(response):
    request = response.request
    looks = {
        "status": lambda: response.status_code,
        "reason": lambda: response.reason,
        "headers": lambda: list(response.headers.items()),
        "content": lambda: response.content,
        "text": lambda: response.text,
        "encoding": lambda: response.encoding,
        "apparent_encoding": lambda: response.apparent_encoding,
        "json": lambda: repr(response.json()),
        "url": lambda: response.url,
        "history": lambda: [_brief(each) for each in response.history],
        "cookies": lambda: _cookies(response.cookies),
        "elapsed": lambda: type(response.elapsed),
        "links": lambda: response.links,
        "ok": lambda: (response.ok, bool(response), repr(response)),
        "raised": lambda: response.raise_for_status(),
        "redirect": lambda: (response.is_redirect, response.is_permanent_redirect),
        "next": lambda: _following(response),
        "lines": lambda: list(response.iter_lines()),
        "lines_text": lambda: list(response.iter_lines(decode_unicode=True)),
        "lines_cut": lambda: list(response.iter_lines(chunk_size=3, delimiter=b"a")),
        "pieces": lambda: list(response.iter_content(3)),
        "raw": lambda: (response.raw.status, response.raw.version, response.raw.reason),
        "asked": lambda: (request.method, request.url, request.path_url, list(request.headers)),
        "sent_body": lambda: _sent(request.body),
        "sent_cookies": lambda: _cookies(request._cookies),
    }
    return {name: _attempt(look) for name, look in looks.items()}


def _brief(response):
    """
    An answer on the way.
    """
    request = response.request
    seen = response.status_code, response.url, response.content, list(response.headers.items()), response.is_redirect
    return (
        *seen,
        type(response.elapsed),
        request.method,
        request.url,
        list(request.headers),
        _cookies(response.cookies),
        _following(response),
    )


def _following(response):
    """
    The request that would follow.
    """
    request = response.next
    if request is None:
        return None
    return request.method, request.url, _sent(request.body), list(request.headers), _cookies(request._cookies)


def _sent(body):
    return _neutral(body) if isinstance(body, (str, bytes)) else bool(body)


def _attempt(look):
    try:
        return look()
    except Exception as error:
        return "raises", type(error).__name__, str(error)


def _cookies(jar):
    return sorted(
        (each.domain, each.path, each.name, each.value, each.secure, each.expires is None, sorted(each._rest))
        for each in jar
    )


# What is drawn by lot, and who we say we are.
_BOUNDARY = re.compile(r"(?<=boundary=)[0-9a-f]{32}|(?<=--)[0-9a-f]{32}(?=--\r\n|\r\n)")
_DIGEST = re.compile(r'(response|cnonce)="[0-9a-f]+"')
_AGENT = re.compile(r"(?m)^User-Agent: python-requestx?s?/[^\r]*")


def _normal(seen):
    return [(_neutral(head), _neutral(body)) for head, body in seen]


def _neutral(text):
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    if text.startswith("CONNECT "):
        return text.split(" HTTP/")[0]  # the rest is http.client's, and another in each Python
    return _AGENT.sub("User-Agent: *", _DIGEST.sub(r'\1="*"', _BOUNDARY.sub("BOUNDARY", text)))
