"""K-means and XGBoost on several workers: one for each GPU, or processes that share the cores of a CPU.

The user's code is the same for both::

    with scaling.cluster("auto") as cluster:
        made = cluster.blobs(1_000_000, 25, 8)
        found = scaling.kmeans(cluster, made.points, 8)
        print(agreement.rand_index(cluster.to_host(made.labels), cluster.to_host(found.labels)))

The data are dask arrays in parts, made on the workers and kept there; what comes back are centroids, trees and figures.
On GPUs the workers are dask-cuda's, the K-means is cuML's for several GPUs; on a CPU the K-means is
:mod:`w251lab.rapids.scaling.lloyd`. Trees are ``xgboost.dask``'s on both.

Everything listens on 127.0.0.1 only, but for one thing that cannot be set: while it trains, each worker of XGBoost
listens for its partners on all addresses of the machine, on a port that is free.
"""

from w251lab.rapids.scaling.clustering import kmeans
from w251lab.rapids.scaling.prediction import predict
from w251lab.rapids.scaling.trees import boosting
from w251lab.rapids.scaling.workers import Cluster, cluster

__all__ = ["Cluster", "boosting", "cluster", "kmeans", "predict"]
