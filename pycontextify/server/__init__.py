"""The MCP server: tools, HTTP routes and the composition root.

Nothing here may import faiss, numpy, onnxruntime, aiohttp, apsw, typer or rich when it is imported: a client that waits
for its handshake waits for every import. They are loaded in the background, once the server answers.
"""
