"""The model card: what the artefacts say of a candidate, in the sections of Mitchell et al. 2019.

Each part of the card is a function from artefacts to sentences; `PARTS` says in which section it
stands and what it is filled from. Its words are its own, every number and name is an artefact's.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from perennial.core.card import results as card_results
from perennial.core.card.results import (
    BEHAVIOUR,
    EXPLAIN,
    FAIRNESS,
    GATE,
    LEAKS,
    METRICS,
    PARAMS,
    PARITY,
    SLICES,
    Sources,
)
from perennial.core.card.sentences import Sentence, Source, say
from perennial.errors import InputError

PLAN = "data/plan.json"
MODEL = "models/candidate/model.json"
FEATURES = "reports/features.json"
REQUIRED = (PARAMS, PLAN, MODEL, FEATURES, METRICS, EXPLAIN, FAIRNESS, GATE)

Part = Callable[[Sources], Iterator[Sentence]]


@dataclass(frozen=True)
class Section:
    """A heading and its sentences."""

    title: str
    sentences: tuple[Sentence, ...]


def write(artefacts: Mapping[str, Mapping[str, Any]]) -> list[Section]:
    """Return the card's sections; one that no artefact has anything for is left out.

    Args:
        artefacts: The content of each artefact by its path in the project.

    Raises:
        InputError: one that every card needs is absent. The card goes without any other.
    """
    absent = [name for name in REQUIRED if name not in artefacts]
    if absent:
        faults = [f"{name}: absent, and the model card is filled from it" for name in absent]
        raise InputError(faults, "Run `dvc repro`.")
    sources = {name: Source(name, content) for name, content in artefacts.items()}
    found: dict[str, list[Sentence]] = {}
    for title, needs, part in PARTS:
        if all(name in sources for name in needs):
            found.setdefault(title, []).extend(part(sources))
    return [Section(title, tuple(sentences)) for title, sentences in found.items() if sentences]


def _verdict(sources: Sources) -> Iterator[Sentence]:
    gate = sources[GATE]
    yield say("The gates say {}: {}.", gate["/verdict"], gate["/why"])
    counts = (f"count /gates/*/verdict = {word}" for word in ("fail", "insufficient", "pass"))
    yield say(
        "Of {} gates, {} fail, {} are insufficient and {} pass.",
        gate["count /gates/*"],
        *(gate[count] for count in counts),
    )


def _model(sources: Sources) -> Iterator[Sentence]:
    model, gate, plan = sources[MODEL], sources[GATE], sources[PLAN]
    yield say("The candidate's digest is {}.", gate["/candidate"])
    yield say("The plan says {}, because of {}.", plan["/action"], plan["/because"])
    yield say("It is of the kind {}.", model["/kind"])
    for index, pointer in model.within("/members"):
        made = f"/recipe/members/{index}"
        yield say(
            "Its member {} has the weight {}; it was boosted for {} rounds with trees at most {} "
            "deep and a learning rate of {}.",
            model[f"{pointer}/file"],
            model[f"{pointer}/weight"],
            model[f"{made}/rounds"],
            model[f"{made}/params/max_depth"],
            model[f"{made}/params/learning_rate"],
        )
    numbers = [name for name, _ in model.within("/calibration") if name in ("slope", "intercept")]
    yield say(
        "Its log odds become probabilities by {} calibration"
        + "".join(f", {name} {{}}" for name in numbers)
        + ".",
        model["/calibration/method"],
        *(model[f"/calibration/{name}"] for name in numbers),
    )


def _thresholds(sources: Sources) -> Iterator[Sentence]:
    model, params = sources[MODEL], sources[PARAMS]
    positive = params["/target/positive"]
    groups = model.within("/decision/by_group")
    for name, pointer in groups:
        yield say(
            "It decides for {} from a probability of {} where {} is {}.",
            positive,
            model[pointer],
            model["/decision/attribute"],
            name,
        )
    others = " in any other group" if groups else ""
    yield say(
        f"It decides for {{}} from a probability of {{}}{others}.",
        positive,
        model["/decision/threshold"],
    )


def _use(sources: Sources) -> Iterator[Sentence]:
    params = sources[PARAMS]
    target = params["/target/column"], params["/target/positive"]
    yield say("It states the probability that {} is {}, and decides.", *target)
    yield say(
        "A true positive is worth {}, a false positive {}, a false negative {} and a true negative "
        "{}; thresholds were chosen for the most utility on the calibration rows.",
        *(
            params[f"/training/utility/{name}"]
            for name in ("true_positive", "false_positive", "false_negative", "true_negative")
        ),
    )
    for name, pointer in params.within("/features/columns"):
        source, why = params[f"{pointer}/from"], params[f"{pointer}/why"]
        yield say("{} is a feature, from the column {}: {}.", name, source, why)
    for name, pointer in params.within("/features/drop"):
        yield say("{} must not be a feature: {}.", name, params[pointer])


def _factors(sources: Sources) -> Iterator[Sentence]:
    params = sources[PARAMS]
    for name, pointer in params.within("/sensitive"):
        cited = [params[f"{pointer}/from"]]
        cited += [params[f"{pointer}/bins"]] if params.has(f"{pointer}/bins") else []
        cut = ", cut at {}" if len(cited) > 1 else ""
        yield say(f"{{}} is a sensitive attribute, from the column {{}}{cut}.", name, *cited)
    if not params.has("/fairness/attributes/0"):
        yield say(
            "Decisions were compared by {} attributes.", params["count /fairness/attributes/*"]
        )
        return
    yield say(
        "Decisions were compared by {}; groups with fewer than {} rows were only shown.",
        params["/fairness/attributes"],
        params["/fairness/min_group"],
    )


def _rows(part: str, what: str) -> Part:
    def sentences(sources: Sources) -> Iterator[Sentence]:
        plan, features = sources[PLAN], sources[FEATURES]
        last = plan.within(f"/parts/{part}")[-1][1]
        yield say(
            f"{{}} rows {what}, of {{}} periods from {{}} to {{}}, split by {{}}.",
            features[f"/parts/{part}/rows"],
            plan[f"count /parts/{part}/*"],
            plan[f"/parts/{part}/0/period"],
            plan[f"{last}/period"],
            plan["/split/kind"],
        )

    return sentences


def _handled(sources: Sources) -> Iterator[Sentence]:
    features = sources[FEATURES]
    for name, pointer in features.within("/parts/holdout/handled"):
        if any(features.value(inner) for _, inner in features.within(pointer)):
            rows = features["/parts/holdout/rows"]
            yield say("{}, in {} holdout rows: {}.", name, rows, features[pointer])


def _small_groups(sources: Sources) -> Iterator[Sentence]:
    fairness, params = sources[FAIRNESS], sources[PARAMS]
    least = params.value("/fairness/min_group")
    for attribute, section in fairness.within("/attributes"):
        for group, pointer in fairness.within(f"{section}/groups"):
            rows = f"{pointer}/selection_rate/n"
            if fairness.value(rows) < least:
                yield say(
                    "{} ({}) has {} holdout rows, fewer than {}: no difference is drawn from it.",
                    group,
                    attribute,
                    fairness[rows],
                    params["/fairness/min_group"],
                )


_TRAINED, _CALIBRATED = _rows("train", "were trained on"), _rows("calibration", "calibrate")
PARTS: tuple[tuple[str, tuple[str, ...], Part], ...] = (
    ("Verdict", (GATE,), _verdict),
    ("Model details", (MODEL, GATE, PLAN), _model),
    ("Model details", (MODEL, PARAMS), _thresholds),
    ("Model details", (PARITY,), card_results.parity),
    ("Intended use", (PARAMS,), _use),
    ("Factors", (PARAMS,), _factors),
    ("Evaluation data", (PLAN, FEATURES), _rows("holdout", "were held out")),
    ("Evaluation data", (LEAKS,), card_results.leaks),
    ("Training data", (PLAN, FEATURES), _TRAINED),
    ("Training data", (PLAN, FEATURES), _CALIBRATED),
    ("Metrics", (METRICS, PARAMS), card_results.metrics),
    ("What it was compared with", (GATE,), card_results.comparisons),
    ("Decisions by group", (FAIRNESS,), card_results.groups),
    ("Where it is worst", (SLICES,), card_results.slices),
    ("What drives it", (EXPLAIN,), card_results.attributions),
    ("How it behaves", (BEHAVIOUR,), card_results.behaviour),
    ("Ethical considerations", (FAIRNESS,), card_results.mitigation),
    ("Gates that do not pass", (GATE,), card_results.gates),
    ("Limits", (FEATURES,), _handled),
    ("Limits", (FAIRNESS, PARAMS), _small_groups),
)
