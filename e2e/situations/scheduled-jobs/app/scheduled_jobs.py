import datetime
import time

from apscheduler.schedulers.background import BackgroundScheduler
from huey import SqliteHuey

huey = SqliteHuey("tasks", filename="huey.db", immediate=False)
DONE = []


def job(word):
    DONE.append(word)


@huey.task()
def twice(number):
    return number * 2


def main():
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_jobstore("sqlalchemy", url="sqlite:///jobs.db")
    now = datetime.datetime.now(datetime.timezone.utc)
    scheduler.add_job("scheduled_jobs:job", "date", args=["by name"], run_date=now)
    scheduler.start()
    for _ in range(300):
        if DONE:
            break
        time.sleep(0.01)
    for _ in range(300):
        if not scheduler.get_jobs():
            break
        time.sleep(0.01)
    scheduler.shutdown()
    print(DONE)
    result = twice(21)
    huey.execute(huey.dequeue())
    print(result(blocking=True, timeout=5))
