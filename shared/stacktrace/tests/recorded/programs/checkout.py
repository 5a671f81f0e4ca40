"""One argument says which failure."""
import asyncio
import sys


class PaymentError(Exception):
    pass


def acquire(order):
    pool = {"size": 10}
    return pool[order]


def charge(order):
    try:
        return acquire(order)
    except KeyError as error:
        raise PaymentError(f"order {order} failed") from error


def report(order):
    try:
        charge(order)
    except PaymentError:
        print(1 / 0)


def recurse(n):
    return recurse(n + 1)


def noted():
    error = ValueError("bad amount")
    error.add_note("while parsing the cart")
    error.add_note("cart 17")
    raise error


def group():
    errors = []
    for order in ("A-1", "A-2"):
        try:
            charge(order)
        except PaymentError as error:
            errors.append(error)
    errors.append(ExceptionGroup("nested", [TimeoutError("slow")]))
    raise ExceptionGroup("2 orders failed", errors)


async def worker():
    await asyncio.sleep(0)
    charge("A-3")


async def tasks():
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(worker())


KINDS = {
    "cause": lambda: charge("A-17"),
    "context": lambda: report("A-18"),
    "recursion": lambda: recurse(0),
    "notes": noted,
    "group": group,
    "taskgroup": lambda: asyncio.run(tasks()),
    "syntax": lambda: compile("def f(:\n  pass\n", "cart.py", "exec"),
    "json": lambda: __import__("json").loads("{"),
    "stdlib": lambda: list(map(int, ["x"])),
}

if __name__ == "__main__":
    KINDS[sys.argv[1]]()
