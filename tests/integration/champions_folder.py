"""A folder with a champion: ten accepted batches of a population whose truth is known."""

import json
from pathlib import Path
from typing import Any

import yaml

from perennial.adapters import bundles
from perennial.adapters.bundles import champions
from perennial.adapters.bundles.champions import Champion
from perennial.adapters.files.configuration import read_params
from perennial.adapters.parquet import batches
from perennial.core import case
from perennial.core.dataset.plan import make_plan
from perennial.core.model.candidate import to_artefacts
from perennial.core.proof import population
from perennial.params import Split

PERIODS = 10
ROWS = 1000


def prepare(folder: Path) -> Path:
    """Write accepted batches, parameters, and a champion that was trained on them."""
    params = population.synthetic_params(read_params())
    rows = population.synthetic(0)
    for number in range(PERIODS):
        own = slice(number * ROWS, (number + 1) * ROWS)
        frame = rows.raw.iloc[own].assign(said=rows.target[own]).reset_index(drop=True)
        batches.write_parquet(folder / f"data/accepted/{number:02}.parquet", frame)
    fitted = case.fit(rows, params)
    digest = bundles.write(folder / "models/champion", to_artefacts(fitted.candidate))
    content = json.loads(params.model_dump_json(by_alias=True, exclude_unset=True))
    content["target"] = {"column": "said", "positive": 1}
    content["split"] |= {"calibration_rows": 2000, "holdout_rows": 4000}
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    refs = [batches.describe(batch) for batch in batches.find(folder / "data/accepted")]
    plan = make_plan(refs, Split.model_validate(content["split"]), "bootstrap", "bootstrap")
    champion = Champion("m", "1", digest, plan, "promote", "2020-01-01T00:00:00Z", [])
    champions.write(champion, folder / "champion.json")
    return folder


def change(group: str, **values: Any) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    content[group] |= values
    Path("params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
