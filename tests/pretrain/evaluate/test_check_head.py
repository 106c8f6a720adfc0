"""A model that works by construction, and everything that may be wrong with its heads."""

import dataclasses
import json

import numpy as np
import pytest

from data_gen.shared.errors import UserError
from pretrain.__main__ import main
from pretrain.checkpoint import store
from pretrain.checkpoint.load import Model
from pretrain.evaluate.check_head import FEWEST, check_head, cut_windows
from pretrain.model.bert import initial_value, variable_shapes
from pretrain.model.config import BertConfig
from pretrain.runtime.tensorflow import tf

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = SPECIALS + [chr(0x4E00 + i) for i in range(295)]
IDS = {piece: i for i, piece in enumerate(PIECES)}
UNK, MASK = 1, 4
CONFIG = {
    "vocab_size": len(PIECES),
    "hidden_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 128,
}
WORDS = "bert/embeddings/word_embeddings"
HEAD = "cls/predictions/"


class Characters:
    """A tokenizer whose pieces are characters."""

    pieces = PIECES
    unk, cls, sep, mask = 1, 2, 3, 4

    def encode(self, sentences):
        return [([IDS.get(c, UNK) for c in text], []) for text in sentences]


def weights(seed=0):
    """Layers that change nothing and a head that passes on what it gets: it says of each place the
    piece whose row is there. [MASK] is nothing, so there the place's own row is left.
    """
    rng = np.random.RandomState(seed)
    config = BertConfig(**CONFIG)
    arrays = {
        name: initial_value(name, shape, config, seed)
        for name, shape in variable_shapes(config).items()
    }
    for name in arrays:
        if name.endswith("output/dense/kernel") or "type_emb" in name or "position_emb" in name:
            arrays[name] = np.zeros_like(arrays[name])
    arrays[WORDS] = rng.normal(size=arrays[WORDS].shape).astype(np.float32)
    arrays[WORDS][MASK] = 0
    arrays[HEAD + "transform/dense/kernel"] = np.eye(64, dtype=np.float32)
    return arrays


@pytest.fixture(scope="module")
def documents():
    """Text of 32 documents of 120 different characters each, some more frequent."""
    rng = np.random.RandomState(1)
    shares = 1 / np.arange(3, 103)
    chosen = rng.choice(100, [32, 120], p=shares / shares.sum())
    texts = ["".join(map(chr, row + 0x4E00)) for row in chosen]
    return [[text[i : i + 30] for i in (0, 30, 60, 90)] for text in texts]


def model_of(arrays):
    names = variable_shapes(BertConfig(**CONFIG))
    random = weights(seed=5)
    variables = {name: tf.constant(arrays.get(name, random[name])) for name in names}
    absent = tuple(name for name in names if name not in arrays)
    return Model(BertConfig(**CONFIG), variables, "vocab.txt", MASK, "some/model.ckpt", absent)


def check(arrays, documents, windows=160):
    return check_head(model_of(arrays), Characters(), documents, windows)


def test_a_head_that_names_what_it_sees_works_without_filling_gaps(documents):
    result = check(weights(), documents)
    assert result["works"]
    assert result["as_it_stands"]["accuracy"] > 0.99
    assert result["with_mask"]["accuracy"] < 0.1
    assert result["out_of_context"]["loss"] == pytest.approx(result["as_it_stands"]["loss"])
    assert "shuffling all other pieces costs it nothing" in result["verdict"]
    assert result["windows"] == 32
    assert result["masked_pieces"] == 32 * 18
    assert result["without_a_model"]["loss"] == pytest.approx(np.log(300))


def test_a_model_that_uses_the_context_but_fills_no_gaps_is_one_without_mask(documents):
    """Every place takes what the first piece is, less what it should be."""
    arrays = weights()
    first = PIECES[200]
    text = [[first + document[0][1:], *document[1:]] for document in documents]
    seen = attend_to_the_first_piece(arrays)[IDS[first]]
    arrays["bert/encoder/layer_0/attention/output/dense/bias"] = -seen
    result = check(arrays, text)
    assert result["with_mask"]["accuracy"] < 0.1
    assert result["as_it_stands"]["accuracy"] > 0.95
    assert result["out_of_context"]["loss"] > 1.1 * result["as_it_stands"]["loss"]
    assert "it uses the context, so it was trained without [MASK]" in result["verdict"]


def attend_to_the_first_piece(arrays, table="position"):
    """Or, by the table of types, to segment b. Returns what each piece is for the others then."""
    place = np.tile(np.array([3, -3], np.float32), 32)
    arrays[f"bert/embeddings/{table}_embeddings"][1] = place
    layer = "bert/encoder/layer_0/attention/"
    for name in ("self/key", "self/value", "output/dense"):
        arrays[f"{layer}{name}/kernel"] = np.eye(64, dtype=np.float32)
    arrays[f"{layer}self/query/bias"] = 10 * place
    rows = arrays[WORDS] + place
    return (rows - rows.mean(axis=1, keepdims=True)) / rows.std(axis=1, keepdims=True)


def test_a_head_that_fills_gaps_works(documents):
    arrays = weights()
    # Where every document is the same, the place alone says what stands there.
    ids = [i for ids, _ in Characters().encode(documents[0]) for i in ids]
    arrays["bert/embeddings/position_embeddings"][1 : len(ids) + 1] = 5 * arrays[WORDS][ids]
    result = check(arrays, documents[:1] * 32)
    assert result["with_mask"]["accuracy"] > 0.95
    assert result["with_mask"]["top5_accuracy"] >= result["with_mask"]["accuracy"]
    assert result["verdict"].startswith("the masked LM head works: it fills ")
    assert result["verdict"].endswith("%")


def new_head(arrays):
    fresh = weights(seed=9)
    shape = arrays[HEAD + "transform/dense/kernel"].shape
    fresh[HEAD + "transform/dense/kernel"] = np.random.RandomState(2).normal(size=shape)
    arrays.update({name: array for name, array in fresh.items() if name.startswith(HEAD)})


def permuted(name):
    def change(arrays):
        arrays[name] = arrays[name][np.random.RandomState(2).permutation(len(arrays[name]))]

    return change


def of_another_model(arrays):
    arrays[HEAD + "output_bias"] = np.random.RandomState(4).normal(0, 9, 300)
    arrays[HEAD + "transform/dense/kernel"] *= -1


@pytest.mark.parametrize(
    "change",
    [new_head, permuted(HEAD + "transform/dense/kernel"), of_another_model],
    ids=["new", "permuted", "of another model"],
)
def test_a_head_that_is_random_or_of_other_weights_is_told(documents, change):
    arrays = weights()
    change(arrays)
    result = check({n: a.astype(np.float32) for n, a in arrays.items()}, documents)
    assert not result["works"]
    assert "random or belongs to other weights" in result["verdict"]


def test_embeddings_that_belong_to_other_weights_are_told(documents):
    arrays = weights()
    # What the layers give belongs to the old rows, as with a vocabulary in another order.
    rows = arrays[WORDS].copy()
    ids = [i for ids, _ in Characters().encode(documents[0]) for i in ids]
    arrays["bert/embeddings/position_embeddings"][1 : len(ids) + 1] = 5 * rows[ids]
    assert check(arrays, documents[:1] * 32)["works"]
    permuted(WORDS)(arrays)
    result = check(arrays, documents[:1] * 32)
    assert "random or belongs to other weights" in result["verdict"]


def test_a_head_that_knows_only_what_is_frequent_is_hardly_trained(documents):
    arrays = weights()
    ids = [i for text in documents for ids, _ in Characters().encode(text) for i in ids]
    counts = np.bincount(ids, minlength=300)
    arrays[HEAD + "output_bias"] = np.log(counts + 0.1).astype(np.float32)
    arrays[WORDS] *= 1e-3
    arrays[HEAD + "transform/LayerNorm/gamma"] *= 1e-3
    result = check(arrays, documents)
    assert not result["works"]
    assert "hardly trained" in result["verdict"]
    assert result["with_mask"]["loss"] < np.log(300)


def test_a_head_that_says_the_same_of_all_pieces_is_never_right(documents):
    arrays = weights()
    for name in arrays:
        if name.startswith(HEAD):
            arrays[name] = np.zeros_like(arrays[name])
    result = check(arrays, documents)
    assert result["as_it_stands"]["top5_accuracy"] == 0
    assert result["as_it_stands"]["loss"] == pytest.approx(np.log(300), abs=1e-4)
    assert not result["works"]


@pytest.mark.parametrize("lost", ["output_bias", "transform/dense/kernel", ""])
def test_a_missing_head_is_named(documents, lost):
    arrays = {n: a for n, a in weights().items() if not n.startswith(HEAD + lost)}
    result = check(arrays, documents)
    assert not result["works"]
    assert result["verdict"].startswith("no masked LM head: some/model.ckpt lacks cls/predictions/")
    assert all(name.startswith(HEAD + lost) for name in result["missing_weights"])


@pytest.mark.parametrize("lost", ["cls/seq_relationship/output_bias", "bert/pooler/dense/kernel"])
def test_a_missing_pair_head_does_no_harm(documents, lost):
    arrays = weights()
    del arrays[lost]
    result = check(arrays, documents)
    assert result["works"]
    assert result["pair_head"] == {"present": False, "pairs": 32, "order_accuracy": None}


def test_a_pair_head_is_asked_for_both_orders(documents):
    arrays = weights()
    result = check(arrays, documents)
    assert 0 <= result["pair_head"]["order_accuracy"] <= 1
    arrays["cls/seq_relationship/output_bias"][1] = 1000
    assert check(arrays, documents)["pair_head"] == {
        "present": True,
        "pairs": 32,
        "order_accuracy": 0.5,
    }
    alone = [["".join(document)] for document in documents]
    assert check(arrays, alone)["pair_head"]["order_accuracy"] is None


@pytest.mark.parametrize(("table", "sign"), [("position", 1), ("token_type", -1)])
def test_a_pair_head_that_tells_the_order_is_right(table, sign):
    """Every place attends to the first piece, or to segment b, and the head knows which piece is in
    a first half.
    """
    arrays = weights()
    attend_to_the_first_piece(arrays, table)
    early = sign * (arrays[WORDS][5] - arrays[WORDS][6])
    arrays["bert/pooler/dense/kernel"] = 0.01 * np.eye(64, dtype=np.float32)
    arrays["cls/seq_relationship/output_weights"] = np.stack([early, -early])
    result = check(arrays, [[PIECES[5] * 60, PIECES[6] * 60]] * 16)
    assert result["pair_head"] == {"present": True, "pairs": 16, "order_accuracy": 1.0}


def test_a_model_may_have_few_positions(documents):
    """Fewer than a window has, and no multiple of what sequences are padded to."""
    model = model_of(weights())
    positions = "bert/embeddings/position_embeddings"
    model.variables[positions] = model.variables[positions][:40]
    config = dataclasses.replace(model.config, max_position_embeddings=40)
    short = [[text[i : i + 6] for text in own for i in range(0, 30, 6)] for own in documents]
    result = check_head(model._replace(config=config), Characters(), short, 160)
    assert result["works"]
    assert result["pair_head"]["pairs"] > 0


def test_the_same_text_gives_the_same_answer_and_no_unknown_piece_is_masked(documents):
    text = [[sentence.replace(chr(0x4E00), "x") for sentence in d] for d in documents]
    assert check(weights(), text) == check(weights(), text)
    unknown = [["x" * 60 + "".join(document)[:40]] for document in documents]
    result = check(weights(), unknown)
    assert result["without_a_model"]["most_frequent_piece"] != "[UNK]"
    assert result["as_it_stands"]["accuracy"] > 0.99


def test_windows_of_different_lengths_count_by_their_pieces(documents):
    arrays = weights()
    arrays[WORDS][2] = 0  # what fills up a shorter window's places is [CLS], never right then
    text = [document[: 1 + i % 4] for i, document in enumerate(documents)]
    result = check(arrays, text)
    assert result["masked_pieces"] == 8 * (4 + 9 + 14 + 18)
    assert result["as_it_stands"]["accuracy"] > 0.99


def test_only_so_many_windows_are_read(documents):
    def endless():
        while True:
            yield documents[0]

    assert check(weights(), endless(), windows=16)["windows"] == 16


def test_too_little_text_is_an_error(documents):
    with pytest.raises(UserError, match="give some 1,600 characters or more"):
        check(weights(), documents[:2])
    assert FEWEST == 200


def test_windows_are_neighbouring_sentences_of_one_document():
    tokenizer = Characters()
    texts = [["丁七", "万丈", "三"], ["上下丌"], ["不" * 9, "与"]]
    windows = list(cut_windows(texts, tokenizer, 4))
    spelled = [[tokenizer_text(part) for part in window] for window in windows]
    assert spelled == [
        ["丁七", "万丈"],
        ["三"],
        ["上下丌"],
        ["不不不不"],
        ["不不不不"],
        ["不", "与"],
    ]


def tokenizer_text(ids):
    return "".join(PIECES[i] for i in ids)


@pytest.fixture
def folder(tmp_path, documents):
    """The model and the text as files."""
    pytest.importorskip("tokenizers")
    (tmp_path / "vocab.txt").write_text("".join(f"{p}\n" for p in PIECES), encoding="utf-8")
    (tmp_path / "bert_config.json").write_text(json.dumps(CONFIG))
    text = "\n\n".join("。".join(document) for document in documents)
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    return tmp_path


def run(folder, arrays, *arguments):
    tensors = {name: tf.constant(array) for name, array in arrays.items()}
    store.save(str(folder / "bert_model.ckpt"), tensors)
    text = str(folder / "text.txt")
    return main(["check-head", "--model", str(folder), "--input", text, *arguments])


def test_the_command_says_it_works(folder, capsys):
    assert run(folder, weights()) == 0
    output = capsys.readouterr()
    assert "the masked LM head works: " in output.out
    assert "pair head: present" in output.out
    assert output.err == ""


def test_the_command_fails_with_the_sentence_and_its_figures(folder, capsys):
    arrays = {n: a for n, a in weights().items() if not n.startswith("cls/")}
    assert run(folder, arrays, "--json") == 1
    output = capsys.readouterr()
    assert json.loads(output.out)["works"] is False
    assert output.err.startswith("error: no masked LM head: ")
    assert run(folder, arrays) == 1
    assert "pair head: absent" in capsys.readouterr().out


def test_a_model_that_lacks_a_layer_is_no_model(folder, capsys):
    arrays = {n: a for n, a in weights().items() if "layer_0/output" not in n}
    assert run(folder, arrays) == 1
    error = capsys.readouterr().err
    assert "lacks bert/encoder/layer_0/output" in error
    assert "the bert_config.json that belongs to it" in error


def test_text_comes_from_standard_input(folder, capsys, standard_input):
    store.save(str(folder / "bert_model.ckpt"), {n: tf.constant(a) for n, a in weights().items()})
    standard_input(folder / "text.txt")
    assert main(["check-head", "--model", str(folder), "--input", "-"]) == 0
    capsys.readouterr()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe", "is not UTF-8 (byte 1): this reads as UTF-16"),
        (b"", "there is no text in "),
        (None, "no input matches "),
    ],
)
def test_text_that_cannot_be_used(folder, capsys, content, sentence):
    path = folder / "text.txt"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert run(folder, weights()) == 1
    assert sentence in capsys.readouterr().err
