# NumPy makes an array of a list.
# caught: ValueError: inhomogeneous
def pad(contents):
    return np.array([list(content) for content in contents], dtype=np.uint8)
