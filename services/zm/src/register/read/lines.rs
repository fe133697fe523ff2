//! On which line of a file a record starts.
//!
//! A row's identity is its line, so it must not hang on how the CSV reader counts: the `csv` crate sees a record begin before the line
//! ends and blank lines that precede it, and counts no line that ends with a bare carriage return. Here a line ends with LF, CR LF or CR, as in an
//! editor.

/// A walk through the bytes of a file that counts its lines.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            line: 1,
        }
    }

    /// The line of a byte. Bytes are asked for in ascending order.
    pub(super) fn line_at(&mut self, byte: usize) -> u64 {
        while self.at < byte {
            let next = self.bytes.get(self.at + 1);
            match self.bytes.get(self.at) {
                Some(b'\n') => self.line += 1,
                Some(b'\r') if next != Some(&b'\n') => self.line += 1,
                _ => {}
            }
            self.at += 1;
        }
        self.line
    }

    /// The line on which the record starts that the CSV reader saw begin at a byte: the first that is not empty.
    pub(super) fn record_at(&mut self, byte: u64) -> u64 {
        let start = self.first_of_record(byte);
        self.line_at(start)
    }

    /// The line on which the last record starts, if that has a quote that is never closed, so that it swallowed the lines after it.
    ///
    /// A lone quote in a record of one line swallows nothing and is a quote like any other.
    pub(super) fn quote_left_open(&mut self, last_record: u64) -> Option<u64> {
        let start = self.first_of_record(last_record);
        let record = self.bytes.get(start..).unwrap_or_default().trim_ascii_end();
        let quotes = record.iter().filter(|byte| **byte == b'"').count();
        let several_lines = record.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
        (several_lines && quotes % 2 == 1).then(|| self.line_at(start))
    }

    fn first_of_record(&self, byte: u64) -> usize {
        let start = usize::try_from(byte)
            .unwrap_or(usize::MAX)
            .min(self.bytes.len());
        let ends = self.bytes[start..]
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        start + ends
    }
}
