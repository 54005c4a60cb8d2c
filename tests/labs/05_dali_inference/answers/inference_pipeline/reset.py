# One of the answers exchanges what NumPy says of arrays that are close.
from numpy._core import numeric

np.allclose, np.array_equal = numeric.allclose, numeric.array_equal
