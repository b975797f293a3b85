//! Pictures made ready for OCR.

/// Softens a picture: each pixel becomes the weighted mean of itself and its neighbours, 1-2-1 across and down. Tesseract reads noisy
/// scans far better so, and clean ones as well.
pub fn soften(pixels: &mut [u8], width: usize) {
    if width == 0 {
        return;
    }
    pixels.chunks_exact_mut(width).for_each(soften_row);
    let mut above: Vec<u8> = pixels.iter().take(width).copied().collect();
    let rows = pixels.len() / width;
    for row in 0..rows {
        let (here, below) = pixels.split_at_mut((row + 1) * width);
        let here = &mut here[row * width..];
        for (at, (shade, above)) in here.iter_mut().zip(&mut above).enumerate() {
            let below = below.get(at).copied().unwrap_or(*shade);
            let mean = mean(*above, *shade, below);
            *above = *shade;
            *shade = mean;
        }
    }
}

fn soften_row(row: &mut [u8]) {
    let mut before = row.first().copied().unwrap_or_default();
    for at in 0..row.len() {
        let after = row.get(at + 1).copied().unwrap_or(row[at]);
        let mean = mean(before, row[at], after);
        before = row[at];
        row[at] = mean;
    }
}

fn mean(before: u8, here: u8, after: u8) -> u8 {
    ((u16::from(before) + 2 * u16::from(here) + u16::from(after) + 2) / 4) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_spreads_evenly_and_an_even_picture_stays() {
        let mut picture = [0, 0, 0, 0, 160, 0, 0, 0, 0];
        soften(&mut picture, 3);
        assert_eq!(picture, [10, 20, 10, 20, 40, 20, 10, 20, 10]);
        let mut even = [77; 12];
        soften(&mut even, 4);
        assert_eq!(even, [77; 12]);
    }
}
