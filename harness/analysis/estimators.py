"""The version of the statistical definitions, and what it stands for.

A plan stores the version, and its digest covers it: the same run judged under other definitions says so.
"""

ESTIMATORS = "3"

# Every change of a formula, a number of draws or a rule of decision makes a new version with its own line.
HISTORY = {
    "1": (
        "rates: Newcombe's one-sided 95 % bound; prompts like these: two pseudo-prompts; quantiles: Harrell-Davis to "
        "p95, inverse-CDF order statistics with failures, type 7 beyond; ratios: cluster bootstrap over prompts, 4,000 "
        "draws, expanded percentiles; detection: within-prompt label permutation, 9,999 draws, Holm over the gates; "
        "FAIL needs a detected loss, an upper bound below no difference and a lower bound at or beyond the margin"
    ),
    "2": "as 1; p5 and p95 are not judged when more than 5 % of requests have no value (1: a fifth)",
    "3": (
        "as 2; levels follow the look (single 5 %, two 3 % each, sequential by O'Brien-Fleming spending); Newcombe's z "
        "is enlarged until the exact chance to PASS at the margin is at most the level, and the n of a gate follows; "
        "percentiles beyond the tenth draw from an end are extrapolated along normal quantiles; gates on completion "
        "length, cost per success, service levels and disagreement of answers, whose bound is corrected for skewness "
        "and leaves room for prompts that were not drawn"
    ),
}
