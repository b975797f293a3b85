//! Which part of a DOCX stands for what. Parts are found by their relationships and never by their names: programs are free in
//! the names, and strict files have types of relationships with another beginning.

use std::collections::HashMap;

use crate::parse::package::Package;
use crate::parse::xml::{self, Element, Event, Space, Xml};
use crate::refusal::{Format, Refusal};

/// The relationships of one part, or of the package.
#[derive(Debug, Default)]
pub struct Relationships {
    /// Paths of the parts by the identifier of the relationship.
    targets: HashMap<String, String>,
    /// The path of the first part of each kind. A kind is the last word of a relationship's type.
    first: HashMap<String, String>,
}

impl Relationships {
    /// Reads the relationships of a part; those of the package are the ones of the part without a name.
    pub fn read(package: &mut Package<'_>, part: &str) -> Result<Self, Refusal> {
        let (folder, file) = part
            .rsplit_once('/')
            .map_or(("", part), |(folder, file)| (folder, file));
        let mut relationships = Self::default();
        let Some(bytes) = package.part(&resolve(folder, &format!("_rels/{file}.rels")))? else {
            return Ok(relationships);
        };
        let text = xml::decode(bytes);
        let mut xml = Xml::new(&text, Format::Docx);
        while let Some(event) = xml.read()? {
            if let Event::Start(element) = event
                && element.name() == (Space::Relationships, b"Relationship")
            {
                relationships.add(&element, folder);
            }
        }
        Ok(relationships)
    }

    fn add(&mut self, element: &Element<'_, '_>, folder: &str) {
        let value = |name: &[u8]| element.attribute(Space::None, name);
        let (Some(id), Some(kind), Some(target)) = (value(b"Id"), value(b"Type"), value(b"Target")) else {
            return;
        };
        if value(b"TargetMode").is_some_and(|mode| mode == "External") {
            return;
        }
        let path = resolve(folder, &target);
        let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
        self.first.entry(kind).or_insert_with(|| path.clone());
        self.targets.insert(id, path);
    }

    /// The path of the part that an identifier names.
    pub fn target(&self, id: &str) -> Option<&str> {
        self.targets.get(id).map(String::as_str)
    }

    /// The path of the first part of a kind, such as `footnotes`.
    pub fn first(&self, kind: &str) -> Option<&str> {
        self.first.get(kind).map(String::as_str)
    }
}

/// The path that a target means in a folder.
fn resolve(folder: &str, target: &str) -> String {
    let from_root = target.starts_with('/');
    let mut path: Vec<&str> = if from_root {
        Vec::new()
    } else {
        segments(folder).collect()
    };
    for segment in segments(target) {
        match segment {
            ".." => {
                path.pop();
            }
            segment => path.push(segment),
        }
    }
    path.join("/")
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty() && *segment != ".")
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn targets_are_relative_to_the_folder_of_their_part() {
        assert_eq!(resolve("word", "header1.xml"), "word/header1.xml");
        assert_eq!(resolve("word", "/word/header1.xml"), "word/header1.xml");
        assert_eq!(resolve("word", "../customXml/item1.xml"), "customXml/item1.xml");
        assert_eq!(resolve("", "../../word/./document.xml"), "word/document.xml");
    }
}
