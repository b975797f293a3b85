//! One page of a bucket's keys, as `ListObjectsV2` gives it.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::store::Object;

/// A request for a listing.
#[derive(Debug)]
pub struct Listing<'a> {
    /// The beginning of the listed keys.
    pub prefix: &'a str,
    /// The delimiter after the prefix: keys with the same text up to it count as one entry.
    pub delimiter: Option<&'a str>,
    /// Only entries after this key or shared beginning.
    pub after: &'a str,
    /// Limit of entries on the page.
    pub count: usize,
}

/// A page of a listing.
#[derive(Debug, Default)]
pub struct Page {
    /// Objects whose keys are not cut.
    pub objects: Vec<Object>,
    /// Shared beginnings of keys, each once.
    pub prefixes: Vec<String>,
    /// The `after` of the next page; `None` on the last page.
    pub next: Option<String>,
}

impl Listing<'_> {
    /// Takes the page out of all objects.
    pub fn page(&self, objects: &BTreeMap<String, Object>) -> Page {
        let mut page = Page::default();
        let mut last = self.after.to_owned();
        let start = if self.after > self.prefix {
            Bound::Excluded(self.after)
        } else {
            Bound::Included(self.prefix)
        };
        let keys = objects.range::<str, _>((start, Bound::Unbounded));
        for (key, object) in keys.take_while(|(key, _)| key.starts_with(self.prefix)) {
            let shared = self.shared(key);
            if shared.is_some_and(|shared| shared == last) {
                continue; // Counted already: on this page, or as the last entry of the page before.
            }
            if page.objects.len() + page.prefixes.len() == self.count {
                page.next = (self.count > 0).then_some(last);
                break;
            }
            last = shared.unwrap_or(key).to_owned();
            match shared {
                Some(shared) => page.prefixes.push(shared.to_owned()),
                None => page.objects.push(object.clone()),
            }
        }
        page
    }

    fn shared<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.filter(|delimiter| !delimiter.is_empty())?;
        let cut = key[self.prefix.len()..].find(delimiter)?;
        Some(&key[..self.prefix.len() + cut + delimiter.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(keys: &[&str]) -> BTreeMap<String, Object> {
        let object = |key: &str| {
            Object::new(
                key.to_owned(),
                0,
                String::new(),
                super::super::store::Attributes::default(),
            )
        };
        keys.iter().map(|key| ((*key).to_owned(), object(key))).collect()
    }

    fn pages(objects: &BTreeMap<String, Object>, prefix: &str, delimiter: Option<&str>, count: usize) -> Vec<String> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = Listing {
                prefix,
                delimiter,
                after: &after,
                count,
            }
            .page(objects);
            let mut names: Vec<_> = page
                .objects
                .into_iter()
                .map(|object| object.key)
                .chain(page.prefixes)
                .collect();
            names.sort();
            all.push(names.join(" "));
            match page.next {
                Some(next) => after = next,
                None => return all,
            }
        }
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repeat() {
        let objects = objects(&["a", "b/1", "b/2", "b/3", "c", "d/1"]);
        assert_eq!(pages(&objects, "", None, 4), ["a b/1 b/2 b/3", "c d/1"]);
        assert_eq!(pages(&objects, "", None, 3), ["a b/1 b/2", "b/3 c d/1"]);
        assert_eq!(pages(&objects, "b/", None, 2), ["b/1 b/2", "b/3"]);
        assert_eq!(pages(&objects, "", Some("/"), 10), ["a b/ c d/"]);
        assert_eq!(pages(&objects, "", Some("/"), 1), ["a", "b/", "c", "d/"]);
        assert_eq!(pages(&objects, "b", Some("/"), 1), ["b/"]);
        assert_eq!(pages(&objects, "x", None, 1), [""]);
    }
}
