//! Archives that grow, nest, overlap and lie.

use super::Bomb;
use crate::files::zip::{self, Entry};

const ZIP: &str = "application/zip";

pub const ALL: &[Bomb] = &[
    Bomb {
        name: "one-entry-of-zeros.zip",
        media_type: ZIP,
        make: one_entry_of_zeros,
    },
    Bomb {
        name: "many-entries-of-zeros.zip",
        media_type: ZIP,
        make: many_entries_of_zeros,
    },
    Bomb {
        name: "entries-without-end.zip",
        media_type: ZIP,
        make: entries_without_end,
    },
    Bomb {
        name: "overlapping-entries.zip",
        media_type: ZIP,
        make: overlapping_entries,
    },
    Bomb {
        name: "overlapping-zeros.zip",
        media_type: ZIP,
        make: overlapping_zeros,
    },
    Bomb {
        name: "nested-archives.zip",
        media_type: ZIP,
        make: nested_archives,
    },
    Bomb {
        name: "archives-in-width-and-depth.zip",
        media_type: ZIP,
        make: archives_in_width_and_depth,
    },
    Bomb {
        name: "one-name-many-times.zip",
        media_type: ZIP,
        make: one_name_many_times,
    },
    Bomb {
        name: "hostile-names.zip",
        media_type: ZIP,
        make: hostile_names,
    },
    Bomb {
        name: "lying-sizes.zip",
        media_type: ZIP,
        make: lying_sizes,
    },
    Bomb {
        name: "two-hundred-letters.zip",
        media_type: "application/octet-stream",
        make: two_hundred_letters,
    },
];

fn one_entry_of_zeros() -> Vec<u8> {
    zip::archive(&[Entry::deflated("zeros.txt", &vec![b'0'; 300 << 20])])
}

fn many_entries_of_zeros() -> Vec<u8> {
    let entry = Entry::deflated("zeros.txt", &vec![b'0'; 4 << 20]);
    let named = (0..900).map(|number| Entry {
        name: format!("{number}.txt").into_bytes(),
        ..entry.clone()
    });
    zip::archive(&named.collect::<Vec<_>>())
}

fn entries_without_end() -> Vec<u8> {
    let entry = Entry::stored("", b"a");
    let named = (0..65_000).map(|number| Entry {
        name: format!("{number}").into_bytes(),
        ..entry.clone()
    });
    zip::archive(&named.collect::<Vec<_>>())
}

fn overlapping_entries() -> Vec<u8> {
    zip::overlapping(
        &Entry::deflated("0.txt", b"The lease of Ada King ends on 1 December 2026."),
        60_000,
    )
}

fn overlapping_zeros() -> Vec<u8> {
    zip::overlapping(&Entry::deflated("0.txt", &vec![b'0'; 64 << 20]), 500)
}

/// An archive in an archive, deeper than any is unpacked.
fn nested_archives() -> Vec<u8> {
    let letter = zip::archive(&[Entry::stored("letter.txt", b"The lease of Ada King.")]);
    (0..100).fold(letter, |inner, _| zip::archive(&[Entry::stored("inner.zip", &inner)]))
}

/// Ten archives in each of ten archives, and zeros in each.
fn archives_in_width_and_depth() -> Vec<u8> {
    let zeros = zip::archive(&[Entry::deflated("zeros.txt", &vec![b'0'; 8 << 20])]);
    (0..2).fold(zeros, |inner, _| {
        let entries = (0..10).map(|number| Entry::deflated(&format!("{number}.zip"), &inner));
        zip::archive(&entries.collect::<Vec<_>>())
    })
}

fn one_name_many_times() -> Vec<u8> {
    let entries =
        (0..100).map(|number| Entry::stored("letter.txt", format!("Letter {number} to Ada King.").as_bytes()));
    zip::archive(&entries.collect::<Vec<_>>())
}

fn hostile_names() -> Vec<u8> {
    let long = "a/".repeat(30_000);
    let names = [
        "../../../../etc/passwd",
        "/etc/cron.d/letter",
        "C:\\Windows\\letter.txt",
        "con",
        "a\0b.txt",
        "\u{202e}fdp.txt",
        "\u{200b}\u{feff}",
        "line\r\nbreak.txt",
        ".",
        "..",
        "",
        &long,
    ];
    let entries: Vec<Entry> = names
        .iter()
        .map(|name| Entry::stored(name, b"A letter to Ada King."))
        .collect();
    zip::archive(&entries)
}

/// Sizes that say less and more than there is, and an unknown method.
fn lying_sizes() -> Vec<u8> {
    let honest = Entry::deflated("a.txt", &b"The lease of Ada King. ".repeat(1_000));
    let with = |name: &str, size: u32| Entry {
        name: name.as_bytes().to_vec(),
        size,
        ..honest.clone()
    };
    let unknown = Entry {
        name: b"unknown.txt".to_vec(),
        method: 97,
        ..honest.clone()
    };
    zip::archive(&[
        with("less.txt", 1),
        with("more.txt", u32::MAX - 1),
        with("none.txt", 0),
        unknown,
        honest,
    ])
}

fn two_hundred_letters() -> Vec<u8> {
    let entries = (0..200).map(|number| {
        let text = format!("Letter {number}: Ada King owes Mr. John Smith $1,000 by 1 December 2026.");
        Entry::deflated(&format!("{number}.txt"), text.as_bytes())
    });
    zip::archive(&entries.collect::<Vec<_>>())
}
