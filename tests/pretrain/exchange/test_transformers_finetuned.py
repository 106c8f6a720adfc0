"""transformers computes the same with fine-tuned models, losses included: with torch and
transformers only, which scripts/test.sh installs with NEURAL=1.
"""

import re

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers

from pretrain.checkpoint.load import load_model
from pretrain.exchange.export_release import export_hf
from pretrain.learning import classification, span
from pretrain.learning.objective import mean_losses
from pretrain.model.bert import FLOAT32
from pretrain.predict.task_lines import TASK_LINES
from pretrain.predict.task_predictor import TaskPredictor
from pretrain.runtime.tensorflow import tf
from pretrain.text.tokenizer import load_tokenizer
from tests.pretrain.finetuned import write_finetuned

LABELS = ["差评", "中评", "好评"]
SENTENCES = [
    "服务很好。",
    "房间又小又脏，空调也坏了，再也不会来了！",
    "The hotel is OK，早餐还行。",
    "今天天气怎么样",
]
PAIRS = [("花呗怎么还款", "怎样还花呗"), ("借呗多久到账？", "为什么我没有借呗"), ("在", "在吗在吗")]
PARAGRAPH = "泰山位于山东省中部，主峰玉皇顶海拔1532米，是五岳之首。"


@pytest.fixture(scope="module", params=["gelu", "gelu_erf"])
def act(request):
    return request.param


@pytest.fixture(scope="module")
def exported(act, tmp_path_factory):
    """A function that writes a model of an objective with random weights, and exports it."""

    def make(objective, labels=()):
        folder = tmp_path_factory.mktemp(objective)
        config = {"hidden_act": act, "hidden_size": 32, "vocab_size": 21128}
        source = write_finetuned(folder / "model", objective, labels, **config)
        return source, export_hf(source, str(folder / "hf"))

    return make


@pytest.fixture(scope="module")
def classifier(exported):
    return exported("classification", LABELS)


@pytest.fixture(scope="module")
def reader(exported):
    return exported("span")


def batches(seed):
    """Batches of several sizes: one text, padding, pairs, nothing but padding behind [CLS]."""
    rng = np.random.RandomState(seed)
    for rows, length in ((1, 5), (4, 17), (8, 48)):
        ids = rng.randint(100, 21128, size=(rows, length))
        sizes = rng.randint(1, length + 1, size=rows)
        sizes[0] = length
        firsts = rng.randint(1, length + 1, size=rows)
        places = np.arange(length)[None, :]
        mask = (places < sizes[:, None]).astype(np.int32)
        segments = ((places >= firsts[:, None]) * mask).astype(np.int32)
        arrays = {"input_ids": ids * mask, "input_mask": mask, "segment_ids": segments}
        arrays.update(
            label_ids=rng.randint(0, 3, size=(rows, 1)),
            start_positions=rng.randint(0, length, size=(rows, 1)),
            end_positions=rng.randint(0, length, size=(rows, 1)),
        )
        yield {name: array.astype(np.int32) for name, array in arrays.items()}


def theirs(kind, folder, batch, **labels):
    """The outputs of a class of transformers."""
    found, report = kind.from_pretrained(folder, output_loading_info=True)
    assert not [names for names in report.values() if names]
    with torch.no_grad():
        return found.eval()(
            input_ids=torch.tensor(batch["input_ids"]),
            attention_mask=torch.tensor(batch["input_mask"]),
            token_type_ids=torch.tensor(batch["segment_ids"]),
            **{name: torch.tensor(batch[key][:, 0]).long() for name, key in labels.items()},
        )


def our_loss(model, batch):
    objective = model.objective
    losses = objective.losses(model.settings)
    divisors = {name: loss.divisor(batch) for name, loss in losses.items()}
    sums = objective.sums(model.variables, batch, model.config, None, FLOAT32)
    return float(mean_losses(losses, sums, divisors)["loss"])


def test_logits_and_losses_of_a_classifier(classifier):
    source, folder = classifier
    model = load_model(source)
    for seed in range(3):
        for batch in batches(seed):
            other = theirs(
                transformers.BertForSequenceClassification, folder, batch, labels="label_ids"
            )
            tensors = {name: tf.constant(array) for name, array in batch.items()}
            mine = classification.logits(model.variables, tensors, model.config).numpy()
            assert mine.shape == (len(batch["input_ids"]), 3)
            assert mine.std() > 0.01
            assert np.abs(mine - other.logits.numpy()).max() < 1e-5
            assert abs(our_loss(model, tensors) - float(other.loss)) < 1e-5


def test_logits_and_losses_of_a_reader_of_spans(reader):
    source, folder = reader
    model = load_model(source)
    keys = {"start_positions": "start_positions", "end_positions": "end_positions"}
    for seed in range(3):
        for batch in batches(seed):
            other = theirs(transformers.BertForQuestionAnswering, folder, batch, **keys)
            tensors = {name: tf.constant(array) for name, array in batch.items()}
            mine = span.logits(model.variables, tensors, model.config).numpy()
            assert mine[0].std() > 0.01
            assert np.abs(mine[0] - other.start_logits.numpy()).max() < 1e-5
            assert np.abs(mine[1] - other.end_logits.numpy()).max() < 1e-5
            assert abs(our_loss(model, tensors) - float(other.loss)) < 1e-5


def predictions(source, lines):
    model = load_model(source)
    lines_of = TASK_LINES[model.settings.objective]
    return list(TaskPredictor(model, load_tokenizer(source), lines_of)(lines))


def test_the_pipeline_gives_our_labels(classifier):
    source, folder = classifier
    classify = transformers.pipeline("text-classification", model=folder, top_k=None)
    found = predictions(source, [*SENTENCES, *("\t".join(pair) for pair in PAIRS)])
    given = [*SENTENCES, *({"text": first, "text_pair": second} for first, second in PAIRS)]
    for text, mine in zip(given, found):
        answer = classify(text)
        other = answer[0] if isinstance(answer[0], list) else answer
        assert [one["label"] for one in other] == [one["label"] for one in mine["labels"]]
        for theirs_one, ours_one in zip(other, mine["labels"]):
            assert theirs_one["score"] == pytest.approx(ours_one["probability"], rel=1e-3)
    assert len({mine["probability"] for mine in found}) == len(found)


def test_the_code_on_the_card_runs(reader, classifier, capsys):
    for source, folder in (classifier, reader):
        with open(f"{folder}/README.md", encoding="utf-8") as handle:
            code = re.search(r"```python\n(.*?)```", handle.read(), re.S).group(1)
        exec(code.replace("FOLDER_OR_HUB_ID", folder), {})
        printed = capsys.readouterr().out.strip()
        question = load_model(source).objective is load_model(reader[0]).objective
        if question:
            assert printed in "泰山位于山东省中部，主峰海拔1532米。"
        else:
            (mine,) = predictions(source, ["服务很好。"])
            assert mine["result"] in printed


def test_the_logits_of_text_give_our_answer(reader):
    """The answer of `predict`, from the logits that transformers gives for its own tokens."""
    source, folder = reader
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    question = "泰山在哪里？"
    given = tokenizer(question, PARAGRAPH, return_offsets_mapping=True)
    offsets, count = given["offset_mapping"], given["token_type_ids"].index(1)
    names = {"input_mask": "attention_mask", "segment_ids": "token_type_ids"}
    batch = {name: np.array([given[names.get(name, name)]]) for name in ("input_ids", *names)}
    other = theirs(transformers.BertForQuestionAnswering, folder, batch)
    starts, ends = other.start_logits[0].numpy(), other.end_logits[0].numpy()
    best = [sorted(range(len(x)), key=lambda i: -x[i])[:20] for x in (starts, ends)]
    pairs = [
        (starts[a] + ends[b], a, b)
        for a in best[0]
        for b in best[1]
        if count <= a <= b < a + 30 and b < len(starts) - 1
    ]
    _, first, last = max(pairs)
    (mine,) = predictions(source, [f"{question}\t{PARAGRAPH}"])
    assert mine["result"] == PARAGRAPH[offsets[first][0] : offsets[last][1]]
    assert (mine["start"], mine["stop"]) == (offsets[first][0], offsets[last][1])
