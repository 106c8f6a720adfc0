"""A short campaign; `python -m tests.campaigns.readers --minutes 20` is a long one."""

from tests.campaigns.readers import campaign


def test_random_files_are_read_or_refused():
    campaign(number=0, examples=150)
