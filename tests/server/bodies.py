"""One text and its codings, for the everyday server and for the tests."""

import base64
import gzip
import zlib

TEXT = b"".join(b"line %d of a text that repeats itself\n" % i for i in range(12))
CODED = {
    "gzip": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "raw-deflate": zlib.compress(TEXT)[2:-4],
    # Made once with the reference encoders, so that these need not be installed.
    "br": base64.b64decode("G70BaBSh0uFfduQTeoD7OzoMkzSIcHEA9Cq7WZpR4lWH2AXP6CQ6OO9y+KBd7CcYcywOTi5uHjx58f7LEQE="),
    "zstd": base64.b64decode(
        "KLUv/WC+AH0CAPQCbGluZSAwIG9mIGEgdGV4dCB0aGF0IHJlcGVhdHMgaXRzZWxmCjEyMzQ1Njc4OTEMAHeLQ7v1XECygJSAvIBkASkBeQHJ"
        "AlICcosE9QQ="
    ),
}
