"""What Python makes of the bytes that wsctl reads: for each line of stdin, a name and a text in JSON, an answer in JSON."""

import json, re, sys
from datetime import UTC, datetime
from fractions import Fraction

sys.setrecursionlimit(20_000)
sys.set_int_max_str_digits(0)

TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([+-]\d\d:[0-5]\d)?Z?", re.A)
SIZE = re.compile(r"\s*(\d+(?:\.\d{1,9})?)\s*(?:([kmgtpe])(i?b)?|b)\s*", re.A | re.I)
PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Zµ]+)\s*", re.A)
UNITS = {
    1: "ns nsec nanos",
    1_000: "us µs usec",
    1_000_000: "ms msec millis",
    1_000_000_000: "s sec secs second seconds",
    60_000_000_000: "min mins minute minutes",
    3_600_000_000_000: "h hr hrs hour hours",
    86_400_000_000_000: "d day days",
    604_800_000_000_000: "w wk wks week weeks",
    2_630_016_000_000_000: "month months",
    31_557_600_000_000_000: "y yr yrs year years",
}
NANOSECONDS = {unit: length for length, units in UNITS.items() for unit in units.split()}


def timestamp(value):
    """As the application reads it: its form in UTC, and whether it had an offset; `usual` if wsctl has to read it, too."""
    try:
        time = datetime.fromisoformat(value.rstrip("Z"))
    except (ValueError, AttributeError):
        return None
    try:
        utc = (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="microseconds")
    except OverflowError:
        utc = None
    return {"utc": utc, "aware": time.tzinfo is not None, "usual": utc is not None and TIME.fullmatch(value) is not None}


def metadata(text, edited):
    """An object's members; `kept` if they are the same in the edited text, but for a new last_accessed."""

    def refuse(constant):
        raise ValueError(constant)  # NaN and Infinity, which are no JSON

    def read(text):
        return json.loads(text, object_pairs_hook=tuple, parse_constant=refuse)

    try:
        found = read(text)
    except ValueError:
        return None
    if not isinstance(found, tuple):
        return None
    members = dict(found)
    described = members.get("description")
    answer = {
        "last_accessed": sum(key == "last_accessed" for key, _ in found),
        "accessed": timestamp(members.get("last_accessed")),
        "created": timestamp(members.get("created_at")),
        "description": shown(described) if isinstance(described, str) else None,
    }
    if edited is not None:
        after = read(edited)
        new = dict(after)["last_accessed"]
        expected = [(key, new if key == "last_accessed" else value) for key, value in found]
        answer["kept"] = list(after) == (expected if answer["last_accessed"] else [*expected, ("last_accessed", new)])
        answer["new"] = new
    return answer


def shown(text):
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def size(text):
    """In bytes."""
    if not (match := SIZE.fullmatch(text)):
        return None
    number, prefix, suffix = match.groups()
    base = 1000 if (suffix or "").lower() == "b" else 1024
    bytes = int(Fraction(number) * base ** ("kmgtpe".index(prefix.lower()) + 1 if prefix else 0))
    return bytes if bytes < 2**64 else None


def duration(text):
    """In nanoseconds; `plain` if wsctl has to read it, too."""
    parts = PART.findall(text)
    if not parts or PART.sub("", text) or any(unit not in NANOSECONDS for _, unit in parts):
        return None
    total = sum(Fraction(number) * NANOSECONDS[unit] for number, unit in parts)
    plain = all(number.isdigit() and len(number) < 10 for number, _ in parts) and total < 10**20
    return {"nanoseconds": str(total), "plain": plain}


for line in sys.stdin:
    name, *texts = json.loads(line)
    print(json.dumps(globals()[name](*texts)), flush=True)
