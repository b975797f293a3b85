//! Mails that nest, repeat and never end.

use super::Bomb;
use crate::files::mail::{HEAD, multipart, part};

const MAIL: &str = "message/rfc822";

pub const ALL: &[Bomb] = &[
    Bomb {
        name: "100000-nested-multiparts.eml",
        media_type: MAIL,
        make: nested_multiparts,
    },
    Bomb {
        name: "200-nested-multiparts.eml",
        media_type: MAIL,
        make: nested_orderly,
    },
    Bomb {
        name: "million-headers.eml",
        media_type: MAIL,
        make: || mail(&format!("{}\r\nAda King", "X-A: b\r\n".repeat(1_000_000))),
    },
    Bomb {
        name: "million-subjects.eml",
        media_type: MAIL,
        make: || mail(&format!("{}\r\nAda King", "Subject:\r\n".repeat(1_000_000))),
    },
    Bomb {
        name: "5000-recipients.eml",
        media_type: MAIL,
        make: recipients,
    },
    Bomb {
        name: "million-parameters.eml",
        media_type: MAIL,
        make: parameters,
    },
    Bomb {
        name: "one-long-header.eml",
        media_type: MAIL,
        make: || mail(&format!("X-A: {}\r\n\r\nAda King", "a\r\n ".repeat(4 << 20))),
    },
    Bomb {
        name: "encoded-words.eml",
        media_type: MAIL,
        make: encoded_words,
    },
    Bomb {
        name: "100000-parts.eml",
        media_type: MAIL,
        make: many_parts,
    },
    Bomb {
        name: "900-attachments.eml",
        media_type: MAIL,
        make: attachments,
    },
    Bomb {
        name: "mails-in-mails.eml",
        media_type: MAIL,
        make: mails_in_mails,
    },
    Bomb {
        name: "boundary-everywhere.eml",
        media_type: MAIL,
        make: boundary_everywhere,
    },
    Bomb {
        name: "comments.eml",
        media_type: MAIL,
        make: || mail(&format!("To: {}\r\n\r\nAda King", "(".repeat(100_000))),
    },
    Bomb {
        name: "nuls.eml",
        media_type: MAIL,
        make: || mail(&format!("X-A: \0\r\n\r\n{}", "Ada\0King ".repeat(1_000))),
    },
    Bomb {
        name: "broken-base64.eml",
        media_type: MAIL,
        make: || mail(&part("text/plain", "base64", &"=A=".repeat(1 << 18))),
    },
    Bomb {
        name: "quoted-without-end.eml",
        media_type: MAIL,
        make: || mail(&part("text/plain", "quoted-printable", &"=\r\n=".repeat(1 << 16))),
    },
];

/// A mail with this after its first lines.
fn mail(rest: &str) -> Vec<u8> {
    format!("{HEAD}{rest}").into_bytes()
}

fn nested_multiparts() -> Vec<u8> {
    let levels =
        (0..100_000).map(|level| format!("Content-Type: multipart/mixed; boundary=\"b{level}\"\r\n\r\n--b{level}\r\n"));
    mail(&(levels.collect::<String>() + "\r\nAda King"))
}

fn nested_orderly() -> Vec<u8> {
    let letter = part("text/plain", "7bit", "The lease of Ada King.");
    mail(&(0..200).fold(letter, |inner, level| {
        multipart("mixed", &format!("b{level}"), &[&inner])
    }))
}

fn recipients() -> Vec<u8> {
    mail(&format!(
        "Cc: {}ada@example.com\r\n\r\nAda King",
        "\"Ada\" <ada@example.com>,\r\n ".repeat(5_000)
    ))
}

fn parameters() -> Vec<u8> {
    let parameters: String = (0..200_000).map(|number| format!(";\r\n name*{number}*=%41")).collect();
    mail(&format!("Content-Type: text/plain{parameters}\r\n\r\nAda King"))
}

fn encoded_words() -> Vec<u8> {
    mail(&format!(
        "Subject: {}\r\n\r\nAda King",
        "=?iso-2022-jp?B?GyRC?=\r\n ".repeat(50_000)
    ))
}

fn many_parts() -> Vec<u8> {
    let letter = part("text/plain", "7bit", "Ada King");
    mail(&multipart("mixed", "b", &vec![letter.as_str(); 100_000]))
}

fn attachments() -> Vec<u8> {
    let attached = "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=\"../a.txt\"\r\n\r\nA letter to Ada King.";
    mail(&multipart("mixed", "b", &vec![attached; 900]))
}

/// A mail in a mail, deeper than any is unpacked.
fn mails_in_mails() -> Vec<u8> {
    let letter = format!("{HEAD}{}", part("text/plain", "7bit", "The lease of Ada King."));
    let deep = (0..50).fold(letter, |inner, level| {
        let attached = format!(
            "Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=\"a.eml\"\r\n\r\n{inner}"
        );
        format!("{HEAD}{}", multipart("mixed", &format!("b{level}"), &[&attached]))
    });
    deep.into_bytes()
}

/// Each line begins as a boundary does, and is none.
fn boundary_everywhere() -> Vec<u8> {
    let boundary = "b".repeat(70);
    let lines = format!("--{}\r\n", "b".repeat(69)).repeat(4_000);
    mail(&format!(
        "Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n--{boundary}\r\n\r\n{lines}"
    ))
}
