"""The names by which requests gave access to other packages, and what stands in for them."""

import importlib
import json
import subprocess
import sys
import warnings

import pytest

from requestx import adapters, compat, help, packages


def test_idna_and_chardet_are_the_packages_themselves():
    """Imported when they are named."""
    import idna

    assert packages.idna is idna
    assert packages.chardet is compat.chardet
    assert packages.chardet.detect(b"abc")["encoding"]
    assert importlib.import_module("requestx.packages.idna.core") is sys.modules["idna.core"]
    assert sys.modules["idna.core"].__spec__.name == "idna.core"


@pytest.fixture
def without_urllib3(monkeypatch):
    """As if it were not installed."""
    for name in [name for name in sys.modules if name.split(".")[0] == "urllib3" or ".packages.urllib3" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "urllib3", None)
    vars(packages).pop("urllib3", None)
    yield
    vars(packages).pop("urllib3", None)
    for name in [name for name in sys.modules if ".packages.urllib3" in name]:
        del sys.modules[name]


def test_a_stand_in_offers_names_and_disable_warnings(without_urllib3):
    """Most code wants no more of it."""
    urllib3 = packages.urllib3
    exceptions = importlib.import_module("requestx.packages.urllib3.exceptions")

    assert exceptions is urllib3.exceptions
    assert issubclass(exceptions.InsecureRequestWarning, exceptions.HTTPWarning)
    assert issubclass(exceptions.MaxRetryError, exceptions.HTTPError)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        urllib3.disable_warnings()
        warnings.warn("quiet", exceptions.InsecureRequestWarning, stacklevel=1)
    assert told == []


def test_what_the_stand_in_lacks_says_what_to_install(without_urllib3):
    """An ImportError that helps."""
    with pytest.raises(ImportError, match="install it to use urllib3.connection"):
        importlib.import_module("requestx.packages.urllib3.connection")


def test_the_stand_in_has_what_adapters_are_given(without_urllib3):
    """Retry for max_retries, and PoolManager to be put in the place of an adapter's own."""
    retry = importlib.import_module("requestx.packages.urllib3.util.retry").Retry
    manager = importlib.import_module("requestx.packages.urllib3.poolmanager").PoolManager
    adapter = adapters.HTTPAdapter(max_retries=retry(2))
    adapter.poolmanager = manager(num_pools=3, maxsize=3, block=False, assert_hostname=False)

    assert adapter.max_retries.total == 2
    assert adapter.poolmanager.connection_from_url("https://a/").assert_hostname is False


def test_unknown_names_are_attributeerrors():
    """As of any module."""
    for module in (packages, compat):
        with pytest.raises(AttributeError):
            module.nothing  # noqa: B018


def test_help_tells_versions(monkeypatch, capsys):
    """As JSON, for a bug report; a package without version does not stop it."""
    help.main()
    told = json.loads(capsys.readouterr().out)

    assert told["idna"]["version"] and told["system_ssl"]["version"] and told["requestx"]["version"]
    monkeypatch.setattr(help, "idna", None)
    assert help.info()["idna"] == {"version": ""}


def test_importing_us_imports_no_other_client():
    """Neither urllib3, nor what is needed seldom."""
    script = (
        "import sys, requestx.utils, requestx.compat, requestx.auth, requestx._prepare, requestx.packages\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'urllib3', 'requests', 'idna', 'chardet',"
        " 'charset_normalizer', 'certifi', 'asyncio', 'zipfile', 'netrc'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_help_is_a_command():
    """``python -m requestx.help`` prints JSON, whatever is installed."""
    done = subprocess.run([sys.executable, "-m", "requestx.help"], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout)["requestx"]["version"]
