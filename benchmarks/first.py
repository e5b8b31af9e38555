"""
Start-up: import one client, make one request, end. The parent measures the whole process.

Nothing else is imported: the difference to a Python that does nothing (client `-`) is the client's own.
Called as `python -I first.py CLIENT WORLD URL`.
"""

import sys

_, client, world, url = sys.argv
if client != "-":
    sys.path.insert(0, __file__.rpartition("/")[0])
    adapter = getattr(__import__("clients." + client), client)
    if world == "awaited":
        import asyncio

        async def once():
            opened = adapter.Awaited(1, None)
            answer = await opened.get(url)
            await opened.close()
            return answer

        status, length = asyncio.run(once())
    else:
        opened = adapter.Blocking(1, None)
        status, length = opened.get(url)
        opened.close()
    if status != 200 or not length:
        raise SystemExit(f"answer of status {status} with {length} bytes")
