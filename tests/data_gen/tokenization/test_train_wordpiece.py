"""What a trained WordPiece vocabulary holds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from data_gen.tokenization.train_wordpiece import learn_wordpieces, repeated
from data_gen.tokenization.training import Options
from data_gen.tokenization.wordpiece import WordPiece

# What the package leaves to chance: many pairs of the same frequency.
TIES = {a + b + c: 2 for a in "abcdef" for b in "ghijkl" for c in "mnop"}


def test_ties_are_broken_the_same_way():
    options = Options(size=100)
    assert len({tuple(learn_wordpieces(TIES, options)) for _ in range(5)}) == 1
    shuffled = dict(sorted(TIES.items(), key=lambda item: item[0][::-1]))
    assert learn_wordpieces(shuffled, options) == learn_wordpieces(TIES, options)


def test_words_with_characters_left_out_and_endless_ones_teach_nothing():
    runs = {"ab": 1000, "cd": 1000, "aé": 1, "ef" * 101: 4}
    pieces = learn_wordpieces(runs, Options(size=100, character_coverage=0.9995))
    assert pieces[5:] == [*"abcdef", *(f"##{c}" for c in "bdef"), "ab", "cd"]


def test_of_equally_rare_characters_the_first_in_unicode_stay():
    runs = {"的": 997, "乙": 1, "丁": 1, "丙": 1}
    for order in (runs, dict(reversed(runs.items()))):
        assert learn_wordpieces(order, Options(character_coverage=0.998))[5:] == ["丁", "的"]


words = st.dictionaries(
    st.text("abcxyz19é中。", min_size=1, max_size=6), st.integers(1, 5), min_size=1, max_size=8
)


@given(runs=words, size=st.integers(28, 60))
@settings(max_examples=25)
def test_every_run_is_spelled_and_the_size_kept(runs, size):
    pieces = learn_wordpieces(runs, Options(size=size, character_coverage=1.0))
    assert len(pieces) == len(set(pieces)) <= size
    spelled = WordPiece(pieces, do_lower_case=False).encode(list(runs))
    assert not any(1 in ids for ids, _ in spelled)


def test_counts_beyond_what_the_package_is_fed_are_scaled():
    runs = {"abcabc": 5000, "abd": 300, "xy": 1, "zw": 2}
    assert sum(text.count("abc") for text in repeated({"abcabc": 6000}, most=600)) == 2 * 600
    assert sum(text.count("abc") for text in repeated({"abcabc": 6000}, most=6000)) == 2 * 6000
    whole = learn_wordpieces(runs, Options(size=40))
    assert set(learn_wordpieces(runs, Options(size=40), most=600)) <= {*whole, "xy", "zw"}
