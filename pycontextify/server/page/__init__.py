"""The status page: what /status shows to a browser. Everything on it is from the status document, and a few lists.

`model` turns that into what the page shows (pure), `paper` into HTML, `live` keeps it current, `routes` answers.
"""
