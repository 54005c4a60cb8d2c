"""NVIDIA DALI for the course: pictures decoded, augmented and made ready for a model, on the CPU or on the GPU.

- `imagenet`: the numbers of ImageNet's preprocessing, in this one place.
- `installed`: DALI itself, or why it is not here (it exists for Linux only).
- `bundled`: the shipped photographs, and as many larger ones made from them as a benchmark needs.
- `variants`: one picture in many sizes, colour models, formats and orientations.
- `sources`: which pictures: a folder, a list of files, or encoded bytes.
- `recipes`: what is done to a picture: for training, for validation, or for a look at it.
- `operators`: the recipes as operators of a DALI graph.
- `pipelines`: a recipe and a source made into a pipeline that runs on the chosen devices.
- `iterators`: epochs of batches as NumPy arrays or PyTorch tensors.
- `damage`: which of the pictures cannot be decoded.
- `parity`: how far DALI's pixels are from Pillow's and torchvision's.
- `serving`: the validation recipe inside Triton, before a classifier.
- `prefetch`: what batches that are made ahead of time save, computed.
- `plots`: the labs' own figures.
"""
