import numpy as np
import pytest

from data_gen.core.counting import Counts, numbers_of
from data_gen.jobs.statistics import report
from data_gen.show.statistics_text import statistics_lines


def counted(**groups):
    counts = Counts()
    for group, names in groups.items():
        if isinstance(names, dict):
            counts.update({f"{group}/{name}": count for name, count in names.items()})
        else:
            counts[group] = names
    return counts


def test_shares_of_a_group_add_up():
    counts = counted(ngrams={"1": 40, "2": 30, "3": 20, "4": 10}, drawn={"similar": 8, "keep": 2})
    statistics = report(counts, 128)
    assert statistics["ngrams"] == {"1": 0.4, "2": 0.3, "3": 0.2, "4": 0.1}
    assert statistics["kinds_drawn"] == {"keep": 0.2, "similar": 0.8}


def test_fill_and_its_ideal():
    # 250 pieces of two documents of 125 fill two sequences of 128; three were made
    counts = counted(pieces=250, ideal_sequences=2, instances=3, sequence_pieces=250 + 9)
    statistics = report(counts, 128)
    assert statistics["ideal_fill"] == 1.0
    assert statistics["fill"] == round(259 / 384, 4)


def test_masking_by_decile_and_by_size_is_relative_to_the_average():
    counts = counted(
        maskable_in_decile=dict.fromkeys(map(str, range(10)), 100),
        masked_in_decile={**dict.fromkeys(map(str, range(10)), 10), "0": 20, "9": 0},
        words_of_size={"1": 100, "5": 100},
        masked_of_size={"1": 20, "5": 10},
        sequence_pieces=1000,
        masked_pieces=100,
    )
    statistics = report(counts, 128)
    assert statistics["masked"] == 0.1
    assert statistics["masked_by_decile"] == [2.0, *[1.0] * 8, 0.0]
    assert statistics["masked_words"] == 0.15
    assert statistics["masked_by_word_size"] == {"1": 1.3333, "5+": 0.6667}


def test_why_words_have_no_similar_word():
    counts = counted(
        words=1000,
        without_similar={"not in the table": 400, "no neighbour": 100},
        similar_from={"toolkit": 300, "corpus": 200},
        chinese_words=800,
        chinese_words_with_similar=400,
        characters_of_words=2000,
        characters_with_similar=500,
    )
    counts["missing/的"], counts["missing/a/b"] = 300, 60
    statistics = report(counts, 128)
    assert statistics["words_with_similar"] == statistics["chinese_words_with_similar"] == 0.5
    assert statistics["characters_with_similar"] == 0.25
    assert statistics["similar_words_from"] == {"toolkit": 0.3, "corpus": 0.2}
    assert statistics["words_without_similar"]["not in the table"] == 0.4
    assert statistics["most_frequent_without_similar"] == {"的": 300, "a/b": 60}
    assert "words_with_similar" not in report(counted(words=1000), 128)


def test_numbers_are_counted_by_value():
    counts = Counts({"ngrams/2": 5})
    counts.update(numbers_of("ngrams", np.array([2, 0, 2])))
    counts.update(numbers_of("ngrams", np.array([0]), step=-1))
    assert counts == {"ngrams/0": 0, "ngrams/2": 7}


@pytest.mark.parametrize("name", ["piecs", "ngram/2", "pieces_kept/1"])
def test_a_count_that_nobody_reports_is_a_mistake(name):
    with pytest.raises(AssertionError, match=f"nobody reports the count {name}"):
        report(Counts({name: 1}), 128)


def test_nothing_counted_is_no_error():
    assert report(Counts(), 128)["masked"] == 0.0
    assert "Text" in statistics_lines(report(Counts(), 128))


def test_pieces_masked_whatever_the_words_say_nothing_of_words():
    statistics = report(counted(masked_of_size={"1": 20}, masked_pieces=20), 128)
    assert "masked_words" not in statistics
