# NumPy has a function for that.
def pad(contents):
    arrays = [np.frombuffer(content, np.uint8) for content in contents]
    width = max(array.size for array in arrays)
    return np.stack([np.pad(array, (0, width - array.size)) for array in arrays])
