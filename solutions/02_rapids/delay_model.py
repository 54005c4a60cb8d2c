"""Foretell whether a flight comes late, with scikit-learn and nothing else.

    python delay_model.py

The last line says how many seconds it took.
"""
# ruff: noqa: T201  # a report goes to the screen

import time

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from w251lab.rapids import frames


def features() -> tuple[np.ndarray, np.ndarray]:
    """One row for each flight that arrived, and whether it came at least 15 minutes late."""
    flights = pd.read_parquet(frames.paths()["flights"]).dropna(subset=["arr_delay"])
    codes = flights[["carrier", "origin"]].to_numpy(dtype=object)
    known = OneHotEncoder(min_frequency=1000, sparse_output=False).fit_transform(codes)  # rare airlines count as one
    plan = StandardScaler().fit_transform(flights[["month", "day", "hour", "distance"]].to_numpy(dtype="float64"))
    kinds = KMeans(n_clusters=8, n_init=1, random_state=0).fit(plan).labels_  # early and short, late and far...
    table = np.hstack([known, plan, np.eye(8)[kinds]]).astype("float32")
    return table, (flights["arr_delay"] >= 15).to_numpy(dtype="int32")


def main() -> None:
    """Learn from three flights of four, and say how well the fourth is foretold."""
    begin = time.perf_counter()
    table, late = features()
    held_out = np.random.default_rng(0).random(len(late)) < 0.25
    models = {
        "logistic regression": LogisticRegression(max_iter=200),
        "boosted trees": HistGradientBoostingClassifier(),
    }
    for name, model in models.items():
        model.fit(table[~held_out], late[~held_out])
        auc = roc_auc_score(late[held_out], model.predict_proba(table[held_out])[:, 1])
        print(f"{name}: AUC {auc:.3f}")
    print(f"the models took {time.perf_counter() - begin:.2f} s")


if __name__ == "__main__":
    main()
