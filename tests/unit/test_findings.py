"""What is told of a Great Expectations result, on results written by hand."""

from typing import Any

from perennial.core.incoming.findings import findings, why

QUIET = {"raised_exception": False, "exception_message": None}


def item(
    kind: str = "expect_column_values_to_be_in_set",
    success: bool = False,
    result: dict[str, Any] | None = None,
    info: dict[str, Any] | None = None,
    kwargs: dict[str, Any] | None = None,
    **config: Any,
) -> dict[str, Any]:
    return {
        "success": success,
        "expectation_config": {"type": kind, "kwargs": kwargs or {"column": "c"}, **config},
        "result": result or {},
        "exception_info": info or QUIET,
    }


def broken(values: list[Any], count: int = 3, total: int = 10) -> dict[str, Any]:
    share = 100 * count / total
    return {
        "element_count": total,
        "unexpected_count": count,
        "unexpected_percent": share,
        "partial_unexpected_list": values,
    }


def raised(message: str) -> dict[str, Any]:
    return {"raised_exception": True, "exception_message": message}


def columns(
    there: str, wanted: str, success: bool, exact: bool = False, **config: Any
) -> dict[str, Any]:
    return item(
        "expect_table_columns_to_match_set",
        success,
        {"observed_value": list(there)},
        kwargs={"column_set": list(wanted), "exact_match": exact},
        **config,
    )


def test_examples_are_few_distinct_sorted_and_without_nulls() -> None:
    result = {"results": [item(result=broken([10, "b", 9, None, 9, "a", 1.5, 2, 3]))]}
    assert findings(result)["failures"][0]["examples"] == [1.5, 2, 3, 9, 10]


def test_a_failure_of_less_than_critical_severity_is_tolerated() -> None:
    found = findings({"results": [item(result=broken(["x"]), severity="warning")]})
    assert found["failures"] == []
    assert found["tolerated"][0]["unexpected_count"] == 3


def test_what_raises_fails_whatever_its_severity() -> None:
    info = {"metric a": raised("Error: second"), "metric b": raised("Error: first\nat line 3")}
    found = findings({"results": [item(info=info, severity="warning")]})
    assert [f["note"] for f in found["failures"]] == ["c: can't be checked: first"]


def test_a_missing_column_is_told_once_and_hides_what_follows_from_it() -> None:
    gone = item(info=raised("no column c"))
    found = findings({"results": [gone, columns("ab", "abc", success=False), gone]})
    assert [f["note"] for f in found["failures"]] == ["c: is missing"]


def test_a_missing_column_that_is_only_warned_of_still_fails_what_needs_it() -> None:
    gone = item(info=raised("no column c"))
    warned = columns("ab", "abc", success=False, severity="warning")
    found = findings({"results": [warned, gone]})
    assert [f["note"] for f in found["failures"]] == ["c: can't be checked: no column c"]


def test_a_column_more_is_tolerated_unless_the_contract_is_exact() -> None:
    loose = findings({"results": [columns("abc", "ab", success=True)]})
    exact = findings({"results": [columns("abc", "ab", success=False, exact=True)]})
    assert [f["column"] for f in loose["tolerated"]] == ["c"]
    assert [f["column"] for f in exact["failures"]] == ["c"]


def test_a_rule_in_words_is_preferred_to_the_expectation_s_name() -> None:
    named = item(result=broken(["x"]))
    ruled = item(result=broken(["x"]), meta={"rule": "c is y"})
    first, second = findings({"results": [named, ruled]})["failures"]
    assert first["note"].endswith('against “expect_column_values_to_be_in_set”, such as "x"')
    assert second["note"] == 'c: 3 of 10 (30 %) against “c is y”, such as "x"'


def test_why_names_structure_first_then_the_largest_shares() -> None:
    shares = [item(result=broken(["x"], count), meta={"rule": "r"}) for count in (1, 9, 5)]
    failures = findings({"results": [*shares, columns("a", "ab", success=False)]})["failures"]
    told = why(failures, 10, 4)
    assert told.startswith("b: is missing; c: 9 of 10")
    assert told.endswith("; and 1 more")
    assert why([], 1234, 4) == "1,234 rows meet all 4 expectations"
