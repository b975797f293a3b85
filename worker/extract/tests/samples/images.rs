//! Images of pages.

use std::convert::Infallible;

use docket_extract::refusal::Refusal;
use docket_extract::{ExtractError, Extractor};
use image::DynamicImage;

use crate::reading::{PROGRAM, block_on, sample, settings, source};

pub const FACTS: &[(&str, fn())] = &[
    ("a_page_is_drawn_as_it_is_shown", a_page_is_drawn_as_it_is_shown),
    ("a_scan_is_drawn_as_it_is_stored", a_scan_is_drawn_as_it_is_stored),
    ("what_has_no_such_page_is_not_drawn", what_has_no_such_page_is_not_drawn),
];

const TERMS: &str = "standard-terms.pdf";
const NOTICE: &str = "termination-notice-scan.pdf";

fn image_of(name: &str, bytes: Vec<u8>, page: u32) -> Result<DynamicImage, ExtractError<Infallible>> {
    block_on(async {
        let extractor = Extractor::start(&settings(None), PROGRAM.into()).await.unwrap();
        let image = extractor.image(source(name), bytes.into(), page, async |_| Ok(()));
        image.await.map(|png| image::load_from_memory(&png).unwrap())
    })
}

fn image_of_sample(name: &str, page: u32) -> Result<DynamicImage, ExtractError<Infallible>> {
    image_of(name, std::fs::read(sample(name)).unwrap(), page)
}

/// The part of the pixels that is dark, in percent, of an area in pixels.
fn ink(image: &DynamicImage, (x, y): (u32, u32), (width, height): (u32, u32)) -> f32 {
    let area = image.crop_imm(x, y, width, height).to_luma8();
    let dark = area.pixels().filter(|pixel| pixel.0[0] < 128).count();
    100.0 * dark as f32 / area.len() as f32
}

fn a_page_is_drawn_as_it_is_shown() {
    let page = image_of_sample(TERMS, 1).unwrap();
    assert_eq!((page.width(), page.height()), (1_224, 1_584));
    // The text of `pdf.rs` says where these words stand, in points; the margin has none.
    assert!(ink(&page, (887, 529), (196, 21)) > 5.0);
    assert!(ink(&page, (0, 0), (1_224, 40)) < 0.1);
}

fn a_scan_is_drawn_as_it_is_stored() {
    let notice = std::fs::read(sample(NOTICE)).unwrap();
    let at = notice.windows(10).position(|window| window == b"/MediaBox[").unwrap();
    let turned = [&notice[..at], b"/Rotate 90", &notice[at..]].concat();
    let page = image_of(NOTICE, turned, 1).unwrap();
    assert_eq!((page.width(), page.height()), (1_584, 1_224));
    let consent = image_of_sample("consent-scan.tiff", 2).unwrap();
    assert_eq!((consent.width(), consent.height()), (1_224, 1_584));
    // The page lies upside down, and so is its image: the text is in the lower half.
    let (upper, lower) = (
        ink(&consent, (0, 0), (1_224, 792)),
        ink(&consent, (0, 792), (1_224, 792)),
    );
    assert!(lower > 1.0 && upper < 0.5, "{upper} {lower}");
}

fn what_has_no_such_page_is_not_drawn() {
    for (name, page) in [(TERMS, 0), (TERMS, 99), ("consent-scan.tiff", 3)] {
        let refused = image_of_sample(name, page);
        assert!(
            matches!(refused, Err(ExtractError::Refused(Refusal::Malformed { .. }))),
            "{name} {page}"
        );
    }
    let letter = image_of_sample("engagement-letter.odt", 1);
    assert!(matches!(
        letter,
        Err(ExtractError::Refused(Refusal::Unsupported { .. }))
    ));
}
