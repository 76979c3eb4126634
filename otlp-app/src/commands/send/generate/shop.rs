//! The shop as data: services, and the operations that a request to the shop goes through.

/// A service of the shop.
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// Language of its SDK.
    pub(super) language: &'static str,
    /// Name of the instrumentation.
    pub(super) scope: &'static str,
    /// Functions of a stack that profiles show, from the caller to the leaf, with their files.
    pub(super) stack: [(&'static str, &'static str); 3],
}

/// An operation of a service.
pub(super) struct Operation {
    /// Index of the service in [`SERVICES`].
    pub(super) service: usize,
    pub(super) work: Work,
    /// Shortest time of the operation itself, in microseconds; the longest is three times as long.
    pub(super) micros: u64,
    /// Failure of the operation, and the number of operations of which one fails.
    pub(super) failure: Option<(&'static Failure, u64)>,
    pub(super) calls: &'static [Self],
}

/// Kind of an operation.
pub(super) enum Work {
    /// An HTTP request to the service; two spans, unless it comes from outside.
    Http { method: &'static str, route: &'static str },
    /// A query to a database; a span of the service.
    Query { system: &'static str, verb: &'static str, collection: &'static str, text: &'static str },
    /// Work inside the service; a span.
    Internal(&'static str),
}

/// An exception.
pub(super) struct Failure {
    pub(super) kind: &'static str,
    pub(super) message: &'static str,
}

// === impl Operation ===

impl Operation {
    /// Returns the number of spans of the operation with all calls that it makes.
    pub(super) const fn spans(&self, is_root: bool) -> usize {
        let mut spans = if matches!(self.work, Work::Http { .. }) && !is_root { 2 } else { 1 };
        let mut index = 0;
        while index < self.calls.len() {
            spans += self.calls[index].spans(false);
            index += 1;
        }
        spans
    }

    const fn new(service: usize, work: Work, micros: u64, calls: &'static [Self]) -> Self {
        Self { service, work, micros, failure: None, calls }
    }

    const fn failing(self, failure: &'static Failure, one_in: u64) -> Self {
        Self { failure: Some((failure, one_in)), ..self }
    }
}

const fn http(
    service: usize,
    method: &'static str,
    route: &'static str,
    micros: u64,
    calls: &'static [Operation],
) -> Operation {
    Operation::new(service, Work::Http { method, route }, micros, calls)
}

const fn postgres(
    service: usize,
    verb: &'static str,
    collection: &'static str,
    text: &'static str,
    micros: u64,
) -> Operation {
    Operation::new(service, Work::Query { system: "postgresql", verb, collection, text }, micros, &[])
}

const fn redis(service: usize, verb: &'static str, text: &'static str) -> Operation {
    Operation::new(service, Work::Query { system: "redis", verb, collection: "cart", text }, 150, &[])
}

const FRONTEND: usize = 0;
const CATALOG: usize = 1;
const CART: usize = 2;
const CHECKOUT: usize = 3;
const PAYMENT: usize = 4;
const SHIPPING: usize = 5;
const CURRENCY: usize = 6;

/// All services.
pub(super) const SERVICES: [Service; 7] = [
    Service {
        name: "frontend",
        version: "2.14.0",
        language: "nodejs",
        scope: "@opentelemetry/instrumentation-http",
        stack: [
            ("handleRequest", "server.js"),
            ("renderPage", "page.js"),
            ("renderToString", "react-dom.js"),
        ],
    },
    Service {
        name: "catalog",
        version: "1.9.3",
        language: "go",
        scope: "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp",
        stack: [
            ("http.HandlerFunc.ServeHTTP", "server.go"),
            ("catalog.Search", "search.go"),
            ("sort.Slice", "slice.go"),
        ],
    },
    Service {
        name: "cart",
        version: "1.4.1",
        language: "dotnet",
        scope: "OpenTelemetry.Instrumentation.AspNetCore",
        stack: [("Invoke", "Endpoint.cs"), ("GetCart", "CartStore.cs"), ("Deserialize", "JsonSerializer.cs")],
    },
    Service {
        name: "checkout",
        version: "3.0.2",
        language: "java",
        scope: "io.opentelemetry.tomcat-10.0",
        stack: [("doPost", "HttpServlet.java"), ("placeOrder", "Orders.java"), ("hash", "HashMap.java")],
    },
    Service {
        name: "payment",
        version: "1.1.0",
        language: "python",
        scope: "opentelemetry.instrumentation.fastapi",
        stack: [("run_endpoint", "routing.py"), ("charge", "payment.py"), ("sign", "hmac.py")],
    },
    Service {
        name: "shipping",
        version: "0.8.7",
        language: "rust",
        scope: "shipping",
        stack: [("serve", "server.rs"), ("quote", "quote.rs"), ("distance", "geo.rs")],
    },
    Service {
        name: "currency",
        version: "1.0.5",
        language: "cpp",
        scope: "currency",
        stack: [("Handle", "server.cc"), ("Convert", "currency.cc"), ("strtod", "stdlib.c")],
    },
];

const DECLINED: Failure = Failure { kind: "CardDeclined", message: "card declined: insufficient funds" };
const TIMED_OUT: Failure =
    Failure { kind: "QueryTimeout", message: "canceling statement due to statement timeout" };

/// Operations that come from outside, the most frequent first. The last has one span.
pub(super) const ROOTS: [Operation; 5] = [
    http(
        FRONTEND,
        "GET",
        "/product/{id}",
        2_000,
        &[
            http(
                CATALOG,
                "GET",
                "/products/{id}",
                400,
                &[postgres(CATALOG, "SELECT", "products", "SELECT * FROM products WHERE id = $1", 900)],
            ),
            http(CURRENCY, "GET", "/rates/{currency}", 120, &[]),
            Operation::new(FRONTEND, Work::Internal("render product"), 1_500, &[]),
        ],
    ),
    http(
        FRONTEND,
        "POST",
        "/checkout",
        1_200,
        &[http(
            CHECKOUT,
            "POST",
            "/orders",
            1_500,
            &[
                http(CART, "GET", "/carts/{user}", 200, &[redis(CART, "HGETALL", "HGETALL cart:?")]),
                http(
                    SHIPPING,
                    "POST",
                    "/quotes",
                    700,
                    &[Operation::new(SHIPPING, Work::Internal("compute quote"), 500, &[])],
                ),
                http(
                    PAYMENT,
                    "POST",
                    "/charges",
                    18_000,
                    &[Operation::new(PAYMENT, Work::Internal("charge card"), 9_000, &[])],
                )
                .failing(&DECLINED, 10),
                postgres(
                    CHECKOUT,
                    "INSERT",
                    "orders",
                    "INSERT INTO orders (id, user_id, total) VALUES ($1, $2, $3)",
                    1_700,
                ),
            ],
        )],
    ),
    http(
        FRONTEND,
        "GET",
        "/",
        1_800,
        &[
            http(
                CATALOG,
                "GET",
                "/products",
                500,
                &[postgres(
                    CATALOG,
                    "SELECT",
                    "products",
                    "SELECT id, name, price FROM products ORDER BY rank LIMIT 20",
                    2_400,
                )
                .failing(&TIMED_OUT, 50)],
            ),
            http(CART, "GET", "/carts/{user}", 200, &[redis(CART, "HGETALL", "HGETALL cart:?")]),
            Operation::new(FRONTEND, Work::Internal("render start page"), 2_200, &[]),
        ],
    ),
    http(
        FRONTEND,
        "POST",
        "/cart",
        900,
        &[http(CART, "POST", "/carts/{user}/items", 300, &[redis(CART, "HSET", "HSET cart:? ? ?")])],
    ),
    http(FRONTEND, "GET", "/healthz", 80, &[]),
];
