import argparse

import pytest

from data_gen.shared.commands import number, positive


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (positive, "1", 1),
        (positive, "12", 12),
        (number(0, 65535, "a port", int), "0", 0),
        (number(0.98, 1, "a share"), "0.98", 0.98),
        (number(0.98, 1, "a share"), "1", 1.0),
    ],
)
def test_numbers_in_range(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *((positive, text) for text in ("0", "-1", "1.5", "many", "")),
        *((number(0, 1, "a share"), text) for text in ("nan", "1.01", "-0.1", "inf", "a")),
        (number(0, 65535, "a port", int), "65536"),
    ],
)
def test_other_text_is_an_error_that_says_what_is_wanted(parse, text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"^{text} is not a "):
        parse(text)
