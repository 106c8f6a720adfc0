"""What other generators get wrong, end to end on a build: each defect that could be ours is a test.

Those that are the business of one module are tested there: n-grams' shares, overlaps and [SEP]
(test_masking), labels of pairs (test_pairs), the predictions that a length needs (test_settings),
workers that fail and files that appear whole (test_build), documents at the end of a file
(test_corpus), the tokenizer's quirks (test_wordpiece), fill (test_pairs).
"""

from collections import Counter

import pytest

from data_gen.config import DataConfig
from data_gen.pipeline.load import load_tokenizer
from data_gen.records.read import read_examples
from tests.conftest import default_settings
from tests.data_gen.helpers import TEXT, is_cjk, run

MIXED = (
    "这款T恤的dna检测用了A股概念。\n他买了iPhone12和３台Ｔ恤。\n产品和服务都很好，和服也很好看。\n"
    "中华人民共和国全国人民代表大会常务委员会今天开会。\n“你好”，他说……\n\n只有一句话的文档，也要分成两半。\n\n"
    "[SEP]这几个字[MASK]是正文。\nand Z 结尾"  # without a line end
)


def made(folder, table, text, *overrides):
    """The tokenizer and the examples of a build of `text`, originals put back as well."""
    (folder / "in.txt").write_text(text, encoding="utf-8")
    config = default_settings(
        DataConfig,
        [
            "max_seq_length=64",
            "max_predictions_per_seq=16",
            "num_shards=2",
            "segmenter.name=jieba",
            f"synonyms.table={table}",
            *overrides,
        ],
    )
    info = run(config, folder / "out", [str(folder / "in.txt")])
    tokenizer = load_tokenizer(config)
    return tokenizer, [one.example for one in read_examples(info, len(tokenizer.pieces))], info


def originals(example):
    pieces = list(example.pieces)
    for position, label in zip(example.masked_positions, example.masked_labels):
        pieces[position] = label
    return pieces


RECIPES = {
    "mac": ("dupe_factor=3",),
    "wwm": (
        "masking.selector=word",
        "masking.corruption=partial_mask",
        "masking.corruption_unit=piece",
        "pair_task=nsp",
        "dupe_factor=3",
    ),
    "roberta": ("masking.selector=word", "masking.corruption=partial_mask", "pair_task=none"),
    "bert": ("masking.selector=piece", "masking.corruption=partial_mask", "pair_task=nsp"),
    "words": ("masking.corruption=random", "masking.random_unit=word", "dupe_factor=3"),
}


@pytest.fixture(scope="module", params=sorted(RECIPES))
def built(request, tmp_path_factory, table):
    with open(TEXT, encoding="utf-8") as handle:
        text = handle.read() + "\n\n" + MIXED
    folder = tmp_path_factory.mktemp(request.param)
    return made(folder, table, text, *RECIPES[request.param])


def test_no_label_or_replacement_is_what_text_never_gives(built):
    """1, 12, 13: a third of popular generators' labels and random pieces are ## + Chinese."""
    tokenizer, examples, _ = built
    for example in examples:
        labels = [tokenizer.pieces[i] for i in example.masked_labels]
        shown = [tokenizer.pieces[example.pieces[i]] for i in example.masked_positions]
        for piece in (*labels, *(piece for piece in shown if piece != "[MASK]")):
            assert not piece.startswith("[unused")
            assert piece not in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
            assert not (piece.startswith("##") and any(map(is_cjk, piece)))
        assert set(example.masked_labels) <= set(tokenizer.reachable_ids)


def test_the_form_of_every_sequence(built):
    """3, 25: [SEP] where A ends and at the end, nowhere else; the mask covers the sequence."""
    tokenizer, examples, _ = built
    for example in examples:
        pieces = originals(example)
        assert pieces[0] == tokenizer.cls
        separators = [i for i, piece in enumerate(pieces) if piece == tokenizer.sep]
        assert separators == [example.a_stop - 1, len(pieces) - 1]
        # neither segment is empty (electra#90)
        assert 2 < example.a_stop < len(pieces) - 1
        assert not {0, *separators} & set(example.masked_positions)


def test_nothing_is_lost_or_changed(tmp_path, table):
    """3, 4, 17: the pieces of all sequences are those of the text, [UNK] and the end included."""
    tokenizer, examples, info = made(tmp_path, table, MIXED)
    seen = Counter(piece for example in examples for piece in originals(example))
    lines = [line for line in MIXED.split("\n") if line]
    expected = Counter(i for ids, _ in tokenizer.encode(lines) for i in ids)
    for special in (tokenizer.cls, tokenizer.sep):
        del seen[special]
    assert seen == expected
    assert expected[tokenizer.unk] > 0
    assert info.manifest["statistics"]["pieces_kept"] == 1


def test_words_are_whole_where_other_words_look_alike(tmp_path, table):
    """2, 10, 11: words by offsets, not by a dictionary: 和服 is one word in its second place only;
    words of any length are masked whole; words of two scripts do not fail.
    """
    wwm = ("masking.selector=word", "masking.corruption=all_mask", "dupe_factor=80")
    words = (*wwm, "masking.corruption_unit=word", "segmenter.name=presegmented")
    text = "产品 和 服务 都 很 好 ， 和服 也 好看 。\n中华人民共和国 全国人民代表大会 用 T恤 。"
    tokenizer, examples, _ = made(tmp_path, table, text, *words)
    allowed = {tokenizer.join(ids) for ids, _ in tokenizer.encode(text.split())}
    found = set()
    for example in examples:
        pieces = originals(example)
        masked = set(example.masked_positions)
        run = []
        for i in range(len(pieces)):
            if i in masked:
                run.append(pieces[i])
            elif run:
                found.add(tokenizer.join(run))
                run = []
    # neighbouring words may be masked both: what stands alone is a word
    singles = {word for word in found if word in allowed}
    assert {"和", "服务", "和服", "中华人民共和国", "全国人民代表大会", "t恤"} <= singles
    assert not {"服", "务", "品和", "中华", "人民", "t", "恤"} & found


def test_a_segment_never_starts_within_a_word(built):
    """14: cutting from the front leaves ##x first, which joins the last word of the other
    segment.
    """
    tokenizer, examples, _ = built
    for example in examples:
        pieces = originals(example)
        for start in (1, example.a_stop):
            assert not tokenizer.pieces[pieces[start]].startswith("##")


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_the_seed_decides_everything_and_copies_differ(tmp_path, table, recipe):
    """5, 6, 22: the same seed gives the same bytes, n-gram draws included, another seed others;
    no two copies or documents are masked alike.
    """
    text = "\n\n".join(["今天的会议讨论了语言模型和概率。他们预测明年会更好。"] * 6)
    shards = []
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        (tmp_path / name).mkdir()
        override = f"random_seed={seed}"
        _, examples, info = made(tmp_path / name, table, text, *RECIPES[recipe], override)
        shards.append([shard.sha256 for shard in info.shards])
    assert shards[0] == shards[1] != shards[2]
    places = Counter(example.masked_positions for example in examples)
    assert len(places) > len(examples) / 2


def test_documents_of_one_sentence_are_paired_with_themselves(tmp_path, table):
    """16: never a random other document with a label of the other task, never dropped."""
    text = "\n\n".join(f"第{i}篇只有一句话，它要分成两半。" for i in range(40))
    tokenizer, examples, info = made(tmp_path, table, text)
    assert len(examples) == 40
    whole = {tokenizer.join(ids) for ids, _ in tokenizer.encode(text.split("\n\n"))}
    for example in examples:
        pieces = originals(example)
        a, b = pieces[1 : example.a_stop - 1], pieces[example.a_stop : -1]
        in_order = (*b, *a) if example.label else (*a, *b)
        assert tokenizer.join(in_order) in whole
    assert info.manifest["statistics"]["split_at"] == {"clause": 1.0}


def test_the_share_masked_does_not_depend_on_a_default(tmp_path, table):
    """15: 20 predictions at length 512 are 3.9 %."""
    with open(TEXT, encoding="utf-8") as handle:
        text = handle.read().replace("\n\n", "\n")
    long = ("max_seq_length=512", "max_predictions_per_seq=84", "dupe_factor=20")
    _, examples, info = made(tmp_path, table, text, *long, "masking.corruption=partial_mask")
    assert max(len(example.pieces) for example in examples) > 400
    assert info.manifest["statistics"]["masked"] == pytest.approx(0.15, abs=0.005)
