"""The parts of the model card that tell how the candidate did."""

from collections.abc import Iterator, Mapping

from perennial.core.card.sentences import Sentence, Source, say

PARAMS = "params.yaml"
METRICS = "reports/metrics.json"
EXPLAIN = "reports/explain.json"
FAIRNESS = "reports/fairness.json"
SLICES = "reports/slices.json"
BEHAVIOUR = "reports/behaviour.json"
LEAKS = "reports/leaks.json"
PARITY = "reports/parity.json"
GATE = "reports/gate.json"
NAMES = {
    "roc_auc": "ROC AUC",
    "log_loss": "log loss",
    "brier": "Brier score",
    "ece": "expected calibration error",
    "f1": "F1",
}
RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")
COMPARED = RATES[:3]  # between groups
SHOWN = 5  # of the features, and of the slices searched

Sources = Mapping[str, Source]


def metrics(sources: Sources) -> Iterator[Sentence]:
    """The holdout's metrics with their intervals."""
    found, params = sources[METRICS], sources[PARAMS]
    yield say(
        "Intervals have the confidence {}; those by bootstrap come from {} replicates.",
        found["/confidence"],
        params["/evaluation/replicates"],
    )
    for name, pointer in found.within("/holdout"):
        metric = NAMES.get(name, name.replace("_", " "))
        yield say("The {} is {} on {} rows.", metric, found[pointer], found[f"{pointer}/n"])


def comparisons(sources: Sources) -> Iterator[Sentence]:
    """The gates that compare the candidate with another model."""
    gate = sources[GATE]
    for _, pointer in gate.within("/gates"):
        name = str(gate.value(f"{pointer}/name"))
        if name.startswith("better_than_") or name == "champion":
            yield _gate(gate, pointer)


def gates(sources: Sources) -> Iterator[Sentence]:
    """The gates that do not pass, and what that means."""
    gate = sources[GATE]
    if gate.value("count /gates/*/verdict = insufficient"):
        yield say(
            "{} gates are insufficient: too few rows to tell on which side of the threshold the "
            "truth is. In all, {} gates block.",
            gate["count /gates/*/verdict = insufficient"],
            gate["count /gates/*/blocks = true"],
        )
    for _, pointer in gate.within("/gates"):
        if gate.value(f"{pointer}/verdict") != "pass":
            yield _gate(gate, pointer)


def _gate(gate: Source, pointer: str) -> Sentence:
    return say("{}: {}; {}.", *(gate[f"{pointer}/{key}"] for key in ("name", "verdict", "why")))


def groups(sources: Sources) -> Iterator[Sentence]:
    """The rates of every group, and the largest differences with and without mitigation."""
    fairness = sources[FAIRNESS]
    for attribute, section in fairness.within("/attributes"):
        for group, pointer in fairness.within(f"{section}/groups"):
            known = [rate for rate in RATES if fairness.has(f"{pointer}/{rate}")]
            yield say(
                "{} ({}), {} rows: " + ", ".join(f"{_words(rate)} {{}}" for rate in known) + ".",
                group,
                attribute,
                fairness[f"{pointer}/selection_rate/n"],
                *(fairness[f"{pointer}/{rate}"] for rate in known),
            )
        for rate in COMPARED:
            yield from _differences(fairness, attribute, section, rate)


def _differences(fairness: Source, attribute: str, section: str, rate: str) -> Iterator[Sentence]:
    told = "{} largest difference of the {} by {} is {}, with {} above {}."
    for key, start in (("differences", "The"), ("unmitigated", "Without mitigation, the")):
        pointer = f"{section}/{key}/{rate}"
        mitigated = fairness.value("/mitigation/method") != "none"
        if fairness.has(pointer) and (mitigated or key == "differences"):
            places = (pointer, f"{pointer}/higher", f"{pointer}/lower")
            cited = (fairness[place] for place in places)
            yield say(told, start, _words(rate), attribute, *cited)


def mitigation(sources: Sources) -> Iterator[Sentence]:
    """What was done for fairness, by whose permission, and what it cost."""
    fairness = sources[FAIRNESS]
    if fairness.value("/mitigation/method") == "none":
        yield say("Mitigation of unfairness: {}.", fairness["/mitigation/method"])
        return
    yield say(
        "Unfairness is mitigated by {} for {}, aiming at {}.",
        *(fairness[f"/mitigation/{key}"] for key in ("method", "attribute", "constraint")),
    )
    if fairness.has("/mitigation/permission"):
        yield say("It is permitted: “{}”", fairness["/mitigation/permission"])
    for name, pointer in fairness.within("/mitigation/cost"):
        metric = NAMES.get(name, _words(name))
        rows = fairness[f"{pointer}/n"]
        yield say("It changes the {} by {} on {} rows.", metric, fairness[pointer], rows)


def attributions(sources: Sources) -> Iterator[Sentence]:
    """The features with the largest shares."""
    explain = sources[EXPLAIN]
    for _, pointer in explain.within("/holdout/importance")[:SHOWN]:
        yield say(
            "{} has the share {} of all attribution in {} holdout rows.",
            explain[f"{pointer}/feature"],
            explain[f"{pointer}/share"],
            explain["/holdout/rows"],
        )


def slices(sources: Sources) -> Iterator[Sentence]:
    """The worst slices of those searched, and each one declared."""
    found = sources[SLICES]
    for kind, most in (("searched", SHOWN), ("declared", None)):
        if not found.has(f"/{kind}/worst/0"):
            continue
        looked = found[f"/{kind}/looked_at"]
        yield say(f"Of {{}} comparisons in slices {kind}, these are the worst.", looked)
        for _, pointer in found.within(f"/{kind}/worst")[:most]:
            yield say(
                "In {} ({} rows), log loss less that of {} is {} a row.",
                *(found[f"{pointer}/{key}"] for key in ("slice", "rows", "reference", "mean")),
            )


def leaks(sources: Sources) -> Iterator[Sentence]:
    """Rows on both sides of the split, and time backwards."""
    found = sources[LEAKS]
    overlap = (found[f"/overlap/{key}"] for key in ("shared", "rows", "what"))
    yield say("{} of {} {} are both learned from and held out.", *overlap)
    if found.has("/time_order"):
        order = (found[f"/time_order/{key}"] for key in ("backwards", "rows"))
        yield say("{} of {} rows to learn from are not older than those held out.", *order)


def behaviour(sources: Sources) -> Iterator[Sentence]:
    """What the candidate says of rows that are changed, and what it costs."""
    found = sources[BEHAVIOUR]
    for _, pointer in found.within("/directions"):
        tried = (found[f"{pointer}/{key}"] for key in ("says", "violations", "rows"))
        yield say("{} does not hold in {} of {} rows.", *tried)
    for attribute, pointer in found.within("/flipped"):
        flips = (found[f"{pointer}/{key}"] for key in ("changed", "rows"))
        yield say("Changing {} alone changes {} of {} decisions.", attribute, *flips)
    strange = found["sum /robustness/*"], found["/strange_rows"]
    yield say("{} of {} rows with strange values get no probability.", *strange)
    for model, pointer in found.within("/cost"):
        cost = (found[f"{pointer}/{key}"] for key in ("model_size", "node_visits"))
        yield say(f"The {model} model has {{}} bytes and passes {{}} splits a row.", *cost)


def parity(sources: Sources) -> Iterator[Sentence]:
    """Whether the exported forms say what the candidate says."""
    found = sources[PARITY]
    if found.has("/missing/0"):
        yield say("It was not exported as ONNX, for want of {}.", found["/missing"])
    for form, pointer in found.within("/gaps"):
        for kind, gap in found.within(pointer):
            rows, size = found[f"{gap}/rows"], found[f"{gap}/gap"]
            yield say("The largest gap of {} in {} {} rows is {}.", form, rows, kind, size)


def _words(name: str) -> str:
    return name.replace("_", " ")
