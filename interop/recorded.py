"""Outcomes as lines of JSON, short: what is as in the request is said by its number there.

The objects of a request are numbered by the member that they stand in, and equal ones have one number. In an outcome an object that
is as in the request is its number; of an object that is like one in the request, `=` is the number, the other members are those that
are not the same, and `-` lists those that are gone. Numbers of the format itself are never integers here, so nothing is said twice.
"""

import collections
import json


class Recorded:
    """The short form of what comes of one request, which is in the form of `differential.normal`."""

    def __init__(self, request):
        self.objects, self.numbers = collections.defaultdict(list), collections.defaultdict(dict)
        self.collect("", request)

    def collect(self, member, value):
        if isinstance(value, dict):
            for key, each in value.items():
                self.collect(key, each)
            if self.numbers[member].setdefault(text(value), len(self.objects[member])) == len(self.objects[member]):
                self.objects[member].append(value)
        elif isinstance(value, list):
            for each in value:
                self.collect(member, each)

    def short(self, value, member=""):
        if isinstance(value, list):
            return [self.short(each, member) for each in value]
        if not isinstance(value, dict):
            return value
        if (number := self.numbers[member].get(text(value))) is not None:
            return number
        alike = [sum(value.get(key) == each for key, each in known.items()) for known in self.objects[member]]
        if not any(alike):
            return {key: self.short(each, key) for key, each in value.items()}
        number = alike.index(max(alike))
        known = self.objects[member][number]
        made = {"=": number}
        made |= {key: self.short(each, key) for key, each in value.items() if known.get(key) != each}
        gone = [key for key in known if key not in value]
        return made | ({"-": gone} if gone else {})

    def whole(self, value, member=""):
        if isinstance(value, list):
            return [self.whole(each, member) for each in value]
        if type(value) is int:
            return self.objects[member][value]
        if not isinstance(value, dict):
            return value
        value = dict(value)
        known = self.objects[member][value.pop("=")] if "=" in value else {}
        gone = value.pop("-", [])
        made = {key: each for key, each in known.items() if key not in gone}
        return made | {key: self.whole(each, key) for key, each in value.items()}


def read(file, requests):
    """Key → outcome, of a file that may be absent. `requests` has the request of each signal and name."""
    # `splitlines` would also split at U+2028, which JSON does not escape.
    lines = map(json.loads, filter(None, file.read_text().split("\n"))) if file.exists() else []
    outcomes = {}
    for key, status, arrived in lines:
        requests_of = requests.get(tuple(key[1:]))
        if requests_of is not None:
            outcomes[tuple(key)] = {"status": status, "arrived": {each: requests_of.whole(said) for each, said in arrived.items()}}
    return outcomes


def write(file, outcomes, requests):
    """Writes outcomes; no file if there are none."""
    lines = []
    for key, said in outcomes.items():
        short = requests[key[1:]].short
        arrived = {each: short(bodies) for each, bodies in said["arrived"].items()}
        lines.append(text([list(key), said["status"], arrived]) + "\n")
    if lines:
        file.write_text("".join(lines))
    else:
        file.unlink(missing_ok=True)


def text(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
