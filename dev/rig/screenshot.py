# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""A picture of a page of Odoo's web client, by headless Chromium.

Runs in the venv (it needs websocket-client), see `dev/screenshot --help`.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

import websocket

from dev.rig import chromium

LOGIN = """
(() => {
  const form = document.querySelector("form.oe_login_form");
  form.querySelector("[name=login]").value = %s;
  form.querySelector("[name=password]").value = %s;
  form.submit();
})()
"""
IDLE = """
document.readyState === "complete"
  && !document.querySelector(".o_loading_indicator, .o_blockUI")
  && (!document.querySelector(".o_web_client")
      || !!document.querySelector(".o_action_manager > *"))
"""
CLICK = """
(() => {
  const found = document.querySelector(%s);
  if (found) found.click();
  return !!found;
})()
"""
QUIET_SECONDS = 0.8


class Page:
    """One tab, driven through Chromium's debugging protocol."""

    def __init__(self, address: str) -> None:
        self.socket = websocket.create_connection(address, suppress_origin=True)
        self.ids = itertools.count(1)
        self.loading: dict[str, str] = {}
        self.last_traffic = time.monotonic()
        for domain in ("Page", "Network", "Runtime"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params) -> dict:
        """Send a command and return its result."""
        number = next(self.ids)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        self.socket.settimeout(60)
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                return message.get("result", {})
            self._note(message)

    def listen(self, seconds: float) -> None:
        """Take in events for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            with contextlib.suppress(websocket.WebSocketTimeoutException):
                self._note(json.loads(self.socket.recv()))

    def _note(self, message: dict) -> None:
        method, params = message.get("method"), message.get("params", {})
        if (
            method == "Network.requestWillBeSent"
            and "/bus/" in params["request"]["url"]
        ):
            return  # the end of a shared worker's script is never reported here
        if method == "Network.requestWillBeSent":
            self.loading[params["requestId"]] = params["request"]["url"]
            self.last_traffic = time.monotonic()
        elif method in ("Network.loadingFinished", "Network.loadingFailed"):
            self.loading.pop(params["requestId"], None)
            self.last_traffic = time.monotonic()
        elif method == "Page.frameNavigated" and "parentId" not in params["frame"]:
            self.loading.clear()
        elif method == "Runtime.consoleAPICalled" and params["type"] == "error":
            texts = (
                str(arg.get("value", arg.get("description"))) for arg in params["args"]
            )
            print("console.error:", *texts, file=sys.stderr)
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            text = details.get("exception", {}).get("description", details.get("text"))
            print("exception:", text, file=sys.stderr)

    def evaluate(self, expression: str):
        """Return the value of a JavaScript expression."""
        answer = self.send(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        return answer.get("result", {}).get("value")

    def wait(self, condition, what: str, seconds: float) -> None:
        """Wait until a condition holds.

        :raises TimeoutError: it does not within `seconds`
        """
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"not within {seconds:.0f} s: {what}")
            self.listen(0.1)

    def wait_idle(self, seconds: float) -> None:
        """Wait until the page is complete and its traffic has ceased."""

        def quiet():
            silent = time.monotonic() - self.last_traffic > QUIET_SECONDS
            return silent and not self.loading and self.evaluate(IDLE)

        try:
            self.wait(quiet, "the page to be idle", seconds)
        except TimeoutError as error:
            raise TimeoutError(
                f"{error}; loading: {list(self.loading.values())}"
            ) from error

    def open(self, url: str, seconds: float) -> None:
        """Go to a page and wait until it is there."""
        self.send("Page.navigate", url=url)
        self.listen(0.3)
        self.wait_idle(seconds)


@contextlib.contextmanager
def browser(width: int, height: int):
    """Start Chromium; give the debugging address of its tab."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [chromium.required(), *chromium.FLAGS, "--remote-debugging-port=0"]
            + [
                f"--user-data-dir={profile}",
                f"--window-size={width},{height}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield _tab(Path(profile) / "DevToolsActivePort", process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()


def _tab(port_file: Path, process) -> str:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        lines = port_file.read_text().split() if port_file.exists() else []
        if len(lines) == 2:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{lines[0]}/json/list"
            ) as answer:
                for target in json.load(answer):
                    if target["type"] == "page":
                        return target["webSocketDebuggerUrl"]
        time.sleep(0.1)
    raise TimeoutError("Chromium did not start")


def take(options) -> None:
    """Take the picture the options describe."""
    with browser(options.width, options.height) as address:
        page = Page(address)
        page.send(
            "Emulation.setDeviceMetricsOverride",
            width=options.width,
            height=options.height,
            deviceScaleFactor=1,
            mobile=False,
        )
        if options.login:
            page.open(urljoin(options.url, "/web/login"), options.timeout)
            password = options.password or options.login
            page.evaluate(LOGIN % (json.dumps(options.login), json.dumps(password)))
            page.listen(0.3)
            page.wait_idle(options.timeout)
        page.open(options.url, options.timeout)
        for selector in options.click:
            page.wait(
                lambda s=selector: page.evaluate(CLICK % json.dumps(s)),
                selector,
                options.timeout,
            )
            page.listen(0.3)
            page.wait_idle(options.timeout)
        if options.js:
            print(json.dumps(page.evaluate(options.js)))
            page.wait_idle(options.timeout)
        if options.wait_for:
            found = f"!!document.querySelector({json.dumps(options.wait_for)})"
            page.wait(lambda: page.evaluate(found), options.wait_for, options.timeout)
            page.wait_idle(options.timeout)
        picture = page.send("Page.captureScreenshot", format="png")["data"]
        Path(options.out).write_bytes(base64.b64decode(picture))


def _options(arguments):
    parser = argparse.ArgumentParser(prog="dev/screenshot", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("out", help="PNG file")
    parser.add_argument("--login", default="", help="log in as this user first")
    parser.add_argument(
        "--password", default="", help="(default: the same as the login)"
    )
    parser.add_argument("--width", type=int, default=1400)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument(
        "--click", action="append", default=[], help="CSS, may be repeated"
    )
    parser.add_argument(
        "--js", default="", help="JavaScript to run; its value is printed"
    )
    parser.add_argument("--wait-for", default="", help="CSS")
    parser.add_argument("--timeout", type=float, default=60)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        take(_options(sys.argv[1:]))
    except TimeoutError as problem:
        sys.exit(f"screenshot: {problem}")
