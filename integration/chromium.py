"""A headless Chromium, driven by the DevTools protocol over a pipe, for all tests of pages.

https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

#: Chromium reads commands from descriptor 3, and writes to 4.
_COMMANDS, _ANSWERS = 3, 4
#: Seconds that any command may take on a busy machine.
_PATIENCE = 120.0

_KEYS: Mapping[str, tuple[str, int, str]] = {
    "Enter": ("Enter", 13, "\r"),
    "Escape": ("Escape", 27, ""),
    "Tab": ("Tab", 9, ""),
    "ArrowLeft": ("ArrowLeft", 37, ""),
    "ArrowUp": ("ArrowUp", 38, ""),
    "ArrowRight": ("ArrowRight", 39, ""),
    "ArrowDown": ("ArrowDown", 40, ""),
}


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A running Chromium that keeps what it must in the directory `profile`."""
    assert PROGRAM is not None
    commands, answers = _pipe(), _pipe()

    def place() -> None:
        os.dup2(commands[0], _COMMANDS)
        os.dup2(answers[1], _ANSWERS)

    process = subprocess.Popen(
        [
            PROGRAM,
            *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
            *("--disable-dev-shm-usage", "--disable-background-networking", "--force-color-profile=srgb"),
            *("--remote-debugging-pipe", f"--user-data-dir={profile}"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(_COMMANDS, _ANSWERS),
        preexec_fn=place,
        start_new_session=True,
    )
    os.close(commands[0])
    os.close(answers[1])
    try:
        yield Browser(commands[1], answers[0])
    finally:
        os.close(commands[1])
        os.close(answers[0])
        process.terminate()
        process.wait()
        # Those of its processes that outlive it would still write to the profile.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _pipe() -> tuple[int, int]:
    """The ends of a pipe, with numbers that Chromium's are not."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved[0], moved[1]


class Browser:
    """Sends commands, and keeps events until someone wants them."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """The result of a command. Raises AssertionError when Chromium refuses it."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            command["sessionId"] = session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while (message := self._read()).get("id") != self._number:
            self.events.append(message)
        assert "error" not in message, message["error"]
        result: dict[str, Any] = message["result"]
        return result

    def wait_for(self, method: str, session: str) -> None:
        """Waits for an event that did not come yet."""
        while True:
            self.events.append(message := self._read())
            if (message.get("method"), message.get("sessionId")) == (method, session):
                return

    def _read(self) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(self._answers, 1 << 20) if ready else b""
            assert data, "chromium does not answer"
            self._buffer += data
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message

    def open(self, page: Path | str, width: int = 1200, height: int = 900, *, scheme: str = "light") -> Tab:
        """A tab with a page, which is a file or at an address, `width` and `height` in CSS pixels."""
        address = page if isinstance(page, str) else page.absolute().as_uri()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, target, session)
        for domain in ("Page", "Runtime", "Network", "Log"):
            tab.call(f"{domain}.enable")
        tab.resize(width, height)
        tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        tab.call("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired", session)
        return tab


class Tab:
    """A page and what happened in it."""

    def __init__(self, browser: Browser, target: str, session: str) -> None:
        self._browser, self._target, self._session = browser, target, session

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, or of what it promises. Raises AssertionError."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def resize(self, width: int, height: int) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        self.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    def press(self, *keys: str) -> None:
        """Presses keys one after another, as a keyboard does."""
        for key in keys:
            name, code, text = _KEYS[key]
            facts = {"key": name, "code": name, "windowsVirtualKeyCode": code}
            self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **facts)
            self.call("Input.dispatchKeyEvent", type="keyUp", **facts)
            self.evaluate("new Promise((done) => setTimeout(done))")

    def click(self, element: str) -> None:
        """Clicks into the middle of the element that the JavaScript expression gives."""
        self.evaluate(f"({element}).scrollIntoView({{block: 'center'}})")
        box = self.evaluate(f"(({element}).getBoundingClientRect()).toJSON()")
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)
        self.evaluate("new Promise((done) => setTimeout(done))")

    def violations(self, *rules: str) -> list[list[Any]]:
        """What axe finds (https://github.com/dequelabs/axe-core): rule and elements, each with what to mend.

        All rules, if none is named.
        """
        script = resources.files("axe_core_python").joinpath("axe.min.js")
        self.evaluate(f"void (window.axe || eval({json.dumps(script.read_text(encoding='utf-8'))}))")
        options = json.dumps({"runOnly": rules} if rules else {})
        found: list[list[Any]] = self.evaluate(
            f"axe.run({options}).then(({{ violations }}) => violations.map(({{ id, nodes }}) =>"
            " [id, nodes.map(({ html, failureSummary }) => [html, failureSummary])]))"
        )
        return found

    def screenshot(self) -> bytes:
        """The visible part, as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)

    @property
    def requests(self) -> list[str]:
        """The addresses that the page asked for, in order."""
        return [event["request"]["url"] for event in self._events("Network.requestWillBeSent")]

    @property
    def complaints(self) -> list[Any]:
        """Errors and warnings of the console, exceptions, and what the policy refused."""
        return [
            *(event["exceptionDetails"] for event in self._events("Runtime.exceptionThrown")),
            *(event["args"] for event in self._events("Runtime.consoleAPICalled")),
            *(event["entry"]["text"] for event in self._events("Log.entryAdded")),
        ]

    def _events(self, method: str) -> list[dict[str, Any]]:
        return [
            event["params"]
            for event in self._browser.events
            if event.get("method") == method and event.get("sessionId") == self._session
        ]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if PROGRAM is None:
        pytest.skip("needs chromium (python3 check.py installs it)")
    with chromium(tmp_path_factory.mktemp("profile")) as running:
        yield running
