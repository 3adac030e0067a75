"""Open indexes: segments of vectors and chunks, searched together through a view that can be swapped while in use."""
