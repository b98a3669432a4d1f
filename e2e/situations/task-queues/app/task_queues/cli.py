import subprocess
import sys

import dramatiq
import fakeredis
from dramatiq.brokers.stub import StubBroker
from rq import Queue, SimpleWorker

from task_queues import jobs
from task_queues.queue import app


def main():
    app.conf.task_always_eager = True
    app.autodiscover_tasks(["task_queues"], "work", force=True)
    print(
        sorted(name for name in app.tasks if "task_queues" in name),
        app.tasks["task_queues.work.add"].delay(1, 2).get(),
    )
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "task_queues.queue", "inspect", "--help"],
        capture_output=True,
        text=True,
    )
    print(done.returncode, done.stdout.partition("\n")[0], done.stderr)
    broker = StubBroker()
    dramatiq.set_broker(broker)
    actor = dramatiq.actor(jobs.shout, broker=broker)
    worker = dramatiq.Worker(broker, worker_timeout=50)
    worker.start()
    actor.send("dramatic")
    broker.join(actor.queue_name)
    worker.join()
    worker.stop()
    print(jobs.HEARD)
    connection = fakeredis.FakeStrictRedis()
    job = Queue(connection=connection).enqueue("task_queues.jobs.twice", 4)
    SimpleWorker([Queue(connection=connection)], connection=connection).work(
        burst=True, logging_level="ERROR"
    )
    print(job.get_status(), job.return_value())
