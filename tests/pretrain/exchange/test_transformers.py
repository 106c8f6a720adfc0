"""transformers loads what is exported and computes the same: with torch and transformers only,
which scripts/test.sh installs with NEURAL=1.
"""

import os
import pickle

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers

from data_gen.shared.errors import UserError
from pretrain.checkpoint import store
from pretrain.checkpoint.load import load_model
from pretrain.exchange.export_release import export_hf
from pretrain.exchange.import_release import import_release
from pretrain.inputs.batches import all_batches
from pretrain.model.bert import encode, pool
from pretrain.model.heads import pair_logits, piece_logits
from pretrain.runtime.devices import one_device
from pretrain.runtime.tensorflow import tf
from pretrain.text.tokenizer import load_tokenizer
from pretrain.train.loop import train
from tests.pretrain.helpers import DATA, Bomb, features_of

TEXT = "tests/data/segmented.txt"


@pytest.fixture(scope="module")
def trained(settings, root, tmp_path_factory):
    output = str(tmp_path_factory.mktemp("trained") / "model")
    train(settings("num_train_steps=20"), [os.path.join(root, DATA)], output, None)
    return output


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    return export_hf(trained, str(tmp_path_factory.mktemp("hf") / "out"))


def theirs(folder, batch):
    """Logits of both heads, as transformers computes them."""
    model = transformers.BertForPreTraining.from_pretrained(folder).eval()
    with torch.no_grad():
        outputs = model(
            input_ids=torch.tensor(batch["input_ids"].numpy()),
            attention_mask=torch.tensor(batch["input_mask"].numpy()),
            token_type_ids=torch.tensor(batch["segment_ids"].numpy()),
        )
    return outputs.prediction_logits.numpy(), outputs.seq_relationship_logits.numpy()


def ours(folder, batch):
    """The same as this code computes them."""
    model = load_model(folder)
    sequence = encode(model.variables, batch, model.config)
    hidden = tf.reshape(sequence, [-1, model.config.hidden_size])
    words = piece_logits(model.variables, hidden, model.config).numpy()
    pairs = pair_logits(model.variables, pool(model.variables, sequence)).numpy()
    return words.reshape([*batch["input_ids"].shape, -1]), pairs


@pytest.mark.parametrize("act", ["gelu", "gelu_erf", "relu"])
def test_its_logits_are_ours(exported, info, tmp_path, act):
    source = import_release("hf", exported, str(tmp_path / "in"), act)
    there = export_hf(source, str(tmp_path / "out"))
    batch = next(iter(all_batches(one_device(), info, features_of(info), 8)))
    seen = batch["input_mask"].numpy() == 1
    for mine, other, places in zip(ours(source, batch), theirs(there, batch), (seen, slice(None))):
        assert np.abs(mine - other)[places].max() < 1e-5


def test_no_class_misses_a_weight(exported):
    heads = {"BertModel": ["cls."], "BertForMaskedLM": ["cls.seq_relationship", "bert.pooler"]}
    for name in ("BertForPreTraining", "BertForMaskedLM", "BertModel"):
        load = getattr(transformers, name).from_pretrained
        _, report = load(exported, output_loading_info=True)
        assert not report["missing_keys"], name
        assert not report["mismatched_keys"], name
        others = tuple(heads.get(name, ()))
        assert all(key.startswith(others) for key in report["unexpected_keys"]), name


def test_what_transformers_saves_comes_back(exported, tmp_path):
    there = str(tmp_path / "there")
    transformers.BertForPreTraining.from_pretrained(exported).save_pretrained(there)
    transformers.AutoTokenizer.from_pretrained(exported).save_pretrained(there)
    back = store.read(import_release("hf", there, str(tmp_path / "back")))
    first = store.read(import_release("hf", exported, str(tmp_path / "first")))
    assert back.keys() == first.keys()
    assert all(np.array_equal(back[name], first[name]) for name in first)
    vocabs = [(tmp_path / name / "vocab.txt").read_bytes() for name in ("back", "first")]
    assert vocabs[0] == vocabs[1]


def test_its_tokenizer_gives_our_pieces(trained, exported, root):
    tokenizer = transformers.AutoTokenizer.from_pretrained(exported)
    assert (tokenizer.mask_token_id, tokenizer.model_max_length) == (103, 48)
    with open(TEXT, encoding="utf-8") as handle:
        lines = [line.replace(" ", "").strip() for line in handle if line.strip()]
    mine = [list(ids) for ids, _ in load_tokenizer(trained).encode(lines)]
    assert [tokenizer(line, add_special_tokens=False)["input_ids"] for line in lines] == mine
    runs = ["校验值是" + "ab12" * 35 + "，完成。", "x" * 101, "y" * 200, "z" * 201]
    mine = [list(ids) for ids, _ in load_tokenizer(trained).encode(runs)]
    assert [tokenizer(run, add_special_tokens=False)["input_ids"] for run in runs] == mine
    filled = tokenizer("今天[MASK]好", "是")
    assert filled["input_ids"][:4] == [101, 791, 1921, 103]
    assert filled["token_type_ids"] == [0] * 6 + [1] * 2


def test_a_pickle_of_tensors_is_read(exported, tmp_path):
    there = str(tmp_path / "there")
    transformers.AutoTokenizer.from_pretrained(exported).save_pretrained(there)
    model = transformers.BertForPreTraining.from_pretrained(exported)
    model.config.save_pretrained(there)
    torch.save(model.half().state_dict(), os.path.join(there, "pytorch_model.bin"))
    found = store.read(import_release("hf", there, str(tmp_path / "in")))
    first = store.read(import_release("hf", exported, str(tmp_path / "first")))
    assert found.keys() == first.keys()
    for name, array in first.items():
        assert np.array_equal(found[name], array.astype(np.float16).astype(np.float32)), name


def test_code_in_a_pickle_is_not_run(exported, tmp_path):
    there, fired = str(tmp_path / "there"), str(tmp_path / "fired")
    transformers.AutoTokenizer.from_pretrained(exported).save_pretrained(there)
    transformers.BertConfig.from_pretrained(exported).save_pretrained(there)
    path = os.path.join(there, "pytorch_model.bin")
    for dump in (pickle.dump, torch.save):  # the two forms that torch knows
        with open(path, "wb") as handle:
            dump({"x": Bomb(fired)}, handle)
        with pytest.raises(UserError, match="holds more than tensors, so nothing of it is run"):
            import_release("hf", there, str(tmp_path / "in"))
        assert not os.path.exists(fired)
    torch.load(path, weights_only=False)
    assert os.path.exists(fired)  # it was a bomb
