import stat

import msgspec
import pytest

from acmx.cli.session.profiles import Profile, load, save
from acmx.domain.errors import FaultyInput, Misconfigured


def profile(name, session):
    return Profile(name, "https://acm.example", session, "PEM")


def test_a_profile_is_for_its_owner_alone(home, session):
    save(profile("okoye", session))
    file = home / "profiles" / "okoye.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    save(profile("okoye", msgspec.structs.replace(session, token="newer")))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["okoye.json"]


def test_the_last_log_on_is_the_default(home, session):
    save(profile("okoye@mc.fire.example", session))
    save(profile("silva", session))
    assert load(None) == profile("silva", session)
    assert load("okoye@mc.fire.example").name == "okoye@mc.fire.example"


@pytest.mark.parametrize("name", [None, "nobody"])
def test_without_a_log_on_the_way_to_one_is_said(home, name):
    with pytest.raises(Misconfigured, match="acmx login"):
        load(name)


@pytest.mark.parametrize("name", ["", "../evil", "a/b", ".hidden", "-x", "a\n", "x" * 300])
def test_a_profile_name_is_no_path(home, session, name):
    with pytest.raises(FaultyInput):
        save(profile(name, session))
    assert not home.exists()


def test_a_damaged_profile_is_named(home, session):
    save(profile("okoye", session))
    (home / "profiles" / "okoye.json").write_text("{")
    with pytest.raises(Misconfigured, match=r"okoye\.json"):
        load("okoye")
