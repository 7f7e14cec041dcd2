"""Findings: what a check of a batch found, told in few words out of a Great Expectations result.

The same batch and contract give the same findings: times, ids and tracebacks are left out.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

COLUMNS = "expect_table_columns_to_match_set"
EXAMPLES = 5
WORST = 3


def findings(
    result: Mapping[str, Any], renamed: Mapping[str, str] | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Return what breaks the contract (`failures`) and what it lets pass (`tolerated`).

    A column that is missing, of a wrong type or not to be checked is one failure, not one an
    expectation; what can't be checked because a column is missing is not told again. What an
    expectation lets pass under its `mostly`, or fails with a `severity` below critical, is
    tolerated, and so is a column more.

    Args:
        result: A suite's validation result as JSON values.
        renamed: For missing columns, the column that is likely it under a new name.
    """
    found: dict[str, list[dict[str, Any]]] = {"failures": [], "tolerated": []}
    unchecked: dict[str | None, tuple[str, str]] = {}
    missing: set[str] = set()
    for item in result["results"]:
        config = item["expectation_config"]
        name, column = config["type"], config["kwargs"].get("column")
        grave = not item["success"] and config.get("severity", "critical") == "critical"
        kind = "failures" if grave else "tolerated"
        if message := _exception(item["exception_info"]):
            unchecked.setdefault(column, (name, message))
        elif name == COLUMNS:
            there = set(item["result"].get("observed_value") or ())
            wanted = set(config["kwargs"]["column_set"])
            missing = wanted - there
            found[kind] += [_missing(name, c, renamed or {}) for c in sorted(missing)]
            more = [finding(name, c, "is not in the contract") for c in sorted(there - wanted)]
            found[kind if config["kwargs"].get("exact_match", True) else "tolerated"] += more
        elif not item["success"] or item["result"].get("unexpected_count"):
            found[kind].append(_broken(config, item["result"]))
    told = {failure["column"] for failure in found["failures"]}
    for column, (name, message) in unchecked.items():
        if column not in told and not missing & told:
            found["failures"].append(finding(name, column, f"can't be checked: {message}"))
    return found


def why(failures: Sequence[Mapping[str, Any]], rows: int, expectations: int) -> str:
    """Return one sentence that names the worst failures and their numbers."""
    if not failures:
        return f"{rows:,} rows meet all {expectations} expectations"
    worst = sorted(failures, key=lambda f: -(f["unexpected_percent"] or 101))  # no share: structure
    told = "; ".join(f["note"] for f in worst[:WORST])
    more = f"; and {len(worst) - WORST} more" if len(worst) > WORST else ""
    return f"{told}{more}"


def _missing(expectation: str, column: str, renamed: Mapping[str, str]) -> dict[str, Any]:
    if column not in renamed:
        return finding(expectation, column, "is missing")
    name = renamed[column]
    note = f"is missing; {name} is new and holds values of the same kind: renamed?"
    return finding(expectation, column, note, examples=[name])


def _broken(config: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    name, column = config["type"], config["kwargs"].get("column")
    rule = (config.get("meta") or {}).get("rule") or name
    count = result.get("unexpected_count")
    if count is None or "unexpected_percent" not in result:  # about the column, not its rows
        if "observed_value" not in result:  # core/incoming/privacy.py
            return finding(name, column, f"is not as “{rule}” has it; what was found is withheld")
        observed = result["observed_value"]
        return finding(name, column, f"found {observed}, against “{rule}”", examples=[observed])
    percent, examples = result["unexpected_percent"], _examples(result["partial_unexpected_list"])
    simple = [json.dumps(e, ensure_ascii=False) for e in examples if not isinstance(e, Mapping)]
    such = f", such as {', '.join(simple)}" if simple else ""
    note = f"{count:,} of {result['element_count']:,} ({percent:.3g} %) against “{rule}”{such}"
    return finding(name, column, note, count, percent, examples)


def finding(
    expectation: str,
    column: str | None,
    note: str,
    count: int | None = None,
    percent: float | None = None,
    examples: Sequence[Any] = (),
) -> dict[str, Any]:
    """Return one finding in the shape that reports have."""
    return {
        "expectation": expectation,
        "column": column,
        "unexpected_count": count,
        "unexpected_percent": percent,
        "examples": list(examples),
        "note": f"{column or 'table'}: {note}",
    }


def _examples(values: Sequence[Any]) -> list[Any]:
    """Return the first few distinct values: numbers by size, then all else by its JSON."""
    distinct = {json.dumps(v, sort_keys=True): v for v in values if v is not None}
    numbers = sorted(v for v in distinct.values() if isinstance(v, int | float))
    others = [v for _, v in sorted(distinct.items()) if not isinstance(v, int | float)]
    return [*numbers, *others][:EXAMPLES]


def _exception(info: Mapping[str, Any]) -> str | None:
    """Return in one line what was raised; an expectation may raise once for each of its metrics."""
    raised = [info] if "raised_exception" in info else list(info.values())
    messages = sorted(str(r["exception_message"]) for r in raised if r["raised_exception"])
    return messages[0].splitlines()[0].removeprefix("Error: ") if messages else None
