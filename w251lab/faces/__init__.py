"""Faces for the course: a photo is found a face in, aligned, damaged, restored, pasted back and measured.

Pictures are NumPy arrays everywhere: uint8, RGB, shape (height, width, 3). Only `pictures` knows other forms.

- `pictures`: read a picture from a file, bytes, Pillow or an array; write one; the bundled portraits.
- `detect`: faces and their landmarks.  `align`: the upright 512-pixel face, and back into the picture.
- `restore`: what every restorer does, and which one to load.  `baseline`: the one that is always there.
- `identity`: is it still the same person.
- `packaged`: network weights that lie in installed packages.
"""
