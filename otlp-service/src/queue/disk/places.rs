//! The stores of a queue, the highest class first: one store, or one for each class.

use super::backlog::Amount;
use super::common::Common;
use super::settings::{DiskConfig, class_directory, signal_and_class};
use super::store::{Hops, Room, Store, bytes_in, make_directory};
use super::stores::{StoreUse, Stores};
use crate::queue::{OnFull, QueueClass, QueueEntry, Size, Sizer};
use otlp_transport::{Disk, TransportContext};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// The stores of a queue.
#[derive(Debug)]
pub(super) struct Places {
    /// The classes of the configuration, the last of which takes what no other takes. Behind them those that have left the
    /// configuration.
    list: Vec<Place>,
    pub(super) common: Arc<Common>,
    /// Largest size of all files.
    max_bytes: u64,
}

/// A store.
#[derive(Debug)]
pub(super) struct Place {
    /// `None` if the queue has no classes.
    pub(super) class: Option<Arc<str>>,
    store: StoreUse,
}

/// Room for one batch.
#[derive(Debug)]
pub(super) enum Reserved {
    /// In the only store.
    Alone(Room),
    /// Among the files of all stores.
    Among(RoomAmong),
}

/// Room for one batch among the files of all stores.
#[derive(Debug)]
pub(super) struct RoomAmong {
    common: Arc<Common>,
    bytes: u64,
}

// === impl Places ===

impl Places {
    /// Opens the stores of a queue: those of its classes, and those of classes that are not in the settings any more.
    pub(super) fn open(
        stores: &Stores,
        context: &TransportContext,
        directory: &Path,
        config: &DiskConfig,
        hops: &Hops,
    ) -> io::Result<Self> {
        let disk = &*context.disk;
        let common = stores.common(directory);
        let mut names: Vec<String> = match &config.classes {
            Some(classes) => classes.names().map(str::to_owned).collect(),
            None => vec![QueueClass::REST.into()],
        };
        let left_over = left_over(disk, directory, &names, config.classes.is_some())?;
        let is_alone = names.len() == 1 && left_over.is_empty();
        names.extend(left_over);
        let max_bytes = if is_alone {
            0
        } else {
            make_directory(disk, config, directory)?;
            let used =
                names.iter().map(|name| bytes_in(disk, &class_directory(directory, name)).unwrap_or(0));
            let used: u64 = used.sum();
            config.limit(disk.free_bytes(directory).ok().map(|free| free.saturating_add(used)))
        };
        let open = |name: String| {
            let mut own = config.clone();
            if !is_alone {
                own.max_bytes = Some(max_bytes);
            }
            if let Some(class) =
                config.classes.iter().flat_map(|classes| classes.all()).find(|class| class.name == name)
            {
                own.max_bytes = Some(class.max_share.map_or(max_bytes, |share| share.of(max_bytes)));
                own.max_age = class.max_age.or(config.max_age);
            }
            let store =
                stores.open(context, &class_directory(directory, &name), &own, hops.clone(), &common)?;
            Ok(Place { class: (!is_alone).then(|| name.into()), store })
        };
        let list = names.into_iter().map(open).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { list, common, max_bytes })
    }

    /// Returns the stores, the highest class first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Place> {
        self.list.iter()
    }

    /// Returns the store of a class by its rank; the highest has the rank 0.
    pub(super) fn of_rank(&self, rank: usize) -> Option<&Arc<Store>> {
        self.list.get(rank).map(|place| place.store.store())
    }

    /// Returns the only store; `None` if there are several.
    fn only(&self) -> Option<&Arc<Store>> {
        match &*self.list {
            [only] => Some(only.store.store()),
            _ => None,
        }
    }

    /// True if this queue takes batches out of all stores.
    pub(super) fn has_turn(&self) -> bool {
        self.list.iter().all(|place| place.store.has_turn())
    }

    /// Takes the next batch of the highest class that has one.
    pub(super) fn take(&self) -> Option<QueueEntry> {
        if let Some(only) = self.only() {
            return only.take();
        }
        let taken = self.list.iter().find_map(|place| place.store.store().take())?;
        // Another store may have a batch.
        self.common.ready.notify_one();
        Some(taken)
    }

    /// Returns the time at which a batch can be taken that a limit keeps back.
    pub(super) fn due(&self) -> Option<Instant> {
        self.list.iter().filter_map(|place| place.store.store().due()).min()
    }

    /// Reserves room for one batch; if `on_full` drops what waits, in any case. `limit` is the largest size of what waits.
    pub(super) fn try_reserve(&self, size: Size, limit: (Sizer, u64), drops: bool) -> Option<Reserved> {
        if let Some(only) = self.only() {
            return only.try_reserve(size, limit, drops).map(Reserved::Alone);
        }
        let bytes = size.bytes + self.list.len() as u64 * super::store::RECORD_BYTES;
        let (sizer, most) = limit;
        // What is added at the same time is seen by one of two reservations.
        let before = self.common.reserved.fetch_add(bytes, Ordering::AcqRel);
        let room = RoomAmong { common: self.common.clone(), bytes };
        let fits = self.bytes() + before + bytes <= self.max_bytes
            && sizer.of(self.waiting()).saturating_add(sizer.room(size)) <= most;
        let is_idle = || before == 0 && self.list.iter().all(|place| place.store.store().is_idle());
        if drops || fits || is_idle() {
            return Some(Reserved::Among(room));
        }
        // A room that is dropped wakes all that wait for room: none is made for a refusal.
        room.withdraw();
        None
    }

    /// True if the files and what is let in are more than the limit.
    pub(super) fn is_over_limit(&self) -> bool {
        self.bytes() + self.common.reserved.load(Ordering::Acquire) > self.max_bytes
    }

    /// Returns the store that loses its oldest segment for a batch of a rank, by the settings; `None` if there is none.
    pub(super) fn victim(&self, rank: usize, on_full: OnFull) -> Option<&Arc<Store>> {
        let mut filled = self
            .list
            .iter()
            .map(|place| place.store.store())
            .enumerate()
            .filter(|(_, store)| store.log.bytes() > 0);
        let (_, store) = match on_full {
            OnFull::DropLowest => filled.rfind(|(other, _)| *other >= rank),
            OnFull::DropOldest => {
                filled.min_by_key(|(_, store)| store.log.first_times().first().map(|(_, time)| *time))
            }
            OnFull::Block | OnFull::Drop | OnFull::Refuse => None,
        }?;
        Some(store)
    }

    /// Returns what waits.
    pub(super) fn waiting(&self) -> Amount {
        let amounts = self.list.iter().map(|place| place.store.store().waiting());
        amounts.fold(Amount::default(), Amount::plus)
    }

    /// Returns the bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        self.list.iter().map(|place| place.store.store().log.bytes()).sum()
    }

    pub(super) fn max_bytes(&self) -> u64 {
        self.only().map_or(self.max_bytes, |only| only.max_bytes())
    }

    /// Leaves the stores to the next queue; the last queue waits until they are closed.
    pub(super) async fn leave(&self) {
        for place in &self.list {
            place.store.leave().await;
        }
    }
}

// === impl Place ===

impl Place {
    pub(super) fn store(&self) -> &Arc<Store> {
        self.store.store()
    }
}

// === impl RoomAmong ===

impl RoomAmong {
    /// Gives a part of the room back.
    pub(super) fn shrink(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.common.reserved.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// Gives the room back without a word to those that wait for room.
    fn withdraw(mut self) {
        self.shrink(u64::MAX);
    }
}

impl Drop for RoomAmong {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.shrink(u64::MAX);
            self.common.freed.notify_waiters();
        }
    }
}

/// Returns the classes, beside `known`, that have files: they have left the settings, and their batches are to be delivered.
fn left_over(disk: &dyn Disk, rest: &Path, known: &[String], has_classes: bool) -> io::Result<Vec<String>> {
    let (Some(parent), Some(signal)) = (rest.parent(), rest.file_name().and_then(|name| name.to_str()))
    else {
        return Ok(Vec::new());
    };
    let mut names = match disk.list_directories(parent) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        // A disk that does not know its directories has no classes, as it would forget those that leave the settings.
        Err(error) if error.kind() == io::ErrorKind::Unsupported && !has_classes => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    names.sort_unstable();
    let classes = names.iter().filter_map(|name| {
        let class = signal_and_class(name).filter(|_| name.starts_with(signal))?.1?;
        (!known.iter().any(|known| known == class)).then(|| class.to_owned())
    });
    Ok(classes.collect())
}
