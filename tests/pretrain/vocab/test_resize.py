"""Vocabularies extended and shrunk: rows move, nothing else does, text is cut as promised."""

import json
import os
import random
import re

import numpy as np
import pytest

pytest.importorskip("tokenizers")
from data_gen.shared.errors import UserError
from pretrain.__main__ import main
from pretrain.checkpoint import store
from pretrain.checkpoint.load import load_model
from pretrain.model.bert import encode, initial_value, variable_shapes
from pretrain.model.config import BertConfig
from pretrain.runtime.tensorflow import tf
from pretrain.text.batches import as_batch
from pretrain.text.sentences import sentences_of
from pretrain.text.tokenizer import load_tokenizer
from pretrain.vocab.extend import extend
from pretrain.vocab.shrink import shrink

SPECIALS = ["[PAD]", "[unused1]", "[unused2]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [*"abcdefghij", *(f"##{c}" for c in "abcdefghij")]
CHINESE = [*"的语言模型我们。，", "##的", "##言"]
PIECES = [*SPECIALS, *LETTERS, *CHINESE, *'"-.', "abc", "##def", "##de", "я", "##я", "é"]
WORDS, BIAS = "bert/embeddings/word_embeddings", "cls/predictions/output_bias"


@pytest.fixture
def source(tmp_path):
    """A model in the middle of a training, with the files beside it."""
    folder = tmp_path / "model"
    folder.mkdir()
    shape = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = {"vocab_size": len(PIECES), "intermediate_size": 8, **shape}
    (folder / "bert_config.json").write_text(json.dumps({**config, "pooler_type": "first"}))
    (folder / "vocab.txt").write_text("".join(f"{p}\n" for p in PIECES), encoding="utf-8")
    tokenizer = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "more": 1}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    model = BertConfig(**config)
    rng = np.random.RandomState(3)
    arrays = {}
    for name, size in variable_shapes(model).items():
        arrays[name] = initial_value(name, size, model, 1) + rng.normal(size=size) * 0.1
        for slot in ("adam_m", "adam_v"):
            arrays[f"{name}/{slot}"] = rng.uniform(size=size)
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    tensors = {name: tf.constant(array) for name, array in arrays.items()}
    step = tf.constant(7, tf.int64)
    store.save(str(folder / "model.ckpt-7"), {**tensors, "global_step": step})
    store.tidy(str(folder), keep=1)
    return str(folder)


def arrays_of(folder):
    return store.read(store.find(str(folder)))


def pieces_of(folder):
    with open(os.path.join(str(folder), "vocab.txt"), encoding="utf-8") as handle:
        return handle.read().splitlines()


def hidden(folder, text):
    model, tokenizer = load_model(str(folder)), load_tokenizer(str(folder))
    ids = tokenizer.encode([text])[0][0]
    assert tokenizer.unk not in ids
    batch = as_batch([ids], tokenizer.cls, tokenizer.sep)
    tensors = {name: tf.constant(array) for name, array in batch.items()}
    return encode(model.variables, tensors, model.config).numpy()


def of_vocabulary(name):
    return name.startswith((WORDS, BIAS))


def test_extended_rows_are_added_and_all_else_stays(source, tmp_path):
    output = tmp_path / "out"
    added = extend(source, str(output), {"“": None, "abcdef": None})
    assert [(one.piece, one.id) for one in added] == [("“", 47), ("abcdef", 48)]
    assert pieces_of(output) == [*PIECES, "“", "abcdef"]
    before, after = arrays_of(source), arrays_of(output)
    assert set(before) == set(after)
    for name, array in after.items():
        kept = array[: len(PIECES)] if of_vocabulary(name) else array
        assert array.dtype == before[name].dtype
        assert np.array_equal(kept, before[name]), name
        assert len(array) == len(PIECES) + 2 if of_vocabulary(name) else True
    assert after["global_step"] == 7
    with open(output / "bert_config.json") as handle:
        config = json.load(handle)
    assert config["vocab_size"] == len(PIECES) + 2
    assert config["pooler_type"] == "first"
    with open(output / "tokenizer_config.json") as handle:
        assert json.load(handle)["more"] == 1
    assert tf.train.latest_checkpoint(str(output)) == str(output / "model.ckpt-7")


def test_the_extended_model_is_the_same_function_of_old_text(source, tmp_path):
    output = tmp_path / "out"
    extend(source, str(output), {"“": None})
    assert np.array_equal(hidden(source, "abc的语言。"), hidden(output, "abc的语言。"))


@pytest.mark.parametrize(
    ("piece", "like", "origin"),
    [
        ("abcdef", None, ["abc", "##def"]),
        ("##abcde", None, ["abc", "##de"]),
        ("“", None, ['"']),
        ("—", None, ["-"]),
        ("…", None, [".", ".", "."]),
        ("們", "们", ["们"]),
        ("儿", "我们", ["我", "们"]),
        ("ⅱ", "ab", ["a", "##b"]),
    ],
)
def test_a_new_row_is_the_mean_of_what_stood_for_the_piece(source, tmp_path, piece, like, origin):
    (added,) = extend(source, str(tmp_path / "out"), {piece: like})
    assert list(added.origin) == origin
    before, after = arrays_of(source), arrays_of(tmp_path / "out")
    ids = [PIECES.index(one) for one in origin]
    for name in filter(of_vocabulary, after):
        mean = 0 if name.endswith("_m") else before[name][ids].mean(axis=0)
        assert after[name][-1] == pytest.approx(mean, abs=1e-6), name


def test_a_piece_like_nothing_starts_as_before_a_training(source, tmp_path):
    for folder in ("one", "two"):
        extend(source, str(tmp_path / folder), {"龘": None, "龖": None})
    arrays = arrays_of(tmp_path / "one")
    for name in filter(of_vocabulary, arrays):
        new = arrays[name][-2:]
        if name == WORDS:
            assert 0 < np.abs(new).max() <= 0.04
            assert not np.array_equal(new[0], new[1])
        else:
            assert not new.any(), name
        assert np.array_equal(arrays[name], arrays_of(tmp_path / "two")[name])


def test_unused_pieces_are_taken_first(source, tmp_path):
    output = tmp_path / "out"
    added = extend(source, str(output), dict.fromkeys("“”—"), reuse_unused=True)
    assert [one.id for one in added] == [1, 2, len(PIECES)]
    pieces = pieces_of(output)
    assert pieces[:4] == ["[PAD]", "“", "”", "[UNK]"]
    assert pieces[3:] == [*PIECES[3:], "—"]
    before, after = arrays_of(source)[WORDS], arrays_of(output)[WORDS]
    assert np.array_equal(after[1], before[PIECES.index('"')])
    assert np.array_equal(after[3:-1], before[3:])


@pytest.mark.parametrize(
    ("pieces", "sentence"),
    [
        (["的", "abc", "“"], "has '的', 'abc' already: leave it out"),
        (["“", "“"], "“ is given twice"),
        (["Abc"], "no text can give 'Abc'"),
        (["##语"], "no text can give '##语'"),
        (["语言", "“"], "no text can give '语言': the"),
        (["a b"], "no text can give 'a b'"),
        (["a\nb"], "no text can give 'a\\nb'"),
        (["\udcff"], "no text can give '\\udcff'"),
        (["“\t龘"], "龘, which “ is to be like, is [UNK] in this vocabulary"),
    ],
)
def test_pieces_that_cannot_be_added(source, tmp_path, capsys, pieces, sentence):
    output = tmp_path / "out"
    command = ["vocab", "extend", "--model", source, "--output", str(output), "--pieces", *pieces]
    assert main(command) == 1
    assert sentence in capsys.readouterr().err
    assert sorted(os.listdir(tmp_path)) == ["model"]


def test_pieces_come_from_a_file(source, tmp_path, capsys):
    (tmp_path / "add.txt").write_text("“\n\n們\t们\r\n", encoding="utf-8")
    command = ["vocab", "extend", "--model", source, "--output", str(tmp_path / "out")]
    assert main([*command, "--add", str(tmp_path / "add.txt")]) == 0
    assert pieces_of(tmp_path / "out")[-2:] == ["“", "們"]
    output = capsys.readouterr().out
    assert "們  id 48, from the mean of 们" in output
    assert f"--init {tmp_path}/out" in output
    (tmp_path / "add.txt").write_text("\n")
    assert main([*command, "--add", str(tmp_path / "add.txt")]) == 1
    assert "holds no piece" in capsys.readouterr().err


def test_a_checkpoint_without_head_and_slots_is_enough(source, tmp_path):
    bare = store.without_slots(arrays_of(source))
    bare = {name: array for name, array in bare.items() if name.startswith("bert/")}
    os.remove(os.path.join(source, "model.ckpt-7.index"))
    tensors = {name: tf.constant(array) for name, array in bare.items()}
    store.save(os.path.join(source, "bert_model.ckpt"), tensors)
    extend(source, str(tmp_path / "out"), {"“": None})
    assert set(arrays_of(tmp_path / "out")) == set(bare)
    assert not os.path.exists(tmp_path / "out" / "checkpoint")


def test_sources_that_cannot_be_changed(source, tmp_path):
    with open(os.path.join(source, "vocab.txt"), "a") as handle:
        handle.write("k\n")
    with pytest.raises(UserError, match=r"has 48 pieces, but the word embeddings of .* 47 rows"):
        extend(source, str(tmp_path / "out"), {"“": None})
    with open(os.path.join(source, "tokenizer_config.json"), "w") as handle:
        handle.write('{"tokenizer_class": "sentencepiece"}')
    for change in (lambda: extend(source, "out", {"“": None}), lambda: shrink(source, "out", [])):
        with pytest.raises(UserError, match="is of a model with sentencepiece"):
            change()


@pytest.mark.parametrize("name", [BIAS, f"{BIAS}/adam_v", f"{WORDS}/adam_m"])
def test_rows_that_are_not_those_of_the_vocabulary(source, tmp_path, name):
    arrays = arrays_of(source)
    arrays[name] = np.concatenate([arrays[name], arrays[name][:2]])
    tensors = {n: tf.constant(array) for n, array in arrays.items()}
    store.save(os.path.join(source, "model.ckpt-7"), tensors)
    with pytest.raises(UserError, match=f"{name} has 49 rows in .*, the word embeddings 47"):
        extend(source, str(tmp_path / "out"), {"“": None})


def small(source, output, text, **options):
    return shrink(source, str(output), [[line] for line in text], **options)


def test_the_shrunk_model_is_the_same_function_of_text_with_its_pieces(source, tmp_path):
    output = tmp_path / "out"
    done = small(source, output, ["我们的 abcdefg。"])
    pieces = pieces_of(output)
    assert {"我", "们", "的", "abc", "##def", "##g", "。"} <= set(pieces)
    assert not {"语", "[unused1]", "##的", "##de", "я", "é"} & set(pieces)
    assert np.array_equal(hidden(source, "们的我abcdef"), hidden(output, "们的我abcdef"))
    assert done.pieces == (len(PIECES), len(pieces))
    assert done.weights[0] - done.weights[1] == (len(PIECES) - len(pieces)) * 9
    assert done.text_pieces == (7, 7)
    assert done.cut_otherwise == 0
    assert arrays_of(output)["global_step"] == 7


def test_the_order_stays_and_every_row_is_the_old_one(source, tmp_path):
    output = tmp_path / "out"
    small(source, output, ["我们的 abcdefg。"], keep=["я", "[unused2]"])
    with open(output / "id_map.tsv", encoding="utf-8") as handle:
        lines = [line.split("\t") for line in handle.read().splitlines()]
    assert lines[0] == ["old", "new", "piece"]
    old = [int(line[0]) for line in lines[1:]]
    assert old == sorted(old)
    assert [int(line[1]) for line in lines[1:]] == list(range(len(old)))
    assert [line[2] for line in lines[1:]] == pieces_of(output) == [PIECES[i] for i in old]
    before, after = arrays_of(source), arrays_of(output)
    for name, array in after.items():
        expected = before[name][old] if of_vocabulary(name) else before[name]
        assert np.array_equal(array, expected), name
    assert {"я", "[unused2]"} <= set(pieces_of(output))


def test_specials_letters_and_marks_are_kept_whatever_the_text(source, tmp_path):
    small(source, tmp_path / "out", ["我"])
    specials = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
    assert set(pieces_of(tmp_path / "out")) == {"我", *specials, *LETTERS, *'。，"-.'}


def test_a_rare_word_is_cut_smaller_and_a_rare_character_is_unknown(source, tmp_path):
    text = ["abc 语 яя", "我我", "abde"]
    done = small(source, tmp_path / "out", text, min_count=2)
    pieces = pieces_of(tmp_path / "out")
    assert not {"abc", "##de", "语"} & set(pieces)
    # Of яя there is no other spelling.
    assert {"я", "##я", "我"} <= set(pieces)
    assert done.unknown == (0, 1)
    assert done.cut_otherwise == 2
    # abc: 1 -> 3, abde: a ##b ##de -> 4
    assert done.text_pieces == (9, 12)


@pytest.mark.parametrize("seed", range(8))
def test_the_figures_are_those_of_the_text_cut_anew(source, tmp_path, seed):
    rng = random.Random(seed)
    words = ["abc", "abcdef", "яa", "яяb", "é", "的", "语", "言", "龘", "abde", "。", "gя", "def"]
    text = ["".join(rng.choice([*words, " "]) for _ in range(12)) for _ in range(9)]
    done = small(source, tmp_path / "out", text, min_count=rng.choice([2, 3, 6]))
    for i, folder in enumerate((source, tmp_path / "out")):
        tokenizer = load_tokenizer(str(folder))
        ids = [piece for found, _ in tokenizer.encode(text) for piece in found]
        assert done.text_pieces[i] == len(ids)
        assert done.unknown[i] == ids.count(tokenizer.unk)
    old, new = load_tokenizer(source), load_tokenizer(str(tmp_path / "out"))
    for word in re.findall("[a-zя]{2,}", " ".join(text)):
        before, after = (tokenizer.encode([word])[0][0] for tokenizer in (old, new))
        assert new.unk not in after or old.unk in before, word


def test_shrinking_reads_the_text_once_and_says_what_came_of_it(source, tmp_path, capsys):
    (tmp_path / "text.txt").write_text("我们的\n\nabc龘" * 2000, encoding="utf-8")
    (tmp_path / "keep.txt").write_text("é\n", encoding="utf-8")
    command = ["vocab", "shrink", "--model", source, "--input", str(tmp_path / "text.txt")]
    command += ["--keep", str(tmp_path / "keep.txt"), "--output", str(tmp_path / "out")]
    assert main(command) == 0
    output = capsys.readouterr().out
    assert f"pieces   {len(PIECES)} -> {len(pieces_of(tmp_path / 'out'))} (" in output
    assert "[UNK]    20.000% -> 20.000% of the text's pieces" in output
    assert "é" in pieces_of(tmp_path / "out")


def test_where_it_cannot_go_is_said_before_the_text_is_read(source):
    unread = iter([["我"]])
    with pytest.raises(UserError, match="is not empty: choose another --output"):
        shrink(source, source, unread)
    assert list(unread) == [["我"]]


@pytest.mark.parametrize(
    ("text", "keep", "sentence"),
    [(["  "], [], "the text is empty"), (["我"], ["жж"], "the vocabulary has no 'жж'")],
)
def test_shrinking_to_nothing_is_refused(source, tmp_path, text, keep, sentence):
    with pytest.raises(UserError, match=sentence):
        small(source, tmp_path / "out", text, keep=keep)
    assert not os.path.exists(tmp_path / "out")


def test_documents_end_at_blank_lines_and_after_many_sentences(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("\ufeff一。二\r\n三\n\n\n四".encode())
    assert list(sentences_of([str(path)])) == [["一。", "二", "三"], ["四"]]
    path.write_text("五\n" * 2500, encoding="utf-8")
    assert [len(document) for document in sentences_of([str(path)])] == [1000, 1000, 500]


@pytest.mark.parametrize("command", [["check-head"], ["vocab", "extend"], ["vocab", "shrink"]])
def test_help_shows_an_example(command, capsys):
    with pytest.raises(SystemExit) as exit_code:
        main([*command, "--help"])
    assert exit_code.value.code == 0
    assert "example:\n  python -m pretrain " + " ".join(command) in capsys.readouterr().out
