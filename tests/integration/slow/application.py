"""The application's part beside a prune: visitors whose browsers come back, and its listing, until stdin ends.

Arguments: the base, how many processes visit it, and how many seconds each pauses between two visits at most. They visit
workspaces that were there at the start, at random, once there is a line on stdin. In the end JSON tells what happened:

  visits    how many there were
  accessed  of the workspaces found at the start: when the first rewrite of their metadata had succeeded, by ID
  made      when a workspace was about to be made anew, since there was none at its path, by ID
"""

import json, multiprocessing, os, random, sys, time, uuid
from datetime import UTC, datetime

METADATA = ".metadata.json"
CACHED = 60  # seconds for which a process believes what it knows of a workspace
ANEW = 0.2  # the share of visits that come with an agent made anew, which asks the disk

base, processes, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])


def now():
    return datetime.now(UTC).isoformat() + "Z"


class Application:
    """One process of it."""

    def __init__(self, over):
        self.over = over
        self.known = {}
        self.told = {"visits": 0, "accessed": {}, "made": {}}

    def exists(self, id, anew):
        exists, until = self.known.get(id, (False, 0))
        if anew or until < time.monotonic():
            exists = os.path.isdir(f"{base}/{id}")
            self.known[id] = exists, time.monotonic() + CACHED
        return exists

    def make(self, id):
        """Makes a workspace in place: for an instant it has no metadata, then empty ones."""
        self.told["made"].setdefault(id, time.monotonic())
        for dir in ("", "/data", "/charts"):
            os.makedirs(f"{base}/{id}{dir}", exist_ok=True)
        with open(f"{base}/{id}/{METADATA}", "w") as file:
            json.dump({"workspace_id": id, "created_at": now(), "last_accessed": now(), "made_anew": True}, file, indent=2)
        self.known[id] = True, time.monotonic() + CACHED

    def access(self, id):
        path = f"{base}/{id}/{METADATA}"
        with open(path) as file:
            metadata = json.load(file)
        metadata["last_accessed"] = now()
        temporary = f"{base}/{id}/.metadata.tmp.{uuid.uuid4().hex[:8]}.json"
        with open(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump(metadata, file, indent=2)
        os.replace(temporary, path)
        if "made_anew" not in metadata:
            self.told["accessed"].setdefault(id, time.monotonic())

    def visit(self, id):
        self.told["visits"] += 1
        if not self.exists(id, random.random() < ANEW):
            self.make(id)
        try:
            self.access(id)
        except (FileNotFoundError, json.JSONDecodeError):  # another process may be making it just now
            pass

    def visits(self, ids):
        while not self.over.is_set():
            self.visit(random.choice(ids))
            time.sleep(random.random() * pause)
        return self.told

    def listings(self, _):
        while not self.over.is_set():
            for name in os.listdir(base):
                try:
                    with open(f"{base}/{name}/{METADATA}") as file:
                        json.load(file)
                except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
                    pass
        return {}


def run(name, ids, over, told):
    told.put(getattr(Application(over), name)(ids))


ids = os.listdir(base)
context = multiprocessing.get_context("fork")
over, queue = context.Event(), context.Queue()
print("ready", flush=True)
sys.stdin.readline()
parts = ["visits"] * processes + ["listings"]
workers = [context.Process(target=run, args=(part, ids, over, queue)) for part in parts]
for worker in workers:
    worker.start()
print("begun", flush=True)
sys.stdin.read()
over.set()
all = [queue.get() for _ in workers]
for worker in workers:
    worker.join()
told = {"visits": sum(one.get("visits", 0) for one in all)}
for key in ("accessed", "made"):
    first = {}
    for one in all:
        for id, when in one.get(key, {}).items():
            first[id] = min(when, first.get(id, when))
    told[key] = first
print(json.dumps(told))
