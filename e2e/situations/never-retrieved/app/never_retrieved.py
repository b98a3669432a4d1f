import asyncio
import gc
import logging


async def fail():
    raise ValueError("lost")


async def lose():
    task = asyncio.ensure_future(fail())
    await asyncio.sleep(0.01)
    del task
    gc.collect()


async def forget():
    fail()
    gc.collect()


def main():
    logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
    asyncio.run(lose())
    asyncio.run(lose(), debug=True)
    asyncio.run(forget())
