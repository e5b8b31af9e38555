"""The servers of the tests, in a process of their own.

A client that hangs, crashes or floods must not take its judge with it, so nothing here shares an interpreter with
requestx.  Run as ``python tests/server``: the process prints the port of its control socket as the first line and
lives until its standard input closes, which happens when the tests end, however they end.

The control protocol is one JSON object a line in each direction; every connection to the control socket is served by
its own thread, so that a command that waits (``wait``) holds nobody else up.

    open    {kind: wire | everyday | mirror | proxy | streams, tls, ...}   -> {id, port}
    play    {id, pages}                         -> the answers a mirror gives from now on
    record  {id}                                -> what the listener saw
    set     {id, name}                          -> lets a script's ``wait(name)`` go on
    wait    {id, name, limit}                   -> {met: bool}: a mark that a script or the listener sets
    close   {id}
"""

import json
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from everyday import Everyday  # noqa: E402
from mirror import Mirror  # noqa: E402
from proxy import Proxy  # noqa: E402
from streams import Streams  # noqa: E402
from wire import Wire  # noqa: E402

KINDS = {"wire": Wire, "everyday": Everyday, "mirror": Mirror, "proxy": Proxy, "streams": Streams}
LISTENERS = {}


def main():
    """
    Serve commands until standard input ends.
    """
    control = socket.socket()
    control.bind(("127.0.0.1", 0))
    control.listen(64)
    print(control.getsockname()[1], flush=True)
    threading.Thread(target=accept_forever, args=(control,), daemon=True).start()
    sys.stdin.read()
    os._exit(0)


def accept_forever(control):
    while True:
        peer, _ = control.accept()
        threading.Thread(target=serve, args=(peer,), daemon=True).start()


def serve(peer):
    with peer, peer.makefile("rwb") as lines:
        for line in lines:
            try:
                answer = command(json.loads(line.decode()))
            except Exception as problem:  # the test shall read what went wrong here
                answer = {"problem": repr(problem)}
            lines.write(json.dumps(answer).encode() + b"\n")
            lines.flush()


def command(order):
    verb = order.pop("do")
    if verb == "open":
        listener = KINDS[order.pop("kind")](**order)
        LISTENERS[listener.port] = listener
        return {"id": listener.port, "port": listener.port}
    listener = LISTENERS[order["id"]]
    if verb == "record":
        return listener.record()
    if verb == "play":
        listener.play(order["pages"])
        return {}
    if verb == "set":
        listener.marks.set(order["name"])
        return {}
    if verb == "wait":
        return {"met": listener.marks.wait(order["name"], order["limit"])}
    if verb == "close":
        LISTENERS.pop(order["id"]).close()
        return {}
    raise ValueError(verb)


if __name__ == "__main__":
    main()
