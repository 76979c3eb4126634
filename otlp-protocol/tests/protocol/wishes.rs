//! A signal that OTLP does not have, made of data alone: wishes, and the gifts that are wished for.

use otlp_protocol::schema::{Field, Kind, Label, Message, constant};
use otlp_protocol::{Items, Signal, SignalDescriptor};

/// Each wish is an item.
pub(crate) const WISHES: Signal = Signal::new(&WISHES_DESCRIPTOR);

static WISHES_DESCRIPTOR: SignalDescriptor = SignalDescriptor {
    name: "wishes",
    items_noun: "wishes",
    grpc_path: "/example.wishes.v1.WishesService/Export",
    http_path: "/v1/wishes",
    request: &REQUEST,
    items: Items::Entries,
    needs_ids: false,
    rejected_name: "rejectedWishes",
    received_name: "WishesReceived",
};

/// The same requests, but each gift is an item.
pub(crate) const GIFTS: Signal = Signal::new(&GIFTS_DESCRIPTOR);

static GIFTS_DESCRIPTOR: SignalDescriptor = SignalDescriptor {
    name: "gifts",
    items_noun: "gifts",
    grpc_path: "/example.wishes.v1.GiftsService/Export",
    http_path: "/v1/gifts",
    request: &REQUEST,
    items: Items::Inside { containers: &[5], field: 1 },
    needs_ids: false,
    rejected_name: "rejectedGifts",
    received_name: "GiftsReceived",
};

static REQUEST: Message = Message::new(
    "example.wishes.v1.ExportWishesServiceRequest",
    &[Field::new(1, "resource_wishes", "resourceWishes", Kind::message(&RESOURCE_WISHES), Label::Repeated)],
);

static RESOURCE_WISHES: Message = Message::new(
    "example.wishes.v1.ResourceWishes",
    &[
        Field::new(1, "resource", "resource", of("opentelemetry.proto.resource.v1.Resource"), Label::Single),
        Field::new(2, "scope_wishes", "scopeWishes", Kind::message(&SCOPE_WISHES), Label::Repeated),
        Field::new(3, "schema_url", "schemaUrl", Kind::String, Label::Single),
    ],
);

static SCOPE_WISHES: Message = Message::new(
    "example.wishes.v1.ScopeWishes",
    &[
        Field::new(
            1,
            "scope",
            "scope",
            of("opentelemetry.proto.common.v1.InstrumentationScope"),
            Label::Single,
        ),
        Field::new(2, "wishes", "wishes", Kind::message(&WISH), Label::Repeated),
        Field::new(3, "schema_url", "schemaUrl", Kind::String, Label::Single),
    ],
);

static WISH: Message = Message::new(
    "example.wishes.v1.Wish",
    &[
        Field::new(1, "wisher", "wisher", Kind::String, Label::Single),
        Field::new(2, "trace_id", "traceId", Kind::Bytes, Label::Single),
        Field::new(3, "attributes", "attributes", KEY_VALUE, Label::Repeated),
        Field::new(4, "urgency", "urgency", Kind::Enum, Label::Single).of(&[("SOME", 0), ("GREAT", 1)]),
        Field::new(5, "gifts", "gifts", Kind::message(&GIFT_LIST), Label::Single),
        Field::new(6, "years", "years", Kind::Uint32, Label::Repeated),
        // A wish may hang on another.
        Field::new(7, "after", "after", Kind::message(&WISH), Label::Single),
    ],
);

static GIFT_LIST: Message = Message::new(
    "example.wishes.v1.GiftList",
    &[Field::new(1, "gifts", "gifts", Kind::message(&GIFT), Label::Repeated)],
);

static GIFT: Message = Message::new(
    "example.wishes.v1.Gift",
    &[
        Field::new(1, "name", "name", Kind::String, Label::Single),
        Field::new(2, "cost", "cost", Kind::Int64, Label::Optional),
        Field::new(3, "attributes", "attributes", KEY_VALUE, Label::Repeated),
    ],
);

const KEY_VALUE: Kind = of("opentelemetry.proto.common.v1.KeyValue");

const fn of(name: &str) -> Kind {
    Kind::message(constant(name))
}
