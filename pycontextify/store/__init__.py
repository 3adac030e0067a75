"""The layout on disk: immutable blobs and one small mutable file. Knows files and never FAISS."""
