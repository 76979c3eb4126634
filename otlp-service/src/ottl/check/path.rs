//! Paths: the context, the field, and keys.

use super::Checker;
use crate::ottl::ast::{Node, PathNode, Segment};
use crate::ottl::context::Context;
use crate::ottl::expression::Expression;
use crate::ottl::fault::Fault;
use crate::ottl::field::{CACHE, Field, fields, request_field, request_fields};
use crate::ottl::infer::REQUEST;
use crate::ottl::path::{Key, Path};
use crate::ottl::target::Write;
use crate::ottl::value::Value;
use std::ops::Range;

/// The message that a path starts from.
enum Root {
    Context(Context),
    Request,
}

// === impl Checker ===

impl Checker {
    pub(super) fn path(&mut self, path: &PathNode) -> Option<Path> {
        let (root, names) = self.root(&path.segments)?;
        let name = names.iter().map(|segment| &*segment.name).collect::<Vec<_>>().join(".");
        let (last, before) = names.split_last()?;
        if let Some(key) = before.iter().find_map(|segment| segment.keys.first()) {
            return self.fault(Fault::new(key.range.clone(), "keys stand at the end of a path only"));
        }
        let field = match &root {
            Root::Request => request_field(&name),
            Root::Context(context) if name == CACHE.name && *context == self.context => Some(&CACHE),
            Root::Context(context) => fields(*context).iter().find(|field| field.name == name),
        };
        let Some(field) = field else {
            let first = names.first().map_or(0, |segment| segment.range.start);
            return self.unknown(&root, &name, first..last.range.end);
        };
        let keys: Vec<_> = last.keys.iter().map(|key| self.key(key)).collect();
        let mut keys = keys.into_iter().collect::<Option<Vec<_>>>()?;
        self.check_keys(field, last, &keys)?;
        if let Root::Request = root {
            self.ask(field, &mut keys);
        }
        Some(Path::new(field, keys))
    }

    /// Returns the message that a path starts from, and the names after it.
    fn root<'s>(&mut self, segments: &'s [Segment]) -> Option<(Root, &'s [Segment])> {
        let (first, rest) = segments.split_first()?;
        let context = Context::named(&first.name).filter(|_| first.keys.is_empty() && !rest.is_empty());
        match context {
            _ if first.name == REQUEST && !rest.is_empty() => Some((Root::Request, rest)),
            Some(context) if self.context.reach().has(context) => Some((Root::Context(context), rest)),
            Some(context) => {
                let (name, own) = (context.name(), self.context.name());
                self.fault(Fault::new(
                    first.range.clone(),
                    format!("a {name} is out of reach of the context {own}"),
                ))
            }
            None if self.is_implied => Some((Root::Context(self.context), segments)),
            None => {
                let problem = format!("the path has no context in front: `{}`", first.name);
                let own = self.context.name();
                let fault = Fault::new(first.range.clone(), problem);
                self.fault(fault.help(format!("write `{own}.{}`, or the context that has it", first.name)))
            }
        }
    }

    fn unknown<T>(&mut self, root: &Root, name: &str, range: Range<usize>) -> Option<T> {
        let (of, known) = match root {
            Root::Request => (REQUEST, request_fields()),
            Root::Context(context) => (context.name(), fields(*context)),
        };
        let fault = Fault::new(range, format!("unknown path `{name}` of the context {of}"));
        if name == CACHE.name {
            let own = self.context.name();
            return self.fault(fault.help(format!("the scratch map is `{own}.cache`")));
        }
        self.fault(fault.nearest(name, known.iter().map(|field| field.name)))
    }

    /// Checks that a field takes the keys after it.
    fn check_keys(&mut self, field: &Field, segment: &Segment, keys: &[Key]) -> Option<()> {
        let Some(first) = segment.keys.first() else { return Some(()) };
        if !field.is_keyed {
            return self.fault(Fault::new(first.range.clone(), format!("`{}` takes no keys", field.name)));
        }
        if let (Some(Key::Index(_)), false) = (keys.first(), matches!(field.write, Write::AnyValue(_))) {
            let fault =
                Fault::new(first.range.clone(), format!("a key of `{}` must be a string", field.name));
            return self.fault(fault);
        }
        if let Some(second) = segment.keys.get(1).filter(|_| field.name == "trace_state") {
            return self.fault(Fault::new(second.range.clone(), "`trace_state` takes one key"));
        }
        Some(())
    }

    pub(super) fn key(&mut self, node: &Node) -> Option<Key> {
        match self.expression(node)? {
            Expression::Literal(Value::Int(index)) => Some(Key::Index(index)),
            Expression::Literal(Value::Text(name)) => Some(Key::Name(name.into())),
            Expression::Literal(_) => {
                self.fault(Fault::new(node.range.clone(), "a key must be a string or an int"))
            }
            computed => Some(Key::Computed(computed)),
        }
    }

    /// Notes the property of requests that a path reads. Names of headers are in lower case.
    fn ask(&mut self, field: &Field, keys: &mut [Key]) {
        match (field.name, keys.first_mut()) {
            ("client.addr", _) => self.needs.peer = true,
            ("client.auth.attributes", _) => self.needs.identity = true,
            (_, Some(Key::Name(name))) => {
                name.make_ascii_lowercase();
                if !self.needs.headers.contains(name) {
                    self.needs.headers.push(name.clone());
                }
            }
            _ => {}
        }
    }
}
