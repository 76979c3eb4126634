//! Named constants of statements: enumerations of the protocol.

use super::context::{Context, Contexts};

struct Group {
    prefix: &'static str,
    contexts: Contexts,
    constants: &'static [(&'static str, i64)],
}

const OF_SPANS: Contexts = Contexts::of(&[Context::Span, Context::SpanEvent]);
const OF_METRICS: Contexts = Contexts::of(&[Context::Metric, Context::DataPoint]);

static GROUPS: &[Group] = &[
    Group {
        prefix: "SPAN_KIND_",
        contexts: OF_SPANS,
        constants: &[
            ("UNSPECIFIED", 0),
            ("INTERNAL", 1),
            ("SERVER", 2),
            ("CLIENT", 3),
            ("PRODUCER", 4),
            ("CONSUMER", 5),
        ],
    },
    Group { prefix: "STATUS_CODE_", contexts: OF_SPANS, constants: &[("UNSET", 0), ("OK", 1), ("ERROR", 2)] },
    Group {
        prefix: "AGGREGATION_TEMPORALITY_",
        contexts: OF_METRICS,
        constants: &[("UNSPECIFIED", 0), ("DELTA", 1), ("CUMULATIVE", 2)],
    },
    Group {
        prefix: "METRIC_DATA_TYPE_",
        contexts: OF_METRICS,
        constants: &[
            ("NONE", 0),
            ("GAUGE", 1),
            ("SUM", 2),
            ("HISTOGRAM", 3),
            ("EXPONENTIAL_HISTOGRAM", 4),
            ("SUMMARY", 5),
        ],
    },
    Group {
        prefix: "FLAG_",
        contexts: Contexts::of(&[Context::DataPoint]),
        constants: &[("NONE", 0), ("NO_RECORDED_VALUE", 1)],
    },
    Group {
        prefix: "SEVERITY_NUMBER_",
        contexts: Contexts::of(&[Context::Log]),
        constants: &[
            ("UNSPECIFIED", 0),
            ("TRACE", 1),
            ("TRACE2", 2),
            ("TRACE3", 3),
            ("TRACE4", 4),
            ("DEBUG", 5),
            ("DEBUG2", 6),
            ("DEBUG3", 7),
            ("DEBUG4", 8),
            ("INFO", 9),
            ("INFO2", 10),
            ("INFO3", 11),
            ("INFO4", 12),
            ("WARN", 13),
            ("WARN2", 14),
            ("WARN3", 15),
            ("WARN4", 16),
            ("ERROR", 17),
            ("ERROR2", 18),
            ("ERROR3", 19),
            ("ERROR4", 20),
            ("FATAL", 21),
            ("FATAL2", 22),
            ("FATAL3", 23),
            ("FATAL4", 24),
        ],
    },
];

/// Returns the number of a constant, if the context has the constant.
pub(crate) fn constant(name: &str, context: Context) -> Option<i64> {
    let groups = GROUPS.iter().filter(|group| group.contexts.has(context));
    groups.filter_map(|group| Some((name.strip_prefix(group.prefix)?, group))).find_map(|(rest, group)| {
        group.constants.iter().find(|(known, _)| *known == rest).map(|(_, number)| *number)
    })
}

/// Returns the names of the constants of a context.
pub(crate) fn names(context: Context) -> Vec<String> {
    let groups = GROUPS.iter().filter(|group| group.contexts.has(context));
    groups
        .flat_map(|group| group.constants.iter().map(|(name, _)| format!("{}{name}", group.prefix)))
        .collect()
}
