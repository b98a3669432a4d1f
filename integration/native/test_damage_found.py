"""An installation that a cleaner, a power cut or a person damaged is mended, or the start says how.

What a power cut leaves is made by hand: files of zeros in an installation whose last use was before the
system was started. Days pass in a time namespace, in which it was started long ago (time_namespaces(7)).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from czscie.container.manifest import Command
from integration.native.application import Make
from integration.native.small_scie import SmallScie, installed, make_small_scie
from integration.native.test_faults import (
    ANOTHER_USER,
    assert_refused,
    assert_started,
    in_namespace,
    root_only,
    run,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts Linux programs")

DAY = 86400
YEARS = 3 * 365 * DAY
#: Where the system was started years ago.
LONG_RUNNING = ("unshare", "--time", f"--boottime={YEARS}", "--fork")

#: Of the small scie: in a group, in an entry by itself, empty, and the program; and a link.
FILES = ("lib/text", "lib/numbers", "lib/empty", "bin/python")
LINK = "bin/python3"


@pytest.fixture(scope="module")
def scie(tmp_path_factory: pytest.TempPathFactory) -> SmallScie:
    return make_small_scie(tmp_path_factory.mktemp("small"))


@pytest.fixture
def base(scie: SmallScie, tmp_path: Path) -> Path:
    """A base directory that is not temporary, with the installation."""
    assert_started(scie.start(tmp_path / "base"))
    return tmp_path / "base"


#: Who has no home: root has a base directory of its own.
HOMELESS = ANOTHER_USER if os.geteuid() == 0 else os.geteuid()
AS_HOMELESS = ["setpriv", f"--reuid={HOMELESS}", f"--regid={HOMELESS}", "--clear-groups"]


@pytest.fixture
def temporary(scie: SmallScie, tmp_path: Path) -> Path:
    """A base directory below TMPDIR, with the installation."""
    let_in(scie.path.parent, tmp_path)
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    assert_started(start_in_temporary(scie, tmp_path / "tmp"))
    return tmp_path / f"tmp/czscie-{HOMELESS}"


def let_in(*directories: Path) -> None:
    """Lets every user go into directories of this test."""
    for directory in directories:
        for each in (directory, *directory.parents):
            if each == Path(tempfile.gettempdir()):
                break
            each.chmod(each.stat().st_mode | 0o755)


def start_in_temporary(scie: SmallScie, directory: Path) -> subprocess.CompletedProcess[str]:
    prefix = AS_HOMELESS if os.geteuid() == 0 else []
    return run([*prefix, scie.path], {"TMPDIR": str(directory), "PATH": os.environ["PATH"]})


def start_long_running(scie: SmallScie, base: Path) -> subprocess.CompletedProcess[str]:
    return run([*LONG_RUNNING, scie.path], {"CZSCIE_BASE": str(base), "PATH": os.environ["PATH"]})


def root_of(base: Path) -> Path:
    [root] = [path for path in base.glob("interpreters/*") if path.suffix != ".partial"]
    return root


def assert_whole(scie: SmallScie, base: Path) -> None:
    assert installed(base) == scie.contents
    assert (root_of(base) / LINK).readlink() == Path("python")
    assert os.access(root_of(base) / "bin/python", os.X_OK)
    assert not list(base.glob("*/*.partial"))


def used(base: Path, when: float) -> None:
    """Says that the installation was used last at `when`, in seconds since 1970."""
    os.utime(root_of(base), (when, when))


def zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def make_a_directory(path: Path) -> None:
    path.unlink()
    (path / "in").mkdir(parents=True)


def lead_elsewhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere")


def take_execution(path: Path) -> None:
    path.chmod(0o644)


#: Each of what names, sizes and modes tell, and what it is done to.
SEEN_BY_SIZE = [
    *[(Path.unlink, name) for name in (*FILES, LINK)],
    *[(truncate, name) for name in FILES if name != "lib/empty"],
    *[(make_a_directory, name) for name in (*FILES, LINK)],
    *[(lead_elsewhere, name) for name in (*FILES, LINK)],
    (take_execution, "bin/python"),
    (shutil.rmtree, "lib"),
]
sized = pytest.mark.parametrize(
    ("damage", "name"), SEEN_BY_SIZE, ids=[f"{damage.__name__} {name}" for damage, name in SEEN_BY_SIZE]
)


@sized
def test_what_is_gone_from_a_temporary_directory_is_put_back_by_the_next_start(
    scie: SmallScie, temporary: Path, damage: Callable[[Path], object], name: str
) -> None:
    damage(root_of(temporary) / name)
    for path in temporary.rglob("*"):
        os.chown(path, HOMELESS, -1, follow_symlinks=False)
    done = start_in_temporary(scie, temporary.parent)
    assert_started(done)
    assert done.stderr == ""
    assert_whole(scie, temporary)


@root_only
@sized
def test_elsewhere_it_is_put_back_once_a_day(
    scie: SmallScie, base: Path, damage: Callable[[Path], object], name: str
) -> None:
    damage(root_of(base) / name)
    used(base, time.time() - 2 * DAY)
    assert_started(start_long_running(scie, base))
    assert_whole(scie, base)
    assert time.time() - root_of(base).stat().st_mtime < 60


@root_only
def test_a_use_is_told_once_a_day_and_nothing_is_looked_at_before(scie: SmallScie, base: Path) -> None:
    (root_of(base) / "lib/numbers").unlink()
    for hours, told in ((23, False), (25, True)):
        when = time.time() - hours * 3600
        used(base, when)
        assert_started(start_long_running(scie, base))
        assert (root_of(base).stat().st_mtime > when + 1) == told
        assert (root_of(base) / "lib/numbers").exists() == told


@pytest.mark.parametrize("name", [name for name in FILES if name != "lib/empty"])
def test_zeros_that_a_power_cut_left_are_found_after_the_start_of_the_system(
    scie: SmallScie, base: Path, name: str
) -> None:
    zeros(root_of(base) / name)
    used(base, 0)
    assert_started(scie.start(base))
    assert_whole(scie, base)
    assert time.time() - root_of(base).stat().st_mtime < 60


def test_contents_are_compared_once_after_the_start_of_the_system(scie: SmallScie, base: Path) -> None:
    used(base, 0)
    assert_started(scie.start(base))
    zeros(root_of(base) / "lib/numbers")
    assert_started(scie.start(base))
    assert installed(base) != scie.contents


@pytest.mark.parametrize("damage", [zeros, truncate])
def test_a_time_in_the_future_is_a_reason_to_look_and_is_set_right(
    scie: SmallScie, base: Path, damage: Callable[[Path], object]
) -> None:
    damage(root_of(base) / "lib/numbers")
    used(base, time.time() + YEARS)
    assert_started(scie.start(base))
    assert_whole(scie, base)
    assert abs(time.time() - root_of(base).stat().st_mtime) < 60, "the next start has nothing to look at"


@pytest.mark.parametrize("damage", [zeros, truncate, Path.unlink, take_execution])
@pytest.mark.parametrize("name", ["lib/numbers", "bin/python"])
def test_a_part_that_another_application_installed_is_looked_at_after_the_start_of_the_system(
    scie: SmallScie, base: Path, tmp_path: Path, damage: Callable[[Path], object], name: str
) -> None:
    """A power cut came before the first start of a second application on the same interpreter."""
    second = make_small_scie(tmp_path, part_besides=True)
    damage(root_of(base) / name)
    used(base, 0)
    assert_started(second.start(base))
    assert_whole(scie, base)
    assert time.time() - root_of(base).stat().st_mtime < 60


def test_a_part_that_was_emptied_is_put_back_when_another_part_is_missing(
    scie: SmallScie, base: Path, tmp_path: Path
) -> None:
    second = make_small_scie(tmp_path, part_besides=True)
    root = root_of(base)
    shutil.rmtree(root)
    root.mkdir()
    assert_started(second.start(base))
    assert_whole(scie, base)


def replace_by_link(path: Path, elsewhere: Path) -> None:
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)


def test_what_a_link_in_place_of_a_directory_leads_to_is_put_back(
    scie: SmallScie, base: Path, tmp_path: Path
) -> None:
    """What the link leads to may be changed or cleaned by others, and is left as it is."""
    replace_by_link(root_of(base) / "lib", tmp_path / "elsewhere")
    used(base, 0)
    assert_started(scie.start(base))
    assert not (root_of(base) / "lib").is_symlink()
    assert_whole(scie, base)
    assert len(list((tmp_path / "elsewhere").iterdir())) == 3


def be_a_fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make_it", [Path.touch, be_a_fifo, lambda path: path.symlink_to("/nowhere")])
def test_something_else_with_the_name_of_an_installation_gives_way(
    scie: SmallScie, base: Path, make_it: Callable[[Path], object]
) -> None:
    root = root_of(base)
    shutil.rmtree(root)
    make_it(root)
    done = run([scie.path, "prune"], {"CZSCIE_BASE": str(base), "SCIE": "cache"})
    assert done.returncode == 0, done.stderr
    assert_started(scie.start(base))
    assert_whole(scie, base)


@pytest.mark.parametrize("name", ["lib/text", "lib/numbers"])
def test_verify_waits_for_no_fifo(scie: SmallScie, base: Path, name: str) -> None:
    (root_of(base) / name).unlink()
    os.mkfifo(root_of(base) / name)
    done = run([scie.path], {"CZSCIE_BASE": str(base), "SCIE": "verify"})
    assert done.returncode == 1
    assert f"{name}: not a regular file" in done.stdout


def test_verify_sees_that_a_directory_was_replaced_by_a_link(
    scie: SmallScie, base: Path, tmp_path: Path
) -> None:
    replace_by_link(root_of(base) / "lib", tmp_path / "elsewhere")
    done = run([scie.path], {"CZSCIE_BASE": str(base), "SCIE": "verify"})
    assert done.returncode == 1
    assert "lib: not a directory" in done.stdout


@pytest.mark.parametrize("make_it", [be_a_fifo, lambda path: path.symlink_to("../victim")])
def test_a_lock_that_is_no_file_is_neither_waited_for_nor_written_through(
    scie: SmallScie, base: Path, tmp_path: Path, make_it: Callable[[Path], object]
) -> None:
    (base / "victim").write_text("precious")
    [lock] = [path for path in (base / "locks").iterdir() if path.name != "removal"]
    lock.unlink()
    make_it(lock)
    shutil.rmtree(root_of(base))
    done = run([scie.path], {"CZSCIE_BASE": str(base), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert_started(done)
    assert f"cannot use {base} (CZSCIE_BASE): cannot lock files in it" in done.stderr
    assert (base / "victim").read_text() == "precious"


def test_of_several_parts_one_in_the_future_is_enough(make: Make) -> None:
    moo = make()
    moo.start()
    truncate(moo.root / "bin/say")
    os.utime(moo.root, (time.time() + YEARS,) * 2)
    moo.start()
    assert (moo.root / "bin/say").stat().st_size > 20


def test_what_is_sound_stays_the_same_file(scie: SmallScie, base: Path) -> None:
    """A process that runs from the installation loses nothing."""
    before = {name: (root_of(base) / name).stat().st_ino for name in FILES}
    with (root_of(base) / "lib/numbers").open("rb") as held:
        truncate(root_of(base) / "lib/text")
        zeros(root_of(base) / "bin/python")
        used(base, 0)
        assert_started(scie.start(base))
        assert held.read() == scie.contents["lib/numbers"]
    after = {name: (root_of(base) / name).stat().st_ino for name in FILES}
    assert {name for name in FILES if before[name] != after[name]} == {"lib/text", "bin/python"}


def test_a_running_program_goes_on_when_its_file_is_put_back(make: Make) -> None:
    moo = make(commands={"": Command(exe="/bin/sh", args=("-c", 'exec "$0" 60', "{cpython}/bin/sleep"))})
    moo.start()
    shutil.copy("/bin/sleep", moo.root / "bin/sleep")
    running = subprocess.Popen([moo.path], env={"CZSCIE_BASE": str(moo.base), "PATH": os.environ["PATH"]})
    try:
        (moo.root / "bin/say").unlink()
        os.utime(moo.root, (0, 0))
        moo.start(environment={"CZSCIE_BASE": str(moo.base), "PATH": os.environ["PATH"], "SCIE": "list"})
        assert running.poll() is None
    finally:
        running.kill()
        running.wait()


def test_the_first_module_is_put_back_before_python_misses_it(scie: SmallScie, base: Path) -> None:
    (root_of(base) / "lib/text").unlink()
    (root_of(base) / "lib/numbers").unlink()
    done = scie.start(base)
    assert_started(done)
    assert_whole(scie, base)


def test_a_program_that_cannot_be_executed_is_put_back(scie: SmallScie, base: Path) -> None:
    for damage in (Path.unlink, zeros, take_execution):
        damage(root_of(base) / "bin/python")
        assert_started(scie.start(base))
        assert_whole(scie, base)


def test_starts_at_once_after_the_start_of_the_system_all_succeed(scie: SmallScie, base: Path) -> None:
    for name in ("lib/text", "bin/python"):
        zeros(root_of(base) / name)
    used(base, 0)
    environment = {"CZSCIE_BASE": str(base)}
    starters = [
        subprocess.Popen([scie.path], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(8)
    ]
    for starter in starters:
        printed, said = starter.communicate(timeout=60)
        assert (starter.returncode, said) == (0, b"")
        assert printed.startswith(b"started\n")
    assert_whole(scie, base)


def test_kills_while_it_is_mended_leave_nothing_that_the_next_start_does_not_mend(
    scie: SmallScie, base: Path
) -> None:
    chance = random.Random(5)
    for number in range(60):
        for name in ("lib/text", "lib/numbers", "bin/python"):
            (root_of(base) / name).unlink(missing_ok=True)
        used(base, 0)
        starter = subprocess.Popen(
            [scie.path], env={"CZSCIE_BASE": str(base)}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        time.sleep(chance.random() * 0.004)
        starter.send_signal(signal.SIGKILL)
        _, said = starter.communicate(timeout=60)
        assert said == b""
        done = scie.start(base)
        assert_started(done)
        assert done.stderr == "", f"round {number}"
        assert_whole(scie, base)


# Where it cannot be mended

READ_ONLY = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift; exec "$@"'


@pytest.fixture
def foreign(scie: SmallScie, base: Path, tmp_path: Path) -> Callable[[], subprocess.CompletedProcess[str]]:
    """Starts from the base as a user who may read it, with a home of their own."""
    let_in(scie.path.parent, tmp_path)
    base.chmod(0o755)
    (tmp_path / "home").mkdir()
    os.chown(tmp_path / "home", ANOTHER_USER, ANOTHER_USER)
    environment = {"CZSCIE_BASE": str(base), "HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    return lambda: run([*AS_HOMELESS, scie.path], environment)


@root_only
@pytest.mark.parametrize("when", ["before the start of the system", "in the future"])
def test_what_is_damaged_where_only_root_can_write_is_passed_over(
    base: Path, tmp_path: Path, foreign: Callable[[], subprocess.CompletedProcess[str]], when: str
) -> None:
    (root_of(base) / "lib/numbers").unlink()
    used(base, 0 if when.startswith("before") else time.time() + YEARS)
    done = foreign()
    assert_started(done)
    assert f"{tmp_path}/home/.cache/czscie/interpreters/" in done.stdout
    assert done.stderr == (
        f"small: note: cannot use {base} (CZSCIE_BASE): its installation is damaged (lib/numbers) "
        f"and not writable; using {tmp_path}/home/.cache/czscie instead\n"
    )
    again = foreign()
    assert_started(again)
    assert again.stderr == "", "it is told once a day"


@root_only
def test_what_is_whole_where_only_root_can_write_is_used(
    base: Path, foreign: Callable[[], subprocess.CompletedProcess[str]]
) -> None:
    used(base, 0)
    done = foreign()
    assert_started(done)
    assert f"{base}/interpreters/" in done.stdout
    assert done.stderr == ""


@root_only
@pytest.mark.parametrize("name", ["bin/python", "lib/text"])
def test_a_read_only_base_that_lacks_the_program_or_the_first_module_is_passed_over(
    scie: SmallScie, base: Path, tmp_path: Path, name: str
) -> None:
    (root_of(base) / name).unlink()
    environment = {"CZSCIE_BASE": str(base), "HOME": str(tmp_path)}
    done = in_namespace(READ_ONLY, base, scie.path, environment=environment)
    assert_started(done)
    assert f"{tmp_path}/.cache/czscie/interpreters/" in done.stdout
    assert f"its installation is damaged ({name})" in done.stderr


@root_only
def test_without_another_base_the_damage_is_among_the_reasons(scie: SmallScie, base: Path) -> None:
    (root_of(base) / "lib/text").unlink()
    mounts = 'for each in /tmp /var/tmp /dev/shm /var/cache; do mount -t tmpfs -o ro tmpfs "$each"; done; '
    keep = (
        'mkdir -p /run/czscie-damage && mount --bind "$1" /run/czscie-damage && cp "$2" /run/czscie-damaged; '
    )
    script = keep + mounts + "mount -o remount,bind,ro /run/czscie-damage; exec /run/czscie-damaged"
    environment = {"CZSCIE_BASE": "/run/czscie-damage", "CZSCIE_MEMORY": "never"}
    try:
        done = in_namespace(script, base, scie.path, environment=environment)
    finally:
        Path("/run/czscie-damaged").unlink(missing_ok=True)
        Path("/run/czscie-damage").rmdir()
    assert_refused(
        done,
        "found no directory to unpack into",
        "/run/czscie-damage: its installation is damaged (lib/text) and not writable",
    )


def test_what_cannot_be_put_back_names_the_tools(scie: SmallScie, base: Path) -> None:
    zeros(root_of(base) / "lib/numbers")
    used(base, 0)
    inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=write:error=ENOSPC:when=1"]
    done = run([*inject, scie.path], {"CZSCIE_BASE": str(base), "PATH": os.environ["PATH"]})
    assert_refused(
        done,
        f"cannot repair the damaged installation in {base}: lib/numbers: no space left",
        f"`SCIE=verify {scie.path}` lists the damage, `SCIE=uninstall {scie.path}` removes the installation",
    )
    assert_started(scie.start(base))
    assert_whole(scie, base)


def test_a_program_that_cannot_be_started_names_the_tools(make: Make) -> None:
    moo = make(commands={"": Command(exe="{cpython}/bin/none")})
    for _ in ("cold", "warm"):
        done = moo.start()
        assert done.returncode == 1
        assert done.stderr.decode() == (
            f"moo: error: cannot start {moo.root}/bin/none: no such file or directory\n"
            f"hint: `SCIE=verify {moo.path}` lists the damage, `SCIE=uninstall {moo.path}` "
            "removes the installation; the next start installs it again\n"
        )


# Cleaners


@root_only
@pytest.mark.skipif(shutil.which("systemd-tmpfiles") is None, reason="there is no systemd-tmpfiles")
def test_what_systemd_tmpfiles_deletes_is_put_back(scie: SmallScie, temporary: Path) -> None:
    cleaner = temporary.parent / "cleaner.conf"
    cleaner.write_text(f"d {temporary.parent} - - - m:10d\n")
    aged(temporary, kept=("lib/text",))
    subprocess.run(["systemd-tmpfiles", "--clean", cleaner], check=True)
    assert installed(temporary) == {"lib/text": scie.contents["lib/text"]}
    done = start_in_temporary(scie, temporary.parent)
    assert_started(done)
    assert done.stderr == ""
    assert_whole(scie, temporary)


@root_only
@pytest.mark.skipif(shutil.which("systemd-tmpfiles") is None, reason="there is no systemd-tmpfiles")
def test_a_line_keeps_systemd_tmpfiles_away(scie: SmallScie, temporary: Path) -> None:
    """docs/reference/tools.md names the line for /tmp."""
    cleaner = temporary.parent / "cleaner.conf"
    cleaner.write_text(f"d {temporary.parent} - - - m:10d\nx {temporary.parent}/czscie-*\n")
    aged(temporary)
    subprocess.run(["systemd-tmpfiles", "--clean", cleaner], check=True)
    assert_whole(scie, temporary)


def aged(base: Path, kept: tuple[str, ...] = ()) -> None:
    """Makes all that is in the base old, for cleaners that look at the times of changes."""
    old = time.time() - 20 * DAY
    for path in sorted(base.rglob("*"), reverse=True):
        if not any(str(path).endswith(name) for name in kept):
            os.utime(path, (old, old), follow_symlinks=False)


def test_the_program_of_a_binding_is_put_back(make: Make) -> None:
    commands = {
        "": Command(exe="/bin/echo", args=("[{scie.bindings.told:NONE}]",)),
        "install": Command(exe="/bin/true"),
    }
    moo = make(commands=commands, bindings={"told": Command(exe="{cpython}/bin/say", args=("bound",))})
    assert moo.start(environment={"CZSCIE_BASE": str(moo.base), "SCIE_BOOT": "install"}).returncode == 0
    (moo.root / "bin/say").unlink()
    done = moo.start()
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().split() == [f"{moo.root}/bin/say", "bound", "[]"]
    assert moo.start().stdout == b"[]\n"
