import json
import os
import socket
import subprocess
import sys
import threading
import time


class Client:
    def __init__(self, port):
        for _ in range(400):
            try:
                self.connection = socket.create_connection(("127.0.0.1", port), 30)
                break
            except OSError:
                time.sleep(0.05)
        self.stream = self.connection.makefile("rb")
        self.number = 0

    def send(self, command, **arguments):
        self.number += 1
        message = json.dumps(
            {"seq": self.number, "type": "request", "command": command, "arguments": arguments}
        )
        self.connection.sendall(f"Content-Length: {len(message)}\r\n\r\n{message}".encode())

    def read(self, wanted):
        while True:
            length = int(self.stream.readline().split(b":")[1])
            self.stream.readline()
            message = json.loads(self.stream.read(length))
            if wanted in (message.get("command"), message.get("event")):
                return message.get("body")


def main():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    words = [
        "-m",
        "debugpy",
        "--listen",
        str(port),
        "--wait-for-client",
        "script.py",
    ]
    child = subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    watch = threading.Timer(50, child.kill)
    watch.start()
    client = Client(port)
    client.send("initialize", adapterID="situation")
    client.read("initialize")
    client.send("attach", justMyCode=False)
    client.read("initialized")
    client.send("setBreakpoints", source={"path": os.path.abspath("script.py")}, breakpoints=[{"line": 7}])
    print([each["verified"] for each in client.read("setBreakpoints")["breakpoints"]])
    client.send("configurationDone")
    stopped = client.read("stopped")
    print(stopped["reason"])
    client.send("stackTrace", threadId=stopped["threadId"])
    frames = client.read("stackTrace")["stackFrames"][:2]
    print([(frame["name"], frame["line"], os.path.basename(frame["source"]["path"])) for frame in frames])
    client.send("continue", threadId=stopped["threadId"])
    client.read("continue")
    client.send("disconnect", terminateDebuggee=False)
    client.read("disconnect")
    client.connection.close()
    print(child.communicate(), child.returncode)
    watch.cancel()
