"""Data frames, K-means, random forest and XGBoost in one spelling: the same call computes on the CPU or on the GPU.

The data decides where: what lies in the computer's memory is worked on by pandas, scikit-learn and XGBoost, what lies
on the GPU by cuDF, cuML and XGBoost's CUDA. Nothing is copied from one to the other unless
:func:`w251lab.rapids.arrays.to_device` or :func:`w251lab.rapids.arrays.to_host` is called.

- `arrays`, `memory`, `checks`: where data lie, whether they fit, and what is looked at before the work.
- `data`, `frames`: data made on the device, and a year of real flights with the questions asked of them.
- `kmeans`, `forest`, `boosting` (with `matrices`): the three methods, each with one `fit` or `train` for both devices.
- `agreement`: whether two devices found the same.
"""
