import threading

import pytest

from tasks.ahead import read_ahead


def test_the_elements_come_in_order():
    with read_ahead(iter(range(100))) as elements:
        assert list(elements) == list(range(100))


def test_what_the_iterator_raises_comes_behind_what_it_gave():
    def broken():
        yield 1
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"), read_ahead(broken()) as elements:
        list(elements)
    with read_ahead(broken()) as elements:
        assert next(elements) == 1
    assert [thread.name for thread in threading.enumerate() if thread.name == "read-ahead"] == []


def test_no_more_is_taken_than_was_allowed():
    given, may_end = [], threading.Event()

    def counted():
        for number in range(100):
            given.append(number)
            if number == 3:
                may_end.set()
            yield number

    with read_ahead(counted(), most=2) as elements:
        next(elements)
        assert may_end.wait(10)
    assert given == [0, 1, 2, 3]


def test_a_block_that_is_left_early_leaves_no_thread():
    with read_ahead(iter(range(1000))) as elements:
        assert next(elements) == 0
    assert [thread.name for thread in threading.enumerate() if thread.name == "read-ahead"] == []
