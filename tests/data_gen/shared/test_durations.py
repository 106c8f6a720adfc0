import pytest

from data_gen.shared.durations import duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        *((0, "0 s"), (0.0078, "0.0078 s"), (5, "5 s"), (119, "119 s"), (150, "2.5 min")),
        *((9000, "2.5 h"), (3e5, "3.47 days"), (1e8, "1,157 days")),
    ],
)
def test_times_in_words(seconds, said):
    assert duration(seconds) == said
