"""Hold the CMRC metric against the official script with NLTK, and write cmrc_metric.json.

    python tests/golden/cmrc_metric.py OFFICIAL_SCRIPT NLTK_DATA OUTPUT.json DATASET.json...

Random pairs of hostile kinds and real answers are compared: tokens with marks and without, exact
match and F1. Prints the differences and ends with 1 if there is one. README.md says more.
"""

import collections
import functools
import importlib.util
import json
import random
import sys
import unicodedata

import nltk

sys.path.insert(0, ".")

from pretrain.tasks.cmrc.metric import mixed_segmentation, score

PAIRS_OF_A_KIND = 10000
STORED_OF_A_KIND = 26
HAN = "中国的一是在人有我他这为之大来以个地时要就出会可也你对生能而子那得于着下自行"
MARKS = "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』"
WORDS_TEXT = """
    the of and a in to is bmw nba windows iphone x σίσυφος straße ſs ıİ ǆ ph.d u.s u.s.a mr
    mrs dr st inc co corp ltd no vs etc e.g i.e a.m p.m jan sept b.b j.k t.j administrators
"""
WORDS = WORDS_TEXT.split()
AFTER_TEXT = """
    business cooper who review smith wigton edelman magnin fialka walter ludcke pay-fone
    b-week administrators the zimmer rj
"""
AFTER = AFTER_TEXT.split()
CONTRACTIONS_TEXT = """
    don't can't i'm you're they'll we've he'd it's 'tis 'twas 't cannot gimme gonna gotta
    lemme more'n wanna d'ye 'em 'n' rock'n'roll y'all o'clock 'round ain't dogs' 'ſ 're 'ready
    'sx 'll whaddya whatcha gımme 'tıs
"""
CONTRACTIONS = CONTRACTIONS_TEXT.split()
SPACES = " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680"
SPACES += "\u2002\u2009\u2028\u2029\u202f\u205f\u3000\u200b\u200d"
RARE = "㐀㐁䶵𠀀𪚥〇々〆ヶ\uf900\uf901\uf907\ufa11\u9fa4\u9fa5\u9fa6一\u2f00⺀"
RARE += "①②²½Ⅷⓐ１２ＡＢａ．，％＂＇｡､カな한"
CASELESS = "ℂℍ𝐀𝔸ϒⒶǅß\u212a\u0301\u0308\u20e3\u200c\u200dªºʰ٣۴"
ASSIGNED = [
    c for c in map(chr, range(0x30000)) if unicodedata.category(c) not in ("Cn", "Cs", "Co")
]


def some(rng, alphabet, longest, between=""):
    return between.join(rng.choice(alphabet) for _ in range(rng.randint(0, longest)))


def number(rng):
    forms = (
        "{0} {0}. {0}.{1} {0},{1} {0}% {0}.{1}% {0}-{1} {0}:{1} ${0} {0}/{1} {0}°c .{0} {0}.. -{0}."
    )
    return rng.choice(forms.split()).format(rng.randint(0, 3000), rng.randint(0, 99))


def initial(rng):
    first = rng.choice([*"abijotxé中①²ⓐ〇_1", "10", "3.5", "ph.d", "no", "mr", "a.b", "1-2", "ℂ"])
    return f"{first}.{rng.choice([' ', ' ', '  ', '', '@'])}{rng.choice(AFTER)}{rng.choice(' .,')}"


# How one piece of a kind is made; a text is up to 8 pieces.
KINDS = {
    "Chinese": lambda rng: some(rng, HAN + MARKS, 8),
    "Latin": lambda rng: rng.choice(WORDS) + rng.choice(["", "", ".", ",", ". ", "; ", "? ", "!"]),
    "numbers": number,
    "quotes": lambda rng: some(rng, "\"\"'''“”‘’«»„‚`ab .,?中", 7),
    "contractions": lambda rng: (
        rng.choice(CONTRACTIONS) + rng.choice([" ", " ", "", ".", ", ", "中"])
    ),
    "rare": lambda rng: some(rng, RARE + "a. '中", 6),
    "marks": lambda rng: some(rng, MARKS + "…", 6),
    "dots": lambda rng: some(rng, [".", ".", "..", "...", ". . .", " ", "a", "…", "?"], 6),
    "initials": initial,
    "brackets": lambda rng: some(rng, "()[]{}<>（）a1.?! '\"»", 8),
    "dashes": lambda rng: some(
        rng, ["--", "__", "—", "——", "–", "―", "‐", "-", "a", "1", " ", "."], 6
    ),
    "spaces": lambda rng: some(rng, SPACES + "ab.中'\"?!,", 8),
    "caseless": lambda rng: some(rng, CASELESS + "a.'  s中", 7),
    "soup": lambda rng: some(rng, "'\"., ?!)a1sn", 12),
    "any character": lambda rng: (
        some(rng, ASSIGNED, 3) + some(rng, "'. ", 2) + some(rng, ASSIGNED, 2)
    ),
}
KINDS["mixed"] = lambda rng: rng.choice([make for name, make in KINDS.items() if name != "mixed"])(
    rng
)


def changed(text, rng, foreign):
    """A text with a piece cut out, put in, said twice or taken alone."""
    start, stop = sorted(rng.randint(0, len(text)) for _ in range(2))
    return rng.choice(
        [
            text,
            text[start:stop],
            text[:start] + text[stop:],
            text[:start] + foreign + text[start:],
            text[:stop] + text[start:],
            foreign,
            text.swapcase(),
            "",
        ]
    )


def random_pairs(kind, make, count):
    """Yield (prediction, answers) of a kind."""
    rng = random.Random(f"cmrc metric/{kind}")
    for _ in range(count):
        texts = [
            rng.choice(["", "", " "]).join(make(rng) for _ in range(rng.randint(1, 8)))
            for _ in range(rng.randint(1, 3))
        ]
        yield changed(texts[0], rng, make(rng)), texts


def real_pairs(path):
    """Yield each answer against its own answers, and a change of it against them."""
    rng = random.Random("cmrc metric/real")
    with open(path, encoding="utf-8") as handle:
        paragraphs = [p for entry in json.load(handle)["data"] for p in entry["paragraphs"]]
    for paragraph in paragraphs:
        for question in paragraph["qas"]:
            answers = [answer["text"] for answer in question["answers"]]
            start = max(0, paragraph["context"].find(answers[0]) - rng.randint(0, 20))
            window = paragraph["context"][start : start + len(answers[0]) + rng.randint(0, 40)]
            yield answers[-1], answers
            yield window, answers
            yield changed(answers[0], rng, window), answers


def official_result(script, prediction, answers):
    """[EM, F1, tokens of the prediction, of the answers, of the prediction with its marks]."""
    return [
        float(script.calc_em_score(answers, prediction)),
        float(script.calc_f1_score(answers, prediction)),
        script.mixed_segmentation(prediction, rm_punc=True),
        [script.mixed_segmentation(answer, rm_punc=True) for answer in answers],
        script.mixed_segmentation(prediction, rm_punc=False),
    ]


def our_result(prediction, answers):
    return [
        *score(prediction, answers),
        mixed_segmentation(prediction),
        [mixed_segmentation(answer) for answer in answers],
        mixed_segmentation(prediction, rm_punc=False),
    ]


def compare(script, kind, pairs, stored):
    """Compare all pairs of a kind, print how many differ, and keep some of them."""
    differences = count = 0
    sample = collections.defaultdict(list)  # so that all of 0, 1 and between are among them
    for prediction, answers in pairs:
        count += 1
        official = official_result(script, prediction, answers)
        if our_result(prediction, answers) != official:
            differences += 1
            if differences <= 5:
                print(
                    repr(prediction), answers, official, our_result(prediction, answers), sep="\n "
                )
        if len(prediction) < 40 and len(answers) < 3:
            sample[official[0], (official[1] > 0) + (official[1] == 1)].append(
                [prediction, answers, *official]
            )
    # Python 3.7 does not know all characters that newer ones do.
    if kind in KINDS and kind != "any character":
        most = max(map(len, sample.values()))
        turns = [group[i] for i in range(most) for group in sample.values() if i < len(group)]
        stored[kind] = turns[:STORED_OF_A_KIND]
    print(f"{kind}: {count} pairs, {differences} differ", flush=True)
    return differences


def main(official_script, nltk_data, output, *datasets):
    nltk.data.path[:] = [nltk_data]
    nltk.word_tokenize = functools.lru_cache(maxsize=1000)(
        nltk.word_tokenize
    )  # asked again and again
    spec = importlib.util.spec_from_file_location("official", official_script)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    print(f"NLTK {nltk.__version__}, Python {sys.version.split()[0]}")
    stored = {}
    differences = sum(
        compare(script, kind, random_pairs(kind, make, PAIRS_OF_A_KIND), stored)
        for kind, make in KINDS.items()
    )
    differences += sum(
        compare(script, path.split("/")[-1], real_pairs(path), stored) for path in datasets
    )
    if not differences:
        with open(output, "w", encoding="utf-8") as handle:
            lines = (
                f" {json.dumps(kind)}: [\n  "
                + ",\n  ".join(json.dumps(pair) for pair in pairs)
                + "\n ]"
                for kind, pairs in stored.items()
            )
            handle.write("{\n" + ",\n".join(lines) + "\n}\n")
    return int(differences > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
