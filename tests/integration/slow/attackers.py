"""An attacker: owns the base and the workspaces, and swaps what is in them as fast as it can until its stdin ends.

Arguments: the base, the canary (a tree of root's outside), and the IDs. It begins as root, to find its modules, and becomes
nobody at once. In the end it prints how often it swapped.
"""

import ctypes, os, random, select, sys, time

base, canary, ids = sys.argv[1], sys.argv[2], sys.argv[3:]
libc = ctypes.CDLL(None)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
os.umask(0o022)
swaps = 0
STALE = '{"last_accessed": "2020-01-01T00:00:00+00:00Z"}'


def attempt(act, *args):
    """What is not there just now, or not ours, is left."""
    try:
        return act(*args)
    except OSError:
        return None


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def exchange(a, b):
    global swaps
    if libc.renameat2(-100, a.encode(), -100, b.encode(), 2) == 0:  # RENAME_EXCHANGE
        swaps += 1


def recreate(dir):
    attempt(os.makedirs, f"{dir}/data/deep/deeper/deepest/bottom")
    attempt(os.mkdir, f"{dir}/charts")
    for number in range(12):
        attempt(write, f"{dir}/data/{number}", "x")
        attempt(write, f"{dir}/data/deep/{number}", "x")
    attempt(os.link, f"{dir}/data/0", f"{dir}/charts/hard")
    attempt(write, f"{dir}/.metadata.tmp.x.json", STALE)
    attempt(os.replace, f"{dir}/.metadata.tmp.x.json", f"{dir}/.metadata.json")


def attack(dir):
    link = f"{base}/link-"
    for name in ("", "/data", "/data/deep", "/.metadata.json"):
        attempt(os.symlink, canary + name, link + name.replace("/", "+"))
    for _ in range(20):
        name = random.choice(("", "/data", "/data/deep", "/.metadata.json"))
        exchange(dir + name, link + name.replace("/", "+"))
        exchange(dir + name, link + name.replace("/", "+"))
    exchange(f"{dir}/.metadata.json", f"{base}/hard")  # another name of a file of root's
    attempt(os.rename, f"{dir}/charts", f"{base}/moved")
    attempt(os.rename, f"{base}/moved", f"{dir}/data/charts")
    # Two directories in turn into each other; times of long ago and far ahead; another name of an inode that may be met already.
    attempt(os.rename, f"{dir}/data/charts", f"{dir}/charts")
    attempt(os.rename, f"{dir}/data", f"{dir}/charts/data")
    attempt(os.rename, f"{dir}/charts/data", f"{dir}/data")
    attempt(os.utime, f"{dir}/data", (0, random.choice((0, 4070908800))))
    attempt(os.link, f"{dir}/data/0", f"{dir}/data/deep/{random.random()}")
    attempt(os.chmod, f"{dir}/data", random.choice((0o000, 0o755, 0o755)))
    attempt(write, f"{dir}/data/new", "y")


while not select.select([sys.stdin], [], [], 0)[0]:
    aside = [name for name in attempt(os.listdir, base) or [] if name.startswith(".wsctl-")]
    for dir in ids + aside * 4:
        if dir in ids and random.random() < 0.3:
            recreate(f"{base}/{dir}")
        attack(f"{base}/{dir}")
print(swaps)
