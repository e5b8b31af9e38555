"""The public surface, module by module, against that of the requests that is installed: names, signatures, constants,
bases, texts.

What differs is a row of ``docs/from-requests.md``; the lists here say which, and fail if nothing differs any more.
"""

import importlib
import inspect
import pickle
import typing

import pytest
import requests
from compat.differences import wanted

import requestx

# PySocks is not installed.
pytestmark = pytest.mark.filterwarnings("ignore:SOCKS support")

MODULES = [
    *("", "api", "adapters", "auth", "certs", "compat", "cookies", "exceptions", "help", "hooks", "models", "packages"),
    *("sessions", "status_codes", "structures", "utils", "_internal_utils", "_types", "__version__"),
]

# Names that are not there, by the row that says why; they are a module's own imports and helpers.
MISSING = {
    "checks-at-import": {"_check_cryptography", "check_compatibility", "chardet_version", "charset_normalizer_version"},
    "names-of-annotations": {*dir(typing), "_SupportsItems", "_SupportsRead", "_is_prepared", "_CookieJarT"}
    | {"_KT", "_VT", "_KT_co", "_VT_co", "ModuleType", "typing"},
    "names-of-insides": {"_null", "_null2", "_null3", "_validate_header_part", "_urllib3_request_context"}
    | {f"_VALID_HEADER_{part}_RE_{kind}" for part in ("NAME", "VALUE") for kind in ("BYTE", "STR")}
    | {"_get_idna_encoded_host", "imported_mod", "mod", "package", "target", "importlib", "builtin_str"},
    "names-of-help": {"OpenSSL", "chardet", "charset_normalizer", "cryptography", "pyopenssl", "requests_version"}
    | {"urllib3"},
    "socks": {"SOCKSProxyManager"},
}

# Functions and methods with other parameters, by row.
SIGNATURES = {
    "http2": {"HTTPAdapter.__init__", "Session.__init__"},
    "digest-body": {"HTTPDigestAuth.build_digest_header"},
    "user-agent": {"default_user_agent"},
}

# Constants that differ, by row.
CONSTANTS = {
    "session-attributes": {"Session.__attrs__"},
    "http2": {"HTTPAdapter.__attrs__"},
    "header-fields": {"HEADER_VALIDATORS", "_HEADER_VALIDATORS_BYTE", "_HEADER_VALIDATORS_STR"},
    "version": {"__version__", "__build__", "__title__", "__description__"},
}
# What the package says of itself: each has its own.
NOT_COMPARED = {"__author__", "__author_email__", "__cake__", "__copyright__", "__url__"}


def both(name):
    """A module of requests, and ours."""
    return [importlib.import_module(top + ("." + name if name else "")) for top in ("requests", "requestx")]


def own(module, kind):
    """What a module defines of a kind: pairs of name and value."""
    members = inspect.getmembers(module, kind)
    return [(name, value) for name, value in members if value.__module__ == module.__name__]


def every(kind):
    """The same of all modules of requests, each with what ours has under that name."""
    for name in MODULES:
        theirs, ours = both(name)
        yield from ((each, value, getattr(ours, each, None)) for each, value in own(theirs, kind))


def listed(table):
    """The names in a table of differences."""
    return set().union(*table.values())


def parameters(function):
    """Names, kinds and defaults; annotations are each one's own."""
    found = inspect.signature(function).parameters.values()
    return [(each.name, each.kind, each.default) for each in found]


def test_every_difference_is_a_row_of_the_page():
    """The page says why."""
    assert {*MISSING, *SIGNATURES, *CONSTANTS} - set(wanted()) == set()


@pytest.mark.parametrize("name", MODULES)
def test_names(name):
    """Whatever name a module of requests has, ours has, but for the listed ones."""
    theirs, ours = both(name)
    names = {each for each in vars(theirs) if each in NOT_COMPARED or not each.startswith("__")}
    missing = {each for each in names if not hasattr(ours, each)}

    assert missing - listed(MISSING) == set()


def test_names_that_are_listed_as_missing_are():
    """But those of typing, of which any may be."""
    there = {each for name in MODULES for each in vars(both(name)[0]) if not hasattr(both(name)[1], each)}
    methods = {each for _, theirs, ours in every(inspect.isclass) for each in vars(theirs) if not hasattr(ours, each)}
    expected = listed(MISSING) - set(dir(typing)) - {"SOCKSProxyManager"}

    assert expected - there - methods == set()


def test_functions_have_the_same_parameters():
    """Names, kinds and defaults."""
    functions = [(name, theirs, ours) for name, theirs, ours in every(inspect.isfunction) if ours is not None]
    differ = {name for name, theirs, ours in functions if parameters(theirs) != parameters(ours)}

    assert len(functions) > 60
    assert differ == {name for name in listed(SIGNATURES) if "." not in name}


@pytest.mark.parametrize("module", ["blocking", "aio"])
def test_functions_of_both_worlds_have_the_same_parameters(module):
    """As those of requests.api."""
    ours = importlib.import_module(f"requestx.{module}")

    for name, function in own(requests.api, inspect.isfunction):
        assert parameters(getattr(ours, name)) == parameters(function), name


def test_methods_have_the_same_parameters():
    """Of all classes; constructors too."""
    differ, seen = set(), 0
    for name, theirs, ours in every(inspect.isclass):
        for each, method in vars(theirs).items():
            if inspect.isfunction(method) and (not each.startswith("__") or each == "__init__"):
                seen += 1
                if each in listed(MISSING) or (each == "__init__" and "__init__" not in vars(ours)):
                    continue
                if parameters(method) != parameters(getattr(ours, each)):
                    differ.add(f"{name}.{each}")

    assert seen > 100
    assert differ == {name for name in listed(SIGNATURES) if "." in name}


def test_constants_are_equal():
    """Of modules and of classes: numbers, texts, lists of names."""
    plain = (int, float, str, bytes, tuple, list, dict, set, frozenset)
    differ = set()
    for name in MODULES:
        for each, value in vars(both(name)[0]).items():
            dunder = each.startswith("__") and name != "__version__"
            if isinstance(value, plain) and not dunder and each not in listed(MISSING) | NOT_COMPARED:
                differ |= {each} if getattr(both(name)[1], each) != value else set()
    for name, theirs, ours in every(inspect.isclass):
        for each, value in vars(theirs).items():
            if isinstance(value, plain) and (not each.startswith("__") or each == "__attrs__"):
                differ |= {f"{name}.{each}"} if getattr(ours, each) != value else set()

    assert {each for each in differ if each not in {"__file__", "__name__"}} == listed(CONSTANTS)


def test_attributes_of_classes():
    """Methods and properties are what they are there."""
    for name, theirs, ours in every(inspect.isclass):
        for each, value in vars(theirs).items():
            if each in listed(MISSING) or each in ("__dict__", "__firstlineno__", "__static_attributes__"):
                continue
            assert hasattr(ours, each), (name, each)
            assert isinstance(inspect.getattr_static(ours, each), property) is isinstance(value, property), (name, each)


def test_bases_of_classes():
    """An exception is caught by whatever caught it there; what is urllib3's has our name."""
    for name, theirs, ours in every(inspect.isclass):
        there, here = ([base.__name__ for base in cls.__mro__] for cls in (theirs, ours))
        assert [base for base in there if base not in here] == [], name


def built(module):
    """Objects whose text is public."""
    error = module.exceptions.HTTPError("no", response=module.Response())
    request = module.Request("GET", "http://a.test/")
    jar = module.cookies.RequestsCookieJar()
    jar.set("a", "b", domain="a.test", path="/")
    response = module.Response()
    response.status_code = 404
    headers = module.structures.CaseInsensitiveDict({"A": "b"})
    return [request, request.prepare(), response, headers, jar, error, module.codes, module.exceptions.Timeout("x")]


@pytest.mark.parametrize("text", [repr, str])
def test_texts(text):
    """repr and str, which people log and compare."""
    assert list(map(text, built(requests))) == list(map(text, built(requestx)))


def test_settings_of_new_objects():
    """A Session, Request, Response and adapter begin with the same attributes."""
    for make in (lambda module: module.Session(), lambda module: module.Request(), lambda module: module.Response()):
        there, here = make(requests), make(requestx)
        for name, value in vars(there).items():
            if name == "headers" and isinstance(there, requests.Session):
                assert list(value) == list(here.headers)
            elif name != "adapters":
                assert plainly(value) == plainly(getattr(here, name)), name
    for name in ("max_retries", "_pool_connections", "_pool_maxsize", "_pool_block", "config"):
        there, here = (getattr(module.adapters.HTTPAdapter(), name) for module in (requests, requestx))
        assert getattr(there, "total", there) == getattr(here, "total", here)


def plainly(value):
    """A jar or mapping as what is in it."""
    return dict(value) if hasattr(value, "items") else value


def test_what_is_kept_over_pickling():
    """A session's settings, ours as well; a response with its body."""
    session = requestx.Session()
    session.timeout, session.verify, session.json_loads = requestx.TimeLimits(total=3), False, len
    again = pickle.loads(pickle.dumps(session))
    response = requestx.Response()
    response._content, response.status_code, response.encoding = b"x", 201, "utf-8"

    assert (again.timeout, again.verify, again.json_loads) == (requestx.TimeLimits(total=3), False, len)
    assert pickle.loads(pickle.dumps(response)).text == "x"


def test_what_help_tells():
    """The same keys, and our own."""
    assert set(requests.help.info()) <= set(requestx.help.info())


@pytest.fixture(autouse=True, scope="module")
def named():
    """What requests does not import by itself."""
    importlib.import_module("requests.help")
