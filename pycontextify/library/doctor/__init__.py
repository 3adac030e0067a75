"""Looking everything over that a server depends on: what is found, and what to do about it.

Each area has a module of its own; what they find are `Finding` values, and nothing else comes out of them. Nothing is
changed, but that rotten blobs are set aside where that was asked for (`set_aside`).

===============  ======================================================================================
module           what it looks at
===============  ======================================================================================
``finding``      (what a finding is)
``settings``     values and where they came from, and what among them makes no sense
``clients``      the MCP clients of this machine that start a server like this one
``disk``         the index directory's disk and file system, and who may read and write what
``encoder``      the model that embeds queries
``source``       every mirror: the way there, what its server can do, and what would be taken from it
``index``        refs and blobs, and whether what is current opens
===============  ======================================================================================
"""
