# Another library's.
def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:

    from skimage.transform import SimilarityTransform

    return SimilarityTransform.from_estimate(points, target).params[:2]
