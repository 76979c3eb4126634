//! Fields of a message beside its attributes.

use super::AttributeEdits;
use crate::AttributeValue;
use crate::attribute::ANY_VALUE;
use crate::schema::{Field, Kind, Label};
use crate::splice::Slice;
use crate::wire::put_len_delimited;

// === impl AttributeEdits ===

impl AttributeEdits<'_> {
    /// Sets a field of the message beside its attributes, by its number in [`schema`](crate::schema): a name, a state. True if the
    /// message has a singular string of that number; otherwise nothing changes.
    ///
    /// The views of the message show the old string, since they read what the sender encoded.
    ///
    /// ```
    /// use otlp_protocol::encode::Spans;
    /// use otlp_protocol::view::RequestView;
    /// use otlp_protocol::{Body, edit};
    ///
    /// const TRACE_STATE: u32 = 3;
    /// let body = Body::write::<Spans>(|request| {
    ///     request.resource_group(|group| {
    ///         group.scope_group(|scope| {
    ///             scope.span(|span| {
    ///                 span.name("GET /");
    ///             });
    ///         });
    ///     });
    /// });
    /// let mut sampled = edit::items(|_, attributes| assert!(attributes.set_string(TRACE_STATE, "ot=th:8")));
    /// let bytes = edit(&body, &mut sampled, 1 << 20)?.body.to_bytes();
    /// assert_eq!(RequestView::new(body.signal(), &bytes).spans().next().unwrap().trace_state(), "ot=th:8");
    /// # Ok::<(), otlp_protocol::EditError>(())
    /// ```
    pub fn set_string(&mut self, number: u32, value: &str) -> bool {
        self.set(number, value.as_bytes(), |field| field.kind == Kind::String)
    }

    /// Sets a field of the message that is a value of any type: the body of a log record. True if the message has a singular field of
    /// this number and type; otherwise nothing changes.
    pub fn set_value(&mut self, number: u32, value: &AttributeValue) -> bool {
        self.set(number, value.as_bytes(), |field| {
            field.message().is_some_and(|message| std::ptr::eq(message, ANY_VALUE))
        })
    }

    fn set(&mut self, number: u32, value: &[u8], is_right: impl Fn(&Field) -> bool) -> bool {
        let field = self.message.and_then(|message| message.field(number));
        if !field.is_some_and(|field| field.label == Label::Single && is_right(field)) {
            return false;
        }
        let text = self.splices.text();
        let start = text.len();
        put_len_delimited(text, number, value);
        let written = Slice::new(start..text.len());
        self.fields.retain(|(known, _)| *known != number);
        self.fields.push((number, written));
        true
    }
}
