//! Classes of items in a queue on disk: what is delivered first, and what is dropped last.

use crate::component::{Needs, reserve};
use crate::connector::routing::{Chooser, Route, RoutingConfig, Table};
use crate::ottl::{EvalError, OttlError, unix_nanos};
use crate::processor::ErrorMode;
use crate::queue::Share;
use otlp_protocol::{Batch, partition};
use otlp_transport::ExportError;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A class of items. Each class has files of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueClass {
    /// The name: 1 to 32 characters of `a` to `z`, `0` to `9`, `-` and `_`. [`REST`](Self::REST) is the class of what no other class
    /// takes.
    pub name: String,
    /// Conditions in OTTL, of which one is enough. Each path has its context in front: `resource`, `span`, `metric`, `datapoint`,
    /// `log`. A condition on messages of another signal does not hold.
    pub conditions: Vec<String>,
    /// Largest part of the queue's bytes that the class takes. Default: all of them.
    pub max_share: Option<Share>,
    /// Time after which batches of the class are dropped. Default: that of the queue.
    pub max_age: Option<Duration>,
}

/// Checked classes, the highest first. The last class is [`QueueClass::REST`].
///
/// ```
/// use otlp_service::{QueueClass, QueueClasses};
///
/// let errors = QueueClass::new("errors", ["span.status.code == STATUS_CODE_ERROR"]);
/// let classes = QueueClasses::new(vec![errors]).unwrap();
/// assert_eq!(classes.names().collect::<Vec<_>>(), ["errors", "rest"]);
///
/// let wrong = QueueClass::new("errors", ["span.statsu.code == 2"]);
/// let faults = QueueClasses::new(vec![wrong]).unwrap_err();
/// assert_eq!((faults[0].class, faults[0].condition), (0, Some(0)));
/// ```
#[derive(Clone)]
pub struct QueueClasses(Arc<Checked>);

/// A fault of a class.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueClassError {
    /// Index of the class.
    pub class: usize,
    /// Index of the condition; `None`: the fault is in the name, or in all of the class.
    pub condition: Option<usize>,
    /// The faults of the condition, or of the name.
    pub error: OttlError,
}

struct Checked {
    classes: Vec<QueueClass>,
    table: Table,
    /// The class of each condition.
    class_of: Vec<usize>,
    needs: Needs,
}

// === impl QueueClass ===

impl QueueClass {
    /// The name of the class of what no other class takes.
    pub const REST: &'static str = "rest";

    /// A class by its conditions, without limits of its own.
    pub fn new<T: Into<String>>(name: impl Into<String>, conditions: impl IntoIterator<Item = T>) -> Self {
        let conditions = conditions.into_iter().map(Into::into).collect();
        Self { name: name.into(), conditions, max_share: None, max_age: None }
    }

    /// True if a class can have a name.
    pub(super) fn is_name(name: &str) -> bool {
        let is_allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_allowed)
    }

    /// Returns what is wrong with the class at its place, apart from its conditions.
    fn fault(&self, is_last: bool, before: &[Self]) -> Option<&'static str> {
        let is_rest = self.name == Self::REST;
        if !Self::is_name(&self.name) {
            return Some("a class has a name of 1 to 32 characters: a to z, 0 to 9, - and _");
        }
        if before.iter().any(|other| other.name == self.name) {
            return Some("two classes have this name");
        }
        if is_rest && !self.conditions.is_empty() {
            return Some("the class `rest` takes what no other class takes: it has no conditions");
        }
        if is_rest && !is_last {
            return Some("the class `rest` is the lowest: put it last");
        }
        (!is_rest && self.conditions.is_empty()).then_some("a class needs conditions")
    }
}

// === impl QueueClasses ===

impl QueueClasses {
    /// Checks the names and the conditions.
    ///
    /// # Errors
    /// The faults of all classes.
    pub fn new(mut classes: Vec<QueueClass>) -> Result<Self, Vec<QueueClassError>> {
        let mut errors = Vec::new();
        for (index, class) in classes.iter().enumerate() {
            let before = classes.get(..index).unwrap_or_default();
            let fault = match index {
                MAX_CLASSES.. => Some("a queue has at most 16 classes"),
                _ => class.fault(index + 1 == classes.len(), before),
            };
            let fault = fault.map(|fault| OttlError::of_all(&class.name, fault));
            errors.extend(fault.map(|error| QueueClassError { class: index, condition: None, error }));
        }
        let conditions = classes.iter().enumerate().flat_map(|(class, QueueClass { conditions, .. })| {
            conditions.iter().enumerate().map(move |(index, condition)| (class, index, condition))
        });
        let places: Vec<_> = conditions.clone().map(|(class, index, _)| (class, index)).collect();
        let mut config = RoutingConfig { error_mode: ErrorMode::Ignore, ..RoutingConfig::default() };
        config.table = conditions.map(|(_, _, condition)| Route::new(condition, [""; 0])).collect();
        let mut needs = Needs::default();
        let table = Table::new(config, &mut needs).map(|table| table.with_log(log)).map_err(|faults| {
            errors.extend(faults.into_iter().filter_map(|fault| {
                let (class, condition) = *places.get(fault.index)?;
                Some(QueueClassError { class, condition: Some(condition), error: fault.error })
            }));
        });
        if classes.last().is_none_or(|last| last.name != QueueClass::REST) {
            classes.push(QueueClass::new(QueueClass::REST, [""; 0]));
        }
        match table {
            Ok(table) if errors.is_empty() => {
                let class_of = places.into_iter().map(|(class, _)| class).collect();
                Ok(Self(Arc::new(Checked { classes, table, class_of, needs })))
            }
            _ => Err(errors),
        }
    }

    /// Returns the names, the highest class first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.classes.iter().map(|class| class.name.as_str())
    }

    /// Returns the classes, the highest first.
    pub(crate) fn all(&self) -> &[QueueClass] {
        &self.0.classes
    }

    /// Returns the properties of requests that the conditions read.
    pub(crate) fn needs(&self) -> &Needs {
        &self.0.needs
    }

    /// Divides a batch by the classes of its items. Returns the index of each class that has items, the highest first, with its part.
    ///
    /// # Errors
    /// If the byte budget has no room for the parts.
    pub(super) fn divide(
        &self,
        mut batch: Batch,
        now: SystemTime,
    ) -> Result<Vec<(usize, Batch)>, ExportError> {
        let Checked { classes, table, class_of, .. } = &*self.0;
        let (body, origin) = (batch.body().contiguous(), batch.origin.clone());
        let rest = classes.len().saturating_sub(1);
        // Short records are copied: their bytes are known only after the division.
        let mut room = batch.charge().another();
        reserve(&batch, &mut room, body.len() as u64)?;
        let mut chooser = Chooser::new(table, body.signal(), origin.as_deref(), unix_nanos(now));
        let divided = partition(&body, classes.len(), |item| {
            chooser.moves(item).and_then(|condition| class_of.get(condition).copied()).unwrap_or(rest)
        });
        let mut parts: Vec<_> =
            divided.into_iter().enumerate().filter_map(|(class, part)| Some((class, part?))).collect();
        if parts.len() <= 1 {
            return Ok(vec![(parts.pop().map_or(rest, |(class, _)| class), batch)]);
        }
        let whole = body.plain().to_contiguous();
        let part = |(class, part): (usize, otlp_protocol::Body)| {
            let mut charge = batch.share().take_charge();
            charge.try_grow(part.plain().len_outside(&whole) as u64)?;
            Ok((class, batch.part(part, charge)))
        };
        parts.into_iter().map(part).collect()
    }
}

fn log(condition: &str, error: &EvalError) {
    tracing::warn!(condition, %error, "a condition of a queue's class failed, so it counts as not met; further errors are not logged");
}

impl fmt::Debug for QueueClasses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0.classes).finish()
    }
}

impl PartialEq for QueueClasses {
    fn eq(&self, other: &Self) -> bool {
        self.0.classes == other.0.classes
    }
}

impl Eq for QueueClasses {}

impl fmt::Display for QueueClassError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "class {}: {}", self.class, self.error)
    }
}

impl std::error::Error for QueueClassError {}

const MAX_NAME: usize = 32;
const MAX_CLASSES: usize = 16;

#[cfg(test)]
mod tests;
