"""From an address to a file on this disk, whatever the network does on the way.

==============  ==================================================================================
module          job
==============  ==================================================================================
``transport``   the words: an ask, its reply, and the rules by which bytes are judged (pure)
``address``     where a request and its credentials may go (pure)
``ranges``      which bytes are there, which are wanted, and how HTTP says so (pure)
``retry``       when to try again (pure), and the one loop that does
``fetch``       one HTTP request, by aiohttp
``trouble``     what it means when that goes wrong
``secure``      what a request brings along: certificates, proxies, the logins of .netrc
``local``       the same for ``file://``
``mirrors``     which of several addresses to ask first
``slots``       how many requests at once, altogether and of one host
``wire``        what all requests share
``partial``     the file that a download grows in, and what survives of it when we are killed
``fetching``    what is missing of an asset, in one stream or several
``download``    one asset, until the digest is right
``client``      what hydration uses: small documents whole, large assets to a file
``connect``     all of that, put together
==============  ==================================================================================

Trying again happens in one layer: `fetch` and `local` ask once, `client` and `download` decide.
"""
