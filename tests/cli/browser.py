# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium, spoken to over two pipes (its DevTools protocol; a NUL ends each message)."""

import base64
import json
import os
import select
import subprocess
import time

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe"]  # fmt: skip
SECONDS = 60


class Browser:
    def __init__(self, user_data):
        read_end, self._requests = os.pipe()
        self._answers, write_end = os.pipe()
        # The browser reads from descriptor 3 and writes to 4.
        command = ["bash", "-c", f'exec "$@" 3<&{read_end} 4>&{write_end}', "bash", "chromium", *FLAGS,
                   f"--user-data-dir={user_data}", "about:blank"]  # fmt: skip
        self._process = subprocess.Popen(command, pass_fds=(read_end, write_end), stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        os.close(read_end)
        os.close(write_end)
        self._buffer = b""
        self._last = 0
        self.events = []

    def call(self, method, session=None, **parameters):
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._requests, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + SECONDS
        while True:
            answer = self._receive(end)
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _receive(self, end):
        while b"\0" not in self._buffer:
            ready = select.select([self._answers], [], [], max(0, end - time.monotonic()))[0]
            chunk = os.read(self._answers, 1 << 16) if ready else b""
            assert chunk, "the browser says nothing"
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def close(self):
        try:
            self.call("Browser.close")
        finally:
            os.close(self._requests)
            os.close(self._answers)
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class Page:
    """A tab. What went wrong in it and what it asked for is in `problems` and `requests`."""

    def __init__(self, browser, width=1200, height=900, scheme="light"):
        self._browser = browser
        self._target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=self._target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.resize(width, height)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def call(self, method, **parameters):
        return self._browser.call(method, self._session, **parameters)

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")
        return self

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, condition):
        end = time.monotonic() + SECONDS
        while not self.evaluate(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.02)

    def click(self, element):
        """Where it can be seen, with a real mouse. `element`: an expression."""
        self.evaluate(f"({element}).scrollIntoView({{block: 'center'}})")
        box = self.evaluate(f"(({{x, y, width, height}}) => [x, y, width, height])(({element}).getBoundingClientRect())")
        # Near the corner: in the middle something else may be on top.
        x, y = box[0] + min(12, box[2] / 2), box[1] + min(9, box[3] / 2)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key):
        codes = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, ""), "ArrowLeft": (37, ""), "ArrowUp": (38, ""),
                 "ArrowRight": (39, ""), "ArrowDown": (40, "")}  # fmt: skip
        code, text = codes[key]
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    def screenshot(self):
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

    def _events(self, *methods):
        return [event["params"] for event in self._browser.events
                if event.get("sessionId") == self._session and event["method"] in methods]  # fmt: skip

    @property
    def requests(self):
        return [event["request"]["url"] for event in self._events("Network.requestWillBeSent")]

    @property
    def problems(self):
        return self._events("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")

    def close(self):
        self._browser.call("Target.closeTarget", targetId=self._target)
