"""Features and n-best answers are Google's; see tests/golden/README.md."""

import hashlib
import json
import os

import numpy as np
import pytest

from pretrain.finetune.encode_questions import encode_questions
from pretrain.finetune.encode_texts import encode_texts
from pretrain.finetune.spans import span_predictions
from pretrain.tasks.examples import Question, TextExample
from tests.pretrain.finetune.helpers import finetune_settings

N_BEST, MAX_ANSWER_LENGTH = 20, 30


@pytest.fixture(scope="module")
def google():
    path = os.environ.get("GOOGLE_FEATURES", "tests/golden/google_features.json")
    with open(path, encoding="utf-8") as handle:
        return json.load(handle)


@pytest.fixture(scope="module")
def tokenizer():
    pytest.importorskip("tokenizers")
    from data_gen.tokenization.wordpiece import load_wordpiece

    return load_wordpiece("configs/vocab/bert_base_chinese.txt", None, True)


def join(google, numbers):
    return "".join(google["texts"][number] for number in numbers)


def digest(row, length):
    """The first digits of the sha256 of a row's ids, mask and segments, as the JSON has them."""
    pieces = len(row.ids)
    padding = [0] * (length - pieces)
    segments = [0] * row.first + [1] * (pieces - row.first)
    lists = [row.ids + padding, [1] * pieces + padding, segments + padding]
    return hashlib.sha256(json.dumps(lists).encode()).hexdigest()[:12]


def ranges(flags):
    return np.flatnonzero(np.diff([False, *flags, False])).reshape(-1, 2).tolist()


def test_texts_and_pairs_are_googles(google, tokenizer):
    different = []
    for case in google["pairs"]:
        length = case["max_seq_length"]
        label = "ab"[case["row"][1]]
        second = case["second"] and join(google, case["second"])
        example = TextExample("", join(google, case["text"]), second, label)
        settings = finetune_settings(max_seq_length=length)
        (row,) = encode_texts(tokenizer, [example], ["a", "b"], settings)
        if [digest(row, length), row.targets["label_ids"]] != case["row"]:
            different.append(case)
    assert len(google["pairs"]) > 200
    assert different == []


def question_of(google, case):
    context, (start, size) = join(google, case["context"]), case["answer"]
    answers = (context[start : start + size],)
    return Question("", join(google, case["question"]), context, answers, start)


def settings_of(case):
    length, stride, most = case["settings"]
    return finetune_settings(
        max_seq_length=length,
        doc_stride=stride,
        max_query_length=most,
        n_best=N_BEST,
        max_answer_length=MAX_ANSWER_LENGTH,
    )


def test_windows_and_answers_are_googles(google, tokenizer):
    """The windows, the best one of each piece, the positions of the answer in each."""
    different, windows = [], 0
    for case in google["questions"]:
        settings = settings_of(case)
        rows = list(encode_questions(tokenizer, [question_of(google, case)], [], settings))
        windows += len(rows)
        found = [
            [
                digest(row, settings.max_seq_length),
                row.targets["start_positions"],
                row.targets["end_positions"],
                ranges(row.place["best"]),
            ]
            for row in rows
        ]
        if found != case["rows"]:
            different.append((question_of(google, case), found, case["rows"]))
    assert windows > 1000
    assert different == []


def logits_of(number, window, length, pieces):
    """Random logits as google_features.py gave them to run_squad.py."""
    rng = np.random.RandomState(1000 * number + window)
    logits = rng.normal(0, 3, [2, length]).astype(np.float32)
    logits[:, pieces:] = -100
    return logits


def test_n_best_answers_are_googles(google, tokenizer):
    """From random logits of all windows. Texts are compared without spaces: for Google each Chinese
    character is a word of its own.
    """
    different = []
    for number, case in enumerate(google["questions"]):
        question, settings = question_of(google, case), settings_of(case)
        rows = list(encode_questions(tokenizer, [question], [], settings))
        places = [{"example": 0, "pieces": len(row.ids), **row.place} for row in rows]
        scores = [
            logits_of(number, i, settings.max_seq_length, place["pieces"])
            for i, place in enumerate(places)
        ]
        (found,) = span_predictions(scores, places, [question], [], settings)
        best = [["".join(x["text"].split()), x["probability"]] for x in found["nbest"]]
        expected = case["n_best"]
        best = best[: len(expected)]
        if best != [[text, pytest.approx(share, abs=2e-6)] for text, share in expected]:
            different.append((number, best, expected))
    assert different == []
