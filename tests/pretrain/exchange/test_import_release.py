"""Released models of Google's and Hugging Face's form, whole, old, and broken."""

import json
import os
import pickle
import shutil
import struct
import sys
import types

import numpy as np
import pytest

pytest.importorskip("safetensors")
from data_gen.shared.errors import UserError
from pretrain.__main__ import main
from pretrain.checkpoint import store
from pretrain.checkpoint.load import load_model
from pretrain.exchange.hf_tokenizer import is_one_run
from pretrain.exchange.import_release import import_release
from pretrain.exchange.release import absent_parts
from pretrain.exchange.weight_files import read_tensors
from pretrain.model.bert import encode, init, pool
from pretrain.model.config import BertConfig
from pretrain.model.heads import pair_logits, piece_logits
from pretrain.runtime.tensorflow import tf
from tests.pretrain.helpers import Bomb

FOLDER = "tests/golden/hugging_face"  # as transformers 5 writes it: see tests/golden/README.md
WORDS = "bert.embeddings.word_embeddings.weight"
CONFIG = {
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
    "vocab_size": 37,
}


def write_safetensors(path, tensors):
    """Write a file as the package safetensors does, of any type: {name: (dtype, array)}."""
    header, data = {}, b""
    for name, (dtype, array) in tensors.items():
        stop = len(data) + array.nbytes
        header[name] = {
            "dtype": dtype,
            "shape": list(array.shape),
            "data_offsets": [len(data), stop],
        }
        data += array.tobytes()
    text = json.dumps(header).encode()
    with open(path, "wb") as handle:
        handle.write(struct.pack("<Q", len(text)) + text + data)


@pytest.fixture
def folder(tmp_path):
    """A copy to change."""
    return shutil.copytree(FOLDER, str(tmp_path / "release"))


@pytest.fixture
def rewrite(folder):
    """Change the tensors of the copy; returns its folder."""

    def run(change, dtype="F32"):
        tensors = change(dict(read_tensors(folder)))
        write_safetensors(
            os.path.join(folder, "model.safetensors"),
            {name: (dtype, array) for name, array in tensors.items()},
        )
        return folder

    return run


def set_config(folder, name="config.json", **values):
    path = os.path.join(folder, name)
    with open(path, encoding="utf-8") as handle:
        config = json.load(handle)
    with open(path, "w", encoding="utf-8") as handle:
        json.dump({**config, **values}, handle)


@pytest.fixture
def take(tmp_path):
    """Import into a new folder; returns the prefix."""

    def run(source, form="hf", **options):
        return import_release(form, source, str(tmp_path / "out"), **options)

    return run


@pytest.fixture(scope="module")
def whole(root, tmp_path_factory):
    """The weights of FOLDER by Google's names."""
    output = str(tmp_path_factory.mktemp("whole") / "out")
    return store.read(import_release("hf", os.path.join(root, FOLDER), output))


def logits(prefix, batch):
    model = load_model(prefix)
    batch = {name: tf.constant(array) for name, array in batch.items()}
    sequence = encode(model.variables, batch, model.config)
    hidden = tf.reshape(sequence, [-1, model.config.hidden_size])
    words = piece_logits(model.variables, hidden, model.config).numpy()
    pairs = pair_logits(model.variables, pool(model.variables, sequence)).numpy()
    return words.reshape([*batch["input_ids"].shape, -1]), pairs


def test_a_folder_of_transformers_gives_its_logits(take):
    stored = dict(np.load(f"{FOLDER}/logits.npz"))
    batch = {name: stored[name] for name in ("input_ids", "input_mask", "segment_ids")}
    words, pairs = logits(take(FOLDER), batch)
    seen = stored["input_mask"] == 1
    assert np.abs(words - stored["masked_lm"])[seen].max() < 1e-5
    assert np.abs(pairs - stored["pair"]).max() < 1e-5


def test_its_vocabulary_is_taken_from_tokenizer_json(take):
    beside = os.path.dirname(take(FOLDER))
    with open(os.path.join(beside, "vocab.txt"), encoding="utf-8") as handle:
        pieces = handle.read().split("\n")
    assert pieces[:8] == ["[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "今", "天"]
    assert len(pieces) == 37 + 1
    with open(os.path.join(beside, "tokenizer_config.json"), encoding="utf-8") as handle:
        assert json.load(handle) == {
            "tokenizer_class": "BertTokenizer",
            "do_lower_case": True,
            "model_max_length": 16,
        }


def old_names(tensors):
    """As transformers wrote them before version 3, with the decoder and a classifier on top."""
    found = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): array
        for name, array in tensors.items()
    }
    bias = found.pop("cls.predictions.bias")
    found["cls.predictions.decoder.bias"] = bias
    found["cls.predictions.decoder.weight"] = found[WORDS]
    found["classifier.weight"] = np.zeros([2, 8], np.float32)
    return found


def test_old_names_are_known(rewrite, take, whole, capsys):
    found = store.read(take(rewrite(old_names)))
    assert found.keys() == whole.keys()
    assert all(np.array_equal(found[name], whole[name]) for name in whole)
    assert (
        "46 weights imported, 1 left over\nleft over: classifier.weight\n"
        in capsys.readouterr().err
    )


def test_half_precision_becomes_float32(rewrite, take, whole):
    def halve(tensors):
        return {name: array.astype(np.float16) for name, array in tensors.items()}

    found = store.read(take(rewrite(halve, "F16")))
    for name, array in whole.items():
        assert found[name].dtype == np.float32
        assert np.array_equal(found[name], array.astype(np.float16).astype(np.float32))


def test_bfloat16_becomes_float32(rewrite, take, whole):
    def cut(tensors):
        return {
            name: (np.ascontiguousarray(array).view(np.uint32) >> 16).astype(np.uint16)
            for name, array in tensors.items()
        }

    found = store.read(take(rewrite(cut, "BF16")))
    for name, array in whole.items():
        assert found[name].dtype == np.float32
        assert np.abs(found[name] - array).max() < 2**-7 * np.abs(array).max()


def test_shards_are_read(folder, take, whole):
    tensors = read_tensors(folder)
    os.remove(os.path.join(folder, "model.safetensors"))
    index = {}
    for i, name in enumerate(sorted(tensors)):
        index[name] = f"model-0000{i % 2}-of-00002.safetensors"
    for shard in set(index.values()):
        part = {name: ("F32", tensors[name]) for name in index if index[name] == shard}
        write_safetensors(os.path.join(folder, shard), part)
    path = os.path.join(folder, "model.safetensors.index.json")
    with open(path, "w", encoding="utf-8") as handle:
        json.dump({"metadata": {}, "weight_map": index}, handle)
    found = store.read(take(folder))
    assert all(np.array_equal(found[name], whole[name]) for name in whole)


def test_absent_heads_are_named(rewrite, take, capsys):
    def encoder(tensors):  # as BertModel of transformers 3 and older saves it
        return {name[5:]: array for name, array in tensors.items() if name.startswith("bert.")}

    prefix = take(rewrite(encoder))
    error = capsys.readouterr().err
    assert "no masked LM head: " in error
    assert "no pair head: " in error
    assert "no pooler" not in error
    assert absent_parts(store.read(prefix)) == ["cls/predictions/", "cls/seq_relationship/"]
    with pytest.raises(UserError, match="give a checkpoint with its heads"):
        load_model(prefix)


@pytest.mark.parametrize(
    ("said", "override", "taken", "explained"),
    [
        ("gelu", None, "gelu_erf", True),
        ("gelu", "gelu", "gelu", False),
        ("gelu_new", None, "gelu", False),
        ("gelu_pytorch_tanh", None, "gelu", False),
        ("relu", None, "relu", False),
    ],
)
def test_the_activation_is_the_one_meant(folder, take, capsys, said, override, taken, explained):
    set_config(folder, hidden_act=said)
    prefix = take(folder, hidden_act=override)
    assert load_model(prefix).config.hidden_act == taken
    assert ("import with --hidden-act gelu" in capsys.readouterr().err) == explained


def truncate(folder):
    path = os.path.join(folder, "model.safetensors")
    with open(path, "rb") as handle:
        data = handle.read()
    with open(path, "wb") as handle:
        handle.write(data[:-100])


def wrong_shape(folder):
    tensors = dict(read_tensors(folder))
    tensors["bert.pooler.dense.weight"] = np.zeros([8, 9], np.float32)
    save_all(folder, tensors)


def save_all(folder, tensors):
    path = os.path.join(folder, "model.safetensors")
    write_safetensors(path, {name: ("F32", array) for name, array in tensors.items()})


def without_layer(folder):
    tensors = read_tensors(folder)
    save_all(folder, {n: array for n, array in tensors.items() if "layer.1." not in n})


def without_part_of_a_head(folder):
    tensors = dict(read_tensors(folder))
    del tensors["cls.predictions.transform.dense.bias"]
    save_all(folder, tensors)


def untied(folder):
    tensors = dict(read_tensors(folder))
    tensors["cls.predictions.decoder.weight"] = tensors[WORDS] + 1
    save_all(folder, tensors)


def other_rows(folder):
    tensors = dict(read_tensors(folder))
    tensors[WORDS] = tensors[WORDS][:-1]
    save_all(folder, tensors)


def vocabulary_of(count):
    def change(folder):
        pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        pieces += [chr(0x4E00 + i) for i in range(count - len(pieces))]
        with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8") as handle:
            handle.write("".join(f"{piece}\n" for piece in pieces))

    return change


def not_a_number(folder):
    tensors = dict(read_tensors(folder))
    tensors["bert.pooler.dense.bias"] = np.full([8], np.nan, np.float32)
    save_all(folder, tensors)


def piece_twice(folder):
    vocabulary_of(36)(folder)
    with open(os.path.join(folder, "vocab.txt"), "a", encoding="utf-8") as handle:
        handle.write("[MASK]\n")


def of_config(**values):
    return lambda folder: set_config(folder, **values)


def of_tokenizer(name):
    return lambda folder: set_config(folder, "tokenizer_config.json", tokenizer_class=name)


def no_file(name):
    return lambda folder: os.remove(os.path.join(folder, name))


def other_tokenizer(folder):
    set_config(folder, "tokenizer.json", model={"type": "BPE", "vocab": {}})


def no_special(folder):
    with open(os.path.join(folder, "vocab.txt"), "w", encoding="utf-8") as handle:
        handle.write("的\n" * 37)


def no_json(folder):
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as handle:
        handle.write("{")


def shard_outside(folder):
    os.remove(os.path.join(folder, "model.safetensors"))
    path = os.path.join(folder, "model.safetensors.index.json")
    with open(path, "w", encoding="utf-8") as handle:
        json.dump({"weight_map": {"x": "../x.safetensors"}}, handle)


def shard_missing(folder):
    shard_outside(folder)
    set_config(folder, "model.safetensors.index.json", weight_map={"x": "x.safetensors"})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (truncate, "model.safetensors is damaged or cut short"),
        (wrong_shape, "bert/pooler/dense/kernel is 9 x 8 in .*, 8 x 8 by its configuration"),
        (without_layer, "lacks bert/encoder/layer_1/.*no whole BERT of 2 layers"),
        (without_part_of_a_head, "lacks cls/predictions/transform/dense/bias"),
        (not_a_number, "bert/pooler/dense/bias is NaN or infinite in"),
        (piece_twice, r"vocab.txt has '\[MASK\]' on the lines 5 and 37"),
        (untied, "the masked LM head of .* has its own matrix"),
        (other_rows, "has 36 rows, its configuration says vocab_size 37"),
        (vocabulary_of(38), "has 38 pieces, its embedding 37 rows"),
        (of_config(vocab_size=200), "has 37 rows, its configuration says vocab_size 200"),
        (of_config(model_type="roberta"), "its model_type is roberta, which must be bert"),
        (of_config(model_type="albert"), "its model_type is albert"),
        (of_config(model_type="electra"), "lacks electra/.*: it is no whole ELECTRA of 2 layers"),
        (of_config(embedding_size=4), "its embedding_size is 4, the hidden_size 8"),
        (of_config(position_embedding_type="relative_key"), "position_embedding_type is relative"),
        (of_config(layer_norm_eps=1e-5), "layer_norm_eps is 1e-05, which must be 1e-12"),
        (of_config(is_decoder=True), "its is_decoder is True"),
        (of_config(add_cross_attention=True), "its add_cross_attention is True"),
        (of_config(tie_word_embeddings=False), "its tie_word_embeddings is False"),
        (of_config(hidden_act="swish"), "the activation swish"),
        (of_config(num_attention_heads=3), "is no config.json of a BERT: hidden_size 8"),
        (no_json, "is no config.json of a BERT"),
        (no_file("config.json"), "cannot read the model .*config.json"),
        (no_file("model.safetensors"), "has no weights: model.safetensors or pytorch_model.bin"),
        (no_file("tokenizer.json"), "vocab.txt is missing"),
        (other_tokenizer, "holds no vocabulary of BERT .*BPE"),
        (no_special, r"vocab.txt lacks \[PAD\].*: add a line for each"),
        (of_tokenizer("sentencepiece"), "is sentencepiece, no BertTokenizer: it cannot be"),
        (of_tokenizer("BertJapaneseTokenizer"), "is BertJapaneseTokenizer, no BertTokenizer"),
        (shard_outside, "a shard lies outside of the folder"),
        (shard_missing, "x.safetensors is missing"),
    ],
)
def test_a_broken_source_is_one_sentence(folder, tmp_path, change, sentence):
    change(folder)
    with pytest.raises(UserError, match=sentence) as error:
        import_release("hf", folder, str(tmp_path / "out"))
    assert "\n" not in str(error.value)
    assert not os.path.exists(str(tmp_path / "out"))


def test_where_it_cannot_go_is_said_before_anything_is_read(tmp_path):
    (tmp_path / "out").write_text("precious")
    with pytest.raises(UserError, match="out is a file: choose another --output"):
        import_release("hf", "nowhere at all", str(tmp_path / "out"))
    assert (tmp_path / "out").read_text() == "precious"


def test_an_embedding_may_be_padded(folder, take, rewrite, capsys):
    set_config(folder, vocab_size=64)

    def pad(tensors):
        for name in (WORDS, "cls.predictions.bias"):
            rows = [(0, 27)] + [(0, 0)] * (tensors[name].ndim - 1)
            tensors[name] = np.pad(tensors[name], rows, mode="constant")
        return tensors

    assert load_model(take(rewrite(pad))).config.vocab_size == 64
    assert "has 27 rows more than the vocabulary has pieces" in capsys.readouterr().err


@pytest.fixture
def pickled(folder, tmp_path):
    """A folder whose pytorch_model.bin is a bomb, and what would show that it went off."""
    os.remove(os.path.join(folder, "model.safetensors"))
    fired = str(tmp_path / "fired")
    with open(os.path.join(folder, "pytorch_model.bin"), "wb") as handle:
        pickle.dump({"x": Bomb(fired)}, handle, protocol=2)
    return folder, fired


def test_a_pickle_needs_torch(pickled, take, monkeypatch):
    folder, fired = pickled
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match=r"is a pickle .* needs the package torch, .*\[torch\]"):
        take(folder)
    assert not os.path.exists(fired)


def test_an_old_torch_is_not_trusted(pickled, take, monkeypatch):
    folder, fired = pickled
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(__version__="2.5.1+cpu"))
    with pytest.raises(UserError, match=r"install torch 2\.6 or newer"):
        take(folder)
    assert not os.path.exists(fired)


def test_a_pickle_is_read_as_weights_only(pickled, take, monkeypatch):
    """Without torch, too: with it, see test_transformers."""
    asked = []

    def load(path, **options):
        asked.append(options)
        raise ValueError

    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(__version__="2.6.0", load=load))
    with pytest.raises(UserError, match="damaged or holds more than tensors"):
        take(pickled[0])
    assert [options["weights_only"] for options in asked] == [True]


def hub(monkeypatch, download):
    """Put another huggingface_hub in the place of the real one, if there is one."""
    fake = types.SimpleNamespace(snapshot_download=download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)


def test_a_hub_id_is_fetched(monkeypatch, take, whole, capsys):
    asked = []

    def download(name, allow_patterns):
        asked.append((name, tuple(allow_patterns)))
        return FOLDER

    hub(monkeypatch, download)
    found = store.read(take("user/model"))
    assert all(np.array_equal(found[name], whole[name]) for name in whole)
    ((name, patterns),) = asked
    assert name == "user/model"
    assert "model*.safetensors*" in patterns
    assert not any("bin" in pattern for pattern in patterns)


def test_a_pickle_is_fetched_only_without_safetensors(monkeypatch, pickled, take):
    asked = []

    def download(name, allow_patterns):
        asked.append([pattern for pattern in allow_patterns if "model" in pattern])
        return pickled[0]

    hub(monkeypatch, download)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match="is a pickle"):
        take("user/model")
    assert asked == [["model*.safetensors*"], ["pytorch_model*.bin*"]]


def test_a_hub_that_does_not_answer_is_one_sentence(monkeypatch, take):
    def download(name, allow_patterns):
        raise OSError("cannot connect\nat all")

    hub(monkeypatch, download)
    with pytest.raises(UserError, match=r"no such model \(cannot connect\): check") as error:
        take("user/model")
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="there is no folder work/no/such: give one, or a hub id"):
        take("work/no/such")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError, match="needs the package huggingface_hub"):
        take("user/model")


@pytest.fixture
def google(tmp_path):
    """A release as Google and HFL ship it, with what a careless one leaves in the checkpoint."""
    beside = tmp_path / "google"
    beside.mkdir()
    arrays = {name: tensor.numpy() for name, tensor in init(BertConfig(**CONFIG), 1).items()}
    slots = {f"{name}/adam_m": array for name, array in arrays.items()}
    step = {"global_step": np.int64(7), "good_steps": np.float32(1)}
    store.save(str(beside / "chinese_model.ckpt"), {**arrays, **slots, **step})
    (beside / "bert_config.json").write_text(json.dumps({**CONFIG, "directionality": "bidi"}))
    vocabulary_of(37)(str(beside))
    return str(beside), arrays


def test_a_release_of_google_is_taken(google, tmp_path, capsys):
    folder, arrays = google
    output = str(tmp_path / "out")
    assert main(["import", "--from", "tf1", folder, "--output", output]) == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == f"{output}/bert_model.ckpt"
    assert "46 weights imported, 1 left over\nleft over: good_steps\n" in captured.err
    assert f"build --config PRESET --set vocab_file={output}/vocab.txt ..." in captured.err
    assert f"train --config continue --init {output} ...\n" in captured.err
    found = store.read(captured.out.strip())
    assert found.keys() == arrays.keys()
    assert all(np.array_equal(found[name], arrays[name]) for name in arrays)
    assert load_model(output).config == BertConfig(**CONFIG)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (no_file("bert_config.json"), "cannot read the model .*bert_config.json"),
        (no_file("vocab.txt"), "vocab.txt is missing"),
        (no_file("chinese_model.ckpt.index"), "there is no checkpoint at"),
        (vocabulary_of(38), "has 38 pieces, its embedding 37 rows"),
        (
            lambda folder: set_config(folder, "bert_config.json", num_hidden_layers=3),
            "lacks bert/encoder/layer_2/.*no whole BERT of 3 layers",
        ),
        (
            lambda folder: set_config(folder, "bert_config.json", embedding_size=4),
            "its embedding_size is 4",
        ),
    ],
)
def test_a_broken_release_of_google_is_one_sentence(google, take, change, sentence):
    change(google[0])
    with pytest.raises(UserError, match=sentence) as error:
        take(google[0], "tf1")
    assert "\n" not in str(error.value)


def test_the_vocabulary_is_copied_to_the_byte(google, take):
    """Data sets know it by its sha256."""
    path = os.path.join(google[0], "vocab.txt")
    with open(path, "rb") as handle:
        content = handle.read().replace(b"\n", b"\r\n").rstrip()
    with open(path, "wb") as handle:
        handle.write(content)
    with open(os.path.join(os.path.dirname(take(google[0], "tf1")), "vocab.txt"), "rb") as handle:
        assert handle.read() == content


def test_a_small_vocabulary_with_a_large_embedding_is_another_models(google, take):
    folder, _ = google
    wide = {**CONFIG, "vocab_size": 37 + 128}
    wider = {name: tensor.numpy() for name, tensor in init(BertConfig(**wide), 1).items()}
    store.save(os.path.join(folder, "chinese_model.ckpt"), wider)
    set_config(folder, "bert_config.json", vocab_size=37 + 128)
    with pytest.raises(UserError, match="has 37 pieces, its embedding 165 rows"):
        take(folder, "tf1")


def test_capitals_without_a_piece_are_told(folder, take, capsys):
    take(folder)
    assert "no capital letter" not in capsys.readouterr().err
    set_config(folder, "tokenizer_config.json", do_lower_case=False)
    shutil.rmtree(os.path.join(os.path.dirname(folder), "out"))
    take(folder)
    assert "do_lower_case is false, but the vocabulary has no capital" in capsys.readouterr().err


@pytest.mark.parametrize("settings", [{}, {"do_lower_case": True}, {"do_lower_case": False}])
def test_a_cased_vocabulary_that_is_lowered_is_told(google, take, capsys, settings):
    """Google ships no tokenizer_config.json, so that lower case is taken for granted."""
    folder, _ = google
    with open(os.path.join(folder, "vocab.txt"), "r+", encoding="utf-8") as handle:
        pieces = handle.read().splitlines()
        handle.seek(0)
        handle.truncate()
        handle.write("".join(f"{piece}\n" for piece in [*pieces[:-1], "##A"]))
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as handle:
        json.dump(settings, handle)
    take(folder, "tf1")
    told = "the vocabulary has capitals, which then never occur" in capsys.readouterr().err
    assert told == settings.get("do_lower_case", True)


def read_lines(path):
    with open(path, encoding="utf-8") as handle:
        return handle.read().split("\n")[:-1]


# Of the golden vocabulary, which has 37 pieces; as transformers 4 and 5 write them.
ADDED = {"新冠病毒": 37, "covid19": 38, "“": 39, "two\nlines": 40, "Upper": 41}


@pytest.mark.parametrize("form", ["added_tokens.json", "tokenizer.json"])
def test_tokens_added_in_transformers_keep_their_rows(rewrite, take, capsys, form):
    def more_rows(tensors):
        rows = np.concatenate([tensors[WORDS], np.full([5, 8], 0.5, np.float32)])
        bias = np.concatenate([tensors["cls.predictions.bias"], np.zeros(5, np.float32)])
        return {**tensors, WORDS: rows, "cls.predictions.bias": bias}

    folder = rewrite(more_rows)
    set_config(folder, vocab_size=42)
    if form == "added_tokens.json":
        with open(os.path.join(folder, form), "w", encoding="utf-8") as handle:
            json.dump(ADDED, handle)
    else:
        tokens = [{"id": i, "content": token} for token, i in ADDED.items()]
        set_config(folder, form, added_tokens=[{"id": 0, "content": "[PAD]"}, *tokens])
    beside = os.path.dirname(take(folder))
    pieces = read_lines(os.path.join(beside, "vocab.txt"))
    assert len(pieces) == 42
    assert pieces[36:] == [pieces[36], "新冠病毒", "covid19", "“", "[added40]", "Upper"]
    said = capsys.readouterr().err
    assert "vocab.txt has 5 tokens more, which were added in transformers" in said
    assert "3 of them no text gives here" in said
    assert "cuts them up: 新冠病毒 [added40] Upper\n" in said


def test_what_can_be_given_is_given(take, rewrite):
    """The rule is that of the tokenizer itself."""
    pytest.importorskip("tokenizers")
    from data_gen.tokenization.wordpiece import WordPiece

    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    for lower in (True, False):
        for token in (
            "covid19",
            "Covid",
            "é",
            "新",
            "新冠",
            "“",
            "a.b",
            "x" * 200,
            "x" * 201,
            "##a",
        ):
            wordpiece = WordPiece([*specials, token], lower)
            ((ids, _),) = wordpiece.encode([token])
            assert is_one_run(token, lower) == (list(ids) == [5]), (token, lower)


def test_added_tokens_with_a_gap_are_refused(folder, take):
    with open(os.path.join(folder, "added_tokens.json"), "w", encoding="utf-8") as handle:
        json.dump({"covid19": 39}, handle)
    with pytest.raises(UserError, match=r"added_tokens\.json holds no added tokens .*have gaps"):
        take(folder)


@pytest.mark.parametrize("prefix", ["module.", "bert.", "model.language.", "_orig_mod.module."])
def test_a_prefix_of_all_names_is_found_and_said(rewrite, take, whole, capsys, prefix):
    def named(tensors):
        return {
            **{prefix + name: x for name, x in tensors.items()},
            "other.weight": np.zeros(3, "f4"),
        }

    found = store.read(take(rewrite(named)))
    assert found.keys() == whole.keys()
    assert all(np.array_equal(found[name], whole[name]) for name in whole)
    said = capsys.readouterr().err
    assert f"begin with {prefix}, which is taken off\n" in said
    assert "left over: other.weight" in said


def test_the_encoder_of_another_model_is_found(rewrite, take, whole):
    def within(tensors):
        inner = {n[len("bert.") :]: x for n, x in tensors.items() if n.startswith("bert.")}
        return {f"retriever.{name}": x for name, x in inner.items()}

    found = store.read(take(rewrite(within)))
    assert found.keys() == {name for name in whole if name.startswith("bert/")}
    assert all(np.array_equal(found[name], whole[name]) for name in found)


def test_two_models_in_one_are_refused(rewrite, take):
    def twice(tensors):
        return {f"{side}.{name}": x for name, x in tensors.items() for side in ("left", "right")}

    with pytest.raises(UserError, match=r"holds several models \(left\., right\.\): save the one"):
        take(rewrite(twice))


def test_a_prefix_in_googles_form_is_found(take, whole, tmp_path, capsys):
    source = tmp_path / "google"
    shutil.copytree(os.path.dirname(take(FOLDER)), str(source))
    arrays = {f"model/{name}": tf.constant(x) for name, x in whole.items()}
    store.save(str(source / "bert_model.ckpt"), arrays)
    found = store.read(import_release("tf1", str(source), str(tmp_path / "again")))
    assert all(np.array_equal(found[name], whole[name]) for name in whole)
    assert "begin with model/, which is taken off" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["evaluate --data DATA --model", "predict 今天 --model"])
def test_a_hugging_face_folder_names_the_import(command, capsys):
    words = [word.replace("DATA", "tests/golden/dataset") for word in command.split()]
    assert main([*words, FOLDER]) == 1
    said = capsys.readouterr().err
    advice = f"take it in with `python -m pretrain import --from hf {FOLDER} --output"
    assert advice in said


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"\xff", b"[" * 10000, b"{}", b'{"model": NaN}', b"[]"])
def test_damaged_descriptions_are_one_sentence(folder, take, name, content):
    with open(os.path.join(folder, name), "wb") as handle:
        handle.write(content)
    with pytest.raises(UserError, match=name.replace(".", r"\.")):
        take(folder)
