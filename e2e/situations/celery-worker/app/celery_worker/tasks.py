from celery import shared_task


@shared_task
def square(number):
    import colorsys

    return [number * number, colorsys.__name__]
