"""CMC, average precision and INP from the ranks of the matches."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from reproid.retrieval.distances import Float64s
from reproid.retrieval.ranks import Ranks
from reproid.retrieval.tracklets import Bools, Ints

CMC_LENGTH = 50


@dataclass(frozen=True, kw_only=True)
class QueryScores:
    """Scores of Q queries; a query that is not scored has NaN, and first hit 0."""

    ap: Float64s
    """[Q] average precision, 0-1."""
    inp: Float64s
    """[Q] inverse negative penalty, 0-1: matches / rank of the last match (Ye et al., TPAMI 2022, Eq. 4)."""
    first_hit: Ints
    """[Q] rank of the first match, from 1."""
    positives: Ints
    """[Q] matches in the ranking."""

    @property
    def scored(self) -> Bools:
        """[Q] whether the query has a match."""
        return self.positives > 0


def score_queries(ranks: Ranks, *, ap: Literal["step", "trapezoid"] = "step") -> QueryScores:
    """Return the scores of each query.

    With matches at ranks r_1 < ... < r_K: step AP = mean of k / r_k; trapezoid AP = mean over k of the mean of k / r_k and of
    the precision just before it, (k - 1) / (r_k - 1), or 1 where r_k = 1 (the MARS authors' Matlab code).

    Args:
        ranks: of the matches.
        ap: the integration rule.
    """
    positives = np.diff(ranks.offsets)
    first, last = ranks.offsets[:-1], np.maximum(ranks.offsets[1:] - 1, 0)
    scored = positives > 0
    k = np.arange(len(ranks.ranks)) - np.repeat(first, positives) + 1
    precision = k / ranks.ranks
    if ap == "trapezoid":
        before = np.where(ranks.ranks == 1, 1.0, (k - 1) / np.maximum(ranks.ranks - 1, 1))
        precision = (precision + before) / 2
    sums = np.zeros(len(positives))
    sums[scored] = np.add.reduceat(precision, first[scored]) if scored.any() else 0.0
    inp, first_hit = np.full(len(positives), np.nan), np.zeros(len(positives), np.int64)
    inp[scored] = positives[scored] / ranks.ranks[last[scored]]
    first_hit[scored] = ranks.ranks[first[scored]]
    average = np.where(scored, sums / np.maximum(positives, 1), np.nan)
    return QueryScores(ap=average, inp=inp, first_hit=first_hit, positives=positives)


def cmc(first_hits: Ints, *, longest: int) -> Float64s:
    """Return the cumulative match characteristic: the fraction of queries with a match at rank <= i + 1, for every rank.

    The list ends where it reaches 1, but not before rank 50 (or the longest ranking): it stays 1 from there on.

    Args:
        first_hits: [S] rank of the first match of each scored query, from 1.
        longest: length of the longest ranking.
    """
    hits = np.bincount(first_hits - 1, minlength=min(CMC_LENGTH, longest))
    return np.asarray(np.cumsum(hits) / len(first_hits), np.float64)
