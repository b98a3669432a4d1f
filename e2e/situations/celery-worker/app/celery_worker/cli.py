import os
import signal
import subprocess
import sys

from celery import Celery

for name in ("in", "kept"):
    os.makedirs(f"queue/{name}", exist_ok=True)
app = Celery(
    "celery_worker.cli", broker="filesystem://", backend="file://results", include=["celery_worker.tasks"]
)
app.conf.broker_transport_options = {
    "data_folder_in": "queue/in",
    "data_folder_out": "queue/in",
    "processed_folder": "queue/kept",
}


def main():
    os.makedirs("results", exist_ok=True)
    command = [
        "-m",
        "celery",
        "-A",
        "celery_worker.cli",
        "worker",
        "-c",
        "1",
        "--without-gossip",
        "--without-mingle",
        "-l",
        "ERROR",
    ]
    worker = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        print(app.send_task("celery_worker.tasks.square", (7,)).get(timeout=40))
    finally:
        worker.send_signal(signal.SIGTERM)
        errors = worker.communicate()[1]
    print(worker.returncode, errors if "Traceback" in errors else "")
