//! Counts the work of walks over bodies, in tests alone: time must be linear in a body's length whatever is in it.

/// Counts steps: fields read, and bytes copied beside the output.
#[inline]
pub(crate) fn count(_steps: usize) {
    #[cfg(test)]
    tests::add(_steps);
}

#[cfg(test)]
mod tests;
