"""Files to segment: crawl a tree, load what it holds, chunk it, embed the chunks, build.

Nothing is dropped in silence: what is not indexed is named, with a reason.
"""
