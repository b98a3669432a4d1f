import asyncio
import concurrent.futures
import multiprocessing
import sys


def twice(x):
    return x * 2


async def work():
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import async_processes; print(async_processes.twice(21))", stdout=-1
    )
    print(await child.communicate(), child.returncode)
    shell = await asyncio.create_subprocess_shell("async-processes child", stdout=-1)
    print((await shell.communicate())[0])
    print(await asyncio.to_thread(twice, 3))
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
        print(await asyncio.get_running_loop().run_in_executor(pool, twice, 4))


def main():
    if sys.argv[1:] == ["child"]:
        print("started by its name")
        return
    asyncio.run(work())
