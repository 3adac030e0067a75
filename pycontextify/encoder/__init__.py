"""Encoders: text to vectors.

Importing this package is cheap: onnxruntime and tokenizers are imported by ``onnx`` alone, httpx2 by ``http`` alone,
and both only when an encoder is opened.
"""
