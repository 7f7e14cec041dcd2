"""Great Expectations: a batch checked against the contract, and the Data Docs of all checks.

The only file that imports great_expectations, and only where a batch is checked or pages are
drawn: the import takes seconds. What a check found is told by core/incoming/findings.py.
"""

import copy
import datetime
import difflib
import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perennial.adapters import files
from perennial.core.incoming import joining, privacy
from perennial.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

REMEDY = "Correct the file; docs/faults-of-data.md says how it is read, and Git has what shipped."
KEPT = "3"  # raised where what is kept of a check changes, so that older ones are made again
# Data Docs take looks, scripts and a logo from servers elsewhere. A page about somebody's data asks
# nobody for anything, so they are shut out, and this makes the pages legible without.
SHUT = """<meta http-equiv="Content-Security-Policy"
content="default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file: data:">"""
STYLE = """<style>
body {font: 15px/1.5 sans-serif; max-width: 75em; margin: 1em auto; padding: 0 1em}
footer, button, img[alt="Great Expectations"], a[href="#"] {display: none}
table {border-collapse: collapse}
th, td {border: 1px solid #ddd; padding: 4px 10px; text-align: left; vertical-align: top}
.alert {border-bottom: 2px solid #999; margin-top: 1em} .badge {background: #eee; color: #222}
.ge-navigation-sidebar-content li {display: inline-block; margin-right: 1em}
.fa-check-circle::before {content: "✓"; color: green; font-style: normal}
.fa-times::before, .fa-exclamation-triangle::before {content: "✗"; color: red; font-style: normal}
.index > :not(main) {display: none}
body:has(#option2:checked) tr:has(.fa-check-circle) {display: none}
</style>"""


@dataclass(frozen=True)
class Contract:
    """A suite file that was read, and not yet checked against what Great Expectations knows."""

    path: Path
    content: Mapping[str, Any]
    sha256: str

    def key(self, period: str, batch_sha256: str, pii: Sequence[str] = ()) -> str:
        """Return what names one check: another batch, contract or version is another check, and
        so is one that keeps other columns' values to itself."""
        gx = version("great_expectations")
        return files.digest_of(KEPT, period, batch_sha256, self.sha256, gx, *sorted(pii))

    @property
    def expectations(self) -> list[dict[str, Any]]:
        """The suite's expectations, as its file has them."""
        return list(self.content["expectations"])


def load(path: Path) -> Contract:
    """Read a suite.

    Raises:
        InputError: the file is missing, is no JSON, or is no suite that expects anything.
    """
    content = files.read_json(path, REMEDY)
    expected = content.get("expectations")
    if not isinstance(content.get("name"), str) or not isinstance(expected, list) or not expected:
        raise InputError(f"{path}: no suite: it needs `name` and a list `expectations`", REMEDY)
    faults = [
        f"{path}: expectation {n} needs `type` and `kwargs`"
        for n, item in enumerate(expected, start=1)
        if not isinstance(item, dict) or not {"type", "kwargs"} <= item.keys()
    ]
    if faults:
        raise InputError(faults, REMEDY)
    return Contract(path, content, files.sha256(path))


def without(contract: Contract, column: str) -> Contract:
    """Return a contract as it is where a column has not come yet."""
    expected = joining.without(contract.expectations, column)
    content = {**contract.content, "expectations": expected}
    return Contract(contract.path, content, files.digest_of(contract.sha256, "without", column))


class Checker:
    """Great Expectations, imported and holding one suite.

    Raises:
        InputError: the suite names expectations or arguments that do not exist; all are named.
    """

    def __init__(self, contract: Contract, pii: Sequence[str] = ()) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at import: nothing is sent anywhere
        import great_expectations as gx

        # it logs tracebacks of what its results tell anyway
        logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
        self._gx = gx
        self.contract, self._pii = contract, pii
        self._name = str(contract.content["name"])
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False}
        self._suite = self._context.suites.add(self._checked_suite())
        self._source = self._context.data_sources.add_pandas("batches")

    def check(self, period: str, batch: "pd.DataFrame") -> dict[str, Any]:
        """Run the batch's Checkpoint and return Great Expectations' own result as JSON values.

        Of columns that say who somebody is, it has counts only.
        """
        asset = self._source.add_dataframe_asset(period)
        data = asset.add_batch_definition_whole_dataframe(period)
        definition = self._gx.ValidationDefinition(name=period, data=data, suite=self._suite)
        checkpoint = self._gx.Checkpoint(
            name=period,
            validation_definitions=[self._context.validation_definitions.add(definition)],
            result_format="SUMMARY",
        )
        now = datetime.datetime.now(datetime.UTC)  # left out, it is guessed from the name
        result = self._context.checkpoints.add(checkpoint).run(
            batch_parameters={"dataframe": batch},
            run_id=self._gx.RunIdentifier(run_name=period, run_time=now),
        )
        (validation,) = result.run_results.values()
        found = files.json_bytes(privacy.withhold(validation.to_json_dict(), self._pii))
        return dict(json.loads(found))  # as it will be when read back, infinities gone

    def write_data_docs(self, results: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
        """Write Data Docs of exactly these results, by period, in place of what `folder` has."""
        from great_expectations.core import expectation_validation_result as results_
        from great_expectations.data_context.types import resource_identifiers as ids

        context = self._gx.get_context(mode="ephemeral")
        context.suites.add(self._checked_suite())
        for period, result in results.items():
            loaded = results_.expectationSuiteValidationResultSchema.load(copy.deepcopy(result))
            loaded.meta.setdefault("batch_spec", {})["data_asset_name"] = period  # the page's title
            run = self._gx.RunIdentifier(period, result["meta"]["run_id"]["run_time"])
            suite = ids.ExpectationSuiteIdentifier(self._name)
            key = ids.ValidationResultIdentifier(suite, run, f"batches-{period}")
            context.validation_results_store.set(key, loaded)
        new = folder.with_name(f".{folder.name}.new")  # built aside, so no half site is seen
        shutil.rmtree(new, ignore_errors=True)
        store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(new.absolute())}
        site: Any = {"class_name": "SiteBuilder", "store_backend": store, "site_index_builder": {}}
        context.add_data_docs_site("batches", site | {"show_how_to_buttons": False})
        try:
            context.build_data_docs(site_names=["batches"])
            _make_legible(new, results)
            shutil.rmtree(folder, ignore_errors=True)
            new.rename(folder)
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _checked_suite(self) -> Any:
        from great_expectations.expectations.registry import (
            list_registered_expectation_implementations,
        )

        known = list_registered_expectation_implementations()
        expected = self.contract.content["expectations"]
        faults = [f for n, e in enumerate(expected, 1) if (f := self._fault(n, e, known))]
        if not faults:
            suite = self._gx.ExpectationSuite(name=self._name, expectations=expected)
            lost = len(expected) - len(suite.expectations)  # it drops silently what it won't have
            if not lost:
                return suite
            faults = [f"{self.contract.path}: {lost} of {len(expected)} expectations are unusable"]
        raise InputError(faults, REMEDY)

    def _fault(self, number: int, item: Mapping[str, Any], known: Sequence[str]) -> str | None:
        from great_expectations.expectations import expectation_configuration

        where = f"{self.contract.path}: expectation {number}, {item['type']}"
        if item["type"] not in known:
            near = difflib.get_close_matches(str(item["type"]), known, n=2)
            meant = f"; did you mean {' or '.join(near)}?" if near else ""
            return f"{where}: no such expectation{meant}"
        try:
            expectation_configuration.ExpectationConfiguration(**item).to_domain_obj()
        except (TypeError, ValueError, self._gx.exceptions.GreatExpectationsError) as error:
            return f"{where}: {' '.join(str(error).split())}"
        return None


def _make_legible(site: Path, results: Mapping[str, Mapping[str, Any]]) -> None:
    """Make the pages legible alone: plain styles, and an index that needs no script."""
    for page in sorted(site.rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        text = text.replace("<head>", f"<head>{SHUT}{STYLE}", 1)
        if page == site / "index.html":
            index = f'<body class="index">{_index(site, results)}'
            text = text.replace("<body>", index, 1)
        page.write_text(text, encoding="utf-8")


def _index(site: Path, results: Mapping[str, Mapping[str, Any]]) -> str:
    items = []
    for period in sorted(results, reverse=True):
        mark = "✓" if results[period]["success"] else "✗"
        page = next(site.glob(f"validations/**/{period}/*/*.html"), None)
        link = f'<a href="{page.relative_to(site).as_posix()}">{period}</a>' if page else period
        items.append(f"<li>{mark} {link}</li>")
    suites = [page.relative_to(site) for page in sorted(site.glob("expectations/**/*.html"))]
    contract = ", ".join(f'<a href="{page.as_posix()}">{page.stem}</a>' for page in suites)
    listed = f"<ul>{''.join(items)}</ul>"
    return f"<main><h1>Batches</h1><p>The data contract: {contract}.</p>{listed}</main>"
