"""Nothing falls through: every number of the header is known where it matters.

The header is the list; these tests go through it, so that a new error or option without its row, test or page fails
here and not at a user's.  What each option does is seen in ``abi/test_effects.py``, which goes through the header too.
"""

import ast
import functools
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEADER = ROOT / "include" / "requestx.h"

ABI_PAGES, C_TESTS = "docs/abi/*.md", "tests/abi/*.[ch]"
PYTHON_PAGES = ("python.md", "from-requests.md")

if not HEADER.exists():
    pytest.skip("no header yet", allow_module_level=True)

TEXT = HEADER.read_text(encoding="utf-8")
CODES = {name: int(number) for name, number in re.findall(r"#define (RQX_E_\w+) (\d+)", TEXT)}
OPTIONS = re.findall(r"#define (RQX_OPT_\w+) \d+", TEXT)
PHASES = {name: int(number) for name, number in re.findall(r"#define (RQX_PHASE_\w+) (\d+)", TEXT)}
FLAGS = re.findall(r"#define (RQX_(?:EVF|EV|F|SEND|READ|COOKIE)_\w+) \d+", TEXT)
FIELDS = [
    (struct, field)
    for body, struct in re.findall(r"typedef struct \{(.*?)\} (rqx_\w+);", TEXT, flags=re.S)
    for field in re.findall(r"(\w+);", re.sub(r"/\*.*?\*/", "", body, flags=re.S))
]
FUNCTIONS = sorted(set(re.findall(r"\b(rqx_\w+)\(", re.sub(r"/\*.*?\*/|//[^\n]*", "", TEXT, flags=re.S))))


class Words(frozenset):
    """The words of some files, told briefly when a test fails."""

    def __repr__(self):
        return "<%d words>" % len(self)


@functools.lru_cache(None)
def words(*patterns):
    """Every identifier in these files."""
    paths = [path for pattern in patterns for path in ROOT.glob(pattern)]
    return Words(word for path in paths for word in re.findall(r"\b(?:rqx|RQX)_\w+", path.read_text(encoding="utf-8")))


def test_the_header_has_what_is_counted_here():
    """The patterns of this file match something."""
    assert len(CODES) > 20
    assert len(OPTIONS) > 10
    assert len(PHASES) == 9
    assert len(FLAGS) > 20 and len(FIELDS) > 50
    assert len(FUNCTIONS) > 30


@pytest.mark.parametrize("name", sorted(CODES))
def test_every_error_has_a_class_in_every_phase(name):
    """(kind, phase) is total, and every class is a RequestException."""
    from requestx import exceptions

    for phase in PHASES.values():
        cls = type(exceptions.from_core(CODES[name], phase, "message"))

        assert issubclass(cls, exceptions.RequestException)
        assert exceptions.TABLE[CODES[name], phase] is cls


def test_table_has_no_unknown_rows():
    """Every number of the table is the header's, or reserved in its text."""
    from requestx import exceptions

    known = set(CODES.values())

    assert {kind for kind, _ in exceptions.TABLE} <= known


def test_phases_have_the_headers_names():
    """``exceptions.PHASES[n]`` is the name of phase n."""
    from requestx import exceptions

    assert {name[len("RQX_PHASE_") :].lower(): number for name, number in PHASES.items()} == {
        name: number for number, name in enumerate(exceptions.PHASES)
    }


@pytest.mark.parametrize(
    "kind, phase, name",
    [
        ("RQX_E_TIMEOUT", "queue", "ConnectTimeout"),
        ("RQX_E_TIMEOUT", "resolve", "ConnectTimeout"),
        ("RQX_E_TIMEOUT", "connect", "ConnectTimeout"),
        ("RQX_E_TIMEOUT", "tunnel", "ConnectTimeout"),
        ("RQX_E_TIMEOUT", "secure", "ConnectTimeout"),
        ("RQX_E_TIMEOUT", "send", "Timeout"),
        ("RQX_E_TIMEOUT", "await", "ReadTimeout"),
        ("RQX_E_TIMEOUT", "read", "ReadTimeout"),
        ("RQX_E_TIMEOUT", "read", "ConnectionError"),
        ("RQX_E_INCOMPLETE", "read", "ChunkedEncodingError"),
        ("RQX_E_PROTOCOL", "read", "ChunkedEncodingError"),
        ("RQX_E_PROTOCOL", "await", "ConnectionError"),
        ("RQX_E_RESET", "await", "ConnectionError"),
        ("RQX_E_REFUSED", "connect", "ConnectionError"),
        ("RQX_E_DNS", "resolve", "ConnectionError"),
        ("RQX_E_TLS", "secure", "SSLError"),
        ("RQX_E_TLS_VERIFY", "secure", "SSLError"),
        ("RQX_E_DECODE", "read", "ContentDecodingError"),
        ("RQX_E_INVALID_URL", "none", "InvalidURL"),
        ("RQX_E_INVALID_HEADER", "none", "InvalidHeader"),
        ("RQX_E_INVALID_METHOD", "none", "InvalidMethod"),
        ("RQX_E_UNSUPPORTED_SCHEME", "none", "InvalidSchema"),
    ],
)
def test_errors_have_the_class_that_callers_catch(kind, phase, name):
    """The rows that users' code depends on."""
    from requestx import exceptions

    made = exceptions.from_core(CODES[kind], exceptions.PHASES.index(phase), "message")

    assert isinstance(made, getattr(exceptions, name))
    assert (made.kind, made.phase) == (CODES[kind], phase)


def test_unknown_kinds_are_still_requestexceptions():
    """A newer library may have errors this package does not know."""
    from requestx import exceptions

    assert isinstance(exceptions.from_core(9999, 99, "message"), exceptions.RequestException)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_has_a_line_in_the_docs(name):
    """A row of a table in docs/abi begins with it, and says what it takes."""
    lines = [line for path in (ROOT / "docs" / "abi").glob("*.md") for line in path.read_text("utf-8").splitlines()]

    assert any("`%s`" % name in line.split("|")[1] for line in lines if line.startswith("|"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_called_by_a_c_test(name):
    """A new export is: safe body, boundary, one doc comment, one C test."""
    assert name in words("tests/abi/*.c", "tests/abi/*.h")


@pytest.mark.parametrize("name", [*FLAGS, *FUNCTIONS])
def test_every_flag_and_function_has_a_line_in_the_docs(name):
    """The pages name it, and so does a C test."""
    assert name in words("docs/abi/*.md")
    assert name in words("tests/abi/*.c", "tests/abi/*.h")


@pytest.mark.parametrize("struct, field", FIELDS)
def test_every_field_is_read_by_a_c_test(struct, field):
    """And its page says what it means."""
    pages, tests = (
        "".join(path.read_text("utf-8") for path in ROOT.glob(pattern))
        for pattern in ("docs/abi/*.md", "tests/abi/*.c")
    )

    assert re.search(r"\b%s\b" % field, pages)
    assert re.search(r"(\.|->)%s\b" % field, tests)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_comment(name):
    """Who owns, which thread, what errors: in the comment right above it, with its version."""
    at = re.search(r"\nRQX_API [^\n]*\b%s\(" % name, TEXT).start()
    above = TEXT[:at].rstrip()

    assert above.endswith("*/") or above.splitlines()[-1].startswith("//")
    assert "Since 1." in above[-2000:].split("/**")[-1].split("/*")[-1]


@pytest.mark.parametrize("name", sorted(CODES))
def test_every_error_is_provoked_by_a_test(name):
    """Some test makes it happen, here or in C."""
    internal = {"RQX_E_INTERNAL", "RQX_E_IO"}  # a fault of ours, and what has no better number
    if name in internal:
        pytest.skip("cannot be provoked from outside")

    assert name in words("tests/abi/*.c", "tests/abi/*.h", "tests/abi/*.py")


# What Python may be told: each keyword with the test that sees what it does, blocking and awaited.

SETTINGS = {
    "pool_connections": "wire/test_pool.py test_pool_connections_limits_the_hosts_with_idle_connections",
    "pool_maxsize": "wire/test_pool.py test_idle_connections_are_kept_up_to_a_limit",
    "pool_block": "wire/test_pool.py test_limit_per_host_makes_requests_wait",
    "max_retries": "wire/test_retry.py test_retries_set_later_count",
    "http2": "wire/test_http2.py test_refused_by_the_caller",
    "max_decoded_bytes": "wire/test_coding.py test_bounds_are_the_adapters",
    "max_decoded_ratio": "wire/test_coding.py test_bounds_can_be_lifted",
    "retry_budget": "wire/test_retry.py test_a_budget_is_for_all_requests_of_an_adapter",
    "progress": "wire/test_progress.py test_what_progress_raises_ends_the_call",
    "allow_addresses": "wire/test_guard.py test_networks_are_allowed_and_denied",
    "deny_addresses": "wire/test_guard.py test_networks_are_allowed_and_denied",
    "trust_proxy": "wire/test_guard.py test_a_proxy_that_is_trusted_is_told_names",
    "resolve": "wire/test_names.py test_a_host_has_the_addresses_that_the_caller_names",
    "resolver": "wire/test_names.py test_a_resolver_is_asked_for_names",
    "dns_cache": "wire/test_names.py test_what_a_resolver_says_counts_for_its_time",
    "unix_socket": "wire/test_names.py test_a_unix_socket_serves_every_host",
    "min_throughput": "wire/test_throughput.py test_body_that_keeps_its_pace",
    "max_connections": "wire/test_pool.py test_full_pool_is_an_error_after_its_time",
    "pool_timeout": "wire/test_pool.py test_full_pool_is_an_error_after_its_time",
    "max_head_bytes": "wire/test_exhaustion.py test_bound_of_a_head_is_the_callers",
    "proxy_verify": "wire/test_proxy.py test_https_proxy_that_is_trusted_apart",
    "proxy_cert": "wire/test_proxy.py test_a_client_certificate_of_the_proxys_own",
    "timeout": "wire/test_time.py test_default_of_a_session",
    "json_loads": "wire/test_json.py test_a_session_may_be_made_with_them",
    "json_dumps": "wire/test_json.py test_a_session_may_be_made_with_them",
}
CALLS = {
    "method": "wire/test_everyday.py test_every_verb_has_its_function",
    "url": "wire/test_request.py test_path_and_query_are_quoted_once",
    "params": "wire/test_everyday.py test_get_with_parameters_and_headers",
    "data": "wire/test_everyday.py test_form_and_json_arrive",
    "headers": "wire/test_everyday.py test_get_with_parameters_and_headers",
    "cookies": "wire/test_credentials.py test_kept_on_the_same_origin",
    "files": "wire/test_request.py test_file_upload_is_multipart",
    "auth": "wire/test_everyday.py test_basic_auth",
    "timeout": "wire/test_time.py test_two_limits_are_two_limits",
    "allow_redirects": "wire/test_response.py test_redirects_may_be_declined",
    "proxies": "wire/test_guard.py test_a_proxy_that_is_trusted_is_told_names",
    "hooks": "wire/test_everyday.py test_hooks_see_the_response",
    "stream": "wire/test_pool.py test_unread_body_gives_its_connection_up",
    "verify": "wire/test_tls.py test_verify_may_be_a_folder",
    "cert": "wire/test_tls_settings.py test_keys_with_a_password",
    "json": "wire/test_everyday.py test_form_and_json_arrive",
}
POOLS = {
    "assert_fingerprint": "wire/test_tls_settings.py test_a_pinned_certificate_is_taken",
    "assert_hostname": "wire/test_tls_settings.py test_assert_hostname_is_looked_for_and_not_sent",
    "block": "wire/test_adapter.py test_limits_on_connections_are_obeyed_wherever_they_are_set",
    "ca_cert_data": "wire/test_tls_settings.py test_authorities_may_be_bytes",
    "ca_cert_dir": "wire/test_tls_settings.py test_authorities_may_be_a_folder",
    "ca_certs": "wire/test_adapter.py test_keywords_may_be_set_later",
    "ca_platform": "wire/test_platform_trust.py test_as_a_setting_of_pools",
    "cert_file": "wire/test_tls_settings.py test_a_key_may_lie_apart",
    "cert_reqs": "wire/test_tls_settings.py test_an_adapter_may_say_that_nothing_is_verified",
    "key_file": "wire/test_tls_settings.py test_a_key_may_lie_apart",
    "key_password": "wire/test_tls_settings.py test_keys_with_a_password",
    "maxsize": "wire/test_adapter.py test_the_keyword_for_sizes_is_how_many_stay",
    "proxy_assert_fingerprint": "wire/test_proxy.py test_a_pin_of_the_proxys_own",
    "proxy_assert_hostname": "wire/test_proxy.py test_a_name_of_the_proxys_own",
    "proxy_ssl_context": "wire/test_tls_settings.py test_a_context_of_the_proxys_own",
    "retries": "wire/test_adapter.py test_retries_of_the_pools_count_where_the_adapter_has_none",
    "server_hostname": "wire/test_tls_settings.py test_server_hostname_is_sent_and_looked_for",
    "socket_options": "wire/test_tls_settings.py test_socket_options_are_set",
    "source_address": "wire/test_tls_settings.py test_source_address_is_where_we_come_from",
    "ssl_context": "wire/test_tls_settings.py test_the_authorities_of_a_context_are_trusted",
    "ssl_maximum_version": "wire/test_tls_settings.py test_versions_can_be_held_down",
    "ssl_minimum_version": "wire/test_tls_settings.py test_versions_can_be_held_up",
    "ssl_version": "wire/test_tls_settings.py test_versions_can_be_held_down",
    "timeout": "wire/test_adapter.py test_a_time_limit_of_the_pools_counts_where_the_request_has_none",
}
PYTHON = [(name, test) for table in (SETTINGS, CALLS, POOLS) for name, test in sorted(table.items())]
PAGES = re.sub(
    r"```.*?```", "", "".join((ROOT / "docs" / name).read_text("utf-8") for name in PYTHON_PAGES), flags=re.S
)


def test_these_are_all_that_python_may_be_told():
    """What a Session, an adapter, a call and a pool take: by their signatures, and what a pool checks."""
    import requestx
    from requestx import _pools

    def keywords(function):
        return {name for name, each in inspect.signature(function).parameters.items() if each.kind != each.VAR_KEYWORD}

    session, adapter = requestx.Session.__init__, requestx.adapters.HTTPAdapter.__init__
    assert set(SETTINGS) == (keywords(session) | keywords(adapter)) - {"self"}
    assert set(CALLS) == keywords(requestx.Session.request) - {"self"}
    assert set(POOLS) == _pools.KNOWN


@pytest.mark.parametrize("name, test", PYTHON)
def test_every_keyword_has_a_test_in_both_worlds(name, test):
    """It is there, names the keyword, and is given a world."""
    file, function = test.split()
    text = (ROOT / "tests" / file).read_text("utf-8")
    functions = {each.name: each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef)}
    found = functions[function]
    parts = [found, *found.decorator_list]

    assert "world" in [argument.arg for argument in found.args.args]
    assert re.search(r"\b%s\b" % name, "".join(ast.get_source_segment(text, part) for part in parts))


@pytest.mark.parametrize("name", sorted({name for name, _ in PYTHON}))
def test_every_keyword_has_a_line_in_the_docs(name):
    """In words, and not in an example alone."""
    assert re.search(r"`[^`\n]*\b%s\b[^`\n]*`" % name, PAGES)
