"""Header fields of which several may have the same name."""

from requestx._fields import HTTPHeaderDict


def test_fields_are_added_and_joined():
    """A look-up joins, `items` does not."""
    fields = HTTPHeaderDict({"A": "1"}, B="2")
    fields.add("a", "3")
    fields.add("a", "4", combine=True)

    assert fields["a"] == "1, 3, 4"
    assert fields.items() == [("A", "1"), ("A", "3, 4"), ("B", "2")]
    assert dict(fields.itermerged()) == {"A": "1, 3, 4", "B": "2"}
    assert len(fields) == 2


def test_setting_replaces_all_of_a_name():
    """With the new spelling."""
    fields = HTTPHeaderDict([("a", "1"), ("a", "2")])
    fields["A"] = "3"

    assert fields.items() == [("A", "3")]
    del fields["a"]
    fields.discard("a")
    assert "A" not in fields


def test_equality_knows_no_case():
    """Nor which mapping it is."""
    assert HTTPHeaderDict([("a", "1"), ("a", "2")]) == {"A": "1, 2"}
    assert HTTPHeaderDict(a="1") != {"a": "2"}
    assert HTTPHeaderDict(a="1") != 1


def test_getlist():
    """Every value, or the default."""
    fields = HTTPHeaderDict([("Set-Cookie", "a=1"), ("set-cookie", "b=2")])

    assert fields.getlist("SET-COOKIE") == fields.get_all("set-cookie") == ["a=1", "b=2"]
    assert fields.getlist("x") == []
    assert fields.getlist("x", None) is None
    assert fields.copy() == fields
