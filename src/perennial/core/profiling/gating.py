"""The gates' thresholds for a profile, reasoned from what a gate asks: never from what passes."""

from perennial.core.profiling import ensembling
from perennial.core.profiling.block import Block, said
from perennial.core.profiling.profile import Profile

FLOOR = 0.6
MARGIN = 0.02
LEAK = 0.95


def blocks(profile: Profile) -> list[Block]:
    """Return the blocks of the group `gates`."""
    rate = min(profile.classes.rate, 1 - profile.classes.rate)
    calibration = min(0.1, float(f"{rate / 2:.2g}"))
    share = max(0.5, min(1.0, float(f"{2 / len(profile.features):.3g}")))
    harm = "a good decision withheld from someone it is right for" if profile.groups else "unfair"
    return [
        said(
            FLOOR,
            "Chance is 0.5; below this, ranking rows is hardly worth the trouble. Raise it to what "
            "your use needs.",
            *("gates", "quality_floor", "threshold"),
        ),
        said(
            calibration,
            "ECE: at most 0.1, and at most half of the rarer class's rate "
            f"({rate:.2%}), or a stated probability says nothing about it.",
            *("gates", "calibration", "threshold"),
        ),
        said(
            "tolerate",
            "Few rows can't prove that it is small; a proven large one blocks.",
            *("gates", "calibration", "insufficient"),
        ),
        said(
            MARGIN,
            "AUC the candidate may be worse: a fifth of what a model at the quality floor adds to "
            "chance, as trials of a new drug preserve a stated part of the old one's effect.",
            *("gates", "better_than_simple", "margin"),
        ),
        said(
            MARGIN,
            "AUC the candidate may be worse and still be `not inferior`, which is asked after "
            "drift; without drift it must be better than the champion.",
            *("gates", "champion", "margin"),
        ),
        said(
            "tolerate",
            "Small ones can't be cleared; what is proven bad blocks.",
            *("gates", "declared_slices", "insufficient"),
        ),
        said(
            share,
            "A feature with over half of all attribution in the training rows deserves a look"
            + (f"; of {len(profile.features)}, twice an even share." if share > 0.5 else "."),
            *("gates", "leakage", "threshold"),
        ),
        said(
            0.1,
            "AUC that is lost without the feature of the largest share: as much as the quality "
            "floor asks above chance.",
            *("gates", "dependence", "threshold"),
        ),
        said(
            list(profile.forbidden),
            "No feature may come from these, whatever else is said above: what you dropped, what "
            "tells the target alone, the time and the key.",
            *("gates", "forbidden_features", "columns"),
        ),
        said(
            LEAK,
            "ROC AUC of one feature alone in the training rows: hardly anything known beforehand "
            "says so much." + _best(profile),
            *("gates", "single_feature", "threshold"),
        ),
        said(
            "true_positive_rate",
            f"Equal opportunity (Hardt et al. 2016): the harm is {harm}. Where the harm is a bad "
            "decision, false_positive_rate; where every share must be equal, selection_rate.",
            *("gates", "fairness", "criterion"),
        ),
        said(
            "tolerate",
            "Small groups can't prove a difference of 0.1 away; a proven one blocks.",
            *("gates", "fairness", "insufficient"),
        ),
        *(
            said(
                ensembling.cost(profile.sizes.train),
                "Times default XGBoost, which has 100 trees: all members of an ensemble with all "
                "their rounds. Lower it where a request has a budget; fewer members are "
                "search.ensemble.",
                *("gates", "cost", name),
            )
            for name in ("model_size", "node_visits")
        ),
    ]


def _best(profile: Profile) -> str:
    sources = {chosen.source for chosen in profile.features.values()}
    own = {name: auc for name, auc in profile.alone.items() if name in sources}
    if not own:
        return ""
    best = max(own, key=lambda name: (own[name], name))
    return f" The best of yours, {best}, has {own[best]:.2f} or more."
