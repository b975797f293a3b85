//! Plain texts and other bytes that are not what they seem.

use super::Bomb;

const TEXT: &str = "text/plain";
const ANY: &str = "application/octet-stream";

pub const ALL: &[Bomb] = &[
    Bomb {
        name: "one-nul.txt",
        media_type: TEXT,
        make: || vec![0],
    },
    Bomb {
        name: "only-nuls.txt",
        media_type: TEXT,
        make: || vec![0; 1 << 20],
    },
    Bomb {
        name: "nuls-between-words.txt",
        media_type: TEXT,
        make: || b"The lease of Ada\0King ends. ".repeat(2_000),
    },
    Bomb {
        name: "right-to-left.txt",
        media_type: TEXT,
        make: || {
            "\u{202e}.gniK adA fo esael ehT\u{202c} \u{2067}שלום\u{2069} "
                .repeat(500)
                .into_bytes()
        },
    },
    Bomb {
        name: "zero-width.txt",
        media_type: TEXT,
        make: || "A\u{200b}d\u{200d}a\u{feff} K\u{2060}ing ".repeat(500).into_bytes(),
    },
    Bomb {
        name: "200000-marks-on-one-letter.txt",
        media_type: TEXT,
        make: || format!("Ada{}", "\u{301}".repeat(200_000)).into_bytes(),
    },
    Bomb {
        name: "one-word.txt",
        media_type: TEXT,
        make: || vec![b'a'; 1 << 20],
    },
    Bomb {
        name: "only-blanks.txt",
        media_type: TEXT,
        make: || b" \t\r\n".repeat(1 << 18),
    },
    Bomb {
        name: "only-form-feeds.txt",
        media_type: TEXT,
        make: || vec![0x0c; 1 << 18],
    },
    Bomb {
        name: "unfinished-utf8.txt",
        media_type: "text/plain; charset=utf-8",
        make: || [b"Ada King ".repeat(100).as_slice(), b"\xf0\x9f\x98"].concat(),
    },
    Bomb {
        name: "half-pairs.txt",
        media_type: "text/plain; charset=utf-16le",
        make: || {
            [0xff, 0xfe]
                .into_iter()
                .chain([0x00, 0xd8, 0x41, 0x00].repeat(10_000))
                .collect()
        },
    },
    Bomb {
        name: "all-bytes.bin",
        media_type: ANY,
        make: || (0..=u8::MAX).cycle().take(1 << 18).collect(),
    },
    Bomb {
        name: "wrong-charset.txt",
        media_type: "text/plain; charset=shift_jis",
        make: || b"\x81\x40\xfd\xfe\xff".repeat(20_000),
    },
    Bomb {
        name: "escapes.txt",
        media_type: "text/plain; charset=iso-2022-jp",
        make: || b"\x1b$B\x1b(B".repeat(50_000),
    },
    Bomb {
        name: "huge-picture.png",
        media_type: ANY,
        make: || b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x75\x30\0\0\x75\x30\x08\x06\0\0\0".to_vec(),
    },
    Bomb {
        name: "compound-file-in-a-circle.doc",
        media_type: ANY,
        make: compound_file,
    },
    Bomb {
        name: "starts-like-a-zip.txt",
        media_type: TEXT,
        make: || b"PK\x03\x04 is how an archive begins, says Ada King.".to_vec(),
    },
    Bomb {
        name: "starts-like-a-pdf.txt",
        media_type: TEXT,
        make: || b"%PDF-1.7 is how a PDF begins, says Ada King.".to_vec(),
    },
];

/// A compound file whose table of sectors leads to itself.
fn compound_file() -> Vec<u8> {
    let mut bytes = vec![0; 512 * 4];
    bytes[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    bytes[24..34].copy_from_slice(&[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    bytes[44] = 1; // One sector of the table.
    bytes[56..60].copy_from_slice(&4_096_u32.to_le_bytes());
    // The table stands in sector 0, and each of its entries, the directory's too, is sector 0 again.
    bytes[80..512].fill(0xff);
    bytes[76..80].fill(0);
    bytes
}
