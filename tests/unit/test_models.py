"""Responses that are made by hand."""

import copy
import datetime
import pickle

import pytest

from requestx.models import Response
from requestx.structures import CaseInsensitiveDict


def test_a_new_response_is_blank():
    """As in requests: there is nothing in it, and each has its own."""
    response = Response()

    assert (response.status_code, response.url, response.raw, response.reason) == (None, None, None, None)
    assert (response.history, response.headers, response.cookies.items()) == ([], {}, [])
    assert (response._content, response._content_consumed, response.content) == (False, False, None)
    assert response.elapsed == datetime.timedelta(0)
    assert type(response.headers) is CaseInsensitiveDict
    assert response.headers is response.headers is not Response().headers


def test_it_has_no_connection():
    """Nobody sent anything."""
    with pytest.raises(AttributeError, match="connection"):
        Response().connection  # noqa: B018


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda response: pickle.loads(pickle.dumps(response))])
def test_what_was_set_stays(again):
    """In a copy and in another process as well."""
    response = Response()
    response.status_code = 200
    response._content = b"x"
    response.headers["X-A"] = "1"
    new = again(response)

    assert (new.status_code, new.content, new.headers, new.url) == (200, b"x", {"x-a": "1"}, None)
