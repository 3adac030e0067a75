"""MCP clients: where they keep their configuration, what an entry of ours looks like there, and how it gets in.

===========  =====================================================================
module       job
===========  =====================================================================
``table``    the clients: their files on each system, the form of their entries
``entry``    what starts a server like this one: a command, its arguments, its secrets by name
``jsonc``    JSON with comments: read with the place of everything, edited in place
``edit``     the new text of a client's file, from the old; pure
``files``    reading and replacing such a file
``found``    which clients there are on this machine, and what is configured there
===========  =====================================================================
"""
