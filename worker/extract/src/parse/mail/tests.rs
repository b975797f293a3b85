//! Whole mails, and what hostile mails cost.

use docket_contract::place::{Place, Region};

use super::structure::PARTS_MAX;
use super::*;
use crate::limits::DEPTH_MAX;
use crate::refusal::Parts;
use crate::writer::Block;

const LIMITS: Limits = Limits {
    pages: 1,
    text_bytes: 64 << 20,
    inflated_bytes: 64 << 20,
};
/// Bytes of a hostile mail. A cost that grows with the square of them would be minutes or hours.
const FLOOD_BYTES: usize = 4 << 20;

/// Stands for the reader of HTML: writes the document as a paragraph.
fn html(text: &str, writer: &mut Writer) -> Result<(), Refusal> {
    writer.begin(Region::Body, Place::Paragraph { paragraph: 1 });
    writer.push_str(text)?;
    writer.end();
    Ok(())
}

fn read_whole(mail: &[u8]) -> Result<(String, Vec<Block>, Enclosed), Refusal> {
    let mut writer = Writer::new(&LIMITS);
    let enclosed = read(mail, &mut writer, &LIMITS, &html)?;
    let (text, blocks) = writer.finish();
    Ok((text, blocks, enclosed))
}

fn text_of(mail: &str) -> String {
    read_whole(mail.as_bytes()).expect("the mail is read").0
}

/// The names, types and bytes of a mail's files.
fn files_of(mail: &str) -> Vec<(String, String, String)> {
    let (_, _, enclosed) = read_whole(mail.as_bytes()).expect("the mail is read");
    let file = |file: Attachment| {
        let bytes = String::from_utf8(file.bytes.expect("it is whole")).expect("it is UTF-8");
        (file.file_name.unwrap_or_default(), file.media_type, bytes)
    };
    enclosed.attachments.into_iter().map(file).collect()
}

fn file(name: &str, media_type: &str, bytes: &str) -> (String, String, String) {
    (name.to_owned(), media_type.to_owned(), bytes.to_owned())
}

/// A mail of parts. Each begins with its header, or with an empty line.
fn multipart(kind: &str, parts: &[&str]) -> String {
    let mut mail = format!("Subject: s\nContent-Type: multipart/{kind}; boundary=\"b\"\n\npreamble\n");
    for part in parts {
        mail.push_str(&format!("--b\n{part}\n"));
    }
    mail + "--b--\nepilogue\n"
}

const SAMPLE: &str = "From: \"Ada Lovelace\" <ada@example.org>\r\nReply-To: ada@example.org\r\n\
    To: =?utf-8?Q?J=C3=BCrgen?=\r\n <j@example.org>, b@example.org\r\nX-Other: x\r\n\
    Date: Wed, 17 May 2000 19:18:39 -0400\r\nSubject: The lease\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=\"outer\"\r\n\r\n\
    --outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n\
    --inner\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
    Dear J=FCrgen,\r\n\r\nI agree.\r\nAda\r\n\
    --inner\r\nContent-Type: text/html\r\n\r\n<p>I agree.\r\n--inner--\r\n\
    --outer\r\nContent-Type: application/pdf; name=\"lease.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\
    Content-Disposition: attachment; filename=\"lease.pdf\"\r\n\r\nJVBERi0x\r\nLjc=\r\n\
    --outer\r\nContent-Type: message/rfc822\r\n\r\nSubject: before\r\n\r\nno part of this text\r\n--outer--\r\n";

#[test]
fn a_mail_has_a_head_a_text_and_files() {
    let (text, blocks, enclosed) = read_whole(SAMPLE.as_bytes()).expect("it is a mail");
    let expected = [
        (Region::MailHeader, "From: Ada Lovelace <ada@example.org>"),
        (Region::MailHeader, "To: J\u{fc}rgen <j@example.org>, b@example.org"),
        (Region::MailHeader, "Date: Wed, 17 May 2000 19:18:39 -0400"),
        (Region::MailHeader, "Subject: The lease"),
        (Region::Body, "Dear J\u{fc}rgen,"),
        (Region::Body, "I agree.\nAda"),
    ];
    let found: Vec<_> = blocks
        .iter()
        .map(|block| (block.region, &text[block.start..block.end]))
        .collect();
    assert_eq!(found, expected);
    let places: Vec<_> = blocks.iter().map(|block| block.place).collect();
    assert_eq!(
        places,
        [1, 2, 3, 4, 1, 2].map(|paragraph| Place::Paragraph { paragraph })
    );
    assert!(!enclosed.attachments.is_empty() && enclosed.pictures_left_out == 0);
    let files = [
        file("lease.pdf", "application/pdf", "%PDF-1.7"),
        file("", "message/rfc822", "Subject: before\r\n\r\nno part of this text"),
    ];
    assert_eq!(files_of(SAMPLE), files);
}

#[test]
fn another_address_for_answers_is_written() {
    let text = text_of("From: a@a.org\nReply-To: B <b@a.org>\nTo: c@a.org\nTo: d@a.org\nBcc: e@a.org\n\n");
    assert_eq!(
        text,
        "From: a@a.org\n\nReply-To: B <b@a.org>\n\nTo: c@a.org, d@a.org\n\nBcc: e@a.org"
    );
}

#[test]
fn of_two_ways_to_write_a_text_the_plain_one_is_read_unless_it_is_empty() {
    let (plain, page) = ("\nplain", "Content-Type: text/html\n\n<p>");
    assert_eq!(
        text_of(&multipart("alternative", &[plain, page])),
        "Subject: s\n\nplain"
    );
    assert_eq!(
        text_of(&multipart("alternative", &["\n \t", page])),
        "Subject: s\n\n<p>"
    );
    assert_eq!(text_of(&multipart("alternative", &[page])), "Subject: s\n\n<p>");
    assert_eq!(
        text_of(&multipart("mixed", &[plain, page])),
        "Subject: s\n\nplain\n\n<p>"
    );
    let enriched = "Content-Type: text/enriched\n\n<bold>";
    assert_eq!(files_of(&multipart("alternative", &[plain, enriched])), []);
}

#[test]
fn a_file_within_an_alternative_is_kept() {
    let mixed = "Content-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: text/html\n\n<p>\n--c\n\
                 Content-Type: application/pdf; name=a.pdf\n\nPDF\n--c--";
    let mail = multipart("alternative", &["\nplain", mixed]);
    assert_eq!(text_of(&mail), "Subject: s\n\nplain");
    assert_eq!(files_of(&mail), [file("a.pdf", "application/pdf", "PDF")]);
}

#[test]
fn a_text_with_a_file_name_is_a_file() {
    let named = "Content-Type: text/plain; name=notes.txt\n\nnotes";
    let attached = "Content-Type: text/plain\nContent-Disposition: attachment\n\nmore";
    let mail = multipart("mixed", &["\nplain", named, attached, "\nfooter"]);
    assert_eq!(text_of(&mail), "Subject: s\n\nplain\n\nfooter");
    assert_eq!(
        files_of(&mail),
        [file("notes.txt", "text/plain", "notes"), file("", "text/plain", "more")]
    );
}

#[test]
fn pictures_within_the_text_are_counted_and_left_out() {
    let logo = "Content-Type: image/png; name=logo.png\nContent-ID: <logo>\n\nPNG";
    let scan = "Content-Type: image/jpeg; name=scan.jpg\nContent-Disposition: inline\n\nJPEG";
    let mail = multipart("mixed", &["\nplain", logo, scan]);
    assert_eq!(files_of(&mail), [file("scan.jpg", "image/jpeg", "JPEG")]);
    assert_eq!(
        read_whole(mail.as_bytes()).expect("it is a mail").2.pictures_left_out,
        1
    );
}

#[test]
fn signatures_by_programs_and_empty_files_are_left_out() {
    let signature = "Content-Type: application/pgp-signature; name=signature.asc\n\nx";
    let empty = "Content-Type: application/pdf; name=a.pdf\n\n";
    assert_eq!(files_of(&multipart("signed", &["\nplain", signature, empty])), []);
}

#[test]
fn a_mail_whose_text_is_encrypted_is_refused() {
    let mails = [
        multipart("encrypted", &["Content-Type: application/pgp-encrypted\n\nVersion: 1"]),
        "Subject: s\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nx".to_owned(),
    ];
    for mail in mails {
        assert_eq!(read_whole(mail.as_bytes()), Err(Refusal::Encrypted));
    }
}

#[test]
fn a_digest_holds_mails() {
    let files = files_of(&multipart(
        "digest",
        &["\nSubject: a\n\nx", "Content-Type: text/plain\n\ny"],
    ));
    assert_eq!(files, [file("", "message/rfc822", "Subject: a\n\nx")]);
}

#[test]
fn parts_without_their_end_are_read() {
    let head = "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n";
    for (mail, expected) in [
        ("--b\n\none\n--b\n\ntwo", "one\n\ntwo"),
        ("--b\nno header\n--b", "no header"),
        (
            "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--b\n\ntwo\n--b--",
            "one\n\ntwo",
        ),
        ("no boundary", "no boundary"),
        ("--b--\n", ""),
        ("--bb\n\nx", "--bb\n\nx"),
        ("--b \t\n\none", "one"),
    ] {
        assert_eq!(
            text_of(&format!("{head}{mail}")),
            format!("Subject: s\n\n{expected}").trim_end(),
            "{mail}"
        );
    }
}

#[test]
fn a_header_may_begin_after_blank_lines_or_a_line_of_a_mailbox() {
    assert_eq!(text_of("\r\n\nSubject: a\n\nb"), "Subject: a\n\nb");
    assert_eq!(
        text_of("From ada@a.org Sat Jan  1 10:00:00 2000\nSubject: a\n\nb"),
        "Subject: a\n\nb"
    );
    assert_eq!(text_of("Subject: a"), "Subject: a");
}

#[test]
fn what_is_no_mail_is_refused() {
    for bytes in [&b""[..], b"\n\n\n", b"plain text", b"\xff\xfe\0"] {
        assert_eq!(
            read_whole(bytes),
            Err(Refusal::malformed(Format::Mail, Problem::Structure))
        );
    }
}

#[test]
fn files_count_against_their_limit() {
    let limits = Limits {
        inflated_bytes: 7,
        ..LIMITS
    };
    let mut writer = Writer::new(&limits);
    let read = read(SAMPLE.as_bytes(), &mut writer, &limits, &html);
    assert_eq!(read, Err(Refusal::InflatedTooLarge { max: 7 }));
}

#[test]
fn too_many_parts_are_refused() {
    let parts = vec!["\nx"; PARTS_MAX];
    let too_many = Refusal::TooMany {
        what: Parts::MailParts,
        max: PARTS_MAX,
    };
    assert_eq!(read_whole(multipart("mixed", &parts).as_bytes()), Err(too_many));
    assert!(read_whole(multipart("mixed", &parts[1..]).as_bytes()).is_ok());
}

#[test]
fn too_deep_a_nesting_is_refused() {
    let level = |number: usize| format!("Content-Type: multipart/mixed; boundary=b{number}\n\n--b{number}\n");
    let deep: String = (0..100_000).map(level).collect();
    assert_eq!(read_whole(deep.as_bytes()), Err(Refusal::TooDeep { max: DEPTH_MAX }));
    let same = level(0).repeat(DEPTH_MAX);
    assert!(read_whole(format!("{same}\nx").as_bytes()).is_ok());
}

/// A flood: a head, a piece again and again, and a tail.
fn flood(head: &str, piece: &str, tail: &str) -> Vec<u8> {
    let pieces = piece.repeat(FLOOD_BYTES / piece.len());
    [head, &pieces, tail].concat().into_bytes()
}

/// Each flood is read once, or refused: none is read anew for each piece.
#[test]
fn floods_cost_no_more_than_their_length() {
    let boundary = "-".repeat(FLOOD_BYTES / 2);
    let long_boundary = format!("Content-Type: multipart/mixed; boundary={boundary}x\n\n{boundary}\n{boundary}");
    let mixed = "Content-Type: multipart/mixed; boundary=b\n\n";
    let floods = [
        flood("", "a:\n", "\nx"),
        flood("", "To:\n", "\nx"),
        flood("Subject: ", "a", "\n\nx"),
        flood("Subject: a", "\n b", "\n\nx"),
        flood("Subject: ", "=?aa?q?x ", "\n\nx"),
        flood("To: ", "\"a", "\n\nx"),
        flood("To: ", "(<,", "\n\nx"),
        flood("Content-Type: text/plain", ";name*1=x", "\n\nx"),
        flood("Content-Type: text/plain", ";name=\"x", "\n\nx"),
        flood(mixed, "--b", "\nx"),
        flood(mixed, "--\n", "\nx"),
        flood(mixed, "--c\n", "\nx"),
        flood("", "Content-Type: message/rfc822\n\n", "a:b\n\nx"),
        flood("Content-Transfer-Encoding: base64\n\n", "!A=", ""),
        flood("Content-Transfer-Encoding: quoted-printable\n\n", "=", ""),
        flood("Content-Transfer-Encoding: quoted-printable\n\n", " \t", "x"),
        flood("Content-Type: text/plain; charset=utf-7\n\n", "+A", ""),
        flood("Content-Type: text/plain; format=flowed\n\n", "> \n>> \n", ""),
        long_boundary.into_bytes(),
    ];
    for flood in floods {
        let read = read_whole(&flood);
        assert!(read.is_ok_and(|(text, ..)| text.len() <= 3 * flood.len()));
    }
    let missing = "Content-Type: multipart/mixed; boundary=zz\n\n--b\n";
    assert!(read_whole(&flood(&format!("{mixed}--b\n"), missing, "")).is_err());
    assert!(read_whole(&flood(mixed, "--b\n\n", "")).is_err());
}

#[test]
fn what_a_file_is_called_is_no_longer_than_any_name_of_a_type() {
    let mail = |words: &str| {
        format!("From: a\nContent-Type: a/{words}; charset={words}; name=b\nContent-Disposition: attachment\n\nc")
    };
    let attachment = |mail: String| {
        read_whole(mail.as_bytes())
            .expect("it is a mail")
            .2
            .attachments
            .remove(0)
    };
    let long = attachment(mail(&"x".repeat(1_000_000)));
    assert_eq!((long.media_type.as_str(), long.charset), (UNKNOWN_TYPE, None));
    let longest = attachment(mail(&"x".repeat(253)));
    assert_eq!(
        (longest.media_type.len(), longest.charset.map(|label| label.len())),
        (255, Some(253))
    );
}

/// A sequence of numbers that is the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, max: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("it has 31 bits") % max
    }
}

#[test]
fn no_cut_and_no_changed_byte_panics() {
    let flowed = "Content-Type: text/plain; format=flowed; charset=utf-7\nContent-Disposition: attachment; filename*0*=utf-8'de'%C3%B6\n\n> a \n";
    let sample = [SAMPLE, flowed].concat().into_bytes();
    for end in 0..sample.len() {
        let _ = read_whole(&sample[..end]);
        let _ = read_whole(&sample[end..]);
    }
    let pieces: [&[u8]; 16] = [
        b"\n", b"\r", b"--", b"=", b"?=", b"=?", b"\"", b";", b":", b"*", b"%", b"\\", b"\xff", b"\0", b"--inner",
        b"--outer",
    ];
    let mut numbers = Numbers(1);
    for _ in 0..10_000 {
        let mut changed = sample.clone();
        for _ in 0..=numbers.below(4) {
            let start = numbers.below(changed.len());
            let end = (start + numbers.below(8)).min(changed.len());
            changed.splice(start..end, pieces[numbers.below(pieces.len())].iter().copied());
        }
        let _ = read_whole(&changed);
    }
}
