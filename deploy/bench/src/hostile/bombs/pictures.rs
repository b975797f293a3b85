//! Pictures that unpack, turn in circles, and lie about their size; and scans that give OCR much to do for nothing.

use std::io::Write as _;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

use super::Bomb;
use crate::corpus::Random;

const PNG: &str = "image/png";
const TIFF: &str = "image/tiff";
const JPEG: &str = "image/jpeg";

pub const ALL: &[Bomb] = &[
    Bomb {
        name: "900-million-pixels.png",
        media_type: PNG,
        make: || png((30_000, 30_000), &vec![0; (30_000 / 8 + 1) * 30_000]),
    },
    Bomb {
        name: "size-that-lies.png",
        media_type: PNG,
        make: || png((u32::MAX >> 1, u32::MAX >> 1), &[0; 100]),
    },
    Bomb {
        name: "cut-off.png",
        media_type: PNG,
        make: || png((2_480, 3_508), &vec![0xff; 300 * 311]),
    },
    Bomb {
        name: "noise.png",
        media_type: PNG,
        make: noise,
    },
    Bomb {
        name: "size-that-lies.jpg",
        media_type: JPEG,
        make: || {
            b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\0\x0b\x08\xff\xff\xff\xff\x01\x01\x11\0\xff\xda".to_vec()
        },
    },
    Bomb {
        name: "pages-in-a-circle.tiff",
        media_type: TIFF,
        make: || tiff(1, true),
    },
    Bomb {
        name: "100000-pages.tiff",
        media_type: TIFF,
        make: || tiff(100_000, false),
    },
    Bomb {
        name: "9000-pages-of-nothing.tiff",
        media_type: TIFF,
        make: || tiff(9_000, false),
    },
    Bomb {
        name: "strip-that-lies.tiff",
        media_type: TIFF,
        make: strip_that_lies,
    },
];

/// A black and white PNG of this size with these rows, each after the byte of its filter.
fn png((width, height): (u32, u32), rows: &[u8]) -> Vec<u8> {
    let (depth, grey) = (1, 0);
    let mut head = [width.to_be_bytes(), height.to_be_bytes()].concat();
    head.extend([depth, grey, 0, 0, 0]);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(rows).expect("a vector takes all bytes");
    let packed = packed.finish().expect("a vector takes all bytes");
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [(b"IHDR", head.as_slice()), (b"IDAT", &packed), (b"IEND", &[])] {
        let mut crc = Crc::new();
        crc.update(name);
        crc.update(data);
        png.extend((data.len() as u32).to_be_bytes());
        png.extend(name);
        png.extend(data);
        png.extend(crc.sum().to_be_bytes());
    }
    png
}

/// A page of specks: OCR finds letters everywhere, and turns the page four times.
fn noise() -> Vec<u8> {
    let mut random = Random::of(7, 7);
    let row = 1_240 / 8;
    let mut rows = Vec::new();
    for _ in 0..1_754 {
        rows.push(0);
        rows.extend((0..row).map(|_| {
            if random.below(4) == 0 {
                random.below(256) as u8
            } else {
                0xff
            }
        }));
    }
    png((1_240, 1_754), &rows)
}

/// Directories without a picture; the last leads back to the first, or nowhere.
fn tiff(pages: u32, in_a_circle: bool) -> Vec<u8> {
    const DIRECTORY_BYTES: u32 = 6;
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    for page in 1..=pages {
        let next = match page == pages {
            false => 8 + page * DIRECTORY_BYTES,
            true if in_a_circle => 8,
            true => 0,
        };
        tiff.extend([0, 0]);
        tiff.extend(next.to_le_bytes());
    }
    tiff
}

/// A picture of 100,000 times 100,000 pixels, whose strip begins and ends far behind the file.
fn strip_that_lies() -> Vec<u8> {
    const WHOLE: u16 = 4;
    let fields: [(u16, u32); 8] = [
        (256, 100_000),
        (257, 100_000),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, u32::MAX - 9),
        (278, 100_000),
        (279, u32::MAX),
    ];
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend((fields.len() as u16).to_le_bytes());
    for (tag, value) in fields {
        tiff.extend(tag.to_le_bytes());
        tiff.extend(WHOLE.to_le_bytes());
        tiff.extend(1_u32.to_le_bytes());
        tiff.extend(value.to_le_bytes());
    }
    tiff.extend(0_u32.to_le_bytes());
    tiff
}
