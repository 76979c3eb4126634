//! Calls of functions: the number, names and kinds of arguments.

use super::{Checker, evaluated};
use crate::ottl::ast::{ArgumentNode, Invocation, Node, NodeKind};
use crate::ottl::expression::Expression;
use crate::ottl::fault::Fault;
use crate::ottl::function::{
    Argument, ArgumentError, Arguments, Build, Edit, Function, Kind, Parameter, function, functions,
};
use crate::ottl::target::{Target, Write};
use crate::ottl::value::Value;
use std::ops::Range;

// === impl Checker ===

impl Checker {
    pub(super) fn editor(&mut self, call: &Invocation) -> Option<(&'static Function, Box<dyn Edit>)> {
        let function = self.function(call)?;
        let Build::Editor(build) = function.build else { return None };
        let (mut arguments, ranges) = self.arguments(function, call)?;
        let editor = build(&mut arguments);
        editor.map(|editor| (function, editor)).map_err(|error| self.wrong(error, &ranges, call)).ok()
    }

    pub(super) fn converter(&mut self, call: &Invocation) -> Option<Expression> {
        let function = self.function(call)?;
        let Build::Converter(build) = function.build else { return None };
        let (mut arguments, ranges) = self.arguments(function, call)?;
        let is_constant = function.is_pure && arguments.are_constant();
        let made = build(&mut arguments).map_err(|error| self.wrong(error, &ranges, call)).ok()?;
        let made = Expression::Call(function, made);
        let made = if is_constant { evaluated(made) } else { made };
        if call.keys.is_empty() {
            return Some(made);
        }
        let is_constant = made.literal().is_some();
        let keys: Vec<_> = call.keys.iter().map(|key| self.key(key)).collect();
        let keyed = Expression::Keyed(Box::new(made), keys.into_iter().collect::<Option<_>>()?);
        Some(if is_constant && call.keys.iter().all(is_plain_key) { evaluated(keyed) } else { keyed })
    }

    fn function(&mut self, call: &Invocation) -> Option<&'static Function> {
        let is_editor = call.name.starts_with(|first: char| first.is_ascii_lowercase());
        let Some(function) = function(&call.name) else {
            let kind = if is_editor { "editor" } else { "converter" };
            let fault = Fault::new(call.name_range.clone(), format!("unknown {kind} `{}`", call.name));
            let known = functions().filter(|function| function.is_editor() == is_editor);
            return self.fault(fault.nearest(&call.name, known.map(|function| function.name)));
        };
        if !function.contexts.has(self.context) {
            let problem = format!("`{}` is not for the context {}", function.name, self.context.name());
            return self.fault(Fault::new(call.name_range.clone(), problem));
        }
        Some(function)
    }

    /// Returns the arguments in the order of the parameters, with their places.
    fn arguments(
        &mut self,
        function: &'static Function,
        call: &Invocation,
    ) -> Option<(Arguments, Vec<Range<usize>>)> {
        let parameters = function.parameters;
        let mut nodes: Vec<Option<&ArgumentNode>> = vec![None; parameters.len()];
        let mut has_named = false;
        for (position, argument) in call.arguments.iter().enumerate() {
            has_named |= argument.name.is_some();
            let index = self.position(function, argument, position, has_named)?;
            match nodes.get_mut(index) {
                Some(slot) if slot.is_none() => *slot = Some(argument),
                Some(_) => {
                    let name = parameters.get(index).map_or("", |parameter| parameter.name);
                    let problem = format!("the argument `{name}` is given twice");
                    return self.fault(Fault::new(argument.value.range.clone(), problem));
                }
                None => {
                    let fault = Fault::new(argument.value.range.clone(), "too many arguments");
                    return self.fault(fault.help(usage(function)));
                }
            }
        }
        let missing =
            parameters.iter().zip(&nodes).find(|(parameter, node)| !parameter.is_optional && node.is_none());
        if let Some((parameter, _)) = missing {
            let problem = format!("the argument `{}` is missing", parameter.name);
            let fault = Fault::new(call.name_range.start..call.range.end, problem);
            return self.fault(fault.help(usage(function)));
        }
        let ranges =
            nodes.iter().map(|node| node.map_or(call.range.clone(), |node| node.value.range.clone()));
        let ranges: Vec<_> = ranges.collect();
        let given = parameters.iter().zip(nodes).map(|(parameter, node)| match node {
            None => Some(None),
            Some(node) => self.argument(parameter, &node.value).map(Some),
        });
        let given: Vec<_> = given.collect();
        Some((Arguments::new(given.into_iter().collect::<Option<_>>()?), ranges))
    }

    /// Returns the index of an argument's parameter. Names are in snake case or camel case.
    fn position(
        &mut self,
        function: &'static Function,
        argument: &ArgumentNode,
        position: usize,
        has_named: bool,
    ) -> Option<usize> {
        let Some((name, range)) = &argument.name else {
            if has_named {
                let problem = "an argument without a name stands after one with a name";
                return self.fault(Fault::new(argument.value.range.clone(), problem));
            }
            return Some(position);
        };
        let plain = |name: &str| name.replace('_', "").to_ascii_lowercase();
        let found = function.parameters.iter().position(|parameter| plain(parameter.name) == plain(name));
        found.or_else(|| {
            let fault = Fault::new(range.clone(), format!("`{}` has no parameter `{name}`", function.name));
            self.fault(fault.nearest(name, function.parameters.iter().map(|parameter| parameter.name)))
        })
    }

    fn argument(&mut self, parameter: &Parameter, node: &Node) -> Option<Argument> {
        match (parameter.kind, &node.kind) {
            (Kind::Target, NodeKind::Path(path)) => {
                let path = self.path(path)?;
                if path.field.write == Write::ReadOnly {
                    let problem = format!("`{}` cannot be changed", path.field.name);
                    return self.fault(Fault::new(node.range.clone(), problem));
                }
                self.reaches_up |= path.field.level.is_above(self.context);
                Some(Argument::Target(Target::new(path)))
            }
            (Kind::FunctionName, NodeKind::Name(name)) => match function(name) {
                Some(function) if !function.is_editor() => Some(Argument::Function(function)),
                _ => {
                    let fault = Fault::new(node.range.clone(), format!("unknown converter `{name}`"));
                    let known = functions().filter(|function| !function.is_editor());
                    self.fault(fault.nearest(name, known.map(|function| function.name)))
                }
            },
            (Kind::Elements | Kind::LiteralTexts, NodeKind::List(nodes)) => {
                let elements = self.elements(nodes)?;
                let is_text = |element: &Expression| matches!(element, Expression::Literal(Value::Text(_)));
                if parameter.kind == Kind::LiteralTexts
                    && let Some(index) = elements.iter().position(|element| !is_text(element))
                {
                    let range = nodes.get(index).map_or(node.range.clone(), |node| node.range.clone());
                    return self.fault(Fault::new(range, "the list takes constant strings only"));
                }
                Some(Argument::Elements(elements))
            }
            (Kind::Target | Kind::FunctionName | Kind::Elements | Kind::LiteralTexts, _) => {
                self.mismatch(parameter, node)
            }
            _ => {
                let expression = self.expression(node)?;
                if let Some(problem) = misfit(parameter.kind, &expression) {
                    let problem = format!("`{}` {problem}", parameter.name);
                    return self.fault(Fault::new(node.range.clone(), problem));
                }
                Some(Argument::Expression(expression))
            }
        }
    }

    fn mismatch<T>(&mut self, parameter: &Parameter, node: &Node) -> Option<T> {
        let expected = match parameter.kind {
            Kind::Target => "a path",
            Kind::FunctionName => "the bare name of a converter",
            _ => "a list in brackets",
        };
        self.fault(Fault::new(node.range.clone(), format!("`{}` must be {expected}", parameter.name)))
    }

    /// Notes the fault that the maker of a call found.
    fn wrong(&mut self, error: ArgumentError, ranges: &[Range<usize>], call: &Invocation) {
        let range = ranges.get(error.index).cloned().unwrap_or_else(|| call.range.clone());
        self.faults.push(Fault::new(range, error.problem));
    }
}

/// Returns what is wrong with a constant for a kind of parameters; `None`: nothing, or it is not constant.
fn misfit(kind: Kind, expression: &Expression) -> Option<String> {
    let literal = expression.literal().map(Value::borrow);
    let wants_constant = match kind {
        Kind::LiteralBool => Some("true or false"),
        Kind::LiteralDouble => Some("a constant number"),
        Kind::LiteralInt => Some("a constant int"),
        Kind::LiteralText | Kind::Word(_) => Some("a constant string"),
        _ => None,
    };
    let Some(literal) = literal else {
        return wants_constant.map(|constant| format!("must be {constant}"));
    };
    let error = match kind {
        Kind::LiteralBool => literal.into_bool().err(),
        Kind::BoolLike => literal.into_bool_like().err(),
        Kind::BytesLike => literal.into_bytes_like().err(),
        Kind::LiteralDouble if matches!(literal, Value::Int(_)) => None,
        Kind::LiteralDouble => literal.into_double().err(),
        Kind::DoubleLike => literal.into_double_like().err(),
        Kind::Duration => literal.into_duration().err(),
        Kind::Int | Kind::LiteralInt => literal.into_int().err(),
        Kind::IntLike => literal.into_int_like().err(),
        Kind::List => literal.into_list().err(),
        Kind::Map => literal.into_map().err(),
        Kind::Text | Kind::Pattern | Kind::LiteralText => literal.into_text().err(),
        Kind::TextLike => literal.into_text_like().err(),
        Kind::Time => literal.into_time().err(),
        Kind::Word(words) => match literal {
            Value::Text(text) if words.contains(&&*text) => None,
            _ => return Some(format!("must be one of {}", words.join(", "))),
        },
        Kind::Any | Kind::Elements | Kind::FunctionName | Kind::LiteralTexts | Kind::Target => None,
    };
    error.map(|error| format!("is wrong: {error}"))
}

/// Returns true for a key that is written as a string or an int.
fn is_plain_key(key: &Node) -> bool {
    matches!(key.kind, NodeKind::Text(_) | NodeKind::Int(_))
}

/// Returns the form of a call: `truncate_all(target, limit, [marker])`.
fn usage(function: &Function) -> String {
    let parameter = |parameter: &Parameter| match parameter.is_optional {
        true => format!("[{}]", parameter.name),
        false => parameter.name.to_owned(),
    };
    let parameters: Vec<_> = function.parameters.iter().map(parameter).collect();
    format!("the form is `{}({})`", function.name, parameters.join(", "))
}
