//! Whether an element hides itself, by its attributes alone.

use html5ever::tokenizer::Tag;

use super::elements::Class;

/// Whether a start tag hides what the element holds.
pub(super) fn hides(tag: &Tag, class: Class) -> bool {
    let by_class = match class {
        Class::Deleted | Class::Unseen | Class::Picture => true,
        Class::Choice => attribute(tag, "selected").is_none(),
        Class::Dialog => attribute(tag, "open").is_none(),
        _ => false,
    };
    by_class || attribute(tag, "hidden").is_some() || attribute(tag, "style").is_some_and(is_hiding_style)
}

/// The value of an attribute.
pub(super) fn attribute<'t>(tag: &'t Tag, name: &str) -> Option<&'t str> {
    let named = tag.attrs.iter().find(|attribute| &*attribute.name.local == name);
    named.map(|attribute| &*attribute.value)
}

/// Whether an inline style hides its element. Of two declarations of one property the last holds.
fn is_hiding_style(style: &str) -> bool {
    let (mut is_out, mut is_invisible) = (false, false);
    for declaration in style.split(';') {
        let Some((property, value)) = declaration.split_once(':') else {
            continue;
        };
        let is_value = |word: &str| {
            let value = value.trim();
            value
                .get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        if property.trim().eq_ignore_ascii_case("display") {
            is_out = is_value("none");
        } else if property.trim().eq_ignore_ascii_case("visibility") {
            is_invisible = is_value("hidden") || is_value("collapse");
        }
    }
    is_out || is_invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_hides_by_display_and_visibility() {
        for (style, hides) in [
            ("display:none", true),
            ("color: red; DISPLAY : None !important", true),
            ("visibility:hidden;", true),
            ("display:none;display:block", false),
            ("display:block", false),
            ("x-display:none", false),
            ("display", false),
            ("\u{e9}:\u{e9}", false),
            ("", false),
        ] {
            assert_eq!(is_hiding_style(style), hides, "{style}");
        }
    }
}
