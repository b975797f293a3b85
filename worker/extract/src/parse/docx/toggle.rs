//! Properties of WordprocessingML that are on or off.

use crate::parse::xml::{Element, Space};

/// Whether a property that is on or off is on.
pub(super) fn is_on(element: &Element<'_, '_>) -> bool {
    let value = element.attribute(Space::Word, b"val");
    !matches!(value.as_deref(), Some("0" | "false" | "off"))
}
