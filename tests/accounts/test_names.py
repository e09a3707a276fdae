import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import names, tokens

CASES = {
    "": (),
    "*.*": (),
    "sales": ("sales",),
    "sales.orders": ("sales", "orders"),
    " sales.public.orders ": ("sales", "public", "orders"),
    '"a.b".c': ("a.b", "c"),
    '"say ""hi""".t': ('say "hi"', "t"),
    "`my db`.`t`": ("my db", "t"),
    "[a]]b].dbo": ("a]b", "dbo"),
    "shop.public.refund(pg_catalog.int4, text)": (
        "shop",
        "public",
        "refund(pg_catalog.int4, text)",
    ),
    "root@localhost": ("root@localhost",),
}


@pytest.mark.parametrize(("text", "parts"), CASES.items())
def test_a_name_falls_into_its_parts(text, parts):
    assert names.parse(text) == parts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sales..orders", "A part of the name is empty: sales..orders"),
        (".orders", "A part of the name is empty: .orders"),
        ("sales.", "A part of the name is empty: sales."),
        ('"sales', 'A quote is not closed in: "sales'),
        ('"sales"x', 'Expected a dot after sales in: "sales"x'),
    ],
)
def test_a_name_that_is_none_says_why(text, message):
    with pytest.raises(ValueError, match=r".") as caught:
        names.parse(text)
    assert str(caught.value) == message


@given(st.lists(st.text(min_size=1, alphabet=st.sampled_from('ab."@c')), min_size=1, max_size=4))
def test_what_tokens_write_is_read_back(parts):
    written = tokens.object_name(parts)
    assert names.parse(written) == tuple(parts)
    assert [tokens.bare(tokens.object_name([part])) for part in parts] == parts
