"""requestx in the place of requests: what ``import requests`` gives after ``install_as_requests``."""

import pytest

INSTALLED = "requestx.install_as_requests()\nfrom unittest import mock\nimport requests\n"


def told(child, source, *arguments):
    """What a child prints that has requestx installed as requests."""
    outcome = child(INSTALLED + source, *arguments)
    assert outcome.clean, outcome
    return outcome.out.split()


SAME = "adapters auth certs compat cookies exceptions help hooks models packages status_codes structures utils"


def test_modules_are_the_very_modules_of_ours(child):
    """So what is patched there takes effect; imported in every way there is."""
    source = f"""
import importlib
import requests.adapters
from requests.exceptions import ConnectionError
from requests import Response, codes, utils
for name in {SAME!r}.split():
    module = importlib.import_module("requests." + name)
    assert module is importlib.import_module("requestx." + name) is getattr(requests, name), name
assert ConnectionError is requestx.ConnectionError and Response is requestx.Response
assert requests.adapters is requestx.adapters and utils is requestx.utils and codes.ok == 200
"""

    assert told(child, source) == []


def test_session_and_functions_always_block(child, server):
    """What was written for requests knows of no loop, and does not await."""
    source = """
from requests.sessions import Session
assert requests.Session is Session is requests.sessions.Session is requestx.blocking.Session
assert issubclass(Session, requestx.Session) and type(requests.session()) is Session
async def main():
    with requests.Session() as session:
        print(session.get(url).status_code, requests.get(url).status_code, requests.api.post(url).status_code)
asyncio.run(main())
"""

    assert told(child, source, server.url + "/echo") == ["200", "200", "200"]


PATCHES = {
    "requests.get": "requests.get(url)",
    "requests.request": "requests.request('GET', url)",
    "requests.api.request": "requests.get(url)",
    "requests.Session.send": "requests.get(url)",
    "requests.sessions.Session.request": "requests.Session().get(url)",
    "requests.sessions.Session": "requests.get(url).request()",
    "requests.adapters.HTTPAdapter.send": "requests.get(url)",
    "requests.sessions.get_netrc_auth": "requests.get(url, headers={'a': 'b'})",
    "requests.sessions.merge_setting": "requests.get(url, headers={'a': 'b'})",
}


@pytest.mark.parametrize("name", sorted(PATCHES))
def test_a_patch_takes_effect_and_leaves_again(child, server, name):
    """By the names that tests of other people patch."""
    source = f"""
with mock.patch({name!r}, side_effect=ZeroDivisionError) as patched:
    try:
        {PATCHES[name]}
    except ZeroDivisionError:
        print(patched.called)
print(requests.get(url).status_code)
"""

    assert told(child, source, server.url + "/get") == ["True", "200"]


def test_urllib3_is_reached_through_packages(child):
    """``requests.packages.urllib3...`` imports work, and give urllib3's own modules."""
    source = """
import requests.packages.urllib3.exceptions
from requests.packages.urllib3.util.retry import Retry
from requests.packages import idna
import urllib3, urllib3.util.retry, idna as own
assert requests.packages.urllib3 is urllib3 and Retry is urllib3.util.retry.Retry and idna is own
requests.packages.urllib3.disable_warnings()
"""

    assert told(child, source) == []


def test_objects_cross_by_pickle(child, server):
    """A process that has not installed anything can read what one that has wrote, and the other way round."""
    source = """
import pickle
session = requests.Session()
session.headers["X-A"] = "1"
with session, requests.Session() as other:
    response = session.get(url)
    for each in (session, response, requests.get, response.request.headers, requests.codes.ok):
        text = pickle.dumps(each)
        assert b"requests" not in text.replace(b"python-requests", b""), text
        back = pickle.loads(text)
        assert type(back) is type(each)
    assert pickle.loads(pickle.dumps(session)).headers["X-A"] == "1"
    assert pickle.loads(pickle.dumps(requests.get)) is requestx.blocking.get
print(pickle.loads(pickle.dumps(response)).status_code)
"""

    assert told(child, source, server.url + "/get") == ["200"]


def test_version_is_that_of_the_requests_whose_behaviour_it_is(child):
    """Libraries compare it with the oldest they can do with; ours stays ours."""
    import requests

    source = """
from requests.__version__ import __version__ as again
print(requests.__version__, again, requests.__build__, requestx.__version__ != again)
"""

    assert told(child, source) == [requests.__version__, requests.__version__, str(requests.__build__), "True"]


def test_it_looks_like_a_package(child):
    """To importlib, dir and whoever asks for a name that is not there."""
    source = """
import importlib.util
assert importlib.util.find_spec("requests").name == requests.__spec__.name == requests.__name__ == "requests"
assert {"get", "Session", "adapters", "RequestException"} <= set(dir(requests))
assert "Session" in dir(requests.sessions)
for statement in ("import requests.nothing", "from requests import nothing"):
    try:
        exec(statement)
    except ImportError as error:
        print(type(error).__name__)
assert {"get", "Session", "adapters", "codes", "Response", "Timeout", "utils"} <= set(vars(requests))
names = {}
exec("from requests import *", names)
assert names["Session"] is requests.Session
"""

    assert told(child, source) == ["ModuleNotFoundError", "ImportError"]


FIRST = [
    "import requests.adapters; assert requests.adapters is requestx.adapters and requests.get",
    "from requests.adapters import HTTPAdapter; assert HTTPAdapter is requestx.adapters.HTTPAdapter",
    "import requests.help as found; import requests; assert found is requests.help is requestx.help",
    "import requests.packages.urllib3.util; import requests; assert requests.packages is requestx.packages",
]


@pytest.mark.parametrize("statement", FIRST)
def test_any_module_may_be_imported_first(child, statement):
    """Before `requests` itself has been named."""
    outcome = child(f"requestx.install_as_requests()\n{statement}")

    assert outcome.clean, outcome


def test_modules_are_listed_and_found_as_those_of_requests(child):
    """By pkgutil, by importlib, and imported by what they say."""
    import pkgutil

    import requests

    source = """
import importlib, importlib.util, pkgutil
assert "requests.help" not in sys.modules and importlib.util.find_spec("requests.nothing") is None
found = {each.name for each in pkgutil.walk_packages(requests.__path__, "requests.")}
for name in sys.argv[1:]:
    assert name in found and importlib.util.find_spec(name), name
    module = importlib.import_module(name)
    assert module is sys.modules[name] and getattr(requests, name.partition(".")[2]) is not None
assert importlib.import_module("requests.help") is requestx.help and requestx.help.__spec__.name == "requestx.help"
"""
    names = [each.name for each in pkgutil.iter_modules(requests.__path__, "requests.")]

    assert len(names) > 15
    assert told(child, source, *names) == []


def test_a_module_runs_as_one_of_requests_does(child):
    """``python -m requests.help``, where somebody installs us at start-up."""
    source = "import json, runpy\nrunpy.run_module('requests.help', run_name='__main__', alter_sys=True)"
    outcome = child(INSTALLED + source)

    assert outcome.clean, outcome
    assert '"requests": {' in outcome.out


def test_what_is_reloaded_or_forgotten_is_still_ours(child):
    """It is for the whole process, whatever becomes of `sys.modules`."""
    source = """
import importlib
before = requests, requests.sessions, requests.__spec__.name
assert importlib.reload(requests) is requests and importlib.reload(requests.sessions) is requests.sessions
for name in [name for name in sys.modules if name.partition(".")[0] == "requests"]:
    del sys.modules[name]
requestx.install_as_requests()
import requests
import requests.sessions
assert before == (requests, requests.sessions, requests.__spec__.name)
"""

    assert told(child, source) == []


def test_a_second_call_does_nothing(child):
    """Whoever wants it may ask."""
    source = "before = dict(sys.modules)\nrequestx.install_as_requests()\nassert sys.modules == before"

    assert told(child, source) == []


def test_it_refuses_where_requests_was_imported(child):
    """Half of a program would go on with the other."""
    outcome = child("import requests\nrequestx.install_as_requests()\n")

    assert outcome.code == 1
    assert "RuntimeError: requests" in outcome.err and "before anything imports requests" in outcome.err
