"""requests: one Session."""

import requests

from . import PIECE

PACKAGE = "requests"


def detail():
    import urllib3

    return "urllib3 " + urllib3.__version__


class Blocking:
    def __init__(self, in_flight, ca):
        self.session = requests.Session()
        if ca:
            self.session.verify = ca

    def get(self, url):
        response = self.session.get(url)
        return response.status_code, len(response.content)

    def stream(self, url):
        with self.session.get(url, stream=True) as response:
            return response.status_code, sum(map(len, response.iter_content(PIECE)))

    def close(self):
        self.session.close()
