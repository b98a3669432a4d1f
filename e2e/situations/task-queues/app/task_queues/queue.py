from celery import Celery

app = Celery("task_queues", broker="memory://", backend="cache+memory://")
