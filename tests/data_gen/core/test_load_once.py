from data_gen.core.load_once import keep_last


def test_the_last_result_is_kept_for_equal_arguments():
    loaded = []

    @keep_last
    def load(settings, name):
        loaded.append((settings, name))
        return object()

    first = load([1], "a")
    assert load([1], "a") is first  # arguments that cannot be hashed are compared
    assert load([1], "b") is not first
    assert load([1], "a") is not first  # no more than one is kept
    assert loaded == [([1], "a"), ([1], "b"), ([1], "a")]
