"""Data frames, K-means, random forest and XGBoost in one spelling: the same call computes on the CPU or on the GPU.

The data decides where: what lies in the computer's memory is worked on by pandas, scikit-learn and XGBoost, what lies
on the GPU by cuDF, cuML and XGBoost's CUDA. Nothing is copied from one to the other unless
:func:`w251lab.rapids.arrays.to_device` or :func:`w251lab.rapids.arrays.to_host` is called.
"""
