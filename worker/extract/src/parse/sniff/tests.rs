use super::*;

/// The list of files of an archive, as bytes: without the files themselves.
fn archive(names: &[&str]) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.resize(60, 0);
    let start = bytes.len();
    for name in names {
        bytes.extend_from_slice(b"PK\x01\x02");
        bytes.resize(bytes.len() + 24, 0);
        bytes.extend_from_slice(&(name.len() as u16).to_le_bytes());
        bytes.resize(bytes.len() + 16, 0);
        bytes.extend_from_slice(name.as_bytes());
    }
    let size = bytes.len() - start;
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0\0\0\0\0");
    bytes.extend_from_slice(&(size as u32).to_le_bytes());
    bytes.extend_from_slice(&(start as u32).to_le_bytes());
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

fn open_document(media_type: &str) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.resize(22, 0);
    bytes.extend_from_slice(&(media_type.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&[8, 0, 0, 0]);
    bytes.extend_from_slice(b"mimetype");
    bytes.extend_from_slice(media_type.as_bytes());
    bytes
}

/// A compound file whose directory is one sector after another, joined by the table in the first.
fn compound(names: &[&str]) -> Vec<u8> {
    let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    bytes.resize(512, 0);
    bytes[30] = 9;
    bytes[48] = 1;
    let table: Vec<u8> = (1..=128_u32).flat_map(u32::to_le_bytes).collect();
    bytes.extend_from_slice(&table);
    for name in names {
        let start = bytes.len();
        bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        bytes.resize(start + 128, 0);
    }
    bytes
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn magic_numbers_tell_the_kind() {
    let mut program = b"MZ\x90\0\x03".to_vec();
    program.resize(200, 0);
    for (bytes, kind) in [
        (&b"%PDF-1.7\n"[..], Kind::Pdf),
        (b"\r\n %PDF-1.7", Kind::Pdf),
        (
            b"HTTP/1.1 200 OK\r\nDate: x\r\n\r\n%PDF-1.4\n%\xe2\xe3\n1 0 obj\n",
            Kind::Pdf,
        ),
        (b"{\\rtf1 a}", Kind::Rtf),
        (b"\xef\xbb\xbf\n{\\rtf1 a}", Kind::Rtf),
        (b"\x89PNG\r\n\x1a\n", Kind::Png),
        (b"\xff\xd8\xff\xe0", Kind::Jpeg),
        (b"II*\0\x08\0\0\0", Kind::Tiff),
        (b"MM\0*\0\0\0\x08", Kind::Tiff),
        (b"GIF89a", Kind::Gif),
        (b"RIFF\x10\0\0\0WEBPVP8 ", Kind::Webp),
        (b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", Kind::Bmp),
        (b"\0\0\0\x18ftypheic\0\0", Kind::Heif),
        (b"\x1f\x8b\x08\0", Kind::Gzip),
        (b"Rar!\x1a\x07\x01\0", Kind::OtherArchive),
        (b"%!PS-Adobe-3.0", Kind::PostScript),
        (b"\x7fELF\x02", Kind::Executable),
        (&program, Kind::Executable),
    ] {
        assert_eq!(sniff(bytes), kind, "{bytes:?}");
    }
}

#[test]
fn text_that_begins_like_something_else_is_text() {
    for text in [
        "",
        "BMW AG, Munich",
        "MZ 12345 is the number of the car, and the car is red, and the contract about the car is void.",
        "A file begins with %PDF-1.7, as the standard has it.",
        "PK is short for Phil Katz.",
        "RIFF and others",
        "<John Smith> signed.",
        "The tag <html> begins a page.",
        "<?xml version=\"1.0\"?><invoice/>",
        "<!DOCTYPE svg><svg/>",
    ] {
        assert_eq!(sniff(text.as_bytes()), Kind::Text, "{text}");
        assert_eq!(sniff(&utf_16(&format!("\u{feff}{text}"))), Kind::Text, "{text}");
    }
    assert_eq!(sniff(&utf_16("Договор аренды квартиры")), Kind::Text);
    assert_eq!(sniff(b"Sch\xf6ne Gr\xfc\xdfe"), Kind::Text);
    assert_eq!(sniff(&(0..=127).collect::<Vec<u8>>()), Kind::Unknown);
    assert_eq!(sniff(&[0; 9000]), Kind::Unknown);
}

#[test]
fn a_page_is_told_by_its_start() {
    for page in [
        "<!DOCTYPE html><p>a",
        "\u{feff} \n<!-- a --> <!--b--><HTML>",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"x\">",
        "<div class=a>",
        "<p>a</p>",
        "<br/>",
        "Warning: no database\n  <!doctype HTML>\n<html>",
        "<table\n>",
    ] {
        assert_eq!(sniff(page.as_bytes()), Kind::Html, "{page}");
        assert_eq!(sniff(&utf_16(&format!("\u{feff}{page}"))), Kind::Html, "{page}");
        assert_eq!(sniff(&utf_16(&format!("{page}   "))), Kind::Html, "{page}");
    }
}

#[test]
fn a_mail_with_a_pdf_near_its_start_is_a_mail() {
    let mail = b"From: a@example.com\r\nSubject: b\r\n\r\n%PDF-1.4\n1 0 obj\n\x00\x01\x02\x03\x04\x05\x06\x07\x0e\x0f";
    assert_eq!(sniff(mail), Kind::Mail);
    assert_eq!(sniff(b"junk \x00\x01\n%PDF-1.4\n1 0 obj\n"), Kind::Pdf);
}

#[test]
fn a_mail_has_two_fields_of_a_mail() {
    let long = format!(
        "Received: a\n{}Date: b\n\nText",
        " folded and folded again\n".repeat(1_000)
    );
    let cut = format!("Received: a\nDate: b\n{}Text", "X-Field: c\n".repeat(1_000));
    for mail in [
        "From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n\r\nText",
        "From a@b.example Mon May  3\nReturn-Path: <a@b.example>\nDate: x\n\tfolded\n\n",
        "Received: by x\nMIME-Version: 1.0\nX-Strange: y\n",
        "Date : x\nSubject : y\n\n",
        "From: a\nTo: b\n\n<html><p>Text",
        &cut,
    ] {
        assert_eq!(sniff(mail.as_bytes()), Kind::Mail, "{mail}");
    }
    for text in [
        "From: the landlord\n\nTo: the tenant\n",
        "From: the landlord\nA lease is made.\nTo: the tenant\nDate: 3 May\n",
        "MEMORANDUM\nFrom: a\nTo: b\nDate: c\n\n",
        "From: a\nFrom: b\n\n",
        "Whereas: a\nNow therefore: b\n\n",
        &long,
    ] {
        assert_eq!(sniff(text.as_bytes()), Kind::Text, "{text}");
    }
}

#[test]
fn the_list_of_files_tells_what_an_archive_is() {
    for (names, kind) in [
        (
            &["[Content_Types].xml", "_rels/.rels", "word/document2.xml"][..],
            Kind::Docx,
        ),
        (&["xl/workbook.xml", "[Content_Types].xml"], Kind::Xlsx),
        (&["[Content_Types].xml", "ppt/presentation.xml"], Kind::Pptx),
        (&["content.xml", "META-INF/manifest.xml"], Kind::Odt),
        (&["word/document.xml"], Kind::Zip),
        (&["[Content_Types].xml"], Kind::Zip),
        (&[], Kind::Zip),
    ] {
        let bytes = archive(names);
        assert_eq!(sniff(&bytes), kind, "{names:?}");
        let commented = [&bytes[..], b"a comment PK"].concat();
        assert_eq!(sniff(&commented), kind, "{names:?}");
        for length in 4..bytes.len() {
            sniff(&bytes[..length]);
        }
    }
    for (media_type, kind) in [
        ("application/vnd.oasis.opendocument.text", Kind::Odt),
        ("application/vnd.oasis.opendocument.text-template", Kind::Odt),
        ("application/vnd.oasis.opendocument.spreadsheet", Kind::OpenDocument),
        ("application/epub+zip", Kind::Zip),
    ] {
        assert_eq!(sniff(&open_document(media_type)), kind, "{media_type}");
    }
}

#[test]
fn no_more_files_are_looked_at_than_a_package_may_have() {
    let mut names = vec!["[Content_Types].xml"];
    names.resize(crate::limits::ENTRIES_MAX, "a");
    names.push("word/document.xml");
    assert_eq!(sniff(&archive(&names)), Kind::Zip);
}

#[test]
fn the_directory_tells_what_a_compound_file_is() {
    for (names, kind) in [
        (&["Root Entry", "1Table", "WordDocument"][..], Kind::OldWord),
        (&["Root Entry", "a", "b", "c", "d", "e", "Workbook"], Kind::OldExcel),
        (&["Root Entry", "PowerPoint Document"], Kind::OldPowerPoint),
        (
            &["Root Entry", "WordDocument", "__properties_version1.0"],
            Kind::OutlookMessage,
        ),
        (
            &["Root Entry", "EncryptionInfo", "EncryptedPackage"],
            Kind::EncryptedOffice,
        ),
        (&["Root Entry"], Kind::CompoundFile),
    ] {
        let bytes = compound(names);
        assert_eq!(sniff(&bytes), kind, "{names:?}");
        for length in 8..bytes.len() {
            sniff(&bytes[..length]);
        }
    }
}

#[test]
fn a_directory_that_runs_in_a_circle_ends() {
    let mut bytes = compound(&["Root Entry"; 4]);
    bytes.resize(512 * 4, 0);
    bytes[512 + 4] = 1;
    assert_eq!(sniff(&bytes), Kind::CompoundFile);
}

#[test]
fn no_bytes_panic() {
    let samples = [
        archive(&["[Content_Types].xml", "word/document.xml"]),
        compound(&["Root Entry", "WordDocument"]),
        open_document("application/vnd.oasis.opendocument.text"),
        b"From: a\nTo: b\n\n<!doctype html> %PDF-1.7 1 0 obj".to_vec(),
    ];
    let mut state = 1_u64;
    for round in 0..50_000_usize {
        let mut bytes = samples[round % samples.len()].clone();
        for _ in 0..3 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % bytes.len();
            bytes[at] = (state >> 16) as u8;
        }
        sniff(&bytes);
    }
}
