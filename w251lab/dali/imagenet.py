"""The numbers of ImageNet's preprocessing, as torchvision's reference training has them, in this one place."""

from __future__ import annotations

from typing import Final

#: Mean and standard deviation of red, green and blue over the training pictures, of values in 0..1.
MEAN: Final = (0.485, 0.456, 0.406)
STD: Final = (0.229, 0.224, 0.225)
#: The same for pixels in 0..255, which is what a decoder gives.
MEAN_255: Final = tuple(255.0 * value for value in MEAN)
STD_255: Final = tuple(255.0 * value for value in STD)
#: Validation: the shorter side is resized to this many pixels, and the centre is cut out.
RESIZE: Final = 256
#: Height and width of a model's input in pixels.
CROP: Final = 224
#: Training: the part of the picture's area that a random window takes, and its width divided by its height.
AREA: Final = (0.08, 1.0)
ASPECT: Final = (3 / 4, 4 / 3)
