"""Triton Inference Server: start it, describe models to it, speak to it, and read what it did."""
