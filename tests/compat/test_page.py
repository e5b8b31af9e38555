"""The page of differences: each row is shown by a case of the matrix, by the comparison of names, or by a test."""

import re
from pathlib import Path

import pytest
from compat.differences import PAGE, wanted

TESTS = Path(__file__).resolve().parents[1]

# Row to the test that shows what requestx does.
SHOWN = {
    "context-unverified": "wire/test_tls_settings.py::test_without_verification_a_context_has_no_say",
    "strict-certificates": (
        "wire/test_tls_settings.py::test_certificates_are_checked_strictly_where_a_context_asks_for_it"
    ),
    "ciphers": "wire/test_tls_settings.py::test_what_is_offered_is_what_python_offers",
    "response-dict": "wire/test_response.py::test_a_wrapper_takes_over_what_a_response_holds",
    "proxy-authorization": "wire/test_proxy.py::test_callers_proxy_authorization_goes_into_connect",
    "proxy-host": "wire/test_proxy.py::test_credentials_of_one_proxy_do_not_reach_another",
    "proxy-no-proxy": "wire/test_proxy.py::test_redirect_to_a_host_of_no_proxy_goes_directly",
    "proxy-tls": "wire/test_proxy.py::test_https_proxy_is_verified_by_its_own_name",
    "proxy-user": "wire/test_proxy.py::test_user_alone_is_sent_with_an_empty_password",
    "proxy-port": "wire/test_proxy.py::test_proxy_without_an_address",
    "proxy-socks4": "wire/test_proxy.py::test_what_is_no_proxys_url",
    "proxy-time": "wire/test_proxy.py::test_tunnel_that_takes_too_long",
    "tls-end": "wire/test_tls.py::test_truncated_close_delimited_body_is_an_error",
    "coding-end": "wire/test_coding.py::test_truncated_codings_are_errors",
    "pool-keywords": "wire/test_adapter.py::test_a_time_limit_of_the_pools_counts_where_the_request_has_none",
    "pool-size": "wire/test_pool.py::test_idle_connections_are_kept_up_to_a_limit",
    "lost-connections": "wire/test_pool.py::test_idempotent_request_lost_on_a_reused_connection_is_sent_again",
    "fork": "process/test_fork.py::test_fork_after_use",
    "pool-headers": "wire/test_adapter.py::test_unknown_keywords_are_refused",
    "md5-pins": "wire/test_adapter.py::test_a_fingerprint_of_md5_is_refused",
    "retried-generators": "wire/test_retry.py::test_what_a_generator_gave_is_not_sent_again",
    "zones": "unit/test_url.py::test_urls_are_put_into_their_normal_form",
    "accept-encoding": "wire/test_coding.py::test_what_is_asked_for",
    "cookie-hosts": "unit/test_cookies.py::test_user_and_password_are_no_part_of_a_cookies_host",
    "cookie-limits": "unit/test_cookies.py::test_a_server_cannot_fill_the_jar",
    "redirect-bodies": "wire/test_exhaustion.py::test_endless_body_of_a_redirect_is_left",
    "many-headers": "wire/test_response.py::test_three_hundred_headers_are_taken",
    "verify-false": "flow/test_order.py::test_verify_false_of_a_session_stays",
    "body-time-out": "wire/test_time.py::test_body_that_stalls",
    "send-time-out": "unit/test_exceptions.py::test_errors_are_what_callers_catch",
    "total": "unit/test_limits.py::test_an_object_of_urllib3_is_taken",
    "await": "process/test_awaitable.py::test_it_is_a_coroutine",
    "await-hooks": "wire/test_overrides.py::test_async_auth_and_hooks_are_awaited",
    "await-bodies": "wire/test_request.py::test_async_generator_is_a_body_where_awaited",
    "time-limits": "flow/test_order.py::test_a_total_runs_over_all_redirects",
    "session-timeout": "wire/test_time.py::test_default_of_a_session",
    "json-codecs": "wire/test_json.py::test_answers_are_decoded_by_the_sessions_decoder",
    "error-phase": "wire/test_time.py::test_total_ends_a_call_whatever_it_waits_for",
    "upgrade": "wire/test_upgrade.py::test_bytes_go_as_they_are",
    "install": "process/test_install.py::test_modules_are_the_very_modules_of_ours",
    "patched-sockets": "process/test_absent.py::test_what_is_patched_in_python_is_not_asked",
    "patched-resolver": "process/test_absent.py::test_what_is_patched_in_python_is_not_asked",
    "patched-ssl": "process/test_absent.py::test_what_is_patched_in_python_is_not_asked",
    "raw-socket": "wire/test_raw.py::test_the_socket_is_a_stand_in",
    "wire-logs": "process/test_absent.py::test_nothing_is_logged_by_others",
}

# What no test here can show.
NOT_SHOWN = {"green-threads": "gevent is not among the test tools"}


def named():
    """Rows that the matrix or the comparison of names refers to."""
    here = TESTS / "compat"
    files = [*(here / "cases").glob("*.py"), here / "test_programs.py", here / "test_surface.py"]
    return set(re.findall(r"\"([a-z0-9-]+)\"", "".join(path.read_text(encoding="utf-8") for path in files)))


def test_every_row_is_shown():
    """A difference that nothing shows may be gone, or never have been there."""
    rows = set(wanted())

    assert rows - named() - set(SHOWN) - set(NOT_SHOWN) == set()
    assert {*SHOWN, *NOT_SHOWN} - rows == set()


@pytest.mark.parametrize("row", sorted(SHOWN))
def test_the_test_that_shows_a_row_is_there(row):
    """It may not be renamed without this list."""
    path, _, name = SHOWN[row].partition("::")

    assert f"\ndef {name}(" in (TESTS / path).read_text(encoding="utf-8")


def test_rows_are_written_once_and_in_full():
    """Each name once, and each row with its three cells."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]

    assert len(lines) == len(wanted())
    assert all(all(cells) for cells in wanted().values())
