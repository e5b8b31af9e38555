"""
requests' seven functions for any `request`: `blocking` and `aio` have the same ones.
"""

from __future__ import annotations

from typing import Any, Callable

Verb = Callable[..., Any]


def verbs(request: Verb) -> tuple[Verb, Verb, Verb, Verb, Verb, Verb, Verb]:
    """
    get, options, head, post, put, patch and delete, made of `request`.
    """

    def get(url: Any, params: Any = None, **kwargs: Any) -> Any:
        """
        GET.
        """
        return request("get", url, params=params, **kwargs)

    def options(url: Any, **kwargs: Any) -> Any:
        """
        OPTIONS.
        """
        return request("options", url, **kwargs)

    def head(url: Any, **kwargs: Any) -> Any:
        """
        HEAD; redirects are not followed unless asked.
        """
        kwargs.setdefault("allow_redirects", False)
        return request("head", url, **kwargs)

    def post(url: Any, data: Any = None, json: Any = None, **kwargs: Any) -> Any:
        """
        POST.
        """
        return request("post", url, data=data, json=json, **kwargs)

    def put(url: Any, data: Any = None, **kwargs: Any) -> Any:
        """
        PUT.
        """
        return request("put", url, data=data, **kwargs)

    def patch(url: Any, data: Any = None, **kwargs: Any) -> Any:
        """
        PATCH.
        """
        return request("patch", url, data=data, **kwargs)

    def delete(url: Any, **kwargs: Any) -> Any:
        """
        DELETE.
        """
        return request("delete", url, **kwargs)

    made = get, options, head, post, put, patch, delete
    for verb in made:
        # Pickled by these names: process pools are given `requestx.get`.
        verb.__module__, verb.__qualname__ = request.__module__, verb.__name__
    return made
