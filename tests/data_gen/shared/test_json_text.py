"""JSON of other hands: what is wrong is said with the file and the field."""

import pytest

from data_gen.shared.errors import UserError
from data_gen.shared.json_text import parse_json, read_fields


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"\xff{}", "byte 1 is not UTF-8"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("[NaN]", "holds the number NaN"),
        ("[-Infinity]", "holds the number -Infinity"),
        ("[1e999]", "holds the number 1e999"),
        ("", "Expecting value"),
        ('{"a": 1', "Expecting"),
    ],
)
def test_what_is_no_json_is_a_value_error(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_json(text)


def test_json_is_read():
    assert parse_json('{"天": [1, -2.5, null, true]}'.encode()) == {"天": [1, -2.5, None, True]}


TEXT = '{"n": 5, "t": "x", "b": true, "g": {"l": [{"n": -1}, {}], "s": "../up"}, "z": null}'


@pytest.mark.parametrize(
    ("read", "sentence"),
    [
        (lambda f: f.whole("x", 0, 9), "f.json: x is missing: do it"),
        (
            lambda f: f.whole("n", 6, 9),
            "f.json: n must be a whole number from 6 to 9, not 5: do it",
        ),
        (
            lambda f: f.whole("b", 0, 9),
            "f.json: b must be a whole number from 0 to 9, not true: do it",
        ),
        (
            lambda f: f.whole("z", 0, 9),
            "f.json: z must be a whole number from 0 to 9, not null: do it",
        ),
        (lambda f: f.text("n"), "f.json: n must be a text, not 5: do it"),
        (lambda f: f.flag("n"), "f.json: n must be true or false, not 5: do it"),
        (lambda f: f.group("n"), "f.json: n must be an object of named fields, not 5: do it"),
        (
            lambda f: f.list("g"),
            'f.json: g must be a list, not {"l": [{"n": -1}, {}], "s": "../up"}: do it',
        ),
        (
            lambda f: f.sha256("t"),
            'f.json: t must be a sha256 of 64 hexadecimal digits, not "x": do it',
        ),
        (
            lambda f: f.group("g").groups("l")[0].whole("n", 0, 1),
            "f.json: g.l[0].n must be a whole number from 0 to 1, not -1: do it",
        ),
        (lambda f: f.group("g").groups("l")[1].text("n"), "f.json: g.l[1].n is missing: do it"),
        (
            lambda f: f.group("g").file_name("s"),
            'f.json: g.s must be the name of a file in the same folder, not "../up": do it',
        ),
    ],
)
def test_a_wrong_field_is_named_with_its_place(read, sentence):
    fields = read_fields("f.json", TEXT, "do it")
    with pytest.raises(UserError) as error:
        read(fields)
    assert str(error.value) == sentence


def test_right_fields_are_returned():
    fields = read_fields("f.json", TEXT, "do it")
    assert (fields.whole("n", 5, 5), fields.text("t"), fields.flag("b")) == (5, "x", True)
    assert "n" in fields
    assert "z" not in fields  # null
    assert "x" not in fields


def test_a_file_that_is_no_object_is_refused():
    for text, reason in (("[1]", "its content must be an object"), ("{", "is damaged")):
        with pytest.raises(UserError, match=rf"^f\.json.* {reason}.*: do it$"):
            read_fields("f.json", text, "do it")
