"""Make features and n-best answers with google-research/bert and keep them for our tests.

    python tests/golden/google_features.py GOOGLE_BERT OUTPUT.json [DATASET.json...]

The texts are joined of the sentences below and of tests/data/text.txt, or are those of data sets in
the form of SQuAD. README.md says more.
"""

import hashlib
import json
import os
import random
import sys
import tempfile

import numpy as np
import tensorflow as tf

google, output, *datasets = sys.argv[1:]
sys.argv = sys.argv[:1]  # its flags are not for us
sys.path.insert(0, google)

import run_classifier  # noqa: E402

# Both scripts define flags of the same names.
tf.flags.FLAGS.remove_flag_values(list(tf.flags.FLAGS))

import run_squad  # noqa: E402
import tokenization  # noqa: E402

tf.flags.FLAGS(sys.argv)

SETTINGS = [(48, 16, 16), (64, 24, 20), (40, 7, 12), (128, 128, 64), (96, 200, 30), (384, 128, 64)]
N_BEST, MAX_ANSWER_LENGTH, KEPT = 20, 30, 5
SENTENCES = """
圖書館三樓收藏舊報紙，最早的一份印於1908年。
陸特與漢斯教授在歐洲講授梵語，後來回到臺灣。
他說：「這條鐵路全長三百二十公里，沿途有四十七座橋。」
Ｃ罗和Ｎ Ｂ Ａ的球星都到了现场，门票售价１２８元。
Café Müller的老板José每周三休息，电话是010-62281234。
2008年8月8日晚8时，气温23.5℃，湿度86%，约9.1万名观众到场。
iPhone 4S、Windows XP和ω-force都是商标（见附录B）。
他读完了《红楼梦》——共一百二十回——只用了9天！
The Chinese name of the journal is 《自然》, founded in 1869.
价格从￥1,299.00降到￥999，降幅为23.1%。
“好”的反义词是什么？有人说是“坏”，有人说不是…
电子邮件请寄zhang.san@example.com，网址为http://example.com/a?b=1&c=2。
𠀀𪚥是两个罕用字，㐀也是。
作者署名Émile Zola，译者不详。
internationalization缩写为i18n，antidisestablishmentarianism没有缩写。
"""


def invented_texts():
    with open("tests/data/text.txt", encoding="utf-8") as handle:
        return [line.strip() for line in [*SENTENCES.split("\n"), *handle] if line.strip()]


def words_of(text):
    """Return the words that Google's tokenizer makes of a text, and of each character the number of
    its word: Chinese characters and marks stand alone, as in HFL's script for CMRC 2018.
    """
    basic = tokenization.BasicTokenizer()
    words, numbers, inside = [], [], False
    for character in text:
        alone = basic._is_chinese_char(ord(character)) or tokenization._is_punctuation(character)
        if tokenization._is_whitespace(character):
            inside = False
        elif inside and not alone:
            words[-1] += character
        else:
            words.append(character)
            inside = not alone
        numbers.append(len(words) - 1)
    return words, numbers


def invented_cases(texts):
    """Yield (question, context, first character of the answer, its length); texts as lists of
    indices.
    """
    rng = random.Random("google features")
    for number in range(150):
        question = rng.sample(range(len(texts)), 1 + (number % 9 == 0))
        context = [rng.randrange(len(texts)) for _ in range(rng.randint(1, 4 + number % 30))]
        text = "".join(texts[i] for i in context)
        words, numbers = words_of(text)
        first = rng.randrange(len(words))
        last = min(len(words) - 1, first + rng.choice([0, 1, 2, 3, 5, 8, 13, 40]))
        start = numbers.index(first)
        stop = max(i for i, n in enumerate(numbers) if n == last and text[i].strip()) + 1
        yield question, context, start, stop - start


def real_cases(paths, texts):
    """Yield the same of data sets; their texts are appended to `texts`."""
    for path in paths:
        with open(path, encoding="utf-8") as handle:
            paragraphs = [p for entry in json.load(handle)["data"] for p in entry["paragraphs"]]
        for paragraph in paragraphs:
            context = paragraph["context"]
            texts.append(context)
            place = len(texts) - 1
            for entry in paragraph["qas"]:
                answer = entry["answers"][0]
                start, text = answer["answer_start"], answer["text"]
                if context[start : start + len(text)] == text and text == text.strip():
                    texts.append(entry["question"])
                    yield [len(texts) - 1], [place], start, len(text)


def digest(*lists):
    return hashlib.sha256(json.dumps(lists).encode()).hexdigest()[:12]


def ranges(flags):
    """Return the half-open ranges in which a list is true."""
    bounds = np.flatnonzero(np.diff([False, *flags, False])).tolist()
    return list(zip(bounds[::2], bounds[1::2]))


def logits_of(number, window, length, pieces):
    """Return random logits [2, length]; low for padding, as trained models give."""
    rng = np.random.RandomState(1000 * number + window)
    logits = rng.normal(0, 3, [2, length]).astype(np.float32)
    logits[:, pieces:] = -100
    return logits


def row_of(feature):
    first = feature.tokens.index("[SEP]") + 1
    flags = [feature.token_is_max_context[i] for i in range(first, len(feature.tokens) - 1)]
    ids = digest(feature.input_ids, feature.input_mask, feature.segment_ids)
    return [ids, feature.start_position, feature.end_position, ranges(flags)]


def n_best(number, example, features, length):
    """Return the KEPT best of run_squad.py's n-best answers to random logits."""
    results = [
        run_squad.RawResult(f.unique_id, *logits_of(number, i, length, len(f.tokens)).tolist())
        for i, f in enumerate(features)
    ]
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in "abc"]
        for feature in features:
            feature.example_index = 0
        run_squad.write_predictions(
            [example], features, results, N_BEST, MAX_ANSWER_LENGTH, True, *paths
        )
        with open(paths[1]) as handle:
            (found,) = json.load(handle).values()
    # Chinese characters are words here, so its text has spaces between them.
    return [["".join(x["text"].split()), round(x["probability"], 6)] for x in found[:KEPT]]


def question_case(number, case, tokenizer, texts):
    question, context, start, size = case
    words, numbers = words_of("".join(texts[i] for i in context))
    answer = "".join(texts[i] for i in context)[start : start + size]
    length, stride, most = SETTINGS[number % len(SETTINGS)]
    example = run_squad.SquadExample(
        str(number),
        "".join(texts[i] for i in question),
        words,
        answer,
        numbers[start],
        numbers[start + size - 1],
    )
    features = []
    run_squad.convert_examples_to_features(
        [example], tokenizer, length, stride, most, True, features.append
    )
    return {
        "question": question,
        "context": context,
        "answer": [start, size],
        "settings": [length, stride, most],
        "rows": [row_of(feature) for feature in features],
        "n_best": n_best(number, example, features, length),
    }


def text_case(number, case, tokenizer, texts):
    """The question, with the context in every second case, as a text to classify."""
    second = case[1] if number % 2 else None
    length = SETTINGS[number % len(SETTINGS)][0]
    example = run_classifier.InputExample(
        guid="",
        text_a="".join(texts[i] for i in case[0]),
        text_b=second and "".join(texts[i] for i in second),
        label="ab"[number % 2],
    )
    found = run_classifier.convert_single_example(10, example, ["a", "b"], length, tokenizer)
    row = [digest(found.input_ids, found.input_mask, found.segment_ids), found.label_id]
    return {"text": case[0], "second": second, "max_seq_length": length, "row": row}


def main():
    tokenizer = tokenization.FullTokenizer("configs/vocab/bert_base_chinese.txt")
    texts = [] if datasets else invented_texts()
    cases = list(real_cases(datasets, texts) if datasets else invented_cases(texts))
    # The contexts with one another, too, so that both texts of a pair are long.
    pairs = [*cases, *((c[1], d[1]) for c, d in zip(cases, cases[1:]))]
    parts = {
        "texts": texts,
        "questions": [question_case(i, c, tokenizer, texts) for i, c in enumerate(cases)],
        "pairs": [text_case(i, c, tokenizer, texts) for i, c in enumerate(pairs)],
    }
    with open(output, "w", encoding="utf-8") as handle:
        handle.write("{\n")
        for name, items in parts.items():
            lines = ",\n".join(
                json.dumps(item, ensure_ascii=False, separators=(",", ":")) for item in items
            )
            handle.write(f'"{name}": [\n{lines}\n]{"," if name != "pairs" else ""}\n')
        handle.write("}\n")
    rows = sum(len(case["rows"]) for case in parts["questions"])
    print(f"{len(cases)} questions, {rows} rows, {len(pairs)} texts and pairs")


main()
