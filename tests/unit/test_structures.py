"""Headers without letter case, and codes by name."""

import pickle
from collections import OrderedDict

import pytest

from requestx.structures import CaseInsensitiveDict, LookupDict


def test_any_spelling_finds_the_item():
    """Lookups ignore case, in every way of asking."""
    headers = CaseInsensitiveDict({"Content-Type": "a"})

    assert headers["CONTENT-type"] == headers.get("content-type") == "a"
    assert "content-TYPE" in headers
    assert headers.get("other") is None
    assert headers.get("other", "x") == "x"


def test_last_spelling_is_kept_at_the_first_place():
    """Setting an item again changes its spelling, and not its place."""
    headers = CaseInsensitiveDict([("a", "1"), ("b", "2")])
    headers["A"] = "3"

    assert list(headers.items()) == [("A", "3"), ("b", "2")]


@pytest.mark.parametrize("kind", [dict, list])
def test_an_update_that_fails_counts_as_a_change(kind):
    """What came before the bad item has been set, and whoever asks for the count sees it."""
    headers = CaseInsensitiveDict()
    before = headers._version
    with pytest.raises(AttributeError):
        headers.update(kind({"a": "1", 2: "x"}.items()))

    assert dict(headers) == {"a": "1"}
    assert headers._version != before


def test_missing_key_is_a_keyerror():
    """As in a dict, for reading and for deleting."""
    headers = CaseInsensitiveDict()

    with pytest.raises(KeyError):
        headers["a"]
    with pytest.raises(KeyError):
        del headers["a"]


@pytest.mark.parametrize("other", [{"A": "1"}, OrderedDict(a="1"), CaseInsensitiveDict(A="1")])
def test_equal_to_any_mapping_of_the_same_items(other):
    """Equality ignores case too, and the other's type."""
    assert CaseInsensitiveDict(a="1") == other


@pytest.mark.parametrize("other", [{"a": "2"}, {}, None, object()])
def test_unequal_to_anything_else(other):
    """What is no mapping of the same items is another thing."""
    assert CaseInsensitiveDict(a="1") != other


def test_repr_is_that_of_a_dict():
    """It prints as the dict it stands for."""
    assert repr(CaseInsensitiveDict(A="1")) == "{'A': '1'}"


@pytest.mark.parametrize("clone", [CaseInsensitiveDict.copy, lambda d: pickle.loads(pickle.dumps(d))])
def test_copies_stand_for_themselves(clone):
    """A copy, or what comes out of a pickle, has the items and does not share them."""
    first = CaseInsensitiveDict({"A": "1"})
    second = clone(first)
    second["b"] = "2"

    assert dict(first) == {"A": "1"}
    assert dict(second) == {"A": "1", "b": "2"}


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.__setitem__("a", "2"),
        lambda d: d.__delitem__("a"),
        lambda d: d.update(b="2"),
        lambda d: d.update({"b": "2"}),
        lambda d: d.update([("b", "2")]),
        lambda d: d.pop("a"),
        lambda d: d.popitem(),
        lambda d: d.setdefault("b", "2"),
        lambda d: d.clear(),
    ],
)
def test_every_change_is_counted(change):
    """A session trusts this number to know that its merged headers still hold."""
    headers = CaseInsensitiveDict(a="1")
    before = headers._version
    change(headers)

    assert headers._version > before


def test_lower_items_are_lower():
    """The keys as they are compared."""
    assert list(CaseInsensitiveDict({"A-B": "1"}).lower_items()) == [("a-b", "1")]


def test_overridden_accessors_are_obeyed():
    """A subclass that changes how items are read or set changes all ways of doing so."""

    class Loud(CaseInsensitiveDict):
        def __getitem__(self, key):
            return super().__getitem__(key).upper()

        def __setitem__(self, key, value):
            super().__setitem__(key, value + "!")

    loud = Loud({"a": "x"})
    loud.update(b="y")

    assert loud.get("a") == "X!"
    assert dict(loud.items()) == {"a": "X!", "b": "Y!"}


def test_lookup_is_by_attribute_and_by_item():
    """An item that is not there is None; an attribute that is not there is an error."""
    codes = LookupDict("codes")
    codes.ok = 200

    assert codes["ok"] == codes.get("ok") == codes.ok == 200
    assert codes["no"] is None
    assert codes.get("no", 1) == 1
    assert not hasattr(codes, "no")
    assert repr(codes) == "<lookup 'codes'>"
