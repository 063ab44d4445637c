from acmx.domain.acm1 import FieldChange
from acmx.domain.changes import changes


def test_each_leaf_that_differs_is_named_by_its_path():
    old = {"services": ["mcptt", "mcdata"], "id": {"kms": "a", "hplmn": {"plmn": "1"}}, "n": 1, "same": "x"}
    new = {"services": ["mcptt"], "id": {"kms": "b", "lms": "c", "hplmn": None}, "n": 2, "same": "x"}
    assert changes(old, new) == (
        FieldChange("services", ["mcptt", "mcdata"], ["mcptt"]),
        FieldChange("id.kms", ["a"], ["b"]),
        FieldChange("id.lms", [], ["c"]),
        FieldChange("n", ["1"], ["2"]),
        FieldChange("id.hplmn.plmn", ["1"], []),
    )


def test_objects_in_a_list_are_counted_and_truth_is_that_of_json():
    old = {"slices": [{"sst": 1}, {"sst": 2}], "mutual": True, "empty": []}
    new = {"slices": [{"sst": 1}], "mutual": False}
    assert changes(old, new) == (
        FieldChange("mutual", ["true"], ["false"]),
        FieldChange("slices[2].sst", ["2"], []),
    )


def test_what_is_alike_has_none():
    assert changes({"a": (1, 2), "b": None}, {"a": [1, 2]}) == ()
