"""A neural LTP model of the published shape, tiny and random. These tests run where the extra
`ltp-neural` is installed.
"""

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.segmentation.boundaries import word_boundaries
from data_gen.segmentation.ltp import fetch_ltp
from data_gen.segmentation.segmenter import align
from data_gen.segmentation.segmenters import SegmenterConfig, load_segmenter
from data_gen.shared.errors import UserError
from tests.data_gen.helpers import TEXT, VOCAB

torch = pytest.importorskip("torch")
nerual = pytest.importorskip("ltp.nerual")

HIDDEN = 16
POSITIONS = 40


def config_of(tags, crf):
    """The config.json of a model as LTP's own training writes it, with one task."""
    core = "ltp_core.models"
    return {
        "nerual": True,
        "model": {
            "_ltp_target_": f"{core}.ltp_model.LTPModule",
            "backbone": {
                "_ltp_target_": f"{core}.utils.load_transformers",
                "config": {
                    "model_type": "electra",
                    "vocab_size": 21128,
                    "embedding_size": HIDDEN,
                    "hidden_size": HIDDEN,
                    "intermediate_size": HIDDEN,
                    "num_attention_heads": 2,
                    "num_hidden_layers": 2,
                    "max_position_embeddings": POSITIONS,
                },
            },
            "processor": {"cws": {"_ltp_target_": f"{core}.processor.TokenOnly"}},
            "heads": {
                "cws": {
                    "_ltp_target_": f"{core}.components.token.MLPTokenClassifier",
                    "input_size": HIDDEN,
                    "num_labels": len(tags),
                    "use_crf": crf,
                }
            },
        },
        "vocabs": {"cws": tags},
    }


def make_model(folder, tags, crf):
    config = config_of(tags, crf)
    torch.manual_seed(1)
    network = nerual.LTP(config=config)
    for name, weight in network.named_parameters():
        if weight.dim() > 1:  # far enough from 0 for all tags to be found
            torch.nn.init.normal_(weight, std=1.0 if "word_embeddings" in name else 0.3)
    torch.save(network.model.state_dict(), folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps(config))
    shutil.copy(VOCAB, folder / "vocab.txt")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    return folder


@pytest.fixture(
    scope="module",
    params=[(("I-W", "B-W"), False), (("S", "B", "M", "E"), True)],
    ids=["two tags", "four tags, CRF"],
)
def model(request, root, tmp_path_factory):
    tags, crf = request.param
    return make_model(tmp_path_factory.mktemp("neural"), list(tags), crf)


def load(model, **settings):
    return load_segmenter(SegmenterConfig(model=str(model), device="cpu", **settings))


@pytest.fixture(scope="module")
def runs():
    with open(TEXT, encoding="utf-8") as handle:
        return [run for run in handle.read().split() if len(run) <= POSITIONS - 2]


class OldTokenizer:
    """What LTP's pipeline calls, which transformers 5 has under another name."""

    def __init__(self, tokenizer):
        self.batch_encode_plus = tokenizer


@pytest.fixture
def pipeline(model):
    """LTP's own way from texts to words."""
    transformers = pytest.importorskip("transformers")
    network = nerual.LTP(config=json.loads((model / "config.json").read_text()))
    state = torch.load(model / "pytorch_model.bin", weights_only=True)
    network.load_state_dict(state)
    network.tokenizer = OldTokenizer(
        transformers.AutoTokenizer.from_pretrained(model, config=network.model.backbone.config)
    )
    return lambda texts: network.pipeline(texts, tasks=["cws"]).cws


def test_the_words_are_those_of_ltps_own_pipeline(model, pipeline, runs):
    texts = [*runs, "iPhone15手机C++", "한국韩国", "😀好𠮷Naïve", "好\u200b的", "1999年！？", "我"]
    expected = [pipeline([text])[0] for text in texts]
    assert load(model).words(texts) == expected
    sizes = {len(word) for words in expected for word in words}
    assert {1, 2, 3} <= sizes


@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_words_do_not_depend_on_the_batch(model, runs, batch_size):
    """Not to the last bit of the sums, but as far as words tell."""
    one = load(model).words(runs)
    assert load(model, batch_size=batch_size).words(runs) == one
    assert load(model, batch_size=batch_size).words(runs[::-1]) == one[::-1]


def test_every_run_is_lossless(model):
    engine = load(model, batch_size=4)

    @given(
        st.lists(
            st.text(alphabet="中国人民爱语 \t\u200b\x00aA1.，。“😀𠮷한", max_size=50), max_size=4
        )
    )
    def check(sentences):
        for sentence, marks in zip(sentences, word_boundaries(engine, sentences)):
            text = sentence.strip()
            inside = sentence.index(text), sentence.index(text) + len(text)
            assert not text or set(inside) <= set(marks)

    check()


def test_a_long_run_is_cut_at_its_punctuation_and_whole(model):
    engine = load(model)
    halves = ["人民，中国人民爱好和平，", "中国人民爱好和平的国家" * 2 + "中国人民！中国"]
    first, second = engine.words(halves)
    assert len("".join(halves)) > POSITIONS - 2
    assert engine.words(["".join(halves)]) == [first + second]
    for run in ("中国人民" * 60, "한국어" * 30, "a" * 300, "\x00" * 90 + "我" * 90):
        (words,) = engine.words([run])
        assert "".join(align(run, words)) == run


def test_users_words_are_found(model, tmp_path):
    (tmp_path / "words.txt").write_text("爱C++\n国人民", encoding="utf-8")
    engine = load(model, user_dict=str(tmp_path / "words.txt"))
    (words,) = engine.words(["\x00中国人民爱C++😀"])
    assert "".join(words) == "\x00中国人民爱C++😀"
    assert {"爱C++", "国人民"} & set(words)


def test_the_identity_is_of_the_files_and_what_runs_them(model, tmp_path):
    plain = load(model)
    assert plain.identity.endswith(", cpu, batches of 32)")
    copy = shutil.copytree(model, tmp_path / "copy")
    assert load(copy).identity == plain.identity
    (copy / "tokenizer_config.json").write_text('{"tokenizer_class": "ElectraTokenizer"}')
    assert load(copy).identity != plain.identity


def cut_weights(folder):
    path = folder / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[:-1000])


def lose_a_weight(folder):
    path = folder / "pytorch_model.bin"
    state = torch.load(path, weights_only=True)
    torch.save({name: state[name] for name in list(state)[1:]}, path)


def ask_for_more_tags(folder):
    (folder / "config.json").write_text(json.dumps(config_of(["B-W", "I-W", "O"], False)))


def ask_for_nothing(folder):
    (folder / "config.json").write_text('{"nerual": true}')


def parse_only(folder):
    config = config_of(["B-W", "I-W"], False)
    config["model"]["heads"] = config["model"]["processor"] = {}
    (folder / "config.json").write_text(json.dumps(config))


def lengthen_vocabulary(folder):
    with open(folder / "vocab.txt", "a", encoding="utf-8") as handle:
        handle.write("“\n")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (cut_weights, "is not a neural LTP model"),
        (ask_for_more_tags, "is not a neural LTP model"),
        (ask_for_nothing, "is not a neural LTP model"),
        (parse_only, "is not a neural LTP model"),
        (lose_a_weight, "lacks 1 weights of its model, as backbone.embeddings"),
        (lambda folder: (folder / "vocab.txt").unlink(), "has no vocab.txt or tokenizer.json"),
        (lengthen_vocabulary, "vocabulary has 21129 entries, its network 21128"),
        (lambda folder: (folder / "pytorch_model.bin").unlink(), "pytorch_model.bin is missing"),
    ],
)
def test_a_damaged_model_is_an_error(model, tmp_path, damage, sentence):
    copy = shutil.copytree(model, tmp_path / "copy")
    damage(copy)
    with pytest.raises(UserError, match=sentence):
        load(copy)


def test_a_device_that_is_not_there_is_an_error(model):
    with pytest.raises(UserError, match=r"segmenter.device=cuda:99, but torch finds no such GPU"):
        load_segmenter(SegmenterConfig(model=str(model), device="cuda:99"))


def test_a_gpu_that_is_full_is_an_error(model, monkeypatch):
    def fill(*args, **options):
        raise torch.cuda.OutOfMemoryError

    engine = load(model, batch_size=7)
    monkeypatch.setattr(torch.nn.Module, "__call__", fill)
    with pytest.raises(UserError, match=r"fewer --workers.* segmenter.batch_size below 7"):
        engine.words(["我"])


def test_a_neural_model_from_the_hub(model, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **_: str(model))
    assert fetch_ltp("LTP/tiny") == str(model)
    assert load("LTP/tiny").words(["我"]) == [["我"]]
