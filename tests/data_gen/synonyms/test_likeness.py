from data_gen.synonyms.likeness import part_of_speech, script


def test_scripts():
    words = ("的", "模型", "３", "3.14", "一百", "BERT-base", "，", "……")
    expected = ["other", "other", *["number"] * 3, "latin", "punctuation", "punctuation"]
    assert [script(word) for word in words] == expected


def test_parts_of_speech_are_those_of_jiebas_dictionary():
    tags = [part_of_speech(word) for word in ("苹果", "吃", "漂亮", "的", "北京", "龘龘")]
    assert tags == ["n", "v", "a", "u", "n", None]
