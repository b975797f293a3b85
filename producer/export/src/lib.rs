#![doc = include_str!("../README.md")]

mod archive;
mod brat;
mod conll;
mod csv;
mod doccano;
mod document;
mod export;
mod format;
mod found;
mod json;
mod jsonl;
mod label;
mod label_studio;
mod open_contracts;
mod part;
mod pawls;
mod spacy;
mod text_first;
mod web_annotation;
mod window;

pub use document::Document;
pub use export::Export;
pub use format::Format;
pub use found::Found;
pub use part::{ExportError, Part, Want};
