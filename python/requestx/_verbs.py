"""
requests' seven functions for any `request`: `api`, `blocking` and `aio` have the same ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from . import _types as _t
    from ._types import Result


def verbs(
    request: Callable[..., Result],
) -> tuple[
    _t.Get[Result],
    _t.Plain[Result],
    _t.Plain[Result],
    _t.Post[Result],
    _t.Put[Result],
    _t.Put[Result],
    _t.Plain[Result],
]:
    """
    get, options, head, post, put, patch and delete, made of `request`.
    """

    def get(url: Any, params: Any = None, **kwargs: Any) -> Result:
        """
        GET.
        """
        return request("get", url, params=params, **kwargs)

    def options(url: Any, **kwargs: Any) -> Result:
        """
        OPTIONS.
        """
        return request("options", url, **kwargs)

    def head(url: Any, **kwargs: Any) -> Result:
        """
        HEAD; redirects are not followed unless asked.
        """
        kwargs.setdefault("allow_redirects", False)
        return request("head", url, **kwargs)

    def post(url: Any, data: Any = None, json: Any = None, **kwargs: Any) -> Result:
        """
        POST.
        """
        return request("post", url, data=data, json=json, **kwargs)

    def put(url: Any, data: Any = None, **kwargs: Any) -> Result:
        """
        PUT.
        """
        return request("put", url, data=data, **kwargs)

    def patch(url: Any, data: Any = None, **kwargs: Any) -> Result:
        """
        PATCH.
        """
        return request("patch", url, data=data, **kwargs)

    def delete(url: Any, **kwargs: Any) -> Result:
        """
        DELETE.
        """
        return request("delete", url, **kwargs)

    for verb in (get, options, head, post, put, patch, delete):
        # Pickled by these names: process pools are given `requestx.get`.
        verb.__module__, verb.__qualname__ = request.__module__, verb.__name__
    return get, options, head, post, put, patch, delete
