# numpy.select works on whole columns.
# caught: W251Error: computer's memory
import numpy as np


def arrival_words(flights):
    late, left_late = flights["arr_delay"] >= 15, flights["dep_delay"] >= 15
    conditions = [flights["dep_delay"].isna(), flights["arr_delay"].isna(), ~late, left_late]
    words = np.select(conditions, ["cancelled", "diverted", "on time", "left late"], "lost time in the air")
    return flights["carrier"] + " " + pd.Series(words, index=flights.index)
