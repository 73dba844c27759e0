"""Judged by others: jupyter_kernel_test, the debugger's protocol, questions to the reader."""

from __future__ import annotations

import itertools
import tempfile
from typing import Any, ClassVar

import jupyter_kernel_test
import pytest
from kernels.live_kernel import LiveKernel, live_kernel

from kamp_lib.kernels import client, jupyter_path

pytestmark = pytest.mark.e2e


class TestForked(jupyter_kernel_test.KernelTests):
    """Everything that jupyter_kernel_test asks, with samples for all of its tests."""

    kernel_name = "kamp"
    language_name = "python"
    file_extension = ".py"
    code_hello_world = "print('hello, world')"
    code_stderr = "import sys; print('test', file=sys.stderr)"
    completion_samples: ClassVar = [{"text": "zi", "matches": {"zip"}}]
    complete_code_samples: ClassVar = ["1", "print('x')", "def f(x):\n  return x\n\n\n"]
    incomplete_code_samples: ClassVar = ["print('''hello", "def f(x):\n  x*2"]
    invalid_code_samples: ClassVar = ["import = 7q"]
    code_page_something = "zip?"
    code_generate_error = "raise"
    code_execute_result: ClassVar = [{"code": "6*7", "result": "42"}]
    code_display_data: ClassVar = [
        {
            "code": "from IPython.display import HTML, display; display(HTML('<b>x</b>'))",
            "mime": "text/html",
        }
    ]
    # the other two do not agree with what the stock kernel of IPython 9 answers
    supported_history_operations = ("tail",)
    code_inspect_sample = "zip"
    code_clear_output = "from IPython.display import clear_output; clear_output()"

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory(prefix="kk-")
        cls.variables = pytest.MonkeyPatch()
        cls.variables.setenv("JUPYTER_RUNTIME_DIR", cls.folder.name)
        cls.variables.setenv("IPYTHONDIR", f"{cls.folder.name}/ipython")
        cls.variables.setenv("JUPYTER_PATH", str(jupyter_path()))
        super().setUpClass()

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        cls.variables.undo()
        client.let_go()
        cls.folder.cleanup()

    def test_it_is_this_kernel_that_was_tested(self) -> None:
        process = type(self.km.provisioner.process).__name__  # type: ignore[union-attr]
        assert (process == "ForkedKernel") == (self.kernel_name == "kamp")


@pytest.mark.long
class TestStock(TestForked):
    """The same with the stock kernel: the measure."""

    kernel_name = "python3"


@pytest.mark.usefixtures("kernels")
def test_a_question_reaches_the_reader_and_the_answer_the_cell() -> None:
    with live_kernel() as kernel:
        asked = []

        def answer(message: dict[str, Any]) -> None:
            asked.append(message["content"]["prompt"])
            kernel.client.input("프레스")

        code = "import getpass; print(input('설비? '), getpass.getpass('암호? '))"
        said = kernel.said(code, allow_stdin=True, stdin_hook=answer)
        assert said == "프레스 프레스\n"
        assert asked == ["설비? ", "암호? "]


class _Debugger:
    """The side of the protocol that JupyterLab has."""

    def __init__(self, kernel: LiveKernel) -> None:
        self.client = kernel.client
        self.numbers = itertools.count(1)

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        content = {
            "type": "request",
            "seq": next(self.numbers),
            "command": command,
            "arguments": arguments,
        }
        message = self.client.session.msg("debug_request", content)
        self.client.control_channel.send(message)
        reply = self.client.get_control_msg(timeout=20)
        assert reply["content"]["success"], reply["content"]
        return reply["content"].get("body", {})

    def event(self, name: str) -> dict[str, Any]:
        for _ in range(100):
            message = self.client.get_iopub_msg(timeout=20)
            if message["content"].get("event") == name:
                return message["content"]["body"]
        raise AssertionError(f"no event {name}")


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize(
    "name", ["kamp", pytest.param("python3", marks=pytest.mark.long)]
)
def test_the_debugger_stops_at_a_breakpoint_and_shows_the_variables(name: str) -> None:
    code = "def f(x):\n    y = x + 1\n    return y\nresult = f(41)"
    with live_kernel(name) as kernel:
        debugger = _Debugger(kernel)
        debugger.ask(
            "initialize",
            clientID="test",
            adapterID="",
            pathFormat="path",
            linesStartAt1=True,
            columnsStartAt1=True,
        )
        debugger.ask("attach")
        path = debugger.ask("dumpCell", code=code)["sourcePath"]
        found = debugger.ask(
            "setBreakpoints", source={"path": path}, breakpoints=[{"line": 3}]
        )
        assert found["breakpoints"][0]["verified"]
        debugger.ask("configurationDone")
        kernel.client.execute(code)
        thread = debugger.event("stopped")["threadId"]
        [frame, *_] = debugger.ask("stackTrace", threadId=thread)["stackFrames"]
        assert (frame["name"], frame["line"]) == ("f", 3)
        [scope, *_] = debugger.ask("scopes", frameId=frame["id"])["scopes"]
        reference = scope["variablesReference"]
        variables = debugger.ask("variables", variablesReference=reference)["variables"]
        assert {"x": "41", "y": "42"}.items() <= {
            v["name"]: v["value"] for v in variables
        }.items()
        debugger.ask("continue", threadId=thread)
        debugger.ask("disconnect", restart=False, terminateDebuggee=False)
        assert kernel.value("result") == 42


@pytest.mark.usefixtures("kernels")
def test_the_debugger_steps_into_libraries_that_were_imported_beforehand() -> None:
    with live_kernel("kamp") as kernel:
        internal = kernel.value("get_ipython().kernel.debugger.kernel_modules")
        assert any("/ipykernel/" in file for file in internal)
        for library in ("pandas", "sklearn", "matplotlib", "ipywidgets"):
            assert not any(f"/{library}/" in file for file in internal), library
