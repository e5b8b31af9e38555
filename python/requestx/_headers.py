"""
Headers in pieces: lists, parameters and links, as requests takes them apart.

These are the lenient readings that requests gives; they never raise over what a peer sends.
"""

from __future__ import annotations

from typing import Any
from urllib.request import parse_http_list

#: The content codings that are undone; a body in another is given as it came.
CODINGS = frozenset(("gzip", "x-gzip", "deflate", "br", "zstd"))


def is_coded(coding: str) -> bool:
    """
    Whether a Content-Encoding field names a coding that is undone.
    """
    return bool(coding) and any(name.strip().lower() in CODINGS for name in coding.split(","))


def parse_list_header(value: str) -> list[str]:
    """
    The items of a comma-separated header; one that is quoted throughout loses its quotes.
    """
    return [
        unquote_header_value(item[1:-1]) if item[:1] == item[-1:] == '"' else item for item in parse_http_list(value)
    ]


def parse_dict_header(value: str) -> dict[str, str | None]:
    """
    The key=value items of a comma-separated header; a key alone has the value None.
    """
    found: dict[str, str | None] = {}
    for item in parse_http_list(value):
        name, equals, text = item.partition("=")
        if equals and text[:1] == text[-1:] == '"':
            text = unquote_header_value(text[1:-1])
        found[name] = text if equals else None
    return found


def unquote_header_value(value: Any, is_filename: bool = False) -> Any:
    r"""
    Undo the quoting of a header's value, as browsers do it.

    Args:
        value: the value.
        is_filename: leave a UNC path (``\\host\file``) as it is, which old browsers send unescaped.
    """
    if value and value[0] == value[-1] == '"':
        value = value[1:-1]
        if not is_filename or value[:2] != "\\\\":
            return value.replace("\\\\", "\\").replace('\\"', '"')
    return value


def parse_header_links(value: str) -> list[dict[str, str]]:
    """
    The links of a Link header (RFC 8288), each a dict of its `url` and its parameters.
    """
    links: list[dict[str, str]] = []
    marks = " '\""
    value = value.strip(marks)
    if not value:
        return links
    for part in _split_links(value):
        url, _, params = part.partition(";")
        link = {"url": url.strip("<> '\"")}
        for param in params.split(";"):
            # The first parameter that is none ends the reading.
            pieces = param.split("=")
            if len(pieces) != 2:
                break
            link[pieces[0].strip(marks)] = pieces[1].strip(marks)
        links.append(link)
    return links


def _split_links(value: str) -> list[str]:
    """
    Cut at each comma that a < follows.
    """
    parts: list[str] = []
    for piece in value.split(","):
        if parts and not piece.lstrip(" ").startswith("<"):
            parts[-1] += "," + piece
        else:
            parts.append(piece)
    return parts


def _parse_content_type_header(header: str) -> tuple[str, dict[str, Any]]:
    """
    The media type and its parameters, names in lower case.
    """
    media_type, *params = header.split(";")
    found: dict[str, Any] = {}
    for param in params:
        name, equals, value = param.partition("=")
        if equals:
            found[name.strip("\"' ").lower()] = value.strip("\"' ")
    return media_type.strip(), found
