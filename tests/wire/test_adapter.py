"""HTTPAdapter as its users subclass and mount it: what they override is obeyed, what they set is seen on the wire."""

import gc
import pickle
import threading

import pytest
from server.steps import answer, request, rst, send, serve, wait

from requestx import _causes, _pools


def mounted(world, adapter, **attributes):
    """A session that sends everything through this adapter."""
    session = world.session(**attributes)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def test_init_poolmanager_is_called_with_the_constructors_numbers(world, server):
    """As in requests: positional, and `block` by name."""
    seen = []

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def init_poolmanager(self, *arguments, **more):
            seen.append((arguments, more))
            super().init_poolmanager(*arguments, **more)

    session = mounted(world, Adapter(3, 4, pool_block=True))

    assert session.get(server.url + "/get").ok
    assert seen == [((3, 4), {"block": True})]


def test_poolmanager_keeps_the_keywords(world):
    """``connection_pool_kw`` is what was given."""
    adapter = world.requestx.adapters.HTTPAdapter()
    adapter.init_poolmanager(5, 6, block=True, assert_hostname=False)

    assert dict(adapter.poolmanager.connection_pool_kw) == {"maxsize": 6, "block": True, "assert_hostname": False}


@pytest.mark.parametrize("keyword", ["nonsense", "headers", "blocksize", "num_pools"])
def test_unknown_keywords_are_refused(world, server, keyword):
    """Nothing is dropped in silence, wherever it is put."""
    adapter = world.requestx.adapters.HTTPAdapter()
    with pytest.raises(TypeError, match=keyword):
        adapter.init_poolmanager(1, 1, **{keyword: 1})
    adapter.poolmanager.connection_pool_kw[keyword] = 1
    with pytest.raises(TypeError, match="no setting '%s': " % keyword):
        mounted(world, adapter).get(server.url + "/get")

    assert server.connections == []


def test_a_fingerprint_of_md5_is_refused(world, tls_server):
    """Anybody can make a certificate with that MD5."""
    adapter = world.requestx.adapters.HTTPAdapter()
    adapter.init_poolmanager(1, 1, assert_fingerprint="0" * 32)
    with pytest.raises(ValueError, match="MD5"):
        mounted(world, adapter).get(tls_server.url)


def test_keywords_may_be_set_later(world, tls_server, certs):
    """A change of ``connection_pool_kw`` counts from the next request on, those that a session keeps ready included."""
    adapter = world.requestx.adapters.HTTPAdapter()
    session = mounted(world, adapter, verify=True)
    url = tls_server.at("localhost") + "/get"
    with pytest.raises(world.requestx.exceptions.SSLError):
        session.get(url)
    adapter.poolmanager.connection_pool_kw["ca_certs"] = certs.ca

    assert session.get(url).ok


def test_a_time_limit_of_the_pools_counts_where_the_request_has_none(world, wire):
    """``timeout`` among the keywords."""
    site = wire([request()])
    adapter = world.requestx.adapters.HTTPAdapter()
    adapter.init_poolmanager(1, 1, timeout=0.05)
    with pytest.raises(world.requestx.exceptions.ReadTimeout):
        mounted(world, adapter).get(site.url)


def test_retries_of_the_pools_count_where_the_adapter_has_none(world, wire):
    """``retries`` among the keywords."""
    site = wire([request(), rst()], serve(b"second"))
    adapter = world.requestx.adapters.HTTPAdapter()
    adapter.init_poolmanager(1, 1, retries=1)

    assert mounted(world, adapter).get(site.url).content == b"second"


def named_before(world, proxy, **keywords):
    """A session whose adapter was asked for the manager of a proxy, with keywords, before anything was sent."""
    adapter = world.requestx.adapters.HTTPAdapter()
    adapter.proxy_manager_for(proxy, **keywords)
    return mounted(world, adapter, proxies={"all": proxy})


def test_keywords_for_a_proxy_are_obeyed(world, listen, tls_server, certs):
    """The manager of a proxy is made once, and is the one for all requests through it."""
    proxy = listen("proxy").url
    session = named_before(world, proxy, ca_certs=certs.ca)

    assert session.get(tls_server.at("localhost") + "/get").ok
    with pytest.raises(world.requestx.exceptions.SSLError):
        mounted(world, world.requestx.adapters.HTTPAdapter(), proxies={"all": proxy}).get(tls_server.at("localhost"))


def test_a_time_limit_for_a_proxy_is_obeyed(world, listen, wire):
    """As that of all pools is."""
    session = named_before(world, listen("proxy").url, timeout=0.05)
    with pytest.raises(world.requestx.exceptions.ReadTimeout):
        session.get(wire([request()]).url)


def test_a_manager_that_a_user_puts_there_is_asked(world, server):
    """Whatever has `connection_from_host`, by the proxy's URL."""
    asked = []

    class Manager:
        def connection_from_host(self, host, port, scheme, pool_kwargs=None):
            asked.append((host, port, scheme))
            return _pools.PoolManager().connection_from_host(host, port, scheme)

        def clear(self):
            pass

    adapter = world.requestx.adapters.HTTPAdapter()
    adapter.proxy_manager["http://proxy.test"] = Manager()

    assert mounted(world, adapter, proxies={"http": "proxy.test"}).get(server.url + "/get").ok
    assert asked == [("127.0.0.1", server.port, "http")]


@pytest.mark.parametrize("keyword", ["num_pools", "maxsize", "block", "retries"])
def test_what_is_for_all_connections_is_not_for_a_proxys_alone(world, keyword):
    """The core counts connections, and retries are the adapter's."""
    with pytest.raises(TypeError, match=keyword):
        world.requestx.adapters.HTTPAdapter().proxy_manager_for("http://proxy.test", **{keyword: 1})


def in_the_constructor(adapters):
    return adapters.HTTPAdapter(pool_connections=3, pool_maxsize=1, pool_block=True)


def in_init_poolmanager(adapters):
    adapter = adapters.HTTPAdapter()
    adapter.init_poolmanager(3, 1, block=True)
    return adapter


def in_a_manager(adapters):
    adapter = adapters.HTTPAdapter()
    adapter.poolmanager = _pools.PoolManager(num_pools=3, maxsize=1, block=True)
    return adapter


def in_a_subclass(adapters):
    class Adapter(adapters.HTTPAdapter):
        def init_poolmanager(self, *numbers, **more):
            self.poolmanager = _pools.PoolManager(num_pools=3, maxsize=1, block=True)

    return Adapter()


def in_the_keywords(adapters):
    adapter = adapters.HTTPAdapter(pool_connections=3)
    adapter.poolmanager.connection_pool_kw.update(maxsize=1, block=True)
    return adapter


LIMITED = [in_the_constructor, in_init_poolmanager, in_a_manager, in_a_subclass, in_the_keywords]


@pytest.mark.parametrize("limited", LIMITED)
def test_limits_on_connections_are_obeyed_wherever_they_are_set(world, wire, limited):
    """With `block` the second request waits for the connection of the first."""
    site = wire([*serve(b"1")[:1], wait("go"), *serve(b"1")[1:], *serve(b"2")], serve(b"on another"))
    session = mounted(world, limited(world.requestx.adapters))
    calls = [session.start("get", site.url) for _ in range(2)]
    site.wait("request 1")
    site.set("go")

    assert {each.result().content for each in calls} == {b"1", b"2"}
    assert len(site.connections) == 1


def test_the_keyword_for_sizes_is_how_many_stay(world, server):
    """``maxsize`` without `block`: all four were open, and one is kept."""
    adapter = world.requestx.adapters.HTTPAdapter()
    adapter.poolmanager.connection_pool_kw["maxsize"] = 1
    session = mounted(world, adapter)
    calls = [session.start("get", server.url + "/slow") for _ in range(4)]
    for number in range(4):
        server.wait("open %d" % number)
    server.set("release")
    for call in calls:
        call.result()

    assert adapter._client.stats()["idle_connections"] == 1


def test_cert_verify_has_the_last_word(world, tls_server, certs):
    """It is given the pool, and what it sets there is used."""

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def cert_verify(self, conn, url, verify, cert):
            super().cert_verify(conn, url=url, verify=verify, cert=cert)
            conn.ca_certs = certs.ca

    assert mounted(world, Adapter()).get(tls_server.at("localhost") + "/get").ok


def test_key_attributes_are_merged_into_the_pool(world, tls_server, certs):
    """``build_connection_pool_key_attributes`` may add settings."""

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def build_connection_pool_key_attributes(self, request, verify, cert=None):
            host, settings = super().build_connection_pool_key_attributes(request, verify, cert)
            settings["ca_certs"] = certs.ca
            return host, settings

    assert mounted(world, Adapter()).get(tls_server.at("localhost") + "/get").ok


def test_key_attributes_say_what_was_asked_for(world, ca):
    """Scheme, host and port; and what `verify` and `cert` stand for, by urllib3's names."""
    adapter = world.requestx.adapters.HTTPAdapter()
    request = world.requestx.Request("GET", "https://Example.org/x").prepare()

    assert adapter.build_connection_pool_key_attributes(request, ca, ("a.pem", "b.pem")) == (
        {"scheme": "https", "host": "example.org", "port": 443},
        {"cert_reqs": "CERT_REQUIRED", "ca_certs": ca, "cert_file": "a.pem", "key_file": "b.pem"},
    )
    assert adapter.build_connection_pool_key_attributes(request, False)[1] == {"cert_reqs": "CERT_NONE"}


def test_a_connection_to_another_host_is_used(world, server):
    """``get_connection_with_tls_context`` decides where the request goes."""

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def get_connection_with_tls_context(self, request, verify, proxies=None, cert=None):
            return self.poolmanager.connection_from_host("127.0.0.1", server.port, "http")

    response = mounted(world, Adapter()).get("http://nowhere.invalid/echo?a=1")

    assert response.json()["path"] == "/echo?a=1"
    assert response.url == "http://nowhere.invalid/echo?a=1"


def test_request_url_is_what_the_request_line_names(world, server):
    """A subclass may write another path."""

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def request_url(self, request, proxies):
            return "/echo" + super().request_url(request, proxies)

    assert mounted(world, Adapter()).get(server.url + "/x?y").json()["path"] == "/echo/x?y"


def test_add_headers_may_add_headers(world, server):
    """It is called with what `send` was."""

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def add_headers(self, request, **more):
            request.headers["X-Verify"] = repr(more["verify"])

    headers = dict(mounted(world, Adapter()).get(server.url + "/get", verify=False).json()["headers"])

    assert headers["X-Verify"] == "False"


def test_build_response_is_called_for_every_answer(world, server):
    """With an object of urllib3's shape whose body has not been read."""

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def build_response(self, req, resp):
            response = super().build_response(req, resp)
            response.seen = resp.status, resp.headers["content-type"]
            return response

    response = mounted(world, Adapter()).get(server.url + "/json")

    assert response.seen == (200, "application/json")
    assert response.json()["name"] == "value"


def test_overrides_run_beside_the_loop(awaited, server):
    """What users wrote may block, so that an awaited request calls it in another thread."""
    threads = set()

    class Adapter(awaited.requestx.adapters.HTTPAdapter):
        def add_headers(self, request, **more):
            threads.add(threading.current_thread())

        def build_response(self, req, resp):
            threads.add(threading.current_thread())
            return super().build_response(req, resp)

    assert mounted(awaited, Adapter()).get(server.url + "/get").ok
    assert threads and awaited.thread not in threads


class Answers:
    """A pool of a user's own, of urllib3's shape."""

    def __init__(self, outcome):
        self.outcome = outcome
        self.calls = 0

    def urlopen(self, **asked):
        self.asked = asked
        self.calls += 1
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class Theirs:
    """A response of urllib3's shape."""

    status, reason, headers = 203, "Mine", {"X-Own": "1"}
    _original_response = None

    def stream(self, amt, decode_content=False):
        yield b"own"

    def close(self):
        pass

    release_conn = close


def adapter_of(world, pool):
    class Adapter(world.requestx.adapters.HTTPAdapter):
        def get_connection_with_tls_context(self, request, verify, proxies=None, cert=None):
            return pool

    return Adapter()


def test_a_pool_of_a_users_own_is_asked(world):
    """Its `urlopen` is called as requests calls it, and its answer built into a response."""
    pool = Answers(Theirs())
    response = mounted(world, adapter_of(world, pool)).post("http://own.invalid/path?q", data=b"x", timeout=3)

    assert (response.status_code, response.headers["x-own"], response.content) == (203, "1", b"own")
    asked = {name: pool.asked[name] for name in ("method", "url", "body", "redirect", "preload_content", "timeout")}
    assert asked == {
        "method": "POST",
        "url": "/path?q",
        "body": b"x",
        "redirect": False,
        "preload_content": False,
        "timeout": 3,
    }


def test_such_a_pool_retries_by_itself(world):
    """It is given the adapter's retries, and its last answer is the answer."""
    pool = Answers(Theirs())
    adapter = adapter_of(world, pool)
    adapter.max_retries = world.requestx.adapters.Retry(3, status_forcelist=[203], raise_on_status=False)

    assert mounted(world, adapter).get("http://own.invalid/").status_code == 203
    assert pool.asked["retries"].total == 3
    assert pool.calls == 1


@pytest.mark.parametrize("raised, expected", [(OSError("gone"), "ConnectionError"), ("MaxRetryError", "SSLError")])
def test_what_such_a_pool_raises_has_requests_classes(world, raised, expected):
    """An OSError is a ConnectionError, and urllib3's exceptions have their counterparts."""
    from requestx import _causes

    if raised == "MaxRetryError":
        raised = _causes.shape("MaxRetryError")(None, "/", _causes.shape("SSLError")("bad"))
    with pytest.raises(getattr(world.requestx.exceptions, expected)) as caught:
        mounted(world, adapter_of(world, Answers(raised))).get("http://own.invalid/")

    assert caught.value.args[0] is raised


def test_connections_can_be_asked_for_by_url(world, server):
    """``poolmanager.connection_from_url`` gives settings that can also send."""
    adapter = world.requestx.adapters.HTTPAdapter()
    pool = adapter.poolmanager.connection_from_url(server.url)

    assert pool is adapter.poolmanager.connection_from_url(server.url + "/other")
    assert (pool.scheme, pool.host, pool.port) == ("http", "127.0.0.1", server.port)
    assert b'"/echo?a"' in pool.urlopen("GET", "/echo?a").data


def plain(world):
    """An adapter that nobody changed."""
    return world.requestx.adapters.HTTPAdapter()


SENT = {
    "query": (("GET", "/a?b=c"), {"fields": {"q": "1 2"}}, b"GET /a?b=c&q=1+2 HTTP/1.1", b""),
    "form": (("POST", "/a"), {"fields": {"q": "1"}, "encode_multipart": False}, b"POST /a HTTP/1.1", b"q=1"),
    "json": (("PUT", "/a"), {"json": [1]}, b"PUT /a HTTP/1.1", b"[1]"),
    "body": (("PUT", "/a"), {"body": b"1"}, b"PUT /a HTTP/1.1", b"1"),
}


@pytest.mark.parametrize("kind", SENT)
def test_a_pools_request_has_the_body_that_it_is_given(world, wire, kind):
    """By urllib3's keywords; the query for methods that have no body."""
    arguments, more, line, body = SENT[kind]
    site = wire(serve(b"ok"))
    adapter = plain(world)
    pool = adapter.poolmanager.connection_from_url(site.url)

    assert pool.request(*arguments, **more).data == b"ok"
    assert (site.requests[0].line, site.requests[0].body) == (line, body)


def test_a_pools_form_has_files(world, wire):
    """A tuple is one, with its name."""
    site, adapter = wire(serve(b"ok")), plain(world)
    adapter.poolmanager.request("POST", site.url, fields={"a": "1", "f": ("name.txt", b"content", "text/plain")})

    assert site.requests[0].body.count(b"form-data; name=") == 2
    assert b'name="f"; filename="name.txt"\r\nContent-Type: text/plain\r\n\r\ncontent' in site.requests[0].body


def test_a_pool_ignores_no_argument(world, server):
    """More than one body, or a keyword that nobody knows, is a TypeError."""
    adapter = plain(world)
    pool = adapter.poolmanager.connection_from_url(server.url)
    for more in ({"body": b"a", "json": 1}, {"fields": {}, "json": 1}, {"jsn": 1}):
        with pytest.raises(TypeError):
            pool.request("POST", "/echo", **more)


def test_a_pool_sends_to_its_host(world, server, wire):
    """Another one's URL is refused, unless that is asked for."""
    other = wire(serve(b"other"))
    adapter = plain(world)
    pool = adapter.poolmanager.connection_from_url(server.url)
    with pytest.raises(_causes.HostChangedError, match="foreign host"):
        pool.urlopen("GET", other.url + "/")

    assert pool.urlopen("GET", other.url + "/", assert_same_host=False).data == b"other"


@pytest.mark.parametrize("said", ["argument", "keyword"])
def test_a_pool_tries_again_as_it_is_told(world, wire, said):
    """By the call, or by the keyword of all pools."""
    site, adapter = wire([request(), rst()], serve(b"second")), plain(world)
    if said == "keyword":
        adapter.poolmanager.connection_pool_kw["retries"] = 1
    more = {"retries": 1} if said == "argument" else {}

    assert adapter.poolmanager.urlopen("GET", site.url, **more).data == b"second"


def test_a_pool_asks_the_adapters_resolver(world, wire):
    """Whoever sends, an adapter's settings hold."""
    site = wire(serve(b"found"))
    adapter = world.requestx.adapters.HTTPAdapter(resolver=lambda host, port: "127.0.0.1")

    assert adapter.poolmanager.urlopen("GET", site.at("origin.test") + "/").data == b"found"


def test_a_pool_without_its_adapter_is_closed(world, server):
    """It says so; its settings may be changed all the same, to no effect."""
    manager = plain(world).poolmanager
    gc.collect()
    manager.connection_pool_kw["timeout"] = 3
    with pytest.raises(_causes.ClosedPoolError, match="its adapter is no more"):
        manager.urlopen("GET", server.url)


def test_get_connection_is_deprecated(world, server):
    """It is there, and warns."""
    with pytest.warns(DeprecationWarning, match="get_connection_with_tls_context"):
        pool = world.requestx.adapters.HTTPAdapter().get_connection(server.url)

    assert isinstance(pool, _pools.ConnectionPool)


def test_closing_closes_idle_connections(world, server):
    """``close`` and ``poolmanager.clear`` do."""
    adapter = world.requestx.adapters.HTTPAdapter()
    session = mounted(world, adapter)
    session.get(server.url + "/get")
    adapter.poolmanager.clear()

    assert server.end(0) == "eof"
    assert session.get(server.url + "/get").ok


def test_adapters_pickle(world, server):
    """Numbers and retries go along, and the poolmanager is made anew by the subclass."""
    adapter = pickle.loads(pickle.dumps(world.requestx.adapters.HTTPAdapter(3, 4, max_retries=2, pool_block=True)))

    assert (adapter._pool_connections, adapter._pool_maxsize, adapter._pool_block) == (3, 4, True)
    assert adapter.max_retries.total == 2
    assert mounted(world, adapter).get(server.url + "/get").ok


def test_urllib3s_own_poolmanager_is_read(world, tls_server, certs, module):
    """The old way to set keywords: another PoolManager in the place of ours; the core still sends."""
    urllib3 = module("urllib3")

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def init_poolmanager(self, connections, maxsize, block=False):
            self.poolmanager = urllib3.PoolManager(
                num_pools=connections, maxsize=maxsize, block=block, ca_certs=certs.ca
            )

    response = mounted(world, Adapter()).get(tls_server.at("localhost") + "/get")

    assert type(response.raw).__module__ == "requestx._raw"


def test_a_poolmanager_with_connections_of_its_own_sends_itself(world, server, module):
    """A subclass of urllib3's brings its transport along, as for unix sockets."""
    urllib3 = module("urllib3")

    class Manager(urllib3.PoolManager):
        pass

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def init_poolmanager(self, connections, maxsize, block=False):
            self.poolmanager = Manager(num_pools=connections, maxsize=maxsize, block=block)

    response = mounted(world, Adapter()).get(server.url + "/json")

    assert isinstance(response.raw, urllib3.HTTPResponse)
    assert response.json()["name"] == "value"


def test_chunks_follow_each_other_on_a_kept_connection(world, wire):
    """An adapter of a subclass keeps connections as ours does."""

    class Adapter(world.requestx.adapters.HTTPAdapter):
        def request_url(self, request, proxies):
            return request.path_url

    site = wire(serve(b"one") + [request(), send(answer(b"two"))])
    session = mounted(world, Adapter())

    assert [session.get(site.url).content for _ in range(2)] == [b"one", b"two"]
