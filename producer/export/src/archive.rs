//! A ZIP, file by file and piece by piece, that goes out while it is written.

use std::io::{self, Write};
use std::mem::take;
use std::sync::{Arc, Mutex, PoisonError};

use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use crate::part::ExportError;

/// The fastest level: a text has a third of its size then, and the export takes no longer than its reading.
const LEVEL: i64 = 1;

/// A ZIP that is being written.
pub(crate) struct Archive {
    writer: ZipWriter<StreamWriter<Written>>,
    written: Written,
}

impl Archive {
    pub fn new() -> Self {
        let written = Written::default();
        let writer = ZipWriter::new_stream(written.clone());
        Self { writer, written }
    }

    /// Begins the next file.
    pub fn begin(&mut self, name: String) -> Result<(), ExportError> {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL));
        Ok(self.writer.start_file(name, options)?)
    }

    /// Appends to the file that was begun last.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        Ok(self.writer.write_all(bytes)?)
    }

    /// Writes the list of files, which ends the ZIP.
    pub fn end(&mut self) -> Result<(), ExportError> {
        let writer = std::mem::replace(&mut self.writer, ZipWriter::new_stream(Written::default()));
        writer.finish()?;
        Ok(())
    }

    /// Moves what was written.
    pub fn drain(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.written.bytes());
    }
}

/// What was written and not moved yet. The writer of the ZIP keeps one handle, and the archive the other.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn bytes(&self) -> Vec<u8> {
        take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
