import inspect

from schemas import errors


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass)]
    drawn = [line for line in (errors.__doc__ or "").splitlines() if "Error" in line and "`" not in line]
    names = [word for line in drawn for word in line.split() if word.endswith("Error")]
    assert sorted(names) == sorted(c.__name__ for c in classes)
    for line in drawn[1:]:
        name = next(word for word in line.split() if word.endswith("Error"))
        depth = line.index(name) // 4 - 1
        assert len(inspect.getmro(getattr(errors, name))) - len(inspect.getmro(errors.LadingError)) == depth
