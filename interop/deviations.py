"""What the official Rust SDK sends otherwise than the client of otlp-service, and why. Nothing else may differ.

A line is `kind (names): path: value of the SDK -> value of the client`, as `items.differences` has it.
"""

BY_HAND, DELTA, TRACING = "by-hand", "delta", "tracing"


def text(value):
    return f'{{"stringValue": "{value}"}}'


SDK_NAME = (f"resource (all): attributes.telemetry.sdk.name: {text('opentelemetry')} -> {text('otlp')}",)
TWICE = (
    f"span (POST /orders): attributes.twice: {text('first')} -> {text('second')}",
    f"span (POST /orders): attributes.twice again: {text('second')} -> none",
)
CHAIN = text(r"invalid quantity\ncaused by: not a number")
SOURCES = f'{{"arrayValue": {{"values": [{text("not a number")}]}}}}'
NO_SOURCES = '{"arrayValue": {}}'

# What the specification says, or the semantic conventions → program → lines.
DEVIATIONS = {
    "Keys of attributes are unique, and a later value overwrites.": {
        BY_HAND: (
            *TWICE,
            f"log (shelf is empty): attributes.twice: {text('first')} -> {text('second')}",
            f"log (shelf is empty): attributes.twice again: {text('second')} -> none",
        ),
        TRACING: (
            *TWICE,
            f"span (error without source): attributes.exception.message again: {text('not a number')} -> none",
            f"span (error without source): attributes.exception.stacktrace again: {NO_SOURCES} -> none",
        ),
    },
    "A trace that begins with a random id has the flag `random`, 0x02.": {
        BY_HAND: (
            "log (shelf is empty): flags: 1 -> 3",
            "span (POST /orders): links[0].flags: 257 -> 259",
            "span (linked, span of a log): flags: 257 -> 259",
        ),
        TRACING: ("log (own target): flags: 1 -> 3", "span (root): flags: 257 -> 259"),
    },
    "`telemetry.sdk.name` is `opentelemetry` for the official SDK alone.": {
        BY_HAND: SDK_NAME,
        DELTA: SDK_NAME,
        TRACING: SDK_NAME,
    },
    "`exception.type` is recommended beside `exception.message`.": {
        BY_HAND: (
            f"span (POST /orders): events[1].attributes.exception.type: none -> {text('same::error::NotANumber')}",
        ),
    },
    "Start times of series are those of the first possible measurement; with cumulative temporality they do not move.": {
        BY_HAND: (
            "point (level, collection 2): startTimeUnixNano: collection 1 now -> start 1 now",
            "point (level, collection 3): startTimeUnixNano: collection 2 now -> start 1 now",
        ),
    },
    "A sum is that of the measurements: over 2⁶³ − 1, the nearest integer that OTLP has, not 0.": {
        BY_HAND: (
            "point (large, collection 1, large, collection 2, large, collection 3): sum.dataPoints.asInt:"
            ' "0" -> "9223372036854775807"',
        ),
        DELTA: ('point (large, collection 1): sum.dataPoints.asInt: "0" -> "9223372036854775807"',),
    },
    "Integers of 64 bits are integers, and bytes are bytes, not texts.": {
        TRACING: (
            f'span (POST /orders): attributes.bytes: {text("[74 65 61]")} -> {{"bytesValue": "dGVh"}}',
            f'span (POST /orders): attributes.unsigned: {text("7")} -> {{"intValue": "7"}}',
            f'span (POST /orders): attributes.wide: {text("-7")} -> {{"intValue": "-7"}}',
            f'span (POST /orders): events[0].attributes.count: {text("3")} -> {{"intValue": "3"}}',
            f'span (POST /orders): events[2].attributes.bytes: {text("[74 65 61]")} -> {{"bytesValue": "dGVh"}}',
        ),
    },
    "`exception.stacktrace` is a text, not a list; an error without a source has none.": {
        TRACING: (
            f"span (error as field, exception, failing): attributes.exception.stacktrace: {SOURCES} -> {CHAIN}",
            f"span (exception, failing): events[0].attributes.exception.stacktrace: {SOURCES} -> {CHAIN}",
            f"span (error without source): attributes.exception.stacktrace: {NO_SOURCES} -> none",
            f"span (error without source): events[0].attributes.exception.stacktrace: {NO_SOURCES} -> none",
        ),
    },
    "`exception.stacktrace` is recommended in log records, too.": {
        TRACING: (f"log (error alone, warned): attributes.exception.stacktrace: none -> {CHAIN}",),
    },
    "`exception.message` is the message, without quotation marks around it.": {
        TRACING: (
            "span (error as text): events[0].attributes.exception.message:"
            rf' {{"stringValue": "\"no quantity\""}} -> {text("no quantity")}',
            r'span (error as text): status.message: "\"no quantity\"" -> "no quantity"',
        ),
    },
}


def of(program):
    """The lines of a program."""
    return [line for programs in DEVIATIONS.values() for line in programs.get(program, ())]


def rows():
    """For the page: what the specification says, and in which programs the SDK does otherwise, how often."""
    for rule, programs in DEVIATIONS.items():
        yield [rule, ", ".join(f"{program} {len(lines)}" for program, lines in programs.items())]
