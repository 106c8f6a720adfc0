from pretrain.tasks.published import PUBLISHED, rows


def test_rows_of_the_paper():
    base = rows("cmrc2018", 12, 768)
    assert list(base) == [
        *("BERT", "BERT-wwm", "BERT-wwm-ext", "RoBERTa-wwm-ext", "ELECTRA-base", "MacBERT-base"),
    ]
    assert base["MacBERT-base"] == {"exact_match": (73.2, 72.4), "f1": (89.5, 89.2)}
    large = rows("bq", 24, 1024)
    assert list(large) == ["ELECTRA-large", "RoBERTa-wwm-ext-large", "MacBERT-large"]
    assert large["MacBERT-large"] == {"accuracy": (85.6, 85.0)}
    assert rows("drcd", 12, 768)["BERT"] == {"exact_match": (82.2, 81.6), "f1": (89.2, 88.8)}
    assert rows("lcqmc", 12, 768)["BERT"] == {"accuracy": (86.9, 86.4)}


def test_rows_of_small_models_are_maxima():
    assert rows("chnsenticorp", 3, 768) == {"RBT3": {"accuracy": (92.8, None)}}
    assert rows("xnli", 3, 768) == {"RBT3": {"accuracy": (72.3, None)}}
    assert rows("drcd", 3, 1024) == {"RBTL3": {"exact_match": (77.2, None), "f1": (85.6, None)}}
    assert rows("bq", 6, 768) == {"RBT6": {"accuracy": (84.2, None)}}


def test_no_rows():
    assert rows("cmrc2018", 4, 256) == {}
    assert rows("tnews", 12, 768) == {}


def test_every_row_is_whole():
    assert set(PUBLISHED) == {"cmrc2018", "drcd", "xnli", "chnsenticorp", "lcqmc", "bq"}
    for models in PUBLISHED.values():
        assert len(models) == 13
        for measures in models.values():
            for best, mean in measures.values():
                assert 60 < best < 100
                assert mean is None or best - 2 <= mean <= best
