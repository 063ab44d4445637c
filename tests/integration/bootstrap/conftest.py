"""An ACM server's directory as `create` makes it."""

import shutil

import pytest

from acmx.bootstrap.create import Settings, create


@pytest.fixture(scope="session")
def settings():
    return Settings(
        system="mc.police.example",
        name="Metropolitan Police",
        contact="+44 20 7946 0000",
        account="admin",
        mc_service_id="sip:admin@police.example",
        password="correct horse battery",
        acm1="127.0.0.1:0",
        acm2="[::1]:0",
        acm2_address="https://[2001:db8::1]:8442",
        hosts=("police.example", "mc.police.example"),
        phone_contexts=("police.example",),
        tel_prefixes=("+4420",),
        allow_local=True,
    )


@pytest.fixture(scope="session")
def pattern(tmp_path_factory, settings):
    directory = tmp_path_factory.mktemp("pattern") / "acm"
    create(directory, settings)
    return directory


@pytest.fixture
def directory(tmp_path, pattern):
    """A directory of one's own."""
    return shutil.copytree(pattern, tmp_path / "acm")
