"""The table of the forms that models take in other programs, by objective.

It stands here and not in `learning`, since no training needs the names of other programs.
"""

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence

import numpy as np

from pretrain.checkpoint.load import Model
from pretrain.exchange import electra, saved_model
from pretrain.learning import classification, span
from pretrain.learning.objective import ObjectiveSettings
from pretrain.learning.objectives import DEFAULT, DEFAULTS
from pretrain.model.config import BertConfig
from pretrain.model.electra import DISCRIMINATOR_HEAD, GENERATOR, GENERATOR_HEAD
from pretrain.model.heads import MASKED_LM_HEAD, OUTPUT_BIAS, PAIR_CLASSIFIER, POOLER

Weights = Dict[str, np.ndarray]  # by Google's names

OF_BERT = ObjectiveSettings(DEFAULT)  # of a release


class Pipeline(NamedTuple):
    """The shortest use of a model in transformers."""

    task: str  # of transformers and of the hub
    needs: str  # the class that it loads
    code: Sequence[str]  # lines for the model card


class Form(NamedTuple):
    """The form of the models of an objective. Parts are beginnings of Google's names of weights.

    tensors:    weights of the heads, Google's names -> Hugging Face's
    may_lack:   parts that a release may lack -> the consequence for a user
    leaves_out: parts that its class of transformers has no place for -> a sentence for the user
    classes:    class of transformers -> the parts that it needs, the smallest first
    config:     what config.json says of the heads
    of_task:    True if it was fine-tuned: a release keeps its labels, the card says its measures
    signatures: (model, proposals) -> the functions of a SavedModel by name
    halves:     (configuration, weights) -> the models that it is in transformers, by their folders
    """

    tensors: Mapping[str, str]
    may_lack: Mapping[str, str]
    leaves_out: Mapping[str, str]
    classes: Mapping[str, Sequence[str]]
    pipeline: Pipeline
    config: Callable[[ObjectiveSettings], Dict[str, Any]]
    of_task: bool
    signatures: Callable[[Model, int], Mapping[str, saved_model.Function]]
    halves: Callable[[BertConfig, Weights], Mapping[str, electra.Half]] = electra.whole


_PRETRAINED = Form(
    tensors={
        OUTPUT_BIAS: "cls.predictions.bias",
        f"{PAIR_CLASSIFIER}output_weights": "cls.seq_relationship.weight",
        f"{PAIR_CLASSIFIER}output_bias": "cls.seq_relationship.bias",
    },
    may_lack={
        MASKED_LM_HEAD: "no masked LM head: it can neither fill [MASK] nor correct nor be "
        "evaluated; train --init starts a new one",
        PAIR_CLASSIFIER: "no pair head: evaluate needs one; train --init starts a new one",
        POOLER: "no pooler: the pair head and many classifiers read it; train --init starts a new "
        "one",
    },
    leaves_out={},
    classes={
        "BertModel": [POOLER],
        "BertForMaskedLM": [MASKED_LM_HEAD],
        "BertForPreTraining": [POOLER, MASKED_LM_HEAD, PAIR_CLASSIFIER],
    },
    pipeline=Pipeline(
        "fill-mask",
        "BertForMaskedLM",
        [
            "from transformers import pipeline",
            "",
            'fill = pipeline("fill-mask", model="FOLDER_OR_HUB_ID")',
            'print(fill("今天天[MASK]很好。"))',
        ],
    ),
    config=lambda settings: {},
    of_task=False,
    signatures=saved_model.of_proposals,
)


def _labels(settings: ObjectiveSettings) -> Dict[str, Any]:
    """Return the names of the labels as transformers' configuration has them."""
    return {
        "id2label": {str(number): label for number, label in enumerate(settings.labels)},
        "label2id": {label: number for number, label in enumerate(settings.labels)},
        "problem_type": "single_label_classification",
    }


_CLASSIFIER = Form(
    tensors={
        classification.WEIGHTS: "classifier.weight",
        classification.BIAS: "classifier.bias",
    },
    may_lack={},
    leaves_out={},
    classes={"BertModel": [POOLER], "BertForSequenceClassification": [POOLER]},
    pipeline=Pipeline(
        "text-classification",
        "BertForSequenceClassification",
        [
            "from transformers import pipeline",
            "",
            'classify = pipeline("text-classification", model="FOLDER_OR_HUB_ID")',
            'print(classify("服务很好。"))  # of a pair: {"text": "...", "text_pair": "..."}',
        ],
    ),
    config=_labels,
    of_task=True,
    signatures=saved_model.of_labels,
)

_SPAN = Form(
    tensors={span.WEIGHTS: "qa_outputs.weight", span.BIAS: "qa_outputs.bias"},
    may_lack={},
    leaves_out={
        POOLER: "left out: the pooler, which BertForQuestionAnswering has no place for and "
        "fine-tuning on spans does not train"
    },
    classes={"BertModel": [POOLER], "BertForQuestionAnswering": []},
    # transformers 5 has no pipeline for it; the card's code runs with 4 and 5.
    pipeline=Pipeline(
        "question-answering",
        "BertForQuestionAnswering",
        [
            "import torch",
            "from transformers import AutoTokenizer, BertForQuestionAnswering",
            "",
            'name = "FOLDER_OR_HUB_ID"',
            "tokenizer = AutoTokenizer.from_pretrained(name)",
            "model = BertForQuestionAnswering.from_pretrained(name)",
            'question, text = "泰山在哪里？", "泰山位于山东省中部，主峰海拔1532米。"',
            'batch = tokenizer(question, text, return_offsets_mapping=True, return_tensors="pt")',
            'offsets = batch.pop("offset_mapping")[0].tolist()',
            'elsewhere = batch["token_type_ids"][0] == 0  # [CLS] and the question',
            "with torch.no_grad():",
            "    found = model(**batch)",
            'first = found.start_logits[0].masked_fill(elsewhere, float("-inf")).argmax()',
            'last = found.end_logits[0].masked_fill(elsewhere, float("-inf"))[first:-1].argmax()',
            "print(text[offsets[first][0] : offsets[first + last][1]])",
            "",
            "# With transformers 4 alone: "
            'pipeline("question-answering", model=name)(question=question, context=text)',
        ],
    ),
    config=lambda settings: {},
    of_task=True,
    signatures=saved_model.of_spans,
)

_ELECTRA = Form(
    tensors=electra.TENSORS,
    may_lack={
        GENERATOR: "no generator: train --init starts a new one",
        GENERATOR_HEAD: "no head of a generator: train --init starts a new one",
        DISCRIMINATOR_HEAD: "no head of the discriminator: it finds no replaced pieces; train "
        "--init starts a new one",
    },
    leaves_out={},
    classes={
        "ElectraModel": [],
        "ElectraForMaskedLM": [GENERATOR_HEAD],
        "ElectraForPreTraining": [DISCRIMINATOR_HEAD],
    },
    pipeline=Pipeline(
        "feature-extraction",
        "ElectraForPreTraining",
        [
            "import torch",
            "from transformers import AutoTokenizer, ElectraForPreTraining",
            "",
            'name = "FOLDER_OR_HUB_ID"',
            "tokenizer = AutoTokenizer.from_pretrained(name)",
            "discriminator = ElectraForPreTraining.from_pretrained(name)",
            'batch = tokenizer("今天天汽很好。", return_tensors="pt")',
            "with torch.no_grad():",
            "    print(torch.sigmoid(discriminator(**batch).logits))  # that a piece is replaced",
            "",
            "# The generator, which fills [MASK]: "
            'ElectraForMaskedLM.from_pretrained(name, subfolder="generator")',
        ],
    ),
    config=lambda settings: {},
    of_task=False,
    signatures=saved_model.of_replaced,
    halves=electra.halves,
)


def _of_electra(form: Form, name: str, **others: Any) -> Form:
    """Return the form of a task on an ELECTRA, which transformers' class `name` loads."""
    code = [line.replace(form.pipeline.needs, name) for line in form.pipeline.code]
    pipeline = form.pipeline._replace(needs=name, code=code)
    classes: Dict[str, Sequence[str]] = {"ElectraModel": [], name: []}
    return form._replace(pipeline=pipeline, classes=classes, leaves_out={}, **others)


# By the type of the model, then by objective.
_FORMS: Dict[str, Dict[str, Form]] = {
    "bert": {DEFAULT: _PRETRAINED, "classification": _CLASSIFIER, "span": _SPAN},
    "electra": {
        "replaced_tokens": _ELECTRA,
        "classification": _of_electra(
            _CLASSIFIER, "ElectraForSequenceClassification", halves=electra.classifier
        ),
        "span": _of_electra(_SPAN, "ElectraForQuestionAnswering"),
    },
}


def form_of(settings: ObjectiveSettings, model_type: str = BertConfig.model_type) -> Form:
    """Return the form of a model; an objective without an entry has that of pre-training."""
    return _FORMS[model_type].get(settings.objective, _FORMS[model_type][DEFAULTS[model_type]])


def task_tensors() -> List[str]:
    """Return the names of the weights of heads of tasks, Google's and Hugging Face's."""
    pairs = [pair for form in _all_forms() if form.of_task for pair in form.tensors.items()]
    return [name for pair in pairs for name in pair]


def head_names() -> Dict[str, str]:
    """Return Hugging Face's name of each weight of a head whose name follows no rule."""
    return {ours: theirs for form in _all_forms() for ours, theirs in form.tensors.items()}


def _all_forms() -> List[Form]:
    return [form for forms in _FORMS.values() for form in forms.values()]


def loads_as(form: Form, weights: Weights) -> List[str]:
    """Return the classes of transformers that find all their weights, the largest last."""
    found = [
        name
        for name, needed in form.classes.items()
        if all(any(weight.startswith(part) for weight in weights) for part in needed)
    ]
    return found or ["BertModel"]
