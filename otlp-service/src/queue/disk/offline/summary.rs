//! What is in the files of a queue, in numbers.

use super::segment::{Piece, SegmentFile};
use super::view::QueueView;
use crate::queue::disk::properties::Properties;
use crate::queue::disk::segment::{Left, Totals};
use std::io;
use std::time::SystemTime;

/// What is in the files of a queue and not delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueSummary {
    /// Requests.
    pub requests: u64,
    /// Items in these requests.
    pub items: u64,
    /// Bytes that these requests take in the files.
    pub bytes: u64,
    /// Items of each pipeline that the requests came from.
    pub pipelines: Vec<(String, u64)>,
    /// Files of requests, and their length. Some of the requests in them may be delivered.
    pub segments: u64,
    /// Length of the files of requests, in bytes.
    pub segment_bytes: u64,
    /// Time at which the oldest request was stored.
    pub oldest: Option<SystemTime>,
    /// The file that tells which requests are delivered was damaged: some may be delivered again.
    pub is_cursor_damaged: bool,
}

impl QueueView {
    /// Adds up what is not delivered. Reads few bytes of complete segments.
    ///
    /// # Errors
    /// If a segment cannot be read.
    pub fn summary(&self) -> io::Result<QueueSummary> {
        let mut summary =
            QueueSummary { is_cursor_damaged: self.is_cursor_damaged, ..QueueSummary::default() };
        for segment in &self.segments {
            summary.segments += 1;
            summary.segment_bytes += segment.len;
            self.left_of(segment)?.iter().for_each(|left| summary.add(left));
        }
        summary.oldest = self.requests().next().transpose()?.map(|request| request.stored_at);
        Ok(summary)
    }

    /// Returns what is not delivered of a segment, by pipeline.
    fn left_of(&self, segment: &SegmentFile) -> io::Result<Vec<Left>> {
        let Some(file) = segment.open(&*self.disk, &self.directory)? else { return Ok(Vec::new()) };
        if let Some(totals) = segment.totals(&*file)? {
            let range = segment.name.first..totals.next;
            if self.settled.covers(&range) {
                return Ok(Vec::new());
            }
            if !self.settled.meets(&range) {
                return Ok(totals.left);
            }
        }
        let mut totals = Totals::none(segment.name.first);
        let mut pieces = segment.pieces(file);
        while let Some(piece) = pieces.next()? {
            if let Piece::Record(record) = piece
                && !self.settled.contains(record.header.sequence)
            {
                let pipeline = Properties::decode(&record.properties).unwrap_or_default().pipeline;
                totals.add(&record.header, &pipeline.into());
            }
        }
        Ok(totals.left)
    }
}

impl QueueSummary {
    fn add(&mut self, left: &Left) {
        self.requests += left.records;
        self.items += left.items;
        self.bytes += left.bytes;
        match self.pipelines.iter_mut().find(|(pipeline, _)| **pipeline == *left.pipeline) {
            Some((_, items)) => *items += left.items,
            None => self.pipelines.push((left.pipeline.to_string(), left.items)),
        }
    }
}
