"""The container file, as far as it can be judged without building it: no container runtime is needed."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
LINES = re.sub(r"\\\n", " ", (ROOT / "deploy" / "Containerfile").read_text()).splitlines()
STEPS = [line.split(maxsplit=1) for line in LINES if line and not line.startswith("#")]


def of(instruction: str) -> list[str]:
    return [rest for name, rest in STEPS if name == instruction]


def test_every_instruction_is_one_and_nothing_is_fetched_by_url() -> None:
    known = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in STEPS} <= known


def test_it_runs_as_nobody_known() -> None:
    (user,) = of("USER")
    assert user == "10001:10001"
    after = [name for name, _ in STEPS[[name for name, _ in STEPS].index("USER") :]]
    assert "RUN" not in after
    assert "COPY" not in after


def test_images_and_tools_have_versions() -> None:
    assert all(re.search(r":\d+\.\d+-", image) for image in of("FROM"))
    assert all("==" in run for run in of("RUN") if "pip install" in run)


def test_what_is_copied_is_there_and_not_ignored() -> None:
    kept = (ROOT / ".dockerignore").read_text().splitlines()
    for copied in of("COPY"):
        if not copied.startswith("--from"):
            for source in copied.split()[:-1]:
                assert (ROOT / source).exists()
                assert f"!{source}" in kept


def test_what_the_build_needs_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    copied = " ".join(of("COPY"))
    for needed in (project["readme"], *project["license-files"], "uv.lock", "src"):
        assert needed in copied


def test_nothing_is_left_out_that_a_configuration_may_ask_for() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (built,) = (run for run in of("RUN") if "uv sync" in run)
    assert {*re.findall(r"--extra (\S+)", built)} == {*extras}


def test_ports_and_directory_are_those_of_the_program() -> None:
    assert of("EXPOSE") == ["8441 8442"]
    assert of("CMD") == ['["serve", "/var/lib/acmx"]']
    assert of("VOLUME") == ["/var/lib/acmx"]
