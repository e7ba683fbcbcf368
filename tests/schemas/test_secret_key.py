import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from schemas.errors import FatalError
from schemas.secret_key import Seal, secret_key
from schemas.settings import Settings


def test_the_key_is_made_once_however_many_begin_at_a_time_and_nobody_else_may_read_it(settings):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secret_key(settings), range(8)))
    path = settings.home / "secret.key"
    assert keys == {path.read_text().strip()}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_of_the_settings_goes_first(settings):
    key = "k" * 40
    assert secret_key(Settings(home=settings.home, secret_key=key)) == key
    assert not (settings.home / "secret.key").exists()


def test_a_file_that_holds_no_key_is_named(settings):
    settings.make_home()
    (settings.home / "secret.key").write_text("short\n")
    with pytest.raises(FatalError, match=r"secret\.key holds no secret key"):
        secret_key(settings)


def test_what_was_sealed_opens_for_that_tenant_and_that_key_only():
    closed = Seal("k" * 40, "acme").close("whsec_secret")
    assert "secret" not in closed
    assert Seal("k" * 40, "acme").open(closed) == "whsec_secret"
    for other in (Seal("k" * 40, "globex"), Seal("x" * 40, "acme")):
        with pytest.raises(FatalError, match="secret key"):
            other.open(closed)
