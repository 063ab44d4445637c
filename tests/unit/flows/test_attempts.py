from acmx.flows.people.attempts import MOST, Attempts

HERE, THERE = "192.0.2.1", "192.0.2.2"


class Seconds:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def fail(attempts, name, address, times):
    return [attempts.failed(name, address) for _ in range(times)][-1]


def test_a_wait_grows_to_a_quarter_of_an_hour_and_not_beyond():
    attempts = Attempts(seconds := Seconds())
    assert fail(attempts, "okoye", HERE, 4) == 0
    waits = []
    for _ in range(8):
        waits.append(attempts.failed("okoye", HERE))
        seconds.now += waits[-1]
        assert attempts.wait("okoye", HERE) == 0
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


def test_one_address_does_not_lock_the_others_out():
    attempts = Attempts(Seconds())
    fail(attempts, "okoye", HERE, 5)
    assert attempts.wait("okoye", HERE) == 30
    assert attempts.wait("okoye", THERE) == 0
    assert attempts.wait("silva", HERE) == 0


def test_many_addresses_together_slow_a_name_down_but_not_where_that_person_logs_on():
    attempts = Attempts(Seconds())
    attempts.succeeded("okoye", HERE)
    for n in range(100):
        attempts.failed("okoye", f"198.51.100.{n}")
    assert attempts.wait("okoye", THERE) == 60
    assert attempts.wait("okoye", HERE) == 0
    assert attempts.wait("silva", THERE) == 0


def test_one_address_may_not_try_many_names():
    attempts = Attempts(Seconds())
    for n in range(50):
        attempts.failed(f"name.{n}", HERE)
    assert attempts.wait("okoye", HERE) == 30
    assert attempts.wait("okoye", THERE) == 0


def test_a_success_forgives_the_failures_before_it():
    attempts = Attempts(Seconds())
    fail(attempts, "okoye", HERE, 4)
    attempts.succeeded("okoye", HERE)
    assert fail(attempts, "okoye", HERE, 4) == 0


def test_failures_are_forgotten_after_an_hour_without_one():
    attempts = Attempts(seconds := Seconds())
    fail(attempts, "okoye", HERE, 4)
    seconds.now += 3601
    assert fail(attempts, "okoye", HERE, 4) == 0


def test_unlocking_a_name_ends_every_wait_for_it():
    attempts = Attempts(Seconds())
    for n in range(30):
        attempts.failed("okoye", THERE)
        attempts.failed("okoye", f"198.51.100.{n}")
        attempts.failed("silva", f"198.51.100.{n}")
    attempts.unlock("okoye")
    assert attempts.wait("okoye", THERE) == attempts.wait("okoye", HERE) == 0
    assert attempts.wait("silva", HERE) > 0


def test_what_is_remembered_is_bounded():
    attempts = Attempts(Seconds())
    for n in range(MOST):
        attempts.failed(f"name.{n}", f"address {n}")
        attempts.succeeded(f"name.{n}", f"address {n}")
    assert len(attempts._failures) <= MOST
    assert len(attempts._known) <= MOST


def test_all_of_an_ipv6_network_is_one_address():
    attempts = Attempts(Seconds())
    for n in range(5):
        attempts.failed("okoye", f"2001:db8:0:1::{n}")
    assert attempts.wait("okoye", "2001:db8:0:1:9::9") == 30
    assert attempts.wait("okoye", "2001:db8:0:2::1") == 0
    attempts.succeeded("silva", "2001:db8:0:1::7")
    for n in range(100):
        attempts.failed("silva", f"198.51.100.{n}")
    assert attempts.wait("silva", "2001:db8:0:1::8") == 0


def test_who_is_sent_by_the_provider_is_counted_by_address_alone():
    attempts = Attempts(Seconds())
    fail(attempts, None, HERE, 50)
    assert attempts.wait(None, HERE) == attempts.wait("okoye", HERE) == 30
    assert attempts.wait(None, THERE) == 0
